// @ts-check
// Trains nanoGPT's CPU recipe in the real page, on the CPU backend, and prints the validation loss at its end.
//
//   node scripts/prove_page_training.mjs tinyshakespeare.txt
import { readFileSync } from "node:fs";
import { launch, openPage } from "../tests/page/browser.mjs";
import { serve } from "../tests/page/server.mjs";
import { figure } from "../tests/page/training.mjs";

/** The highest validation loss that the recipe may end with. */
const LIMIT = 1.9;
const LIMIT_MS = 30 * 60_000;

const [file] = process.argv.slice(2);
if (!file) throw new Error("name the text: node scripts/prove_page_training.mjs tinyshakespeare.txt");
const text = readFileSync(file, "utf8");
const [browser, site] = await Promise.all([launch(), serve()]);
try {
  const { page } = await openPage(browser, `${site.url}?backend=cpu#lang=en&tab=train`);
  await page.getByText("From scratch", { exact: true }).click();
  await page.locator("#train-text").evaluate((area, value) => {
    if (!(area instanceof HTMLTextAreaElement)) throw new Error("no text field");
    area.value = value;
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, text);
  await page.locator("select#train-preset").selectOption("nanogpt-cpu");
  await page.locator("select#train-tokenizer").selectOption("char");
  await page.locator(".train-memory", { hasText: "2,000 steps of 12 × 64 tokens" }).waitFor({ timeout: 240_000 });
  const begun = performance.now();
  await page.locator(".train-go").click();
  let shown = 0;
  for (;;) {
    await page.waitForTimeout(2000);
    const step = Number((await figure(page, "Step")).split("/")[0].replaceAll(",", ""));
    if (step - shown >= 200) {
      shown = step;
      console.error(
        `step ${step}: loss ${await figure(page, "Loss")}, ` +
          `validation loss ${await figure(page, "Validation loss")}, ${await figure(page, "Speed")}`,
      );
    }
    if (step >= 2000) break;
    if (performance.now() - begun > LIMIT_MS) throw new Error(`only ${step} steps in ${LIMIT_MS / 60_000} minutes`);
  }
  await page.locator(".train-go").waitFor({ timeout: 60_000 });
  const seconds = (performance.now() - begun) / 1000;
  const loss = Number(await figure(page, "Validation loss"));
  if (!(loss <= LIMIT)) throw new Error(`the validation loss is ${loss}, over ${LIMIT}`);
  console.log(`validation loss ${loss} (limit ${LIMIT}) in the page; ${seconds.toFixed(0)} s`);
} finally {
  await browser.close();
  await site.stop();
}
