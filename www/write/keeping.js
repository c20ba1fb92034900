/** The text with its history over a reload: taken up when the page opens, kept whenever it changes. */
import { textOf } from "../core/text.js";
import { packText, unpackText } from "./text_record.js";

const NAME = "write";

export class TextKeeping {
  /** @param {import("../core/kept.js").Kept} kept what this tab kept @param {import("./writer.js").Writer} writer */
  constructor(kept, writer) {
    this.kept = kept;
    this.writer = writer;
    /**
     * The runs and the number of steps back and forth that are kept; null until they are read.
     * @type {unknown[] | null}
     */
    this.known = null;
  }

  /**
   * Puts on the paper what this tab kept, or a closed one, or a link brought; whatever gives way comes back with undo.
   * @param {readonly import("../engine/types.js").Run[] | undefined} shared the text that a link brought
   * @returns {{ damaged: boolean, back: boolean }} whether a part of what was kept could not be read, and whether a
   *   closed tab's text came back
   */
  open(shared) {
    const { kept, writer } = this;
    const found = kept.found.get(NAME);
    const text = found === undefined ? null : unpackText(found);
    const late = unpackText(kept.late.get(NAME));
    if (text) {
      // A new tab's own text is one step back.
      const past = kept.taken ? [...text.past, { runs: writer.runs, caret: writer.caret }] : text.past;
      writer.open({ ...text, past }, late?.runs);
    } else if (late) writer.open(late);
    this.known = [writer.runs, text?.past.length ?? 0, text?.future.length ?? 0];
    const brought = shared && textOf(shared);
    if (shared && brought !== undefined && brought !== writer.text) {
      // What nobody wrote needs no way back.
      if (text || late) writer.replace(shared);
      else writer.open({ runs: shared, caret: brought.length, past: [], future: [] });
    }
    if (late) this.keep(true);
    this.keep();
    const damaged = (found !== undefined && !text) || (text?.damaged ?? false);
    return { damaged, back: kept.taken !== null && Boolean(text?.runs.length) };
  }

  /** Keeps the text, where it has changed. @param {boolean} [anyway] */
  keep(anyway = false) {
    const { kept, known, writer } = this;
    const { runs, history } = writer;
    const now = [runs, history.past.length, history.future.length];
    if (!known || (!anyway && now.every((one, at) => one === known[at]))) return;
    this.known = now;
    kept.keep(NAME, (brief) => packText(writer, brief ? { past: [], future: [] } : writer.history));
  }
}
