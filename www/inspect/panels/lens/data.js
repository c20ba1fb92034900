/**
 * The logit lens as plain data: columns, the window over the text, the chart's geometry, the files. Free of the DOM.
 */
import { toCsv } from "../../save.js";

/** @typedef {import("../../types.js").LensAnswer} LensAnswer */
/** @typedef {{ id: number, text: string, logprob: number }} LensToken */
/**
 * What one level says after one position: its likeliest tokens, and where the target stands in its list. `rank` counts
 * from 1;
 * without a target it is 0 and `logprob` is NaN.
 * @typedef {{ top: LensToken[], logprob: number, rank: number, entropy: number }} LensLevel
 */
/**
 * One position; `levels[0]` is the embedding.
 * @typedef {{ row: number, target: { id: number, text: string } | null, levels: LensLevel[] }} LensColumn
 */
/** @typedef {{ level: number, position: number }} Cursor */

const NO_TARGET = 0xffffffff;
/** Narrower cells hold no word. */
const CELL_PX = { narrow: 68, wide: 54 };
const LABEL_PX = 40;
/** From here on the panel counts as wide. */
const WIDE_PX = 420;

/**
 * @param {LensAnswer} answer
 * @returns {LensColumn[]} one per row, in order
 */
export function columnsOf(answer) {
  const { levels, from, rows, top, topIds, topLogprobs, logprob, rank, entropy, targets } = answer;
  const texts = new Map(answer.texts);
  const textOf = (/** @type {number} */ id) => texts.get(id) ?? `#${id}`;
  return Array.from({ length: rows }, (_, row) => {
    const id = targets[row];
    const target = id === NO_TARGET ? null : { id, text: textOf(id) };
    return {
      row: from + row,
      target,
      levels: Array.from({ length: levels }, (_, level) => {
        const cell = level * rows + row;
        return {
          top: Array.from({ length: top }, (_, i) => {
            const token = topIds[cell * top + i];
            return { id: token, text: textOf(token), logprob: topLogprobs[cell * top + i] };
          }),
          logprob: target ? logprob[cell] : NaN,
          rank: target ? rank[cell] + 1 : 0,
          entropy: entropy[cell],
        };
      }),
    };
  });
}

/**
 * How many positions fit side by side: four on a phone, up to twelve beside the text.
 * @param {number} width of the panel in CSS pixels
 */
export function columnsFor(width) {
  const cell = width < WIDE_PX ? CELL_PX.narrow : CELL_PX.wide;
  return Math.min(12, Math.max(3, Math.floor((width - LABEL_PX) / cell)));
}

/**
 * Where the window begins: where it was if it still shows the selected token, else with that token in its middle.
 * @param {number | null} from @param {number} selected @param {number} count of tokens @param {number} columns
 */
export function windowFrom(from, selected, count, columns) {
  const last = Math.max(0, count - columns);
  const kept = from !== null && from <= last && selected >= from && selected < from + columns;
  return kept ? from : Math.min(last, Math.max(0, selected - Math.floor(columns / 2)));
}

/**
 * The first to behind the last of the rows that are still to be fetched, or null.
 * @param {(row: number) => boolean} has @param {number} from @param {number} to
 * @returns {[number, number] | null}
 */
export function missingSpan(has, from, to) {
  while (from < to && has(from)) from += 1;
  while (to > from && has(to - 1)) to -= 1;
  return from < to ? [from, to] : null;
}

/**
 * Where a key leads in the grid, and the window that shows it: up is deeper, right is later. Null for keys that mean
 * nothing here.
 * @param {string} key
 * @param {Cursor} cursor
 * @param {{ levels: number, count: number, from: number, columns: number }} grid
 * @returns {(Cursor & { from: number }) | null}
 */
export function moveCursor(key, cursor, { levels, count, from, columns }) {
  let { level, position } = cursor;
  if (key === "ArrowUp") level += 1;
  else if (key === "ArrowDown") level -= 1;
  else if (key === "ArrowLeft") position -= 1;
  else if (key === "ArrowRight") position += 1;
  else if (key === "PageUp") position -= columns;
  else if (key === "PageDown") position += columns;
  else if (key === "Home") position = from;
  else if (key === "End") position = from + columns - 1;
  else return null;
  level = Math.min(levels - 1, Math.max(0, level));
  position = Math.min(count - 1, Math.max(0, position));
  const last = Math.max(0, count - columns);
  const shift = key === "PageUp" || key === "PageDown" ? position - cursor.position : 0;
  let start = Math.min(last, Math.max(0, from + shift));
  if (position < start) start = position;
  if (position >= start + columns) start = position - columns + 1;
  return { level, position, from: start };
}

/**
 * What a cell's colour stands for, from 0 to 1; NaN where there is no target.
 * @param {LensLevel} level @param {"own" | "target"} by
 */
export function cellShare(level, by) {
  return Math.exp(by === "own" ? level.top[0].logprob : level.logprob);
}

/**
 * The first level from which on the target stays the likeliest, or -1: where the model has made up its mind.
 * @param {LensColumn} column
 */
export function settledAt(column) {
  let level = column.levels.length;
  while (level > 0 && column.levels[level - 1].rank === 1) level -= 1;
  return level < column.levels.length ? level : -1;
}

/**
 * The smallest of 1, 2, 5, 10, 20, ... per cent that holds `p`.
 * @param {number} p
 */
export function niceShare(p) {
  for (const scale of [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]) if (p <= scale) return scale;
  return 1;
}

/** Ticks stand at least this share of the axis before its end. */
const APART = 0.22;

/**
 * The target's way through the levels, as points in two bands one above the other: its probability (from 0 up), and its
 * rank
 * (logarithmic, 1 on top).
 * @param {LensColumn} column
 * @param {{ left: number, right: number, probability: [number, number], rank: [number, number] }} bands
 *   top and bottom of each band
 * @param {number} [vocabSize] no rank is beyond it
 */
export function chartOf(column, { left, right, probability, rank }, vocabSize = Infinity) {
  const { levels } = column;
  const step = levels.length > 1 ? (right - left) / (levels.length - 1) : 0;
  const x = levels.map((_, level) => left + step * level);
  const share = niceShare(Math.max(...levels.map((level) => Math.exp(level.logprob))));
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(...levels.map((level) => level.rank))) - 1e-9));
  const at = (/** @type {[number, number]} */ [top, bottom], /** @type {number} */ down) => top + down * (bottom - top);
  const ofShare = (/** @type {number} */ p) => at(probability, 1 - p / share);
  const lowest = Math.min(10 ** decades, Math.max(vocabSize, 2));
  const ofRank = (/** @type {number} */ r) => at(rank, Math.log10(r) / Math.log10(lowest));
  const powers = Array.from({ length: decades + 1 }, (_, power) => 10 ** power);
  // A power of ten close above the last rank would stand in its label.
  const ranks = [
    ...powers.filter((power) => power === lowest || Math.log10(lowest / power) >= APART * Math.log10(lowest)),
    ...(powers.includes(lowest) ? [] : [lowest]),
  ];
  return {
    x,
    probability: levels.map((level) => ofShare(Math.exp(level.logprob))),
    rank: levels.map((level) => ofRank(level.rank)),
    shareTicks: [share, share / 2, 0].map((value) => ({ value, y: ofShare(value) })),
    rankTicks: ranks.map((value) => ({ value, y: ofRank(value) })),
    // A label at least every 24 pixels, always one at both ends.
    levelTicks: spread(levels.length, Math.max(2, Math.floor((right - left) / 24))),
  };
}

/**
 * At most `most` of the numbers from 0 below `count`, evenly spread, with both ends.
 * @param {number} count @param {number} most
 */
export function spread(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  const stride = Math.ceil((count - 1) / (most - 1));
  const ticks = [];
  for (let i = 0; i < count - 1; i += stride) ticks.push(i);
  // The last one takes the place of a neighbour that would touch it.
  if (count - 1 - ticks[ticks.length - 1] < stride / 2 && ticks.length > 1) ticks.pop();
  return [...ticks, count - 1];
}

/**
 * @param {LensColumn[]} columns
 * @param {string[]} tokens text of each position
 * @param {string[]} names of the levels
 */
export function lensCsv(columns, tokens, names) {
  const top = columns[0]?.levels[0]?.top.length ?? 0;
  const header = [
    "position_from_1",
    "token",
    "level",
    "name",
    "entropy_nats",
    "target",
    "target_probability",
    "target_rank_from_1",
  ];
  for (let i = 1; i <= top; i += 1) header.push(`token_${i}`, `probability_${i}`);
  const rows = columns.flatMap(({ row, target, levels }) =>
    levels.map((level, i) => [
      row + 1,
      tokens[row] ?? "",
      i,
      names[i],
      level.entropy,
      target?.text ?? "",
      target ? Math.exp(level.logprob) : "",
      target ? level.rank : "",
      ...level.top.flatMap(({ text, logprob }) => [text, Math.exp(logprob)]),
    ]),
  );
  return toCsv(header, rows);
}

/**
 * @param {LensColumn[]} columns
 * @param {string[]} tokens
 * @param {string[]} names
 * @param {"answer" | "next"} kind what the target is
 */
export function lensJson(columns, tokens, names, kind) {
  return {
    what: "logit lens",
    target: kind === "answer" ? "the model's likeliest token" : "the token that follows",
    positions: columns.map(({ row, target, levels }) => ({
      position_from_1: row + 1,
      token: tokens[row] ?? "",
      target,
      levels: levels.map(({ top, logprob, rank, entropy }, level) => ({
        level,
        name: names[level],
        entropy,
        ...(target ? { targetLogprob: logprob, target_rank_from_1: rank } : {}),
        top,
      })),
    })),
  };
}
