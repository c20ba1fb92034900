// @ts-check
// Starts Chromium and watches its pages: any console error, page error or CSP violation fails the test that caused it.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { withJitter } from "./jitter.mjs";

export const FLAGS = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** No wait is longer, except those that say so. */
const WAIT_MS = 60_000;

/** Folder for pictures, ending in a slash. */
export const screenshots = fileURLToPath(new URL("screenshots/", import.meta.url));
mkdirSync(screenshots, { recursive: true });

/** Where the browser is installed. */
export function chromiumPath() {
  return [process.env.CHROME, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path && existsSync(path),
  );
}

/** @param {import("playwright-core").LaunchOptions} [options] */
export function launch(options = {}) {
  return chromium.launch({ executablePath: chromiumPath(), args: FLAGS, ...options });
}

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  await withJitter(context);
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  /** @type {string[]} */
  const problems = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => problems.push(`page: ${error.message}`));
  const requests = /** @type {string[]} */ ([]);
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  return {
    page,
    requests,
    /** What went wrong so far, for tests in which something is meant to. */
    problems,
    async close() {
      await context.close();
      assert.deepEqual(problems, []);
    },
  };
}

/** The paper. @param {import("playwright-core").Page} page */
export const paper = (page) => page.getByRole("textbox", { name: "Text." });
/** @param {import("playwright-core").Page} page @param {string | RegExp} name */
export const button = (page, name) => page.getByRole("button", { name });

/** Waits until the model can write. @param {import("playwright-core").Page} page */
export async function ready(page) {
  await page.locator(".primary:not(.busy):not([disabled])").waitFor({ timeout: 60_000 });
}

/** Waits until every token of the text has its colour. @param {import("playwright-core").Page} page */
export const coloured = (page) =>
  page.waitForFunction(() => {
    const spans = [...document.querySelectorAll(".paper-layer span")];
    return spans.length > 1 && spans.every((span) => span.textContent === "" || span.className.includes("tint"));
  });
