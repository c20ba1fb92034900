/** Draws a map of attention with its labels, on the screen and for saving. */

import { viridisCss } from "../../color.js";
import { percent, shorten, showToken } from "../../label.js";
import { legendTicks, unit } from "./data.js";
import { labelled } from "./zoom.js";

/** @typedef {import("./zoom.js").Zoom} Zoom */
/** @typedef {import("./zoom.js").Frame} Frame */
/** @typedef {{ ink: string, dim: string, line: string, accent: string, sheet: string, font: string }} Inks */

/** Room for the labels of queries and of keys. */
export const LEFT = 84;
export const TOP = 76;
const FONT_PX = 11;
const LABEL_GAP = 13;
const LONGEST = 14;
/** A row thinner than this could not be seen as marked. */
const THINNEST_ROW = 5;

/**
 * Labels of one axis.
 * @param {CanvasRenderingContext2D} context
 * @param {string[]} texts
 * @param {Frame} frame
 * @param {{ from: number, cell: number }} axis
 * @param {{ vertical: boolean, room: number, selected: number, cursor: number | null }} options `vertical`: queries,
 *   beside the rows
 * @param {Inks} inks
 */
function drawLabels(context, texts, { size, side }, { from, cell }, { vertical, room, selected, cursor }, inks) {
  const always = [selected, ...(cursor === null || cursor === selected ? [] : [cursor])];
  context.textBaseline = "middle";
  for (const at of labelled({ from, cell, size, side, gap: LABEL_GAP, always })) {
    const middle = (at + 0.5 - from) * cell;
    const text = fitted(context, texts[at] ?? "", room);
    context.save();
    if (vertical) context.translate(-8, middle);
    else {
      context.translate(middle, -8);
      context.rotate(-Math.PI / 2);
    }
    context.textAlign = vertical ? "right" : "left";
    context.fillStyle = at === selected ? inks.accent : at === cursor ? inks.ink : inks.dim;
    context.fillText(text, 0, 0.5);
    context.restore();
    context.fillStyle = at === selected ? inks.accent : inks.line;
    if (vertical) context.fillRect(-5, middle - 0.5, 4, 1);
    else context.fillRect(middle - 0.5, -5, 1, 4);
  }
}

/** A token cut to a width. @param {CanvasRenderingContext2D} context @param {string} token @param {number} room */
function fitted(context, token, room) {
  const shown = showToken(token);
  for (let length = LONGEST; length > 2; length -= 1) {
    const text = shorten(shown, length);
    if (context.measureText(text).width <= room) return text;
  }
  return shorten(shown, 2);
}

/**
 * A line that is seen on every colour of the scale.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} w
 * @param {number} h
 * @param {number} width
 */
function outline(context, x, y, w, h, width) {
  context.strokeStyle = "rgb(0 0 0 / 70%)";
  context.lineWidth = width + 2;
  context.strokeRect(x, y, w, h);
  context.strokeStyle = "#fff";
  context.lineWidth = width;
  context.strokeRect(x, y, w, h);
}

/**
 * Draws onto a context whose origin is the top left corner of the whole picture; the square begins at (LEFT, TOP).
 * @param {CanvasRenderingContext2D} context
 * @param {{ picture: CanvasImageSource, texts: string[], frame: Frame, zoom: Zoom, selected: number,
 *   cursor: { row: number, column: number } | null, inks: Inks, ratio: number, words: { query: string, key: string } }}
 *   map
 */
export function drawMap(context, { picture, texts, frame, zoom, selected, cursor, inks, ratio, words }) {
  const { size, side } = frame;
  const { cell, x, y } = zoom;
  const cells = side / cell;
  context.font = `${FONT_PX}px ${inks.font}`;
  context.save();
  context.translate(LEFT, TOP);
  // Cells smaller than a pixel of the screen are averaged; larger ones keep their edges.
  context.imageSmoothingEnabled = cell * ratio < 1;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, cells, cells, 0, 0, side, side);
  context.strokeStyle = inks.line;
  context.lineWidth = 1;
  context.strokeRect(-0.5, -0.5, side + 1, side + 1);

  context.save();
  context.beginPath();
  context.rect(-3, -3, side + 6, side + 6);
  context.clip();
  const height = Math.max(THINNEST_ROW, cell);
  outline(context, -x * cell, (selected + 0.5 - y) * cell - height / 2, (selected + 1) * cell, height, 1);
  if (cursor) {
    const edge = Math.max(THINNEST_ROW, cell);
    outline(
      context,
      (cursor.column + 0.5 - x) * cell - edge / 2,
      (cursor.row + 0.5 - y) * cell - edge / 2,
      edge,
      edge,
      1.5,
    );
  }
  context.restore();

  drawLabels(
    context,
    texts,
    { size, side },
    { from: y, cell },
    { vertical: true, room: LEFT - 12, selected, cursor: cursor?.row ?? null },
    inks,
  );
  drawLabels(
    context,
    texts,
    { size, side },
    { from: x, cell },
    { vertical: false, room: TOP - 12, selected, cursor: cursor?.column ?? null },
    inks,
  );
  context.restore();
  context.fillStyle = inks.dim;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(`${words.query} ↓`, 0, TOP - 16);
  context.textAlign = "right";
  context.fillText(`${words.key} →`, LEFT - 10, 10);
}

/** How the colour scale runs, for a legend. @param {import("./data.js").Scale} scale */
export function legendMarks(scale) {
  return legendTicks(scale).map((p) => ({
    at: unit(p, scale),
    text: percent(p)
      .replace(/\.0+(?= )/, "")
      .replace(/(\.\d*?)0+(?= )/, "$1"),
  }));
}

/** The colour scale as a CSS gradient. @param {(share: number) => string} [colour] of a share of the scale */
export function legendGradient(colour = viridisCss) {
  return `linear-gradient(to right, ${Array.from({ length: 21 }, (_, at) => colour(at / 20)).join(", ")})`;
}

/**
 * The legend, for saved pictures.
 * @param {CanvasRenderingContext2D} context @param {number} left @param {number} top @param {number} width
 * @param {import("./data.js").Scale} scale @param {Inks} inks
 */
export function drawLegend(context, left, top, width, scale, inks) {
  const gradient = context.createLinearGradient(left, 0, left + width, 0);
  for (let at = 0; at <= 10; at += 1) gradient.addColorStop(at / 10, viridisCss(at / 10));
  context.fillStyle = gradient;
  context.fillRect(left, top, width, 8);
  context.font = `${FONT_PX}px ${inks.font}`;
  context.fillStyle = inks.dim;
  context.textBaseline = "top";
  for (const { at, text } of legendMarks(scale)) {
    context.textAlign = at === 0 ? "left" : at === 1 ? "right" : "center";
    context.fillText(text, left + at * width, top + 12);
  }
}
