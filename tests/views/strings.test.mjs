// @ts-check
// Everything that the page says, in both languages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setLanguage, t } from "../../www/core/i18n/index.js";
import { importsOf, isTable, laterOf, loadedWith, loads, modules, namedIn, START } from "./modules.mjs";

const folder = new URL("../../www/", import.meta.url);
/** The engine's sentences are patterns, with a test of their own: engine.test.mjs. */
const tables = [...modules.keys()].filter(
  (name) => /(^|[./])(en|zh)\.js$/.test(name) && !/\bengine\.(en|zh)\.js$/.test(name),
);
const english = tables.filter(isTable);
/** The one table of a file. @param {string} name @returns {Promise<Record<string, string>>} */
const tableOf = async (name) => {
  const all = Object.values(await import(new URL(name, folder).href));
  assert.equal(all.length, 1, name);
  return all[0];
};
const blanks = (/** @type {string} */ text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("every table of strings has its other language", () => {
  assert.ok(
    english.includes("core/i18n/en.js") &&
      english.includes("train/words.en.js") &&
      english.includes("inspect/words.en.js"),
    `${english}`,
  );
  assert.deepEqual(tables, [...english, ...english.map((name) => name.replace(/\ben\.js$/, "zh.js"))].sort());
});

for (const name of english) {
  test(`English and Chinese say the same things in the same order, with the same blanks: ${name}`, async () => {
    const [en, zh] = await Promise.all([tableOf(name), tableOf(name.replace(/\ben\.js$/, "zh.js"))]);
    assert.ok(Object.keys(en).length > 0);
    assert.deepEqual(Object.keys(zh), Object.keys(en));
    for (const [key, text] of Object.entries(en)) assert.deepEqual(blanks(zh[key]), blanks(text), key);
  });
}

test("no string has two tables: the one that is loaded last would win", async () => {
  const keys = (await Promise.all(english.map(tableOf))).flatMap((table) => Object.keys(table));
  assert.deepEqual(
    keys.filter((key, at) => keys.indexOf(key) !== at),
    [],
  );
});

/** Each string's table. @type {Map<string, string>} */
const placed = new Map();
for (const name of english) for (const key of Object.keys(await tableOf(name))) placed.set(key, name);
const prefixes = new Set([...placed.keys()].map((key) => key.split(".")[0]));
const speaking = [...modules.keys()].filter((name) => !tables.includes(name) && !name.startsWith("core/i18n/"));

/**
 * What in some modules names strings that are in none of some tables.
 * @param {Iterable<string>} names
 * @param {Set<string>} tables
 */
function homeless(names, tables) {
  /** @type {string[]} */
  const found = [];
  for (const name of [...names].filter((one) => speaking.includes(one))) {
    const { keys, patterns } = namedIn(name, prefixes);
    const there = (/** @type {string} */ key) => tables.has(placed.get(key) ?? "");
    found.push(...keys.filter((key) => !there(key)).map((key) => `${name}: ${key}`));
    for (const pattern of patterns.filter(({ source }) => !source.startsWith("^["))) {
      const fits = [...placed.keys()].filter((key) => pattern.test(key));
      if (!fits.length) found.push(`${name}: ${pattern}`);
      found.push(...fits.filter((key) => !there(key)).map((key) => `${name}: ${key} by ${pattern}`));
    }
  }
  return found;
}

test("every string that a module names is in a table that is there when the module is", () => {
  const all = loads();
  assert.ok(
    all.size > 10 && all.has("train/view.js") && all.has("inspect/panels/heads/panel.js"),
    [...all.keys()].join(),
  );
  assert.deepEqual([...(all.get(START)?.tables ?? [])], ["core/i18n/en.js"]);
  assert.ok(
    all.get("inspect/panels/heads/panel.js")?.tables.has("inspect/words.en.js"),
    "a panel comes after the inspector",
  );
  for (const [entry, load] of all) assert.deepEqual(homeless(load.modules, load.tables), [], `loaded with ${entry}`);
});

test("a string in a table that comes later would be noticed", () => {
  const start = loads().get(START);
  const later = homeless(["train/view.js", "inspect/panels/lens/panel.js"], start?.tables ?? new Set());
  assert.ok(
    later.includes("train/view.js: train.go") &&
      later.some((one) => one.startsWith("inspect/panels/lens/panel.js: lens.")),
    later.join(),
  );
  assert.ok(
    later.some((one) => one.startsWith("train/view.js: train.figure.step by")),
    "also where the key is put together",
  );
});

test("what an error says is in the first table, or comes with the module that throws it: it may be shown anywhere", () => {
  const errors = [...placed].filter(([key]) => key.startsWith("error."));
  assert.ok(errors.length > 20);
  for (const [key, table] of errors.filter(([, place]) => place !== "core/i18n/en.js")) {
    const throwing = speaking.filter((name) => namedIn(name, prefixes).keys.includes(key));
    assert.deepEqual(
      throwing.filter((name) => !importsOf(name).includes(table)),
      [],
      key,
    );
  }
  // What the worker throws is shown by the page, which has loaded none of the worker's modules.
  const worker = [...loadedWith("worker.js")].filter((name) => !loadedWith(START).has(name));
  assert.ok(worker.includes("train/worker_run.js") && !worker.some(isTable), worker.join());
  assert.deepEqual(homeless(worker, new Set(["core/i18n/en.js"])), []);
});

test("every string is named by a module", () => {
  const named = speaking.map((name) => namedIn(name, prefixes));
  const keys = new Set(named.flatMap((one) => one.keys));
  const patterns = named.flatMap((one) => one.patterns);
  assert.deepEqual(
    [...placed.keys()].filter((key) => !keys.has(key) && !patterns.some((pattern) => pattern.test(key))),
    [],
  );
});

test("a part of the page that does not come is told of in the page's words", () => {
  const later = speaking.filter((name) => laterOf(name).length);
  assert.ok(later.length > 5, later.join());
  // What is asked for without a word has its own way on.
  const silent = ["models/saved_runs.js: baseBytes"];
  for (const name of later) {
    for (const [whole, before, then = ""] of (modules.get(name) ?? "").matchAll(
      /(\bpart\(\s*)?\bimport\([^)]*\)(\s*\.then\(\s*\(\{ \w+)?/g,
    )) {
      assert.ok(before || silent.includes(`${name}: ${then.match(/\w+$/)?.[0]}`), `${name}: ${whole}`);
    }
  }
});

test("a string that is missing shows no key, and is told of", (context) => {
  const told = context.mock.method(console, "error", () => {});
  for (const lang of /** @type {const} */ (["zh", "en"])) {
    setLanguage(lang);
    assert.equal(t("nowhere.to.be.found"), "…");
  }
  assert.equal(told.mock.callCount(), 2);
  assert.match(String(told.mock.calls[0].arguments[0]), /nowhere\.to\.be\.found/);
});
