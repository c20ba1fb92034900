/** The diagram as one picture to save. */

import { isDark } from "../../canvas.js";
import { sheet } from "../../picture.js";
import { paint } from "./data.js";
import { RAIL } from "./diagram.js";
import { stripGrid } from "./strip.js";

/** @typedef {import("./diagram.js").Line} Line */

const [WIDTH, LINE, HEAD, MARGIN, STRIP] = [760, 44, 64, 24, 200];

/**
 * @param {Line[]} lines
 * @param {string} title
 * @param {(name: string) => string} colour of a custom property such as "--ink"
 */
export function flowPicture(lines, title, colour) {
  const { canvas, pen: g } = sheet(WIDTH, HEAD + lines.length * LINE + MARGIN, colour("--sheet"));
  g.fillStyle = colour("--ink");
  g.font = "600 18px system-ui, sans-serif";
  g.fillText(title, MARGIN, 40, WIDTH - 2 * MARGIN);
  lines.forEach((line, i) => {
    const top = HEAD + i * LINE;
    rail(g, line, top, i === lines.length - 1, colour);
    const x = MARGIN + RAIL.width;
    g.fillStyle = colour("--ink");
    g.font = "600 14px system-ui, sans-serif";
    g.fillText(line.title, x, top + 19, 420);
    g.fillStyle = colour("--ink-2");
    g.font = "12px ui-monospace, monospace";
    g.fillText([line.tensor, line.facts].filter(Boolean).join("  "), x, top + 36, 420);
    if (line.strip) strip(g, line.strip, WIDTH - MARGIN - STRIP - 72, top + 12);
    g.font = "12px system-ui, sans-serif";
    g.fillText(line.note, WIDTH - MARGIN - 64, top + 26, 64);
  });
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {Line} line
 * @param {number} top
 * @param {boolean} last
 * @param {(name: string) => string} colour
 */
function rail(g, line, top, last, colour) {
  const [stream, branch, y] = [MARGIN + RAIL.stream, MARGIN + RAIL.branch, top + LINE / 2];
  g.strokeStyle = colour("--accent");
  g.lineWidth = 3;
  g.beginPath();
  g.moveTo(stream, line.type === "input" ? y : top);
  g.lineTo(stream, last ? y : top + LINE);
  g.stroke();
  g.lineWidth = 2;
  g.strokeStyle = colour("--ink-2");
  g.beginPath();
  if (line.fork) {
    g.moveTo(stream, top);
    g.bezierCurveTo(stream, top + 14, branch, top + 8, branch, y);
  } else if (line.join) {
    g.moveTo(branch, top);
    g.bezierCurveTo(branch, top + 12, stream, top + 8, stream, y);
  } else if (line.lane !== "stream") g.moveTo(branch, top);
  if (line.lane !== "stream") g.lineTo(branch, top + LINE);
  g.stroke();
  g.fillStyle = colour("--sheet");
  g.strokeStyle = line.lane === "stream" ? colour("--accent") : colour("--ink-2");
  g.beginPath();
  g.arc(line.lane === "stream" ? stream : branch, y, line.lane === "stream" ? 6 : 4.5, 0, 2 * Math.PI);
  g.fill();
  g.stroke();
}

/** @param {CanvasRenderingContext2D} g @param {import("./detail.js").Strip} data @param {number} x @param {number} y */
function strip(g, data, x, y) {
  const grid = stripGrid(data.values.length);
  const small = document.createElement("canvas");
  [small.width, small.height] = [grid.columns, grid.rows];
  const pixels = paint(data.values, data.colours, data.scale, grid, isDark());
  small.getContext("2d")?.putImageData(new ImageData(pixels, grid.columns, grid.rows), 0, 0);
  g.imageSmoothingEnabled = false;
  g.drawImage(small, x, y, STRIP, 20);
}
