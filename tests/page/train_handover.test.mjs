// @ts-check
// What must not end a run without a word: a reload, another backend or model, an adapter, a loss that is no number,
// another tab.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { held, pause, reaches, saved, says, start, step } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** So that the inspector stays closed and asks nothing meanwhile. */
const NARROW = { viewport: { width: 900, height: 800 } };
const LONG = { steps: 90_000, batch_size: 1, context: 32, eval_every: 0 };
const open = (/** @type {string} */ rest = "") => openPage(browser, `${site.url}?backend=cpu#lang=en${rest}`, NARROW);
const resume = (/** @type {Page} */ page) => page.locator(".train-actions .secondary:text-is('Resume')");
/** @param {Page} page @param {"Write" | "Train" | "Models"} tab */
const go = (page, tab) => page.locator("nav").getByRole("button", { name: tab }).click();
/** @param {Page} page @param {string} name */
const figure = (page, name) =>
  page
    .locator(".train-figures div", { has: page.locator(`dt:text-is("${name}")`) })
    .locator("dd")
    .innerText();
const shipped = (/** @type {Page} */ page) => page.locator(".list li", { hasText: "Comes with the page" });

test("a run is soon saved, a reload asks first, and what was chosen is there after it", async () => {
  const { page, close } = await open();
  await ready(page);
  /** @type {string[]} */
  const asked = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await start(page, "From scratch", { ...LONG, seed: 77 });
  await page.locator(".tab-run", { hasText: /\d/ }).waitFor();
  await page.locator(".status-training", { hasText: /^training, step [\d,]+ of 90,000$/ }).waitFor();
  await page.locator(".train-figures dd", { hasText: /^step \d/ }).waitFor({ timeout: 9000 });
  const before = (await saved(page))[90_000].step;
  await page.reload();
  assert.deepEqual(asked, ["beforeunload"]);
  await resume(page).waitFor();
  assert.ok((await step(page)) >= before);
  await page.locator(".train-actions").getByRole("button", { name: "Stop" }).click();

  await page.locator("#train-preset").selectOption("small");
  await page.locator(".train-left details.train-settings").evaluate((details) => details.setAttribute("open", ""));
  await page.locator("#train-steps").fill("123");
  await page.locator("#train-steps").press("Tab");
  await page.goto("about:blank");
  await page.goto(`${site.url}?backend=cpu#lang=en&tab=train`);
  assert.equal(await page.locator("#train-steps").inputValue(), "123");
  assert.equal(await page.locator("#train-seed").inputValue(), "77");
  assert.equal(await page.locator("#train-preset").inputValue(), "small");
  assert.ok(await page.locator("#mode-scratch").isChecked());

  const unfold = () =>
    page.locator(".train-left details.train-settings").evaluate((details) => details.setAttribute("open", ""));
  await page.getByText("LoRA", { exact: true }).first().click();
  await unfold();
  await page.getByLabel("c_fc").uncheck();
  await page.reload();
  await unfold();
  assert.ok(!(await page.getByLabel("c_fc").isChecked()), "a layer that was left out");
  assert.ok(await page.getByLabel("c_attn").isChecked());
  await close();
});

test("another backend, and another model, pause a run and save it, and say so", async () => {
  const { page, close } = await open();
  await ready(page);
  await start(page, "Full", LONG);
  await reaches(page, 1);
  await go(page, "Models");
  // Without a GPU it is the CPU again.
  await page.locator("#backend-button").click();
  await page.locator("#backend").selectOption("auto");
  await page.getByText(/^The run is paused at step [\d,]+, and saved\.$/).waitFor();
  await button(page, "Resume").click();
  await go(page, "Train");
  await reaches(page, (await step(page)) + 2);
  await go(page, "Models");
  await shipped(page).getByRole("button").first().click();
  await page.getByText(/“Storyteller · The lighthouse.*” is paused at step [\d,]+ of 90000, and saved\./).waitFor();
  await go(page, "Train");
  await page.locator(".train-empty").waitFor();
  assert.deepEqual(await held(page), []);
  await button(page, /^Resume the run from step/).click();
  await reaches(page, (await saved(page))[90_000].step + 1);
  await close();
});

test("an adapter is not added under a run that goes on, and lets a paused one be resumed", async () => {
  const { page, close } = await open();
  await ready(page);
  await start(page, "LoRA", { ...LONG, steps: 2 });
  await says(page, 2);
  await page
    .locator(".train-further", { hasText: "This trains the tuned model further. Start from Storyteller instead" })
    .waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download adapter (zip)").click()]);
  assert.match(download.suggestedFilename(), /^Storyteller-The-lighthouse-keeper.*-adapter\.zip$/);
  const zip = join(mkdtempSync(join(tmpdir(), "gpt-page-")), basename(download.suggestedFilename()));
  await download.saveAs(zip);
  await page.locator("#train-steps").fill("90000");
  await page.locator("#train-steps").press("Tab");
  await page.locator(".train-memory", { hasText: "90,000 steps" }).waitFor();
  await button(page, "Start from Storyteller instead").click();
  await reaches(page, 1);
  await page.locator("#pick").setInputFiles(zip);
  await page.getByText("A run is going on. Stop it first, then add the adapter.").waitFor();
  await reaches(page, (await step(page)) + 2);
  const paused = await pause(page);
  await page.locator("#pick").setInputFiles(zip);
  await page.getByText("The adapter was added").waitFor();
  await page.locator(".train-empty").waitFor();
  await button(page, `Resume the run from step ${paused}`).click();
  await reaches(page, paused + 1);
  await pause(page);
  await go(page, "Models");
  const names = await page.locator(".saved h3").allInnerTexts();
  assert.equal(new Set(names).size, 2, `two names: ${names}`);
  await page
    .locator(".saved li", { has: page.locator(".in-use") })
    .getByRole("button", { name: /^Rename/ })
    .click();
  await page.getByLabel("Name of the run").fill("Mira");
  await page.keyboard.press("Enter");
  await page.locator(".model-name", { hasText: "Mira" }).waitFor();
  await close();
});

test("a run whose loss is no longer a number is saved with its last good weights, and stopping is not the end", async () => {
  const { page, close } = await open();
  await ready(page);
  await start(page, "Full", { ...LONG, steps: 200, lr: 1, warmup: 0, grad_clip: 0, weight_decay: 10 });
  await page.getByText(/the loss is no longer a number/).waitFor();
  const last = await step(page);
  await says(page, last);
  assert.equal(await figure(page, "Remaining"), "–");
  assert.equal((await saved(page))[200].step, last);
  await start(page, "From scratch", { ...LONG, steps: 80_000, lr: 0.001, grad_clip: 1, weight_decay: 0 });
  await reaches(page, 3);
  await page.locator(".train-actions").getByRole("button", { name: "Stop" }).click();
  await page.locator(".train-go").waitFor();
  const stopped = await step(page);
  await says(page, stopped);
  assert.equal(await figure(page, "Remaining"), "–");
  await page.locator("#train-text").fill("Another text.");
  await resume(page).click();
  await reaches(page, stopped + 2);
  assert.match(await page.locator("#train-text").inputValue(), /^The lighthouse/);
  await close();
});

test("a run that another tab trains is not offered until that tab lets go, and can then be had", async () => {
  const { page, close } = await open();
  await ready(page);
  await start(page, "From scratch", LONG);
  await page.locator(".train-figures dd", { hasText: /^step \d/ }).waitFor();
  const { id } = (await saved(page))[90_000];
  const [offered, reader] = [await page.context().newPage(), await page.context().newPage()];
  await offered.goto(`${site.url}?backend=cpu#lang=en&tab=train`);
  await offered.getByText(/is being trained in another tab/).waitFor();
  assert.equal(await button(offered, /^Resume the run/).count(), 0);
  await reader.goto(`${site.url}?backend=cpu#lang=en&tab=train&model=run:${id}`);
  await reader.getByText("open in another tab").waitFor();
  assert.ok(await resume(reader).isDisabled());
  await page.close();
  await button(offered, /^Resume the run/).waitFor();
  await button(reader, "Use it here").click();
  await resume(reader).click();
  await reaches(reader, (await saved(reader))[90_000].step + 1);
  await close();
});
