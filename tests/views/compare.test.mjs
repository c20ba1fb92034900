// @ts-check
// Two models on one text: figures and layout, and the run that asks both engines, driven by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  areEqual,
  bestOf,
  candidates,
  chunks,
  comparable,
  extremes,
  niceScale,
  pairsOf,
  sameVocabulary,
  tableRows,
  totalsOf,
  usual,
} from "../../www/inspect/panels/compare/data.js";
import { CompareRun } from "../../www/inspect/panels/compare/run.js";
import { pageOf, setLines, tokenAt, tokenBeside } from "../../www/inspect/token_strip.js";
import { unitsOff } from "../../www/inspect/units.js";
import { engineError } from "./engine_error.mjs";

/**
 * @param {number[]} logprobs of the tokens after each row
 * @param {number[][]} [top] ids
 * @param {number[][]} [topLogprobs]
 */
function score(logprobs, top = logprobs.map(() => []), topLogprobs = top.map((ids) => ids.map((_, i) => -1 - i))) {
  const rows = logprobs.length + 1;
  const width = Math.max(0, ...top.map(({ length }) => length));
  return /** @type {import("../../www/inspect/types.js").ScoreAnswer} */ ({
    rows,
    top: width,
    logprob: Float32Array.from([...logprobs, 0]),
    entropy: new Float32Array(rows),
    rank: Uint32Array.from({ length: rows }, (_, i) => i),
    topIds: Uint32Array.from(top.flat()),
    topLogprobs: Float32Array.from(topLogprobs.flat()),
    texts: top.flat().map((id) => [id, `t${id}`]),
  });
}
/** @param {...number} values */
const floats = (...values) => Float32Array.from(values);

describe("figures", () => {
  test("each token is paired with the row that predicted it", () => {
    const pairs = pairsOf(score([-1, -2]), score([-3, -1.5]), floats(0.5, 0.25, 9));
    assert.ok(Number.isNaN(pairs[0].gain) && Number.isNaN(pairs[0].kl), "nobody predicted the first");
    assert.deepEqual(
      pairs.slice(1).map(({ mine, other, gain, kl }) => [mine, other, gain, kl]),
      [
        [-1, -3, 2, 0.5],
        [-2, -1.5, -0.5, 0.25],
      ],
    );
    assert.deepEqual(
      pairs.slice(1).map(({ mineRank }) => mineRank),
      [0, 1],
    );
  });

  test("totals: losses, perplexities, and the mean KL of what has come", () => {
    const kl = floats(0.5, NaN, 1);
    const totals = totalsOf(pairsOf(score([-1, -2]), score([-3, -1.5]), kl), kl);
    assert.deepEqual([totals.count, totals.mine, totals.other, totals.kl, totals.better], [2, 1.5, 2.25, 0.75, 1]);
    assert.ok(
      Math.abs(totals.minePerplexity - Math.exp(1.5)) < 1e-12 &&
        Math.abs(totals.otherPerplexity - Math.exp(2.25)) < 1e-12,
    );
    assert.ok(Number.isNaN(totalsOf([], floats(NaN)).kl));
    assert.equal(totalsOf([], floats(-1e-9)).kl, 0, "rounding does not make a distance negative");
    assert.equal(totalsOf(pairsOf(score([]), score([]), floats(0)), floats(0)).count, 0, "a text of one token");
  });

  test("the same model beside itself", () => {
    const same = pairsOf(score([-1, -2]), score([-1, -2.00001]), floats(0, 0, 0));
    assert.ok(areEqual(same));
    assert.deepEqual(extremes(same, 5), { gained: [], lost: [] });
    assert.ok(!areEqual(pairsOf(score([-1, -2]), score([-1, -2.1]), floats(0, 0, 0))));
  });

  test("what gained and lost most comes first", () => {
    const pairs = pairsOf(score([-1, -1, -1, -1]), score([-2, -0.5, -4, -0.9]), floats(0, 0, 0, 0, 0));
    assert.deepEqual(extremes(pairs, 9), { gained: [3, 1], lost: [2, 4] });
    assert.deepEqual(extremes(pairs, 1), { gained: [3], lost: [2] });
  });

  test("the ten best of both: this model's first, the real token always with both its probabilities", () => {
    const [mine, other] = [
      score(
        [-5, -9],
        [
          [7, 8],
          [1, 2],
        ],
      ),
      score(
        [-2, -8],
        [
          [8, 9],
          [1, 3],
        ],
      ),
    ];
    assert.deepEqual(
      bestOf(mine, 1).map(({ id, text, logprob }) => [id, text, logprob]),
      [
        [1, "t1", -1],
        [2, "t2", -2],
      ],
    );
    const list = candidates(mine, other, 0, null);
    assert.deepEqual(
      list.rows.map(({ id, mine: a, other: b }) => [id, a, b]),
      [
        [7, -1, NaN],
        [8, -2, -1],
        [9, NaN, -2],
      ],
    );
    assert.deepEqual(list.least, { mine: -2, other: -2 });
    assert.deepEqual(candidates(mine, other, 0, { id: 5, text: "five" }).rows.at(-1), {
      id: 5,
      text: "five",
      mine: -5,
      other: -2,
    });
    const known = candidates(mine, other, 0, { id: 7, text: "t7" }).rows;
    assert.equal(known.length, 3);
    assert.deepEqual(known[0], { id: 7, text: "t7", mine: -5, other: -2 });
  });

  test("vocabularies: same ids for the same text, and the same size where it is known", () => {
    assert.ok(sameVocabulary({ ids: [1, 2] }, { ids: Uint32Array.of(1, 2) }));
    assert.ok(!sameVocabulary({ ids: [1, 2] }, { ids: [1, 3] }));
    assert.ok(!sameVocabulary({ ids: [1, 2] }, { ids: [1] }));
    assert.ok(!sameVocabulary({ ids: [1], vocabSize: 5 }, { ids: [1], vocabSize: 6 }));
  });

  test("chunks cover all rows once", () => {
    assert.deepEqual(chunks(70), [
      [0, 32],
      [32, 64],
      [64, 70],
    ]);
    assert.deepEqual(chunks(0), []);
    assert.deepEqual(chunks(32), [[0, 32]]);
  });

  test("scales are round and never too small", () => {
    for (let size = 1e-6; size < 1e6; size *= 1.37) {
      const scale = niceScale(size);
      assert.ok(scale >= size * 0.99999 && scale <= size * 2, `${size} -> ${scale}`);
      assert.ok(String(scale).replace(/[^1-9]/g, "").length <= 2 || scale < 1e-5, String(scale));
    }
    assert.deepEqual([0, NaN, Infinity, -1].map(niceScale), [1, 1, 1, 1]);
    assert.equal(usual([NaN, ...Array.from({ length: 99 }, () => -1), 50]), 1);
    assert.equal(usual([]), 0);
  });

  test("the table to save", () => {
    const tokens = /** @type {any} */ ({ ids: [4, 5], texts: ["a", "b"] });
    assert.deepEqual(tableRows(tokens, pairsOf(score([-1]), score([-2]), floats(NaN, NaN))), [
      [1, 4, "a", "", "", "", "", "", ""],
      [2, 5, "b", -1, -2, 1, 1, 1, ""],
    ]);
  });
});

describe("lines of tokens", () => {
  const widths = [30, 40, 50, 20, 500, 10, 10];
  const breaks = [false, false, false, false, false, true, true];
  const { places, lines } = setLines(widths, breaks, 100);

  test("every token has a place, none is cut, and lines end where the text's do", () => {
    assert.deepEqual(lines, [
      [0, 2],
      [2, 4],
      [4, 5],
      [5, 6],
      [6, 7],
    ]);
    assert.deepEqual(
      places.map(({ x }) => x),
      [0, 30, 0, 50, 0, 0, 0],
    );
    assert.equal(places[4].width, 100, "a token wider than a line has a line");
    for (let seed = 1; seed < 60; seed += 1) {
      const many = Array.from({ length: 200 }, (_, i) => 5 + ((i * 7919 * seed) % 90));
      const set = setLines(
        many,
        many.map((_, i) => (i * seed) % 17 === 3),
        200,
      );
      assert.deepEqual(
        set.lines.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i)),
        many.map((_, i) => i),
      );
      set.places.forEach(({ x, width, line }, i) => {
        assert.ok(x + width <= 200 && i >= set.lines[line][0] && i < set.lines[line][1]);
        if (i > set.lines[line][0]) assert.equal(x, set.places[i - 1].x + set.places[i - 1].width);
      });
    }
    assert.deepEqual(setLines([], [], 100), { places: [], lines: [] });
  });

  test("points and arrows find tokens", () => {
    assert.deepEqual(
      [0, 29, 30, 99].map((x) => tokenAt(places, lines, 0, x)),
      [0, 0, 1, 1],
    );
    assert.equal(tokenAt(places, lines, 9, 0), -1);
    assert.equal(tokenBeside(places, lines, 1, 1), 3, "its middle, at 50, is over the second token of the line below");
    assert.equal(tokenBeside(places, lines, 0, -1), 0);
    assert.equal(tokenBeside(places, lines, 0, 99), 6);
  });

  test("pages hold their line", () => {
    for (let all = 1; all < 20; all += 1) {
      for (let line = 0; line < all; line += 1) {
        const [from, to] = pageOf(line, all, 4);
        assert.ok(from >= 0 && from <= line && line < to && to <= all && to - from === Math.min(4, all));
      }
    }
  });
});

describe("the run", () => {
  /**
   * An engine with answers made here; `calls` lists what it was asked.
   * @param {Partial<Record<string, (request: any) => any>>} [answers]
   */
  function engine(answers = {}) {
    /** @type {string[]} */
    const calls = [];
    /** @type {Record<string, (request: any) => any>} */
    const all = {
      tokens: () => ({ ids: [1, 2, 3] }),
      score: () => score([-3, -4]),
      logits: ({ from, to }) => ({ rows: to - from, vocabSize: 9, values: new Float32Array((to - from) * 9) }),
      compare: ({ from, to }) => ({ from, rows: to - from, kl: new Float32Array(to - from).fill(0.5) }),
      ...answers,
    };
    const ask = async (/** @type {string} */ _slot, /** @type {any} */ request) => {
      calls.push(request.what);
      return all[request.what](request);
    };
    return { ask: /** @type {any} */ (ask), calls };
  }
  /** @param {object} [more] @returns {any} */
  const subject = (more = {}) => ({
    version: 1,
    text: "abc",
    selected: 0,
    writing: false,
    info: { vocabSize: 9 },
    tokens: { ids: [1, 2, 3], texts: ["a", "b\n", "c"] },
    scores: score([-1, -2]),
    ...more,
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

  /** @param {{ mine?: ReturnType<typeof engine>, other?: ReturnType<typeof engine> }} [engines] */
  async function opened({ mine = engine(), other = engine() } = {}) {
    let [closed, changes] = [0, 0];
    const run = new CompareRun(
      { ask: mine.ask, openOther: async (id) => ({ ask: other.ask, close: () => void (closed += 1), name: id }) },
      () => void (changes += 1),
    );
    await run.open("base");
    return { run, mine, other, closed: () => closed, changes: () => changes };
  }

  test("both read the text, distributions are compared, and the result is whole", async () => {
    const { run, mine, other } = await opened();
    run.update(subject());
    await settle();
    assert.equal(run.phase, "ready");
    assert.deepEqual([...(run.result?.kl ?? [])], [0.5, 0.5, 0.5]);
    assert.deepEqual(run.result?.breaks, [false, true, false]);
    assert.deepEqual(
      [mine.calls, other.calls],
      [
        ["tokens", "compare"],
        ["tokens", "score", "logits"],
      ],
    );
    run.update(subject());
    await settle();
    assert.equal(mine.calls.length, 2, "the same text is not read twice");
    run.update(subject({ version: 2 }));
    await settle();
    assert.equal(mine.calls.length, 4);
  });

  test("nothing is asked while the model writes, before its scores are there, or before another model is open", async () => {
    const { run, mine } = await opened();
    run.update(subject({ writing: true }));
    run.update(subject({ scores: null }));
    run.update(null);
    run.close();
    run.update(subject());
    await settle();
    assert.deepEqual(mine.calls, []);
  });

  test("a long text goes over in chunks, and what has come is shown on the way", async () => {
    const ids = Array.from({ length: 70 }, (_, i) => i);
    /** @type {number[]} */
    const shown = [];
    const mine = engine({ tokens: () => ({ ids }) });
    const { run } = await opened({
      mine,
      other: engine({ tokens: () => ({ ids }), score: () => score(ids.slice(1).map(() => -1)) }),
    });
    run.onChange = () =>
      shown.push((run.result?.kl ?? []).filter((/** @type {number} */ x) => !Number.isNaN(x)).length);
    run.update(subject({ tokens: { ids, texts: ids.map(String) }, scores: score(ids.slice(1).map(() => -1)) }));
    await settle();
    assert.deepEqual(shown, [0, 32, 64, 70]);
  });

  test("other tokens, or a vocabulary of another size, are told and not compared", async () => {
    for (const other of [
      engine({ tokens: () => ({ ids: [1, 2] }) }),
      engine({ logits: () => ({ rows: 3, vocabSize: 10, values: new Float32Array(30) }) }),
    ]) {
      const { run, mine } = await opened({ other });
      run.update(subject());
      await settle();
      assert.deepEqual([run.problem, run.result, run.phase], [{ kind: "vocabulary" }, null, "ready"]);
      assert.ok(!mine.calls.includes("compare"));
    }
  });

  test("closing lets go of the other model, and what it still answers is dropped", async () => {
    const { run, closed } = await opened();
    run.update(subject());
    run.close();
    assert.equal(closed(), 1);
    await settle();
    assert.deepEqual([run.result, run.phase, run.other], [null, "idle", null]);
    run.close();
    assert.equal(closed(), 1, "only once");
  });

  test("a model that is ready only after it was cancelled is closed", async () => {
    /** @type {(other: any) => void} */
    let resolve = () => {};
    let closed = 0;
    /** @type {AbortSignal | undefined} */
    let signal;
    const run = new CompareRun(
      { ask: engine().ask, openOther: (_, given) => new Promise((done) => ([resolve, signal] = [done, given])) },
      () => {},
    );
    const opening = run.open("base");
    assert.equal(run.phase, "opening");
    run.close();
    assert.ok(signal?.aborted);
    resolve({ ask: null, close: () => (closed += 1), name: "late" });
    await opening;
    assert.deepEqual([closed, run.other, run.phase], [1, null, "idle"]);
  });

  test("a newer text ends the comparison of an older one", async () => {
    /** @type {(() => void)[]} */
    const waiting = [];
    const other = engine({ score: () => new Promise((resolve) => waiting.push(() => resolve(score([-3, -4])))) });
    const { run } = await opened({ other });
    run.update(subject());
    await settle();
    run.update(subject({ version: 2, text: "newer" }));
    await settle();
    waiting.forEach((go) => go());
    await settle();
    assert.equal(run.result?.subject.text, "newer");
    assert.equal(other.calls.filter((what) => what === "logits").length, 1, "the older one goes no further");
  });

  test("failures are told; what the page ended is asked again", async () => {
    let fails = true;
    const { run } = await opened({
      other: engine({
        score: () => {
          if (fails) throw engineError("out of memory");
          return score([-3, -4]);
        },
      }),
    });
    run.update(subject());
    await settle();
    assert.deepEqual([run.problem, run.phase], [{ kind: "error", reason: "out of memory" }, "ready"]);
    run.update(subject());
    await settle();
    assert.equal(run.problem?.kind, "error", "the same text is not tried again by itself");
    fails = false;

    let ended = true;
    const again = await opened({
      mine: engine({
        compare: ({ from, to }) => {
          if (ended) throw new DOMException("ended", "AbortError");
          return { from, rows: to - from, kl: new Float32Array(to - from) };
        },
      }),
    });
    again.run.update(subject());
    await settle();
    assert.equal(again.run.problem, null);
    ended = false;
    again.run.update(subject());
    await settle();
    assert.deepEqual([...(again.run.result?.kl ?? [])], [0, 0, 0]);
  });

  test("a model that is lost while it is asked is told of, and can be opened again", async () => {
    /** @type {(error: unknown) => void} */
    let lose = () => {};
    const never = engine({ score: () => new Promise(() => {}) });
    const run = new CompareRun(
      {
        ask: engine().ask,
        openOther: async (_, __, ___, onLost = () => {}) => {
          lose = onLost;
          return { ask: never.ask, close() {}, name: "base" };
        },
      },
      () => {},
    );
    await run.open("base");
    run.update(subject());
    await settle();
    const first = lose;
    first(engineError("out of memory"));
    assert.deepEqual([run.phase, run.problem, run.other], ["idle", { kind: "error", reason: "out of memory" }, null]);
    await run.open("base");
    first(engineError("again"));
    assert.deepEqual([run.phase, run.problem], ["ready", null], "one that was closed is missed by nobody");
  });

  test("a model that cannot be opened leaves things as they were", async () => {
    const run = new CompareRun({ ask: engine().ask, openOther: () => Promise.reject(engineError("gone")) }, () => {});
    await run.open("base");
    assert.deepEqual([run.phase, run.problem, run.other], ["idle", { kind: "error", reason: "gone" }, null]);
  });
});

describe("what is compared", () => {
  test("units that are off are counted, those of other models are not", () => {
    const off = [
      { layer: 0, head: 1 },
      { layer: 1, head: -1 },
      { layer: 9, head: 0 },
      { layer: 0, head: 0 },
    ];
    assert.deepEqual(unitsOff(off, { nLayer: 2, nHead: 2 }), { heads: 2, mlps: 1 });
    assert.deepEqual(unitsOff([], { nLayer: 2, nHead: 2 }), { heads: 0, mlps: 0 });
  });

  test("a model is marked only where its vocabulary is known to be another", () => {
    const models = [
      { id: "a", name: "A" },
      { id: "b", name: "B" },
      { id: "c", name: "C", vocabSize: 7 },
    ];
    const differ = (/** @type {number | undefined} */ mine) =>
      comparable(models, new Map([["b", 5]]), mine).map(({ differs }) => differs);
    assert.deepEqual(differ(7), [false, true, false]);
    assert.deepEqual(differ(5), [false, false, true]);
    assert.deepEqual(differ(undefined), [false, false, false]);
  });
});
