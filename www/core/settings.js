/** @typedef {import("../engine/types.js").Settings} Settings */

/**
 * @typedef {object} SettingSpec
 * @property {keyof Settings} key
 * @property {string} hash the short name in the URL's fragment
 * @property {number} min
 * @property {number} max the slider's end
 * @property {number} [limit] the largest number that may be typed, where the slider ends earlier
 * @property {number} step
 * @property {number} value the default
 */

/** The numeric settings, in the order in which the page shows them. @type {readonly SettingSpec[]} */
export const SETTING_SPECS = [
  { key: "temperature", hash: "t", min: 0, max: 2, step: 0.05, value: 0.6 },
  { key: "topK", hash: "k", min: 0, max: 200, limit: 1_000_000, step: 1, value: 40 },
  { key: "topP", hash: "p", min: 0.01, max: 1, step: 0.01, value: 0.95 },
  { key: "minP", hash: "minp", min: 0, max: 0.5, limit: 1, step: 0.01, value: 0 },
  { key: "repetitionPenalty", hash: "rp", min: 1, max: 2, limit: 10, step: 0.05, value: 1.2 },
  { key: "maxNewTokens", hash: "n", min: 1, max: 1024, limit: 100_000, step: 1, value: 200 },
];

export const MAX_SEED = 0xffff_ffff;

/** @type {Readonly<Settings>} */
export const DEFAULT_SETTINGS = Object.freeze({
  temperature: 0.6,
  topK: 40,
  topP: 0.95,
  minP: 0,
  repetitionPenalty: 1.2,
  seed: 42,
  maxNewTokens: 200,
  stopAtEnd: true,
});

/**
 * Brings a number into a setting's range, on its grid of steps; anything that is not a number becomes the default.
 * @param {SettingSpec} spec
 * @param {unknown} value
 */
export function clampSetting(spec, value) {
  const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value);
  if (!Number.isFinite(number)) return spec.value;
  const inside = Math.min(spec.limit ?? spec.max, Math.max(spec.min, number));
  return spec.step >= 1 ? Math.round(inside) : Math.round(inside * 1000) / 1000;
}

/** @param {unknown} value */
export function clampSeed(value) {
  const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value);
  if (!Number.isFinite(number)) return DEFAULT_SETTINGS.seed;
  return Math.min(MAX_SEED, Math.max(0, Math.round(number)));
}

/**
 * A name that nothing else has, also where the page came over plain http: `crypto.randomUUID` is not there then.
 * @param {number} [bytes] of two hexadecimal digits each
 */
export function newId(bytes = 16) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

/** @returns {number} a seed from the browser's random source */
export function randomSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
}
