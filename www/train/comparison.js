/** The base model beside the tuned one, on the same prompt. Draws nothing. */
import { Engine } from "../engine/client.js";
import { isSame } from "../models/sources.js";

/** @typedef {import("../models/sources.js").ModelSource} ModelSource */
/** @typedef {import("../engine/types.js").Backend} Backend */
/** @typedef {{ prompt: string, base: string, tuned: string, busy: boolean, strength: number }} Texts */

const TOKENS = 80;

export class Comparison {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    /** What was written last, or is. @type {Texts | null} */
    this.texts = null;
    /**
     * The base model, open for the next prompt too.
     * @type {{ source: ModelSource, backend: Backend, engine: Engine, control: AbortController } | null}
     */
    this.base = null;
  }

  get busy() {
    return this.texts?.busy ?? false;
  }

  /** What was written belongs to other weights. */
  clear() {
    this.texts = null;
  }

  /**
   * Gives the base model's memory back, unless it is the one that is still needed.
   * @param {ModelSource | null} [needed]
   * @param {Backend} [backend]
   */
  close(needed = null, backend) {
    if (!this.base || (needed && isSame(this.base.source, needed) && this.base.backend === backend)) return;
    this.base.control.abort();
    this.base.engine.close();
    this.base = null;
  }

  /** @param {ModelSource} source @param {Backend} backend */
  async open(source, backend) {
    this.close(source, backend);
    if (this.base?.engine.client) return this.base.engine;
    // It was lost, or is still being opened for a prompt that is no longer wanted.
    this.close();
    const base = (this.base = { source, backend, engine: new Engine(() => {}), control: new AbortController() });
    await base.engine.load(source, backend, { signal: base.control.signal, onProgress: () => {} });
    return base.engine;
  }

  /**
   * Lets both continue a prompt.
   * @param {Engine} tuned @param {ModelSource} origin @param {Backend} backend
   * @param {import("../engine/types.js").Settings & { prompt: string }} options
   * @param {number} strength of the adapters, for a remark where it is another later
   */
  async write(tuned, origin, backend, options, strength) {
    /** @type {Texts} */
    const texts = (this.texts = { prompt: options.prompt, base: "", tuned: "", busy: true, strength });
    this.onChange();
    const side = (/** @type {Engine} */ engine, /** @type {"base" | "tuned"} */ name) =>
      engine.generate(
        { ...options, maxNewTokens: TOKENS },
        (event) => {
          if (event.type !== "tokens") return;
          texts[name] += event.tokens.map((token) => token.text).join("");
          this.onChange();
        },
        true,
      );
    try {
      const base = await this.open(origin, backend);
      await Promise.all([side(tuned, "tuned"), side(base, "base")]);
    } finally {
      texts.busy = false;
      this.onChange();
    }
  }
}
