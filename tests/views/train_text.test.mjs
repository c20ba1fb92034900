// @ts-check
// What becomes of a long text's field: excerpts, and insertions that the browser does not do itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EXCERPT, excerptOf, withInserted } from "../../www/views/train_text.js";

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
