/** What went wrong, in the page's language. Free of the DOM. */
import { explained, PageError } from "./errors.js";
import { engineWords, t } from "./i18n/index.js";

/**
 * A sentence of the page's own, and apart from it the words that are not: the browser's, or the engine's where the page
 * has none for them in its language.
 * @param {unknown} error
 * @returns {{ text: string, raw: string }}
 */
export function causeOf(error) {
  const known = explained(error);
  if (known instanceof PageError) return { text: t(known.key, known.params), raw: known.raw };
  const text = engineWords(known.said);
  return text === null ? { text: t("error.engine"), raw: known.message } : { text, raw: "" };
}

/** The sentence alone. @param {unknown} error */
export function reasonOf(error) {
  return causeOf(error).text;
}
