// @ts-check
// An engine that is lost without a word: its worker ends, or its device is destroyed. The page notices, says so, and
// starts it again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, openPage, paper, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { pause, reaches, says, start, step } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** So that the inspector stays closed and asks nothing meanwhile. */
const NARROW = { viewport: { width: 900, height: 800 } };

/** @param {string} address */
async function open(address) {
  const context = await openPage(browser, "about:blank", NARROW);
  const { page } = context;
  // The page's workers, the newest last.
  await page.addInitScript(() => {
    const Plain = globalThis.Worker;
    /** @type {Worker[]} */
    const made = [];
    Object.assign(globalThis, { made });
    globalThis.Worker = class extends Plain {
      /** @param {string | URL} url @param {WorkerOptions} [options] */
      constructor(url, options) {
        super(url, options);
        made.push(this);
      }
    };
  });
  await page.goto(`${site.url}${address}`);
  return context;
}
/** Ends the page's newest worker, as a browser does that is short of memory. @param {Page} page */
const endWorker = (page) => page.evaluate(() => /** @type {any} */ (globalThis).made.at(-1).terminate());
/** What is said above the tabs. @param {Page} page */
const notice = (page) => page.locator("#notices").getByRole("alert");

test("a worker that ends while it writes is replaced, and the text goes on", async () => {
  const { page, close } = await open("?backend=cpu#lang=en&n=2000&end=0");
  await ready(page);
  await paper(page).press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await endWorker(page);
  await notice(page)
    .filter({ hasText: "The engine stopped and was started again." })
    .filter({ hasText: "The browser ended the engine without a word" })
    .waitFor();
  await ready(page);
  const before = await paper(page).inputValue();
  assert.match(before, /^Once upon a time./);
  await paper(page).press("Control+Enter");
  await page.waitForFunction(
    (length) => /** @type {HTMLTextAreaElement} */ (document.querySelector(".paper-area")).value.length > length,
    before.length,
  );
  assert.equal(await notice(page).count(), 0);
  await page.keyboard.press("Escape");
  await close();
});

test("a run whose worker ends goes back to its last save, which is said on every tab and can be gone on from there", async () => {
  const { page, close } = await open("?backend=cpu#lang=en");
  await ready(page);
  await start(page, "From scratch", { steps: 90_000, batch_size: 1, context: 16, eval_every: 0 });
  await page.locator(".train-figures dd", { hasText: /^step \d/ }).waitFor();
  await reaches(page, (await step(page)) + 2);
  await button(page, "Write").first().click();
  await endWorker(page);
  const message = notice(page).filter({ hasText: "Training had come to step" });
  await message.waitFor();
  const [, was, saved] = /come to step (\d+) and goes back to step (\d+)/.exec(await message.innerText()) ?? [];
  assert.ok(Number(saved) > 0 && Number(saved) <= Number(was), `from ${was} to ${saved}`);
  await button(page, "Train").first().click();
  await message.getByRole("button", { name: "Resume" }).click();
  await reaches(page, Number(saved) + 3);
  await says(page, await pause(page));
  await close();
});

test("a device that is destroyed is lost: what was asked of it ends, and the engine starts again", async () => {
  const context = await openPage(browser, "about:blank", NARROW);
  const { page, close } = context;
  // The worker's devices can be reached from outside.
  await page.route("**/www/worker.js", async (route) => {
    const response = await route.fetch();
    const hook = `
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (...all) {
        return (self.device = await requestDevice.apply(this, all));
      };`;
    await route.fulfill({ response, body: `${await response.text()}${hook}` });
  });
  await page.goto(`${site.url}?backend=webgpu#lang=en&n=2000&end=0`);
  await ready(page);
  const destroy = () => page.workers()[0].evaluate(() => /** @type {any} */ (globalThis).device.destroy());
  const slow = { timeout: 120_000 };
  // While nothing is asked of it.
  await destroy();
  await paper(page).press("Control+Enter");
  await notice(page)
    .filter({ hasText: "The engine stopped and was started again." })
    .filter({ hasText: "the GPU device was lost" })
    .waitFor(slow);
  await ready(page);
  // While it writes; in a page opened anew, for which it is the first time.
  await page.reload();
  await ready(page);
  await paper(page).press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor(slow);
  await destroy();
  await notice(page)
    .filter({ hasText: "The engine stopped and was started again." })
    .filter({ hasText: "the GPU failed" })
    .waitFor(slow);
  await ready(page);
  const before = await paper(page).inputValue();
  await paper(page).press("Control+Enter");
  await page.waitForFunction(
    (length) => /** @type {HTMLTextAreaElement} */ (document.querySelector(".paper-area")).value.length > length,
    before.length,
    slow,
  );
  await page.keyboard.press("Escape");
  await page.locator(".primary:not(.busy)").waitFor(slow);
  await close();
});
