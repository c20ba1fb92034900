// @ts-check
// A long text to learn from costs the page nothing: it comes at once, is shown by its beginning, and can be edited and
// cleared.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { setOptions } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** The page may be busy this long at a stretch. */
const LONGEST_TASK_MS = 200;

/** Lines of words as long as those of a play. @param {number} length */
function play(length) {
  let state = 1;
  const next = (/** @type {number} */ below) => (state = (state * 48271) % 2147483647) % below;
  const lines = [];
  for (let size = 0; size < length; size += lines[lines.length - 1].length + 1) {
    const words = Array.from({ length: next(9) }, () =>
      Array.from({ length: 2 + next(8) }, () => String.fromCharCode(97 + next(26))).join(""),
    );
    lines.push(words.join(" "));
  }
  return `${lines
    .join("\n")
    .slice(0, length - 1)
    .trim()}\n`;
}

/**
 * Runs `action` in the page's time; the longest task until the page has been quiet for a second, in ms.
 * @param {Page} page
 * @param {() => Promise<void>} action
 */
async function longestTask(page, action) {
  await page.evaluate(() => {
    const tasks = /** @type {number[]} */ ([]);
    const observer = new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map(({ duration }) => duration)),
    );
    observer.observe({ type: "longtask" });
    Object.assign(globalThis, { tasks, observer });
  });
  await action();
  await page.waitForTimeout(1000);
  return page.evaluate(() => {
    const { tasks, observer } = /** @type {any} */ (globalThis);
    observer.disconnect();
    return Math.max(0, ...tasks);
  });
}

/** Puts a text into the clipboard and presses Ctrl+V. @param {Page} page @param {string} text */
async function paste(page, text) {
  await page.evaluate((one) => navigator.clipboard.writeText(one), text);
  await page.locator("#train-text").focus();
  await page.keyboard.press("Control+v");
}

/** Waits until the field shows this. @param {Page} page @param {string} text */
const shows = (page, text) =>
  page.waitForFunction(
    (wanted) => /** @type {HTMLTextAreaElement} */ (document.querySelector("#train-text")).value === wanted,
    text,
  );
/** @param {Page} page */
const shown = (page) => page.locator("#train-text").inputValue();
/** @param {Page} page */
const tokens = async (page) =>
  Number(
    /([\d,]+) tokens/.exec(await page.locator(".train-left p.facts").first().innerText())?.[1].replaceAll(",", ""),
  );

test("a megabyte is pasted, tried, edited, cleared and brought back", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`, {
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await ready(page);
  await button(page, "Train").first().click();
  const text = play(1_100_000);

  const longest = await longestTask(page, async () => {
    await paste(page, text);
    await page.locator(".train-left p.facts", { hasText: "tokens." }).first().waitFor();
  });
  console.log(`longest task while 1.1 MB are pasted: ${longest.toFixed(0)} ms`);
  assert.ok(longest < LONGEST_TASK_MS, `the page stood still for ${longest} ms`);
  assert.equal(await shown(page), `${text.slice(0, 2000)}…`);
  await page.getByText("1.1 MB of text; its first 2,000 characters are shown.").waitFor();
  const all = await tokens(page);
  assert.ok(all > 200_000, `${all} tokens are planned with`);
  assert.equal(
    await page.evaluate(() => /** @type {HTMLTextAreaElement} */ (document.querySelector("#train-text")).readOnly),
    true,
  );

  // More is added at the end.
  await paste(page, "And so it ended.");
  await page.waitForFunction(
    (count) => !document.querySelector(".train-left p.facts")?.textContent?.includes(count),
    all.toLocaleString("en"),
  );
  assert.ok((await tokens(page)) > all);
  assert.equal(await shown(page), `${text.slice(0, 2000)}…`);

  // A reload keeps it.
  await page.reload();
  await page.getByText("1.1 MB of text").waitFor();

  await button(page, "Clear").click();
  await shows(page, "");
  await button(page, "Bring the text back").click();
  await shows(page, `${text.slice(0, 2000)}…`);
  await button(page, "Clear").click();
  await page.locator("#train-text").pressSequentially("Something else.");
  assert.equal(await shown(page), "Something else.");
  assert.ok(await button(page, "Bring the text back").isHidden());

  // In the middle of what is there.
  await page.keyboard.press("Control+Home");
  await paste(page, play(120_000));
  await button(page, "Edit").click();
  assert.equal(await shown(page), `${play(120_000)}Something else.`);
  await page.keyboard.press("Control+End");
  await page.keyboard.type("!");
  assert.equal(await shown(page), `${play(120_000)}Something else.!`, "it goes on being edited where it is");

  // Everything selected, and something long in its place.
  await page.keyboard.press("Control+a");
  await paste(page, play(200_000));
  await page.getByText("200 kB of text").waitFor();
  await page.locator("#train-text").focus();
  await page.keyboard.press("Control+a");
  await paste(page, "Only this.");
  assert.equal(await shown(page), "Only this.");
  await close();
});

test("a long file is shown by its name, and trained on as a whole", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&tab=train`);
  const text = play(150_000).replaceAll("\n", "\r\n");
  await page
    .locator(".train-left input[type=file]")
    .setInputFiles({ name: "play.txt", mimeType: "text/plain", buffer: Buffer.from(text) });
  await page.getByText("150 kB from play.txt; the first 2,000 characters are shown.").waitFor();
  assert.doesNotMatch(await shown(page), /\r/);
  await page.locator(".train-memory", { hasText: "of memory" }).waitFor({ timeout: 60_000 });
  await page.locator(".train-left details.train-settings summary").click();
  await setOptions(page, { steps: 3, batch_size: 1, context: 32, eval_every: 0 });
  await page.locator(".train-memory", { hasText: "3 steps of 1 × 32" }).waitFor();
  await page.locator(".train-go").click();
  await page.locator(".train-figures dd", { hasText: "3 / 3" }).waitFor({ timeout: 60_000 });
  await close();
});

test("a sample in the place of the user's own text can be taken back; files that are no text are told of", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&tab=train`);
  const back = button(page, "Bring the text back");
  await page.locator(".train-memory", { hasText: "Paste a text first" }).waitFor();
  await page.locator("#train-text").fill("My own diary.");
  await button(page, "Alice (6 kB)").click();
  await back.waitFor();
  assert.match(await shown(page), /^Alice was/);
  await button(page, "唐诗 (Chinese)").click();
  await page.waitForFunction(() =>
    /** @type {HTMLTextAreaElement} */ (document.querySelector("#train-text")).value.startsWith("床前"),
  );
  await back.click();
  assert.equal(await shown(page), "My own diary.");
  assert.ok(await back.isHidden());

  const file = (/** @type {string} */ name, /** @type {number[]} */ ...bytes) => ({
    name,
    mimeType: "text/plain",
    buffer: Buffer.from(bytes),
  });
  const pick = page.locator(".train-left input[type=file]");
  await pick.setInputFiles([file("gbk.txt", 0xc4, 0xe3, 0xba, 0xc3), file("empty.txt")]);
  await page
    .locator(".train-said", { hasText: "This cannot be read as text: gbk.txt." })
    .filter({ hasText: "There is no text in empty.txt." })
    .waitFor();
  assert.equal(await shown(page), "My own diary.");
  await pick.setInputFiles(file("good.txt", 0x61));
  await page.waitForFunction(() =>
    /** @type {HTMLTextAreaElement} */ (document.querySelector("#train-text")).value.endsWith("a\n"),
  );
  assert.equal(await page.locator(".train-said").innerText(), "");
  await close();
});
