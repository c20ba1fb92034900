/** Errors that the page has a sentence for in every language. Free of the DOM; for page and worker. */

/** An error on its way from the worker to the page. @typedef {import("../engine/types.js").WireError} WireError */

/** An error with a sentence of the page's own: `key` names it in the first table of www/i18n. `message` is the key. */
export class PageError extends Error {
  /**
   * @param {string} key
   * @param {Record<string, string | number>} [params]
   * @param {unknown} [cause] what the browser said
   */
  constructor(key, params = {}, cause) {
    super(key, { cause });
    this.key = key;
    this.params = params;
    /** Words that are not the page's own, for the details: the browser's, or a panic's. */
    this.raw = cause === undefined ? "" : rawWords(cause);
    /** Whether the worker is of no more use. */
    this.fatal = false;
  }
}

/** The engine reported an error, in its own words; `fatal` means that its worker is gone. */
export class EngineError extends Error {
  /** @param {string} message @param {boolean} fatal */
  constructor(message, fatal) {
    super(message);
    this.fatal = fatal;
  }
}

/** @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Whether the worker is gone: that is told by who starts it again. @param {unknown} error */
export function isFatal(error) {
  return (error instanceof PageError || error instanceof EngineError) && error.fatal;
}

/** A full disk in the user's words; any other error as it is. @param {unknown} error */
export function fullDisk(error) {
  const full = error instanceof DOMException && error.name === "QuotaExceededError";
  return full ? new PageError("error.quota", {}, error) : error;
}

/** What a browser's errors mean here, by their names. @type {Record<string, string>} */
const MEANINGS = {
  QuotaExceededError: "error.quota",
  NotFoundError: "error.fileGone",
  NotReadableError: "error.fileGone",
  SecurityError: "error.noStorage",
  NotAllowedError: "error.noStorage",
  // Safari's private file system, in a private window.
  UnknownError: "error.noStorage",
  RangeError: "error.outOfMemory",
};

/** @param {unknown} error */
function rawWords(error) {
  if (!(error instanceof Error)) return String(error);
  return error.message ? `${error.name}: ${error.message}` : error.name;
}

/**
 * Any error as one that the page has a sentence for. A browser's own errors have classes and names of their own; a
 * plain Error is
 * the engine's, in words that www/i18n/engine.zh.js translates.
 * @param {unknown} error
 */
export function explained(error) {
  if (error instanceof PageError || error instanceof EngineError) return error;
  if (error instanceof Error && error.constructor === Error && error.message)
    return new EngineError(error.message, false);
  const key = error instanceof Error ? MEANINGS[error.name] : undefined;
  if (!key) console.error(error);
  return new PageError(key ?? "error.unknown", {}, error);
}

/** @param {unknown} error @returns {WireError} */
export function toWire(error) {
  const known = explained(error);
  const { message, fatal } = known;
  return known instanceof PageError
    ? { message, fatal, key: known.key, params: known.params, raw: known.raw }
    : { message, fatal };
}

/** @param {WireError} wire */
export function fromWire({ message, fatal, key, params, raw = "" }) {
  if (key === undefined) return new EngineError(message, fatal);
  return Object.assign(new PageError(key, params), { fatal, raw });
}

/**
 * Waits for a part of the page that is loaded when it is needed.
 * @template T @param {Promise<T>} loading
 */
export function part(loading) {
  return loading.catch((error) => {
    throw new PageError("error.partNotLoaded", {}, error);
  });
}
