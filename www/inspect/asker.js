/**
 * Questions to one engine, by slot: a new one in a slot ends the one before it. What the engine has no time for is
 * asked again.
 */
import { isAbort } from "../core/errors.js";

/** @typedef {import("./types.js").InspectRequest} InspectRequest */
/** @typedef {import("./types.js").InspectProgress} InspectProgress */
/** @typedef {import("./types.js").Answers} Answers */
/**
 * The part of an engine that answers. `worker` tells by whom: another one, or none, is not asked again what this one
 * was asked.
 * @typedef {{ inspect(request: InspectRequest, options: { signal: AbortSignal, onProgress?: (progress: InspectProgress)
 *   => void }):
 *   Promise<any>, worker?(): unknown }} Inspectable
 */

/** The engine is asked again after this, if it had no time. */
export const AGAIN_MS = 500;

/** Resolves after a while, or at once when the signal is aborted. @param {number} ms @param {AbortSignal} signal */
function pause(ms, signal) {
  return /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end, { once: true });
    })
  );
}

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
    const { engine } = this;
    const worker = engine.worker?.();
    const told =
      onProgress &&
      ((/** @type {InspectProgress} */ progress) => {
        if (!signal.aborted) onProgress(progress);
      });
    try {
      for (;;) {
        try {
          const answer = await engine.inspect(request, { signal, onProgress: told });
          // An answer that was on its way when the question was withdrawn is not wanted any more.
          signal.throwIfAborted();
          return answer;
        } catch (error) {
          // Nobody withdrew it: the engine had something more urgent to do.
          if (signal.aborted || !isAbort(error) || engine.worker?.() !== worker) throw error;
        }
        await pause(AGAIN_MS, signal);
        signal.throwIfAborted();
      }
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
