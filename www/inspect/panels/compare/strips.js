/** Both models on every token, on canvas: an overview of the whole text, and the lines around the selected token. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { sheet } from "../../picture.js";
import { drawLegend, inksOf, layTokens, pageOf, tokenAt, tokenBeside } from "../../token_strip.js";
import { drawLine, drawOverview, LINE_HEIGHT, SHAPE } from "./draw.js";

/** @typedef {import("./draw.js").Strips} Strips */
/**
 * @typedef {Omit<Strips, "places" | "lines"> & { breaks: boolean[], selected: number, name: string,
 *   readout: (position: number) => string }} StripsData
 */

const OVERVIEW_HEIGHT = 56;
const PAGE_LINES = 4;
/** A line's selection frame reaches above it. */
const TOP = 4;

export class CompareStrips {
  /** @param {Element} root @param {{ onSelect: (position: number) => void }} handlers */
  constructor(root, { onSelect }) {
    this.onSelect = onSelect;
    this.overviewTitle = h("h3");
    this.overview = h("canvas", {
      class: "compare-overview",
      "aria-hidden": "true",
      onpointerdown: (/** @type {PointerEvent} */ event) => this.drag(event),
      onpointermove: (/** @type {PointerEvent} */ event) => event.buttons && this.drag(event),
    });
    this.title = h("h3");
    this.page = h("span", { class: "compare-quiet" });
    this.before = h("button", { type: "button", class: "quiet", onclick: () => this.turn(-1) }, "◀");
    this.after = h("button", { type: "button", class: "quiet", onclick: () => this.turn(1) }, "▶");
    this.pages = h("span", { class: "compare-pages" }, this.page, this.before, this.after);
    this.canvas = h("canvas", {
      class: "compare-strips",
      tabindex: "0",
      role: "slider",
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
      onclick: (/** @type {MouseEvent} */ event) => this.click(event),
      onpointermove: (/** @type {PointerEvent} */ event) => this.hover(event),
      onpointerleave: () => this.read(-1),
    });
    this.readout = h("p", { class: "compare-readout", "aria-hidden": "true" });
    this.root = h(
      "div",
      { class: "compare-tokens" },
      this.overviewTitle,
      this.overview,
      h("div", { class: "compare-row" }, this.title, this.pages),
      this.canvas,
      this.readout,
    );
    root.append(this.root);
    this.observer = new ResizeObserver(() => this.draw());
    /** @type {StripsData | null} */
    this.data = null;
    /**
     * @type {{ room: number, labels: string[], places: import("../../token_strip.js").Place[], lines: [number,
     *   number][] } | null}
     */
    this.layout = null;
    this.shown = /** @type {[number, number]} */ ([0, 0]);
  }

  /** @param {StripsData} data */
  update(data) {
    this.data = data;
    this.observer.observe(this.root);
    setText(this.overviewTitle, t("compare.overview"));
    setText(this.title, t("compare.strips"));
    this.before.setAttribute("aria-label", t("compare.page.before"));
    this.after.setAttribute("aria-label", t("compare.page.after"));
    const { canvas } = this;
    canvas.setAttribute("aria-label", t("compare.strips.label"));
    canvas.setAttribute("aria-valuemin", "0");
    canvas.setAttribute("aria-valuemax", String(data.pairs.length - 1));
    canvas.setAttribute("aria-valuenow", String(data.selected));
    canvas.setAttribute("aria-valuetext", data.readout(data.selected));
    this.draw();
  }

  close() {
    this.observer.disconnect();
  }

  /** Lines for this width. @param {StripsData} data @param {number} room */
  place(data, room) {
    if (this.layout?.room === room && this.layout.labels === data.labels) return this.layout;
    this.layout = { room, labels: data.labels, ...layTokens(data.labels, data.breaks, room - SHAPE.gutter) };
    return this.layout;
  }

  draw() {
    const { data } = this;
    const room = Math.floor(this.root.clientWidth);
    if (!data || room < 100) return;
    const { places, lines } = this.place(data, room);
    const { selected } = data;
    this.shown = pageOf(places[selected]?.line ?? 0, lines.length, PAGE_LINES);
    const [from, to] = this.shown;
    const inks = inksOf(this.root);
    const overview = context(this.overview, room, OVERVIEW_HEIGHT);
    drawOverview(overview, data.pairs, room, OVERVIEW_HEIGHT, data.gainScale, inks, selected);
    const g = context(this.canvas, room, TOP + (to - from) * LINE_HEIGHT - SHAPE.between + TOP);
    for (let line = from; line < to; line += 1)
      drawLine(g, { ...data, places, lines }, line, TOP + (line - from) * LINE_HEIGHT, inks, selected);
    this.pages.hidden = lines.length <= PAGE_LINES;
    setText(this.page, t("compare.page", { from: n(from + 1), to: n(to), all: n(lines.length) }));
    this.before.disabled = from === 0;
    this.after.disabled = to === lines.length;
    this.read(-1);
  }

  /** Says what is known of a token; of the selected one for -1. @param {number} position */
  read(position) {
    if (this.data) setText(this.readout, this.data.readout(position < 0 ? this.data.selected : position));
  }

  /** @param {MouseEvent} event */
  at(event) {
    const { layout } = this;
    if (!layout) return -1;
    const box = this.canvas.getBoundingClientRect();
    const line = this.shown[0] + Math.floor((event.clientY - box.top - TOP) / LINE_HEIGHT);
    return line < this.shown[1]
      ? tokenAt(layout.places, layout.lines, line, event.clientX - box.left - SHAPE.gutter)
      : -1;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const position = this.at(event);
    if (position >= 0) this.onSelect(position);
  }

  /** @param {PointerEvent} event */
  hover(event) {
    if (event.pointerType === "mouse") this.read(this.at(event));
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const box = this.overview.getBoundingClientRect();
    const count = this.data?.pairs.length ?? 0;
    const position = Math.floor(((event.clientX - box.left) / box.width) * count);
    this.select(position);
  }

  /** Turns the page: selects the first token on the next. @param {number} by */
  turn(by) {
    const { layout } = this;
    if (!layout) return;
    const line = Math.min(layout.lines.length - 1, Math.max(0, by > 0 ? this.shown[1] : this.shown[0] - PAGE_LINES));
    this.select(layout.lines[line][0]);
  }

  /** @param {number} position */
  select(position) {
    const inside = Math.min((this.data?.pairs.length ?? 1) - 1, Math.max(0, position));
    if (inside !== this.data?.selected) this.onSelect(inside);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { data, layout } = this;
    if (!data || !layout || event.ctrlKey || event.metaKey || event.altKey) return;
    const { selected } = data;
    const beside = (/** @type {number} */ by) => tokenBeside(layout.places, layout.lines, selected, by);
    /** @type {Record<string, () => number>} */
    const keys = {
      ArrowRight: () => selected + 1,
      ArrowLeft: () => selected - 1,
      ArrowDown: () => beside(1),
      ArrowUp: () => beside(-1),
      Home: () => 0,
      End: () => data.pairs.length - 1,
      PageDown: () => beside(PAGE_LINES),
      PageUp: () => beside(-PAGE_LINES),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    this.select(keys[event.key]());
  }

  /** All lines with a title, to be saved. @param {string} title @param {{ kind: string, text: string }[]} legend */
  picture(title, legend) {
    const data = /** @type {StripsData} */ (this.data);
    const [room, margin, head] = [900, 24, 64];
    const kept = this.layout;
    const { places, lines } = this.place(data, room);
    this.layout = kept;
    const width = room + 2 * margin;
    const height = head + lines.length * LINE_HEIGHT + 20 + margin;
    const inks = inksOf(this.root);
    const { canvas, pen: g } = sheet(width, height, inks.ground);
    g.fillStyle = inks.ink;
    g.font = "600 18px system-ui, sans-serif";
    g.fillText(title, margin, 40, room);
    g.translate(margin, head);
    lines.forEach((_, line) => drawLine(g, { ...data, places, lines }, line, line * LINE_HEIGHT, inks, -1));
    drawLegend(g, legend, lines.length * LINE_HEIGHT + 10, room, inks);
    return canvas;
  }
}

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height in CSS pixels */
function context(canvas, width, height) {
  const density = Math.min(3, devicePixelRatio || 1);
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  canvas.style.height = `${height}px`;
  const g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  g.scale(density, density);
  return g;
}
