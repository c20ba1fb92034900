// @ts-check
// What becomes of a long text's field: excerpts, and insertions that the browser does not do itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EngineError } from "../../www/core/errors.js";
import { decode } from "../../www/core/text.js";
import { verdictOf } from "../../www/train/after_view.js";
import { tableRows } from "../../www/train/chart.js";
import { TrainingPlan } from "../../www/train/plan.js";
import { wrongOption } from "../../www/train/settings_view.js";
import { EXCERPT, excerptOf, withInserted } from "../../www/train/text_view.js";
import { said } from "./engine_error.mjs";

test("an insertion takes the place of what is selected", () => {
  const field = { text: "abcdef", value: "abcdef", excerpt: false };
  assert.equal(withInserted({ ...field, start: 2, end: 4 }, "XY"), "abXYef");
  assert.equal(withInserted({ ...field, start: 6, end: 6 }, "XY"), "abcdefXY");
  assert.equal(withInserted({ ...field, start: 0, end: 6 }, "XY"), "XY");
});

test("where the field shows an excerpt, it goes to the text's end, or takes the whole text's place", () => {
  const text = "a".repeat(150_000);
  const value = excerptOf(text);
  assert.equal(withInserted({ text: `${text}\n\n`, value, start: 5, end: 9, excerpt: true }, "XY"), `${text}\n\nXY`);
  assert.equal(withInserted({ text, value, start: 0, end: value.length, excerpt: true }, "XY"), "XY");
});

test("an excerpt ends between characters", () => {
  assert.equal(excerptOf("x".repeat(5000)), `${"x".repeat(EXCERPT)}…`);
  const emoji = `${"x".repeat(EXCERPT - 1)}😀${"x".repeat(5000)}`;
  assert.equal(excerptOf(emoji), `${"x".repeat(EXCERPT - 1)}…`);
  assert.equal(excerptOf(`x${emoji}`.slice(2)), `${"x".repeat(EXCERPT - 2)}😀…`);
});

test("the user's own text comes back, a sample or a saved run's does not", () => {
  const plan = new TrainingPlan(/** @type {any} */ ({ onChange() {}, kept: { read() {}, keep() {} } }));
  plan.soon = () => {};
  plan.setText("My own diary");
  plan.replace("Alice was beginning", "alice.txt", true);
  assert.equal(plan.before?.text, "My own diary");
  plan.keep("what a saved run learns", "");
  assert.equal(plan.before?.text, "My own diary", "one sample in the place of another");
  plan.setText("what a saved run learns, and more");
  plan.bringBack();
  assert.equal(plan.text, "My own diary");
  assert.equal(plan.before?.text, "what a saved run learns, and more", "what was changed is the user's own");
});

test("a file is text in UTF-8, or in UTF-16 that says so", () => {
  const bytes = (/** @type {number[]} */ ...all) => new Uint8Array(all).buffer;
  assert.equal(decode(bytes(0xef, 0xbb, 0xbf, 0x61)), "a");
  assert.equal(decode(bytes(0xff, 0xfe, 0x61, 0)), "a");
  assert.equal(decode(bytes(0xc4, 0xe3, 0xba, 0xc3)), null, "GBK");
  assert.equal(decode(bytes(0x61, 0)), null, "binary");
  assert.equal(decode(bytes()), "");
});

test("the option that an error is about is found by its name", () => {
  const about = (/** @type {string} */ code, /** @type {string} */ name) =>
    wrongOption(new EngineError(said("", code, name ? { name: said("", name) } : {}), false));
  assert.equal(about("options.range", "option.batch_size"), "batch_size");
  assert.equal(about("options.whole", "option.warmup"), "warmup");
  assert.equal(about("options.range", "option.lora_rank"), "lora_rank");
  assert.equal(about("lora.rank", ""), "lora_rank");
  assert.equal(about("lora.no_layers", ""), "");
  assert.equal(wrongOption(new Error("Batch size is 0; choose a number from 1 to 4096")), "");
  assert.equal(wrongOption(null), "");
});

test("learnt by heart: the training loss fell to nearly nothing and the validation loss rose", () => {
  const losses = (/** @type {number[]} */ ...all) =>
    all.map((loss, at) => /** @type {[number, number]} */ ([at, loss]));
  const train = losses(3, 0.9, 0.5, 0.3, 0.1, 0.1);
  assert.equal(verdictOf({ train, validation: losses(3.3, 4.4) }), "heart");
  assert.equal(verdictOf({ train, validation: losses(3.3, 3.1) }), "");
  assert.equal(verdictOf({ train, validation: [] }), "");
  const nothing = losses(3, 3, 3, 3, 3, 3);
  assert.equal(verdictOf({ train: nothing, validation: losses(3.3, 4.4) }), "", "nothing was learnt");
  // Stopped at step 11, with a loss of 1.78: no word of it is known by heart.
  const early = losses(3.4, 3.1, 2.8, 2.6, 2.4, 2.3, 2.2, 2, 1.9, 1.8, 1.78);
  assert.equal(verdictOf({ train: early, validation: losses(3.38, 3.5) }), "harm");
});

test("the table shows the steps that were validated, or all", () => {
  assert.deepEqual(
    tableRows([
      [0, 1, 2],
      [null, 3, 2],
      [4, null, 3],
    ]),
    [
      [0, null, 4],
      [2, 2, 3],
    ],
  );
  assert.deepEqual(
    tableRows([
      [1, 2],
      [3, 2],
      [null, null],
    ]),
    [
      [1, 3, null],
      [2, 2, null],
    ],
  );
});
