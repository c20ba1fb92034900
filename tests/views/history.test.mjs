// @ts-check
// The losses that a page draws while it trains are those that a save keeps: a reload shows the same curve.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MOST_POINTS, MOST_SAMPLES, NO_LOSSES, onlyRises, withLosses, withSample } from "../../www/train/history.js";
import { Run } from "../../www/train/worker_run.js";

/** @typedef {import("../../www/engine/types.js").TrainEvent} TrainEvent */

/** @param {number} step @param {number} loss @returns {TrainEvent} */
const stepOf = (step, loss) => ({ type: "step", step, loss, lr: 1, gradNorm: 1, tokensPerSecond: 1 });
/** @param {number} step @param {number} loss @returns {TrainEvent} */
const evaluated = (step, loss) => ({ type: "evaluated", step, loss, best: false });
/** Steps from one to another, with an evaluation of every third. @param {number} from @param {number} to */
const events = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at).flatMap((step) =>
    step % 3 ? [stepOf(step, step)] : [stepOf(step, step), evaluated(step, -step)],
  );

test("however the steps come together, the curve is the same, and keeps its ends", () => {
  const last = 3 * MOST_POINTS + 100;
  const all = events(1, last);
  const whole = withLosses(NO_LOSSES, all);
  assert.ok(whole.train.length <= MOST_POINTS && whole.train.length > MOST_POINTS / 2);
  assert.deepEqual(whole.train[0], [1, 1]);
  fc.assert(
    fc.property(fc.array(fc.nat(all.length), { maxLength: 6 }), (cuts) => {
      const ends = [...cuts.sort((a, b) => a - b), all.length];
      let history = NO_LOSSES;
      ends.forEach((end, at) => {
        const parts = all.slice(at ? ends[at - 1] : 0, end);
        // As it is written and read again.
        history = JSON.parse(JSON.stringify(withLosses(history, parts)));
      });
      assert.deepEqual(history, whole);
    }),
    { numRuns: 20 },
  );
  for (const more of [0, 1, 2, 3]) {
    const end = MOST_POINTS + more;
    assert.deepEqual(withLosses(NO_LOSSES, events(1, end)).train.at(-1), [end, end], "the newest is always there");
  }
});

test("many evaluations are thinned as well", () => {
  const { validation } = withLosses(
    NO_LOSSES,
    Array.from({ length: MOST_POINTS + 1 }, (_, at) => evaluated(at, 1)),
  );
  assert.equal(validation.length, MOST_POINTS / 2 + 1);
  assert.deepEqual(
    [validation[0], validation.at(-1)],
    [
      [0, 1],
      [MOST_POINTS, 1],
    ],
  );
});

test("what is no number is no point, as in a save, and nothing that is given is changed", () => {
  const before = Object.freeze({ train: Object.freeze([[1, 1]]), validation: Object.freeze([]) });
  const all = [stepOf(2, Number.NaN), evaluated(2, Number.POSITIVE_INFINITY), stepOf(3, 0.5), { type: "finished" }];
  const now = withLosses(/** @type {any} */ (before), /** @type {TrainEvent[]} */ (all));
  assert.deepEqual(now, {
    train: [
      [1, 1],
      [3, 0.5],
    ],
    validation: [],
  });
});

test("the worker's run keeps the points that the page draws", () => {
  const meta = /** @type {any} */ ({ step: 0, steps: 9, history: NO_LOSSES });
  const run = new Run(/** @type {any} */ ({}), meta, "", false);
  let drawn = NO_LOSSES;
  const emit = (/** @type {any} */ event) => {
    drawn = withLosses(drawn, event.events);
  };
  for (let from = 1; from < MOST_POINTS + 200; from += 7) run.tell(events(from, from + 6), emit);
  assert.deepEqual(run.meta.history, drawn);
  assert.equal(run.meta.step, drawn.train.at(-1)?.[0]);
});

test("a validation loss that only rises is told from one that wavers", () => {
  const points = (/** @type {number[]} */ ...losses) =>
    losses.map((loss, at) => /** @type {[number, number]} */ ([at * 10, loss]));
  assert.ok(onlyRises(points(3, 3.1, 3.2, 3.3, 3.4)));
  assert.ok(onlyRises(points(4, 3, 3.1, 3.05, 3.2, 3.3)));
  assert.ok(!onlyRises(points(3, 3.1, 3.2, 3.3)), "too few");
  assert.ok(!onlyRises(points(3, 3.1, 3.2, 3.3, 2.9)), "a new lowest");
  assert.ok(!onlyRises(points(3, 3.6, 3.5, 3.4, 3.3)), "it falls again");
  assert.ok(!onlyRises([]));
});

test("of what a model wrote on its way, the first and the newest text stay", () => {
  /** @type {import("../../www/train/history.js").Sample[]} */
  let samples = [];
  for (let step = 0; step <= 1000; step += 1) {
    samples = withSample(samples, { step, prompt: "a", text: `${step}` });
    assert.ok(samples.length <= MOST_SAMPLES + 1);
    assert.equal(samples[0].step, 0);
    assert.equal(samples.at(-1)?.step, step);
  }
  // A run that went back to its last save writes a step's text anew.
  samples = withSample(samples, { step: 700, prompt: "a", text: "again" });
  assert.equal(samples.at(-1)?.text, "again");
  assert.ok(samples.every(({ step }, at) => !at || step > samples[at - 1].step));
});
