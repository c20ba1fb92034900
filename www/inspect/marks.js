/** Which characters of the paper get which colour. Pure functions. */
import { NO_LEVEL } from "../core/pieces.js";

/** @typedef {import("../core/pieces.js").Marks} Marks */
/** @typedef {import("./trail.js").Trail} Trail */

/**
 * Marks for the text as it stands. While the user types, the tokens are still those of an older text: those before the
 * change stay
 * where they are, those after it move along, and what was changed has no marks until its tokens have come.
 * @param {Trail} trail
 * @param {string} text
 * @param {{ surprise: boolean, selected: number }} options
 * @returns {Marks}
 */
export function marksOf(trail, text, { surprise, selected }) {
  const count = trail.length;
  const levels = surprise ? trail.levels : new Uint8Array(count).fill(NO_LEVEL);
  const whole = { ends: trail.ends, levels, count, selected };
  if (trail.text === text) return whole;
  const { head, tail } = sharedEnds(trail.text, text);
  const shift = text.length - trail.text.length;
  /** @type {number[]} */
  const ends = [];
  /** @type {number[]} */
  const kept = [];
  let chosen = -1;
  let at = 0;
  const keep = (/** @type {number} */ token, /** @type {number} */ end) => {
    if (token === selected) chosen = ends.length;
    ends.push(end);
    kept.push(levels[token]);
  };
  while (at < count && trail.ends[at] <= head) keep(at, trail.ends[at++]);
  const gap = trail.text.length - tail;
  const start = (/** @type {number} */ token) => trail.ends[token - 1] ?? 0;
  while (at < count && start(at) < gap) at += 1;
  if (at < count) {
    ends.push(start(at) + shift);
    kept.push(NO_LEVEL);
    for (; at < count; at += 1) keep(at, trail.ends[at] + shift);
  }
  return { ends, levels: kept, count: ends.length, selected: chosen };
}

/**
 * How many characters two texts share at their beginning and, of what is left, at their end.
 * @param {string} one @param {string} other
 */
export function sharedEnds(one, other) {
  const shorter = Math.min(one.length, other.length);
  let head = 0;
  // A text that only grows is the usual case, and compared by the engine of the language.
  if (other.startsWith(one)) head = one.length;
  else while (head < shorter && one.charCodeAt(head) === other.charCodeAt(head)) head += 1;
  let tail = 0;
  while (tail < shorter - head && one.charCodeAt(one.length - 1 - tail) === other.charCodeAt(other.length - 1 - tail))
    tail += 1;
  return { head, tail };
}

/**
 * The run that begins at a place of the text, or -1; the number of runs at the text's end.
 * @param {readonly import("../engine/types.js").Run[]} runs @param {number} place
 */
export function runAt(runs, place) {
  let at = 0;
  for (const [index, run] of runs.entries()) {
    if (at === place && run.text !== "") return index;
    if (at > place) return -1;
    at += run.text.length;
  }
  return at === place ? runs.length : -1;
}
