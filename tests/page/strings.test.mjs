// @ts-check
// No key of a string ever reaches the screen, not even where the tables that are loaded later do not come.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { en } from "../../www/core/i18n/en.js";
import { zh } from "../../www/core/i18n/zh.js";
import { openPage, ready } from "./browser.mjs";
import { serveFake } from "./fake_site.mjs";
import { browser, site } from "./stage.mjs";
import { saved, says, start } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

const folder = new URL("../../www/", import.meta.url);
const files = readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll("\\", "/"));
const tables = files.filter((name) => /(^|[./])en\.js$/.test(name)).map((name) => import(new URL(name, folder).href));
const keys = (await Promise.all(tables)).flatMap((table) => Object.keys(Object.values(table)[0]));
/** All tables but the first, and the engine's sentences. */
const LATER = /\/www\/(?!core\/i18n\/(en|zh)\.js).*\b(en|zh)\.js$/;

/** Holds that nothing on the page reads like a key: text, labels, hints. @param {Page} page @param {string} where */
async function noKeys(page, where) {
  const found = await page.evaluate((all) => {
    const said = [document.title, document.body.innerText];
    for (const element of document.body.querySelectorAll("*")) {
      for (const name of ["title", "aria-label", "placeholder", "alt", "aria-valuetext"])
        said.push(element.getAttribute(name) ?? "");
    }
    const words = new Set(said.flatMap((text) => text.match(/[a-z]+(\.[\w-]+)+/gi) ?? []));
    return [...all.filter((key) => words.has(key)), ...said.filter((text) => text === "…")];
  }, keys);
  assert.deepEqual(found, [], where);
}

/** @param {Page} page @param {number} at from 0 */
const tab = (page, at) => page.locator("nav button").nth(at).click();

test("with every later table missing the page says all that it says, in both languages", async () => {
  const first = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await ready(first.page);
  await start(first.page, "From scratch", { steps: 3, eval_every: 0 });
  await says(first.page, 3);
  const [{ id }] = Object.values(await saved(first.page));
  const context = first.page.context();
  await first.page.close();

  await context.route(LATER, (route) => route.abort());
  const page = await context.newPage();
  /** @type {string[]} */
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  for (const [lang, words] of /** @type {const} */ ([
    ["en", en],
    ["zh", zh],
  ])) {
    /** @param {string} hasText */
    const said = (hasText) => page.locator(".message:visible", { hasText }).first().waitFor();
    await page.goto(`${site.url}?backend=cpu&again=${lang}#lang=${lang}`);
    await ready(page);
    // The window is wide: the inspector opens by itself.
    await said(words["inspect.notLoaded"]);
    await noKeys(page, `${lang}: write`);
    await tab(page, 1);
    await said(words["train.notLoaded"]);
    await noKeys(page, `${lang}: train`);
    await tab(page, 2);
    const press = (/** @type {string} */ key) => page.locator(`.saved [data-at^="${key} "]`).click();
    await press("saved.rename");
    await noKeys(page, `${lang}: rename`);
    await page.keyboard.press("Escape");
    await press("saved.delete");
    await noKeys(page, `${lang}: delete?`);
    await press("saved.keep");
    await page
      .locator("#pick")
      .setInputFiles([{ name: "bad.zip", mimeType: "application/zip", buffer: Buffer.from("x") }]);
    await said("bad.zip");
    await noKeys(page, `${lang}: a bad zip`);
    await page.locator("#repo").fill("http://nowhere.test/x");
    await page.keyboard.press("Enter");
    await said("http://nowhere.test/x");
    await noKeys(page, `${lang}: no https`);
    await page
      .locator("#pick")
      .setInputFiles([{ name: "config.json", mimeType: "application/json", buffer: Buffer.from("{}") }]);
    await page.locator(".pending", { hasText: "model.safetensors" }).waitFor();
    await noKeys(page, `${lang}: half a model`);
    await press("models.open");
    await page.locator(".saved .in-use").waitFor();
    await noKeys(page, `${lang}: a saved run`);
    await page.evaluate((hash) => (location.hash = hash), `model=run:nowhere&tab=models&lang=${lang}`);
    await said(words["message.linkRun"]);
    await noKeys(page, `${lang}: a link to a run elsewhere`);
    await page.locator(".theme").click();
    await page.locator(".switches button[lang]").click();
    await noKeys(page, `${lang}: the other language`);
    assert.ok(id, "a run was saved");
  }
  assert.deepEqual(
    problems.filter((problem) => !/Failed to load resource/.test(problem)),
    [],
  );
  await context.close();
});

test("where Chinese cannot be loaded the page says so in English, at the start and when it is chosen", async () => {
  const fake = await serveFake({ broken: /^www\/core\/i18n\/zh\.js/ });
  const { page } = await openPage(browser, `${fake.url}?backend=cpu#lang=zh`);
  await ready(page);
  const told = page.locator(".message:visible", { hasText: en["message.noLanguage"] });
  await told.waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  await told.getByRole("button", { name: en["message.close"] }).click();
  await page.locator(".switches button[lang]").click();
  await told.waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  // The browser itself tells of what it could not load.
  await page.context().close();
  await fake.stop();
});

test("a panel whose table is missing is told of, and the others work", async () => {
  const fake = await serveFake({ broken: /^www\/inspect\/panels\/(?!next)\w+\/words/ });
  const { page, problems } = await openPage(browser, `${fake.url}?backend=cpu#lang=en&see=next`);
  await ready(page);
  for (const name of ["Tree", "Attention", "Layers", "Heads", "Flow", "Compare"]) {
    await page.getByRole("tab", { name }).click();
    await page.locator(".inspector .message", { hasText: "A part of the page could not be loaded." }).waitFor();
    await noKeys(page, name);
    await page.getByRole("tab", { name: "Next" }).click();
    await page.locator(".inspector .message").waitFor({ state: "hidden" });
    await page.locator("#inspect-panel > *").first().waitFor();
  }
  assert.deepEqual(
    problems.filter((problem) => !/Failed to load resource/.test(problem)),
    [],
  );
  await page.context().close();
  await fake.stop();
});
