/** Where the cells of a square map stand: zooming, panning, and which labels have room. Free of the DOM. */

/**
 * Pixels a cell, and the cell (with fractions) at the top left corner.
 * @typedef {{ cell: number, x: number, y: number }} Zoom
 */
/** A map of `size` x `size` cells in a square of `side` pixels. @typedef {{ size: number, side: number }} Frame */

/** No cell is drawn larger: short texts make small maps. */
export const LARGEST_CELL = 32;

/**
 * The side of a map in a column `room` pixels wide.
 * @param {number} room @param {number} size
 */
export function mapSide(room, size) {
  return Math.max(1, Math.min(room, size * LARGEST_CELL));
}

/** The whole map. @param {Frame} frame @returns {Zoom} */
export function fit({ size, side }) {
  return { cell: side / Math.max(1, size), x: 0, y: 0 };
}

/** @param {Frame} frame */
function largestCell(frame) {
  return Math.max(fit(frame).cell, LARGEST_CELL);
}

/** Brings a zoom into what the map has. @param {Zoom} zoom @param {Frame} frame @returns {Zoom} */
export function clampZoom({ cell, x, y }, frame) {
  const bounded = Math.min(largestCell(frame), Math.max(fit(frame).cell, cell));
  const last = Math.max(0, frame.size - frame.side / bounded);
  const within = (/** @type {number} */ value) => Math.min(last, Math.max(0, value));
  return { cell: bounded, x: within(x), y: within(y) };
}

/**
 * Zooms so that what is under a point stays there.
 * @param {Zoom} zoom @param {number} factor @param {number} px @param {number} py @param {Frame} frame
 */
export function zoomAt(zoom, factor, px, py, frame) {
  const { cell } = clampZoom({ ...zoom, cell: zoom.cell * factor }, frame);
  return clampZoom({ cell, x: zoom.x + px / zoom.cell - px / cell, y: zoom.y + py / zoom.cell - py / cell }, frame);
}

/** Moves by pixels, as a drag does. @param {Zoom} zoom @param {number} dx @param {number} dy @param {Frame} frame */
export function pan(zoom, dx, dy, frame) {
  return clampZoom({ cell: zoom.cell, x: zoom.x - dx / zoom.cell, y: zoom.y - dy / zoom.cell }, frame);
}

/** Whether the whole map is in view. @param {Zoom} zoom @param {Frame} frame */
export function isFit(zoom, frame) {
  return zoom.cell <= fit(frame).cell * 1.0001;
}

/** Whether cells are as large as they get. @param {Zoom} zoom @param {Frame} frame */
export function isLargest(zoom, frame) {
  return zoom.cell >= largestCell(frame) * 0.9999;
}

/**
 * Moves as little as brings a cell into view.
 * @param {Zoom} zoom
 * @param {number} row
 * @param {number} column
 * @param {Frame} frame
 */
export function reveal(zoom, row, column, frame) {
  const cells = frame.side / zoom.cell;
  const axis = (/** @type {number} */ from, /** @type {number} */ at) =>
    at < from ? at : at + 1 > from + cells ? at + 1 - cells : from;
  return clampZoom({ cell: zoom.cell, x: axis(zoom.x, column), y: axis(zoom.y, row) }, frame);
}

/**
 * The cell under a point of the square, or null outside of it.
 * @param {Zoom} zoom @param {number} px @param {number} py @param {Frame} frame
 * @returns {{ row: number, column: number } | null}
 */
export function cellAt(zoom, px, py, frame) {
  if (!(px >= 0 && py >= 0 && px < frame.side && py < frame.side)) return null;
  const last = frame.size - 1;
  return {
    row: Math.min(last, Math.floor(zoom.y + py / zoom.cell)),
    column: Math.min(last, Math.floor(zoom.x + px / zoom.cell)),
  };
}

/**
 * Which tokens of an axis get a label: those in `always`, and between them every so many that labels are `gap` pixels
 * apart.
 * The steps count from the first token, so that labels do not flicker while panning.
 * @param {{ from: number, cell: number, size: number, side: number, gap: number, always?: number[] }} axis `from` is
 *   the cell
 *   (with fractions) at the beginning
 * @returns {number[]} ascending
 */
export function labelled({ from, cell, size, side, gap, always = [] }) {
  const first = Math.max(0, Math.ceil(from - 0.5));
  const last = Math.min(size - 1, Math.floor(from + side / cell - 0.5 + 1e-9));
  const step = Math.max(1, Math.ceil(gap / cell - 1e-9));
  /** @type {number[]} */
  const chosen = [];
  for (const at of always) {
    const visible = at >= first && at <= last;
    if (visible && chosen.every((other) => Math.abs(other - at) * cell >= gap - 1e-9)) chosen.push(at);
  }
  const fixed = [...chosen];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) {
    if (fixed.every((other) => Math.abs(other - at) * cell >= gap - 1e-9)) chosen.push(at);
  }
  return chosen.sort((a, b) => a - b);
}
