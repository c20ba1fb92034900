// @ts-check
// Saved runs, wherever writing them breaks off.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { zipOf } from "../../www/models/remains.js";
import { filesFromZip } from "../../www/models/zip.js";
import { disk, FakeFolder } from "./fake_disk.mjs";

/** The module as it is when a page has just been opened. @type {typeof import("../../www/models/storage.js")} */
let page;
let opened = 0;
async function openPage() {
  page = await import(`../../www/models/storage.js?${++opened}`);
}
const { deleteRun, listRuns, readRun, renameRun, writeRun } = new Proxy(
  /** @type {typeof import("../../www/models/storage.js")} */ ({}),
  {
    get:
      (_, name) =>
      (/** @type {any[]} */ ...all) =>
        /** @type {any} */ (page)[name](...all),
  },
);

let root = new FakeFolder();
beforeEach(async () => {
  await openPage();
  [root, disk.left, disk.room] = [new FakeFolder(), Infinity, Infinity];
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { storage: { getDirectory: async () => root } },
  });
});

/** @param {number} step */
const meta = (step) => /** @type {any} */ ({ version: 1, id: "one", name: "a run", step, steps: 9, savedAt: step });
/** @param {number} step @returns {[string, Uint8Array<ArrayBuffer>][]} */
const pieces = (step) => [
  ["state", new Uint8Array(2000).fill(step)],
  ["state", new Uint8Array(1000).fill(step + 1)],
  ["text", new TextEncoder().encode(`text ${step}`)],
];
/** @param {number} step @returns {Parameters<typeof page.writeRun>[2]} */
const parts = (step) => async (add) => {
  for (const [name, bytes] of pieces(step)) await add(name, bytes);
};
/** @param {number} step */
async function holds(step) {
  const found = await readRun("one");
  assert.equal(found.meta.step, step);
  assert.deepEqual([...found.parts.keys()], ["state", "text"]);
  for (const [name, part] of found.parts) {
    const expected = new Blob(
      pieces(step)
        .filter(([one]) => one === name)
        .map(([, bytes]) => bytes),
    );
    assert.deepEqual(await part.arrayBuffer(), await expected.arrayBuffer());
  }
}

test("wherever a save breaks off, the one before it is whole", async () => {
  let points = 0;
  for (let dies = 0; ; dies++) {
    root = new FakeFolder();
    disk.left = Infinity;
    await writeRun("one", meta(1), parts(1));
    await writeRun("one", meta(2), parts(2));
    disk.left = dies;
    const died = await writeRun("one", meta(3), parts(3)).then(
      () => false,
      () => true,
    );
    disk.left = Infinity;
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

/** @param {string} name @returns {import("./fake_disk.mjs").FakeFile} */
const slot = (name) => root.all.get("runs").all.get("one").all.get(name);

/**
 * A slot as it was written at first: the description before the parts.
 * @param {number} step
 * @param {number} sequence
 */
async function oldSlot(step, sequence) {
  const bytesOf = (/** @type {string} */ name) =>
    pieces(step)
      .filter(([one]) => one === name)
      .flatMap(([, bytes]) => [...bytes]);
  const parts = ["state", "text"].map((name) => ({ name, bytes: bytesOf(name) }));
  const described = { ...meta(step), parts: parts.map(({ name, bytes }) => ({ name, bytes: bytes.length })) };
  const all = [[...new TextEncoder().encode(JSON.stringify(described))], ...parts.map(({ bytes }) => bytes)].map(
    (bytes) => new Uint8Array(bytes),
  );
  const sums = await Promise.all(all.map((bytes) => crypto.subtle.digest("SHA-256", bytes)));
  const head = new DataView(new ArrayBuffer(64));
  head.setUint32(0, 0x314e5552, true);
  head.setFloat64(4, sequence, true);
  head.setUint32(12, all[0].length, true);
  head.setFloat64(16, all[1].length + all[2].length, true);
  new Uint8Array(head.buffer).set(
    new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(sums).arrayBuffer())),
    24,
  );
  return new Uint8Array(await new Blob([head.buffer, ...all]).arrayBuffer());
}

test("a save as it was written at first is read, and kept until two others are there", async () => {
  await writeRun("one", meta(1), parts(1));
  await writeRun("one", meta(2), parts(2));
  slot("b.run").bytes = await oldSlot(7, 2);
  await openPage();
  await holds(7);
  assert.equal((await listRuns())[0].meta.step, 7);
  disk.left = 3;
  await assert.rejects(writeRun("one", meta(8), parts(8)), /died/);
  disk.left = Infinity;
  await holds(7);
  await writeRun("one", meta(8), parts(8));
  await holds(8);
  slot("a.run").bytes[900] ^= 1;
  await openPage();
  await holds(7);
  slot("b.run").bytes[900] ^= 1;
  await assert.rejects(readRun("one"), /runDamaged/);
});

test("what a part fails with is what the save fails with, and the one before it stays", async () => {
  await writeRun("one", meta(1), parts(1));
  const failure = new Error("the device is lost");
  await assert.rejects(
    writeRun("one", meta(2), async (add) => {
      await add("state", new Uint8Array(9));
      throw failure;
    }),
    failure,
  );
  await holds(1);
});

test("a save that rotted is not kept in place of the one before it", async () => {
  const size = () => slot("b.run").bytes.length;
  await writeRun("one", meta(1), parts(1));
  await writeRun("one", meta(2), parts(2));
  // In the state, in the description, at the end.
  for (const at of [900, size() - 10, size() - 1]) {
    root = new FakeFolder();
    await openPage();
    await writeRun("one", meta(1), parts(1));
    await writeRun("one", meta(2), parts(2));
    slot("b.run").bytes[at] ^= 1;

    // A page opened later writes, and dies in the middle of it.
    await openPage();
    disk.left = 3;
    await assert.rejects(writeRun("one", meta(3), parts(3)), /died/);
    disk.left = Infinity;
    await holds(1);

    // And where it opened the run first, as it does to go on with it.
    await openPage();
    await holds(1);
    disk.left = 3;
    await assert.rejects(writeRun("one", meta(3), parts(3)), /died/);
    disk.left = Infinity;
    await holds(1);

    // Then all is well again, in either order.
    for (const step of [3, 4, 5]) {
      await writeRun("one", meta(step), parts(step));
      await holds(step);
      await openPage();
      await holds(step);
    }
  }
});

test("where both saves rotted, the next one is whole and newest", async () => {
  await writeRun("one", meta(1), parts(1));
  await writeRun("one", meta(2), parts(2));
  for (const name of ["a.run", "b.run"]) slot(name).bytes[900] ^= 1;
  await openPage();
  await writeRun("one", meta(3), parts(3));
  await holds(3);
  await openPage();
  await writeRun("one", meta(4), parts(4));
  await holds(4);
  assert.equal((await listRuns())[0].meta.step, 4);
});

test("a save is verified once, and not after this page wrote it", async () => {
  disk.wholeReads = 0;
  for (const step of [1, 2, 3]) await writeRun("one", meta(step), parts(step));
  assert.equal(disk.wholeReads, 0);
  await openPage();
  for (const step of [4, 5]) await writeRun("one", meta(step), parts(step));
  assert.equal(disk.wholeReads, 1);
  await holds(5);
  await writeRun("one", meta(6), parts(6));
  assert.equal(disk.wholeReads, 2, "opening reads it");
});

test("a save that cannot be read just now is not taken for damaged", async () => {
  await writeRun("one", meta(1), parts(1));
  await writeRun("one", meta(2), parts(2));
  await openPage();
  slot("b.run").unreadable = true;
  disk.left = 3;
  await assert.rejects(writeRun("one", meta(3), parts(3)), /died/);
  disk.left = Infinity;
  slot("b.run").unreadable = false;
  await openPage();
  await holds(2);
  for (const name of ["a.run", "b.run"]) slot(name).unreadable = true;
  await assert.rejects(readRun("one"), /no memory/);
});

test("a run is listed by the save that can be read", async () => {
  await writeRun("one", meta(1), parts(1));
  await writeRun("one", meta(2), parts(2));
  // The description's last character.
  slot("b.run").bytes[slot("b.run").bytes.length - 1] ^= 1;
  const [run] = await listRuns();
  assert.equal(run.meta.step, 1);
  assert.equal(run.bytes, slot("a.run").bytes.length + slot("b.run").bytes.length);
});

test("a full disk is told of, and nothing saved is lost", async () => {
  await writeRun("one", meta(1), parts(1));
  disk.room = 1000;
  await assert.rejects(writeRun("one", meta(2), parts(2)), /quota/);
  disk.room = Infinity;
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

test("a first save that fails leaves nothing behind, a later one the save before it", async () => {
  disk.room = 100;
  await assert.rejects(writeRun("one", meta(1), parts(1)), { key: "error.quota" });
  disk.room = Infinity;
  const root = await navigator.storage.getDirectory();
  await assert.rejects(
    root.getDirectoryHandle("runs").then((runs) => runs.getDirectoryHandle("one")),
    { name: "NotFoundError" },
  );
  await writeRun("one", meta(2), parts(2));
  disk.room = 100;
  await assert.rejects(writeRun("one", meta(3), parts(3)), { key: "error.quota" });
  disk.room = Infinity;
  await holds(2);
});

/** All that a run tells about itself. @param {string} id */
const full = (id) => ({
  version: 1,
  id,
  name: `run ${id}`,
  mode: "lora",
  step: 3,
  steps: 9,
  savedAt: 5,
  elapsedMs: 100,
  nParams: 7,
  vocabSize: 5,
  source: { kind: "shipped", id: "storyteller", name: "Storyteller" },
  history: {
    train: [
      [1, 2.5],
      [2, 2],
    ],
    validation: [[2, 2.25]],
  },
  sample: { step: 2, prompt: "a", text: "b" },
  strength: 1,
});
/** Saves a description as it is, whatever it is. @param {string} id @param {any} about */
const save = (id, about) => writeRun(id, about, (add) => add("state", new Uint8Array(9)));

test("a run whose description is wrong is listed as damaged beside the others, whichever part is wrong", async () => {
  await save("good", full("good"));
  const without = (/** @type {string} */ name) =>
    Object.fromEntries(Object.entries(full("bad")).filter(([key]) => key !== name));
  for (const name of Object.keys(full("bad"))) {
    for (const junk of [undefined, null, -1, 1.5, "junk", [], {}, [[1]], { train: 5 }, { kind: 7 }]) {
      await save("bad", junk === undefined ? without(name) : { ...full("bad"), [name]: junk });
      const list = await listRuns();
      assert.deepEqual(list.map(({ meta }) => meta.id).sort(), ["bad", "good"], `${name}: ${JSON.stringify(junk)}`);
      const { meta, lost, damage } = /** @type {any} */ (list.find(({ meta }) => meta.id === "bad"));
      // Whatever stands there now can be shown and opened without another check.
      for (const points of [meta.history.train, meta.history.validation]) {
        assert.ok(points.every((/** @type {any[]} */ [step, loss]) => Number.isFinite(step) && Number.isFinite(loss)));
      }
      assert.ok(
        ["full", "lora", "scratch"].includes(meta.mode) &&
          typeof meta.source.kind === "string" &&
          Number.isInteger(meta.steps),
      );
      assert.equal(typeof meta.name, "string");
      assert.ok(Number.isFinite(new Date(meta.savedAt).getTime()));
      if (damage === "") assert.deepEqual(lost, []);
      else
        assert.equal(
          damage,
          ["version", "mode", "source"].includes(name) ? "whole" : "part",
          `${name}: ${JSON.stringify(junk)}`,
        );
      const opened = (await readRun("bad")).meta;
      assert.deepEqual(
        opened,
        { ...meta, savedAt: opened.savedAt, name: opened.name },
        "what is opened is checked too",
      );
    }
  }
  const { meta, damage } = (await listRuns()).find(({ meta: { id } }) => id === "good") ?? assert.fail();
  assert.deepEqual([meta, damage], [full("good"), ""]);
});

test("a run that cannot be read, was never finished, or tells nothing hides no other", async () => {
  await save("good", full("good"));
  await save("unread", full("unread"));
  await save("mute", full("mute"));
  const runs = root.all.get("runs").all;
  runs.get("unread").all.get("a.run").getFile = () => Promise.reject(new DOMException("no", "NotReadableError"));
  const { bytes } = runs.get("mute").all.get("a.run");
  bytes[bytes.length - 1] = 7;
  await (
    await (
      await (await navigator.storage.getDirectory()).getDirectoryHandle("runs")
    ).getDirectoryHandle("torn", { create: true })
  ).getFileHandle("a.run", { create: true });
  runs.get("torn").all.get("a.run").bytes = new Uint8Array(30);
  const list = Object.fromEntries(
    (await listRuns()).map(({ meta, damage, bytes: size }) => [meta.id, [damage, size > 0]]),
  );
  assert.deepEqual(list, {
    good: ["", true],
    unread: ["unread", false],
    mute: ["whole", true],
    torn: ["unfinished", true],
  });
  await renameRun("mute", "a name");
  assert.equal((await listRuns()).find(({ meta }) => meta.id === "mute")?.meta.name, "a name");
  for (const id of ["mute", "torn", "unread"]) await deleteRun(id);
  assert.deepEqual(
    (await listRuns()).map(({ meta }) => meta.id),
    ["good"],
  );
});

test("where the browser's storage cannot be listed at all, that is an error and not an empty list", async () => {
  await save("good", full("good"));
  root.getDirectoryHandle = () => Promise.reject(new DOMException("no", "UnknownError"));
  await assert.rejects(listRuns(), { name: "UnknownError" });
});

test("what is left of a damaged run can be taken out, as a zip", async () => {
  const texts = async (/** @type {string} */ id) => {
    const files = await filesFromZip(new File([await zipOf(await page.remains(id))], "left.zip"), () => true);
    return Object.fromEntries(await Promise.all(files.map(async (file) => [file.name, await file.text()])));
  };
  await writeRun("one", /** @type {any} */ ({}), async (add) => {
    await add("text", new TextEncoder().encode("a text"));
    await add("state", new TextEncoder().encode("wei"));
    await add("state", new TextEncoder().encode("ghts"));
  });
  assert.deepEqual(await texts("one"), { text: "a text", state: "weights" });
  // Without its description nobody knows where one file ends.
  const { bytes } = slot("a.run");
  bytes[bytes.length - 1] = 7;
  assert.deepEqual(Object.keys(await texts("one")), ["file"], "the save as it lies there");
});
