import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { piecesOf, unchanged } from "../core/pieces.js";

/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("../core/pieces.js").Marks} Marks */
/** @typedef {import("../core/pieces.js").Piece} Piece */

/** While the model writes, the textarea, which takes long to lay out, follows the layer this often. */
const AREA_EVERY_MS = 250;
/** How near to its end the paper must be scrolled for it to follow the text, in pixels. */
const FOLLOW_PX = 48;

/**
 * The paper: a textarea that the user edits, over a layer of spans that shows the same text, one span per run, or per
 * token
 * where tokens are marked. The layer carries colours (two inks: yours and the model's; tints) and gives every token an
 * element;
 * the textarea keeps caret, selection, input methods and screen readers as the platform makes them. The layer sets the
 * height
 * of both.
 */
export class Paper {
  /**
   * @param {HTMLElement} root
   * @param {{ onEdit: (value: string, caret: number) => void, onCaret: (caret: number) => void, onUndo: () => void,
   *   onRedo: () => void,
   *   onSee: () => void }} options
   */
  constructor(root, { onEdit, onCaret, onUndo, onRedo, onSee }) {
    this.layer = h("div", { class: "paper-layer", "aria-hidden": "true" });
    this.area = h("textarea", {
      class: "paper-area",
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      rows: "1",
      "data-gramm": "false",
      translate: "no",
    });
    this.legendYou = h("span", { class: "ink-user" });
    this.legendModel = h("span", { class: "ink-model" });
    this.legend = h("p", { class: "legend" }, this.legendYou, this.legendModel);
    this.scroller = h("div", { class: "paper-scroll" }, h("div", { class: "paper-stack" }, this.layer, this.area));
    this.see = h("button", { type: "button", class: "quiet see", "aria-controls": "inspector", onclick: onSee });
    this.foot = h("div", { class: "paper-foot" }, this.legend, this.see);
    root.append(h("div", { class: "paper" }, this.scroller, this.foot));
    /** What the layer shows now. @type {readonly Run[]} */
    this.runs = [];
    /** @type {Marks | null} */
    this.marks = null;
    /** @type {Piece[]} */
    this.pieces = [];
    /** One for each piece. @type {HTMLSpanElement[]} */
    this.spans = [];
    // A final line break has no height of its own; the zero-width space stands on the line after it.
    this.layer.append("\u200b");
    // What has arrived must not arrive again when the tab is shown anew.
    this.layer.addEventListener("animationend", (event) =>
      /** @type {Element} */ (event.target).classList.remove("arriving"),
    );

    /** What the textarea is to hold, where that is not yet so. @type {{ text: string, caret: number } | null} */
    this.late = null;
    this.lateTimer = 0;
    // Whoever touches the text finds it as it is.
    for (const type of ["beforeinput", "keydown", "pointerdown", "compositionstart", "focus"])
      this.area.addEventListener(type, () => this.catchUp());
    // It shows all its text, and never scrolls by itself.
    this.area.addEventListener("scroll", () => (this.area.scrollTop = 0), { passive: true });
    this.area.addEventListener("input", () => onEdit(this.area.value, this.area.selectionEnd));
    this.area.addEventListener("beforeinput", (event) => {
      if (event.inputType !== "historyUndo" && event.inputType !== "historyRedo") return;
      event.preventDefault();
      if (event.inputType === "historyUndo") onUndo();
      else onRedo();
    });
    // The browser's own history ends at each generated token, so that undo is the page's.
    this.area.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) onRedo();
      else onUndo();
    });
    document.addEventListener("selectionchange", () => {
      if (document.activeElement !== this.area) return;
      // At the end of what it holds so far, the caret is at the end of the text.
      if (this.late && this.area.selectionEnd === this.area.value.length) return;
      onCaret(this.area.selectionEnd);
    });
    /** Whether the end of the text is in view: it then stays there, whatever grows or shrinks. */
    this.atEnd = true;
    /** How far it was scrolled when that was noted. */
    this.top = 0;
    this.scroller.addEventListener("scroll", () => this.look(this.scroller.scrollTop >= this.top), { passive: true });
    new ResizeObserver(() => this.follow()).observe(this.scroller);
    // A click on the empty part of the sheet belongs to the text.
    this.scroller.addEventListener("mousedown", (event) => {
      if (event.target !== this.scroller) return;
      event.preventDefault();
      this.focusEnd();
    });
  }

  /** Keeps the end in view if it was. */
  follow() {
    if (this.atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.look();
  }

  /**
   * Notes what is out of view, above and below.
   * @param {boolean} [stays] whether it goes on following the end: a sheet that only became smaller was not scrolled
   *   away from it
   */
  look(stays = false) {
    const { scrollTop, scrollHeight, clientHeight, classList } = this.scroller;
    const below = scrollHeight - scrollTop - clientHeight;
    this.atEnd = below < FOLLOW_PX || (stays && this.atEnd);
    this.top = scrollTop;
    classList.toggle("more-above", scrollTop > 8);
    classList.toggle("more-below", below > 8);
  }

  focusEnd() {
    this.catchUp();
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(this.area.value.length, this.area.value.length);
  }

  /**
   * @param {{ runs: readonly Run[], text: string, caret: number, writing: boolean, marks: Marks | null, open: boolean |
   *   null }} data
   *   `text` is that of the runs; `open` says whether the inspector is open, null where there is nothing to see yet
   */
  update({ runs, text, caret, writing, marks, open }) {
    this.area.setAttribute("aria-label", t("paper.label"));
    this.area.placeholder = t("paper.placeholder");
    this.legend.setAttribute("aria-label", t("paper.legend"));
    setText(this.legendYou, t("paper.legend.you"));
    setText(this.legendModel, t("paper.legend.model"));
    setText(this.see, t(open ? "inspect.close" : "inspect.open"));
    this.see.setAttribute("aria-expanded", String(open === true));
    this.see.disabled = open === null;
    this.scroller.classList.toggle("writing", writing);
    if (!writing) this.catchUp();
    const before = this.runs;
    if (runs === before && marks === this.marks) return;

    // The last tokens may come together with the end of the writing.
    const wrote = runs.length > before.length && runs.at(-1)?.source === "model";
    this.drawLayer(piecesOf(runs, marks), writing && wrote);
    this.runs = runs;
    this.marks = marks;
    if (runs === before) return;
    this.legend.hidden = !runs.some((run) => run.source === "model");
    if (writing && wrote) this.writeLater(text, caret);
    else this.writeArea(text, caret);
    if (wrote) this.follow();
    else this.look();
  }

  /**
   * Touches only what differs from what is drawn: a token that arrives costs one span.
   * @param {Piece[]} pieces @param {boolean} animate
   */
  drawLayer(pieces, animate) {
    const { layer, spans } = this;
    const { head, tail } = unchanged(this.pieces, pieces);
    const last = pieces.length - tail;
    const both = Math.min(this.pieces.length - tail, last);
    for (let at = head; at < both; at += 1) {
      const span = spans[at];
      setText(span, pieces[at].text);
      const name = span.classList.contains("arriving") ? `${pieces[at].class} arriving` : pieces[at].class;
      if (span.className !== name) span.className = name;
    }
    for (const span of spans.splice(both, this.pieces.length - tail - both)) span.remove();
    if (last > both) {
      const added = pieces.slice(both, last).map((piece) => h("span", { class: piece.class }, piece.text));
      // Of tokens that come together the last one shows the motion: each moving span is a layer of its own to the
      // browser.
      if (animate) added[added.length - 1].classList.add("arriving");
      layer.insertBefore(fragment(added), spans[both] ?? layer.lastChild);
      spans.splice(both, 0, ...added);
    }
    this.pieces = pieces;
  }

  /**
   * The place in the text of what is drawn at a point of the window, or -1: of the piece there, where it begins.
   * @param {number} x @param {number} y
   */
  offsetAt(x, y) {
    const { spans, pieces } = this;
    const box = this.scroller.getBoundingClientRect();
    if (x < box.left || x > box.right || y < box.top || y > box.bottom) return -1;
    // Pieces follow each other in reading order: the first that ends below or behind the point is the only one to look
    // at closely,
    // but for pieces without text, which have no place.
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const rects = spans[middle].getClientRects();
      const end = rects[rects.length - 1];
      if (!end || end.bottom < y || (end.top <= y && end.right < x)) low = middle + 1;
      else high = middle;
    }
    for (let at = low; at < Math.min(spans.length, low + 3); at += 1) {
      for (const rect of spans[at].getClientRects()) {
        if (x < rect.left || x > rect.right || y < rect.top || y > rect.bottom) continue;
        return pieces.slice(0, at).reduce((sum, piece) => sum + piece.text.length, 0);
      }
    }
    return -1;
  }

  /** Brings the outlined token into view. */
  reveal() {
    this.layer.querySelector(".selected")?.scrollIntoView({ block: "nearest" });
    this.look();
  }

  /** @param {string} text @param {number} caret */
  writeLater(text, caret) {
    this.late = { text, caret };
    this.lateTimer ||= window.setTimeout(() => this.catchUp(), AREA_EVERY_MS);
  }

  catchUp() {
    if (this.late) this.writeArea(this.late.text, this.late.caret);
  }

  /**
   * What was selected stays selected; a caret or a selection that reaches the end goes on reaching it, so that typing
   * over "all" replaces also what arrived meanwhile.
   * @param {string} text @param {number} caret
   */
  writeArea(text, caret) {
    const { area } = this;
    clearTimeout(this.lateTimer);
    this.lateTimer = 0;
    this.late = null;
    const old = area.value;
    if (text === old) return;
    const { selectionStart, selectionEnd } = area;
    if (text.startsWith(old)) {
      area.setRangeText(text.slice(old.length), old.length, old.length, "preserve");
      const end = selectionEnd === old.length ? text.length : selectionEnd;
      area.setSelectionRange(selectionStart === selectionEnd ? end : selectionStart, end);
    } else {
      area.value = text;
      area.setSelectionRange(caret, caret);
    }
  }
}

/** @param {Node[]} nodes */
function fragment(nodes) {
  const all = document.createDocumentFragment();
  all.append(...nodes);
  return all;
}
