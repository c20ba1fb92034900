// @ts-check
// Fine-tuning on the real page: the loss falls, a pause is heard, a reload resumes, the export comes back.
// Measures time.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { button, openPage, paper, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { reaches, setOptions, step } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

const TEXT = `${"The lighthouse keeper Mira counts the waves at night and writes their numbers in a red book. ".repeat(40)}\n`;

/** @param {Page} page @param {string} name */
const figure = (page, name) =>
  page
    .locator(".train-figures div", { has: page.locator(`dt:text-is("${name}")`) })
    .locator("dd")
    .innerText();
/** @param {Page} page @param {Record<string, number>} options */
async function prepare(page, options) {
  await button(page, "Train").first().click();
  await page.locator("#train-text").fill(TEXT);
  await page.locator(".train-left details.train-settings summary").click();
  await setOptions(page, options);
  await page.locator(".train-memory", { hasText: "of memory" }).waitFor();
}
/** @param {Page} page */
const go = (page) => page.locator(".train-go").click();

/** Pauses the run, and returns after how many milliseconds it stood still. @param {Page} page */
const timePause = (page) =>
  page.evaluate(async () => {
    const pause = /** @type {HTMLButtonElement} */ (document.querySelector(".train-actions .secondary"));
    const from = performance.now();
    pause.click();
    while (pause.textContent !== "Resume") await new Promise((resolve) => setTimeout(resolve, 1));
    return performance.now() - from;
  });

describe("on the CPU", () => {
  test("full: the loss falls, pause and reload and resume, the export comes back, base beside tuned", async () => {
    const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&n=30&end=0`);
    await ready(page);
    await prepare(page, { steps: 40, batch_size: 2, context: 64, lr: 0.001, eval_every: 10, warmup: 2 });
    assert.match(
      await page.locator(".train-memory").innerText(),
      /40 steps of 2 × 64 tokens; needs [\d.]+ MB of memory/,
    );
    await go(page);
    await reaches(page, 2);
    const first = Number(await figure(page, "Loss"));

    // Writing goes on beside it.
    await button(page, "Write").first().click();
    await button(page, "Generate").click();
    await page.waitForFunction(() => (document.querySelector("textarea")?.value.length ?? 0) > 40);
    await button(page, "Train").first().click();

    // The pause is heard in the middle of a step.
    const waited = await timePause(page);
    console.log(`pause on the CPU: ${waited.toFixed(0)} ms`);
    assert.ok(waited < 200, `the pause took ${waited} ms`);
    const paused = await step(page);
    assert.ok(paused < 40, "it was paused before its end");
    await page.locator(".train-figures dd", { hasText: `step ${paused}` }).waitFor();
    assert.ok(await page.locator(".chart canvas").isVisible());

    // The address names the run.
    await page.waitForFunction(() => location.hash.includes("model=run"));
    await page.reload();
    await button(page, "Resume").click();
    await reaches(page, paused + 1);
    assert.equal(await page.locator("#train-text").inputValue(), TEXT);
    await reaches(page, 40);
    await page.locator(".train-go").waitFor();
    const last = Number(await figure(page, "Loss"));
    console.log(`loss ${first} at the beginning, ${last} after 40 steps`);
    assert.ok(last < first * 0.6, `the loss went from ${first} to ${last}`);
    assert.ok(Number(await figure(page, "Validation loss")) < first);
    await page.locator(".train-writes .ink-model").first().waitFor();

    await page.locator("#compare-prompt").fill("The lighthouse");
    await button(page, "Compare").click();
    await page.locator(".compare").waitFor();
    await button(page, "Compare").waitFor({ timeout: 60_000 });
    const [base, tuned] = await page.locator(".compare .ink-model").allInnerTexts();
    assert.ok(base.length > 20 && tuned.length > 20 && base !== tuned, `${base} | ${tuned}`);
    assert.match(tuned, /keeper|Mira|waves|night|book/);
    assert.doesNotMatch(base, /Mira/);

    await button(page, "Write with it").click();
    const write = async () => {
      await paper(page).fill("The lighthouse keeper");
      await page.locator(".primary:visible:not([disabled])").click();
      await page.locator(".paper-layer .ink-model").nth(25).waitFor();
      await page.locator("#tab-write .primary:not(.busy)").waitFor();
      return paper(page).inputValue();
    };
    const written = await write();
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
    assert.equal(await write(), written, "the export writes as the tuned model did");

    // Rename and delete.
    await button(page, "Models").click();
    await button(page, /^Rename/).click();
    await page.getByLabel("Name of the run").fill("Mira's book");
    await page.keyboard.press("Enter");
    await page.locator(".saved h3", { hasText: "Mira's book" }).waitFor();
    await button(page, /^Delete/).click();
    await button(page, /^Delete/).click();
    await page.locator(".saved li").waitFor({ state: "detached" });
    await close();
  });

  test("LoRA: the adapter downloads, comes back onto the base model, and its strength has an effect", async () => {
    const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&n=30&end=0&t=0`);
    await ready(page);
    await button(page, "Train").first().click();
    await page.getByText("LoRA", { exact: true }).click();
    await prepare(page, { steps: 30, batch_size: 2, context: 64, lr: 0.005, eval_every: 0, warmup: 0, lora_rank: 4 });
    await go(page);
    await reaches(page, 1);
    const first = Number(await figure(page, "Loss"));
    await reaches(page, 30);
    await page.locator(".train-go").waitFor();
    assert.ok(Number(await figure(page, "Loss")) < first * 0.8);
    const write = async () => {
      await button(page, "Write").first().click();
      await paper(page).fill("The lighthouse keeper");
      await page.keyboard.press("Control+Enter");
      await page.locator(".paper-layer .ink-model").nth(25).waitFor();
      await page.locator("#tab-write .primary:not(.busy)").waitFor();
      return paper(page).inputValue();
    };
    const tuned = await write();
    await button(page, "Train").first().click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      button(page, "Download adapter (zip)").click(),
    ]);
    const zip = join(mkdtempSync(join(tmpdir(), "gpt-page-")), "adapter.zip");
    await download.saveAs(zip);
    await page.locator("#strength").fill("0");
    const base = await write();
    assert.notEqual(base, tuned);

    // On the base model alone.
    await button(page, "Models").click();
    await page.locator(".list li", { hasText: "Comes with the page" }).getByRole("button").first().click();
    await page.locator(".list li", { hasText: "Comes with the page" }).locator(".in-use").waitFor();
    assert.equal(await write(), base, "strength 0 is the base model");
    await button(page, "Models").click();
    await page.locator("#pick").setInputFiles(zip);
    await page.getByText("The adapter was added").waitFor();
    assert.equal(await write(), tuned, "the adapter that came back writes as the one that was trained");
    await close();
  });

  test("from scratch, a second tab only reads, and a run that is too large is refused", async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US" });
    const page = await context.newPage();
    /** @type {string[]} */
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`${site.url}?backend=cpu#lang=en&tab=train`);
    await page.getByText("From scratch", { exact: true }).click();
    await page.getByRole("button", { name: "唐诗 (Chinese)" }).click();
    await page.locator(".train-memory", { hasText: "1,000 steps" }).waitFor();
    await go(page);
    await reaches(page, 5);
    await page.locator(".train-actions .secondary").click();
    await button(page, "Resume").waitFor();
    await page.locator(".train-figures dd", { hasText: /step \d/ }).waitFor();

    const second = await context.newPage();
    await second.goto(`${site.url}?backend=cpu#lang=en&tab=train`);
    await second.getByText("is being trained in another tab").waitFor();
    await button(second, "Models").first().click();
    await second.locator(".saved").getByRole("button", { name: /^Open/ }).click();
    await second.getByText("open in another tab").waitFor();
    await button(second, "Train").first().click();
    assert.ok(await second.locator(".train-actions .secondary").isDisabled());
    await second.close();

    await page.locator(".train-actions").getByRole("button", { name: "Stop" }).click();
    await page.locator("#train-preset").selectOption("10m");
    await page.locator(".train-left details.train-settings summary").click();
    await page.locator("#train-batch_size").fill("512");
    await page.locator("#train-batch_size").press("Tab");
    await page.locator(".train-memory.bad", { hasText: "smaller batch" }).waitFor();
    assert.ok(await page.locator(".train-go").isDisabled());
    assert.deepEqual(problems, []);
    await context.close();
  });
});

test("what is wrong is told beside its field and beside Train, which keeps its place and its focus", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await ready(page);
  await prepare(page, { steps: 90_000, batch_size: 1, context: 32, eval_every: 5 });
  await setOptions(page, { batch_size: 0 });
  await page.locator(".train-memory.bad", { hasText: "Batch size is 0; choose a number from 1 to 4096" }).waitFor();
  const field = page.locator("#train-batch_size");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  assert.match(await page.locator("#train-batch_size-wrong").innerText(), /^Batch size is 0/);
  assert.notEqual(await page.locator("#train-lr").getAttribute("placeholder"), "");
  assert.ok(await page.locator(".train-go").isDisabled());

  // At once: what the engine answers is within sight, and the field is marked after.
  await setOptions(page, { batch_size: 1 });
  await page.locator(".train-memory:not(.bad)", { hasText: "90,000 steps of 1 × 32" }).waitFor();
  await setOptions(page, { lr: -3 });
  await go(page);
  const alert = page.locator(".train-said [role=alert]", { hasText: "Learning rate is -3" });
  await alert.waitFor();
  await page.waitForFunction(() => {
    const { top, bottom } = /** @type {Element} */ (document.querySelector(".train-said")).getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  await page.locator("#train-lr[aria-invalid]").waitFor();
  await setOptions(page, { lr: 0.001 });
  await page.locator(".train-memory:not(.bad)", { hasText: "90,000 steps" }).waitFor();

  const place = () =>
    page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector(".train-actions")).offsetTop);
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  const before = await place();
  await page.locator(".train-go").focus();
  await page.keyboard.press("Enter");
  await reaches(page, 6);
  assert.ok(await alert.isHidden());
  assert.equal(await place(), before);
  assert.equal(await focused(), "Pause");
  await page.keyboard.press("Enter");
  await button(page, "Resume").waitFor();
  assert.equal(await focused(), "Resume");
  const chart = page.locator(".chart");
  assert.match((await chart.getAttribute("aria-label")) ?? "", /at step [\d,]+ of 90,000: training \d/);
  await chart.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.locator(".train-curve [role=status]", { hasText: /^Step 1: training \d/ }).waitFor({ state: "attached" });
  await page.locator(".train-actions").getByRole("button", { name: "Stop" }).focus();
  await page.keyboard.press("Enter");
  await page.locator(".train-go").waitFor();
  assert.equal(await focused(), "Train");
  await close();
});

test("a few steps on WebGPU", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=webgpu#lang=en`);
  await ready(page);
  await prepare(page, { steps: 6, batch_size: 1, context: 32, lr: 0.002, eval_every: 0, warmup: 0 });
  await go(page);
  await reaches(page, 1);
  const first = Number(await figure(page, "Loss"));
  await reaches(page, 6);
  await page.locator(".train-go").waitFor({ timeout: 60_000 });
  assert.ok(Number(await figure(page, "Loss")) < first);

  // Steps long enough that the pause is heard in the middle of one.
  await setOptions(page, { steps: 500, batch_size: 2, context: 64 });
  await page.locator(".train-memory", { hasText: "500 steps of 2 × 64" }).waitFor();
  await go(page);
  await page.locator(".train-figures dd", { hasText: "/ 500" }).waitFor();
  await reaches(page, 1);
  const waited = await timePause(page);
  console.log(`pause on WebGPU: ${waited.toFixed(0)} ms`);
  assert.ok(waited < 200, `the pause took ${waited} ms`);
  await close();
});
