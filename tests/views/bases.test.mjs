// @ts-check
// Models that are kept for runs alone: written whole or not at all, once for all runs, and removed with the last of
// them.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { fingerprint } from "../../www/core/fingerprint.js";
import { baseBytes, openBase, sweepBases, writeBase } from "../../www/models/bases.js";
import { disk, FakeFolder } from "./fake_disk.mjs";

let root = new FakeFolder();
/** A kept model, read as it is when it is loaded. @param {string} id */
async function readBase(id) {
  const { signal } = new AbortController();
  const {
    files,
    weights: [open],
  } = await openBase(id, "kept", signal);
  const read = [];
  for await (const part of (await open(signal)).parts) read.push(part);
  const blob = (/** @type {string} */ name) => new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (files[name])]);
  return { config: blob("config.json"), tokenizer: blob("tokenizer.json"), weights: new Blob(read) };
}
/** @param {number} seed */
async function model(seed) {
  const file = (/** @type {string} */ name, /** @type {number} */ bytes) =>
    new File([new Uint8Array(bytes).fill(seed)], name);
  const files = {
    config: file("config.json", 10),
    tokenizer: file("tokenizer.json", 20),
    weights: file("model.safetensors", 200_000),
  };
  return { id: await fingerprint(files.weights, files.config), files };
}
/** What is kept of a model. @param {string} id @returns {FakeFolder | undefined} */
const kept = (id) => root.all.get("bases")?.all.get(id.replace(":", "-"));

beforeEach(() => {
  root = new FakeFolder();
  Object.assign(disk, { left: Infinity, room: Infinity });
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { storage: { getDirectory: async () => root } },
  });
});

test("what is kept is read back, and kept once", async () => {
  const { id, files } = await model(1);
  await writeBase(id, files);
  const back = await readBase(id);
  for (const role of /** @type {const} */ (["config", "tokenizer", "weights"])) {
    assert.deepEqual(await back[role].arrayBuffer(), await files[role].arrayBuffer());
  }
  assert.equal(await baseBytes(id), 200_030);
  disk.left = 0;
  await writeBase(id, files);
});

test("a model that could not be written whole is not there, and takes no room", async () => {
  const { id, files } = await model(1);
  disk.room = 100_000;
  await assert.rejects(writeBase(id, files), { key: "error.quota" });
  assert.equal(kept(id), undefined);
  await assert.rejects(readBase(id), { key: "error.baseGone" });
  assert.equal(await baseBytes(id), 0);
});

test("one that a dying tab left half is no model, and is written anew", async () => {
  const { id, files } = await model(1);
  for (let operations = 0; ; operations += 1) {
    root = new FakeFolder();
    disk.left = operations;
    const dead = await writeBase(id, files).then(
      () => false,
      () => true,
    );
    disk.left = Infinity;
    if (!dead) break;
    await assert.rejects(readBase(id), { key: "error.baseGone" });
    await writeBase(id, files);
    await readBase(id);
  }
});

test("a model of which any bit has changed is not opened", async () => {
  const { id, files } = await model(1);
  // More than the fingerprint looks at.
  const large = { ...files, weights: new File([new Uint8Array(9_000_000)], "model.safetensors") };
  const largeId = await fingerprint(large.weights, large.config);
  await writeBase(largeId, large);
  await readBase(largeId);
  for (const [name, at] of /** @type {[string, number][]} */ ([
    ["model.safetensors", 1_120_000],
    ["model.safetensors", 8_999_999],
    ["config.json", 3],
    ["tokenizer.json", 7],
    ["sums.json", 0],
    ["sums.json", 4],
    ["sums.json", 20],
  ])) {
    const file = kept(largeId)?.all.get(name);
    file.bytes[at] ^= 4;
    await assert.rejects(readBase(largeId), { key: "error.baseGone" }, `${name} at ${at}`);
    file.bytes[at] ^= 4;
  }
  await readBase(largeId);
  // One that was kept before there were checksums is opened as it is.
  kept(largeId)?.all.delete("sums.json");
  await readBase(largeId);
  await writeBase(id, files);
  kept(id)?.all.get("model.safetensors").bytes.fill(7, 1000, 2000);
  await assert.rejects(readBase(id), { key: "error.baseGone" });
});

test("models go with the last run that needs them, and those that never had one when they are old", async () => {
  const [needed, freed, young, old] = await Promise.all([1, 2, 3, 4].map(model));
  for (const { id, files } of [needed, freed, young, old]) await writeBase(id, files);
  for (const file of kept(old.id)?.all.values() ?? []) file.lastModified -= 3 * 24 * 3600 * 1000;
  await sweepBases(new Set([needed.id]), freed.id);
  assert.deepEqual(
    [needed, freed, young, old].map(({ id }) => kept(id) !== undefined),
    [true, false, true, false],
  );
  await sweepBases(new Set());
  assert.ok(kept(young.id));
});
