/** The whole text as a picture to save, every token on the colour of its surprise. */
import { showToken } from "../../label.js";
import { sheet } from "../../picture.js";
import { drawLegend, drawToken, FONT, layTokens, STRIP } from "../../token_strip.js";

/** @typedef {import("../../token_strip.js").Inks} Inks */
/** @typedef {import("../../trail.js").Trail} Trail */

const MARGIN = 24;
/** Above the first line, for the title; and below the last, for the legend. */
const HEAD = 64;
const FOOT = 44;
const LINE = STRIP + 6;
const ROOM = 900;
/** Browsers refuse pictures that are higher: the lines of a long text are longer. */
const TALLEST = 16_000;

/**
 * @param {Trail} trail
 * @param {{ title: string, legend: string, inks: Inks }} options
 * @returns {HTMLCanvasElement}
 */
export function tokenPicture(trail, { title, legend, inks }) {
  const labels = trail.texts.map(showToken);
  const breaks = trail.texts.map((text) => text.includes("\n"));
  let room = ROOM;
  let laid = layTokens(labels, breaks, room);
  while (laid.lines.length * LINE > TALLEST && room < 8 * ROOM) laid = layTokens(labels, breaks, (room *= 2));
  const { places, lines } = laid;
  const { canvas, pen } = sheet(room + 2 * MARGIN, HEAD + lines.length * LINE + FOOT, inks.ground);
  pen.fillStyle = inks.ink;
  pen.font = "600 18px system-ui, sans-serif";
  pen.fillText(title, MARGIN, 40, room);
  pen.translate(MARGIN, HEAD);
  pen.font = FONT;
  pen.textBaseline = "middle";
  places.forEach(({ line, x, width }, at) => {
    drawToken(pen, labels[at], x, line * LINE, width, at ? trail.logprob[at - 1] : NaN, inks);
  });
  drawLegend(pen, [{ kind: "surprise", text: legend }], lines.length * LINE + FOOT / 2 - 6, ROOM, inks);
  return canvas;
}
