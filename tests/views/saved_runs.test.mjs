// @ts-check
// Saved runs as the page has them: which model their adapters belong to, and what is left of one that was deleted.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { SavedRuns } from "../../www/models/saved_runs.js";
import { runSource } from "../../www/models/sources.js";
import { writeRun } from "../../www/models/storage.js";
import { FakeFolder } from "./fake_disk.mjs";

/** @typedef {import("../../www/models/sources.js").ModelSource} ModelSource */

/** @param {string} id @param {Partial<ModelSource>} [more] @returns {ModelSource} */
const file = (id, more = {}) => ({
  kind: "files",
  id,
  name: "model.safetensors",
  open: () => Promise.reject(),
  ...more,
});
/** @param {{ kind: string, id: string, name: string }} source */
const meta = (source) =>
  /** @type {any} */ ({ version: 1, id: "one", name: "a run", mode: "lora", source, step: 1, steps: 2, savedAt: 1 });
/** Saved runs, and what they know of the rest of the page. @param {ModelSource | null} origin @param {object} [state] */
function saves(origin, state = {}) {
  const store = {
    state: { shipped: [], modelId: "", ...state },
    set: (/** @type {object} */ patch) => Object.assign(store.state, patch),
  };
  const engine = {
    source: origin,
    rename: (/** @type {ModelSource | null} */ source) => {
      engine.source = source;
    },
  };
  /** @type {string[]} */
  const failed = [];
  /** @type {string[]} */
  const unnamed = [];
  const all = new SavedRuns({
    store: /** @type {any} */ (store),
    engine: /** @type {any} */ (engine),
    open: async () => {},
    failed: (error) => failed.push(/** @type {Error} */ (error).message),
    origin: () => origin,
    openId: () => "another",
    onResume() {},
    onRenamed() {},
    onUnnamed: (id) => unnamed.push(id),
    onChange() {},
  });
  return { saves: all, store, engine, failed, unnamed };
}

beforeEach(() => {
  const root = new FakeFolder();
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { storage: { getDirectory: async () => root } },
  });
});

test("files are told apart by what they hold, not by their name", () => {
  const of = (/** @type {ModelSource | null} */ origin, id = "sha256:aa", kind = "files") =>
    saves(origin).saves.sourceOf(meta({ kind, id, name: "model.safetensors" }));
  const right = file("sha256:aa");
  assert.equal(of(right), right);
  assert.equal(of(file("sha256:bb")), null);
  assert.equal(of(file("sha256:aa", { kind: "url" })), null);
  assert.equal(of(null), null);
  // Nothing is known of either.
  assert.equal(of(file(""), ""), null);
  assert.equal(of(file("", { kind: "scratch" }), "", "scratch"), null);
});

test("the file that is needed is named by name and content", () => {
  const about = meta({ kind: "files", id: "sha256:aa", name: "model.safetensors" });
  assert.throws(() => runSource(about, null), {
    key: "error.baseNeeded",
    params: { name: "model.safetensors (sha256:aa)" },
  });
  assert.throws(() => runSource(meta({ kind: "shipped", id: "x", name: "Storyteller" }), null), {
    params: { name: "Storyteller" },
  });
});

test("what is deleted is not named any more", async () => {
  const source = { kind: "files", id: "sha256:aa", name: "model.safetensors" };
  await writeRun("one", meta(source), (add) => add("state", new Uint8Array(1)));
  const base = file("sha256:aa");
  const { saves: all, store, engine, failed, unnamed } = saves(base, { modelId: "run:one" });
  engine.source = file("", { kind: "run", run: { id: "one", base, origin: base } });
  await all.refresh(true);
  assert.equal(all.offer?.meta.id, "one");
  await all.remove(all.list[0]);
  assert.deepEqual([all.list, all.offer, failed], [[], null, []]);
  assert.equal(store.state.modelId, "sha256:aa");
  assert.equal(engine.source, base);
  assert.deepEqual(unnamed, ["one"]);
});

test("models that runs need are not removed where a run cannot be read", async () => {
  const source = { kind: "kept", id: "sha256:aa", name: "a model" };
  const needs = { ...meta(source), id: "needs" };
  await writeRun("needs", needs, (add) => add("state", new Uint8Array(1)));
  const bases = await (await navigator.storage.getDirectory()).getDirectoryHandle("bases", { create: true });
  const base = /** @type {any} */ (await bases.getDirectoryHandle("sha256-aa", { create: true }));
  const weights = await base.getFileHandle("model.safetensors", { create: true });
  weights.lastModified -= 3 * 24 * 3600 * 1000;
  const kept = () => base === /** @type {any} */ (bases).all.get("sha256-aa");
  const { saves: all } = saves(null);
  await all.sweep();
  assert.ok(kept(), "a run needs it");
  const runs = await (await navigator.storage.getDirectory()).getDirectoryHandle("runs");
  const run = await runs.getDirectoryHandle("needs");
  const slot = /** @type {any} */ (await run.getFileHandle("a.run"));
  const { bytes } = slot;
  // The description's last character.
  slot.bytes = bytes.map((/** @type {number} */ byte, /** @type {number} */ at) =>
    at === bytes.length - 1 ? 7 : byte,
  );
  await assert.rejects(all.sweep(), { key: "error.runDamaged" });
  slot.getFile = () => Promise.reject(new DOMException("no memory", "NotReadableError"));
  await assert.rejects(all.sweep(), { name: "NotReadableError" });
  assert.ok(kept(), "what the run needs is not known");
  // Another tab was closed while it wrote the first save of a run: that never was one.
  const torn = await runs.getDirectoryHandle("torn", { create: true });
  /** @type {any} */ (await torn.getFileHandle("a.run", { create: true })).bytes = new Uint8Array(3);
  await runs.removeEntry("needs", { recursive: true });
  await all.sweep();
  assert.ok(!kept());
});
