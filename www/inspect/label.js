/** Tokens and numbers as people read them. Free of the DOM. */
import { registerStrings, t } from "../core/i18n/index.js";
import { labelEn } from "./label.en.js";
import { labelZh } from "./label.zh.js";

registerStrings(labelEn, labelZh);

/** @type {Record<string, string>} */
const VISIBLE = { "\n": "⏎", "\r": "␍", "\t": "⇥" };

/** @param {string} character */
function codePoint(character) {
  return `⟨U+${/** @type {number} */ (character.codePointAt(0)).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** Bytes of a token that are no whole character: the engine gives each as a lone surrogate, 0xDC00 + byte. */
const BYTES = /[\udc80-\udcff]+/gu;

/** Such bytes as they are read: ⟨C3⟩, ⟨E2 80⟩. @param {string} text */
export function nameBytes(text) {
  return text.replace(
    BYTES,
    (bytes) => `⟨${Array.from(bytes, (unit) => (unit.charCodeAt(0) & 0xff).toString(16).toUpperCase()).join(" ")}⟩`,
  );
}

/**
 * Whether a token's text can stand on the paper by itself: nothing in it is a part of a character.
 * @param {string} text
 */
export function isWhole(text) {
  return text !== "" && !/[\ufffd\udc80-\udcff]/u.test(text);
}

/**
 * A token's text with everything in it to be seen: spaces at its edges as ␣, line ends as ⏎, tabs as ⇥, what has no
 * shape of
 * its own by its code point, bytes as ⟨C3⟩, nothing at all as ∅. U+FFFD, which stands where bytes are not known, stays.
 * @param {string} text
 */
export function showToken(text) {
  if (text === "") return "∅";
  return (
    nameBytes(text)
      .replace(/^ +| +$/g, (spaces) => "␣".repeat(spaces.length))
      .replace(/[\n\r\t]/g, (character) => VISIBLE[character])
      .replace(/[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, codePoint)
      // A joiner inside an emoji belongs to it; alone it would not be seen.
      .replace(/^\p{Cf}+|\p{Cf}+$/gu, (characters) => Array.from(characters, codePoint).join(""))
      // A mark without its letter sits on a dotted circle.
      .replace(/^\p{M}/u, "◌$&")
  );
}

/**
 * A probability in per cent with three digits that mean something: "12.3 %", "1.23 %", "<0.01 %"; only 1 itself is "100
 * %".
 * @param {number} p from 0 to 1
 */
export function percent(p) {
  if (!Number.isFinite(p)) return "–";
  const value = 100 * p;
  if (value >= 100) return "100 %";
  if (value >= 99.95) return ">99.9 %";
  if (value >= 9.995) return `${value.toFixed(1)} %`;
  if (value >= 0.01) return `${value.toFixed(2)} %`;
  return value > 0 ? "<0.01 %" : "0 %";
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * The same, and of what is rarer the size too: "0.0043 %", "2.5·10⁻⁵ %". For what someone asked about, where there is
 * room.
 * @param {number} p from 0 to 1
 */
export function finePercent(p) {
  const value = 100 * p;
  if (!(value > 0) || value >= 0.01) return percent(p);
  // What rounds up to "0.01" has no more digits to show.
  if (value >= 0.00995) return "0.01 %";
  if (value >= 0.0001) return `${value.toFixed(value >= 0.001 ? 4 : 5)} %`;
  const [digits, exponent] = value.toExponential(1).split("e-");
  return `${digits}·10⁻${Array.from(exponent, (digit) => SUPERSCRIPTS[Number(digit)]).join("")} %`;
}

/** The page speaks of information in bits; the engine and the files have nats. @param {number} nats */
export function inBits(nats) {
  return nats / Math.LN2;
}

/** Information as it is read: "3.4 bits". @param {number} nats */
export function bits(nats) {
  return Number.isFinite(nats) ? t("label.bits", { x: plainZero(inBits(nats).toFixed(1)) }) : "–";
}

/** A difference in bits with its sign, the minus as wide as the plus. @param {number} nats @param {number} [digits] */
export function signedBits(nats, digits = 2) {
  if (!Number.isFinite(nats)) return "–";
  const text = Math.abs(inBits(nats)).toFixed(digits);
  return Number(text) === 0 ? text : `${nats < 0 ? "−" : "+"}${text}`;
}

/** For a file: as many digits as a 32-bit number has. @param {number} x */
export function digits(x) {
  return Number(x.toPrecision(7));
}

/** "-0.00" is 0. @param {string} digits */
function plainZero(digits) {
  return /^-0\.?0*$/.test(digits) ? digits.slice(1) : digits;
}

/**
 * At most `n` characters, the last of them "…" where something was left out. Never cuts a character in two.
 * @param {string} text @param {number} n
 */
export function shorten(text, n) {
  // Twice as many units hold n characters for certain, and a long text is not walked.
  const characters = Array.from(text.slice(0, 2 * n + 2));
  return characters.length <= n ? text : `${characters.slice(0, Math.max(0, n - 1)).join("")}…`;
}

/** @param {readonly number[]} bytes as "E5 A4 A9" */
export function hex(bytes) {
  return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}
