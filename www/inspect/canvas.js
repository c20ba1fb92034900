/**
 * What the pictures of attention share: canvases of pixels, sharp canvases, the page's colours, one cell for the
 * keyboard.
 */
import { h } from "../core/dom.js";

/**
 * A canvas of `width` x `height` pixels, not in the document.
 * @param {Uint32Array} pixels @param {number} width @param {number} height
 */
export function pictureOf(pixels, width, height) {
  const canvas = h("canvas", { width, height });
  putPixels(canvas, pixels, 0, height);
  return canvas;
}

/**
 * Puts rows `from` to `to` (not included) of a picture onto its canvas.
 * @param {HTMLCanvasElement} canvas @param {Uint32Array} pixels @param {number} from @param {number} to
 */
export function putPixels(canvas, pixels, from, to) {
  const { width } = canvas;
  if (!width || to <= from) return;
  const bytes = new Uint8ClampedArray(
    /** @type {ArrayBuffer} */ (pixels.buffer),
    pixels.byteOffset + from * width * 4,
    (to - from) * width * 4,
  );
  canvas.getContext("2d")?.putImageData(new ImageData(bytes, width, to - from), 0, from);
}

/**
 * Gives a canvas as many pixels as its place on the screen has, and returns a context that counts in CSS pixels.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height @param {number} [ratio]
 */
export function sharp(canvas, width, height, ratio = devicePixelRatio || 1) {
  const [w, hh] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== hh) [canvas.width, canvas.height] = [w, hh];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The page's colours and font now, for what is drawn. */
export function inks() {
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    ink: colour("--ink"),
    dim: colour("--ink-2"),
    line: colour("--line"),
    accent: colour("--accent"),
    sheet: colour("--sheet"),
    font: colour("--ui"),
  };
}

/** Whether the page is dark now. */
export function isDark() {
  const theme = globalThis.document?.documentElement?.dataset?.theme;
  return theme ? theme === "dark" : globalThis.matchMedia?.("(prefers-color-scheme: dark)").matches === true;
}

/**
 * Calls back whenever the page's colours change: what is drawn on a canvas does not change by itself.
 * @param {() => void} callback
 * @returns {() => void} ends it
 */
export function watchTheme(callback) {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(callback);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  scheme.addEventListener("change", callback);
  return () => {
    observer.disconnect();
    scheme.removeEventListener("change", callback);
  };
}

/**
 * The keyboard's way into a picture of cells: one focusable grid with one cell in it, which moves. Arrow keys, Home,
 * End, Page Up
 * and Page Down move it; other keys go to `onKey`.
 */
export class CellCursor {
  /**
   * @param {string} id unique in the page
   * @param {{ onMove: (row: number, column: number) => void, onChoose: (row: number, column: number) => void,
   *   onKey?: (event: KeyboardEvent) => boolean, onFocus?: (has: boolean) => void }} handlers `onKey` says whether it
   *   took the key
   */
  constructor(id, { onMove, onChoose, onKey = () => false, onFocus = () => {} }) {
    this.id = id;
    this.cell = h("div", { role: "gridcell", class: "attention-cell" });
    this.rowElement = h("div", { role: "row" }, this.cell);
    this.root = h("div", { role: "grid", class: "attention-cursor", tabindex: "0" }, this.rowElement);
    this.row = 0;
    this.column = 0;
    this.rows = 1;
    this.columns = 1;
    this.root.addEventListener("keydown", (event) => {
      if (onKey(event)) return event.preventDefault();
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Enter" || event.key === " ") onChoose(this.row, this.column);
      else if (!this.move(event.key, onMove)) return;
      event.preventDefault();
    });
    this.root.addEventListener("focus", () => onFocus(true));
    this.root.addEventListener("blur", () => onFocus(false));
  }

  /**
   * @param {string} key
   * @param {(row: number, column: number) => void} onMove
   * @returns {boolean} whether the key is one that moves
   */
  move(key, onMove) {
    const target = moved(key, this);
    if (!target) return false;
    // At once: the next key may come before the next drawing.
    Object.assign(this, target);
    onMove(target.row, target.column);
    return true;
  }

  /**
   * @param {{ row: number, column: number, rows: number, columns: number, selected: boolean, label: string, name:
   *   string,
   *   box: { left: number, top: number, width: number, height: number } }} place `label` names the whole grid, `name`
   *   the cell
   */
  update({ row, column, rows, columns, selected, label, name, box }) {
    Object.assign(this, { row, column, rows, columns });
    const attributes = /** @type {[Element, string, string | number][]} */ ([
      [this.root, "aria-label", label],
      [this.root, "aria-rowcount", rows],
      [this.root, "aria-colcount", columns],
      [this.rowElement, "aria-rowindex", row + 1],
      [this.cell, "aria-colindex", column + 1],
      [this.cell, "aria-selected", String(selected)],
      [this.cell, "aria-label", name],
      // A new id for every cell: screen readers speak when the active one changes.
      [this.cell, "id", `${this.id}-${row}-${column}`],
      [this.root, "aria-activedescendant", `${this.id}-${row}-${column}`],
    ]);
    for (const [element, key, value] of attributes)
      if (element.getAttribute(key) !== String(value)) element.setAttribute(key, String(value));
    for (const [key, value] of Object.entries(box)) this.cell.style.setProperty(key, `${value}px`);
  }
}

const PAGE_ROWS = 10;

/**
 * Where a key leads from a cell, or null if it is none of those that move.
 * @param {string} key @param {{ row: number, column: number, rows: number, columns: number }} at
 */
export function moved(key, { row, column, rows, columns }) {
  const within = (/** @type {number} */ value, /** @type {number} */ count) => Math.min(count - 1, Math.max(0, value));
  switch (key) {
    case "ArrowUp":
      return { row: within(row - 1, rows), column };
    case "ArrowDown":
      return { row: within(row + 1, rows), column };
    case "ArrowLeft":
      return { row, column: within(column - 1, columns) };
    case "ArrowRight":
      return { row, column: within(column + 1, columns) };
    case "PageUp":
      return { row: within(row - PAGE_ROWS, rows), column };
    case "PageDown":
      return { row: within(row + PAGE_ROWS, rows), column };
    case "Home":
      return { row, column: 0 };
    case "End":
      return { row, column: columns - 1 };
    default:
      return null;
  }
}
