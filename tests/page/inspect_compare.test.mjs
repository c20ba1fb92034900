// @ts-check
// Two models on one text in the real page: a tuned model beside its base, and a model beside itself.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { button, openPage, paper, ready, screenshots } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { setOptions } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

const LESSON = `${"The lighthouse keeper Mira counts the waves at night and writes their numbers in a red book. ".repeat(40)}\n`;
const TEXT =
  "The lighthouse keeper Mira counts the waves.\nOnce upon a time there was a little girl who counts the waves at night.";

/** Fine-tunes the shipped model for a few steps, and puts a text on the paper. @param {Page} page */
async function tune(page) {
  await ready(page);
  await button(page, /^(Train|训练)$/)
    .first()
    .click();
  await page.locator("#train-text").fill(LESSON);
  await page.locator(".train-left details.train-settings summary").click();
  await setOptions(page, { steps: 8, batch_size: 2, context: 64, lr: 0.001, eval_every: 0, warmup: 0 });
  await page.locator(".train-memory", { hasText: /\d/ }).waitFor();
  await page.locator(".train-go").click();
  await page.locator(".train-after").waitFor({ timeout: 60_000 });
  await page.locator(".train-go:not([disabled])").waitFor({ timeout: 60_000 });
  await page.locator(".train-done button").first().click();
  await paper(page).or(page.locator("#tab-write textarea")).first().fill(TEXT);
}
/** @param {Page} page */
async function openCompare(page) {
  await page.locator(".compare-controls .secondary").click();
  await page.locator(".compare-totals tbody").waitFor({ timeout: 60_000 });
  await page.locator(".compare-head progress").waitFor({ state: "hidden", timeout: 60_000 });
}
/** The figures of the table of totals. @param {Page} page */
async function totals(page) {
  const cells = (await page.locator(".compare-totals tbody td").allInnerTexts()).map(Number.parseFloat);
  const [mine, other, minePerplexity, otherPerplexity, kl] = cells;
  return { mine, other, minePerplexity, otherPerplexity, kl };
}
/** @param {Page} page @param {string} kind */
async function save(page, kind) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(".compare-panel .save-row button", { hasText: kind }).click(),
  ]);
  assert.equal(download.suggestedFilename(), `compare.${kind.toLowerCase()}`);
  return readFileSync(await download.path());
}

test("a tuned model beside its base: totals, tokens, both tens, keyboard, files; and a model beside itself", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&see=compare&n=30&end=0`, {
    viewport: { width: 1440, height: 1000 },
  });
  await tune(page);
  await page.locator(".compare-controls").waitFor();
  assert.deepEqual(
    (await page.locator("#compare-model option").allInnerTexts()).slice(0, 1),
    ["Storyteller"],
    "the base comes first",
  );
  const workers = page.workers().length;
  await openCompare(page);
  assert.equal(page.workers().length, workers + 1, "the other model has an engine of its own");
  const figures = await totals(page);
  assert.ok(figures.mine < figures.other - 0.5, `the tuned model knows the text better: ${JSON.stringify(figures)}`);
  assert.ok(figures.kl > 0.1, JSON.stringify(figures));
  assert.ok(
    Math.abs(2 ** figures.mine - figures.minePerplexity) < 0.1 &&
      Math.abs(2 ** figures.other / figures.otherPerplexity - 1) < 0.01,
  );
  assert.match(await page.locator(".compare-verdict").innerText(), /this model is better by [\d.]+ bits/);
  assert.match(await page.locator(".compare-head").innerText(), /Storyteller is open beside this model and takes/);

  // With a part of it off, the model is not compared as a whole: that is said, and undone in one press.
  assert.ok(await page.locator(".compare-off").isHidden());
  await page.evaluate(() => (location.hash = `${location.hash}&off=0.0_0.1_1.mlp`));
  await page
    .locator(".compare-off", { hasText: "This model runs with 2 heads and 1 MLP off, Storyteller with everything on." })
    .waitFor();
  await page.screenshot({ path: `${screenshots}inspect-compare-off.png` });
  await button(page, "Switch everything on").click();
  await page.locator(".compare-off").waitFor({ state: "hidden" });
  await page.waitForFunction(
    (loss) => document.querySelector(".compare-totals tbody td")?.textContent === loss,
    figures.mine.toFixed(3),
  );
  await page.locator(".compare-body:not(.stale)").waitFor();
  await page.locator(".compare-head progress").waitFor({ state: "hidden" });

  // The files agree with the totals and with each other.
  const json = JSON.parse((await save(page, "JSON")).toString());
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const tokens = json.tokens.slice(1);
  assert.ok(Math.abs(-mean(tokens.map((/** @type {any} */ { mine }) => mine)) / Math.LN2 - figures.mine) < 1e-3);
  assert.ok(Math.abs(mean(json.kl) / Math.LN2 - figures.kl) < 1e-3);
  assert.ok(
    json.kl.every((/** @type {number} */ kl) => kl >= -1e-4),
    "no distance is negative",
  );
  const rows = (await save(page, "CSV")).toString().trimEnd().split("\r\n");
  assert.equal(rows.length, json.tokens.length + 1);
  assert.deepEqual([...(await save(page, "PNG")).subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);

  // Keyboard: the strips are walked like a text, and the selection is the page's.
  const strips = page.locator(".compare-strips");
  await strips.focus();
  await page.keyboard.press("Home");
  assert.equal(await strips.getAttribute("aria-valuenow"), "0");
  assert.match(String(await strips.getAttribute("aria-valuetext")), /nothing comes before it/);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.waitForURL(/token=2/);
  assert.equal(
    await page.locator(".compare-readout").innerText(),
    await strips.getAttribute("aria-valuetext"),
    "what is seen is told",
  );
  assert.match(
    await page.locator(".compare-readout").innerText(),
    /^Token 3, ␣light: this model [\d.]+ %, Storyteller [\d.]+ %; gain \+[\d.]+ bits, KL [\d.]+ bits\.$/,
  );
  await page.keyboard.press("ArrowDown");
  assert.ok(Number(await strips.getAttribute("aria-valuenow")) > 5, "a line down");
  await page.keyboard.press("End");
  assert.equal(await strips.getAttribute("aria-valuenow"), String(json.tokens.length - 1));

  // The ten best of both; the card says the same of this model.
  await page.locator(".compare-move").first().click();
  const actual = page.locator(".compare-beside tr[data-actual]");
  await actual.waitFor();
  const p = (await actual.locator(".compare-mine .compare-p").innerText()).trim();
  await page.locator(".card-figures dd", { hasText: p }).first().waitFor();
  assert.ok((await page.locator(".compare-beside tbody tr").count()) >= 10);
  await page.getByRole("button", { name: /^after / }).click();
  assert.equal(await page.getByRole("button", { name: /^after / }).getAttribute("aria-pressed"), "true");
  await page.getByText("All tokens around the selected one as a table").click();
  await page.locator(".compare-table tbody tr").nth(5).waitFor();

  // Clicks on the canvas select.
  const box = await strips.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + 60, box.y + 10);
  assert.ok(Number(await strips.getAttribute("aria-valuenow")) >= 0);
  await page.locator(".compare-overview").click({ position: { x: 3, y: 20 } });
  assert.equal(await strips.getAttribute("aria-valuenow"), "0");

  // It follows the text.
  await paper(page).fill("Once upon a time there was a little girl.");
  await page.waitForFunction(
    () => Number(document.querySelector(".compare-strips")?.getAttribute("aria-valuemax")) === 10,
  );
  await page.locator(".compare-body:not(.stale)").waitFor();
  await page.locator(".compare-head progress").waitFor({ state: "hidden" });
  assert.ok((await totals(page)).mine > (await totals(page)).other, "what it was not taught it has forgotten a little");

  // Leaving the tab closes the other engine.
  await page.getByRole("tab", { name: "Next" }).click();
  await page.waitForFunction(() => !document.querySelector(".compare-panel"));
  assert.equal(page.workers().length, workers);

  // The tuned model as a file is another model to the page, and the same to the numbers.
  await button(page, "Train").first().click();
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download model (zip)").click()]);
  const zip = join(mkdtempSync(join(tmpdir(), "gpt-page-")), "model.zip");
  await download.saveAs(zip);
  await button(page, "Models").click();
  await page.locator(".saved li").waitFor();
  await page.locator("#pick").setInputFiles(zip);
  await page
    .locator(".list li", { has: page.locator('h3:text-is("model")') })
    .locator(".in-use")
    .waitFor({ timeout: 60_000 });
  await button(page, "Write").first().click();
  await paper(page).fill(TEXT);
  await page.getByRole("tab", { name: "Compare" }).click();
  const run = await page
    .locator("#compare-model option")
    .evaluateAll(
      (options) =>
        options.find((one) => /** @type {HTMLOptionElement} */ (one).value.startsWith("run:"))?.getAttribute("value") ??
        "",
    );
  assert.notEqual(run, "", "the saved run is among the models to compare with");
  await page.locator("#compare-model").selectOption(run);
  await openCompare(page);
  const same = await totals(page);
  assert.equal(same.kl, 0, JSON.stringify(same));
  assert.equal(same.mine, same.other);
  assert.match(await page.locator(".compare-verdict").innerText(), /the two models are the same on this text/);
  assert.equal(await page.locator(".compare-move").count(), 0);
  await close();
});

test("opening can be cancelled, and nothing stays behind", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&see=compare&n=30&end=0`);
  await tune(page);
  const workers = page.workers().length;
  // The weights take their time: long enough for a person to think better of it.
  await page.route("**/model.safetensors*", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue().catch(() => {});
  });
  await page.locator(".compare-controls .secondary").click();
  await page.locator(".compare-head progress").waitFor();
  await button(page, "Cancel").click();
  await page.locator(".compare-controls .secondary").waitFor();
  assert.ok(await page.locator(".compare-head progress").isHidden());
  await page.waitForTimeout(2500);
  assert.equal(page.workers().length, workers);
  assert.equal(await page.locator(".compare-problem").innerText(), "");
  await close();
});

/**
 * Trains a model of the letters of a text, from scratch, and goes to the paper.
 * @param {Page} page
 * @param {string} text
 */
async function scratch(page, text) {
  await button(page, "Train").first().click();
  await page.getByText("From scratch", { exact: true }).click();
  await page.locator("#train-text").fill(text);
  await page.locator(".train-left details.train-settings").evaluate((details) => details.setAttribute("open", ""));
  await setOptions(page, { steps: 3, batch_size: 1, context: 32 });
  await page.locator(".train-go:not([disabled])").waitFor();
  await page.locator(".train-memory", { hasText: /3 steps/ }).waitFor();
  await page.locator(".train-go").click();
  await page.locator(".train-figures dd", { hasText: "step 3" }).waitFor({ timeout: 60_000 });
  await page.locator(".train-go:not([disabled])").waitFor({ timeout: 60_000 });
  await page.locator(".train-done button").first().click();
}

test("another vocabulary is told, not compared", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&see=compare`);
  await ready(page);
  await scratch(page, LESSON);
  // As many letters, and not the same ones: that shows only when the model is open.
  await scratch(page, `${LESSON.replaceAll("w", "W")} nothing else`);
  await paper(page).fill("The lighthouse keeper");
  // The inspector is loaded when it is first seen.
  await page.locator("#compare-model option").first().waitFor({ state: "attached" });
  const storyteller = page.locator("#compare-model option", { hasText: "Storyteller" });
  assert.deepEqual(
    [await storyteller.innerText(), await storyteller.isDisabled()],
    ["Storyteller: another vocabulary", true],
  );

  const value = await page.locator("#compare-model option:not([disabled])").last().getAttribute("value");
  assert.match(String(value), /^run:/);
  await page.locator("#compare-model").selectOption(value);
  await page.locator(".compare-controls .secondary").click();
  await page.locator(".compare-problem", { hasText: "cuts text into other tokens" }).waitFor();
  assert.ok(await page.locator(".compare-body").isHidden());
  await button(page, "Stop comparing").click();
  await page.locator(".compare-problem").waitFor({ state: "hidden" });
  await close();
});

for (const [where, options] of /** @type {const} */ ([
  ["desktop", { viewport: { width: 1280, height: 900 } }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true }],
])) {
  // One theme at each width: colours do not depend on the width, nor sizes on the theme.
  for (const colorScheme of /** @type {const} */ ([where === "desktop" ? "light" : "dark"])) {
    test(`axe-core finds nothing, and nothing sticks out: ${where}, ${colorScheme}`, async () => {
      const { page, close } = await openPage(
        browser,
        `${site.url}?backend=cpu#lang=${colorScheme === "dark" ? "zh" : "en"}&see=compare&n=30&end=0`,
        {
          ...options,
          colorScheme,
        },
      );
      await tune(page);
      await page.locator(".compare-controls").waitFor();
      const check = async (/** @type {string} */ state) => {
        const { wide, has } = await page
          .locator(".compare-panel")
          .evaluate((root) => ({ wide: root.scrollWidth, has: root.clientWidth }));
        assert.ok(wide <= has + 8, `${state}: ${wide} of ${has}`);
        assert.deepEqual(await violations(page, ".compare-panel"), [], state);
      };
      await check("closed");
      await openCompare(page);
      await check("open");
      await page.locator(".compare-panel").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: `${screenshots}inspect-compare-${where}-${colorScheme}.png` });
      await page.locator(".compare-tokens").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: `${screenshots}inspect-compare-tokens-${where}-${colorScheme}.png` });
      await close();
    });
  }
}

test("where there is no other model, Compare leads to where one comes from", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&see=compare`);
  await ready(page);
  await page.getByText("There is no other model to compare with yet.").waitFor();
  await button(page, "Open another model").click();
  await page.locator("nav [aria-current=page]", { hasText: "Models" }).waitFor();
  await page.goBack();
  await button(page, "Train this model").click();
  await page.locator("nav [aria-current=page]", { hasText: "Train" }).waitFor();
  await close();
});
