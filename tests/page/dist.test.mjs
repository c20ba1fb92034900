// @ts-check
// The site as it ships: bundled, with few requests, and whole.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openPage, paper, ready } from "./browser.mjs";
import { serve } from "./server.mjs";
import { says, start } from "./training.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
before(async () => {
  // `cargo xtask test` has written it. Below a path, as some hosts have it.
  site = await serve(["--dir", "dist", "--prefix", "/some/where/"]);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

test("it begins with few requests, writes, shows each panel, guides, trains, and speaks Chinese", async () => {
  const { page, requests, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&n=8&end=0&see=0`);
  /** @type {string[]} */
  const missing = [];
  page.on("response", (response) => response.ok() || missing.push(`${response.status()} ${response.url()}`));
  await ready(page);
  const scripts = requests.filter((url) => url.endsWith(".js"));
  assert.ok(scripts.length < 34, scripts.join("\n"));
  assert.ok(!requests.some((url) => /\/(app|i18n\/zh)\.js$|pkg-train/.test(url)), "sources are in the bundle");

  const before = await paper(page).inputValue();
  await page.locator(".primary").click();
  await page.locator(".primary:not(.busy)").waitFor();
  await ready(page);
  assert.ok((await paper(page).inputValue()).length > before.length);

  await page.locator(".see").click();
  const tabs = page.locator("#inspector [role=tab]");
  await tabs.first().waitFor();
  for (let at = 0; at < (await tabs.count()); at += 1) {
    await tabs.nth(at).click();
    await page.locator("#inspect-panel > *").first().waitFor();
    assert.equal(await page.locator("#inspector .message:visible").count(), 0);
  }

  // The guide with its claims, and the sources that it shows.
  await page.locator(".guide-button").click();
  await page.locator(".guide-head select").selectOption("attention");
  await page.locator('.guide[data-step="attention-heads"] .guide-choice').first().waitFor();
  await page.locator(".guide-code summary").click();
  await page.locator(".guide-source", { hasText: "fn attention" }).waitFor();
  await page.locator(".guide-close").click();

  await start(page, "From scratch", { steps: 3, eval_every: 0 });
  await says(page, 3);
  await page.locator(".switches button[lang]").click();
  await page.locator("nav", { hasText: "训练" }).waitFor();
  assert.deepEqual(missing, []);
  await close();
});
