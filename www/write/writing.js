/** Writing with the open model: what is said of it, and how many tokens the text has. */
import { EngineError, isAbort, isFatal } from "../core/errors.js";
import { n, t } from "../core/i18n/index.js";
import { errorMessage } from "../core/message.js";
import { userText } from "../core/text.js";

/** @typedef {import("../core/message.js").MessageView} MessageView */

/** The message that the model no longer sees the text's beginning. */
const SLID = "message.contextSlid";
const COUNT_AFTER_MS = 400;
/** Tokens a second from which on what is written is drawn less often. */
const QUICK_RATE = 100;
const QUICK_WAIT_MS = 40;

/**
 * Calls back when what is written is to be drawn.
 * @param {() => void} callback @param {boolean} busy whether drawing takes the model's time @param {number} rate in
 *   tokens per second
 */
export function nextFrame(callback, busy, rate) {
  // A hidden page draws no frames, but its text must go on.
  if (document.hidden) setTimeout(callback, 100);
  // Where tokens come faster than eyes can follow, drawing each frame with the inspector open would only slow the model.
  else if (busy && rate > QUICK_RATE) {
    setTimeout(() => (document.hidden ? callback() : requestAnimationFrame(callback)), QUICK_WAIT_MS);
  } else requestAnimationFrame(callback);
}

export class Writing {
  /**
   * @param {object} parts
   * @param {import("../core/state.js").Store<import("../engine/types.js").State>} parts.store
   * @param {import("../engine/client.js").Engine} parts.engine
   * @param {import("./writer.js").Writer} parts.writer
   * @param {MessageView} parts.message what is said beside the paper
   * @param {MessageView} parts.notice what is said on every tab
   * @param {(text: string) => void} parts.say tells those who hear the page
   */
  constructor({ store, engine, writer, message, notice, say }) {
    this.store = store;
    this.engine = engine;
    this.writer = writer;
    this.message = message;
    this.notice = notice;
    this.say = say;
    this.countTimer = 0;
    /** The text whose tokens are counted. */
    this.counted = "";
  }

  /**
   * @param {{ at: number, run: import("../engine/types.js").Run } | undefined} first what the text goes on with, see
   *   Writer.generate
   * @param {() => void} onBegin called before it writes
   */
  async generate(first, onBegin) {
    const { message, notice, writer } = this;
    const { info, settings } = this.store.state;
    const { phase } = writer;
    if (!info || (!first && (phase === "writing" || phase === "prefill"))) return;
    message.clear();
    // That the engine was started again is past; what one can do about something is not.
    if (!notice.message?.actions?.length) notice.clear();
    const replaced = !first && writer.hasTail;
    this.say(t("live.writing"));
    try {
      onBegin();
      const result = await writer.generate(settings, first);
      if (!result) return;
      const [one, more] =
        result.finished === "stopped" ? ["live.stopped.one", "live.stopped"] : ["live.done.one", "live.done"];
      this.say(t(result.tokens === 1 ? one : more, { tokens: n(result.tokens) }));
      if (result.promptTokens + result.tokens > info.nCtx) {
        message.show({ kind: "info", lines: [[SLID, { total: n(info.nCtx) }]] });
      } else if (replaced) message.show({ kind: "info", lines: [["message.tailReplaced"]], actions: [this.undo] });
    } catch (error) {
      // A fatal error ends the worker, and the opener speaks of it.
      if (isAbort(error) || isFatal(error)) return;
      message.show(errorMessage([["message.generateFailed"], ["message.textSafe"]], error));
    }
  }

  /** A message's button. */
  get undo() {
    return { key: "action.undo", run: () => this.writer.undo() };
  }

  /** Another model is in use. */
  opened() {
    const { writer } = this;
    writer.interrupt();
    // They were the speed and the context of the model before.
    writer.rate = 0;
    this.contextFits();
    this.counted = "";
  }

  /** The text is no longer longer than the model's context. */
  contextFits() {
    if (this.message.message?.lines[0][0] === SLID) this.message.clear();
  }

  /** Puts `prompt` on the paper where the open model's tokenizer cannot take what stands there. @param {string} prompt */
  async fit(prompt) {
    const { writer } = this;
    const { text } = writer;
    try {
      await this.engine.tokenize(text);
    } catch (error) {
      if (isAbort(error) || !(error instanceof EngineError) || error.fatal || writer.text !== text) return;
      writer.replace(userText(prompt));
      this.message.show({ kind: "info", lines: [["message.otherLetters"]], actions: [this.undo] });
    }
  }

  /** Counts the text's tokens in a while. */
  countSoon() {
    clearTimeout(this.countTimer);
    this.countTimer = window.setTimeout(() => this.count(), COUNT_AFTER_MS);
  }

  /** Counts the text's tokens for the status line. */
  count() {
    const { writer, engine, store } = this;
    const { text } = writer;
    if (!store.state.info || writer.phase !== "idle" || text === this.counted) return;
    this.counted = text;
    engine.inspect({ what: "tokens", text }).then(
      ({ ids }) => {
        if (writer.phase !== "idle" || writer.text !== text) return;
        writer.contextUsed = ids.length;
        const { info } = store.state;
        if (info && ids.length <= info.nCtx) this.contextFits();
        store.set({});
      },
      // Generating from the same text tells the user what is wrong with it.
      () => {},
    );
  }
}
