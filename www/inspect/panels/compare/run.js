/**
 * Opens the other model and has both read the text, one piece after the other; tells on the way what is there. Free of
 * the DOM.
 */

import { reasonOf } from "../../../core/cause.js";
import { isAbort } from "../../../core/errors.js";
import { showToken } from "../../label.js";
import { chunks, sameVocabulary } from "./data.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("../../types.js").ScoreAnswer} ScoreAnswer */
/** @typedef {Awaited<ReturnType<InspectContext["openOther"]>>} Other */
/**
 * A text as both models read it.
 * @typedef {object} Result
 * @property {Subject} subject
 * @property {ScoreAnswer} mine
 * @property {ScoreAnswer} other
 * @property {Float32Array} kl of each row; NaN until it has come
 * @property {string[]} labels @property {boolean[]} breaks
 */

export class CompareRun {
  /** @param {Pick<InspectContext, "ask" | "openOther">} ctx @param {() => void} onChange */
  constructor(ctx, onChange) {
    this.ctx = ctx;
    this.onChange = onChange;
    /** @type {Other | null} */
    this.other = null;
    /** @type {AbortController | null} */
    this.opening = null;
    /** @type {"idle" | "opening" | "scoring" | "kl" | "ready"} */
    this.phase = "idle";
    this.progress = { done: 0, total: 0 };
    /** @type {{ kind: "vocabulary" } | { kind: "error", reason: string } | null} */
    this.problem = null;
    /** Version of the subject that is being compared, or was last; -1 for none. */
    this.version = -1;
    this.turn = 0;
    /** @type {Result | null} */
    this.result = null;
  }

  /**
   * Opens another model; the one before is closed.
   * @param {string} id
   */
  async open(id) {
    this.close();
    const control = new AbortController();
    this.opening = control;
    this.phase = "opening";
    this.onChange();
    try {
      const other = await this.ctx.openOther(
        id,
        control.signal,
        (done, total) => {
          if (this.opening !== control) return;
          this.progress = { done, total };
          this.onChange();
        },
        (error) => this.lost(control, error),
      );
      // Cancelled in the last moment: nobody else would close it.
      if (this.opening !== control) return other.close();
      this.other = other;
      this.phase = "ready";
    } catch (error) {
      if (this.opening !== control) return;
      this.phase = "idle";
      this.fail(error);
    }
    this.onChange();
  }

  /**
   * The other model is gone with its engine, and has to be opened again.
   * @param {AbortController} control with which it was opened
   * @param {unknown} error
   */
  lost(control, error) {
    if (this.opening !== control) return;
    this.close();
    this.fail(error);
    this.onChange();
  }

  /** Lets go of the other model. */
  close() {
    this.opening?.abort();
    this.opening = null;
    this.other?.close();
    this.other = null;
    this.turn += 1;
    this.version = -1;
    this.result = null;
    this.problem = null;
    this.phase = "idle";
    this.progress = { done: 0, total: 0 };
  }

  /** Reads a text that is new. @param {Subject | null} subject */
  update(subject) {
    if (this.other && subject && !subject.writing && subject.scores && subject.version !== this.version)
      void this.read(subject, subject.scores, this.other);
  }

  /** @param {Subject} subject @param {ScoreAnswer} mine @param {Other} other */
  async read(subject, mine, other) {
    this.version = subject.version;
    this.turn += 1;
    const { turn, ctx } = this;
    const current = () => this.turn === turn;
    this.problem = null;
    this.phase = "scoring";
    this.progress = { done: 0, total: 0 };
    const { ids, texts } = subject.tokens;
    try {
      // The text anew and not the ids at hand: what a model wrote need not be how a tokenizer cuts it.
      const request = { what: /** @type {const} */ ("tokens"), text: subject.text };
      const [here, there] = await Promise.all([
        ctx.ask("compare.tokens", request),
        other.ask("compare.tokens", request),
      ]);
      if (!current()) return;
      if (!sameVocabulary(here, there)) return this.refuse();
      const score = await other.ask("compare.score", { what: "score", ids });
      if (!current()) return;
      const kl = new Float32Array(ids.length).fill(NaN);
      const result = {
        subject,
        mine,
        other: score,
        kl,
        labels: texts.map(showToken),
        breaks: texts.map((text) => text.includes("\n")),
      };
      for (const [from, to] of chunks(ids.length)) {
        const logits = await other.ask("compare.logits", { what: "logits", ids, from, to });
        if (!current()) return;
        // Texts can be cut alike by vocabularies of different sizes.
        if (logits.vocabSize !== subject.info.vocabSize) return this.refuse();
        this.result = result;
        this.phase = "kl";
        this.progress = { done: from, total: ids.length };
        this.onChange();
        const answer = await ctx.ask("compare.kl", { what: "compare", ids, from, to, other: logits.values });
        if (!current()) return;
        kl.set(answer.kl, answer.from);
      }
      this.phase = "ready";
    } catch (error) {
      if (!current()) return;
      this.phase = "ready";
      if (isAbort(error)) {
        // Ended by the page, which is about to update: then what has come since is compared.
        this.version = -1;
        return;
      }
      this.fail(error);
    }
    this.onChange();
  }

  refuse() {
    this.result = null;
    this.phase = "ready";
    this.problem = { kind: "vocabulary" };
    this.onChange();
  }

  /** @param {unknown} error */
  fail(error) {
    if (!isAbort(error)) this.problem = { kind: "error", reason: reasonOf(error) };
  }
}
