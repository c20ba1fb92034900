/** Texts that begin alike, as a tree. Pure functions; runs are shared, never changed. */

/** @typedef {import("../engine/types.js").Run} Run */

/**
 * A text that ends somewhere: a leaf of the tree.
 * @typedef {object} Branch
 * @property {string} id
 * @property {string} name "" where nobody named it
 * @property {number} created milliseconds since 1970
 * @property {readonly Run[]} runs
 * @property {string} text of all runs
 */

/**
 * What the model said of the tokens that it wrote.
 * @typedef {object} Figures
 * @property {number} tokens how many there are with a known log-probability; what people typed has none
 * @property {number} logprob their sum, in nats
 * @property {number | null} meanLogprob per token, in nats; null without tokens
 */

/**
 * A stretch of text that the same branches share.
 * @typedef {object} TreeNode
 * @property {string} id stays the same while the tree grows
 * @property {number} start where the stretch begins in its branches' text, in UTF-16 units
 * @property {string} text
 * @property {Figures} figures
 * @property {string | null} branch the branch that ends with this stretch
 * @property {number} branches how many branches go through here or end here
 * @property {TreeNode[]} children in the order in which their first branches were made
 */

/**
 * A branch with the places where its runs begin.
 * @typedef {{ branch: Branch, runs: readonly Run[], text: string, starts: number[] }} Walked
 */

/** @param {readonly Run[]} runs @returns {Figures} */
export function figuresOf(runs) {
  let tokens = 0;
  let logprob = 0;
  for (const { token } of runs) {
    if (!token || !Number.isFinite(token.logprob)) continue;
    tokens += 1;
    logprob += token.logprob;
  }
  return { tokens, logprob, meanLogprob: tokens ? logprob / tokens : null };
}

/**
 * The runs between two places of the text. A token of which only a part is wanted loses its data. Tokens without text
 * (the
 * first bytes of a character) go with what follows them, and at the very end with what is before.
 * @param {readonly Run[]} runs @param {number} from @param {number} [to]
 * @returns {Run[]}
 */
export function sliceRuns(runs, from, to = Infinity) {
  /** @type {Run[]} */
  const slice = [];
  let end = 0;
  for (const run of runs) {
    const start = end;
    end = start + run.text.length;
    if (start >= to) break;
    if (start >= from && end <= to) slice.push(run);
    else if (end > from)
      slice.push({ text: run.text.slice(Math.max(0, from - start), to - start), source: run.source });
  }
  return slice;
}

/** @param {Branch} branch @returns {Walked} */
function walk(branch) {
  const starts = [];
  let at = 0;
  for (const run of branch.runs) {
    starts.push(at);
    at += run.text.length;
  }
  return { branch, runs: branch.runs, text: branch.text, starts };
}

/** The last run that begins at `at` or before. @param {Walked} walked @param {number} at */
function runAt({ starts }, at) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** What GPT-2's tokenizer first cuts a text into: no token reaches over the edge of such a piece. */
const PIECE = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
/** Longer pieces are rare, and may be cut. */
const LONGEST_PIECE = 64;

/**
 * Where the piece around a place begins.
 * @param {string} text
 * @param {number} from not before this
 * @param {number} at
 */
function pieceStart(text, from, at) {
  const start = Math.max(from, at - LONGEST_PIECE);
  for (const piece of text.slice(start, at + LONGEST_PIECE).matchAll(PIECE)) {
    const [begin, end] = [start + piece.index, start + piece.index + piece[0].length];
    if (begin >= at) break;
    if (end > at) return begin;
  }
  return at;
}

/**
 * The nearest place, not after `at`, where no token and no character is cut.
 * @param {Walked} walked
 * @param {number} at
 */
function boundary(walked, at) {
  const { text, runs, starts } = walked;
  if (at <= 0 || at >= text.length) return at;
  const index = runAt(walked, at);
  if (runs[index].token) return starts[index];
  // After a reload what the model wrote stands here without its tokens.
  if (runs[index].source === "model") return pieceStart(text, starts[index], at);
  return text.charCodeAt(at) >> 10 === 0x37 && text.charCodeAt(at - 1) >> 10 === 0x36 ? at - 1 : at;
}

/** How many UTF-16 units two branches begin with alike. @param {Walked} one @param {Walked} other */
function alike(one, other) {
  const shorter = Math.min(one.text.length, other.text.length);
  let at = 0;
  // Branches share their run objects up to where they part: most of the text need not be read.
  for (let run = 0; run < one.runs.length && one.runs[run] === other.runs[run]; run += 1)
    at += one.runs[run].text.length;
  while (at < shorter && one.text.charCodeAt(at) === other.text.charCodeAt(at)) at += 1;
  return at;
}

/**
 * How far two branches are the same: in their text, not within a token of either, and in their tokens where both know
 * them.
 * @param {Walked} one @param {Walked} other @param {number} same how far their texts are
 */
function shared(one, other, same) {
  let run = 0;
  while (run < one.runs.length && one.runs[run] === other.runs[run]) run += 1;
  let at = same;
  for (let before = -1; at !== before; ) {
    before = at;
    at = boundary(other, boundary(one, at));
  }
  return differingToken(one, other, run, at);
}

/**
 * How many units any two of many branches begin with alike, without reading them again and again: in order of their
 * texts, two of
 * them have in common what all neighbours between them have.
 * @param {Walked[]} all
 * @returns {(one: Walked, other: Walked) => number}
 */
function neighbours(all) {
  const sorted = [...all].sort((one, other) => {
    const at = alike(one, other);
    const ends = Math.min(one.text.length, other.text.length) === at;
    return ends ? one.text.length - other.text.length : one.text.charCodeAt(at) - other.text.charCodeAt(at);
  });
  const places = new Map(sorted.map((walked, place) => [walked, place]));
  // The least of 1, 2, 4, … neighbours from each place on.
  const least = [sorted.slice(1).map((walked, place) => alike(sorted[place], walked))];
  for (let width = 1; 2 * width < sorted.length; width *= 2) {
    const before = /** @type {number[]} */ (least.at(-1));
    least.push(before.slice(0, before.length - width).map((value, place) => Math.min(value, before[place + width])));
  }
  return (one, other) => {
    const [a, b] = [Number(places.get(one)), Number(places.get(other))];
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    if (from === to) return one.text.length;
    const level = 31 - Math.clz32(to - from);
    return Math.min(least[level][from], least[level][to - 2 ** level]);
  };
}

/**
 * Where before `end` two tokens read the same and are not: broken characters all show as U+FFFD.
 * @param {Walked} one @param {Walked} other @param {number} from first run that can differ @param {number} end
 */
function differingToken(one, other, from, end) {
  let i = from;
  let j = from;
  while (i < one.runs.length && j < other.runs.length && one.starts[i] < end && other.starts[j] < end) {
    const [a, b] = [one.runs[i], other.runs[j]];
    const [at, bt] = [one.starts[i], other.starts[j]];
    if (at === bt && a.token && b.token && a.text && a.text === b.text && a.token.id !== b.token.id) return at;
    const [aEnd, bEnd] = [at + a.text.length, bt + b.text.length];
    if (aEnd <= bEnd) i += 1;
    if (bEnd <= aEnd) j += 1;
  }
  return end;
}

/**
 * @param {Walked[]} group what shares more than `start`, or everything
 * @param {number} start
 * @param {(one: Walked, other: Walked) => number} same how far the texts of two of them are the same
 * @returns {TreeNode}
 */
function build(group, start, same) {
  const [first, ...others] = group;
  let end = first.text.length;
  for (const other of others) end = Math.min(end, shared(first, other, same(first, other)));
  end = Math.max(start, end);
  /** @type {string | null} */
  let ended = null;
  /** @type {Walked[][]} */
  const groups = [];
  for (const walked of group) {
    if (walked.text.length <= end) {
      ended ??= walked.branch.id;
      continue;
    }
    const like = groups.find(([head]) => shared(head, walked, same(head, walked)) > end);
    if (like) like.push(walked);
    else groups.push([walked]);
  }
  // Runs that were restored from plain text know no tokens; another branch may know them.
  let figures = figuresOf(sliceRuns(first.runs, start, groups.length ? end : Infinity));
  for (const other of others) {
    const known = figuresOf(sliceRuns(other.runs, start, end));
    if (known.tokens > figures.tokens) figures = known;
  }
  return {
    id: `${first.branch.id}:${start}`,
    start,
    text: first.text.slice(start, end),
    figures,
    branch: ended,
    branches: group.length,
    children: groups.map((each) => build(each, end, same)),
  };
}

/**
 * All branches as one tree. Where they have nothing in common, its root has no text.
 * @param {readonly Branch[]} branches
 * @returns {TreeNode | null} null without branches
 */
export function treeOf(branches) {
  const all = branches.map(walk);
  return all.length ? build(all, 0, neighbours(all)) : null;
}

/** One side of a comparison. @typedef {{ rest: string, all: Figures, own: Figures }} Side */

/**
 * Two branches beside each other: what they share, and what each has of its own.
 * @param {Branch} left @param {Branch} right
 * @returns {{ common: string, sides: [Side, Side] }}
 */
export function compareBranches(left, right) {
  const [one, other] = [walk(left), walk(right)];
  const at = left === right ? left.text.length : shared(one, other, alike(one, other));
  const side = (/** @type {Branch} */ { runs, text }) => ({
    rest: text.slice(at),
    all: figuresOf(runs),
    own: figuresOf(text.length > at ? sliceRuns(runs, at) : []),
  });
  return { common: left.text.slice(0, at), sides: [side(left), side(right)] };
}
