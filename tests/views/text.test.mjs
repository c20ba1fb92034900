// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  appendTokens,
  findEdit,
  History,
  inkedText,
  inksOf,
  normalizeNewlines,
  replaceRange,
  samplePrompt,
  textOf,
  titleOf,
  userText,
} from "../../www/core/text.js";

/** @param {string} text @returns {import("../../www/engine/types.js").Token} */
const token = (text) => ({ id: 1, text, logprob: -1, entropy: 1, rank: 0, top: [] });

test("a link's lengths say who wrote what; lengths of another text make it the user's", () => {
  const [user, model] = /** @type {const} */ (["user", "model"]);
  for (const [runs, lengths] of /** @type {[[string, "user" | "model"][], number[]][]} */ ([
    [[["Once", user]], []],
    [[], []],
    [[["Once", model]], [0, 4]],
    [
      [
        ["On", user],
        ["", model],
        ["ce", user],
        [" upon", model],
        [" a", model],
        ["!", user],
      ],
      [4, 7, 1],
    ],
  ])) {
    const own = runs.map(([text, source]) => ({ text, source }));
    assert.deepEqual(inksOf(own), lengths);
    const brought = inkedText(textOf(own), lengths);
    assert.equal(textOf(brought), textOf(own));
    assert.deepEqual(inksOf(brought), lengths);
  }
  for (const wrong of [[], [3], [4, 1], [1, 1, 1]]) assert.deepEqual(inkedText("Once", wrong), userText("Once"));
  assert.deepEqual(inkedText("a\r\nb", [1, 3]), userText("a\nb"));
});

test("an edit keeps who wrote what", () => {
  const runs = appendTokens(userText("Once"), [token(" upon"), token(" a"), token(" time")]);
  assert.equal(textOf(runs), "Once upon a time");
  const edited = replaceRange(runs, 5, 9, "UPON");
  assert.equal(textOf(edited), "Once UPON a time");
  assert.deepEqual(
    edited.map(({ text, source }) => [text, source]),
    [
      ["Once", "user"],
      [" ", "model"],
      ["UPON", "user"],
      [" a", "model"],
      [" time", "model"],
    ],
  );
  assert.equal(edited[1].token, undefined, "a part of a token has no data");
  assert.equal(edited[3], runs[2], "untouched runs stay the same objects");
});

test("typing beside the user's text joins it, at both ends and in the middle", () => {
  const runs = userText("ab");
  assert.deepEqual(replaceRange(runs, 2, 2, "c"), userText("abc"));
  assert.deepEqual(replaceRange(runs, 0, 0, "c"), userText("cab"));
  assert.deepEqual(replaceRange(runs, 1, 1, "c"), userText("acb"));
  assert.deepEqual(replaceRange(runs, 0, 2, ""), []);
  assert.deepEqual(replaceRange([], 0, 0, "x"), userText("x"));
});

test("inserting between two tokens leaves both whole", () => {
  const runs = appendTokens([], [token("a"), token("b")]);
  const edited = replaceRange(runs, 1, 1, "X");
  assert.deepEqual(
    edited.map((run) => run.text),
    ["a", "X", "b"],
  );
  assert.ok(edited[0].token && edited[2].token);
});

test("every single replacement is found and turns the old text into the new", () => {
  const alphabet = ["a", "b", "\n", "é", "😀", "中"];
  let seed = 7;
  const random = (/** @type {number} */ n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const word = () => Array.from({ length: random(6) }, () => alphabet[random(alphabet.length)]).join("");
  for (let round = 0; round < 3000; round += 1) {
    const [head, old, now, tail] = [word(), word(), word(), word()];
    const before = head + old + tail;
    const after = head + now + tail;
    // The caret normally stands behind what was inserted, but nothing may depend on it.
    const caret = random(4) ? (head + now).length : random(after.length + 1);
    const { start, end, inserted } = findEdit(before, after, caret);
    assert.equal(before.slice(0, start) + inserted + before.slice(end), after);
    for (const [text, at] of /** @type {const} */ ([
      [before, start],
      [before, end],
    ])) {
      assert.ok(
        !(text.charCodeAt(at - 1) >> 10 === 0x36 && text.charCodeAt(at) >> 10 === 0x37),
        "no emoji is cut in half",
      );
    }
  }
});

test("the caret decides where a repeated letter was typed", () => {
  assert.deepEqual(findEdit("aaa", "aaaa", 2), { start: 1, end: 1, inserted: "a" });
  assert.deepEqual(findEdit("aaa", "aaaa", 4), { start: 3, end: 3, inserted: "a" });
});

test("line ends are the textarea's", () => {
  assert.equal(normalizeNewlines("a\r\nb\rc\nd"), "a\nb\nc\nd");
  assert.equal(textOf(appendTokens([], [token("\r\n")])), "\n");
});

test("history goes back and forth, and a new change ends the way forth", () => {
  const history = new History(2);
  const [a, b, c, d] = ["a", "b", "c", "d"].map(userText);
  history.push(a, 1);
  history.push(b, 1);
  history.push(c, 1);
  assert.equal(history.undo(d, 1)?.runs, c);
  assert.equal(history.redo(c, 1)?.runs, d);
  assert.equal(history.undo(d, 1)?.runs, c);
  assert.equal(history.undo(c, 1)?.runs, b);
  assert.equal(history.undo(b, 1), null, "the limit forgot the first");
  history.push(b, 1);
  assert.equal(history.redo(b, 1), null);
});

test("a name that is made of a text is as wide as 24 letters", () => {
  assert.equal(titleOf("  Short\n text. "), "Short text.");
  assert.equal(titleOf("The lighthouse keeper Mira counts"), "The lighthouse keeper…");
  assert.equal(titleOf("The lighthouse keeper to be"), "The lighthouse keeper to…", "a word that ends there is whole");
  assert.equal(titleOf("a".repeat(40)), `${"a".repeat(24)}…`);
  assert.equal(titleOf("床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"), "床前明月光，疑是地上霜…");
  assert.equal(titleOf("床前明月光疑是地上霜举头望明月"), "床前明月光疑是地上霜举头…");
});

test("a sample begins with the text's first words, and cuts no character", () => {
  assert.equal(samplePrompt("\n Once upon a time there was a queen."), "Once upon a time there");
  assert.equal(samplePrompt("Title\nOnce upon a time"), "Title");
  assert.equal(samplePrompt("春眠不觉晓，处处闻啼鸟。夜来风雨声"), "春眠不觉晓，处处闻啼鸟。");
  assert.equal(samplePrompt(`a${"😀".repeat(20)}`), `a${"😀".repeat(11)}`);
  assert.equal(samplePrompt("𠮷".repeat(30)), "𠮷".repeat(12));
  assert.equal(samplePrompt(""), "\n");
});
