// @ts-check
// What was stored is checked on reading: a part that is wrong is replaced and named, the rest stays.
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, list, number, object, oneOf, optional, read, record, text, tuple } from "../../www/core/schema.js";

const JUNK = [undefined, null, NaN, Infinity, -1, 0.5, "", "x", true, [], {}, [1], { a: 1 }, () => {}];

test("a value that fits is given back, anything else is replaced and named", () => {
  /** @type {[import("../../www/core/schema.js").Check<any>, (value: any) => boolean, any][]} */
  const cases = [
    [text("none", 3), (value) => typeof value === "string", "none"],
    [number(7, 0, 1), (value) => value === 0.5, 7],
    [count(), () => false, 0],
    [oneOf(["a", "x"]), (value) => value === "x", "a"],
    [list(text()), (value) => Array.isArray(value) && value.length === 0, []],
  ];
  for (const [check, fits, instead] of cases) {
    for (const value of JUNK) {
      const found = read(check, value);
      if (fits(value)) assert.deepEqual(found, { value, wrong: [] });
      else {
        assert.deepEqual(found.value, instead, `${String(value)}`);
        assert.ok(found.wrong.length > 0, `${String(value)} is named`);
      }
    }
  }
});

test("what is wrong is named by its path, and takes nothing else along", () => {
  const check = object({
    name: text("?"),
    at: object({ x: number(), y: number() }),
    points: list(tuple([count(), number()])),
    note: optional(text()),
  });
  const { value, wrong } = read(check, { name: 3, at: { x: 1 }, points: [[1, 2], [1], "no", [2, 3]], more: 1 });
  assert.deepEqual(value, {
    name: "?",
    at: { x: 1, y: 0 },
    points: [
      [1, 2],
      [2, 3],
    ],
  });
  assert.deepEqual(wrong, ["name", "at.y", "points.1.0", "points.1.1", "points.2.0", "points.2.1"]);
});

test("what may be missing may be, and is left out where it is wrong", () => {
  const check = object({ note: optional(text("", 5)) });
  for (const none of [{}, { note: null }, { note: undefined }])
    assert.deepEqual(read(check, none), { value: {}, wrong: [] });
  assert.deepEqual(read(check, { note: "a" }), { value: { note: "a" }, wrong: [] });
  assert.deepEqual(read(check, { note: "too long" }), { value: {}, wrong: ["note"] });
});

test("an object of any names keeps the entries that are right", () => {
  assert.deepEqual(read(record(number()), { lr: 1, steps: "2" }), { value: { lr: 1 }, wrong: ["steps"] });
  assert.deepEqual(read(record(number()), ["a"]), { value: {}, wrong: [""] });
});
