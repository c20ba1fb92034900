/** The engine's sentences in the page's language. They come from the engine in English. */

/** @typedef {[RegExp, string][]} Patterns */

/** What stands for a number or a name in a sentence of the list. */
const HOLE = "{}";

/** @param {[engine: string, translation: string][]} list @returns {Patterns} */
export function patterns(list) {
  const literal = (/** @type {string} */ text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // What says most comes first: a sentence of its own before one that fits many.
  const said = (/** @type {string} */ engine) => engine.replaceAll(HOLE, "").length;
  return [...list]
    .sort(([a], [b]) => said(b) - said(a))
    .map(([engine, translation]) => [new RegExp(`^${engine.split(HOLE).map(literal).join("([^]*?)")}$`), translation]);
}

/**
 * The translation of a sentence, or of several one after another; what is not known stays as it is.
 * @param {Patterns} known @param {string} text
 * @returns {string}
 */
export function translate(known, text) {
  for (const [pattern, translation] of known) {
    const found = pattern.exec(text);
    if (found) return translation.replace(/\{(\d)\}/g, (_, at) => translate(known, found[Number(at) + 1]));
  }
  return text;
}

/** @type {Patterns | null} */
let chinese = null;
/** @type {Promise<void> | null} */
let loading = null;

/**
 * Gets the list for a language, once; until it is there the engine's own words are shown.
 * @param {import("../../engine/types.js").Lang} lang
 */
export function loadEngineText(lang) {
  if (lang !== "zh") return null;
  loading ??= import("./engine.zh.js")
    .then(({ engineZh }) => {
      chinese = patterns(engineZh);
    })
    .catch(() => {
      loading = null;
    });
  return loading;
}

/**
 * A sentence of the engine in the page's language.
 * @param {string} text
 * @param {import("../../engine/types.js").Lang} lang
 */
export function engineText(text, lang) {
  return lang === "zh" && chinese ? translate(chinese, text) : text;
}
