// @ts-check
// Saved runs over a file system in memory that can break off at any point.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { deleteRun, listRuns, readRun, renameRun, writeRun } from "../../www/storage.js";

/** Operations until the tab "dies"; infinite for never. */
let left = Infinity;
/** Bytes that still fit. */
let room = Infinity;
function operation() {
  if (left-- <= 0) throw new Error("the tab died");
}

class FakeFile {
  kind = "file";
  bytes = new Uint8Array(0);
  async getFile() {
    return new File([this.bytes.slice()], "file");
  }
  async createWritable() {
    return { write: async (/** @type {string} */ text) => { this.bytes = new TextEncoder().encode(text); }, close: async () => {} };
  }
  async createSyncAccessHandle() {
    operation();
    return {
      truncate: (/** @type {number} */ size) => { operation(); this.bytes = this.bytes.slice(0, size); },
      write: (/** @type {ArrayBufferView} */ data, /** @type {{ at: number }} */ { at }) => {
        operation();
        const from = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        const written = Math.min(from.length, Math.max(0, room - at));
        const grown = new Uint8Array(Math.max(this.bytes.length, at + written));
        grown.set(this.bytes);
        // Dying in the middle of a write leaves a part of it.
        const part = left === 0 ? written >> 1 : written;
        grown.set(from.subarray(0, part), at);
        this.bytes = grown;
        return part;
      },
      flush: operation,
      close() {},
    };
  }
}

class FakeFolder {
  kind = "directory";
  /** @type {Map<string, any>} */
  all = new Map();
  async getDirectoryHandle(/** @type {string} */ name, { create = false } = {}) {
    if (!this.all.has(name) && !create) throw new DOMException(name, "NotFoundError");
    if (!this.all.has(name)) this.all.set(name, new FakeFolder());
    return this.all.get(name);
  }
  async getFileHandle(/** @type {string} */ name, { create = false } = {}) {
    if (!this.all.has(name) && !create) throw new DOMException(name, "NotFoundError");
    if (!this.all.has(name)) this.all.set(name, new FakeFile());
    return this.all.get(name);
  }
  async removeEntry(/** @type {string} */ name) {
    this.all.delete(name);
  }
  async *entries() {
    yield* this.all;
  }
}

let root = new FakeFolder();
beforeEach(() => {
  [root, left, room] = [new FakeFolder(), Infinity, Infinity];
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { storage: { getDirectory: async () => root } } });
});

/** @param {number} step */
const meta = (step) => /** @type {any} */ ({ version: 1, id: "one", name: "a run", step, steps: 9, savedAt: step });
/** @param {number} step */
const parts = (step) => [
  { name: "state", bytes: new Uint8Array(3000).fill(step) },
  { name: "text", bytes: new TextEncoder().encode(`text ${step}`) },
];
/** @param {number} step */
async function holds(step) {
  const found = await readRun("one");
  assert.equal(found.meta.step, step);
  for (const { name, bytes } of parts(step)) assert.deepEqual(found.parts.get(name), bytes);
}

test("wherever a save breaks off, the one before it is whole", async () => {
  let points = 0;
  for (let dies = 0; ; dies++) {
    root = new FakeFolder();
    left = Infinity;
    await writeRun("one", meta(1), parts(1));
    await writeRun("one", meta(2), parts(2));
    left = dies;
    const died = await writeRun("one", meta(3), parts(3)).then(() => false, () => true);
    left = Infinity;
    if (!died) {
      await holds(3);
      break;
    }
    points++;
    const { meta: found } = await readRun("one");
    assert.ok(found.step === 2 || found.step === 3, `step ${found.step} after ${dies} operations`);
    await holds(found.step);
    // And the next save works as ever.
    await writeRun("one", meta(4), parts(4));
    await holds(4);
  }
  assert.ok(points >= 7, `only ${points} places to break off`);
});

test("a damaged save is noticed, and the one before it taken", async () => {
  await writeRun("one", meta(1), parts(1));
  await writeRun("one", meta(2), parts(2));
  const folder = root.all.get("runs").all.get("one");
  for (const name of ["b.run", "a.run"]) folder.all.get(name).bytes[900] ^= 1;
  await assert.rejects(readRun("one"), /runDamaged/);
  folder.all.get("a.run").bytes[900] ^= 1;
  await holds(1);
});

test("a full disk is told of, and nothing saved is lost", async () => {
  await writeRun("one", meta(1), parts(1));
  room = 1000;
  await assert.rejects(writeRun("one", meta(2), parts(2)), /quota/);
  room = Infinity;
  await holds(1);
});

test("runs are listed, renamed and deleted", async () => {
  await writeRun("one", meta(1), parts(1));
  await renameRun("one", "another name");
  const [run, ...others] = await listRuns();
  assert.equal(others.length, 0);
  assert.equal(run.meta.name, "another name");
  await deleteRun("one");
  assert.deepEqual(await listRuns(), []);
});
