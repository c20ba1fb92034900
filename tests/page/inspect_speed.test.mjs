// @ts-check
// The inspector while the model writes: its tabs and the paper's colours leave the page's main thread free.
// Measures time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { coloured, openPage, paper, ready } from "./browser.mjs";
import { longTasks } from "./long_tasks.mjs";
import { browser, site } from "./stage.mjs";

/** @param {Record<string, string>} params */
const hash = (params) => `?backend=cpu#${new URLSearchParams({ lang: "en", ...params })}`;

test("a thousand tokens are written, coloured and shown without a task of 50 ms on the main thread", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ n: "1000", end: "0" }));
  await ready(page);
  await page.locator(".card").waitFor();
  const tasks = await longTasks(browser, page, async () => {
    await paper(page).press("Control+Enter");
    await page.locator(".primary.busy").waitFor();
    await page.locator(".primary:not(.busy)").waitFor({ timeout: 120_000 });
    await coloured(page);
  });
  assert.ok(tasks.count > 50, "the main thread was watched");
  assert.ok(tasks.longest < 50, `the longest task took ${tasks.longest.toFixed(0)} ms of processor time`);
  await close();
});

test("tabs that are opened while the model writes, and follow it to its end, leave the main thread free", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ n: "200", end: "0" }));
  await ready(page);
  await page.locator(".card").waitFor();
  for (const name of ["Tree", "Attention", "Heads"]) {
    await page.getByRole("tab", { name: "Next" }).click();
    await page.locator(".next-row").first().waitFor();
    const { count, longest } = await longTasks(browser, page, async () => {
      await paper(page).press("Control+Enter");
      await page.locator(".primary.busy").waitFor();
      await page.getByRole("tab", { name }).click();
      await page.locator(".primary:not(.busy)").waitFor({ timeout: 60_000 });
      await coloured(page);
      await page.waitForFunction(
        () =>
          (document.querySelector(".inspect-panel")?.textContent ?? "").trim().length > 40 &&
          !document.querySelector(".stale"),
      );
    });
    assert.ok(count > 50, `the main thread was watched: ${name}`);
    assert.ok(longest < 50, `${name}: the longest task took ${longest.toFixed(0)} ms of processor time`);
  }
  await close();
});
