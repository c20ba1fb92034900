// @ts-check
// Real folders dropped on the real page: large ones, nested ones, empty ones.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

const MODEL = ["config.json", "tokenizer.json", "model.safetensors"];
const model = fileURLToPath(new URL("../../www/models/storyteller/", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "gpt-drop-"));
after(() => rmSync(root, { recursive: true, force: true }));

/**
 * Makes a folder, with a model's files in it where they are asked for.
 * @param {string} path
 * @param {boolean} [withModel]
 */
function folder(path, withModel = false) {
  mkdirSync(join(root, path), { recursive: true });
  if (withModel) for (const name of MODEL) copyFileSync(join(model, name), join(root, path, name));
  return join(root, path);
}

/**
 * Drops files and folders as a file manager does.
 * @param {import("playwright-core").Page} page
 * @param {string[]} files
 */
async function drop(page, files) {
  const cdp = await page.context().newCDPSession(page);
  for (const type of /** @type {const} */ (["dragEnter", "dragOver", "drop"])) {
    await cdp.send("Input.dispatchDragEvent", {
      type,
      x: 400,
      y: 300,
      data: { items: [], files, dragOperationsMask: 1 },
    });
  }
  await cdp.detach();
}

test("a folder of 153 files opens, and so does a model in a folder within a folder", async () => {
  const large = folder("large", true);
  for (let at = 0; at < 150; at += 1) writeFileSync(join(large, `a${at}.log`), "x");
  folder("hub/snapshots/607a30d", true);
  for (const path of ["large", "hub"]) {
    const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
    await ready(page);
    await drop(page, [join(root, path)]);
    await page.locator(".model-name", { hasText: path }).waitFor({ timeout: 60_000 });
    assert.equal(await page.locator(".message:visible").count(), 0);
    await close();
  }
});

test("whatever else is dropped has an answer", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await ready(page);
  const says = (/** @type {string} */ hasText) => page.getByRole("alert").filter({ hasText }).waitFor();
  folder("bare/within");
  await drop(page, [folder("bare")]);
  await says("There is no file in bare.");
  folder("two/one", true);
  folder("two/other", true);
  await drop(page, [folder("two")]);
  await says("Each of these folders holds a model: two/one, two/other. Drop one of them.");
  writeFileSync(join(folder("notes/deep"), "holiday.jpg"), "x");
  await drop(page, [folder("notes")]);
  await says("None of these files belongs to a model: holiday.jpg.");
  assert.match(await page.locator(".model-name").innerText(), /^Storyteller/);
  await close();
});

test("a text that is dropped on Write stands on the paper; what stood there comes back with undo", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await ready(page);
  const write = (/** @type {string} */ name, /** @type {string | Buffer} */ text) => {
    writeFileSync(join(folder("texts"), name), text);
    return join(root, "texts", name);
  };
  await drop(page, [write("tale.txt", "The miller had a cat.")]);
  const field = page.locator(".paper-area");
  await page.waitForFunction(() => document.querySelector("textarea")?.value === "The miller had a cat.");
  assert.equal(await page.locator(".message:visible").count(), 0, "the first prompt is nobody's text");
  await drop(page, [write("other.md", "Another tale.")]);
  await page.getByText("The file's text stands on the paper now").waitFor();
  assert.equal(await field.inputValue(), "Another tale.");
  await page.locator(".message").getByRole("button", { name: "Undo" }).click();
  assert.equal(await field.inputValue(), "The miller had a cat.");
  const line = "And the cat said no.\n";
  await drop(page, [write("long.txt", line.repeat(10_000))]);
  await page.getByText(/Only the first 99,9\d\d of 210,000 characters are on the paper/).waitFor();
  assert.ok((await field.inputValue()).endsWith("no."));
  await drop(page, [write("binary.txt", Buffer.from([0xff, 0, 0x81, 0]))]);
  await page.getByText("binary.txt is not a text in UTF-8 or UTF-16.").waitFor();
  await close();
});

test("on the Train tab a folder's texts are learnt from, and a model's README is not", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&tab=train`);
  await page.locator(".model-name", { hasText: "Storyteller" }).waitFor({ timeout: 60_000 });
  writeFileSync(join(folder("book/part"), "one.txt"), "The first part.");
  writeFileSync(join(folder("book"), "two.md"), "The other part.");
  await drop(page, [folder("book")]);
  const field = page.locator("#train-text");
  await page.waitForFunction(
    () => /** @type {HTMLTextAreaElement} */ (document.querySelector("#train-text")).value !== "",
  );
  assert.equal(await field.inputValue(), "The other part.\n\nThe first part.\n");
  writeFileSync(join(folder("gpt2", true), "README.md"), "About the model.");
  await drop(page, [folder("gpt2")]);
  await page.locator(".model-name", { hasText: "gpt2" }).waitFor({ timeout: 60_000 });
  assert.equal(await field.inputValue(), "The other part.\n\nThe first part.\n");
  await close();
});
