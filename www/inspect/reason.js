/** What went wrong, in the page's language as far as it knows the words. Free of the DOM. */
import { PageError } from "../errors.js";
import { engineWords, t } from "../i18n/index.js";

/** @param {unknown} error */
export function reasonOf(error) {
  if (error instanceof PageError) return t(error.key, error.params);
  return engineWords(error instanceof Error ? error.message : String(error));
}
