/** An error with a message in every language: `key` names it in www/i18n. `message` is the English text's key. */
export class PageError extends Error {
  /**
   * @param {string} key
   * @param {Record<string, string | number>} [params]
   */
  constructor(key, params = {}) {
    super(key);
    this.key = key;
    this.params = params;
    /** Whether the worker is of no more use. */
    this.fatal = false;
  }
}

/** The engine reported an error; `fatal` means that its worker is gone. */
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
