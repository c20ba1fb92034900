/** One head's attention as a map: a row a query, a column a key, a pixel a cell, to zoom and to move in. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { CellCursor, inks, pictureOf, putPixels, sharp } from "../../canvas.js";
import { percent, showToken } from "../../label.js";
import { rowStrongest, share } from "./data.js";
import { drawLegend, drawMap, LEFT, TOP } from "./draw.js";
import { paintAll, paintRows } from "./paint.js";
import { MapPointer } from "./pointer.js";
import { cellAt, clampZoom, fit, isFit, isLargest, mapSide, pan, reveal, zoomAt } from "./zoom.js";

/** @typedef {import("./data.js").Matrix} Matrix */
/** @typedef {import("./data.js").Look} Look */
/** @typedef {{ matrix: Matrix, texts: string[], selected: number, look: Look, title: string }} MapData */

const ZOOM_STEP = 1.5;
/** Above this a map would be taller than most windows. */
const TALLEST = 560;
/** What stands above and below the map: title, labels, readout, scale. */
const AROUND = 240;
/** A low window has to be scrolled rather. */
const LEAST = 220;
/** Saved pictures have squares of about this many pixels. */
const SAVED_SIDE = 1600;
const SAVED_LARGEST_CELL = 28;
/** What stays free around them. */
const SAVED_EDGE = 16;

export class AttentionMap {
  /** @param {HTMLElement} root @param {{ onSelect: (position: number) => void }} handlers */
  constructor(root, { onSelect }) {
    this.onSelect = onSelect;
    this.canvas = h("canvas", { class: "attention-picture", "aria-hidden": "true" });
    this.cursor = new CellCursor("attention-map", {
      onMove: (row, column) => this.moveTo(row, column),
      onChoose: (row) => onSelect(row),
      onKey: (event) => this.key(event),
      onFocus: () => this.schedule(),
    });
    this.stack = h("div", { class: "attention-stack" }, this.canvas, this.cursor.root);
    this.readout = h("p", { class: "attention-readout" });
    const zoomButton = (/** @type {string} */ text, /** @type {() => void} */ onclick) =>
      h("button", { type: "button", class: "quiet", onclick }, text);
    this.closer = zoomButton("+", () => this.zoomBy(ZOOM_STEP));
    this.farther = zoomButton("−", () => this.zoomBy(1 / ZOOM_STEP));
    this.whole = zoomButton("", () => this.setZoom(null));
    this.buttons = h("div", { class: "attention-zoom", role: "group" }, this.farther, this.closer, this.whole);
    this.root = h(
      "div",
      { class: "attention-map" },
      this.stack,
      h("div", { class: "attention-under" }, this.readout, this.buttons),
    );
    root.append(this.root);
    this.pointer = new MapPointer(this.cursor.root, {
      onHover: (x, y) => this.hover(x, y),
      onTap: (x, y) => this.tap(x, y),
      onPan: (dx, dy) => this.setZoom(pan(this.zoomNow(), dx, dy, this.frame)),
      onZoom: (factor, x, y) => this.setZoom(zoomAt(this.zoomNow(), factor, x - LEFT, y - TOP, this.frame)),
      canZoom: (factor) => (factor > 1 ? !isLargest(this.zoomNow(), this.frame) : !isFit(this.zoomNow(), this.frame)),
    });
    new ResizeObserver(() => this.schedule()).observe(this.root);
    /** @type {MapData | null} */
    this.data = null;
    /** One pixel a cell. */
    this.picture = h("canvas");
    this.painting = 0;
    this.painted = /** @type {{ matrix: Matrix, look: string } | null} */ (null);
    this.at = { row: 0, column: 0 };
    /** null: the whole map. @type {import("./zoom.js").Zoom | null} */
    this.zoom = null;
    /** @type {import("./zoom.js").Frame} */
    this.frame = { size: 1, side: 1 };
    /** @type {{ row: number, column: number } | null} */
    this.hovered = null;
    this.pending = 0;
  }

  /** @param {MapData | null} data */
  update(data) {
    const before = this.data;
    this.data = data;
    this.root.hidden = !data;
    if (!data) return this.clear();
    const { matrix, selected, look } = data;
    if (before?.matrix.size !== matrix.size) this.hovered = null;
    if (
      !before ||
      before.matrix !== matrix ||
      before.selected !== selected ||
      before.look.ignoreFirst !== look.ignoreFirst
    ) {
      this.at = { row: selected, column: rowStrongest(matrix, selected, 1, look.ignoreFirst)[0]?.position ?? 0 };
      if (this.zoom && before?.selected !== selected)
        this.zoom = reveal(this.zoom, this.at.row, this.at.column, this.frame);
    }
    this.words();
    void this.paint(data);
    this.schedule();
  }

  words() {
    this.buttons.setAttribute("aria-label", t("attention.zoom"));
    this.closer.setAttribute("aria-label", t("attention.zoom.in"));
    this.farther.setAttribute("aria-label", t("attention.zoom.out"));
    setText(this.whole, t("attention.zoom.fit"));
  }

  /** Lets go of what is large. */
  clear() {
    this.painting += 1;
    this.painted = null;
    this.picture.width = this.picture.height = 0;
    cancelAnimationFrame(this.pending);
    this.pending = 0;
  }

  /** @param {MapData} data */
  async paint({ matrix, look }) {
    const name = `${look.scale} ${look.ignoreFirst}`;
    if (this.painted?.matrix === matrix && this.painted.look === name) return;
    this.painted = { matrix, look: name };
    this.painting += 1;
    const mine = this.painting;
    const { size } = matrix;
    const pixels = new Uint32Array(size * size);
    const done = await paintAll(pixels, matrix, look, {
      pause: () => new Promise((resolve) => setTimeout(resolve)),
      now: () => performance.now(),
      stopped: () => mine !== this.painting,
    });
    if (!done) return;
    if (this.picture.width !== size || this.picture.height !== size)
      [this.picture.width, this.picture.height] = [size, size];
    putPixels(this.picture, pixels, 0, size);
    this.schedule();
  }

  schedule() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    const { data } = this;
    const room = this.root.clientWidth;
    if (!data || !room || this.picture.width !== data.matrix.size) return;
    // The whole picture, with its title and scale, is to be seen at once.
    const tall = (this.root.closest(".inspect-scroll")?.clientHeight ?? Number.POSITIVE_INFINITY) - AROUND;
    const side = mapSide(Math.min(room - LEFT - 4, TALLEST, Math.max(LEAST, tall)), data.matrix.size);
    this.frame = { size: data.matrix.size, side };
    const zoom = this.zoomNow();
    const [width, height] = [LEFT + side + 4, TOP + side + 4];
    this.stack.style.width = `${width}px`;
    this.stack.style.height = `${height}px`;
    const context = sharp(this.canvas, width, height);
    const focused = document.activeElement === this.cursor.root;
    const cursor = this.hovered ?? (focused ? this.at : null);
    drawMap(context, {
      picture: this.picture,
      texts: data.texts,
      frame: this.frame,
      zoom,
      selected: data.selected,
      cursor,
      inks: inks(),
      ratio: devicePixelRatio || 1,
      words: { query: t("attention.query"), key: t("attention.key") },
    });
    this.cursor.root.classList.toggle("zoomed", !isFit(zoom, this.frame));
    this.closer.disabled = isLargest(zoom, this.frame);
    this.farther.disabled = this.whole.disabled = isFit(zoom, this.frame);
    this.place(zoom);
  }

  /** Puts the keyboard's cell where it is, and says what is there. @param {import("./zoom.js").Zoom} zoom */
  place(zoom) {
    const { data, at } = this;
    if (!data) return;
    const { size } = data.matrix;
    const edge = Math.max(8, zoom.cell);
    const middle = (/** @type {number} */ cell, /** @type {number} */ from) =>
      (cell + 0.5 - from) * zoom.cell - edge / 2;
    this.cursor.update({
      row: at.row,
      column: at.column,
      rows: size,
      columns: size,
      selected: at.row === data.selected,
      label: t("attention.map", { title: data.title }),
      name: this.say(at),
      box: { left: LEFT + middle(at.column, zoom.x), top: TOP + middle(at.row, zoom.y), width: edge, height: edge },
    });
    setText(this.readout, this.say(this.hovered ?? at));
  }

  /** What a cell says. @param {{ row: number, column: number }} cell */
  say({ row, column }) {
    const { data } = this;
    if (!data) return "";
    const { matrix, texts, look } = data;
    const query = showToken(texts[row] ?? "");
    const key = showToken(texts[column] ?? "");
    if (column > row) return t("attention.later", { query, key });
    if (look.ignoreFirst && column === 0)
      return t("attention.leftOut", { query, key, share: percent(matrix.values[row * matrix.size]) });
    return t("attention.cell", {
      query,
      key,
      row,
      column,
      share: percent(share(matrix, row, column, look.ignoreFirst)),
    });
  }

  zoomNow() {
    return clampZoom(this.zoom ?? fit(this.frame), this.frame);
  }

  /** @param {import("./zoom.js").Zoom | null} zoom */
  setZoom(zoom) {
    this.zoom = zoom && !isFit(zoom, this.frame) ? zoom : null;
    this.schedule();
  }

  /** Zooms around the keyboard's cell where that is in view. @param {number} factor */
  zoomBy(factor) {
    const zoom = reveal(this.zoomNow(), this.at.row, this.at.column, this.frame);
    this.setZoom(
      zoomAt(
        zoom,
        factor,
        (this.at.column + 0.5 - zoom.x) * zoom.cell,
        (this.at.row + 0.5 - zoom.y) * zoom.cell,
        this.frame,
      ),
    );
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was a key of the map */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "+" || event.key === "=") this.zoomBy(ZOOM_STEP);
    else if (event.key === "-") this.zoomBy(1 / ZOOM_STEP);
    else if (event.key === "0") this.setZoom(null);
    else return false;
    return true;
  }

  /** @param {number} row @param {number} column */
  moveTo(row, column) {
    this.at = { row, column };
    this.hovered = null;
    if (this.zoom) this.zoom = reveal(this.zoom, row, column, this.frame);
    this.schedule();
  }

  /** @param {number | null} x @param {number} y in pixels of the picture; null when the pointer has left */
  hover(x, y) {
    this.hovered = x === null ? null : cellAt(this.zoomNow(), x - LEFT, y - TOP, this.frame);
    this.schedule();
  }

  /** @param {number} x @param {number} y */
  tap(x, y) {
    // A label of a row is as good as the row.
    const cell = cellAt(this.zoomNow(), Math.max(0, x - LEFT), y - TOP, this.frame);
    if (!cell) return;
    this.moveTo(cell.row, cell.column);
    this.onSelect(cell.row);
  }

  /**
   * The whole map with all its labels, larger than on the screen.
   * @param {MapData} data
   */
  static save(data) {
    const { size } = data.matrix;
    const pixels = new Uint32Array(size * size);
    paintRows(pixels, data.matrix, 0, size, data.look);
    const canvas = h("canvas");
    const cell = Math.min(SAVED_LARGEST_CELL, Math.max(1, Math.floor(SAVED_SIDE / size)));
    const side = cell * size;
    const [width, height] = [LEFT + Math.max(side, 280) + 2 * SAVED_EDGE, TOP + side + 48 + 2 * SAVED_EDGE];
    const colours = inks();
    const context = sharp(canvas, width, height, 1);
    context.fillStyle = colours.sheet;
    context.fillRect(0, 0, width, height);
    context.translate(SAVED_EDGE, SAVED_EDGE);
    drawMap(context, {
      picture: pictureOf(pixels, size, size),
      texts: data.texts,
      frame: { size, side },
      zoom: { cell, x: 0, y: 0 },
      selected: data.selected,
      cursor: null,
      inks: colours,
      ratio: 1,
      words: { query: t("attention.query"), key: t("attention.key") },
    });
    context.fillStyle = colours.ink;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(data.title, LEFT, TOP + side + 12);
    drawLegend(context, LEFT, TOP + side + 32, 240, data.look.scale, colours);
    return canvas;
  }
}
