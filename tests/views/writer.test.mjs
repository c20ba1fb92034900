// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../www/core/settings.js";
import { userText } from "../../www/core/text.js";
import { Writer } from "../../www/write/writer.js";

/** A writer whose engine is driven by hand. @param {string} text */
function makeWriter(text) {
  /** @type {any[]} */
  const runs = [];
  /** @type {(() => void)[]} */
  const frames = [];
  let stops = 0;
  const writer = new Writer(
    {
      generate: (options, emit) => new Promise((resolve, reject) => runs.push({ options, emit, resolve, reject })),
      stop: () => (stops += 1),
      nextFrame: (callback) => frames.push(callback),
      onChange: () => {},
    },
    userText(text),
  );
  const frame = () => frames.splice(0).forEach((callback) => callback());
  return { writer, runs, frames, frame, stops: () => stops };
}
/** @param {string[]} texts @param {number} contextUsed @param {number} ms */
const tokens = (texts, contextUsed, ms) => ({
  type: "tokens",
  contextUsed,
  ms,
  tokens: texts.map((text) => ({ id: 1, text, logprob: -1, entropy: 1, rank: 0, top: [] })),
});
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("tokens are put on the paper once per frame, and a generation is one undo", async () => {
  const { writer, runs, frames, frame } = makeWriter("Once");
  const done = writer.generate(DEFAULT_SETTINGS);
  await settle();
  assert.equal(runs[0].options.prompt, "Once");
  runs[0].emit({ type: "started", promptTokens: 1, contextUsed: 1 });
  runs[0].emit(tokens([" upon"], 2, 10));
  runs[0].emit(tokens([" a"], 3, 100));
  assert.equal(frames.length, 1);
  assert.equal(writer.text, "Once");
  frame();
  assert.equal(writer.text, "Once upon a");
  assert.equal(writer.caret, "Once upon a".length, "the caret goes with the end");
  assert.equal(writer.rate, 20, "two tokens in 100 ms");
  runs[0].emit(tokens([" time"], 4, 150));
  runs[0].resolve({ finished: "end", tokens: 3, ms: 150, contextUsed: 4 });
  assert.equal((await done)?.finished, "end");
  assert.equal(writer.text, "Once upon a time", "the last tokens do not wait for a frame");
  writer.undo();
  assert.equal(writer.text, "Once");
  writer.redo();
  assert.equal(writer.text, "Once upon a time");
});

test("generating from the middle replaces the rest, and undo brings it back", async () => {
  const { writer, runs } = makeWriter("Once upon a time");
  writer.moveCaret(4);
  assert.ok(writer.hasTail);
  const done = writer.generate(DEFAULT_SETTINGS);
  await settle();
  assert.equal(runs[0].options.prompt, "Once");
  runs[0].emit({ type: "started", promptTokens: 1, contextUsed: 1 });
  runs[0].emit(tokens(["!"], 2, 10));
  runs[0].resolve({ finished: "length", tokens: 1, ms: 10, contextUsed: 2 });
  await done;
  assert.equal(writer.text, "Once!");
  writer.undo();
  assert.equal(writer.text, "Once upon a time");
  assert.equal(writer.caret, 4);
});

test("a failure leaves the text as it was, with nothing to undo", async () => {
  const { writer, runs } = makeWriter("Once upon");
  writer.moveCaret(4);
  const done = writer.generate(DEFAULT_SETTINGS);
  await settle();
  runs[0].reject(new Error("no"));
  await assert.rejects(done, /no/);
  assert.equal(writer.text, "Once upon");
  assert.equal(writer.canUndo, false);
  assert.equal(writer.phase, "idle");
});

test("typing while the model writes ends the generation; what still arrives is dropped", async () => {
  const { writer, runs, frame, stops } = makeWriter("Once");
  const done = writer.generate(DEFAULT_SETTINGS);
  await settle();
  runs[0].emit({ type: "started", promptTokens: 1, contextUsed: 1 });
  runs[0].emit(tokens([" upon"], 2, 10));
  frame();
  runs[0].emit(tokens([" UNSEEN"], 3, 15));
  writer.edit("Twice upon", 5, 0);
  assert.equal(stops(), 1);
  assert.equal(writer.phase, "idle");
  runs[0].emit(tokens([" LATE"], 3, 20));
  frame();
  assert.equal(writer.text, "Twice upon");

  // The next generation waits for the worker to have ended the first.
  writer.moveCaret(10);
  const next = writer.generate(DEFAULT_SETTINGS);
  await settle();
  assert.equal(runs.length, 1);
  runs[0].resolve({ finished: "stopped", tokens: 2, ms: 20, contextUsed: 3 });
  assert.equal(await done, null);
  await settle();
  assert.equal(runs.length, 2);
  assert.equal(runs[1].options.prompt, "Twice upon");
  runs[1].resolve({ finished: "stopped", tokens: 0, ms: 0, contextUsed: 2 });
  await next;
});

test("stop is asked for once, and what was written stays", async () => {
  const { writer, runs, stops } = makeWriter("Once");
  const done = writer.generate(DEFAULT_SETTINGS);
  await settle();
  runs[0].emit({ type: "started", promptTokens: 1, contextUsed: 1 });
  runs[0].emit(tokens([" upon"], 2, 10));
  writer.stop();
  writer.stop();
  assert.equal(stops(), 1);
  runs[0].resolve({ finished: "stopped", tokens: 1, ms: 10, contextUsed: 2 });
  await done;
  assert.equal(writer.text, "Once upon");
  assert.equal(writer.phase, "idle");
});

test("letters typed in one go are one undo, a pause starts another", () => {
  const { writer } = makeWriter("");
  for (const [text, at] of /** @type {const} */ ([
    ["a", 0],
    ["ab", 100],
    ["abc", 200],
    ["abcd", 5000],
  ]))
    writer.edit(text, text.length, at);
  writer.undo();
  assert.equal(writer.text, "abc");
  writer.undo();
  assert.equal(writer.text, "");
  assert.equal(writer.canUndo, false);
});

test("the context counts the text's tokens, and the first of the document, while it is written and after", async () => {
  const { writer, runs } = makeWriter("Once");
  const done = writer.generate(DEFAULT_SETTINGS);
  await settle();
  runs[0].emit({ type: "started", promptTokens: 300, contextUsed: 128 });
  assert.equal(writer.contextUsed, 300, "not only what the model sees of it");
  runs[0].emit(tokens([" upon", " a"], 130, 10));
  assert.equal(writer.contextUsed, 302);
  runs[0].resolve({ finished: "length", promptTokens: 300, tokens: 2, ms: 10, contextUsed: 130 });
  await done;
  assert.equal(writer.contextUsed, 302);
});

test("what was kept is put on the paper with its history; a later text takes its place, which undo takes back", () => {
  const { writer } = makeWriter("the page's own");
  const kept = {
    runs: userText("kept"),
    caret: 2,
    past: [{ runs: userText("older"), caret: 5 }],
    future: [{ runs: userText("newer"), caret: 5 }],
  };
  writer.open(kept, userText("kept"));
  assert.deepEqual([writer.text, writer.caret], ["kept", 2]);
  writer.redo();
  assert.equal(writer.text, "newer");
  writer.undo();
  writer.undo();
  assert.equal(writer.text, "older");
  assert.equal(writer.canUndo, false);
  writer.open({ ...kept, past: [], future: [] }, userText("later"));
  assert.equal(writer.text, "later");
  writer.undo();
  assert.equal(writer.text, "kept");
});
