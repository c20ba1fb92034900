// @ts-check
// Each worker is told once what is switched off, and again when that changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gates } from "../../www/engine/gates.js";

const INFO = /** @type {any} */ ({ nLayer: 2, nHead: 2 });
const ONE = [{ layer: 0, head: 1 }];

/** An engine that notes what it is told. */
function engine() {
  /** @type {string[]} */
  const told = [];
  /** @type {unknown[]} */
  const errors = [];
  const all = {
    client: /** @type {any} */ ({}),
    gates: async (/** @type {readonly any[]} */ off) => {
      told.push(off.map(({ layer, head }) => `${layer}.${head}`).join());
      if (off.length > 1) throw new Error("no such head");
    },
  };
  return { all, told, errors, gates: new Gates(all, (error) => errors.push(error)) };
}

test("a worker is told what is off, once", () => {
  const { gates, told } = engine();
  gates.apply([], INFO);
  assert.deepEqual(told, [], "a new worker has everything on");
  gates.apply(ONE, INFO);
  gates.apply([{ ...ONE[0] }], INFO);
  assert.deepEqual(told, ["0.1"]);
  gates.apply([], INFO);
  gates.apply([], INFO);
  assert.deepEqual(told, ["0.1", ""]);
});

test("a new worker is told again, and nobody while there is none", () => {
  const { all, gates, told } = engine();
  gates.apply(ONE, INFO);
  all.client = null;
  gates.apply(ONE, INFO);
  gates.apply([], null);
  all.client = {};
  gates.apply(ONE, null);
  assert.deepEqual(told, ["0.1"], "of a model that is not known yet nothing is switched off");
  gates.apply(ONE, INFO);
  assert.deepEqual(told, ["0.1", "0.1"]);
});

test("what the engine says against it is passed on, once", async () => {
  const { gates, errors } = engine();
  const two = [...ONE, { layer: 9, head: 9 }];
  gates.apply(two, INFO);
  gates.apply(two, INFO);
  await Promise.resolve().then(() => {});
  assert.equal(errors.length, 1);
});
