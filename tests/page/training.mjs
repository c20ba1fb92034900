// @ts-check
// The Train tab as tests use it, in any language.
import assert from "node:assert/strict";

/** @typedef {import("playwright-core").Page} Page */

/** The run's step, 0 before the first. @param {Page} page */
export const step = async (page) =>
  Number(/^[\d,]+/.exec(await page.locator(".train-figures dd").first().innerText())?.[0].replaceAll(",", "") ?? 0);

/** Waits until the run is so far. @param {Page} page @param {number} least */
export async function reaches(page, least) {
  for (const until = Date.now() + 120_000; (await step(page)) < least; await page.waitForTimeout(20)) {
    assert.ok(Date.now() < until, `step ${await step(page)} after two minutes, not ${least}`);
  }
}

/** Fills the settings, which must be unfolded. @param {Page} page @param {Record<string, number>} options by the command line's names */
export async function setOptions(page, options) {
  for (const [name, value] of Object.entries(options)) {
    await page.locator(`#train-${name}`).fill(String(value));
    await page.locator(`#train-${name}`).press("Tab");
  }
}
