// @ts-check
// What is dropped on the page: folders with many files, in folders, with nothing, with too much, and what cannot be
// read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { filesFromDrop, MOST_ENTRIES, modelAmong, textsAmong } from "../../www/models/drop.js";
import { isModelFile } from "../../www/models/file_names.js";

/**
 * A folder's content by name: a file's text, a folder, or null for what cannot be read.
 * @typedef {{ [name: string]: string | null | Tree }} Tree
 */

/**
 * As Chromium has it: a reader gives 100 entries at a time.
 * @param {string} name
 * @param {string | null | Tree} content
 * @returns {any}
 */
function entryOf(name, content) {
  const broken = new DOMException("gone", "NotFoundError");
  if (content === null || typeof content === "string") {
    const file = (/** @type {(file: File) => void} */ done, /** @type {(error: Error) => void} */ failed) =>
      content === null ? failed(broken) : done(new File([content], name));
    return { name, isFile: true, isDirectory: false, file };
  }
  const createReader = () => {
    const rest = Object.entries(content);
    return {
      readEntries: (/** @type {(entries: any[]) => void} */ done, /** @type {(error: Error) => void} */ failed) => {
        if (name === "locked") return failed(broken);
        done(rest.splice(0, 100).map(([one, inner]) => entryOf(one, inner)));
      },
    };
  };
  return { name, isFile: false, isDirectory: true, createReader };
}

/** @param {Tree} tree */
async function drop(tree) {
  const items = Object.entries(tree).map(([name, content]) => ({ webkitGetAsEntry: () => entryOf(name, content) }));
  const files = Object.entries(tree)
    .filter(([, content]) => typeof content === "string")
    .map(([name]) => new File([], name));
  const dropped = await filesFromDrop(/** @type {any} */ ({ items, files }));
  return {
    ...dropped,
    paths: dropped.files.map(({ file, folder }) => (folder ? `${folder}/${file.name}` : file.name)),
  };
}
/** @param {Awaited<ReturnType<typeof drop>>} dropped */
const model = ({ files }) => {
  const found = modelAmong(files, isModelFile);
  return "folders" in found ? found : found.files.map(({ name }) => name);
};
const MODEL = { "config.json": "{}", "model.safetensors": "x", "tokenizer.json": "{}" };
/** @param {number} count @returns {Tree} */
const many = (count) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${String(at).padStart(5, "0")}.log`, "x"]));

test("all files of a large folder are there, in the order of their names", async () => {
  const dropped = await drop({ gpt2: { ...many(150), ...MODEL } });
  assert.equal(dropped.files.length, 153);
  assert.deepEqual(dropped.paths.slice(-4), [
    "gpt2/a00149.log",
    "gpt2/config.json",
    "gpt2/model.safetensors",
    "gpt2/tokenizer.json",
  ]);
  assert.deepEqual(
    model(dropped),
    dropped.files.map(({ file }) => file.name),
  );
});

test("a model in a folder within a folder is found, and its earlier saves in folders of their own are left alone", async () => {
  assert.deepEqual(
    model(await drop({ hub: { snapshots: { "607a30d": { ...MODEL } }, refs: { main: "607a30d" } } })),
    Object.keys(MODEL),
  );
  const run = await drop({ out: { "checkpoint-5": { ...MODEL }, "checkpoint-9": { ...MODEL }, ...MODEL } });
  assert.deepEqual(
    run.paths.slice(0, 3),
    Object.keys(MODEL).map((name) => `out/${name}`),
  );
  assert.deepEqual(model(run), Object.keys(MODEL));
});

test("which of several models is meant is not guessed", async () => {
  assert.deepEqual(model(await drop({ models: { one: { ...MODEL }, two: { ...MODEL } } })), {
    folders: ["models/one", "models/two"],
  });
  assert.deepEqual(model(await drop({ one: { ...MODEL }, two: { ...MODEL } })), { folders: ["one", "two"] });
});

test("a folder and files beside it belong together", async () => {
  assert.deepEqual(model(await drop({ tokenizer: { "tokenizer.json": "{}" }, "config.json": "{}" })), [
    "tokenizer.json",
    "config.json",
  ]);
});

test("folders without files, with too many, and what cannot be read are told of by name", async () => {
  const empty = await drop({ bare: {}, nested: { deep: { deeper: {} } } });
  assert.deepEqual([empty.empty, empty.paths], [["bare", "nested"], []]);
  const large = await drop({ disk: { home: many(MOST_ENTRIES), "config.json": "{}" }, "notes.txt": "x" });
  assert.deepEqual([large.large, large.empty, large.paths], [["disk"], [], ["notes.txt"]]);
  const most = await drop({ full: many(MOST_ENTRIES) });
  assert.deepEqual([most.large, most.files.length], [[], MOST_ENTRIES]);
  const unread = await drop({ folder: { locked: {}, "gone.txt": null }, "away.txt": null });
  assert.deepEqual([unread.unread, unread.empty], [["folder/gone.txt", "folder/locked", "away.txt"], []]);
});

test("without a folder the files are those of the drop", async () => {
  assert.deepEqual((await drop({ "b.txt": "x", "a.txt": "y" })).paths, ["b.txt", "a.txt"]);
  const script = { items: [], files: [new File(["x"], "only.txt")] };
  assert.deepEqual(
    (await filesFromDrop(/** @type {any} */ (script))).files.map(({ file }) => file.name),
    ["only.txt"],
  );
});

test("texts to learn from are those that lie beside no model", async () => {
  const gpt2 = { ...MODEL, "README.md": "x", "merges.txt": "x" };
  const { files } = await drop({ "loose.md": "x", book: { "two.txt": "x", part: { "one.TXT": "x" } }, gpt2 });
  assert.deepEqual(
    textsAmong(files, isModelFile).map(({ file }) => file.name),
    ["loose.md", "two.txt", "one.TXT"],
  );
});
