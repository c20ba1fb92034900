/** Attention over the text itself: where the selected token looks, and which later tokens look at it. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { inks } from "../../canvas.js";
import { inkOn } from "../../color.js";
import { percent, showToken } from "../../label.js";
import { columnStrongest, share, shownColumn, shownRow, strongest, tokenWindow, unit } from "./data.js";
import { blend, curve, nearestInLine } from "./lines_data.js";

/** @typedef {import("./map.js").MapData} MapData */
/** @typedef {{ x: number, y: number, height: number }} Spot */

/** Tokens that are elements at one time. */
const MOST_TOKENS = 320;
/** Lines on each side. */
const MOST_LINES = 20;
/** Weaker than this is neither coloured nor joined by a line. */
const FAINTEST = 0.005;
/** The selected token keeps this far from the edge of what is scrolled. */
const MARGIN = 40;
const SVG = "http://www.w3.org/2000/svg";

export class AttentionLines {
  /** @param {HTMLElement} root @param {{ onSelect: (position: number) => void }} handlers */
  constructor(root, { onSelect }) {
    this.onSelect = onSelect;
    this.text = h("div", { class: "attention-text", role: "listbox", "aria-orientation": "horizontal" });
    this.lines = document.createElementNS(SVG, "svg");
    this.lines.setAttribute("class", "attention-curves");
    this.lines.setAttribute("aria-hidden", "true");
    this.before = h("p", { class: "attention-more" });
    this.after = h("p", { class: "attention-more" });
    this.readout = h("p", { class: "attention-readout" });
    this.paper = h("div", { class: "attention-paper" }, h("div", { class: "attention-stack" }, this.text, this.lines));
    this.root = h("div", { class: "attention-lines" }, this.before, this.paper, this.after, this.readout);
    root.append(this.root);
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("click", (event) => this.pick(this.positionOf(event.target)));
    this.text.addEventListener("pointerover", (event) => this.hover(this.positionOf(event.target)));
    this.text.addEventListener("pointerleave", () => this.hover(null));
    new ResizeObserver(() => this.schedule()).observe(this.text);
    /** @type {MapData | null} */
    this.data = null;
    /** @type {HTMLElement[]} */
    this.spans = [];
    this.window = { from: 0, to: 0 };
    /** What the spans show. @type {string[] | null} */
    this.shown = null;
    /** The token that was last brought into view. @type {number | undefined} */
    this.followed = undefined;
    this.pending = 0;
  }

  /** @param {MapData | null} data */
  update(data) {
    this.data = data;
    this.root.hidden = !data;
    if (!data) {
      this.text.replaceChildren();
      this.lines.replaceChildren();
      [this.spans, this.shown, this.followed] = [[], null, undefined];
      return;
    }
    const { matrix, texts, selected } = data;
    this.text.setAttribute("aria-label", t("attention.text"));
    const { from, to } = this.windowFor(matrix.size, selected);
    if (this.shown !== texts || this.window.from !== from || this.window.to !== to) this.build(texts, from, to);
    setText(this.before, from ? t("attention.before", { count: from }) : "");
    setText(this.after, to < matrix.size ? t("attention.after", { count: matrix.size - to }) : "");
    this.colour();
    this.hover(null);
    this.schedule();
  }

  /**
   * The window stays where it is as long as the token is well inside it.
   * @param {number} count
   * @param {number} selected
   */
  windowFor(count, selected) {
    const { from, to } = this.window;
    const stays = this.shown === this.data?.texts && to <= count && selected >= from && selected < to;
    return stays ? this.window : tokenWindow(count, selected, MOST_TOKENS);
  }

  /** @param {string[]} texts @param {number} from @param {number} to */
  build(texts, from, to) {
    const focused = this.text.contains(document.activeElement);
    this.shown = texts;
    this.window = { from, to };
    this.spans = [];
    const nodes = [];
    for (let at = from; at < to; at += 1) {
      const word = texts[at].replace(/^ (?=\S)/, "");
      // The space before a word is outside of its element, which therefore never begins at the end of the line before.
      if (word !== texts[at]) nodes.push(" ");
      const span = h(
        "span",
        { role: "option", tabindex: "-1", "data-at": at },
        /^[^\s\p{C}\p{M}�]+$/u.test(word) ? word : showToken(word),
      );
      // What only opens the document is none of the text's words.
      if (/^<\|.*\|>$/.test(texts[at])) span.className = "special";
      this.spans.push(span);
      nodes.push(span);
      if (texts[at].includes("\n")) nodes.push(h("br"));
    }
    this.text.replaceChildren(...nodes);
    this.followed = undefined;
    if (focused) this.span(this.data?.selected ?? from)?.focus();
  }

  /** @param {number} position @returns {HTMLElement | undefined} */
  span(position) {
    return this.spans[position - this.window.from];
  }

  colour() {
    const { data } = this;
    if (!data) return;
    const { matrix, texts, selected, look } = data;
    const row = shownRow(matrix, selected, look.ignoreFirst);
    const column = shownColumn(matrix, selected, look.ignoreFirst);
    const { sheet } = inks();
    this.spans.forEach((span, index) => {
      const at = index + this.window.from;
      const value = at <= selected ? row[at] : column[at - selected];
      const rgb = value >= FAINTEST ? blend(unit(value, look.scale), sheet) : null;
      span.style.backgroundColor = rgb ? `rgb(${rgb.join(" ")})` : "";
      span.style.color = rgb ? inkOn(rgb) : "";
      const chosen = at === selected;
      span.classList.toggle("selected", chosen);
      span.setAttribute("aria-selected", String(chosen));
      span.tabIndex = chosen ? 0 : -1;
      // Only the selected token is ever focused: what it has to do with the others is in the lists.
      if (chosen) span.setAttribute("aria-label", `${showToken(texts[at] ?? "")}, ${this.say(at)}`);
      else span.removeAttribute("aria-label");
    });
  }

  /** What a token has to do with the selected one. @param {number} at */
  say(at) {
    const { data } = this;
    if (!data) return "";
    const { matrix, texts, selected, look } = data;
    const [one, other] = [showToken(texts[selected] ?? ""), showToken(texts[at] ?? "")];
    if (at === selected)
      return t("attention.self", { token: one, share: percent(share(matrix, at, at, look.ignoreFirst)) });
    const [query, key] = at < selected ? [selected, at] : [at, selected];
    return t("attention.cell", {
      query: at < selected ? one : other,
      key: at < selected ? other : one,
      row: query,
      column: key,
      share: percent(share(matrix, query, key, look.ignoreFirst)),
    });
  }

  /** @param {EventTarget | null} target @returns {number | null} */
  positionOf(target) {
    const at = target instanceof HTMLElement ? target.dataset.at : undefined;
    return at === undefined ? null : Number(at);
  }

  /** @param {number | null} at */
  hover(at) {
    if (this.data) setText(this.readout, this.say(at ?? this.data.selected));
  }

  /** @param {number | null} position */
  pick(position) {
    if (position === null || !this.data) return;
    const last = this.data.matrix.size - 1;
    const at = Math.min(last, Math.max(0, position));
    this.onSelect(at);
    // The focus follows at once where it can; `build` takes care of a token that is out of the window.
    this.span(at)?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
    const at = this.positionOf(event.target) ?? this.data.selected;
    const target = this.keyTarget(event.key, at);
    if (target === null) return;
    event.preventDefault();
    this.pick(target);
  }

  /** @param {string} key @param {number} at @returns {number | null} */
  keyTarget(key, at) {
    switch (key) {
      case "ArrowLeft":
        return at - 1;
      case "ArrowRight":
        return at + 1;
      case "Home":
        return 0;
      case "End":
        return (this.data?.matrix.size ?? 1) - 1;
      case "ArrowUp":
      case "ArrowDown": {
        const corner = this.text.getBoundingClientRect();
        const found = nearestInLine(
          this.spans.map((span) => spotOf(span, corner)),
          at - this.window.from,
          key === "ArrowUp" ? -1 : 1,
        );
        return found === null ? null : found + this.window.from;
      }
      case "Enter":
      case " ":
        return at;
      default:
        return null;
    }
  }

  schedule() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  /** Draws the curves; reads the layout of no more tokens than have one. */
  draw() {
    const { data } = this;
    if (!data || !this.text.clientWidth) return;
    const { matrix, selected, look } = data;
    const row = shownRow(matrix, selected, look.ignoreFirst);
    // A token's look at itself has no line.
    row[selected] = 0;
    const ends = [];
    for (const { position, value } of strongest(row, MOST_LINES)) ends.push({ position, value, kind: "to" });
    for (const { position, value } of columnStrongest(matrix, selected, MOST_LINES, look.ignoreFirst))
      ends.push({ position, value, kind: "from" });
    const corner = this.text.getBoundingClientRect();
    const spot = (/** @type {number} */ position) => {
      const span = this.span(position);
      return span ? spotOf(span, corner) : null;
    };
    const focus = spot(selected);
    const paths = [];
    for (const { position, value, kind } of focus ? ends : []) {
      const end = value >= FAINTEST ? spot(position) : null;
      if (!end || !focus) continue;
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", curve(focus, end));
      path.setAttribute("class", kind);
      const strength = unit(value, look.scale);
      path.style.strokeWidth = `${0.75 + 3 * strength}px`;
      path.style.strokeOpacity = String(0.2 + 0.75 * strength);
      paths.push(path);
    }
    this.lines.replaceChildren(...paths.reverse());
    if (focus) this.follow(focus);
  }

  /**
   * Scrolls the text, and nothing else, so that a new selected token is seen with what it looks at.
   * @param {Spot} spot
   */
  follow({ y, height }) {
    const { paper, data } = this;
    if (this.followed === data?.selected) return;
    this.followed = data?.selected;
    const room = paper.clientHeight;
    if (y - MARGIN < paper.scrollTop || y + height + MARGIN > paper.scrollTop + room) paper.scrollTop = y - room * 0.6;
  }
}

/**
 * Where a token stands, or its widest part where a long one is broken over two lines.
 * @param {Element} span @param {DOMRect} corner
 * @returns {Spot}
 */
function spotOf(span, corner) {
  const widest = [...span.getClientRects()].reduce(
    (best, box) => (box.width > best.width ? box : best),
    new DOMRect(corner.left, corner.top),
  );
  return { x: widest.left + widest.width / 2 - corner.left, y: widest.top - corner.top, height: widest.height };
}
