/** A sheet to draw a picture on that is saved. */

/** Sharp on dense screens and in print. */
const SCALE = 2;
/** Browsers refuse pictures that are too high: these are drawn at their plain size. */
const TALLEST = 8000;

/**
 * @param {number} width @param {number} height in CSS pixels, in which the pen counts
 * @param {string} paper its colour
 * @returns {{ canvas: HTMLCanvasElement, pen: CanvasRenderingContext2D }}
 */
export function sheet(width, height, paper) {
  const canvas = document.createElement("canvas");
  const scale = height > TALLEST ? 1 : SCALE;
  [canvas.width, canvas.height] = [width * scale, height * scale];
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(scale, scale);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height);
  return { canvas, pen };
}
