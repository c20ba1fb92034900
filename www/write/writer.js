/** The text and its generation: what the paper shows, how it grows, how it is taken back. Knows no DOM. */
import { appendTokens, findEdit, History, normalizeNewlines, replaceRange, textOf } from "../core/text.js";

/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("../engine/types.js").Token} Token */
/** @typedef {import("../engine/types.js").Settings} Settings */
/** @typedef {import("../engine/types.js").GenerationEvent} GenerationEvent */
/** @typedef {import("../engine/types.js").GenerationResult} GenerationResult */
/** @typedef {"idle" | "prefill" | "writing" | "stopping"} Phase */

/** Edits closer together than this are undone together. */
const TYPING_PAUSE_MS = 1000;

/**
 * @typedef {object} WriterHooks
 * @property {(settings: Settings & { prompt: string }, onEvent: (event: GenerationEvent) => void) =>
 *   Promise<GenerationResult>} generate
 * @property {() => void} stop
 * @property {(callback: () => void) => void} nextFrame
 * @property {() => void} onChange
 */

export class Writer {
  /** @param {WriterHooks} hooks @param {readonly Run[]} runs */
  constructor(hooks, runs) {
    this.hooks = hooks;
    this.runs = runs;
    /** The text of `joinedRuns`, for it is asked for more often than it changes. */
    this.joined = "";
    /** @type {readonly Run[]} */
    this.joinedRuns = [];
    this.caret = this.text.length;
    /** @type {Phase} */
    this.phase = "idle";
    this.history = new History();
    this.lastEdit = -Infinity;
    this.prefill = { done: 0, total: 0 };
    /** Tokens since the generation began, and before it. */
    this.counted = 0;
    this.promptTokens = 0;
    /** Tokens of the text, with the one that begins every document where the model has one. */
    this.contextUsed = 0;
    this.rate = 0;
    /** Set while the end of the text is what one generation wrote. */
    this.canRetry = false;
    /** @type {Token[]} */
    this.arrived = [];
    /** @type {Promise<GenerationResult | null> | null} */
    this.running = null;
    /** Tokens of an ended or interrupted generation are not appended. */
    this.generation = 0;
  }

  get text() {
    if (this.joinedRuns !== this.runs) {
      this.joined = textOf(this.runs);
      this.joinedRuns = this.runs;
    }
    return this.joined;
  }

  get canUndo() {
    return this.history.past.length > 0;
  }

  /** Whether generating now would replace something. */
  get hasTail() {
    return this.caret < this.text.length && this.text.slice(this.caret).trim() !== "";
  }

  /**
   * The paper was edited. Editing interrupts a generation: two hands on one text would tear it.
   * @param {string} value @param {number} caret @param {number} now in milliseconds
   */
  edit(value, caret, now) {
    const before = this.text;
    const after = normalizeNewlines(value);
    if (after === before) return this.moveCaret(caret);
    // What has arrived and is not on the paper yet was not there when the user typed.
    this.arrived = [];
    this.interrupt();
    const edit = findEdit(before, after, caret);
    if (now - this.lastEdit > TYPING_PAUSE_MS) this.history.push(this.runs, this.caret);
    else this.history.future = [];
    this.lastEdit = now;
    this.runs = replaceRange(this.runs, edit.start, edit.end, edit.inserted);
    this.caret = caret;
    this.canRetry = false;
    this.hooks.onChange();
  }

  /** @param {number} caret */
  moveCaret(caret) {
    if (caret === this.caret) return;
    this.caret = caret;
    this.hooks.onChange();
  }

  /**
   * Continues the text from the caret; what stood after it is replaced, and comes back with undo.
   * @param {Settings} settings
   * @param {{ at: number, run: Run }} [first] what the text goes on with: `run`, which replaces everything from `at` on
   * @returns {Promise<GenerationResult | null>} null where it was interrupted by another change
   */
  async generate(settings, first) {
    this.interrupt();
    const generation = ++this.generation;
    // The worker has one queue: the interrupted generation's answer comes before this one begins.
    await this.running?.catch(() => {});
    if (generation !== this.generation) return null;
    this.history.push(this.runs, this.caret);
    this.lastEdit = -Infinity;
    const at = first?.at ?? this.caret;
    if (at < this.text.length) this.runs = replaceRange(this.runs, at, this.text.length, "");
    if (first) {
      this.runs = [...this.runs, first.run];
      this.caret = this.text.length;
    }
    const before = this.runs;
    this.phase = "prefill";
    this.prefill = { done: 0, total: 0 };
    this.canRetry = false;
    this.hooks.onChange();
    const run = this.hooks.generate({ ...settings, prompt: this.text }, (event) => {
      if (generation === this.generation) this.receive(event);
    });
    this.running = run;
    try {
      const result = await run;
      if (generation !== this.generation) return null;
      this.flush();
      this.canRetry = result.tokens > 0;
      if (result.tokens && result.ms) this.rate = (1000 * result.tokens) / result.ms;
      return result;
    } finally {
      if (generation === this.generation) {
        this.flush();
        // Nothing was written: the text is as before and there is nothing to undo.
        if (this.runs === before && !first) {
          const state = this.history.past.pop();
          if (state) ({ runs: this.runs, caret: this.caret } = state);
        }
        this.phase = "idle";
        this.running = null;
        this.hooks.onChange();
      }
    }
  }

  /** @param {GenerationEvent} event */
  receive(event) {
    if (event.type === "tokens") {
      if (this.phase === "prefill") this.phase = "writing";
      if (!this.arrived.length) this.hooks.nextFrame(() => this.flush());
      this.arrived.push(...event.tokens);
      this.counted += event.tokens.length;
      this.contextUsed = this.promptTokens + this.counted;
      // The first moments say little about the speed.
      if (event.ms > 50) this.rate = (1000 * this.counted) / event.ms;
      return;
    }
    if (event.type === "prefill") this.prefill = { done: event.done, total: event.total };
    else {
      this.promptTokens = event.promptTokens;
      this.contextUsed = event.promptTokens;
      this.counted = 0;
    }
    this.hooks.onChange();
  }

  /** Puts what has arrived on the paper, at most once per frame. */
  flush() {
    if (!this.arrived.length) return;
    const end = this.text.length;
    this.runs = appendTokens(this.runs, this.arrived);
    this.arrived = [];
    if (this.caret === end) this.caret = this.text.length;
    this.hooks.onChange();
  }

  /** Asks the generation to end; what it has written stays. */
  stop() {
    if (this.phase !== "prefill" && this.phase !== "writing") return;
    this.phase = "stopping";
    this.hooks.stop();
    this.hooks.onChange();
  }

  /** Ends the generation here and now: what still arrives is not wanted. */
  interrupt() {
    if (this.phase === "idle") return;
    if (this.phase !== "stopping") this.hooks.stop();
    this.flush();
    this.generation += 1;
    this.phase = "idle";
  }

  /** Puts another text on the paper. @param {readonly Run[]} runs */
  replace(runs) {
    this.interrupt();
    this.history.push(this.runs, this.caret);
    this.restore({ runs, caret: textOf(runs).length });
  }

  /**
   * Puts what was kept on the paper, with its history; `later` takes its place where that is another text, which undo
   * takes back.
   * @param {{ runs: readonly Run[], caret: number, past: History["past"], future: History["future"] }} kept
   * @param {readonly Run[]} [later]
   */
  open({ runs, caret, past, future }, later) {
    Object.assign(this.history, { past, future });
    this.restore({ runs, caret });
    if (later && textOf(later) !== this.text) this.replace(later);
  }

  undo() {
    this.interrupt();
    this.restore(this.history.undo(this.runs, this.caret));
  }

  redo() {
    this.interrupt();
    this.restore(this.history.redo(this.runs, this.caret));
  }

  /** @param {{ runs: readonly Run[], caret: number } | null} state */
  restore(state) {
    if (state) ({ runs: this.runs, caret: this.caret } = state);
    this.lastEdit = -Infinity;
    this.canRetry = false;
    this.hooks.onChange();
  }
}
