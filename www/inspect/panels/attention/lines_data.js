/** Shapes and colours of attention over text. Free of the DOM. */
import { viridis } from "../../color.js";

/** @typedef {import("../../color.js").Rgb} Rgb */
/** The top middle of a token, and how tall it is. @typedef {{ x: number, y: number, height: number }} Spot */

/** The least share of its colour that a marked token has, and how fast the share grows. */
const LEAST = 0.1;
const GROWTH = 1.4;

/**
 * A shade of the colour scale laid over the sheet, fainter for less, so that nothing is as pale on a light page as
 * little is on a
 * dark one.
 * @param {number} strength from 0 to 1 @param {string} sheet a colour as "#rgb" or "#rrggbb"
 * @returns {Rgb}
 */
export function blend(strength, sheet) {
  const over = viridis(strength);
  const under = hex(sheet);
  const cover = Math.min(1, Math.max(LEAST, strength * GROWTH));
  return /** @type {Rgb} */ (over.map((value, at) => Math.round(cover * value + (1 - cover) * under[at])));
}

/** @param {string} colour @returns {Rgb} */
function hex(colour) {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour.trim())?.[1] ?? "ffffff";
  const wide = digits.length === 3 ? Array.from(digits, (digit) => digit + digit).join("") : digits;
  return /** @type {Rgb} */ ([0, 2, 4].map((at) => parseInt(wide.slice(at, at + 2), 16)));
}

/**
 * An SVG path between two tokens: an arch over one line of text, a bow between two lines.
 * @param {Spot} from @param {Spot} to
 */
export function curve(from, to) {
  const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  const point = (/** @type {number} */ x, /** @type {number} */ y) => `${round(x)} ${round(y)}`;
  if (sameLine(from, to)) {
    const rise = Math.min(from.height * 0.9, 5 + Math.abs(to.x - from.x) * 0.12);
    return `M${point(from.x, from.y)} C${point(from.x, from.y - rise)} ${point(to.x, to.y - rise)} ${point(to.x, to.y)}`;
  }
  // It leaves the lower token by its top and reaches the upper one at its foot.
  const [low, high] = from.y > to.y ? [from, to] : [to, from];
  const foot = high.y + high.height;
  const half = (low.y - foot) / 2;
  const bend = Math.max(half, 8);
  return `M${point(low.x, low.y)} C${point(low.x, low.y - bend)} ${point(high.x, foot + bend)} ${point(high.x, foot)}`;
}

/**
 * Whether the smaller one stands beside the other: a token in smaller letters begins lower in its line.
 * @param {Spot} a
 * @param {Spot} b
 */
function sameLine(a, b) {
  return Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > Math.min(a.height, b.height) / 2;
}

/**
 * The token above or below another, as the arrow keys go: nearest across in the next line, or null where there is none.
 * @param {Spot[]} spots in the order of the text @param {number} at @param {-1 | 1} direction
 * @returns {number | null}
 */
export function nearestInLine(spots, at, direction) {
  const here = spots[at];
  if (!here) return null;
  let line = null;
  let best = null;
  for (let next = at + direction; next >= 0 && next < spots.length; next += direction) {
    const spot = spots[next];
    if (sameLine(spot, here)) continue;
    line ??= spot;
    if (!sameLine(spot, line)) break;
    if (best === null || Math.abs(spot.x - here.x) < Math.abs(spots[best].x - here.x)) best = next;
  }
  return best;
}
