// @ts-check
// A run in the worker that lets go of its place, and takes it back: what it says is saved is saved, and what others
// saved stays.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { releaseRuns } from "../../www/models/locks.js";
import { deleteRun, listRuns, readRun } from "../../www/models/storage.js";
import { Run } from "../../www/train/worker_run.js";
import { disk, FakeFolder } from "./fake_disk.mjs";

/** What is locked, by whomever. @type {Set<string>} */
let locked = new Set();
const locks = {
  /** @param {string} name @param {{ signal: AbortSignal }} options @param {() => unknown} granted */
  async request(name, { signal }, granted) {
    while (locked.has(name)) {
      if (signal.aborted) throw signal.reason;
      await new Promise((resolve) => setTimeout(resolve));
    }
    locked.add(name);
    try {
      return await granted();
    } finally {
      locked.delete(name);
    }
  },
};
AbortSignal.timeout = () => AbortSignal.abort();

/** An engine whose steps are numbers, and three of which are a run. */
function session() {
  let step = 0;
  return /** @type {any} */ ({
    wasm: {
      trainStart: async () => ({ options: { steps: 3 }, step: 0 }),
      trainNext: async () => ({
        events: [{ type: "step", step: ++step, loss: 1 }, ...(step === 3 ? [{ type: "finished" }] : [])],
      }),
      trainDrain: async () => ({ events: [] }),
      // What a piece fails with comes back in words alone.
      saveState: async (/** @type {(bytes: Uint8Array) => Promise<void>} */ piece) =>
        piece(new Uint8Array([step])).catch((error) => {
          throw new Error(`the engine: ${error.message}`);
        }),
      modelFiles: () => ["config.json", "tokenizer.json"].map((name) => ({ name, bytes: new Uint8Array(1) })),
      bestWeights: () => undefined,
      restoreState: async (/** @type {Blob} */ state) => ({
        options: { steps: 3 },
        step: (step = new Uint8Array(await state.arrayBuffer())[0]),
      }),
    },
    generate: async () => {},
  });
}

let opened = 0;
/** A run of this worker, not yet trained. */
async function start() {
  const { run } = await Run.start(
    session(),
    { text: "some text", lora: false, options: {} },
    /** @type {any} */ ({ id: `run ${++opened}`, name: "a run" }),
  );
  run.lastSample = Infinity;
  return run;
}
/**
 * Trains a number of steps with a save due after each; what it told of saves.
 * @param {Run} run
 * @param {number} steps
 */
async function train(run, steps) {
  /** @type {import("../../www/engine/types.js").RunEvent[]} */
  const told = [];
  const end = run.meta.step + steps;
  await run.train({
    emit: (event) => {
      if (event.type === "saved" || event.type === "notSaved") told.push(event);
    },
    shouldPause: () => run.meta.step >= end,
    between: async () => {
      run.pace.at = -Infinity;
    },
  });
  return told;
}
/** The step that is really saved. @param {Run} run */
const savedStep = async (run) => (await readRun(run.meta.id)).meta.step;

/** The same run as another tab has it, with a memory of its own. @param {Run} run */
async function elsewhere(run) {
  const { writeRun } = /** @type {typeof import("../../www/models/storage.js")} */ (
    await import(`../../www/models/storage.js?${++opened}`)
  );
  return (/** @type {number} */ step) =>
    writeRun(run.meta.id, { ...run.meta, step }, (add) => add("state", new Uint8Array([step])));
}

beforeEach(() => {
  releaseRuns();
  locked = new Set();
  const root = new FakeFolder();
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { locks, storage: { getDirectory: async () => root } },
  });
});

test("a run that let go says nothing of saves, and saves again when it is back", async () => {
  const run = await start();
  run.pace.at = -Infinity;
  await train(run, 1);
  await run.save();
  run.release();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([...locked], []);
  assert.deepEqual(await train(run, 1), []);
  assert.equal(await run.save(), 1, "the step that is safe");
  assert.equal(await savedStep(run), 1);
  assert.equal(await run.reclaim(), false);
  assert.deepEqual([...locked], [`run:${run.meta.id}`]);
  assert.equal(await run.save(), 2);
  assert.equal(await savedStep(run), 2);
});

test("what is told to be saved is what was written", async () => {
  const run = await start();
  // That of the last step is the page's to ask for.
  assert.deepEqual(await train(run, 3), [
    { type: "saved", step: 1 },
    { type: "saved", step: 2 },
  ]);
  assert.equal(await savedStep(run), 2);
});

test("a run that another tab took stays its own", async () => {
  const run = await start();
  await train(run, 1);
  await run.save();
  run.release();
  await new Promise((resolve) => setTimeout(resolve));
  locked.add(`run:${run.meta.id}`);
  assert.equal(await run.reclaim(), true);
  await train(run, 1);
  assert.equal(await run.save(), 1);
  assert.equal(await savedStep(run), 1);
});

test("what another tab saved meanwhile is not written over", async () => {
  const run = await start();
  await train(run, 1);
  await run.save();
  const save = await elsewhere(run);
  run.release();
  await save(3);
  assert.equal(await run.reclaim(), true);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([...locked], []);
  await run.save();
  assert.equal(await savedStep(run), 3);
});

test("looking at a run takes nothing from anybody", async () => {
  const run = await start();
  await train(run, 1);
  await run.save();
  run.release();
  await new Promise((resolve) => setTimeout(resolve));
  const { run: seen } = await Run.restore(run.meta.id, async () => session(), true);
  assert.deepEqual([...locked], []);
  assert.equal(seen.readOnly, true);
  assert.equal(seen.meta.step, 1);
  const { run: taken } = await Run.restore(run.meta.id, async () => session());
  assert.equal(taken.readOnly, false);
});

test("a run that a tab has open is not deleted", async () => {
  const run = await start();
  await train(run, 1);
  await run.save();
  await assert.rejects(deleteRun(run.meta.id), /error\.runOpen/);
  assert.equal((await listRuns()).length, 1);
  run.release();
  await new Promise((resolve) => setTimeout(resolve));
  await deleteRun(run.meta.id);
  assert.deepEqual(await listRuns(), []);
});

test("what a run learns from comes back as it was, with the mark at its beginning", async () => {
  const { run } = await Run.start(
    session(),
    { text: "\ufeffsome text", lora: false, options: {} },
    /** @type {any} */ ({ id: "marked", name: "a run" }),
  );
  run.lastSample = Infinity;
  await train(run, 1);
  await run.save();
  const { run: restored } = await Run.restore("marked", async () => session());
  assert.equal(restored.text, "\ufeffsome text");
});

test("a sample that cannot be written does not end the run", async () => {
  const run = await start();
  run.lastSample = -Infinity;
  let asked = 0;
  run.session.generate = async () => {
    asked += 1;
    throw new Error("the text has a character that the vocabulary has not");
  };
  await train(run, 3);
  assert.equal(run.meta.step, 3);
  assert.ok(asked > 0);
});

test("a run that cannot be begun takes nothing from the one that there is", async () => {
  const run = await start();
  await train(run, 1);
  const engine = session();
  engine.wasm.trainStart = async () => {
    throw new Error("Steps is 0");
  };
  await assert.rejects(
    Run.start(
      engine,
      { text: "some text", lora: false, options: {} },
      /** @type {any} */ ({ id: "other", name: "a run" }),
    ),
    /Steps/,
  );
  assert.deepEqual([...locked], [`run:${run.meta.id}`]);
  assert.equal(await run.save(), 1);
});

test("what is found out after a step was saved is saved too", async () => {
  const { run } = await Run.start(
    session(),
    { text: "some text", lora: false, options: {} },
    /** @type {any} */ ({ id: "late", name: "a run" }),
  );
  run.lastSample = Infinity;
  const { wasm } = run.session;
  const next = wasm.trainNext;
  let evaluated = false;
  // The last step comes without what is found out at it.
  wasm.trainNext = async (budget) => {
    if (run.meta.step < 3)
      return next(budget).then((/** @type {any} */ { events }) => ({ events: events.slice(0, 1) }));
    if (evaluated) return /** @type {any} */ ({ events: [{ type: "finished" }] });
    evaluated = true;
    return /** @type {any} */ ({ events: [{ type: "evaluated", step: 3, loss: 2 }] });
  };
  await run.train({
    emit: () => {},
    shouldPause: () => false,
    between: async () => {
      if (!evaluated) run.pace.at = -Infinity;
    },
  });
  await run.save();
  assert.deepEqual((await readRun("late")).meta.history.validation, [[3, 2]]);
});

test("a disk that gets full in the middle of the state is told of as such, and what was saved stays", async () => {
  const run = await start();
  await train(run, 1);
  const saved = await run.save();
  assert.equal(saved, 1);
  await train(run, 1);
  // The header, the text and two files of one byte fit.
  disk.room = 64 + "some text".length + 2;
  run.changed = true;
  run.meta.step += 1;
  await assert.rejects(run.save(), { key: "error.quota" });
  disk.room = Infinity;
  assert.ok((await savedStep(run)) >= 1);
  assert.equal(await run.save(), run.meta.step);
});
