// @ts-check
// The Train tab as tests use it, in any language.
import assert from "node:assert/strict";
import { button } from "./browser.mjs";

/** @typedef {import("playwright-core").Page} Page */

export const TEXT = `${"The lighthouse keeper Mira counts the waves at night and writes their numbers in a red book. ".repeat(40)}\n`;

/** The run's step, 0 before the first. @param {Page} page */
export const step = async (page) =>
  Number(/^[\d,]+/.exec(await page.locator(".train-figures dd").first().innerText())?.[0].replaceAll(",", "") ?? 0);

/** One of the run's figures, by its name. @param {Page} page @param {string} name */
export const figure = (page, name) =>
  page
    .locator(".train-figures div", { has: page.locator(`dt:text-is("${name}")`) })
    .locator("dd")
    .innerText();

/** Waits until the run is so far. @param {Page} page @param {number} least */
export async function reaches(page, least) {
  for (const until = Date.now() + 120_000; (await step(page)) < least; await page.waitForTimeout(20)) {
    assert.ok(Date.now() < until, `step ${await step(page)} after two minutes, not ${least}`);
  }
}

/**
 * Fills the settings, which must be unfolded.
 * @param {Page} page
 * @param {Record<string, number>} options by the command line's names
 */
export async function setOptions(page, options) {
  for (const [name, value] of Object.entries(options)) {
    await page.locator(`#train-${name}`).fill(String(value));
    await page.locator(`#train-${name}`).press("Tab");
  }
}

/**
 * Starts a run on the Train tab.
 * @param {Page} page
 * @param {"Full" | "LoRA" | "From scratch"} mode
 * @param {Record<string, number>} options
 */
export async function start(page, mode, options) {
  await button(page, "Train").first().click();
  await page.getByText(mode, { exact: true }).first().click();
  await page.locator("#train-text").fill(TEXT);
  await page.locator(".train-left details.train-settings").evaluate((details) => details.setAttribute("open", ""));
  await setOptions(page, options);
  await page.locator(".train-memory", { hasText: `${options.steps.toLocaleString("en")} step` }).waitFor();
  await page.locator(".train-go:not([disabled])").click();
}
/**
 * Waits until the page says that a step is saved.
 * @param {Page} page
 * @param {number} steps
 * @param {number} [timeout]
 */
export const says = (page, steps, timeout = 60_000) =>
  page
    .locator(".train-figures dd", { hasText: new RegExp(`^step ${steps.toLocaleString("en")}$`) })
    .waitFor({ timeout });
/** Pauses the run, and returns the step that is then said to be saved. @param {Page} page @param {number} [timeout] */
export async function pause(page, timeout) {
  await page.locator(".train-actions .secondary").click();
  await button(page, "Resume").waitFor({ timeout });
  const paused = await step(page);
  await says(page, paused, timeout);
  return paused;
}
/**
 * What is saved: each run's steps, and how far it is.
 * @param {Page} page
 * @returns {Promise<Record<string, { id: string, step: number }>>}
 */
export const saved = (page) =>
  page.evaluate(async () => {
    const address = new URL("www/models/storage.js", location.href).href;
    const { listRuns } = await import(address);
    return Object.fromEntries(
      (await listRuns()).map((/** @type {any} */ { meta }) => [meta.steps, { id: meta.id, step: meta.step }]),
    );
  });
/** The runs that a worker holds for itself. @param {Page} page */
export const held = (page) =>
  page.evaluate(
    async () =>
      (await navigator.locks.query()).held?.map(({ name }) => String(name)).filter((name) => name.startsWith("run:")) ??
      [],
  );
