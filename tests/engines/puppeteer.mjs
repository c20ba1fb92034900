// @ts-check
// Chromium and Firefox by Puppeteer: the one over its DevTools protocol, the other over WebDriver BiDi.
import puppeteer from "puppeteer-core";

/** @typedef {import("./newcomer.mjs").Driver} Driver */

export const WINDOW = { width: 1280, height: 900 };

/**
 * @param {"chrome" | "firefox"} browser @param {string} executablePath
 * @returns {Promise<Driver>}
 */
export async function drive(browser, executablePath) {
  const args =
    browser === "chrome" ? ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"] : [];
  const program = await puppeteer.launch({ browser, executablePath, args, headless: true, defaultViewport: WINDOW });
  const [page = await program.newPage()] = await program.pages();
  /** @type {string[]} */
  const problems = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()} (${message.location().url ?? ""})`);
  });
  page.on("pageerror", (error) => problems.push(`page: ${error instanceof Error ? error.message : error}`));
  return {
    name: await program.version(),
    keeps: true,
    open: async (url) => void (await page.goto(url, { waitUntil: "load" })),
    reload: async () => void (await page.reload({ waitUntil: "load" })),
    evaluate: (source) => page.evaluate(source),
    type: async (selector, text) => {
      await page.focus(selector);
      await page.keyboard.type(text);
    },
    problems: async () => problems,
    close: () => program.close(),
  };
}
