/** Questions to one engine, by slot: a new one in a slot ends the one before it. */

/** @typedef {import("./types.js").InspectRequest} InspectRequest */
/** @typedef {import("./types.js").InspectProgress} InspectProgress */
/** @typedef {import("./types.js").Answers} Answers */
/**
 * The part of an engine that answers.
 * @typedef {{ inspect(request: InspectRequest, options: { signal: AbortSignal, onProgress?: (progress: InspectProgress) => void }):
 *   Promise<any> }} Inspectable
 */

export class Asker {
  /** @param {Inspectable} engine */
  constructor(engine) {
    this.engine = engine;
    /** @type {Map<string, AbortController>} */
    this.slots = new Map();
  }

  /**
   * @template {keyof Answers} W
   * @param {string} slot
   * @param {Extract<InspectRequest, { what: W }>} request
   * @param {(progress: InspectProgress) => void} [onProgress]
   * @returns {Promise<Answers[W]>}
   */
  async ask(slot, request, onProgress) {
    this.slots.get(slot)?.abort();
    const control = new AbortController();
    this.slots.set(slot, control);
    const { signal } = control;
    try {
      const answer = await this.engine.inspect(request, {
        signal,
        onProgress: onProgress && ((progress) => {
          if (!signal.aborted) onProgress(progress);
        }),
      });
      // An answer that was on its way when the question was withdrawn is not wanted any more.
      signal.throwIfAborted();
      return answer;
    } catch (error) {
      throw signal.aborted ? new DOMException("withdrawn", "AbortError") : error;
    } finally {
      if (this.slots.get(slot) === control) this.slots.delete(slot);
    }
  }

  /** Ends every question. */
  abort() {
    for (const control of this.slots.values()) control.abort();
    this.slots.clear();
  }
}
