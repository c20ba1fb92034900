/** Errors that the page has a sentence for in every language. Free of the DOM; for page and worker. */

import { isSaid } from "./i18n/engine.js";

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

/** @typedef {import("../engine/types.js").Said} Said */

/** The engine reported an error; `fatal` means that its worker is gone. */
export class EngineError extends Error {
  /** @param {Said} said @param {boolean} fatal */
  constructor(said, fatal) {
    super(said.text);
    this.said = said;
    this.fatal = fatal;
  }
}

/** Nobody wants any more what was asked for. */
export const cancelled = () => new EngineError({ code: "cancelled", text: "cancelled", params: {} }, false);

/** Whether the engine said one of these. @param {unknown} error @param {...string} codes */
export const says = (error, ...codes) => error instanceof EngineError && isSaid(error.said, ...codes);

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
 * Any error as one that the page has a sentence for. A browser's own errors have classes and names of their own; the
 * engine's carry what it `said`.
 * @param {unknown} error
 */
export function explained(error) {
  if (error instanceof PageError || error instanceof EngineError) return error;
  if (error instanceof Error && "said" in error) return new EngineError(/** @type {Said} */ (error.said), false);
  const key = error instanceof Error ? MEANINGS[error.name] : undefined;
  if (!key) console.error(error);
  return new PageError(key ?? "error.unknown", {}, error);
}

/** @param {unknown} error @returns {WireError} */
export function toWire(error) {
  const known = explained(error);
  const { fatal } = known;
  return known instanceof PageError
    ? { fatal, key: known.key, params: known.params, raw: known.raw }
    : { fatal, said: known.said };
}

/** @param {WireError} wire */
export function fromWire(wire) {
  const { fatal } = wire;
  if ("said" in wire) return new EngineError(wire.said, fatal);
  return Object.assign(new PageError(wire.key, wire.params), { fatal, raw: wire.raw });
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
