/** The engine's messages in the page's language. They come in English, with a code by which they are looked up here. */

/** @typedef {import("../../engine/types.js").Said} Said */

/** @type {Record<string, string> | null} */
let chinese = null;
/** @type {Promise<void> | null} */
let loading = null;

/**
 * Gets the messages for a language, once; until they are there the engine's own words are shown.
 * @param {import("../../engine/types.js").Lang} lang
 */
export function loadEngineText(lang) {
  if (lang !== "zh") return null;
  loading ??= import("./engine.zh.js")
    .then(({ engineZh }) => {
      chinese = engineZh;
    })
    .catch(() => {
      loading = null;
    });
  return loading;
}

/**
 * A message with its parameters; null where there are no words for it in the language, as of a fault of the engine's own.
 * @param {Said} said
 * @param {import("../../engine/types.js").Lang} lang
 * @returns {string | null}
 */
export function engineText({ code, text, params }, lang) {
  if (lang === "en") return text;
  const template = chinese?.[code];
  if (template === undefined) return null;
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
