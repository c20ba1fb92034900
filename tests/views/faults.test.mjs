// @ts-check
// A session with stand-ins for the browser's database, file system and locks: a text is written and kept, a run
// trained, saved, opened
// again, renamed and listed. Every single call of it fails, once and for good. What was said to be kept is there; what
// is not was told of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "../../www/core/kept.js";
import { Records } from "../../www/core/records.js";
import { releaseRuns } from "../../www/models/locks.js";
import { deleteRun, listRuns, readRun, renameRun } from "../../www/models/storage.js";
import { Run } from "../../www/train/worker_run.js";
import { FakeDatabase, FakeKeyRange } from "./fake_database.mjs";
import { FakeFile, FakeFolder } from "./fake_disk.mjs";

/**
 * The call that fails, counted over all kinds; `lasting`: and all of its kind after it.
 * @typedef {{ nth: number, lasting: boolean }} Fault
 */

/** What a call of each kind fails with. @type {Record<string, string>} */
const ERRORS = {
  "idb.open": "UnknownError",
  "idb.put": "QuotaExceededError",
  "opfs.getDirectory": "SecurityError",
  "opfs.write": "QuotaExceededError",
  "locks.request": "InvalidStateError",
};

class Calls {
  count = 0;
  /** The kind of the call that failed. */
  failed = "";
  /** @param {Fault | null} fault */
  constructor(fault) {
    this.fault = fault;
  }
  /** @param {string} kind */
  check = (kind) => {
    this.count += 1;
    if (!this.fault) return;
    if (this.count === this.fault.nth) this.failed = kind;
    else if (!(this.fault.lasting && this.failed === kind)) return;
    throw new DOMException("a fault", ERRORS[kind.split(" ")[0]] ?? "InvalidStateError");
  };
  /** Nothing fails any more. */
  mend() {
    this.fault = null;
  }
}

/**
 * Handles whose every method is a call that may fail.
 * @template {object} T
 * @param {T} handle
 * @param {(kind: string) => void} check
 * @param {boolean} [sync]
 * @returns {T}
 */
function watched(handle, check, sync = false) {
  return new Proxy(handle, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function" || name === Symbol.asyncIterator) return value;
      const kind = `opfs.${String(name)}`;
      if (sync) {
        return (/** @type {any[]} */ ...all) => {
          if (name !== "close") check(kind);
          return value.apply(target, all);
        };
      }
      if (name === "entries" || name === "values") {
        return async function* () {
          check(kind);
          for await (const one of value.call(target))
            yield name === "entries" ? [one[0], watched(one[1], check)] : watched(one, check);
        };
      }
      return async (/** @type {any[]} */ ...all) => {
        check(kind);
        const found = await value.apply(target, all);
        if (found instanceof FakeFolder || found instanceof FakeFile) return watched(found, check);
        if (name === "createSyncAccessHandle") return watched(found, check, true);
        return name === "createWritable" ? watched(found, check) : found;
      };
    },
  });
}

/** An engine whose steps are numbers. */
function engine() {
  let step = 0;
  return /** @type {any} */ ({
    wasm: {
      trainStart: async () => ({ options: { steps: 9 }, step: 0 }),
      trainNext: async () => ({ events: [{ type: "step", step: ++step, loss: 1 }] }),
      trainDrain: async () => ({ events: [] }),
      saveState: async (/** @type {(bytes: Uint8Array) => Promise<void>} */ piece) => piece(new Uint8Array([step])),
      modelFiles: () => ["config.json", "tokenizer.json"].map((name) => ({ name, bytes: new Uint8Array(1) })),
      bestWeights: () => undefined,
      restoreState: async (/** @type {Blob} */ state) => ({
        options: { steps: 9 },
        step: (step = new Uint8Array(await state.arrayBuffer())[0]),
      }),
    },
    generate: async () => {},
  });
}

/** What is written, one after the other. */
const TEXTS = ["first", "second"];

let sessions = 0;
const plainRead = Blob.prototype.arrayBuffer;

/** One browser: its disk, its database, one tab. */
class World {
  /** @param {Fault | null} fault */
  constructor(fault) {
    const calls = (this.calls = new Calls(fault));
    this.root = new FakeFolder();
    this.database = new FakeDatabase(calls.check);
    /** The tab's own storage. @type {Map<string, string>} */
    this.tab = new Map();
    this.id = `run ${++sessions}`;
    /** Steps that were said to be saved. @type {number[]} */
    this.saved = [];
    /** What went wrong and was told, and where. @type {string[]} */
    this.told = [];
    const folder = watched(this.root, calls.check);
    const locks = {
      request: async (
        /** @type {string} */ _name,
        /** @type {any} */ options,
        /** @type {(() => unknown) | undefined} */ granted,
      ) => {
        calls.check("locks.request");
        return (granted ?? options)();
      },
      query: async () => {
        calls.check("locks.query");
        return { held: [] };
      },
    };
    const getDirectory = async () => {
      calls.check("opfs.getDirectory");
      return folder;
    };
    Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks, storage: { getDirectory } } });
    Object.assign(globalThis, { indexedDB: this.database.factory, IDBKeyRange: FakeKeyRange });
    Blob.prototype.arrayBuffer = async function () {
      calls.check("blob.read");
      return plainRead.call(this);
    };
    releaseRuns();
  }

  /** The page's memory of its tab, opened anew. */
  async openKept() {
    const kept = new Kept({
      records: new Records(),
      channel: null,
      now: () => 1,
      session: {
        getTab: (key) => this.tab.get(key) ?? null,
        setTab: (key, value) => Boolean(this.tab.set(key, value)),
        removeTab: (key) => void this.tab.delete(key),
      },
    });
    await kept.open(true);
    if (kept.failure) this.told.push("text");
    return kept;
  }

  /**
   * @param {string} where
   * @template T
   * @param {() => Promise<T>} act
   * @returns {Promise<T | undefined>} what fails is told
   */
  async tell(where, act) {
    try {
      return await act();
    } catch {
      this.told.push(where);
      return undefined;
    }
  }

  /** Trains one more step and saves it. @param {Run} run */
  async go(run) {
    const until = run.meta.step + 1;
    run.lastSample = Infinity;
    await this.tell("train", () =>
      run.train({ emit: () => {}, shouldPause: () => run.meta.step >= until, between: async () => {} }),
    );
    const step = await this.tell("save", () => run.save());
    if (step !== undefined && step >= 0) this.saved.push(step);
  }

  async restore() {
    const restored = await this.tell("open", () => Run.restore(this.id, async () => engine()));
    return restored?.run;
  }

  /** @param {string} text */
  async write(text) {
    const { kept } = this;
    if (!kept) return;
    kept.title = () => text;
    kept.keep("write", () => text);
    await kept.save();
    if (kept.failure) this.told.push("text");
    else this.text = text;
    clearTimeout(kept.timer);
  }

  async session() {
    this.kept = await this.openKept();
    for (const text of TEXTS) await this.write(text);
    const { run } = await Run.start(
      engine(),
      { text: "some text", lora: false, options: {} },
      /** @type {any} */ ({
        id: this.id,
        name: "a run",
        mode: "full",
        nParams: 1,
        vocabSize: 1,
        source: { kind: "shipped", id: "a", name: "a" },
      }),
    );
    for (let step = 0; step < 3; step += 1) await this.go(run);
    // The page is left and opened anew.
    run.release();
    this.kept.leave();
    await new Promise((resolve) => setTimeout(resolve, 2));
    this.kept = await this.openKept();
    await this.tell("list", () => listRuns());
    const again = await this.restore();
    if (again) await this.go(again);
    again?.release();
    await this.tell("rename", () => renameRun(this.id, "another name"));
    await this.tell("list", () => listRuns());
  }

  /** What must hold with the fault gone. @param {string} about */
  async check(about) {
    this.calls.mend();
    const newest = this.saved.at(-1);
    if (newest === undefined) assert.ok(this.told.length, `${about}: nothing is saved, and nobody was told`);
    else {
      const list = await listRuns();
      assert.equal(list.length, 1, `${about}: the run is in the list`);
      assert.equal(list[0].damage, "", about);
      assert.ok((await readRun(this.id)).meta.step >= newest, `${about}: step ${newest} was said to be saved`);
      const run = await this.restore();
      assert.ok(run && !run.readOnly, `${about}: the run can be gone on with`);
      assert.equal(await run.session.wasm.trainDrain().then(() => run.meta.step >= newest), true);
      await this.go(run);
      assert.equal((await readRun(this.id)).meta.step, run.meta.step, about);
      run.release();
    }
    const kept = await this.openKept();
    const found = kept.found.get("write") ?? kept.late.get("write");
    clearTimeout(kept.timer);
    assert.ok(
      found === "second" || this.told.includes("text"),
      `${about}: the text is there, or its loss was told: ${found}`,
    );
    // What was said to be kept is kept, whatever came after it.
    const sure = this.text === undefined ? -1 : TEXTS.indexOf(this.text);
    assert.ok(TEXTS.indexOf(String(found)) >= sure, `${about}: "${this.text}" was said to be kept, "${found}" is`);
    if (newest !== undefined) {
      await deleteRun(this.id);
      assert.deepEqual(await listRuns(), []);
    }
  }
}

test("every call of a session fails, once and for good, and nothing that was said to be kept is lost", async () => {
  AbortSignal.timeout = () => new AbortController().signal;
  const whole = new World(null);
  await whole.session();
  assert.deepEqual(whole.told, []);
  assert.deepEqual(whole.saved, [1, 2, 3, 4]);
  const { count } = whole.calls;
  await whole.check("without a fault");
  assert.ok(count > 100, `${count} calls`);
  /** @type {Set<string>} */
  const kinds = new Set();
  /** @type {string[]} */
  const wrong = [];
  for (const lasting of [false, true]) {
    for (let nth = 1; nth <= count; nth += 1) {
      const world = new World({ nth, lasting });
      try {
        await world.session();
        const about = `${world.calls.failed}, call ${nth} of ${count}, ${lasting ? "and after it" : "once"}`;
        kinds.add(world.calls.failed);
        await world.check(about);
      } catch (error) {
        wrong.push(
          `${world.calls.failed} ${nth} ${lasting}: ${/** @type {Error} */ (error).message.split("\n").slice(0, 4).join(" ")}`,
        );
      }
    }
  }
  Blob.prototype.arrayBuffer = plainRead;
  assert.deepEqual(wrong, []);
  for (const kind of [
    "idb.open",
    "idb.put kept",
    "opfs.write",
    "opfs.flush",
    "opfs.truncate",
    "opfs.getFileHandle",
    "blob.read",
    "locks.request",
  ])
    assert.ok(kinds.has(kind), kind);
});
