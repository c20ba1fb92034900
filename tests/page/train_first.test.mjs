// @ts-check
// Training as a newcomer meets it: a run that would only do harm stops by itself, one that ends says so, and what the
// model wrote on its way can be read again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { reaches, says, setOptions, start, step } from "./training.mjs";

test("a run whose validation loss only rises stops by itself and says so; Resume goes on all the same", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&tab=train`);
  await button(page, "Alice (6 kB)").click();
  await page.locator(".train-left details.train-settings").evaluate((details) => details.setAttribute("open", ""));
  // Steps so wide that they lead away from everything the model knows.
  await setOptions(page, { steps: 90_000, batch_size: 1, context: 32, eval_every: 1, lr: 0.05, warmup: 0 });
  await page.locator(".train-memory", { hasText: "90,000 steps" }).waitFor();
  await page.locator(".train-go:not([disabled])").click();
  await page.locator(".train-finished", { hasText: "Stopped by itself at step" }).waitFor({ timeout: 120_000 });
  const stopped = await step(page);
  await button(page, "Resume").waitFor();
  assert.equal(await page.getByRole("button", { name: /Use the best weights \(step 0,/ }).count(), 0);
  assert.ok(await page.locator(".train-best").isHidden(), "the base model's weights are no result");
  await button(page, "Resume").click();
  await reaches(page, stopped + 8);
  await page.locator(".train-finished").waitFor({ state: "hidden" });
  await button(page, "Pause").click();
  await button(page, "Resume").waitFor();
  await close();
});

test("a run that has ended says so, and its texts stand on a timeline, also after a reload", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await ready(page);
  await start(page, "From scratch", { steps: 60, eval_every: 20, batch_size: 2, context: 32 });
  await says(page, 60);
  await page.getByText(/^Finished: 60 steps in \d+:\d\d\. The loss went from [\d.]+ to [\d.]+\.$/).waitFor();
  const steps = page.locator(".train-timeline button");
  await steps.nth(1).waitFor();
  const title = page.locator(".train-sample h2");
  await page.locator(".train-sample h2", { hasText: "at step 60" }).waitFor();
  const last = await page.locator(".train-sample .train-writes").innerText();
  const first = await steps.first().innerText();
  await steps.first().click();
  await page.locator(".train-sample h2", { hasText: `at step ${first}` }).waitFor();
  assert.notEqual(await page.locator(".train-sample .train-writes").innerText(), last);
  assert.deepEqual(await violations(page, ".train-right"), []);
  const all = await steps.allInnerTexts();
  await page.reload();
  await button(page, "Models").first().click();
  await page
    .locator(".saved li")
    .getByRole("button", { name: /^Open/ })
    .or(page.locator(".saved .in-use"))
    .first()
    .waitFor();
  // Its words are there though the Train tab was not opened yet.
  const saved = await page.locator(".saved").innerText();
  for (const words of ["Saved on this device", "step 60 of 60", "Rename"]) assert.ok(saved.includes(words), saved);
  await button(page, "Train").first().click();
  await steps.nth(1).waitFor();
  assert.deepEqual(await steps.allInnerTexts(), all);
  assert.match(await title.innerText(), /at step 60$/);
  await close();
});
