/**
 * Where the page's own files lie. This is the only module that finds them by its own place, in a folder of `www/`: a
 * bundle has all scripts in `www/b/`, this one among them.
 * @param {string} path below `www/`, such as "models/index.json"
 */
export const asset = (path) => new URL(`../${path}`, import.meta.url);

/** The worker's script. The bundler says that it is one. */
export const WORKER = asset(/** @type {any} */ (globalThis).BUNDLED ? "b/worker.js" : "worker.js");

/** The address of the sources' repository, which `index.html` names; "" where it names none. */
export const REPOSITORY =
  /** @type {HTMLMetaElement | null | undefined} */ (
    globalThis.document?.querySelector?.("meta[name=repository]")
  )?.content?.trim() ?? "";
