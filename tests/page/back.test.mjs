// @ts-check
// Back and forth lead through what the user has seen of the page, and change nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page @param {string} name */
const shows = (page, name) => page.locator(`nav [aria-current=page]`, { hasText: name }).waitFor();
/** @param {Page} page @param {string} name */
const go = (page, name) => page.locator("nav").getByRole("button", { name }).click();

test("tabs are entries of the history; what is set meanwhile stays as it is", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&t=0.3`);
  await ready(page);
  await go(page, "Models");
  await shows(page, "Models");
  await go(page, "Train");
  await shows(page, "Train");
  await page.goBack();
  await shows(page, "Models");
  await page.goBack();
  await shows(page, "Write");
  const temperature = page.getByRole("slider", { name: "Temperature" });
  assert.equal(await temperature.inputValue(), "0.3");
  await temperature.fill("1.2");
  await page.waitForFunction(() => location.hash.includes("t=1.2"));
  await page.goForward();
  await shows(page, "Models");
  assert.match(page.url(), /tab=models/);
  await page.goBack();
  await shows(page, "Write");
  assert.equal(await temperature.inputValue(), "1.2", "the entry is older than what was set");

  // A link within the page is another matter: it brings its own settings, and Back leads out of it again.
  await page.evaluate(() => (location.hash = "lang=en&t=0.5"));
  await page.waitForFunction(
    () => /** @type {HTMLInputElement} */ (document.querySelector("[type=range]"))?.value === "0.5",
  );
  await close();
});

test("on a phone the sheet is an entry of the history", async () => {
  const narrow = { viewport: { width: 390, height: 844 } };
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`, narrow);
  await ready(page);
  const tabs = page.locator("#inspector [role=tab]").first();
  await button(page, "See inside").click();
  await tabs.waitFor();
  await page.goBack();
  await tabs.waitFor({ state: "hidden" });
  await shows(page, "Write");
  await page.goForward();
  await tabs.waitFor();
  await close();
});
