/** Tokens in lines on a picture, each on the colour of its surprise, and the legend of such pictures. */
import { diverging } from "./color.js";
import { levelOf, MOST_LEVEL } from "./trail.js";

/**
 * Colours of the page; `surprise` are those of the tokens on the paper, by level.
 * @typedef {{ ink: string, quiet: string, line: string, accent: string, ground: string, surprise: string[] }} Inks
 */
/** @typedef {{ line: number, x: number, width: number }} Place */

/** Height of a token in CSS pixels. */
export const STRIP = 20;
export const FONT =
  '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Noto Sans CJK SC", sans-serif';
/** Around a token's text. */
const PADDING = 4;
const LEAST_WIDTH = 14;
export const [LESS, MORE] = [diverging(-0.7), diverging(0.7)].map((rgb) => `rgb(${rgb.join(" ")})`);

/** Colours of the page around an element. @param {Element} element @returns {Inks} */
export function inksOf(element) {
  const style = getComputedStyle(element);
  const ink = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    ink: ink("--ink"),
    quiet: ink("--ink-2"),
    line: ink("--line"),
    accent: ink("--accent"),
    ground: ink("--sheet"),
    surprise: Array.from({ length: MOST_LEVEL + 1 }, (_, level) => ink(`--s${level}`)),
  };
}

/**
 * Sets tokens into lines like words, but between any two: every token keeps its whole width, a line break ends the
 * line.
 * @param {number[]} widths @param {boolean[]} breaks whether the line ends after a token @param {number} room
 * @returns {{ places: Place[], lines: [from: number, to: number][] }}
 */
export function setLines(widths, breaks, room) {
  /** @type {Place[]} */
  const places = [];
  /** @type {[number, number][]} */
  const lines = [];
  let [from, x] = [0, 0];
  for (let i = 0; i < widths.length; i += 1) {
    const width = Math.min(widths[i], room);
    if (i > from && x + width > room) {
      lines.push([from, i]);
      [from, x] = [i, 0];
    }
    places.push({ line: lines.length, x, width });
    x += width;
    if (breaks[i] && i + 1 < widths.length) {
      lines.push([from, i + 1]);
      [from, x] = [i + 1, 0];
    }
  }
  if (from < widths.length) lines.push([from, widths.length]);
  return { places, lines };
}

/**
 * The same, by the width of what is written on them.
 * @param {readonly string[]} labels @param {boolean[]} breaks @param {number} room
 */
export function layTokens(labels, breaks, room) {
  const g = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  g.font = FONT;
  return setLines(
    labels.map((label) => Math.max(LEAST_WIDTH, Math.ceil(g.measureText(label).width) + 2 * PADDING)),
    breaks,
    room,
  );
}

/**
 * The token at a point of a line, the nearest where there is none; -1 where the line is not there.
 * @param {Place[]} places @param {[number, number][]} lines @param {number} line @param {number} x
 */
export function tokenAt(places, lines, line, x) {
  const range = lines[line];
  if (!range) return -1;
  for (let i = range[0]; i < range[1]; i += 1) if (x < places[i].x + places[i].width) return i;
  return range[1] - 1;
}

/**
 * The token over or under another: the one in the next line whose middle is nearest.
 * @param {Place[]} places @param {[number, number][]} lines @param {number} from @param {number} by lines down
 */
export function tokenBeside(places, lines, from, by) {
  const middle = places[from].x + places[from].width / 2;
  const line = Math.min(lines.length - 1, Math.max(0, places[from].line + by));
  return line === places[from].line ? from : tokenAt(places, lines, line, middle);
}

/**
 * The lines to show so that `line` is among them: the page of `size` lines that it stands on.
 * @param {number} line @param {number} all @param {number} size
 * @returns {[from: number, to: number]}
 */
export function pageOf(line, all, size) {
  const from = Math.max(0, Math.min(Math.floor(line / size) * size, all - size));
  return [from, Math.min(all, from + size)];
}

/**
 * One token, its upper left corner at `x` and `y`, with the pen set to `FONT`.
 * @param {CanvasRenderingContext2D} g @param {string} label @param {number} x @param {number} y @param {number} width
 * @param {number} logprob NaN where the token was not predicted @param {Inks} inks
 */
export function drawToken(g, label, x, y, width, logprob, inks) {
  if (Number.isNaN(logprob)) {
    g.strokeStyle = inks.line;
    g.lineWidth = 1;
    g.strokeRect(x + 0.5, y + 0.5, width - 2, STRIP - 1);
    g.fillStyle = inks.quiet;
  } else {
    g.fillStyle = inks.surprise[levelOf(-logprob)];
    g.fillRect(x, y, width - 1, STRIP);
    g.fillStyle = inks.ink;
  }
  g.fillText(label, x + PADDING - 0.5, y + STRIP / 2 + 0.5, width - 2 * PADDING + 2);
}

/** A sample of a colour in the legend, and the gaps behind it and between two entries. */
const SAMPLE = { width: 42, height: 10, gap: 6, between: 20 };

/**
 * What the colours mean, in one line around `y`.
 * @param {CanvasRenderingContext2D} g
 * @param {{ kind: string, text: string }[]} legend
 * @param {number} y
 * @param {number} room
 * @param {Inks} inks
 */
export function drawLegend(g, legend, y, room, inks) {
  g.font = FONT;
  g.textAlign = "left";
  g.textBaseline = "middle";
  const { width, height, gap, between } = SAMPLE;
  const fixed = legend.length * (width + gap + between) - between;
  const words = legend.map(({ text }) => g.measureText(text).width);
  // A narrow picture, or a language of long words: the words are set narrower, all alike.
  const shrink = Math.min(1, (room - fixed) / words.reduce((sum, each) => sum + each, 0));
  let x = 0;
  legend.forEach(({ kind, text }, i) => {
    const top = y - height / 2;
    if (kind === "surprise") {
      const each = width / inks.surprise.length;
      inks.surprise.forEach((colour, level) => {
        g.fillStyle = colour;
        g.fillRect(x + level * each, top, each, height);
      });
    } else {
      g.fillStyle = kind === "kl" ? inks.quiet : kind === "more" ? MORE : LESS;
      g.fillRect(x, top, width, height);
    }
    g.fillStyle = inks.quiet;
    g.fillText(text, x + width + gap, y, words[i] * shrink + 1);
    x += width + gap + words[i] * shrink + between;
  });
}
