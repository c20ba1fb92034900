// @ts-check
// What looking costs while the model writes: the real page in headless Chromium generates the same text with the
// inspector
// closed, and with tokens, surprise and the token card shown, in turn. Also the longest tasks of the main thread.
//
//   node benches/inspector.mjs [--rounds 7] [--tokens 200]
//
// The last line printed is a JSON object with one flat object per backend: median milliseconds from pressing Generate
// to the
// last token, closed and open, and their ratio.
import { parseArgs } from "node:util";
import { button, launch, openPage, paper, ready } from "../tests/page/browser.mjs";
import { serve } from "../tests/page/server.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    tokens: { type: "string", default: "200" },
    backend: { type: "string", multiple: true },
  },
});
const [rounds, tokens] = [Number(options.rounds), Number(options.tokens)];

/** @param {number[]} list */
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/**
 * Generates once and says how long it took until the last token stood there, and the main thread's longest task
 * meanwhile.
 * @param {import("playwright-core").Page} page
 */
async function write(page) {
  await paper(page).fill("Once upon a time");
  // The view of the old text is drawn before the clock starts.
  await page.waitForTimeout(600);
  const measured = page.evaluate(
    () =>
      new Promise((resolve) => {
        const go = /** @type {Element} */ (document.querySelector(".primary"));
        let [from, longest] = [0, 0];
        const tasks = new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
        });
        tasks.observe({ type: "longtask" });
        const watch = new MutationObserver(() => {
          if (!from && go.classList.contains("busy")) from = performance.now();
          if (!from || go.classList.contains("busy")) return;
          watch.disconnect();
          const ms = performance.now() - from;
          setTimeout(() => {
            tasks.disconnect();
            resolve({ ms, longest });
          }, 100);
        });
        watch.observe(document.body, { subtree: true, childList: true, attributes: true });
      }),
  );
  await button(page, "Generate").click();
  return /** @type {Promise<{ ms: number, longest: number }>} */ (measured);
}

const [browser, site] = await Promise.all([launch(), serve()]);
/** @type {Record<string, object>} */
const results = {};
try {
  for (const backend of options.backend ?? ["cpu", "webgpu"]) {
    const pages = [];
    for (const see of ["0", "next"]) {
      const opened = await openPage(browser, `${site.url}?backend=${backend}#lang=en&end=0&n=${tokens}&see=${see}`);
      await ready(opened.page);
      await write(opened.page);
      pages.push(opened);
    }
    const times = pages.map(() => /** @type {{ ms: number, longest: number }[]} */ ([]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, { page }] of pages.entries()) {
        await page.bringToFront();
        times[at].push(await write(page));
      }
    }
    const [closed, open] = times.map((list) => median(list.map(({ ms }) => ms)));
    const [closedTask, openTask] = times.map((list) => median(list.map(({ longest }) => longest)));
    results[backend] = {
      "write, inspector closed, ms": closed,
      "write, inspector open, ms": open,
      "open / closed": Number((open / closed).toFixed(3)),
      "longest task, closed, ms": closedTask,
      "longest task, open, ms": openTask,
    };
    console.error(`${backend}: ${JSON.stringify(results[backend])}`);
    for (const { close } of pages) await close();
  }
} finally {
  await browser.close();
  await site.stop();
}
console.log(JSON.stringify(results));
