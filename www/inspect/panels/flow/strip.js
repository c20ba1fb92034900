/** A vector as a strip of coloured cells. */
import { h } from "../../../core/dom.js";
import { isDark } from "../../canvas.js";
import { gridOf, paint } from "./data.js";

/** @typedef {import("./detail.js").Strip} Strip */

/** Up to here a row has at most 160 cells; above, a picture is about six times as wide as high. */
const NARROW = 4096;

/** @param {number} n */
export function stripGrid(n) {
  return gridOf(n, n <= NARROW ? 160 : Math.ceil(Math.sqrt(6 * n)));
}

/**
 * Draws a strip, one pixel a cell; CSS makes the pixels as large as there is room.
 * @param {HTMLCanvasElement} canvas @param {Strip} strip @param {{ columns: number, rows: number }} [grid]
 */
export function drawStrip(canvas, strip, grid = stripGrid(strip.values.length)) {
  canvas.width = grid.columns;
  canvas.height = grid.rows;
  const pixels = paint(strip.values, strip.colours, strip.scale, grid, isDark());
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, grid.columns, grid.rows), 0, 0);
}

/**
 * @param {Strip} strip @param {Record<string, unknown>} props @param {{ columns: number, rows: number }} [grid]
 */
export function stripCanvas(strip, props, grid) {
  const canvas = h("canvas", props);
  drawStrip(canvas, strip, grid);
  return canvas;
}
