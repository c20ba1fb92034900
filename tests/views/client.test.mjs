// @ts-check
// A model that is to take another's place: what the other lets go of, and takes back where the load comes to nothing.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { PageError } from "../../www/core/errors.js";
import { Engine, WorkerClient } from "../../www/engine/client.js";
import { said } from "./engine_error.mjs";

/** @typedef {import("../../www/models/sources.js").ModelSource} ModelSource */

/** What no worker answers by itself. @type {Set<string>} */
let held = new Set();
/** What workers refuse. @type {Set<string>} */
let refused = new Set();
/** What waits for its answer. @type {(() => void)[]} */
let waiting = [];
/** What workers were told beside their commands. @type {{ worker: FakeWorker, cmd: string }[]} */
let asides = [];

class FakeWorker {
  ended = false;
  /** @type {(event: { data: object }) => void} */
  onmessage = () => {};
  addEventListener() {}
  /** @param {{ id: number, cmd: string }} request */
  postMessage({ id, cmd }) {
    if (cmd === "live" || cmd === "ping") return void asides.push({ worker: this, cmd });
    const error = { said: said(`no ${cmd}`), fatal: false };
    const answer = () => {
      if (!this.ended) this.onmessage({ data: refused.has(cmd) ? { id, error } : { id, value: { info: { cmd } } } });
    };
    if (held.has(cmd)) waiting.push(answer);
    else queueMicrotask(answer);
  }
  terminate() {
    this.ended = true;
  }
}
Object.assign(globalThis, { Worker: FakeWorker });

/** What the model in use was told. @type {string[]} */
let told = [];
/** Why engines were lost. @type {Error[]} */
let lost = [];
/** @type {Engine} */
let engine;
/** @param {string} name @returns {ModelSource} */
const files = (name) => ({
  kind: "files",
  id: name,
  name,
  open: async () => ({ files: {}, weights: [], weightBytes: 0 }),
});
/** @param {ModelSource | null} base @returns {ModelSource} */
const run = (base) => ({ ...files("run"), kind: "run", run: { id: "one", base, origin: base } });
/** @param {ModelSource} source */
function load(source, control = new AbortController()) {
  return { control, done: engine.load(source, "cpu", { signal: control.signal, onProgress: () => {} }) };
}
const turn = () => new Promise((resolve) => setTimeout(resolve));

// A watchdog over what is never answered would keep this process for minutes.
afterEach(() => engine.client?.close());

beforeEach(async () => {
  [held, refused, waiting, told, asides, lost] = [new Set(), new Set(), [], [], [], []];
  engine = new Engine((error) => lost.push(error));
  await load(files("first")).done;
  engine.onLeave = async () => void told.push("leave");
  engine.onStay = async () => void told.push("stay");
});

test("a run that cannot be opened leaves the one in use as it was", async () => {
  refused.add("restore");
  await assert.rejects(load(run(null)).done, /no restore/);
  assert.deepEqual(told, ["leave", "stay"]);
  assert.equal(engine.source?.name, "first");
});

test("a base that cannot be opened does not disturb the run in use", async () => {
  refused.add("finish");
  await assert.rejects(load(run(files("base"))).done, /no finish/);
  assert.deepEqual(told, []);
});

test("a load that is cancelled at its very end is taken back", async () => {
  const control = new AbortController();
  engine.onLeave = async () => {
    told.push("leave");
    control.abort();
  };
  await assert.rejects(load(files("second"), control).done, { name: "AbortError" });
  assert.deepEqual(told, ["leave", "stay"]);
});

test("a load that another one follows gives nothing back while that one goes on", async () => {
  held.add("restore");
  const first = load(run(null));
  await turn();
  first.control.abort();
  const second = load(run(null));
  await assert.rejects(first.done, { name: "AbortError" });
  await turn();
  assert.deepEqual(told, ["leave", "leave"]);
  refused.add("restore");
  for (const answer of waiting) answer();
  await assert.rejects(second.done, /no restore/);
  assert.deepEqual(told, ["leave", "leave", "stay"]);
});

test("what another model has replaced takes nothing back", async () => {
  held.add("restore");
  const first = load(run(null));
  await turn();
  await load(files("second")).done;
  first.control.abort();
  await assert.rejects(first.done, { name: "AbortError" });
  assert.deepEqual(told, ["leave", "leave"]);
  assert.equal(engine.source?.name, "second");
});

test("a worker that ends without a word takes its requests and its model with it, and who uses it is told why", async () => {
  /** @type {((reason?: unknown) => void)[]} */
  const ends = [];
  const locks = {
    /** @param {string} name @param {{ signal: AbortSignal }} options @param {() => void} granted */
    request: (name, { signal }, granted) =>
      new Promise((resolve, reject) => {
        assert.match(name, /^worker:/);
        signal.addEventListener("abort", () => reject(signal.reason));
        ends.push(() => resolve(granted()));
      }),
  };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks } });
  const { worker } = asides.findLast(({ cmd }) => cmd === "live") ?? assert.fail();
  worker.onmessage({ data: { lives: true } });
  held.add("generate");
  const text = engine.generate(/** @type {any} */ ({ prompt: "Once" }), () => {});
  ends[0]();
  await assert.rejects(text, { key: "error.engineEnded", fatal: true });
  assert.deepEqual(
    lost.map(({ message }) => message),
    ["error.engineEnded"],
  );
  assert.equal(engine.client, null);
  assert.ok(worker.ended);
});

test("a worker that was closed is missed by nobody", async () => {
  /** @type {unknown[]} */
  const waits = [];
  const locks = {
    request: (/** @type {string} */ _, /** @type {{ signal: AbortSignal }} */ { signal }) =>
      new Promise((__, reject) => {
        waits.push(signal);
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks } });
  const { worker } = asides.findLast(({ cmd }) => cmd === "live") ?? assert.fail();
  worker.onmessage({ data: { lives: true } });
  await load(files("second")).done;
  assert.equal(/** @type {AbortSignal} */ (waits[0]).aborted, true);
  assert.deepEqual(lost, []);
});

test("a request that is not answered is watched over, and one that is, is not", async () => {
  held.add("tokenize");
  const client = engine.ready();
  assert.equal(client.watchdog.timer, null);
  const asked = engine.tokenize("a text");
  assert.notEqual(client.watchdog.timer, null);
  client.watchdog.tick();
  assert.ok(asides.some(({ cmd }) => cmd === "ping"));
  waiting[0]();
  await asked;
  assert.equal(client.watchdog.timer, null);
  const never = engine.tokenize("a text");
  client.watchdog.onSilent();
  await assert.rejects(never, { key: "error.engineSilent", fatal: true });
  assert.deepEqual(
    lost.map(({ message }) => message),
    ["error.engineSilent"],
  );
});

test("a worker whose model was replaced is not held", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  /** @type {WeakRef<object>[]} */
  const replaced = [];
  for (const name of ["second", "third", "fourth"]) {
    replaced.push(new WeakRef(/** @type {object} */ (engine.client?.worker)));
    await load(files(name)).done;
  }
  // This file's own notes hold the workers too.
  asides = [];
  // What was given out in a turn is kept until its end.
  await turn();
  collect();
  assert.deepEqual(
    replaced.map((worker) => worker.deref()),
    [undefined, undefined, undefined],
  );
  assert.ok(engine.client && !engine.client.closed, "the one in use is");
});

test("who asks too late is told what those were told who asked in time", async () => {
  const closed = new WorkerClient(() => assert.fail("nothing broke"), false);
  held.add("tokenize");
  const inTime = closed.request("tokenize");
  closed.close();
  await assert.rejects(inTime, { name: "AbortError" });
  await assert.rejects(closed.request("tokenize"), { name: "AbortError" });

  /** @type {unknown} */
  let told = null;
  const broken = new WorkerClient((error) => (told = error), false);
  const asked = broken.request("tokenize");
  // A script that does not come is told of without words.
  /** @type {any} */ (broken.worker).onerror({ preventDefault: () => {}, message: "" });
  await assert.rejects(asked, (error) => error === told);
  await assert.rejects(broken.request("tokenize"), (error) => error === told);
  assert.ok(told instanceof PageError && told.key === "error.partNotLoaded" && told.fatal);
});
