/** What the paper's layer is made of: stretches of text with their classes. Pure functions. */

/** @typedef {import("../engine/types.js").Run} Run */

/**
 * Tokens to be told apart on the paper: token i stands from `ends[i - 1]` to `ends[i]`, in UTF-16 units, in the order
 * of
 * the text. `levels[i]` is its colour, 255 for none. `selected` is the index of the token to outline, or -1.
 * Replaced, never changed.
 * @typedef {{ ends: ArrayLike<number>, levels: ArrayLike<number>, count: number, selected: number }} Marks
 */

/** One span. @typedef {{ text: string, class: string }} Piece */

export const NO_LEVEL = 255;

/**
 * Cuts the runs where a token ends. A run without text keeps its piece, so that every token stays countable.
 * @param {readonly Run[]} runs
 * @param {Marks | null} marks
 * @returns {Piece[]}
 */
export function piecesOf(runs, marks) {
  /** @type {Piece[]} */
  const pieces = [];
  let token = 0;
  let at = 0;
  for (const run of runs) {
    const ink = run.source === "model" ? "ink-model" : "ink-user";
    const runEnd = at + run.text.length;
    if (!marks || at === runEnd) {
      pieces.push({ text: run.text, class: ink });
      at = runEnd;
      continue;
    }
    const from = at;
    while (at < runEnd) {
      while (token < marks.count && marks.ends[token] <= at) token += 1;
      const known = token < marks.count;
      const end = known ? Math.min(runEnd, marks.ends[token]) : runEnd;
      const name = known ? `${ink}${markClass(marks, token)}` : ink;
      pieces.push({ text: run.text.slice(at - from, end - from), class: name });
      at = end;
    }
  }
  return pieces;
}

/** @param {Marks} marks @param {number} token */
function markClass(marks, token) {
  const level = marks.levels[token];
  return `${level === NO_LEVEL ? "" : ` tint s${level}`}${token === marks.selected ? " selected" : ""}`;
}

/**
 * How many pieces at the beginning and at the end stay as they are.
 * @param {readonly Piece[]} before @param {readonly Piece[]} after
 */
export function unchanged(before, after) {
  const same = (/** @type {Piece} */ one, /** @type {Piece} */ other) =>
    one.text === other.text && one.class === other.class;
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && same(before[head], after[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && same(before[before.length - 1 - tail], after[after.length - 1 - tail])) tail += 1;
  return { head, tail };
}
