// @ts-check
// The way of the data: figures, scales and pictures of recorded values.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  activationOf,
  beyond,
  cosine,
  figure,
  gridOf,
  headRow,
  logSoftmax,
  paint,
  scaleOf,
  splitHeads,
  statsOf,
  strongest,
  valueRows,
} from "../../www/inspect/panels/flow/data.js";
import { known, recorded } from "./flow_recorded.mjs";

describe("numbers", () => {
  test("figures of a vector", () => {
    assert.deepEqual(statsOf([3, -4, 0]), {
      n: 3,
      min: -4,
      max: 3,
      mean: -1 / 3,
      deviation: Math.sqrt((100 / 9 + 121 / 9 + 1 / 9) / 3),
      norm: 5,
      active: 1,
    });
    assert.equal(statsOf([]).norm, 0);
  });

  test("the scale leaves a hundredth out, and no scale is 0", () => {
    const values = Array.from({ length: 200 }, (_, i) => (i < 2 ? 100 : Math.sin(i)));
    assert.ok(scaleOf(values) <= 1);
    assert.equal(beyond(values, scaleOf(values)), 2);
    assert.equal(scaleOf([0, 0]), 1);
    assert.equal(scaleOf([0, 0, 0, 5]), 5);
    assert.equal(scaleOf([]), 1);
  });

  test("grids hold every cell, in equal rows where they can", () => {
    assert.deepEqual(
      [160, 480, 640, 768, 2048, 7].map((size) => Object.values(gridOf(size, 160))),
      [
        [160, 1],
        [160, 3],
        [160, 4],
        [128, 6],
        [128, 16],
        [7, 1],
      ],
    );
    for (let size = 1; size < 1000; size += 1) {
      const { columns, rows } = gridOf(size, 96);
      assert.ok(columns <= 96 && columns * rows >= size && columns * (rows - 1) < size);
    }
  });

  test("pixels: orange below, blue above, clear where nothing is", () => {
    const pixels = paint([-1, 0, 1, NaN], "signed", 1, { columns: 5, rows: 1 });
    const rgb = (/** @type {number} */ i) => [...pixels.slice(4 * i, 4 * i + 4)];
    assert.ok(rgb(0)[0] > rgb(0)[2] && rgb(2)[2] > rgb(2)[0]);
    assert.ok(Math.min(...rgb(1)) > 220, "0 is neutral");
    assert.deepEqual([rgb(3)[3], rgb(4)[3]], [0, 0]);
  });

  test("the strongest equal those of a full sort", () => {
    let seed = 5;
    const values = Array.from({ length: 500 }, () => ((seed = (seed * 1103515245 + 12345) % 2147483648) % 50) - 25);
    for (const bySize of [false, true]) {
      const key = (/** @type {number} */ i) => (bySize ? Math.abs(values[i]) : values[i]);
      assert.deepEqual(
        strongest(values, 20, bySize),
        [...values.keys()].sort((a, b) => key(b) - key(a) || a - b).slice(0, 20),
      );
    }
    assert.deepEqual(strongest([1, 2], 5), [1, 0]);
  });

  test("heads are cut out of q, k and v in that order", () => {
    const split = splitHeads(
      Float32Array.from({ length: 12 }, (_, i) => i),
      3,
      2,
    );
    assert.deepEqual(
      split?.map((part) => part.map((head) => [...head])),
      [
        [
          [0, 1],
          [2, 3],
        ],
        [
          [4, 5],
          [6, 7],
        ],
        [
          [8, 9],
          [10, 11],
        ],
      ],
    );
    assert.equal(splitHeads(new Float32Array(10), 3, 2), null);
  });

  test("the recorded values agree with each other as the model's formulas say", () => {
    const { tensors, attention } = known();
    const get = (/** @type {string} */ name) => tensors.get(name) ?? assert.fail(name);
    // x + attention(x) = mid, mid + MLP = output
    get("h.2").forEach((value, i) => assert.ok(Math.abs(value - get("h.2.mid")[i] - get("h.2.mlp.proj")[i]) < 1e-3));
    assert.equal(activationOf(get("h.2.mlp.fc"), get("h.2.mlp.act")), "gelu");
    const all = attention.get(2) ?? assert.fail();
    for (let head = 0; head < all.heads; head += 1) {
      const { scores, probs } = headRow(all, head);
      assert.equal(probs.length, recorded.ids.length);
      assert.ok(Math.abs(probs.reduce((sum, p) => sum + p, 0) - 1) < 1e-3);
      logSoftmax(scores).forEach((logprob, key) =>
        assert.ok(Math.abs(Math.exp(logprob) - probs[key]) < 2e-3, `head ${head}, key ${key}`),
      );
    }
    const logprobs = logSoftmax(get("logits"));
    for (const { id, logprob } of recorded.next.entries) assert.ok(Math.abs(logprobs[id] - logprob) < 1e-2);
  });

  test("activations are known by what they do", () => {
    const input = [-3, -1, -0.1, 0, 0.1, 1, 3];
    assert.equal(
      activationOf(
        input,
        input.map((x) => Math.max(0, x)),
      ),
      "relu",
    );
    assert.equal(
      activationOf(
        input,
        input.map((x) => x / (1 + Math.exp(-x))),
      ),
      "unknown",
      "SiLU",
    );
    assert.equal(activationOf([5, 9], [5, 9]), "unknown", "far from 0 all are alike");
    assert.equal(activationOf(undefined, [1]), "unknown");
  });

  test("figures read well", () => {
    assert.deepEqual([0, 0.0123, 1, -12.345, 99.96, 1234.5, 1e-7, -2e6, NaN].map(figure), [
      "0",
      "0.0123",
      "1.00",
      "−12.3",
      "100",
      "1235",
      "1.0e-7",
      "−2.0e+6",
      "–",
    ]);
    assert.equal(cosine([1, 0], [0, 1]), 0);
    assert.equal(cosine([1, 2], [2, 4]), 1);
    assert.equal(cosine([1], [-3]), -1);
    assert.equal(cosine([0], [1]), 0);
    assert.deepEqual(valueRows(new Map([["a", Float32Array.of(1, 2)]])), [
      ["a", 0, 1],
      ["a", 1, 2],
    ]);
  });
});
