/**
 * The text with its inks and its history, as it is kept: each step back or forth as what it changes. Pure functions.
 */
import { count, list, object, oneOf, read, text, tuple } from "../core/schema.js";
import { textOf } from "../core/text.js";

/** @typedef {import("../engine/types.js").Run} Run */
/** A text on the paper and its caret. @typedef {{ runs: readonly Run[], caret: number }} Moment */
/** Whose text, and the text. @typedef {["user" | "model", string]} Part */
/**
 * How one moment comes of its neighbour, the one nearer to the present: between so many characters at its beginning and
 * its end stands
 * something else.
 * @typedef {{ head: number, tail: number, parts: Part[], caret: number }} Step
 */
/**
 * `past` and `future` begin with what is farthest from the present.
 * @typedef {{ parts: Part[], caret: number, past: Step[], future: Step[] }} TextRecord
 */

/** More characters of history are not kept; its oldest steps go first. */
const MOST_HISTORY = 4_000_000;
/** Texts are compared so many characters at once. */
const BLOCK = 1 << 16;

/**
 * The steps that are known already: of which neighbour, and how.
 * @type {WeakMap<Moment, { near: readonly Run[], step: Step }>}
 */
const known = new WeakMap();

/** @param {readonly Run[]} runs @returns {Part[]} */
function partsOf(runs) {
  return joined(runs.map(({ source, text: own }) => [source, own]));
}

/** Neighbours of one source are one part. @param {Part[]} parts @returns {Part[]} */
function joined(parts) {
  /** @type {Part[]} */
  const all = [];
  for (const [source, own] of parts) {
    const last = all.at(-1);
    if (last?.[0] === source) last[1] += own;
    else if (own) all.push([source, own]);
  }
  return all;
}

/** How many characters two texts share at their beginning. @param {string} a @param {string} b */
function sharedHead(a, b) {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a.slice(at, at + BLOCK) === b.slice(at, at + BLOCK)) at += BLOCK;
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return Math.min(at, most);
}

/** How many characters two texts share at their end. @param {string} a @param {string} b */
function sharedTail(a, b) {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && slice(a, at) === slice(b, at)) at += BLOCK;
  while (at < most && a.charCodeAt(a.length - 1 - at) === b.charCodeAt(b.length - 1 - at)) at += 1;
  return Math.min(at, most);
}

/** The block that ends so many characters before the end. @param {string} own @param {number} at */
const slice = (own, at) => own.slice(Math.max(0, own.length - at - BLOCK), own.length - at);

/**
 * @param {Part[]} a
 * @param {Part[]} b
 * @param {boolean} [atEnd] how many characters they share there, of the same source
 */
function shared(a, b, atEnd = false) {
  const count = atEnd ? sharedTail : sharedHead;
  let all = 0;
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const [[from, one], [to, other]] = atEnd ? [a[a.length - 1 - at], b[b.length - 1 - at]] : [a[at], b[at]];
    if (from !== to) break;
    const here = count(one, other);
    all += here;
    if (here < one.length || here < other.length) break;
  }
  return all;
}

/** @param {Part[]} parts @param {number} from @param {number} to */
function cut(parts, from, to) {
  /** @type {Part[]} */
  const inside = [];
  let end = 0;
  for (const [source, own] of parts) {
    const start = end;
    end += own.length;
    if (end > from && start < to) inside.push([source, own.slice(Math.max(0, from - start), to - start)]);
  }
  return inside;
}

/** @param {Part[]} parts */
const lengthOf = (parts) => parts.reduce((sum, [, own]) => sum + own.length, 0);

/** @param {Part[]} near @param {Part[]} far @param {number} caret @returns {Step} */
function stepBetween(near, far, caret) {
  const [nearLength, farLength] = [lengthOf(near), lengthOf(far)];
  const head = shared(near, far);
  const tail = Math.min(shared(near, far, true), nearLength - head, farLength - head);
  return { head, tail, parts: cut(far, head, farLength - tail), caret };
}

/**
 * The steps that lead away from the present, the farthest first; those that are too far are left out.
 * @param {readonly Run[]} present @param {readonly Moment[]} moments the farthest first @param {number} room characters
 */
function stepsOf(present, moments, room) {
  /** @type {Step[]} */
  const steps = [];
  let near = present;
  /** @type {Part[] | null} */
  let nearParts = null;
  for (const moment of [...moments].reverse()) {
    let found = known.get(moment);
    /** @type {Part[] | null} */
    let farParts = null;
    if (found?.near !== near) {
      farParts = partsOf(moment.runs);
      found = { near, step: stepBetween(nearParts ?? partsOf(near), farParts, moment.caret) };
      known.set(moment, found);
    }
    const size = lengthOf(found.step.parts);
    if (size > room) break;
    room -= size;
    steps.unshift(found.step);
    near = moment.runs;
    nearParts = farParts;
  }
  return { steps, room };
}

/**
 * @param {Moment} present @param {{ past: readonly Moment[], future: readonly Moment[] }} history
 * @returns {TextRecord}
 */
export function packText({ runs, caret }, { past, future }) {
  const forth = stepsOf(runs, future, MOST_HISTORY);
  const back = stepsOf(runs, past, forth.room);
  return { parts: partsOf(runs), caret, past: back.steps, future: forth.steps };
}

const part = /** @type {import("../core/schema.js").Check<Part>} */ (tuple([oneOf(["user", "model"]), text()]));
const step = object({ head: count(), tail: count(), parts: list(part), caret: count() });
const textRecord = object({ parts: list(part), caret: count(), past: list(step), future: list(step) });

/** @param {Part[]} parts @returns {Run[]} */
const runsOf = (parts) => parts.map(([source, own]) => ({ text: own, source }));

/**
 * @param {Moment} present
 * @param {Step[]} steps the farthest first
 * @returns {Moment[] | null} null where one does not fit
 */
function momentsOf(present, steps) {
  /** @type {Moment[]} */
  const moments = [];
  let near = present.runs;
  let parts = partsOf(near);
  for (const one of [...steps].reverse()) {
    const length = lengthOf(parts);
    if (one.head + one.tail > length) return null;
    parts = joined([...cut(parts, 0, one.head), ...one.parts, ...cut(parts, length - one.tail, length)]);
    const moment = { runs: runsOf(parts), caret: Math.min(one.caret, lengthOf(parts)) };
    known.set(moment, { near, step: one });
    moments.unshift(moment);
    near = moment.runs;
  }
  return moments;
}

/**
 * @param {unknown} stored
 * @returns {(Moment & { past: Moment[], future: Moment[], damaged: boolean }) | null} null where nothing can be read;
 *   `damaged` where a
 *   part could not be
 */
export function unpackText(stored) {
  const { value, wrong } = read(textRecord, stored);
  if (wrong.includes("parts")) return null;
  const runs = runsOf(joined(value.parts));
  const present = { runs, caret: Math.min(value.caret, textOf(runs).length) };
  // A step is of use only while those nearer to the present are whole.
  const broken = wrong.length > 0;
  const past = broken ? null : momentsOf(present, value.past);
  const future = broken ? null : momentsOf(present, value.future);
  return { ...present, past: past ?? [], future: future ?? [], damaged: broken || !past || !future };
}
