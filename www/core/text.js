/** The text on the paper as runs: who wrote which part. Pure functions; a run is never changed once made. */

/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("../engine/types.js").Token} Token */

/** @param {readonly Run[]} runs */
export function textOf(runs) {
  let text = "";
  for (const run of runs) text += run.text;
  return text;
}

/**
 * A textarea knows only "\n": other line ends would shift every position after them.
 * @param {string} text
 */
export function normalizeNewlines(text) {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/** @param {string} text @returns {Run[]} */
export function userText(text) {
  return text ? [{ text: normalizeNewlines(text), source: "user" }] : [];
}

/**
 * Who wrote what, as lengths: the user's and the model's by turns, the user's first; none where all is the user's.
 * @param {readonly Run[]} runs
 */
export function inksOf(runs) {
  /** @type {number[]} */
  const lengths = [];
  for (const { text, source } of runs) {
    if (!text) continue;
    const turn = source === "user" ? 0 : 1;
    if (!lengths.length) lengths.push(0);
    if (lengths.length % 2 === turn) lengths.push(0);
    lengths[lengths.length - 1] += text.length;
  }
  return lengths.length > 1 ? lengths : [];
}

/**
 * A text that a link brought, and who wrote what of it; where the lengths are not its own, all of it counts as the
 * user's.
 * @param {string} text @param {readonly number[]} inks as of `inksOf`
 * @returns {Run[]}
 */
export function inkedText(text, inks) {
  if (inks.reduce((sum, length) => sum + length, 0) !== text.length || text.includes("\r")) return userText(text);
  let at = 0;
  const runs = inks.map((length, turn) => ({
    text: text.slice(at, (at += length)),
    source: turn % 2 ? /** @type {const} */ ("model") : /** @type {const} */ ("user"),
  }));
  return runs.filter((run) => run.text);
}

/**
 * Replaces the characters from `start` up to `end` (UTF-16 offsets) by the user's text. A token of which only a part
 * is left loses its data, for the numbers no longer describe what stands there.
 * @param {readonly Run[]} runs
 * @param {number} start
 * @param {number} end
 * @param {string} inserted
 * @returns {Run[]}
 */
export function replaceRange(runs, start, end, inserted) {
  /** @type {Run[]} */
  const before = [];
  /** @type {Run[]} */
  const after = [];
  let at = 0;
  for (const run of runs) {
    const from = at;
    const to = (at += run.text.length);
    if (to <= start) before.push(run);
    else if (from >= end) after.push(run);
    else {
      if (from < start) before.push({ text: run.text.slice(0, start - from), source: run.source });
      if (to > end) after.push({ text: run.text.slice(end - from), source: run.source });
    }
  }
  if (inserted) {
    const last = before.at(-1);
    const next = after[0];
    let text = inserted;
    if (last?.source === "user") text = /** @type {Run} */ (before.pop()).text + text;
    if (next?.source === "user") text += /** @type {Run} */ (after.shift()).text;
    before.push({ text, source: "user" });
  }
  return before.concat(after);
}

/**
 * Appends generated tokens. Pieces that are "" (the middle of a UTF-8 character) are kept: each token stays countable.
 * @param {readonly Run[]} runs
 * @param {readonly Token[]} tokens
 * @returns {Run[]}
 */
export function appendTokens(runs, tokens) {
  return runs.concat(tokens.map((token) => ({ text: normalizeNewlines(token.text), source: "model", token })));
}

/** @param {string} text @param {number} at */
function insideSurrogatePair(text, at) {
  return at > 0 && at < text.length && /[\uD800-\uDBFF]/.test(text[at - 1]) && /[\uDC00-\uDFFF]/.test(text[at]);
}

/**
 * Finds the one replacement that turns `before` into `after`. The caret stands right behind what was typed, which
 * settles where in "aaa" an "a" was added.
 * @param {string} before
 * @param {string} after
 * @param {number} caret position in `after`
 * @returns {{ start: number, end: number, inserted: string }}
 */
export function findEdit(before, after, caret) {
  let suffix = after.length - caret;
  if (suffix < 0 || suffix > before.length || (suffix && !before.endsWith(after.slice(-suffix)))) {
    suffix = 0;
    const limit = Math.min(before.length, after.length);
    while (suffix < limit && before[before.length - 1 - suffix] === after[after.length - 1 - suffix]) suffix += 1;
  }
  let start = 0;
  const limit = Math.min(before.length, after.length) - suffix;
  while (start < limit && before[start] === after[start]) start += 1;
  while (insideSurrogatePair(before, start) || insideSurrogatePair(after, start)) start -= 1;
  while (insideSurrogatePair(before, before.length - suffix) || insideSurrogatePair(after, after.length - suffix)) {
    suffix -= 1;
  }
  return { start, end: before.length - suffix, inserted: after.slice(start, after.length - suffix) };
}

/**
 * Undo and redo over whole texts. Runs are shared between snapshots, so a snapshot costs one array.
 */
export class History {
  constructor(limit = 200) {
    this.limit = limit;
    /** @type {{ runs: readonly Run[], caret: number }[]} */
    this.past = [];
    /** @type {{ runs: readonly Run[], caret: number }[]} */
    this.future = [];
  }

  /**
   * Keeps the state that is about to change.
   * @param {readonly Run[]} runs
   * @param {number} caret
   */
  push(runs, caret) {
    this.past.push({ runs, caret });
    if (this.past.length > this.limit) this.past.shift();
    this.future = [];
  }

  /** @param {readonly Run[]} runs @param {number} caret */
  undo(runs, caret) {
    const state = this.past.pop();
    if (state) this.future.push({ runs, caret });
    return state ?? null;
  }

  /** @param {readonly Run[]} runs @param {number} caret */
  redo(runs, caret) {
    const state = this.future.pop();
    if (state) this.past.push({ runs, caret });
    return state ?? null;
  }
}

/** The beginning of a text, for samples of what a model that learns it now writes. @param {string} text */
export function samplePrompt(text) {
  const start = text.trimStart().slice(0, 24);
  const space = start.lastIndexOf(" ");
  // Where no word ends, it ends after twelve characters, never within one.
  return (space > 4 ? start.slice(0, space) : Array.from(start).slice(0, 12).join("")).split("\n")[0] || "\n";
}

/** As wide as so many latin letters is the longest title. */
const TITLE_WIDTH = 24;

/** How a text begins, short enough for a name: about 24 latin letters or 12 Chinese characters. @param {string} text */
export function titleOf(text) {
  const line = text.slice(0, 400).trim().replace(/\s+/g, " ");
  let width = 0;
  let title = "";
  for (const character of line) {
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
    if (width > TITLE_WIDTH) {
      const space = line[title.length] === " " ? title.length : title.lastIndexOf(" ");
      return `${title.slice(0, space > title.length / 2 ? space : undefined).replace(/[\s,.;:，。；：、]+$/u, "")}…`;
    }
    title += character;
  }
  return title;
}

/**
 * A file's text: UTF-8, or UTF-16 that says so. Of anything else one cannot tell what it means.
 * @param {ArrayBuffer} bytes
 * @returns {string | null}
 */
export function decode(bytes) {
  const [a, b] = new Uint8Array(bytes);
  const encoding = a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}
