// @ts-check
// Measures a page's main thread by the processor time of its tasks: on a machine that is shared, the time on the clock
// says more
// about the others than about the page.
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<void>} act
 * @returns {Promise<{ count: number, longest: number }>} how many tasks there were, and the longest, in milliseconds
 */
export async function longTasks(browser, page, act) {
  const path = join(tmpdir(), `${randomUUID()}.json`);
  await browser.startTracing(page, { path, categories: ["toplevel", "blink.user_timing", "devtools.timeline"] });
  const mark = `watched-${randomUUID()}`;
  await page.evaluate((name) => performance.mark(name), mark);
  await act();
  await browser.stopTracing();
  /** @type {{ traceEvents: { name: string, ph: string, pid: number, tid: number, tdur?: number }[] }} */
  const { traceEvents } = JSON.parse(readFileSync(path, "utf8"));
  rmSync(path);
  // The page's own main thread is the one that set the mark.
  const own = traceEvents.find((event) => event.name === mark);
  const tasks = traceEvents.filter(
    (event) =>
      event.ph === "X" &&
      event.pid === own?.pid &&
      event.tid === own.tid &&
      event.name === "ThreadControllerImpl::RunTask",
  );
  return { count: tasks.length, longest: Math.max(0, ...tasks.map((event) => (event.tdur ?? 0) / 1000)) };
}
