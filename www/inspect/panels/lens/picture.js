/** The map of the logit lens as a picture to save. */
import { inkOn, viridis, viridisCss } from "../../color.js";
import { percent, shorten, showToken } from "../../label.js";
import { sheet } from "../../picture.js";
import { cellShare } from "./data.js";

/** @typedef {import("./data.js").LensColumn} LensColumn */

const CELL = { width: 96, height: 36 };
const MARGIN = { left: 96, top: 48, bottom: 72, right: 24 };
const SCALE_PX = 128;

/**
 * @param {{ columns: LensColumn[], texts: readonly string[], names: string[], by: "own" | "target", title: string,
 *   after: string,
 *   legend: string, paper: string, ink: string }} data `names` of the levels from the embedding up
 * @returns {HTMLCanvasElement}
 */
export function lensPicture({ columns, texts, names, by, title, after, legend, paper, ink }) {
  const width = MARGIN.left + columns.length * CELL.width + MARGIN.right;
  const height = MARGIN.top + names.length * CELL.height + MARGIN.bottom;
  const { canvas, pen } = sheet(width, height, paper);
  /** @type {(text: string, x: number, y: number, font: string, colour: string) => void} */
  const write = (text, x, y, font, colour) => {
    pen.font = font;
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  };
  pen.textAlign = "left";
  write(title, 16, 28, "600 14px system-ui", ink);
  pen.textAlign = "right";
  const bottom = MARGIN.top + names.length * CELL.height;
  names.forEach((name, level) =>
    write(shorten(name, 12), MARGIN.left - 8, bottom - level * CELL.height - 13, "12px system-ui", ink),
  );
  write(after, MARGIN.left - 8, bottom + 22, "12px system-ui", ink);
  pen.textAlign = "center";
  columns.forEach((column, i) => {
    const middle = MARGIN.left + (i + 0.5) * CELL.width;
    column.levels.forEach((level, at) => {
      const share = cellShare(level, by);
      const colour = viridis(share);
      const y = bottom - (at + 1) * CELL.height;
      pen.fillStyle = Number.isNaN(share) ? paper : `rgb(${colour.join(", ")})`;
      pen.fillRect(MARGIN.left + i * CELL.width + 1, y + 1, CELL.width - 2, CELL.height - 2);
      const on = Number.isNaN(share) ? ink : inkOn(colour);
      write(
        shorten(showToken(level.top[0].text), 12),
        middle,
        y + 16,
        `${level.rank === 1 ? "700 " : ""}13px system-ui`,
        on,
      );
      write(percent(Math.exp(level.top[0].logprob)), middle, y + 29, "10px system-ui", on);
    });
    write(shorten(showToken(texts[column.row] ?? ""), 12), middle, bottom + 22, "600 13px system-ui", ink);
  });
  const y = bottom + 46;
  for (let i = 0; i < SCALE_PX; i += 1) {
    pen.fillStyle = viridisCss(i / (SCALE_PX - 1));
    pen.fillRect(MARGIN.left + i, y, 1, 8);
  }
  pen.textAlign = "right";
  write("0 %", MARGIN.left - 8, y + 8, "12px system-ui", ink);
  pen.textAlign = "left";
  write(`100 %  ${legend}`, MARGIN.left + SCALE_PX + 8, y + 8, "12px system-ui", ink);
  return canvas;
}
