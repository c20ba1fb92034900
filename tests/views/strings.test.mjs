// @ts-check
// Everything that the page says, in both languages.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../www/i18n/", import.meta.url);
/** The engine's sentences are patterns, with a test of their own: engine.test.mjs. */
const tables = readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll("\\", "/"))
  .filter((name) => /\.js$/.test(name) && !/^(index|engine)\b/.test(name)).sort();
const english = tables.filter((name) => /\ben\.js$/.test(name));
/** The one table of a file. @param {string} name @returns {Promise<Record<string, string>>} */
const tableOf = async (name) => {
  const all = Object.values(await import(new URL(name, folder).href));
  assert.equal(all.length, 1, name);
  return all[0];
};
const blanks = (/** @type {string} */ text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("every table of strings has its other language", () => {
  assert.ok(english.includes("en.js") && english.includes("train.en.js") && english.includes("inspect/inspect.en.js"), `${english}`);
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
  assert.deepEqual(keys.filter((key, at) => keys.indexOf(key) !== at), []);
});
