import { part } from "../errors.js";
import { en } from "./en.js";
import { engineText, loadEngineText } from "./engine.js";

/** @typedef {import("../../engine/types.js").Lang} Lang */

export const LANGUAGES = /** @type {const} */ (["en", "zh"]);
/** @type {Record<Lang, Record<string, string>>} */
const tables = { en: { ...en }, zh: {} };

/** @type {Lang} */
let current = "en";
/** Made once, for that takes longer than writing a number. @type {Partial<Record<Lang, Intl.NumberFormat>>} */
const numbers = {};

/** The tables of the page itself, besides the English one, which stands in for what others lack. */
const LATER = { zh: async () => (await part(import("./zh.js"))).zh };
/** Those that are there, or on their way. @type {Map<Lang, Promise<unknown>>} */
const loading = new Map();

/**
 * Loads what the page says in a language, once.
 * @param {Lang} lang
 */
export function loadLanguage(lang) {
  if (lang === "en") return Promise.resolve();
  const known = loading.get(lang);
  if (known) return known;
  const table = LATER[lang]().then((strings) => Object.assign(tables[lang], strings));
  // It can be tried again.
  table.catch(() => loading.delete(lang));
  loading.set(lang, table);
  return table;
}

/** Speaks a language that is loaded. @param {Lang} lang */
export function setLanguage(lang) {
  current = lang;
  // Not needed for what is seen first.
  const idle = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ run) => run());
  idle(() => void loadEngineText(lang));
}

/** How long an error waits for its words. */
const WORDS_MS = 2000;

/** Waits for what the engine says in the page's language, not for long. @returns {Promise<unknown>} */
export function engineWordsThere() {
  return Promise.race([loadEngineText(current), new Promise((resolve) => setTimeout(resolve, WORDS_MS))]);
}

/**
 * What the engine says, in the page's language; null where the page has no words for it.
 * @param {import("../../engine/types.js").Said} said
 */
export function engineWords(said) {
  return engineText(said, current);
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

/** Stands where a string is missing: a key means nothing to a reader. */
const MISSING = "…";

/**
 * The string called `key` in the page's language, with each `{name}` replaced. A key that no table has is an error of
 * the page's
 * own: it is told in the console.
 * @param {string} key
 * @param {Record<string, string | number>} [params]
 */
export function t(key, params = {}) {
  const template = tables[current][key] ?? tables.en[key];
  if (template === undefined) {
    console.error(`no table of strings that is loaded has ${key}`);
    return MISSING;
  }
  return template.replace(/\{(\w+)\}/g, (whole, name) => String(params[name] ?? whole));
}

/**
 * Sentences one after another; after a full-width sign stands no space.
 * @param {...string} all those that are empty are left out
 */
export function sentences(...all) {
  return all
    .filter(Boolean)
    .join(" ")
    .replace(/(?<=[。？！]) /g, "");
}

/**
 * A number with the language's thousands separators.
 * @param {number} value
 */
export function n(value) {
  return (numbers[current] ??= new Intl.NumberFormat(current === "zh" ? "zh-CN" : "en")).format(value);
}
