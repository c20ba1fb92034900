// @ts-check
// A soak of the real page in Chromium: it writes, trains, and opens and closes models for a long time, and prints what
// the page and its workers held meanwhile. `cargo xtask prove --only soak` judges whether that stays flat.
//
//   node scripts/prove_page_soak.mjs cpu|webgpu [tokens|steps|models …]
//
// Each part has a page of its own and prints one JSON object on one line: { "part": what was done, "series":
// [{ "name", "unit", "room", "values" }] }. What a user keeps is the same at every sample: each text is taken back by
// undo and written again alike.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteTokenizer, randomWeights } from "../benches/random_model.mjs";
import { button, launch, openPage, paper } from "../tests/page/browser.mjs";
import { serve } from "../tests/page/server.mjs";
import { pause, reaches, start, step } from "../tests/page/training.mjs";
import { Watch } from "./page_watch.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** No single wait takes this long, on a software GPU either, unless the page hangs. */
const SLOW_MS = 600_000;
const PROMPT = "Once upon a time";
const [backend, ...chosen] = process.argv.slice(2);
if (backend !== "cpu" && backend !== "webgpu") {
  throw new Error("name the backend: node scripts/prove_page_soak.mjs cpu|webgpu");
}
/** A software GPU takes about twenty times as long; of each part there must be eight samples at least. */
const much =
  backend === "cpu"
    ? { texts: 40, tokens: 500, steps: 2000, saveEvery: 50, models: 100 }
    : { texts: 10, tokens: 100, steps: 100, saveEvery: 5, models: 20 };

/** Waits until the model can write. @param {Page} page */
const ready = (page) => page.locator("#tab-write .primary:not(.busy):not([disabled])").waitFor({ timeout: SLOW_MS });

/** Writes on from the end of the text, as many tokens as the address says. @param {Page} page */
async function write(page) {
  // Not by what is on the paper: tokens that complete no character show nothing.
  const written = page.evaluate(
    () =>
      new Promise((resolve) => {
        const go = /** @type {Element} */ (document.querySelector("#tab-write .primary"));
        let begun = false;
        const watch = new MutationObserver(() => {
          const busy = go.classList.contains("busy");
          begun ||= busy;
          if (!begun || busy) return;
          watch.disconnect();
          resolve(true);
        });
        watch.observe(go, { attributes: true });
      }),
  );
  await paper(page).focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Enter");
  await written;
  await ready(page);
  if ((await paper(page).inputValue()) === PROMPT) throw new Error("nothing was written");
}

/** Takes back what was written. @param {Page} page */
async function undo(page) {
  await paper(page).focus();
  await page.keyboard.press("Control+z");
  const taken = (/** @type {string} */ text) => document.querySelector("textarea")?.value === text;
  await page.waitForFunction(taken, PROMPT, { timeout: SLOW_MS });
}

/** One text after another. @param {Page} page @param {Watch} watch */
async function tokens(page, watch) {
  for (let text = 0; text < much.texts; text += 1) {
    await write(page);
    await undo(page);
    await watch.sample();
  }
  return `${much.texts * much.tokens} tokens`;
}

/** A run with many pauses, at each of which it is saved. @param {Page} page @param {Watch} watch */
async function steps(page, watch) {
  await start(page, "From scratch", { steps: much.steps, batch_size: 4, context: 64, eval_every: 25, warmup: 0 });
  let done = 0;
  // Not to its very end: there a run would be over before the pause is pressed.
  while (done + much.saveEvery <= 0.8 * much.steps) {
    await reaches(page, done + much.saveEvery);
    done = await pause(page, SLOW_MS);
    await watch.sample();
    await button(page, "Resume").click();
  }
  await page.locator(".train-go:not([disabled])").waitFor({ timeout: SLOW_MS });
  done = await step(page);
  if (done !== much.steps) throw new Error(`the run ended at step ${done}, not ${much.steps}`);
  await watch.sample();
  return `${much.steps} steps`;
}

/** The shipped model and a tiny one from disk in turn; each writes. @param {Page} page @param {Watch} watch */
async function models(page, watch) {
  const folder = mkdtempSync(join(tmpdir(), "soak-"));
  try {
    const shape = { n_layer: 2, n_embd: 32, n_head: 4, vocab_size: 256, n_ctx: 64, n_positions: 64 };
    const config = { model_type: "gpt2", ...shape };
    const weights = randomWeights(config);
    const files = {
      "config.json": JSON.stringify(config),
      "tokenizer.json": byteTokenizer(),
      "tiny.safetensors": weights,
    };
    const paths = Object.entries(files).map(([name, content]) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    });
    for (let model = 0; model < much.models; model += 1) {
      await button(page, "Models").first().click();
      if (model % 2 === 0) await page.locator("#pick").setInputFiles(paths);
      else await page.locator(".list li", { hasText: "Comes with the page" }).getByRole("button").first().click();
      const name = model % 2 === 0 ? "tiny.safetensors" : "Storyteller";
      await page.locator(".model-name", { hasText: name }).waitFor({ timeout: SLOW_MS });
      await button(page, "Write").first().click();
      await ready(page);
      await write(page);
      await undo(page);
      // Of two different models every second sample is of the same one.
      if (model % 2 === 1) await watch.sample();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return `${much.models} models`;
}

const parts = { tokens, steps, models };
const [browser, site] = await Promise.all([launch(), serve()]);
try {
  for (const [name, run] of Object.entries(parts)) {
    if (chosen.length && !chosen.includes(name)) continue;
    const count = name === "models" ? 20 : much.tokens;
    const address = `${site.url}?backend=${backend}#lang=en&end=0&seed=7&n=${count}&text=${encodeURIComponent(PROMPT)}`;
    const { page, close } = await openPage(browser, address);
    page.setDefaultTimeout(SLOW_MS);
    await ready(page);
    const watch = await Watch.open(browser, page, backend);
    const part = await run(page, watch);
    console.log(JSON.stringify({ part, series: watch.series() }));
    await close();
  }
} finally {
  await browser.close();
  await site.stop();
}
