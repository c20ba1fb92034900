/** The engine's messages in the page's language. They come with a code, by which their sentences are looked up here. */

/** @typedef {import("../../engine/types.js").Said} Said */

/** @typedef {import("../../engine/types.js").Lang} Lang */

/** Sentences by their codes, as far as they are there. @type {Partial<Record<Lang, Record<string, string>>>} */
const tables = {};
/** @type {Map<Lang, Promise<void>>} */
const loading = new Map();

const LATER = {
  en: async () => (await import("./engine.en.js")).engineEn,
  zh: async () => (await import("./engine.zh.js")).engineZh,
};

/** Gets the sentences of a language, once; where that fails it is tried again. @param {Lang} lang @returns {Promise<void>} */
export function loadEngineText(lang) {
  const known = loading.get(lang);
  if (known) return known;
  const table = LATER[lang]().then(
    (sentences) => {
      tables[lang] = sentences;
    },
    () => {
      loading.delete(lang);
    },
  );
  loading.set(lang, table);
  return table;
}

/**
 * A message with its parameters; null where there are no words for it in the language, as of a fault of the
 * engine's own, or none yet.
 * @param {Said} said
 * @param {import("../../engine/types.js").Lang} lang
 * @returns {string | null}
 */
export function engineText({ code, text, params }, lang) {
  const template = tables[lang]?.[code];
  // Words of its own are English already.
  if (template === undefined) return code === "uncoded" && lang === "en" ? text : null;
  return template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    return typeof value === "string" ? value : (engineText(value, lang) ?? value.text);
  });
}

/** Whether a message is, or has in it, one of these. @param {Said} said @param {...string} codes @returns {boolean} */
export function isSaid({ code, params }, ...codes) {
  return (
    codes.includes(code) || Object.values(params).some((value) => typeof value !== "string" && isSaid(value, ...codes))
  );
}
