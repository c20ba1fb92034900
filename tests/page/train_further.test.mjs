// @ts-check
// What is tuned is tuned further in another way: the model that adapters then belong to is kept with them, and goes
// with the last of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { saved, says, start } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** So that the inspector stays closed and asks nothing meanwhile. */
const NARROW = { viewport: { width: 900, height: 800 } };
/** Adapters, or steps, that change next to nothing: the loss goes on where it was. */
const FAINT = { batch_size: 4, context: 32, eval_every: 0, lr: 0.000001 };
const further = (/** @type {Page} */ page) => page.locator(".train-further");
const loss = async (/** @type {Page} */ page) =>
  Number(
    await page
      .locator(".train-figures div", { has: page.locator('dt:text-is("Loss")') })
      .locator("dd")
      .innerText(),
  );
/** The models that are kept for runs. @param {Page} page @returns {Promise<string[]>} */
const kept = (page) =>
  page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const all = await root.getDirectoryHandle("bases").catch(() => null);
    /** @type {string[]} */
    const names = [];
    for await (const name of /** @type {any} */ (all)?.keys() ?? []) names.push(name);
    return names;
  });
/** Waits until so many are kept: what a deleted run needed goes after it. @param {Page} page @param {number} count */
async function keeps(page, count) {
  for (const until = Date.now() + 10_000; (await kept(page)).length !== count; await page.waitForTimeout(50)) {
    assert.ok(Date.now() < until, `${await kept(page)} are kept, not ${count}`);
  }
}
/** @param {Page} page @param {number} steps */
const row = (page, steps) => page.locator(".saved li", { hasText: `of ${steps}` });
/** @param {Page} page @param {number} steps */
async function remove(page, steps) {
  await row(page, steps)
    .getByRole("button", { name: /^Delete/ })
    .click();
  await row(page, steps)
    .getByRole("button", { name: /^Delete/ })
    .click();
  await row(page, steps).waitFor({ state: "detached" });
}

test("adapters for a model from scratch: it is there after a reload, is compared with, and goes when they go", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`, NARROW);
  await ready(page);
  await start(page, "From scratch", { steps: 120, batch_size: 8, context: 32, eval_every: 0, lr: 0.008, warmup: 5 });
  await says(page, 120);
  const learnt = await loss(page);
  assert.ok(learnt < 2, `it has learnt something: ${learnt}`);
  await further(page).waitFor({ state: "hidden" });

  await start(page, "LoRA", { ...FAINT, steps: 3 });
  await says(page, 3);
  const adapted = await loss(page);
  assert.ok(Math.abs(adapted - learnt) < 0.7, `the adapters begin where the model was: ${adapted} after ${learnt}`);
  assert.equal((await kept(page)).length, 1);
  await button(page, "Compare").click();
  await page.locator(".compare .ink-model").nth(1).waitFor({ timeout: 60_000 });
  await page.reload();
  await says(page, 3);
  assert.equal(Object.keys(await saved(page)).length, 2);

  // All weights of it, with its adapters merged.
  await start(page, "Full", { ...FAINT, steps: 4 });
  await says(page, 4);
  assert.ok(Math.abs((await loss(page)) - adapted) < 0.7);
  assert.equal((await kept(page)).length, 2);

  await page.locator("nav").getByRole("button", { name: "Models" }).click();
  await page.locator(".list li", { hasText: "Comes with the page" }).getByRole("button").first().click();
  await page.locator(".list li", { hasText: "Comes with the page" }).locator(".in-use").waitFor();
  // What is in the adapters' folder can be opened when the model that was trained from scratch is gone.
  await remove(page, 120);
  await row(page, 3).getByRole("button", { name: /^Open/ }).click();
  await row(page, 3).locator(".in-use").waitFor();
  await remove(page, 4);
  await keeps(page, 1);
  await page.locator(".list li", { hasText: "Comes with the page" }).getByRole("button").first().click();
  await remove(page, 3);
  await keeps(page, 0);
  await close();
});

test("adapters whose model is gone say so, and nothing else is lost", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`, NARROW);
  await ready(page);
  await start(page, "From scratch", { steps: 5, batch_size: 1, context: 32, eval_every: 0 });
  await says(page, 5);
  await start(page, "LoRA", { ...FAINT, steps: 3 });
  await says(page, 3);
  await page.locator("nav").getByRole("button", { name: "Models" }).click();
  await page.locator(".list li", { hasText: "Comes with the page" }).getByRole("button").first().click();
  await page.locator(".list li", { hasText: "Comes with the page" }).locator(".in-use").waitFor();
  await page.evaluate(async () => (await navigator.storage.getDirectory()).removeEntry("bases", { recursive: true }));
  await row(page, 3).getByRole("button", { name: /^Open/ }).click();
  await page.getByText("The model that these adapters belong to is no longer kept on this device").waitFor();
  await page.locator(".list li", { hasText: "Comes with the page" }).locator(".in-use").waitFor();
  await remove(page, 3);
  await row(page, 5).getByRole("button", { name: /^Open/ }).click();
  await row(page, 5).locator(".in-use").waitFor();
  await close();
});
