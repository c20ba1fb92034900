/** Draws lines of tokens as both models saw them: two strips of surprise, bars of KL, bars of gain and loss. */
import { drawToken, FONT, LESS, MORE, STRIP } from "../../token_strip.js";

/** @typedef {import("./data.js").Pair} Pair */
/** @typedef {import("../../token_strip.js").Inks} Inks */
/** @typedef {import("../../token_strip.js").Place} Place */
/**
 * @typedef {object} Strips
 * @property {string[]} labels of the tokens
 * @property {Pair[]} pairs
 * @property {Place[]} places
 * @property {[number, number][]} lines
 * @property {[string, string, string, string]} lanes names of the four lanes, short
 * @property {number} klScale nats of a full bar
 * @property {number} gainScale
 */

/** Heights in CSS pixels; `gutter` is the room for the lanes' names at the left. */
export const SHAPE = { gutter: 46, strip: STRIP, kl: 16, gain: 32, gap: 3, between: 16 };
const { gutter, strip, kl: klHeight, gain: gainHeight, gap, between } = SHAPE;
const KL_TOP = 2 * (strip + gap);
const GAIN_TOP = KL_TOP + klHeight + gap;
/** From one line to the next. */
export const LINE_HEIGHT = GAIN_TOP + gainHeight + between;
/** Bars of KL and gain are no wider, so that a long token does not look like a large figure. */
const BAR = 10;

/**
 * One line, its upper edge at `y`.
 * @param {CanvasRenderingContext2D} g
 * @param {Strips} data
 * @param {number} line
 * @param {number} y
 * @param {Inks} inks
 * @param {number} selected
 */
export function drawLine(g, data, line, y, inks, selected) {
  const { labels, pairs, places, lanes, klScale, gainScale } = data;
  const [from, to] = data.lines[line];
  const end = gutter + places[to - 1].x + places[to - 1].width;
  g.font = "11px system-ui, sans-serif";
  g.fillStyle = inks.quiet;
  g.textBaseline = "middle";
  g.textAlign = "left";
  const middles = [strip / 2, strip + gap + strip / 2, KL_TOP + klHeight / 2, GAIN_TOP + gainHeight / 2];
  lanes.forEach((lane, i) => g.fillText(lane, 0, y + middles[i], gutter - 6));
  const zero = y + GAIN_TOP + gainHeight / 2;
  g.fillStyle = inks.line;
  g.fillRect(gutter, y + KL_TOP + klHeight, end - gutter, 1);
  g.fillRect(gutter, zero, end - gutter, 1);

  g.font = FONT;
  for (let i = from; i < to; i += 1) {
    const { x: left, width } = places[i];
    const x = gutter + left;
    const { mine, other, kl, gain } = pairs[i];
    const thick = Math.min(width - 1, BAR);
    const bar = Math.round(x + (width - 1 - thick) / 2);
    drawToken(g, labels[i], x, y, width, mine, inks);
    drawToken(g, labels[i], x, y + strip + gap, width, other, inks);
    if (kl > 0) {
      const height = Math.max(1, Math.min(1, kl / klScale) * klHeight);
      g.fillStyle = inks.quiet;
      g.fillRect(bar, y + KL_TOP + klHeight - height, thick, height);
    }
    if (gain !== 0 && !Number.isNaN(gain)) {
      const height = Math.max(1, Math.min(1, Math.abs(gain) / gainScale) * (gainHeight / 2));
      g.fillStyle = gain > 0 ? MORE : LESS;
      g.fillRect(bar, gain > 0 ? zero - height : zero + 1, thick, height);
    }
  }
  if (selected >= from && selected < to) {
    const { x, width } = places[selected];
    g.strokeStyle = inks.accent;
    g.lineWidth = 2;
    g.strokeRect(gutter + x - 1.5, y - 3, width + 2, LINE_HEIGHT - between + 6);
  }
}

/**
 * The whole text as bars of gain, the strongest of each pixel column.
 * @param {CanvasRenderingContext2D} g
 * @param {Pair[]} pairs
 * @param {number} width
 * @param {number} height
 * @param {number} scale
 * @param {Inks} inks @param {number} selected
 */
export function drawOverview(g, pairs, width, height, scale, inks, selected) {
  const zero = Math.round(height / 2);
  const each = width / Math.max(1, pairs.length);
  g.fillStyle = inks.line;
  g.fillRect(0, zero, width, 1);
  const at = selected * each;
  g.fillStyle = inks.line;
  g.fillRect(at, 0, Math.max(2, each), height);
  g.fillStyle = inks.accent;
  g.fillRect(at, 0, Math.max(2, each), 2);
  g.fillRect(at, height - 2, Math.max(2, each), 2);
  pairs.forEach(({ gain }, i) => {
    if (!gain) return;
    const length = Math.max(1, Math.min(1, Math.abs(gain) / scale) * (height / 2 - 2));
    g.fillStyle = gain > 0 ? MORE : LESS;
    g.fillRect(i * each, gain > 0 ? zero - length : zero + 1, Math.max(1, each - (each > 3 ? 1 : 0)), length);
  });
}
