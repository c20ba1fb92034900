// @ts-check
// The text as it is kept: whatever was written, undone and redone comes back, and does not grow without bound.
import assert from "node:assert/strict";
import { test } from "node:test";
import { appendTokens, History, replaceRange, textOf, userText } from "../../www/core/text.js";
import { packText, unpackText } from "../../www/write/text_record.js";

/** @typedef {import("../../www/engine/types.js").Run} Run */
/** Whose text stands where, without tokens. @param {readonly Run[]} runs */
const inks = (runs) => {
  /** @type {[string, string][]} */
  const all = [];
  for (const { source, text } of runs) {
    if (all.at(-1)?.[0] === source) /** @type {[string, string]} */ (all.at(-1))[1] += text;
    else if (text) all.push([source, text]);
  }
  return all;
};
const moments = (/** @type {readonly { runs: readonly Run[], caret: number }[]} */ list) =>
  list.map(({ runs, caret }) => [inks(runs), caret]);
/** As it is when it comes out of a database. @template T @param {T} value @returns {T} */
const stored = (value) => structuredClone(value);
const token = (/** @type {string} */ text) => ({ id: 1, text, logprob: -1, entropy: 1, rank: 0, top: [] });
const unpack = (/** @type {unknown} */ value) => unpackText(value) ?? assert.fail("it could not be read");

let state = 1;
const random = (/** @type {number} */ below) => (state = (state * 48271) % 2147483647) % below;

test("two inks, the caret, and every step back and forth come back", () => {
  for (let round = 0; round < 200; round += 1) {
    const history = new History();
    /** @type {readonly Run[]} */
    let runs = userText("Es war einmal");
    let caret = 3;
    for (let at = 0; at < 12; at += 1) {
      const length = textOf(runs).length;
      const [a, b] = [random(length + 1), random(length + 1)];
      if (random(4) === 0) {
        const moved = random(2) ? history.undo(runs, caret) : history.redo(runs, caret);
        if (moved) ({ runs, caret } = moved);
        continue;
      }
      history.push(runs, caret);
      if (random(3) === 0) runs = appendTokens(runs, [token("é"), token(""), token(["😀", "aaa", " ein"][random(3)])]);
      else
        runs = replaceRange(runs, Math.min(a, b), Math.max(a, b), ["", "a", "aa", "\ud83d", "König 😀\n"][random(5)]);
      caret = random(textOf(runs).length + 1);
    }
    const back = unpack(stored(packText({ runs, caret }, history)));
    assert.deepEqual([inks(back.runs), back.caret, back.damaged], [inks(runs), caret, false]);
    assert.deepEqual(moments(back.past), moments(history.past));
    assert.deepEqual(moments(back.future), moments(history.future));
    // And a second time, from what came back.
    const again = unpack(stored(packText(back, back)));
    assert.deepEqual(moments(again.past), moments(history.past));
    assert.deepEqual(moments(again.future), moments(history.future));
  }
});

test("small changes of a long text take little room, and the oldest large ones go first", () => {
  const long = "0123456789abcdef".repeat(400_000);
  const history = new History();
  let runs = userText(long);
  for (let at = 0; at < 50; at += 1) {
    history.push(runs, 0);
    runs = replaceRange(runs, 3_000_000, 3_000_000, `${at}`);
  }
  const small = packText({ runs, caret: 0 }, history);
  assert.equal(small.past.length, 50);
  assert.ok(JSON.stringify(small.past).length < 10_000);
  assert.equal(textOf(unpack(stored(small)).past[0].runs), long);

  // Each of these has nothing in common with its neighbours.
  const other = new History();
  for (let at = 0; at < 10; at += 1) other.push(userText(String.fromCharCode(97 + at).repeat(1_000_000)), at);
  const back = unpack(stored(packText({ runs: userText("now"), caret: 3 }, other)));
  assert.deepEqual(
    back.past.map(({ caret }) => caret),
    [6, 7, 8, 9],
  );
  assert.equal(textOf(back.past[3].runs), "j".repeat(1_000_000));
});

test("what is damaged is left out and told of; the text that can be read stays", () => {
  const history = new History();
  history.push(userText("before"), 1);
  const record = packText({ runs: userText("now"), caret: 2 }, history);
  for (const [name, junk] of /** @type {const} */ ([
    ["caret", -1],
    ["past", "x"],
    ["past", [{ head: 900, tail: 900, parts: [], caret: 0 }]],
    ["future", [3]],
  ])) {
    const back = unpack({ ...stored(record), [name]: junk });
    assert.equal(textOf(back.runs), "now");
    assert.equal(back.damaged, true, name);
    assert.deepEqual(back.past, []);
  }
  const partly = unpack({ ...record, parts: [["user", "a"], 7, ["nobody", "b"], ["model", "c"]] });
  assert.deepEqual(
    [inks(partly.runs), partly.damaged],
    [
      [
        ["user", "a"],
        ["model", "c"],
      ],
      true,
    ],
  );
  for (const nothing of [undefined, null, "text", [], { parts: "text" }]) assert.equal(unpackText(nothing), null);
});
