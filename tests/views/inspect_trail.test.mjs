// @ts-check
// Tokens on the paper: where they stand, what they cost, and what stays known when the text changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_LEVEL, piecesOf, unchanged } from "../../www/core/pieces.js";
import { appendTokens, userText } from "../../www/core/text.js";
import { marksOf, sharedEnds } from "../../www/inspect/marks.js";
import { levelOf, MOST_LEVEL, Trail } from "../../www/inspect/trail.js";

/**
 * A text cut into tokens, as the engine answers: `pieces` are [id, text] in order, "" for a token that completes no
 * character.
 * @param {[number, string][]} pieces @param {boolean} [bos]
 */
function tokensOf(pieces, bos = false) {
  let end = 0;
  const all = bos ? /** @type {[number, string][]} */ ([[0, ""], ...pieces]) : pieces;
  return {
    ids: all.map(([id]) => id),
    texts: all.map(([, text]) => text || "\ufffd"),
    bytes: all.map(() => []),
    ends: all.map(([, text]) => (end += text.length)),
    bos,
  };
}
/** @param {[number, string][]} pieces */
const textOf = (pieces) => pieces.map(([, text]) => text).join("");

/** Scores in which row r has log-probability -(r + 1) bits, and one alternative. @param {number} rows */
function scoresOf(rows) {
  return {
    rows,
    top: 1,
    logprob: Float32Array.from({ length: rows }, (_, row) => (row === rows - 1 ? 0 : -(row + 1) * Math.LN2)),
    entropy: Float32Array.from({ length: rows }, (_, row) => row / 10),
    rank: Uint32Array.from({ length: rows }, (_, row) => row),
    topIds: new Uint32Array(rows).fill(7),
    topLogprobs: new Float32Array(rows).fill(-0.5),
    texts: /** @type {[number, string][]} */ ([[7, " seven"]]),
  };
}

/** Emoji and Chinese, several tokens to a character, the first without text of its own. @type {[number, string][]} */
const SPLIT = [
  [1, "Hi"],
  [2, ""],
  [3, ""],
  [4, "🐺"],
  [5, ""],
  [6, "狼"],
  [7, "!"],
];

test("characters that take several tokens belong to the last of them, in UTF-16 units", () => {
  const text = textOf(SPLIT);
  const trail = Trail.of(tokensOf(SPLIT, true), text);
  assert.deepEqual(trail.ends, [0, 2, 2, 2, 4, 4, 5, 6]);
  trail.score(scoresOf(8));
  const pieces = piecesOf(userText(text), marksOf(trail, text, { surprise: true, selected: 4 }));
  assert.deepEqual(
    pieces.map((piece) => piece.text),
    ["Hi", "🐺", "狼", "!"],
  );
  // Rows 1, 2 and 3 cost 2, 3 and 4 bits: the wolf is as surprising as its three tokens together.
  assert.deepEqual(
    pieces.map((piece) => piece.class),
    ["ink-user tint s1", "ink-user tint s5 selected", "ink-user tint s6", "ink-user tint s4"],
  );
});

test("the caret selects the token before it, a click the one under it", () => {
  const trail = Trail.of(tokensOf(SPLIT, true), textOf(SPLIT));
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((place) => trail.before(place)),
    [1, 1, 1, 4, 4, 6, 7],
  );
  assert.deepEqual(
    [-1, 0, 1, 2, 3, 4, 5, 6].map((place) => trail.after(place)),
    [-1, 1, 1, 4, 4, 6, 7, -1],
  );
  assert.deepEqual(
    [1, 2, 3, 4, 5, 7].map((token) => trail.shownBy(token)),
    [1, 4, 4, 4, 6, 7],
    "a part of a character shows as the whole",
  );
  assert.ok(trail.touches(4, 2) && trail.touches(4, 4) && !trail.touches(4, 5));
  assert.equal(Trail.of(tokensOf([[9, "a"]]), "a").before(0), 0, "without a first-of-document token");
});

test("the first token has no surprise without a token before it, and has one with it", () => {
  const plain = Trail.of(
    tokensOf([
      [1, "a"],
      [2, "b"],
    ]),
    "ab",
  );
  plain.score(scoresOf(2));
  assert.deepEqual([plain.levels[0], plain.levels[1]], [NO_LEVEL, 1]);
  const begun = Trail.of(
    tokensOf(
      [
        [1, "a"],
        [2, "b"],
      ],
      true,
    ),
    "ab",
  );
  begun.score(scoresOf(3));
  assert.deepEqual([...begun.levels.subarray(0, 3)], [NO_LEVEL, 1, 1]);
});

test("surprise is coloured in whole bits up to a limit", () => {
  assert.equal(levelOf(NaN), NO_LEVEL);
  assert.equal(levelOf(0), 0);
  assert.equal(levelOf(-1e-9), 0);
  assert.equal(levelOf(4 * Math.LN2), 2);
  assert.equal(levelOf(4.9 * Math.LN2), 2);
  assert.equal(levelOf(1000), MOST_LEVEL);
  assert.equal(levelOf(Infinity), MOST_LEVEL);
});

test("what the model writes is appended with its own figures, beyond any capacity", () => {
  const trail = Trail.of(tokensOf([[1, "a"]], true), "a");
  const top = [
    { id: 8, text: " c", logprob: -0.1 },
    { id: 5, text: " b", logprob: -1.4 },
  ];
  const token = { id: 5, text: " b", logprob: -2 * Math.LN2, entropy: 1.5, rank: 3, top };
  for (let at = 0; at < 300; at += 1) trail.append(token, " b");
  assert.equal(trail.length, 302);
  assert.equal(trail.text, `a${" b".repeat(300)}`);
  assert.equal(trail.ends.at(-1), trail.text.length);
  assert.equal(trail.levels[301], 1);
  assert.equal(trail.rank[300], 3);
  assert.deepEqual(
    trail.alternatives(300).map(({ id, text }) => [id, text]),
    [
      [8, " c"],
      [5, " b"],
    ],
  );
  assert.ok(Number.isNaN(trail.logprob[0]), "the prompt was never scored");
  assert.deepEqual(trail.alternatives(301), [], "what comes next is not known yet");
  assert.deepEqual(trail.alternatives(-1), []);
});

test("a prefix that two texts share keeps what is known of it, and no more", () => {
  const old = Trail.of(
    tokensOf([
      [1, "a"],
      [2, "b"],
      [3, "c"],
      [4, "d"],
    ]),
    "abcd",
  );
  old.score(scoresOf(4));
  const trail = Trail.of(
    tokensOf([
      [1, "a"],
      [2, "b"],
      [9, "x"],
      [4, "d"],
    ]),
    "abxd",
  );
  trail.carry(old);
  assert.deepEqual([...trail.levels.subarray(0, 4)], [NO_LEVEL, 1, NO_LEVEL, NO_LEVEL]);
  assert.ok(Math.abs(trail.entropy[1] - 0.1) < 1e-6, "what was expected after b does not depend on what came");
  assert.ok(Number.isNaN(trail.logprob[1]) && Number.isNaN(trail.entropy[2]));
  const copy = old.copy(2);
  copy.append({ id: 5, text: "y", logprob: -1, entropy: 1, rank: 0, top: [] }, "y");
  assert.deepEqual([copy.text, old.text, old.ids.length], ["aby", "abcd", 4], "a copy leaves its original alone");
});

test("scores of a part of the text go where they belong, and its last row says nothing of what follows", () => {
  const trail = Trail.of(
    tokensOf([
      [1, "a"],
      [2, "b"],
      [3, "c"],
      [4, "d"],
      [5, "e"],
    ]),
    "abcde",
  );
  trail.score(scoresOf(3), 1, 2);
  assert.ok(Number.isNaN(trail.logprob[1]), "rows before the first to take stay");
  assert.ok(Math.abs(trail.logprob[2] + 2 * Math.LN2) < 1e-6, "row 1 of the part is row 2 of the text");
  assert.ok(Number.isNaN(trail.logprob[3]));
  assert.ok(Math.abs(trail.entropy[3] - 0.2) < 1e-6);
  assert.deepEqual([...trail.levels.subarray(0, 5)], [NO_LEVEL, NO_LEVEL, NO_LEVEL, 1, NO_LEVEL]);
});

test("while the text is ahead of its tokens, what did not change keeps its colours", () => {
  const pieces = /** @type {[number, string][]} */ ([
    [1, "The"],
    [2, " old"],
    [3, " wolf"],
    [4, " ran"],
  ]);
  const trail = Trail.of(tokensOf(pieces), textOf(pieces));
  trail.score(scoresOf(4));
  const marks = (/** @type {string} */ text) =>
    piecesOf(userText(text), marksOf(trail, text, { surprise: true, selected: 3 })).map(
      (piece) => `${piece.text}|${piece.class.replace("ink-user", "").trim()}`,
    );
  assert.deepEqual(marks("The old wolf ran"), ["The|", " old|tint s1", " wolf|tint s1", " ran|tint s2 selected"]);
  assert.deepEqual(marks("The old wolf ran away"), [
    "The|",
    " old|tint s1",
    " wolf|tint s1",
    " ran|tint s2 selected",
    " away|",
  ]);
  assert.deepEqual(marks("The cold wolf ran"), ["The|", " cold|", " wolf|tint s1", " ran|tint s2 selected"]);
  // Which of the two spaces went is not to be seen.
  assert.deepEqual(marks("The wolf ran"), ["The|", " wolf|", " ran|tint s2 selected"]);
  assert.deepEqual(marks(""), []);
  assert.deepEqual(marks("Quite another text"), ["Quite another text|"]);
});

test("shared beginnings and ends never overlap", () => {
  assert.deepEqual(sharedEnds("aaa", "aa"), { head: 2, tail: 0 });
  assert.deepEqual(sharedEnds("abc", "abc"), { head: 3, tail: 0 });
  assert.deepEqual(sharedEnds("axc", "ayc"), { head: 1, tail: 1 });
  assert.deepEqual(sharedEnds("", "abc"), { head: 0, tail: 0 });
});

test("a token that arrives changes one piece, whoever wrote the text before", () => {
  const token = { id: 5, text: " b", logprob: -Math.LN2, entropy: 1, rank: 0, top: [] };
  let runs = /** @type {readonly import("../../www/engine/types.js").Run[]} */ (userText("One two"));
  const trail = Trail.of(
    tokensOf([
      [1, "One"],
      [2, " two"],
    ]),
    "One two",
  );
  const draw = () =>
    piecesOf(runs, marksOf(trail, runs.map((run) => run.text).join(""), { surprise: true, selected: -1 }));
  let before = draw();
  for (let at = 0; at < 5; at += 1) {
    runs = appendTokens(runs, [token]);
    trail.append(token, token.text);
    const after = draw();
    assert.deepEqual(unchanged(before, after), { head: before.length, tail: 0 });
    assert.equal(after.length, before.length + 1);
    before = after;
  }
});

test("a token over the border of two runs is drawn in both inks, and a run without text keeps its piece", () => {
  const runs = [
    ...userText("ab"),
    { text: "", source: /** @type {const} */ ("model") },
    { text: "cd", source: /** @type {const} */ ("model") },
  ];
  const trail = Trail.of(
    tokensOf([
      [1, "a"],
      [2, "bc"],
      [3, "d"],
    ]),
    "abcd",
  );
  trail.score(scoresOf(3));
  const pieces = piecesOf(runs, marksOf(trail, "abcd", { surprise: true, selected: -1 }));
  assert.deepEqual(pieces, [
    { text: "a", class: "ink-user" },
    { text: "b", class: "ink-user tint s1" },
    { text: "", class: "ink-model" },
    { text: "c", class: "ink-model tint s1" },
    { text: "d", class: "ink-model tint s1" },
  ]);
  assert.deepEqual(
    piecesOf(runs, null).map((piece) => piece.text),
    ["ab", "", "cd"],
  );
});
