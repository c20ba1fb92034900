/** Style sheets of parts that are loaded later. */
import { h } from "./dom.js";
import { PageError } from "./errors.js";
import { asset } from "./site.js";

/** @param {string} path of a style sheet, below `www/` */
export function loadStyle(path) {
  return /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      const link = h("link", { rel: "stylesheet", href: asset(path).href });
      link.addEventListener("load", () => resolve());
      link.addEventListener("error", () => {
        // It can be tried again.
        link.remove();
        reject(new PageError("error.partNotLoaded"));
      });
      document.head.append(link);
    })
  );
}
