/** Attention as pixels, one a cell. Free of the DOM. */

import { viridis } from "../../color.js";
import { rowFactor } from "./data.js";

/** @typedef {import("./data.js").Matrix} Matrix */
/** @typedef {import("./data.js").Look} Look */

const SHADES = 256;
/** A slice this large is painted in well under a millisecond to a few, even on a slow device. */
const SLICE_CELLS = 1 << 16;

/**
 * Pixels as 32-bit numbers are made from bytes, so that the device's byte order does not matter.
 * @param {number[]} bytes
 */
const pixel = (bytes) => new Uint32Array(Uint8ClampedArray.from(bytes).buffer)[0];

/** What the first column shows where the first token is left out: a grey that is in no colour scale. */
export const LEFT_OUT = pixel([128, 128, 128, 90]);

/** The colour scale, darkest first. @type {Uint32Array} */
export const PALETTE = Uint32Array.from({ length: SHADES }, (_, at) => pixel([...viridis(at / (SHADES - 1)), 255]));

/**
 * Paints rows `from` to `to` (not included) of a matrix into its picture of size x size pixels. What lies after the
 * query stays clear.
 * @param {Uint32Array} pixels @param {Matrix} matrix @param {number} from @param {number} to @param {Look} look
 */
export function paintRows(pixels, matrix, from, to, { scale, ignoreFirst }) {
  const { size, values } = matrix;
  const top = SHADES - 1;
  const root = scale === "sqrt";
  for (let q = from; q < to; q += 1) {
    const factor = rowFactor(matrix, q, ignoreFirst);
    const start = q * size;
    for (let at = start; at <= start + q; at += 1) {
      const value = Math.min(1, values[at] * factor);
      pixels[at] = PALETTE[((root ? Math.sqrt(value) : value) * top + 0.5) | 0];
    }
    if (ignoreFirst) pixels[start] = LEFT_OUT;
    pixels.fill(0, start + q + 1, start + size);
  }
}

/** @param {number} size @returns {number} rows in one slice */
export function sliceRows(size) {
  return Math.max(1, Math.floor(SLICE_CELLS / Math.max(1, size)));
}

/**
 * Paints a whole matrix, slice by slice, and lets the page do other things whenever `budgetMs` have gone by.
 * @param {Uint32Array} pixels @param {Matrix} matrix @param {Look} look
 * @param {{ pause: () => Promise<void>, now: () => number, stopped: () => boolean, budgetMs?: number }} options
 * @returns {Promise<boolean>} whether it was painted to the end
 */
export async function paintAll(pixels, matrix, look, { pause, now, stopped, budgetMs = 5 }) {
  const rows = sliceRows(matrix.size);
  let since = now();
  for (let from = 0; from < matrix.size; from += rows) {
    if (stopped()) return false;
    paintRows(pixels, matrix, from, Math.min(matrix.size, from + rows), look);
    if (now() - since < budgetMs || from + rows >= matrix.size) continue;
    await pause();
    since = now();
  }
  return !stopped();
}

/**
 * Thumbnails of all heads in one picture: a row a layer, a column a head, and the mean last. Without the first token a
 * thumbnail loses its first column, which is as near as a reduced picture comes.
 * @param {import("../../types.js").HeadsAnswer} answer @param {Float32Array} means of `thumbMeans` @param {Look} look
 * @returns {{ pixels: Uint32Array, width: number, height: number }}
 */
export function paintThumbs({ layers, heads, size, values }, means, look) {
  const cells = size * size;
  const width = (heads + 1) * size;
  const height = layers * size;
  const pixels = new Uint32Array(width * height);
  const one = new Uint32Array(cells);
  for (let layer = 0; layer < layers; layer += 1) {
    for (let column = 0; column <= heads; column += 1) {
      const from = (layer * heads + column) * cells;
      const source =
        column < heads ? values.subarray(from, from + cells) : means.subarray(layer * cells, (layer + 1) * cells);
      paintRows(one, { size, values: source }, 0, size, look);
      for (let row = 0; row < size; row += 1) {
        pixels.set(one.subarray(row * size, (row + 1) * size), (layer * size + row) * width + column * size);
      }
    }
  }
  return { pixels, width, height };
}
