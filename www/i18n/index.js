import { en } from "./en.js";
import { engineText, loadEngineText } from "./engine.js";
import { zh } from "./zh.js";

/** @typedef {import("../types.js").Lang} Lang */

export const LANGUAGES = /** @type {const} */ (["en", "zh"]);
/** @type {Record<Lang, Record<string, string>>} */
const tables = { en: { ...en }, zh: { ...zh } };

/** @type {Lang} */
let current = "en";
/** Made once, for that takes longer than writing a number. @type {Partial<Record<Lang, Intl.NumberFormat>>} */
const numbers = {};

/** @param {Lang} lang */
export function setLanguage(lang) {
  current = lang;
  void loadEngineText(lang);
}

/** What the engine said, in the page's language where the page knows the sentence. @param {string} text */
export function engineWords(text) {
  return engineText(text, current);
}

/**
 * Adds the strings of a part that is loaded later.
 * @param {Record<string, string>} en
 * @param {Record<string, string>} zh
 */
export function registerStrings(en, zh) {
  Object.assign(tables.en, en);
  Object.assign(tables.zh, zh);
}

/** The browser's first language that the page speaks. @returns {Lang} */
export function preferredLanguage() {
  for (const tag of navigator.languages ?? []) {
    if (tag.startsWith("zh")) return "zh";
    if (tag.startsWith("en")) return "en";
  }
  return "en";
}

/**
 * The string called `key` in the page's language, with each `{name}` replaced. A key that no table has comes back as it is.
 * @param {string} key
 * @param {Record<string, string | number>} [params]
 */
export function t(key, params = {}) {
  const template = tables[current][key] ?? tables.en[key] ?? key;
  return template.replace(/\{(\w+)\}/g, (whole, name) => String(params[name] ?? whole));
}

/**
 * A number with the language's thousands separators.
 * @param {number} value
 */
export function n(value) {
  return (numbers[current] ??= new Intl.NumberFormat(current === "zh" ? "zh-CN" : "en")).format(value);
}
