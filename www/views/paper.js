import { h, setText } from "../dom.js";
import { t } from "../i18n/index.js";
import { textOf } from "../text.js";

/** @typedef {import("../types.js").Run} Run */

/** How near to its end the paper must be scrolled for it to follow the text, in pixels. */
const FOLLOW_PX = 48;

/**
 * The paper: a textarea that the user edits, over a layer of spans that shows the same text, one span per run. The
 * layer carries colours (two inks: yours and the model's) and gives every token an element; the textarea keeps
 * caret, selection, input methods and screen readers as the platform makes them. The layer sets the height of both.
 */
export class Paper {
  /**
   * @param {HTMLElement} root
   * @param {{ onEdit: (value: string, caret: number) => void, onCaret: (caret: number) => void, onUndo: () => void, onRedo: () => void }} options
   */
  constructor(root, { onEdit, onCaret, onUndo, onRedo }) {
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
    root.append(h("div", { class: "paper" }, this.scroller, this.legend));
    /** What the layer shows now. @type {readonly Run[]} */
    this.runs = [];

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
      if (document.activeElement === this.area) onCaret(this.area.selectionEnd);
    });
    /** Whether the end of the text is in view: it then stays there, whatever grows or shrinks. */
    this.atEnd = true;
    this.scroller.addEventListener("scroll", () => this.look(), { passive: true });
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

  /** Notes what is out of view, above and below. */
  look() {
    const { scrollTop, scrollHeight, clientHeight, classList } = this.scroller;
    const below = scrollHeight - scrollTop - clientHeight;
    this.atEnd = below < FOLLOW_PX;
    classList.toggle("more-above", scrollTop > 8);
    classList.toggle("more-below", below > 8);
  }

  focusEnd() {
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(this.area.value.length, this.area.value.length);
  }

  /** @param {{ runs: readonly Run[], caret: number, writing: boolean }} data */
  update({ runs, caret, writing }) {
    this.area.setAttribute("aria-label", t("paper.label"));
    this.area.placeholder = t("paper.placeholder");
    this.legend.setAttribute("aria-label", t("paper.legend"));
    setText(this.legendYou, t("paper.legend.you"));
    setText(this.legendModel, t("paper.legend.model"));
    this.scroller.classList.toggle("writing", writing);
    if (runs === this.runs) return;

    // The last tokens may come together with the end of the writing.
    const wrote = runs.length > this.runs.length && runs.at(-1)?.source === "model";
    const animate = writing && wrote;
    this.legend.hidden = !runs.some((run) => run.source === "model");
    this.drawLayer(runs, animate);
    this.writeArea(textOf(runs), caret);
    if (wrote) this.follow();
    else this.look();
  }

  /**
   * Runs never change once made, so what is the same object is already drawn.
   * @param {readonly Run[]} runs @param {boolean} animate
   */
  drawLayer(runs, animate) {
    const { layer } = this;
    let same = 0;
    while (same < runs.length && runs[same] === this.runs[same]) same += 1;
    while (layer.childNodes.length > same) layer.lastChild?.remove();
    const added = document.createDocumentFragment();
    for (const run of runs.slice(same)) {
      const span = h("span", { class: run.source === "model" ? "ink-model" : "ink-user" }, run.text);
      if (animate) span.classList.add("arriving");
      added.append(span);
    }
    // A final line break has no height of its own; the zero-width space stands on the line after it.
    added.append("\u200b");
    layer.append(added);
    this.runs = runs;
  }

  /**
   * What was selected stays selected; a caret or a selection that reaches the end goes on reaching it, so that typing
   * over "all" replaces also what arrived meanwhile.
   * @param {string} text @param {number} caret
   */
  writeArea(text, caret) {
    const { area } = this;
    const old = area.value;
    if (text === old) return;
    const { selectionStart, selectionEnd, scrollTop } = area;
    if (text.startsWith(old)) {
      area.setRangeText(text.slice(old.length), old.length, old.length, "preserve");
      const end = selectionEnd === old.length ? text.length : selectionEnd;
      area.setSelectionRange(selectionStart === selectionEnd ? end : selectionStart, end);
    } else {
      area.value = text;
      area.setSelectionRange(caret, caret);
    }
    area.scrollTop = scrollTop;
  }
}
