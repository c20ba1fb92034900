// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerStrings, setLanguage } from "../../www/core/i18n/index.js";
import { signedBits } from "../../www/inspect/label.js";
import {
  ablationCsv,
  cellSize,
  defaultTarget,
  isOff,
  LAYER,
  layerToggled,
  layerUnits,
  Memory,
  MLP,
  meanLoss,
  moveUnit,
  normalized,
  OffWatch,
  offKey,
  Pace,
  positionAt,
  Recent,
  ranking,
  scaleOf,
  shade,
  sideBySide,
  toggled,
  topAfter,
} from "../../www/inspect/panels/heads/data.js";
import { gridSizes } from "../../www/inspect/panels/heads/grid.js";
import { endOf } from "../../www/inspect/panels/heads/picture.js";
import { Ranker } from "../../www/inspect/panels/heads/ranker.js";
import { listed, progressText } from "../../www/inspect/panels/heads/ranking.js";
import { headsEn } from "../../www/inspect/panels/heads/words.en.js";
import { headsZh } from "../../www/inspect/panels/heads/words.zh.js";
import { engineError } from "./engine_error.mjs";

registerStrings(headsEn, headsZh);

const unit = (/** @type {number} */ layer, /** @type {number} */ head) => ({ layer, head });

test("what is off is a set in one order, however it was chosen", () => {
  const off = toggled(toggled(toggled([], unit(1, MLP)), unit(1, 3)), unit(0, 2));
  assert.deepEqual(off, [unit(0, 2), unit(1, 3), unit(1, MLP)]);
  assert.ok(isOff(off, unit(1, MLP)) && !isOff(off, unit(0, MLP)));
  assert.deepEqual(toggled(off, unit(1, 3)), [unit(0, 2), unit(1, MLP)]);
  assert.deepEqual(toggled(toggled(off, unit(1, 3)), unit(1, 3)), off);
  assert.deepEqual(normalized([unit(2, 0), unit(0, 0), unit(2, 0)]), [unit(0, 0), unit(2, 0)]);
  assert.equal(offKey([unit(2, 0), unit(0, MLP)]), offKey([unit(0, MLP), unit(2, 0), unit(0, MLP)]));
  assert.notEqual(offKey([unit(2, 0)]), offKey([unit(0, 2)]));
  assert.equal(offKey([]), "");
});

test("nothing that was given is changed", () => {
  const off = Object.freeze([Object.freeze(unit(1, 0)), Object.freeze(unit(0, 0))]);
  assert.equal(toggled(off, unit(0, 1)).length, 3);
  assert.equal(layerToggled(off, 0, 2).length, 4);
  assert.deepEqual(off, [unit(1, 0), unit(0, 0)]);
});

test("a layer goes off as a whole, also where a part is off, and on again as a whole", () => {
  assert.deepEqual(layerUnits(1, 2), [unit(1, 0), unit(1, 1), unit(1, MLP)]);
  const part = [unit(0, 1), unit(1, 0)];
  const all = layerToggled(part, 0, 2);
  assert.deepEqual(all, [...layerUnits(0, 2), unit(1, 0)]);
  assert.deepEqual(layerToggled(all, 0, 2), [unit(1, 0)]);
});

/** @type {import("../../www/inspect/types.js").ScoreAnswer} */
const scores = {
  rows: 3,
  logprob: Float32Array.from([-1, -3, 0]),
  entropy: new Float32Array(3),
  rank: new Uint32Array(3),
  top: 2,
  topIds: Uint32Array.from([1, 2, 3, 4, 5, 6]),
  topLogprobs: Float32Array.from([-0.5, -1, -0.25, -2, -0.125, -4]),
  texts: [
    [1, "a"],
    [2, "b"],
    [3, "c"],
    [4, "d"],
    [5, "e"],
  ],
};

test("the loss leaves out the last row, after which nothing follows", () => {
  assert.equal(meanLoss(scores), 2);
  assert.equal(meanLoss({ ...scores, rows: 1 }), null);
  assert.equal(meanLoss({ ...scores, rows: 2 }), 1);
});

test("the likeliest after a position", () => {
  assert.deepEqual(topAfter(scores, 1), [
    { id: 3, text: "c", logprob: -0.25 },
    { id: 4, text: "d", logprob: -2 },
  ]);
  assert.deepEqual(
    topAfter(scores, 2).map(({ text }) => text),
    ["e", "#6"],
  );
  assert.deepEqual(topAfter(scores, 3), [], "the text grew, the scores did not yet");
  assert.deepEqual(topAfter(scores, -1), []);
});

test("before and after side by side, with the change where both have the token", () => {
  const before = [
    { id: 1, text: "a", logprob: -0.5 },
    { id: 2, text: "b", logprob: -1 },
    { id: 3, text: "c", logprob: -4 },
  ];
  const after = [
    { id: 2, text: "b", logprob: -0.25 },
    { id: 9, text: "z", logprob: -2 },
    { id: 1, text: "a", logprob: -3 },
  ];
  const both = sideBySide(before, after, 2);
  assert.deepEqual(
    both.before.map(({ text, change }) => [text, change]),
    [
      ["a", -2.5],
      ["b", 0.75],
    ],
  );
  assert.deepEqual(
    both.after.map(({ text, change }) => [text, change]),
    [
      ["b", 0.75],
      ["z", null],
    ],
  );
  assert.ok(Math.abs(both.after[1].p - Math.exp(-2)) < 1e-12);
});

test("the target is what really follows, at the end the model's likeliest", () => {
  const tokens = { ids: [0, 7, 8], texts: ["<s>", " x", " y"] };
  const best = [{ id: 5, text: " best", logprob: -1 }];
  assert.deepEqual(defaultTarget(tokens, 1, best), { id: 8, text: " y", follows: true });
  assert.deepEqual(defaultTarget(tokens, 2, best), { id: 5, text: " best", follows: false });
  assert.equal(defaultTarget(tokens, 2, []), null);
});

const answer = {
  logprob: -1,
  loss: 3,
  units: [
    { ...unit(0, 0), logprob: -1.1, loss: 3.1 },
    { ...unit(0, 1), logprob: -0.5, loss: 2.9 },
    { ...unit(0, MLP), logprob: -5, loss: 6 },
    { ...unit(1, 0), logprob: -1, loss: 3 },
    { ...unit(1, 1), logprob: -1, loss: 3 },
    { ...unit(1, MLP), logprob: -1, loss: 3 },
  ],
};

test("the list can leave the MLPs out, which top it", () => {
  const effects = ranking(answer, []);
  assert.deepEqual(listed(effects, false), effects);
  const heads = listed(effects, true);
  assert.ok(effects.some(({ head }) => head < 0) && heads.length > 0);
  assert.deepEqual(
    heads,
    effects.filter(({ head }) => head !== MLP),
  );
});

test("the ranking goes by the size of the change, whichever way", () => {
  const effects = ranking(answer, []);
  assert.deepEqual(
    effects.map(({ layer, head }) => [layer, head]),
    [
      [0, MLP],
      [0, 1],
      [0, 0],
      [1, 0],
      [1, 1],
      [1, MLP],
    ],
  );
  assert.equal(effects[0].delta, -4);
  assert.equal(effects[1].delta, 0.5);
  assert.ok(Math.abs(effects[0].before - Math.exp(-1)) < 1e-12 && Math.abs(effects[0].after - Math.exp(-5)) < 1e-12);
  assert.equal(effects[0].lossDelta, 3);
  assert.deepEqual(
    ranking(answer, [unit(0, MLP), unit(1, 0)]).map(({ layer, head }) => [layer, head]),
    [
      [0, 1],
      [0, 0],
      [1, 1],
      [1, MLP],
    ],
    "what is off already has no effect to rank",
  );
  assert.deepEqual(ranking({ ...answer, units: [] }, []), []);
});

test("colours: the ends are the strongest change, small ones still show, nothing is nothing", () => {
  const scale = scaleOf(ranking(answer, []));
  assert.equal(scale, 4);
  assert.equal(shade(-4, scale), -1);
  assert.equal(shade(1, scale), 0.5);
  assert.equal(shade(0, scale), 0);
  assert.equal(shade(9, scale), 1);
  assert.ok(shade(-0.04, scale) <= -0.099);
  assert.equal(scaleOf([]), 0.01, "rounding alone is not blown up to full colour");
  assert.equal(scaleOf([{ layer: 0, head: 0, delta: 1e-6, before: 1, after: 1, lossDelta: 0 }]), 0.01);
});

test("cells fill the width, but stay large enough to hit", () => {
  assert.equal(cellSize(310, 6), 40);
  assert.equal(cellSize(350, 13), 26);
  assert.equal(cellSize(350, 26), 22);
});

test("keys move through layers, heads and the MLP", () => {
  const to = (/** @type {string} */ key, /** @type {number} */ layer, /** @type {number} */ head) =>
    moveUnit(key, unit(layer, head), 4, 3);
  assert.deepEqual(to("ArrowRight", 1, 2), unit(1, MLP));
  assert.deepEqual(to("ArrowRight", 1, MLP), unit(1, MLP));
  assert.deepEqual(to("ArrowLeft", 1, MLP), unit(1, 2));
  assert.deepEqual(to("ArrowLeft", 1, 0), unit(1, LAYER));
  assert.deepEqual(to("ArrowLeft", 1, LAYER), unit(1, LAYER));
  assert.deepEqual(to("ArrowRight", 1, LAYER), unit(1, 0));
  assert.deepEqual(to("ArrowDown", 1, LAYER), unit(2, LAYER));
  assert.deepEqual(to("ArrowUp", 0, 1), unit(0, 1));
  assert.deepEqual(to("ArrowDown", 2, MLP), unit(3, MLP));
  assert.deepEqual(to("ArrowDown", 3, 0), unit(3, 0));
  assert.deepEqual(to("Home", 2, MLP), unit(2, 0));
  assert.deepEqual(to("End", 2, 0), unit(2, MLP));
  assert.deepEqual(to("PageUp", 2, 1), unit(0, 1));
  assert.deepEqual(to("PageDown", 2, 1), unit(3, 1));
  assert.equal(to("x", 2, 1), null);
});

test("the last few measurements are kept, the oldest go", () => {
  const recent = new Recent(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.set("a", 3);
  recent.set("c", 4);
  assert.deepEqual([recent.get("a"), recent.get("b"), recent.get("c")], [3, undefined, 4]);
  recent.clear();
  assert.equal(recent.get("c"), undefined);
});

test("how far a measuring is and how long it still takes, in parts of a pass and in whole units", () => {
  const pace = new Pace(9, 1000);
  pace.see({ done: 0, total: 1000 }, 1000);
  pace.see({ done: 50, total: 1000 }, 3000);
  assert.deepEqual([pace.share, pace.done, pace.left], [0.05, 0, null], "nobody knows before the first pass is over");
  pace.see({ done: 100, total: 1000 }, 5000);
  assert.deepEqual([pace.done, pace.left], [0, 36], "as long as the first, for each of nine");
  pace.see({ done: 150, total: 1000 }, 6000);
  assert.deepEqual([pace.done, pace.left], [0, 17], "units go twice as fast");
  pace.see({ done: 200, total: 1000 }, 7000);
  assert.deepEqual([pace.done, pace.left], [1, 16]);
  pace.see({ done: 190, total: 1000 }, 7000);
  assert.equal(pace.share, 0.2, "never back");
  pace.see({ done: 1000, total: 1000 }, 23000);
  assert.deepEqual([pace.share, pace.done, pace.left], [1, 9, 0]);
  const old = new Pace(9, 0);
  old.see({ done: 0, total: 9 }, 10);
  assert.deepEqual([old.share, old.done, old.left], [0, 0, null]);
  old.see({ done: 1, total: 9 }, 4000);
  assert.deepEqual([old.share, old.done, old.left], [0.2, 1, 16], "two passes of ten");
  setLanguage("en");
  const words = (/** @type {number} */ passes, /** @type {number | null} */ left) =>
    progressText({ passes, share: 0, done: Math.max(0, passes - 1), units: 156, left });
  assert.equal(words(0.5, null), "first with nothing changed…");
  assert.equal(words(3, 1550), "2 of 156 · about 26 min left");
  assert.equal(words(150, 41), "149 of 156 · about 45 s left");
  assert.equal(words(155, 2), "154 of 156");
});

test("CSV names heads and MLPs", () => {
  const lines = ablationCsv(ranking(answer, []), { text: " a,b" }).split("\r\n");
  assert.equal(lines.length, 8);
  assert.equal(lines[1], `1,0,mlp,," a,b",-4,${Math.exp(-1)},${Math.exp(-5)},3`);
  assert.ok(lines[2].startsWith('2,0,head,1," a,b",0.5,'));
});

test("numbers carry their sign, zero has none", () => {
  assert.equal(signedBits(0.314), "+0.45");
  assert.equal(signedBits(-0.314), "−0.45");
  assert.equal(signedBits(-0.001), "0.00");
  assert.equal(signedBits(-0.001, 3), "−0.001");
});

test("scores are trusted only once they belong to what is off", () => {
  const watch = new OffWatch();
  const info = {};
  const see = (/** @type {number} */ version, /** @type {string} */ text, /** @type {string} */ off) =>
    watch.see({ version, text, info }, off);
  assert.deepEqual(see(1, "a", ""), { fresh: true, modelChanged: false });
  assert.deepEqual(see(1, "a", ""), { fresh: true, modelChanged: false });
  assert.deepEqual(
    see(1, "a", "0.1"),
    { fresh: false, modelChanged: false },
    "the choice is there, its numbers are not",
  );
  assert.deepEqual(see(1, "a", "0.1"), { fresh: false, modelChanged: false });
  assert.deepEqual(
    see(2, "a", "0.1"),
    { fresh: true, modelChanged: false },
    "the version moves on because of the choice, not of the model",
  );
  assert.deepEqual(see(3, "a", "0.1"), { fresh: true, modelChanged: true }, "same text, same choice, other numbers");
  assert.deepEqual(see(4, "a", ""), { fresh: true, modelChanged: false }, "both at once");
  assert.deepEqual(see(5, "ab", ""), { fresh: true, modelChanged: false });
  assert.equal(
    watch.see({ version: 6, text: "abc", info: {} }, "").modelChanged,
    true,
    "another model, whatever the text",
  );
  assert.deepEqual(
    new OffWatch().see({ version: 9, text: "a", info }, "0.1"),
    { fresh: true, modelChanged: false },
    "opened by a link",
  );
});

test("the place where a continuation began, in the text's new tokens", () => {
  assert.equal(positionAt([0, 4, 9, 9, 12], 9), 2, "bytes of an unfinished character belong to what follows");
  assert.equal(positionAt([0, 4, 9, 9, 12], 0), 0);
  assert.equal(positionAt([0, 4, 9, 9, 12], 7), -1);
});

test("what was measured outlives the panel, unless something may have changed meanwhile", () => {
  const memory = new Memory();
  memory.watch.see({ version: 3, text: "a", info: null }, "");
  memory.baselines.set("a", scores);
  memory.resume(3);
  assert.equal(memory.baselines.get("a"), scores);
  memory.resume(4);
  assert.equal(memory.baselines.get("a"), undefined);
});

/** @typedef {import("../../www/inspect/types.js").Subject} Subject */
/** @param {Partial<Subject>} [patch] @returns {Subject} */
const subject = (patch = {}) =>
  /** @type {Subject} */ (
    /** @type {unknown} */ ({
      version: 1,
      text: "xy",
      info: { nLayer: 2, nHead: 2 },
      selected: 2,
      writing: false,
      scores,
      tokens: { ids: [0, 7, 8], texts: ["<s>", "x", "y"], ends: [0, 1, 2], bytes: [], bos: true },
      ...patch,
    })
  );

/** A context whose questions the test answers; a later one in a slot ends the one before it, as the real one does. */
function fakeContext() {
  /**
   * @type {{ request: any, resolve: (answer: any) => void, reject: (error: unknown) => void, onProgress: (progress:
   *   any) => void }[]}
   */
  const asked = [];
  /** @type {string[]} */
  const said = [];
  const ask = (/** @type {string} */ _slot, /** @type {any} */ request, /** @type {any} */ onProgress) =>
    new Promise((resolve, reject) => {
      asked.at(-1)?.reject(new DOMException("withdrawn", "AbortError"));
      asked.push({ request, resolve, reject, onProgress });
    });
  return { asked, said, ctx: /** @type {any} */ ({ ask, say: (/** @type {string} */ key) => said.push(key) }) };
}
/** @type {() => Memory<import("../../www/inspect/panels/heads/ranker.js").Ranked>} */
const newMemory = () => new Memory();

test("targets: what follows, else the likeliest with everything on, and it stays while heads go off", () => {
  const memory = newMemory();
  const ranker = new Ranker(fakeContext().ctx, memory, () => {});
  assert.deepEqual(ranker.targets(subject({ selected: 1 }), true).target?.text, "y");
  assert.deepEqual(
    ranker.targets(subject({ selected: 1 }), true).choices.map(({ text, follows }) => [text, follows]),
    [
      ["y", true],
      ["c", false],
      ["d", false],
    ],
  );
  const end = ranker.targets(subject(), true);
  assert.equal(end.target?.text, "e");
  const otherwise = { ...scores, topIds: Uint32Array.from([1, 2, 3, 4, 6, 5]) };
  assert.equal(
    ranker.targets(subject({ scores: otherwise }), true).target?.text,
    "e",
    "the model's answer with everything on",
  );
  assert.equal(
    ranker.targets(subject({ scores: null }), false).target?.text,
    "e",
    "also while the numbers are on their way",
  );
  ranker.forget();
  assert.equal(ranker.targets(subject({ scores: otherwise }), true).target?.id, 6, "another model, another answer");

  ranker.choose(subject(), true, 5);
  assert.equal(ranker.targets(subject(), true).target?.id, 5);
  ranker.choose(subject(), true, 12345);
  assert.equal(ranker.targets(subject(), true).target?.id, 5, "only what is offered");
  assert.equal(ranker.targets(subject({ selected: 1 }), true).target?.text, "y", "a choice is for its place");
  assert.equal(ranker.targets(subject({ selected: 0, scores: null }), false).target?.text, "x");
});

test("ranking: asks for the text up to the token, shows what is done, ends with all", async () => {
  const { ctx, asked } = fakeContext();
  let drawn = 0;
  const ranker = new Ranker(ctx, newMemory(), () => (drawn += 1));
  const target = { id: 8, text: "y", follows: true };
  const at = subject({ selected: 1 });
  const done = ranker.rank(at, target, [unit(1, 1)]);
  assert.deepEqual(asked[0].request, { what: "ablate", ids: [0, 7], target: 8 });
  asked[0].onProgress({ done: 2, total: 6, partial: { ...answer, units: answer.units.slice(0, 2) } });
  assert.deepEqual([ranker.running?.done, ranker.running?.units], [2, 6]);
  assert.equal(ranker.shown(at, target, [unit(1, 1)])?.effects.length, 2);
  assert.equal(ranker.shown(at, target, [unit(1, 1)])?.total, 6);
  asked[0].resolve(answer);
  await done;
  assert.equal(ranker.running, null);
  assert.equal(drawn, 2);
  const whole = ranker.shown(at, target, [unit(1, 1)]);
  assert.deepEqual(
    [whole?.effects.length, whole?.done, whole?.total, whole?.token, whole?.target],
    [5, 6, 6, "x", "y"],
  );
  assert.equal(ranker.shown(at, target, []), whole, "with other things off it is still the best that is known");
  assert.equal(ranker.shown(at, { ...target, id: 9 }, []), null);
  assert.equal(ranker.shown(subject(), target, []), null, "another place");
});

test("cancelling ends the question, keeps what was found, and takes in nothing that comes late", async () => {
  const { ctx, asked, said } = fakeContext();
  const ranker = new Ranker(ctx, newMemory(), () => {});
  const target = { id: 8, text: "y", follows: true };
  const at = subject({ selected: 1 });
  const done = ranker.rank(at, target, []);
  asked[0].onProgress({ done: 1, total: 6, partial: { ...answer, units: answer.units.slice(0, 1) } });
  ranker.cancel();
  assert.equal(ranker.running, null);
  assert.equal(asked[1].request.what, "tokens", "a question that costs nothing takes the slot");
  asked[0].onProgress({ done: 3, total: 6, partial: { ...answer, units: answer.units.slice(0, 3) } });
  await done;
  assert.deepEqual([ranker.shown(at, target, [])?.done, ranker.shown(at, target, [])?.total], [1, 6]);
  ranker.cancel();
  assert.equal(asked.length, 2, "nothing runs: nothing to end");

  const again = ranker.rank(at, target, []);
  asked[2].reject(engineError("out of memory"));
  await again;
  assert.deepEqual(said, ["heads.error"]);
  assert.equal(ranker.running, null);
});

test("the grid of all heads fits its column where its cells can still be hit", () => {
  for (const [width, heads] of [
    [482, 12],
    [410, 12],
    [590, 12],
    [358, 12],
    [478, 5],
    [620, 20],
  ]) {
    const sizes = gridSizes(width, heads);
    assert.ok(sizes.width <= width, `${heads} heads in ${width}: ${sizes.width}`);
    assert.ok(sizes.cell >= 22);
  }
  assert.ok(gridSizes(358, 16).width > 358, "more heads than a phone has room for are scrolled to");
});

test("of a long text a picture shows the end", () => {
  assert.equal(
    endOf("one\n two", () => true),
    "one two",
  );
  assert.equal(
    endOf("one two", (part) => part.length <= 4),
    "…two",
  );
});
