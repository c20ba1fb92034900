// @ts-check
// Fine-tunes in the real page, on the CPU backend, and downloads what comes of it:
//   model.zip     a model of GPT-2's size, tuned as a whole, saved, and resumed after a reload
//   adapter.zip   a LoRA adapter on the shipped model
//
//   node scripts/prove_page_exports.mjs GPT2_FOLDER OUT_FOLDER
import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { button, chromiumPath, FLAGS } from "../tests/page/browser.mjs";
import { serve } from "../tests/page/server.mjs";
import { figure, pause, reaches, start } from "../tests/page/training.mjs";

/** Reading and writing 2 GB. */
const SLOW_MS = 300_000;
const OPTIONS = { batch_size: 1, context: 32, eval_every: 3, dropout: 0, lr: 0.0005, warmup: 0, seed: 3 };

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page @param {string} name of the button @param {string} path */
async function download(page, name, path) {
  const coming = page.waitForEvent("download", { timeout: SLOW_MS });
  await button(page, name).click();
  await (await coming).saveAs(path);
}

const [gpt2, out] = process.argv.slice(2);
if (!out) throw new Error("name the folders: node scripts/prove_page_exports.mjs GPT2_FOLDER OUT_FOLDER");
const site = await serve();
// With a profile on disk: of a private window the saves would be in memory, and have less room than they need.
const context = await chromium.launchPersistentContext(join(out, "profile"), {
  executablePath: chromiumPath(),
  args: FLAGS,
  viewport: { width: 1280, height: 800 },
  locale: "en-US",
});
try {
  const page = await context.newPage();
  await page.goto(`${site.url}?backend=cpu#lang=en&tab=models`);
  await page.locator(".model-name", { hasText: "Storyteller" }).waitFor({ timeout: SLOW_MS });
  await page
    .locator("#pick")
    .setInputFiles(["config.json", "tokenizer.json", "model.safetensors"].map((name) => join(gpt2, name)));
  await page.locator(".model-name", { hasText: "Model from your disk" }).waitFor({ timeout: SLOW_MS });
  const begun = performance.now();
  await start(page, "Full", { steps: 40, ...OPTIONS });
  await reaches(page, 4);
  const first = Number(await figure(page, "Validation loss"));
  const paused = await pause(page, SLOW_MS);
  await page.reload();
  await button(page, "Resume").click({ timeout: SLOW_MS });
  await reaches(page, paused + 3);
  await pause(page, SLOW_MS);
  const last = Number(await figure(page, "Validation loss"));
  assert.ok(last < first, `the validation loss went from ${first} to ${last}`);
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  const memory = await figure(page, "Memory");
  await download(page, "Download model", join(out, "model.zip"));
  await page.close();

  const other = await context.newPage();
  await other.goto(`${site.url}?backend=cpu#lang=en&model=storyteller`);
  await start(other, "LoRA", { steps: 12, ...OPTIONS, lr: 0.02 });
  await reaches(other, 12);
  await other.locator(".train-go").waitFor();
  await download(other, "Download adapter", join(out, "adapter.zip"));
  console.log(
    `a model of GPT-2's size tuned as a whole in ${memory}, saved and resumed after a reload, ` +
      `validation loss ${first} to ${last}, in ${seconds} s`,
  );
} finally {
  await context.close();
  await site.stop();
}
