// @ts-check
// What is switched off for writing stays out of training; and what a model from scratch cannot read leaves the paper.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, openPage, paper } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { setOptions } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

const TEXT = `${"Mira counts the waves at night and writes their numbers in a red book. ".repeat(40)}\n`;
const ALL_OFF = Array.from({ length: 4 }, (_, layer) => `${layer}.0_${layer}.1_${layer}.mlp`).join("_");

/** @param {Page} page @param {number} steps */
async function train(page, steps) {
  await page.locator("#train-text").fill(TEXT);
  await page.locator(".train-left details.train-settings summary").click();
  await setOptions(page, { steps, batch_size: 2, context: 32, warmup: 0, eval_every: 4 });
  await page.locator(".train-memory", { hasText: `${steps} steps` }).waitFor();
  await page.locator(".train-go").click();
  await page.locator(".train-sample h2", { hasText: `at step ${steps}` }).waitFor({ timeout: 60_000 });
}

test("what is switched off for writing is on while a run learns, samples and is compared", async () => {
  const found = [];
  for (const off of ["", `&off=${ALL_OFF}`]) {
    const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&tab=train&n=20&end=0&t=0${off}`);
    await page.locator("#train-text").waitFor();
    await train(page, 8);
    const sample = await page.locator(".train-sample .ink-model").innerText();
    const losses = await page.locator(".train-figures").innerText();
    await button(page, "Compare").click();
    await page.locator(".compare").waitFor();
    await page.locator(".train-after .row button:not([disabled])").waitFor({ timeout: 60_000 });
    const sides = await page.locator(".compare .ink-model").allInnerTexts();
    await button(page, "Write with it").click();
    await paper(page).fill("Once upon a time");
    await page.keyboard.press("Control+Enter");
    await page.locator(".paper-layer .ink-model").nth(19).waitFor();
    await page.locator("#tab-write .primary:not(.busy)").waitFor();
    found.push({
      sample,
      sides,
      validation: /Validation loss\s+([\d.]+)/i.exec(losses)?.[1],
      written: await paper(page).inputValue(),
    });
    if (off) await page.locator(".off-notice").waitFor();
    await close();
  }
  const [on, off] = found;
  assert.equal(off.sample, on.sample);
  assert.equal(off.validation, on.validation);
  assert.deepEqual(off.sides, on.sides);
  assert.notEqual(off.written, on.written, "writing itself has them off");
});

test("a model of characters gets a text that it can read, and the one before comes back with undo", async () => {
  const { page, close } = await openPage(
    browser,
    `${site.url}?backend=cpu#lang=en&tab=train&text=${encodeURIComponent("Žluťoučký Quex")}`,
  );
  await page.getByText("From scratch", { exact: true }).click();
  await train(page, 6);
  await button(page, "Write with it").click();
  await page.getByText("characters that this model does not know").waitFor();
  const put = await paper(page).inputValue();
  assert.ok(TEXT.startsWith(put), put);
  await page.locator(".message").getByRole("button", { name: "Undo" }).click();
  assert.equal(await paper(page).inputValue(), "Žluťoučký Quex");
  await button(page, "Models").click();
  assert.match(await page.locator(".saved h3").innerText(), /^tiny, characters · Mira counts the waves at…$/);
  await close();
});
