/** Ties the paper to the selection: clicks, the caret, keys and the pointer. */
import { t } from "../core/i18n/index.js";
import { percent, showToken } from "./label.js";
import { Tip } from "./tip.js";
import { figuresOf } from "./tokens_data.js";

/** @typedef {import("./context.js").Context} Context */

export class PaperTies {
  /** @param {import("../app.js").App} app @param {Context} context */
  constructor(app, context) {
    this.app = app;
    this.context = context;
    this.tip = new Tip();
    this.on = false;
    this.caret = app.writer.caret;
    this.runs = app.writer.runs;
    /** The selected token is to be brought into view. */
    this.reveal = false;
    /** Where the pointer rests. @type {{ x: number, y: number } | null} */
    this.point = null;
    this.frame = 0;
    const { area, scroller } = app.page.paper;
    area.addEventListener("click", (event) => this.click(event));
    /** A finger touched the text last, no mouse. */
    this.touched = false;
    area.addEventListener("pointerdown", (event) => (this.touched = event.pointerType === "touch"), { passive: true });
    area.addEventListener("mousedown", (event) => this.press(event));
    area.addEventListener("keydown", (event) => this.key(event));
    // A finger does not hover.
    const over = (/** @type {PointerEvent} */ event) =>
      this.hover(event.pointerType === "mouse" ? { x: event.clientX, y: event.clientY } : null);
    area.addEventListener("pointermove", over, { passive: true });
    area.addEventListener("pointerleave", () => this.hover(null), { passive: true });
    scroller.addEventListener("scroll", () => this.hover(null), { passive: true });
  }

  get keeper() {
    return this.context.keeper;
  }

  /** Whether the tokens on the paper are those of its text. */
  get fits() {
    return this.on && this.keeper.trail.text === this.app.writer.text;
  }

  /** @param {boolean} on whether the inspector is seen */
  update(on) {
    this.on = on;
    const { writer, state, page } = this.app;
    const edited = writer.runs !== this.runs;
    const moved = writer.caret !== this.caret;
    this.runs = writer.runs;
    this.caret = writer.caret;
    if (!on) return this.hover(null);
    const { token } = state.view;
    if (token !== null && writer.phase === "idle" && (edited || moved)) {
      // The token that was clicked stays selected while the caret is at it; anywhere else, the selection follows the
      // caret.
      const { trail, offset } = this.keeper;
      if (edited || token + offset >= trail.length || !trail.touches(token + offset, writer.caret))
        this.context.setView({ token: null });
    }
    if (edited) this.hover(null);
    if (!this.reveal) return;
    this.reveal = false;
    page.paper.reveal();
  }

  /** The text was changed together with the selection: they belong together. */
  settle() {
    this.runs = this.app.writer.runs;
    this.caret = this.app.writer.caret;
  }

  /** @param {number} x @param {number} y the token drawn there, or -1 */
  tokenAt(x, y) {
    const place = this.fits ? this.app.page.paper.offsetAt(x, y) : -1;
    return place < 0 ? -1 : this.keeper.trail.after(place);
  }

  /**
   * A tap on a word selects its token: the text field, whose focus would pull up the keyboard, is for a second tap on the
   * same word, or beside the words.
   * @param {MouseEvent} event
   */
  press(event) {
    if (!this.touched || document.activeElement === this.app.page.paper.area) return;
    const token = this.tokenAt(event.clientX, event.clientY);
    const { view } = this.app.state;
    if (token >= 0 && token !== this.keeper.selected(view.token, this.app.writer.caret)) event.preventDefault();
  }

  /** @param {MouseEvent} event */
  click(event) {
    const { selectionStart, selectionEnd } = this.app.page.paper.area;
    const token = selectionStart === selectionEnd ? this.tokenAt(event.clientX, event.clientY) : -1;
    if (token < 0) return;
    if (token < this.keeper.offset) return this.choose(token);
    // The caret has moved already, or will in a moment; either way it is at the token.
    this.caret = selectionEnd;
    this.context.setView({ token: token - this.keeper.offset });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    this.hover(null);
    if (!this.on || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // By place: with Alt, a Mac makes other characters of them. Alt with the arrows is a Mac's way from word to word,
    // and leads through the browser's history elsewhere.
    const by = { Comma: -1, Period: 1 }[event.code];
    if (!by) return;
    event.preventDefault();
    this.step(by);
  }

  /** Selects a token by its position in the whole text. @param {number} at */
  choose(at) {
    const { trail, offset } = this.keeper;
    this.reveal = true;
    if (at >= offset) return this.context.setView({ token: at - offset });
    // What stands before the last window is selected by the caret.
    this.context.setView({ token: null });
    this.app.writer.moveCaret(trail.ends[at]);
  }

  /** Selects the token before or after. @param {number} by */
  step(by) {
    const { subject } = this.context;
    if (!subject) return;
    const { position, count } = this.context.card();
    this.choose(Math.min(count - 1, Math.max(0, position + by)));
    if (!this.context.subject) return;
    const { text, logprob } = this.context.card();
    this.app.page.status.say(t("inspect.live", { token: showToken(text), probability: percent(Math.exp(logprob)) }));
  }

  /** @param {{ x: number, y: number } | null} point */
  hover(point) {
    this.point = point;
    if (!point) return this.tip.hide();
    if (this.frame || !this.on) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.point) this.showTip(this.point);
    });
  }

  /** @param {{ x: number, y: number }} point */
  showTip({ x, y }) {
    const token = this.tokenAt(x, y);
    if (token < 0 || this.app.writer.phase !== "idle") return this.tip.hide();
    const { trail } = this.keeper;
    this.tip.show(
      { left: x, top: y - 12, bottom: y + 16 },
      { ...figuresOf(trail, token), alternatives: trail.alternatives(token - 1) },
    );
  }
}
