/** All heads of a model as thumbnails: a row a layer, a column a head, and the layer's mean last. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { CellCursor, inks, pictureOf, sharp } from "../../canvas.js";
import { thumbMeans } from "./data.js";
import { paintThumbs } from "./paint.js";

/** @typedef {import("../../types.js").HeadsAnswer} HeadsAnswer */
/** @typedef {import("./data.js").Look} Look */

const GAP = 3;
const ROW_LABEL = 26;
const COLUMN_LABEL = 18;
const LARGEST = 56;
/** Up to this they are as large as the column allows; larger only where words still stand beside them. */
const USUAL = 36;
const SIDE = 184;
const SMALLEST = 12;
/**
 * Many layers are drawn smaller, so that the map below comes into view: this share of the window; but never too small
 * for a finger.
 */
const TALL = 0.28;
const LEAST_TALL = 20;
/** The mean stands apart from the heads. */
const MEAN_GAP = 6;
/** Labels closer than this would run into each other. */
const LABEL_ROOM = 26;

/**
 * Sizes of the grid in a column of `room` pixels.
 * @param {number} room
 * @param {number} layers
 * @param {number} heads
 * @param {number} tall the height that is meant for it
 */
export function gridLayout(room, layers, heads, tall) {
  const columns = heads + 1;
  const free = room - ROW_LABEL - MEAN_GAP - GAP * columns;
  const largest = Math.min(
    LARGEST,
    Math.max(LEAST_TALL, Math.floor(tall / layers) - GAP),
    Math.max(USUAL, Math.floor((free - SIDE) / columns)),
  );
  const cell = Math.min(largest, Math.max(SMALLEST, Math.floor(free / columns)));
  const pitch = cell + GAP;
  const left = (/** @type {number} */ column) => ROW_LABEL + column * pitch + (column === heads ? MEAN_GAP : 0);
  return {
    cell,
    pitch,
    columns,
    left,
    top: (/** @type {number} */ row) => COLUMN_LABEL + row * pitch,
    width: left(heads) + cell + GAP,
    height: COLUMN_LABEL + layers * pitch,
    /** Every so many columns and rows have a label. */
    columnStep: Math.ceil(LABEL_ROOM / pitch),
    rowStep: Math.ceil(14 / pitch),
  };
}

/** @typedef {ReturnType<typeof gridLayout>} Layout */

export class AttentionGrid {
  /**
   * @param {HTMLElement} root
   * @param {{ onChoose: (layer: number, head: number, pointed: boolean) => void }} handlers `head` -1 is the mean;
   *   `pointed`: by a
   *   pointer, not a key
   */
  constructor(root, { onChoose }) {
    this.canvas = h("canvas", { class: "attention-picture", "aria-hidden": "true" });
    this.cursor = new CellCursor("attention-head", {
      onMove: (row, column) => this.point(row, column),
      onChoose: (row, column) => this.choose(row, column, false),
      onFocus: (has) => this.point(has ? this.cursor.row : -1, this.cursor.column),
    });
    this.stack = h("div", { class: "attention-stack" }, this.canvas, this.cursor.root);
    this.readout = h("p", { class: "attention-readout" });
    this.scroll = h("div", { class: "attention-scroll" }, this.stack);
    /** Beside the grid where there is room, else below it; whoever owns the grid can put words there. */
    this.side = h("div", { class: "attention-side" }, this.readout);
    this.root = h("div", { class: "attention-grid" }, this.scroll, this.side);
    root.append(this.root);
    this.onChoose = onChoose;
    this.cursor.root.addEventListener("pointermove", (event) => this.hover(event));
    this.cursor.root.addEventListener("pointerleave", () => this.hover(null));
    this.cursor.root.addEventListener("click", (event) => {
      const hit = this.hit(event);
      if (hit) this.choose(hit.row, hit.column, true);
    });
    new ResizeObserver(() => this.schedule()).observe(this.root);
    /** @type {{ answer: HeadsAnswer, layer: number, head: number, wholeRow: boolean, look: Look } | null} */
    this.data = null;
    /** @type {{ answer: HeadsAnswer, look: string, canvas: HTMLCanvasElement } | null} */
    this.picture = null;
    /** @type {{ answer: HeadsAnswer, means: Float32Array } | null} */
    this.means = null;
    /** The cell that pointer or keyboard is on. @type {{ row: number, column: number } | null} */
    this.at = null;
    this.pending = 0;
  }

  /**
   * @param {{ answer: HeadsAnswer, layer: number, head: number, wholeRow: boolean, look: Look } | null} data
   *   `wholeRow`: only the layer
   *   counts
   * @param {string} [waiting] said while there is nothing to show
   */
  update(data, waiting = "") {
    this.data = data;
    this.scroll.hidden = !data;
    if (!data) {
      setText(this.readout, waiting);
      this.picture = this.means = null;
      return;
    }
    if (this.means?.answer !== data.answer) this.means = { answer: data.answer, means: thumbMeans(data.answer) };
    const look = `${data.look.scale} ${data.look.ignoreFirst}`;
    if (this.picture?.answer !== data.answer || this.picture.look !== look) {
      const { pixels, width, height } = paintThumbs(data.answer, this.means.means, data.look);
      this.picture = { answer: data.answer, look, canvas: pictureOf(pixels, width, height) };
    }
    this.draw();
  }

  /**
   * In the next frame: what is drawn has a size of its own, which the observer would be told of within its own round.
   */
  schedule() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    const { data, picture } = this;
    const room = this.root.clientWidth;
    if (!data || !picture || !room) return;
    const { layers, heads, size } = data.answer;
    const layout = gridLayout(room, layers, heads, TALL * innerHeight);
    this.layout = layout;
    this.stack.style.width = `${layout.width}px`;
    this.stack.style.height = `${layout.height}px`;
    const context = sharp(this.canvas, layout.width, layout.height);
    const colours = inks();
    context.font = `11px ${colours.font}`;
    context.textBaseline = "middle";
    // Thumbnails that are shrunk are averaged, those that are enlarged stay cells.
    context.imageSmoothingEnabled = size > layout.cell;
    context.imageSmoothingQuality = "high";
    for (let column = 0; column <= heads; column += 1) {
      const chosen = column === data.head && !data.wholeRow;
      if (column < heads && column % layout.columnStep === 0)
        this.label(context, layout, column, `H${column}`, chosen, colours);
      for (let row = 0; row < layers; row += 1) {
        context.fillStyle = colours.line;
        context.globalAlpha = 0.35;
        context.fillRect(layout.left(column), layout.top(row), layout.cell, layout.cell);
        context.globalAlpha = 1;
        context.drawImage(
          picture.canvas,
          column * size,
          row * size,
          size,
          size,
          layout.left(column),
          layout.top(row),
          layout.cell,
          layout.cell,
        );
      }
    }
    this.label(context, layout, heads, t("attention.mean.short"), data.head < 0 && !data.wholeRow, colours);
    context.textAlign = "right";
    for (let row = 0; row < layers; row += 1) {
      if (row % layout.rowStep && row !== data.layer) continue;
      context.fillStyle = row === data.layer ? colours.accent : colours.dim;
      context.fillText(`L${row}`, ROW_LABEL - 6, layout.top(row) + layout.cell / 2);
    }
    this.ring(context, layout, data, colours);
    this.place();
  }

  /**
   * The name of a column.
   * @param {CanvasRenderingContext2D} context
   * @param {Layout} layout
   * @param {number} column
   * @param {string} text
   * @param {boolean} chosen
   * @param {ReturnType<typeof inks>} colours
   */
  label(context, layout, column, text, chosen, colours) {
    // The word for the mean is wider than a narrow cell, and may not leave the picture.
    const atEdge = column === layout.columns - 1 && layout.cell < LABEL_ROOM;
    context.textAlign = atEdge ? "right" : "center";
    context.fillStyle = chosen ? colours.accent : colours.dim;
    context.fillText(text, layout.left(column) + (atEdge ? layout.cell + GAP : layout.cell / 2), COLUMN_LABEL / 2 - 1);
  }

  /**
   * Marks what is chosen.
   * @param {CanvasRenderingContext2D} context
   * @param {Layout} layout
   * @param {{ layer: number, head: number, wholeRow: boolean }} chosen
   * @param {ReturnType<typeof inks>} colours
   */
  ring(context, layout, { layer, head, wholeRow }, colours) {
    const last = layout.columns - 1;
    const from = wholeRow ? 0 : head < 0 ? last : head;
    const to = wholeRow ? last : from;
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    context.strokeRect(
      layout.left(from) - 1,
      layout.top(layer) - 1,
      layout.left(to) + layout.cell - layout.left(from) + 2,
      layout.cell + 2,
    );
  }

  /** @param {number} row @param {number} column */
  name(row, column) {
    const heads = this.data?.answer.heads ?? 0;
    return column === heads
      ? t("attention.unit.mean", { layer: row })
      : t("attention.unit", { layer: row, head: column });
  }

  /** Puts the keyboard's cell where it is, and says what is pointed at. */
  place() {
    const { data, layout } = this;
    if (!data || !layout) return;
    const { layers, heads } = data.answer;
    const row = Math.min(layers - 1, this.at?.row ?? data.layer);
    const column = Math.min(heads, this.at?.column ?? (data.head < 0 ? heads : data.head));
    this.cursor.update({
      row,
      column,
      rows: layers,
      columns: heads + 1,
      label: t("attention.grid"),
      name: this.name(row, column),
      selected: row === data.layer && column === (data.head < 0 ? heads : data.head),
      box: { left: layout.left(column), top: layout.top(row), width: layout.cell, height: layout.cell },
    });
    setText(this.readout, this.at ? this.name(row, column) : t("attention.grid.hint"));
  }

  /** @param {number} row @param {number} column a row of -1: nothing is pointed at */
  point(row, column) {
    this.at = row < 0 ? null : { row, column };
    this.place();
    if (this.at) this.cursor.cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {PointerEvent | null} event */
  hover(event) {
    if (event?.pointerType === "touch") return;
    const hit = event && this.hit(event);
    // The pointer shows a name; the keyboard's cell stays where the keyboard left it.
    setText(
      this.readout,
      hit
        ? this.name(hit.row, hit.column)
        : this.at
          ? this.name(this.at.row, this.at.column)
          : t("attention.grid.hint"),
    );
    this.cursor.root.classList.toggle("on", Boolean(hit));
  }

  /** @param {number} row @param {number} column @param {boolean} pointed */
  choose(row, column, pointed) {
    this.at = { row, column };
    this.onChoose(row, column === this.data?.answer.heads ? -1 : column, pointed);
  }

  /** The cell under a pointer. @param {MouseEvent} event */
  hit(event) {
    const { layout, data } = this;
    if (!layout || !data) return null;
    const box = this.stack.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const row = Math.floor((y - COLUMN_LABEL) / layout.pitch);
    for (let column = 0; column < layout.columns && row >= 0 && row < data.answer.layers; column += 1) {
      const from = x - layout.left(column);
      if (from >= -GAP / 2 && from < layout.cell + GAP / 2) return { row, column };
    }
    return null;
  }
}
