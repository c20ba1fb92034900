/** The bars of what comes next as a picture to save. */
import { percent, shorten, showToken } from "../../label.js";
import { sheet } from "../../picture.js";

/** @typedef {import("./data.js").Row} Row */
/**
 * Colours of the page.
 * @typedef {{ paper: string, ink: string, quiet: string, grey: string, accent: string, warm: string }} Colours
 */

const ROW = 26;
const WIDTH = 640;
const TOP = 84;
const TRACK = { left: 176, right: 480 };

/** @param {Element} element whose page it is @returns {Colours} */
export function pageColours(element) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    paper: of("--sheet"),
    ink: of("--ink"),
    quiet: of("--ink-2"),
    grey: of("--line"),
    accent: of("--accent"),
    warm: of("--warm"),
  };
}

/**
 * @param {{ rows: readonly Row[], end: number, cutAt: number, cutText: string, title: string, facts: string, names:
 *   [string, string],
 *   cut: string, colours: Colours }} data `names` of the two numbers; `cut` what stands for the second where it is cut
 *   off
 * @returns {HTMLCanvasElement}
 */
export function nextPicture({ rows, end, cutAt, cutText, title, facts, names, cut, colours }) {
  const height = TOP + (rows.length + (cutText ? 1 : 0)) * ROW + 16;
  const { canvas, pen } = sheet(WIDTH, height, colours.paper);
  const box = (
    /** @type {string} */ colour,
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {number} */ w,
    /** @type {number} */ h,
  ) => {
    pen.fillStyle = colour;
    pen.fillRect(x, y, w, h);
  };
  const write = (
    /** @type {string} */ text,
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {string} */ colour,
    /** @type {CanvasTextAlign} */ align = "left",
    font = "13px system-ui",
  ) => {
    pen.font = font;
    pen.fillStyle = colour;
    pen.textAlign = align;
    pen.fillText(text, x, y);
  };
  write(title, 16, 28, colours.ink, "left", "600 14px system-ui");
  write(facts, 16, 50, colours.quiet);
  write("0", TRACK.left, TOP - 10, colours.quiet);
  write(`${Number((100 * end).toPrecision(3))} %`, TRACK.right, TOP - 10, colours.quiet, "right");
  write(names[0], 552, TOP - 10, colours.quiet, "right");
  write(names[1], WIDTH - 16, TOP - 10, colours.accent, "right");
  const scale = (TRACK.right - TRACK.left) / end;
  rows.forEach(({ entry, p, follows }, i) => {
    const y = TOP + (i + (cutText && i >= cutAt ? 1 : 0)) * ROW;
    const ink = entry.kept ? colours.ink : colours.quiet;
    if (follows) box(colours.accent, 6, y + 4, 3, ROW - 8);
    write(String(entry.rank + 1), 48, y + 18, colours.quiet, "right", "12px system-ui");
    write(shorten(showToken(entry.text), 15), 56, y + 18, ink, "left", `${follows ? "600 " : ""}15px serif`);
    box(colours.grey, TRACK.left, y + 6, p * scale, 14);
    box(colours.accent, TRACK.left, y + 10, entry.adjusted * scale, 6);
    box(colours.quiet, TRACK.left - 1, y, 1, ROW);
    write(percent(p), 552, y + 18, colours.quiet, "right");
    write(
      entry.kept ? percent(entry.adjusted) : cut,
      WIDTH - 16,
      y + 18,
      entry.kept ? colours.accent : colours.quiet,
      "right",
    );
  });
  if (cutText) {
    const y = TOP + cutAt * ROW;
    box(colours.warm, 16, y + 3, WIDTH - 32, 1);
    write(cutText, 16, y + 19, colours.warm);
  }
  return canvas;
}
