// @ts-check
// Training in the page: what every event makes of its state, in sequences that are thought out and in random ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as facts from "../../www/train/run_facts.js";
import { World } from "./run_world.mjs";

/** A world after these. @param {string[]} names as in `World.can`, with a number behind where one chooses */
async function after(...names) {
  const world = new World();
  await go(world, ...names);
  return world;
}

/** @param {World} world @param {string[]} names */
async function go(world, ...names) {
  for (const name of names) {
    const [what, n = "1"] = name.split(" ");
    await world.can[what](Number(n));
  }
}

/** A run that goes on and has made two steps. */
const RUNS = ["start", "begins 2", "steps"];
const kinds = (/** @type {World} */ world) => world.effects.map(({ type }) => type);
/** @param {World} world */
const said = (world) => world.effects.flatMap((one) => (one.type === "say" ? one.lines.map(([key]) => key) : []));
/** @param {World} world */
const failures = (world) => world.effects.flatMap((one) => (one.type === "failed" ? [one.key] : []));

test("a run begins, goes on, is paused and goes on again", async () => {
  const world = await after(...RUNS, "pause");
  assert.equal(world.state.phase, "pausing");
  await go(world, "steps", "ends");
  assert.equal(world.state.phase, "paused");
  assert.equal(world.state.savedStep, -1);
  await go(world, "saved");
  assert.equal(world.state.savedStep, world.state.step);
  const { step } = world.state;
  await go(world, "resume", "steps");
  assert.equal(world.state.phase, "running");
  assert.ok(world.state.step > step);
  assert.equal(world.state.resumedAt, step);
});

test("a run that ends writes first and is saved then", async () => {
  const world = await after("start", "begins 2", "steps 8", "steps 8", "steps 8", "steps 8", "steps 8", "ends");
  assert.equal(world.state.phase, "finished");
  assert.ok(!kinds(world).includes("save"), "a save breaks writing off");
  await go(world, "sampled", "saved");
  assert.equal(world.state.sample?.step, 40);
  assert.equal(world.state.savedStep, 40);
  assert.equal(kinds(world).at(-1), "listRuns");
});

test("a pause while it is being saved: one save after the other", async () => {
  const world = await after(...RUNS, "save", "pause", "ends");
  assert.equal(kinds(world).filter((type) => type === "save").length, 1);
  await go(world, "saved");
  assert.equal(kinds(world).filter((type) => type === "save").length, 2, "what came meanwhile is saved too");
  await go(world, "saved");
  assert.equal(world.state.saving, null);
});

test("a pause that cannot be asked for leaves the run going on, and says so", async () => {
  const world = await after(...RUNS, "pause", "pauseFails");
  assert.equal(world.state.phase, "running");
  assert.deepEqual(failures(world), ["train.error.pause"]);
});

test("what a pause came to is not taken for what came of the one after it", async () => {
  const world = await after(...RUNS, "pause", "pauseFails", "pause");
  const { state } = world;
  await go(world, "late 2");
  assert.equal(world.late[2].type, "notPaused");
  assert.equal(world.state, state);
});

test("a stop that fails is none: the next pause pauses", async () => {
  const world = await after(...RUNS, "stop", "pauseFails", "pause", "ends");
  assert.equal(world.state.phase, "paused");
});

test("stop ends a run for good, and a paused one at once", async () => {
  assert.equal((await after(...RUNS, "stop", "ends")).state.phase, "stopped");
  const world = await after(...RUNS, "pause", "ends", "stop");
  assert.equal(world.state.phase, "stopped");
  assert.ok(facts.canGoOn(world.state));
});

test("stop while a run starts does nothing: it has no steps yet", async () => {
  const world = await after("start", "stop");
  assert.equal(world.state.phase, "starting");
  await go(world, "begins 2");
  assert.equal(world.state.phase, "running");
  assert.equal(world.state.stopAsked, false);
});

test("a model that is opened while a run is under way to start is what is open then", async () => {
  const world = await after("start", "opens", "late");
  assert.equal(world.state.phase, "idle");
  assert.ok(!kinds(world).includes("train"));
  // Of the model that it began from itself it does not.
  assert.equal((await after("start", "begins 1")).state.phase, "running");
});

test("a start that fails leaves the run that there was, and lets the field be marked", async () => {
  const world = await after(...RUNS, "stop", "ends", "start", "notBegun");
  assert.equal(world.state.phase, "stopped");
  assert.deepEqual(failures(world), ["train.error.start"]);
  assert.equal(kinds(world).at(-1), "replan");
  assert.equal((await after("start", "notBegun")).state.phase, "idle");
  // Where its model has given way already, there is none.
  assert.equal((await after(...RUNS, "stop", "ends", "saved", "start", "begins 3")).state.phase, "idle");
});

test("without a text nothing starts, and that is said", async () => {
  const world = await after("start 5");
  assert.deepEqual(said(world), ["train.error.noText"]);
  assert.equal(world.state.phase, "idle");
});

test("on a full disk nothing takes the place of a run, unless it is given up", async () => {
  const world = await after("fills", ...RUNS, "autosaves", "opens");
  assert.ok(world.state.saveFailure instanceof DOMException);
  assert.ok(facts.precious(world.state));
  assert.equal(world.state.holder, "here");
  assert.equal(world.state.run?.id, "run 0");
  await go(world, "giveUp", "opens");
  assert.equal(world.state.run, null);
  // What is learnt after that was not given up.
  const again = await after("fills", ...RUNS, "giveUp", "pause", "ends", "resume", "steps", "opens");
  assert.equal(again.state.run?.id, "run 0");
  await go(again, "empties", "save", "saved");
  assert.equal(again.state.saveFailure, null);
});

test("where the browser keeps nothing, no save is asked for, and no step is thought safe", async () => {
  const world = new World({ keeps: false });
  await go(world, ...RUNS, "pause", "ends", "save");
  assert.ok(!kinds(world).includes("save"));
  assert.ok(facts.unsaved(world.state));
});

test("the worker dies: the run stands at its save when it is there again", async () => {
  const world = await after(...RUNS, "autosaves", "steps", "steps");
  const before = world.state;
  const { savedStep } = before;
  await go(world, "crash", "late 99");
  assert.equal(world.state.phase, "stopped");
  await go(world, "opensRun 0");
  assert.equal(world.state.step, savedStep);
  assert.equal(world.state.phase, "paused");
  assert.deepEqual(facts.afterCrash(before, world.state), {
    lines: [["train.crashed", { step: before.step, saved: savedStep }]],
    resume: true,
  });
  const gone = await after(...RUNS);
  const { state } = gone;
  await go(gone, "crash", "opens");
  assert.deepEqual(facts.afterCrash(state, gone.state).lines, [["train.crashed.gone", { step: state.step }]]);
  assert.deepEqual(facts.afterCrash(gone.state, gone.state).lines, []);
});

test("a run that fails keeps its best weights and is saved, and one failure is told", async () => {
  const world = await after("fills", ...RUNS, "fails", "best", "saved");
  assert.equal(world.state.phase, "stopped");
  assert.equal(world.state.best?.inForce, true);
  assert.deepEqual(failures(world), ["train.error.run"]);
});

test("another tab has the run: it is looked at, and taken over when it is free", async () => {
  const world = await after(...RUNS, "autosaves", "opens", "opensRun 3");
  assert.equal(world.state.holder, "elsewhere");
  assert.deepEqual(said(world).slice(-1), ["train.readOnly"]);
  await go(world, "resume", "save");
  assert.equal(world.state.phase, "paused");
  assert.ok(!facts.unsaved(world.state));
  await go(world, "freed", "resume");
  assert.equal(world.state.holder, "free");
  assert.deepEqual(world.effects.at(-1), { type: "openRun", run: "run 0", goOn: true });
});

test("an open that fails after the run gave way gives it back, unless another tab took it", async () => {
  const world = await after(...RUNS, "opensInVain 1");
  assert.equal(world.state.holder, "here");
  assert.equal(world.state.left, null);
  await go(world, "saved", "resume");
  assert.equal(world.state.phase, "running");
  assert.equal((await after(...RUNS, "opensInVain 3")).state.holder, "elsewhere");
});

test("while it has given way it does not go on", async () => {
  const world = await after(...RUNS, "pause", "ends", "saved");
  world.dispatch({ type: "leaving" });
  await go(world, "resume");
  assert.equal(world.state.phase, "paused");
});

test("a run with steps left that gave way is offered", async () => {
  const world = await after(...RUNS, "opens");
  assert.deepEqual(said(world).slice(-1), ["train.offer"]);
  assert.ok(kinds(world).includes("offer"));
  // One that came back, as on another backend, is told of.
  const same = await after(...RUNS, "autosaves", "opensRun 0");
  assert.deepEqual(said(same), ["train.pausedSaved"]);
});

test("the best weights take the place of the last ones: the model writes anew and is saved", async () => {
  const world = await after(...RUNS, "pause", "ends", "saved", "useBest 2", "bestUsed");
  assert.equal(world.state.best?.inForce, true);
  assert.equal(world.state.sample, null);
  await go(world, "sampled");
  assert.equal(kinds(world).at(-1), "save");
  await go(world, "saved", "resume");
  assert.equal(world.state.best, null, "it goes on from its last weights");
  await go(world, "useBest 2");
  assert.equal(kinds(world).filter((type) => type === "useBest").length, 1, "not while it goes on");
  // Of another opening of the run the answer is late.
  await go(world, "pause", "ends", "saved", "useBest 2", "opensRun 0");
  const { state } = world;
  await go(world, "bestUsed");
  world.dispatch({ type: "bestUsed", key: state.key - 1, best: null });
  assert.equal(world.state, state);
});

test("an adapter from disk ends the run that there was", async () => {
  const world = await after(...RUNS, "pause", "ends", "strength 0", "addsAdapter");
  assert.equal(world.state.phase, "idle");
  assert.equal(world.state.strength, 1);
});

test("a reload shows the run where it stood", async () => {
  const world = await after(...RUNS, "pause", "ends", "saved");
  const { step } = world.state;
  const page = new World();
  page.disk = world.disk;
  await go(page, "opensRun 0");
  const { phase, step: at, savedStep, named, run } = page.state;
  assert.deepEqual(
    { phase, at, savedStep, named, id: run?.id },
    {
      ...{ phase: "paused", at: step, savedStep: step, named: true, id: "run 0" },
    },
  );
  await go(page, "resume", "steps");
  assert.ok(page.state.step > step);
});

test("the address names a run from its first save on, and anew when that was deleted", async () => {
  const world = await after(...RUNS, "autosaves", "steps", "autosaves");
  const names = () => kinds(world).filter((type) => type === "name").length;
  assert.equal(names(), 1);
  await go(world, "remove 0", "autosaves");
  assert.equal(names(), 2);
});

test("the time that is left follows from what was done since it went on", async () => {
  const world = new World();
  await go(world, "start", "begins 2");
  assert.ok(Number.isNaN(facts.remainingMs(world.state)));
  await go(world, "steps 9");
  assert.equal(facts.remainingMs(world.state), 9 * 39);
});

/** Whatever there is, comes to rest, and a new run begins. @param {World} world */
async function settle(world) {
  world.full = false;
  if (world.lost) world.opens({}, null);
  for (let turn = 0; turn < 20 && (world.state.phase === "pausing" || world.asked.length > 0); turn += 1) {
    const { phase } = world.state;
    if (phase === "running") await go(world, "stop");
    await go(world, "ends", "notBegun", "sampled", "best", "bestUsed", "saved", "freed");
  }
  assert.deepEqual(world.asked, [], "something is asked for again and again");
  assert.ok(!facts.busy(world.state), world.state.phase);
  await go(world, "start 1", "begins 2", "steps 1");
  assert.equal(world.state.phase, "running");
}

test("whatever happens, in whatever order, what must hold does, and one can always train again", async () => {
  const names = Object.keys(new World().can);
  // What makes a sequence come to something is drawn more often.
  const often = [
    "start",
    "begins",
    "steps",
    "steps",
    "pause",
    "ends",
    "resume",
    "saved",
    "autosaves",
    "late",
    "opensRun",
  ];
  const one = fc.tuple(fc.constantFrom(...names, ...often), fc.nat(999));
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 60, size: "max" }), fc.boolean(), async (all, keeps) => {
      const world = new World({ keeps });
      for (const [name, n] of all) await world.can[name](n);
      if (!keeps && world.state.run) await go(world, "giveUp");
      await settle(world);
    }),
    { numRuns: 4000 },
  );
});

test("a run whose validation loss only rises stops by itself, once, and not where a model learns from nothing", async () => {
  for (const mode of /** @type {const} */ (["full", "lora", "scratch"])) {
    const world = await after(...RUNS);
    const { run } = world.state;
    assert.ok(run);
    world.state = Object.freeze({ ...world.state, run: { ...run, mode } });
    const validated = (/** @type {number} */ step, /** @type {number} */ loss) => {
      const events = /** @type {any} */ ([{ type: "evaluated", step, loss, best: false }]);
      world.dispatch({ type: "progress", number: world.state.training, events, elapsedMs: 1, backend: "cpu" });
    };
    for (const [at, loss] of [3, 3.1, 3.2, 3.3].entries()) validated(at, loss);
    assert.equal(world.state.phase, "running");
    validated(4, 3.4);
    if (mode === "scratch") {
      assert.equal(world.state.phase, "running");
      continue;
    }
    assert.equal(world.state.phase, "pausing");
    await go(world, "ends");
    assert.deepEqual([world.state.phase, world.state.early], ["stopped", true]);
    // Who goes on means it.
    await go(world, "resume");
    assert.equal(world.state.early, false);
    validated(5, 3.5);
    assert.equal(world.state.phase, "running");
  }
});
