/** The ranking of heads as a picture to save. */

import { diverging, divergingCss, inkOn } from "../../color.js";
import { signedBits } from "../../label.js";
import { sheet } from "../../picture.js";
import { MLP, scaleOf, shade, unitKey } from "./data.js";

/** @typedef {import("../../types.js").Unit} Unit */
/** @typedef {import("./data.js").Effect} Effect */

const CELL = 52;
const MARGIN = { left: 56, top: 92, bottom: 72, right: 24 };
const EDGE = 16;
/** Room for the title. */
const LEAST_WIDTH = 560;

/** As much of a text's end as fits. @param {string} text @param {(part: string) => boolean} fits */
export function endOf(text, fits) {
  const letters = Array.from(text.replace(/\s+/g, " "));
  let from = 0;
  while (from < letters.length && !fits(`${from ? "…" : ""}${letters.slice(from).join("")}`)) from += 1;
  return `${from ? "…" : ""}${letters.slice(from).join("")}`;
}

/**
 * @param {{ layers: number, heads: number, effects: readonly Effect[], title: string, text: string, layerWord: string,
 *   mlpWord: string, unit: string,
 *   paper: string, ink: string, line: string, dark?: boolean }} data
 * @returns {HTMLCanvasElement}
 */
export function headsPicture({
  layers,
  heads,
  effects,
  title,
  text,
  layerWord,
  mlpWord,
  unit,
  paper,
  ink,
  line,
  dark = false,
}) {
  const width = Math.max(LEAST_WIDTH, MARGIN.left + (heads + 1) * CELL + MARGIN.right);
  const height = MARGIN.top + layers * CELL + MARGIN.bottom;
  const { canvas, pen } = sheet(width, height, paper);
  pen.fillStyle = ink;
  pen.font = "600 14px system-ui";
  pen.fillText(title, EDGE, 28, width - 2 * EDGE);
  pen.font = "12px system-ui";
  pen.fillText(
    endOf(text, (part) => pen.measureText(part).width <= width - 2 * EDGE),
    EDGE,
    48,
  );
  pen.fillText(layerWord, EDGE, MARGIN.top - 10);
  pen.textAlign = "center";
  for (let column = 0; column <= heads; column += 1) {
    pen.fillText(column === heads ? mlpWord : String(column), MARGIN.left + (column + 0.5) * CELL, MARGIN.top - 10);
  }
  const found = new Map(effects.map((effect) => [unitKey(effect), effect]));
  const scale = scaleOf(effects);
  for (let layer = 0; layer < layers; layer += 1) {
    const y = MARGIN.top + layer * CELL;
    pen.fillStyle = ink;
    pen.fillText(String(layer), MARGIN.left - 16, y + CELL / 2 + 4);
    for (let column = 0; column <= heads; column += 1) {
      const x = MARGIN.left + column * CELL;
      const effect = found.get(unitKey({ layer, head: column === heads ? MLP : column }));
      if (!effect) {
        pen.strokeStyle = line;
        pen.strokeRect(x + 1.5, y + 1.5, CELL - 3, CELL - 3);
        continue;
      }
      const colour = diverging(shade(effect.delta, scale), dark);
      pen.fillStyle = `rgb(${colour.join(", ")})`;
      pen.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
      pen.fillStyle = inkOn(colour);
      pen.fillText(signedBits(effect.delta), x + CELL / 2, y + CELL / 2 + 4);
    }
  }
  const y = MARGIN.top + layers * CELL + 20;
  const room = Math.min(320, width - MARGIN.left - MARGIN.right);
  for (let i = 0; i < room; i += 1) {
    pen.fillStyle = divergingCss((2 * i) / (room - 1) - 1, dark);
    pen.fillRect(MARGIN.left + i, y, 1, 8);
  }
  pen.fillStyle = ink;
  [-scale, -scale / 4, 0, scale / 4, scale].forEach((value, i) =>
    pen.fillText(signedBits(value), MARGIN.left + (room * i) / 4, y + 24),
  );
  pen.textAlign = "left";
  pen.fillText(unit, MARGIN.left, y + 42);
  return canvas;
}
