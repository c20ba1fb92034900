// @ts-check
// What keeps people out of a page, by axe-core: looked for while the page rests, for what is awaited is shown dimmed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Nothing is awaited nor moves for so long, and the page counts as resting. */
const REST_MS = 250;
const WAIT_MS = 30_000;

/**
 * Rules that are broken, each with the elements that break it.
 * @param {import("playwright-core").Page} page
 * @param {string} [root] a selector; without one, all of the page
 * @returns {Promise<string[]>}
 */
export async function violations(page, root) {
  await page.evaluate(`"axe" in globalThis || (() => { ${source} })()`);
  return page.evaluate(
    async ([within, rest, wait]) => {
      const moves = () =>
        document.querySelector(".stale") !== null ||
        document.getAnimations().some(({ effect }) => effect?.getComputedTiming().iterations !== Infinity);
      const until = performance.now() + wait;
      for (;;) {
        for (let since = performance.now(); performance.now() < since + rest; ) {
          if (performance.now() > until) throw new Error(`the page did not come to rest in ${wait} ms`);
          await new Promise((resolve) => setTimeout(resolve, 25));
          if (moves()) since = performance.now();
        }
        // It takes about a second, in which an answer may be asked for.
        let moved = false;
        const observer = new MutationObserver(() => {
          moved ||= moves();
        });
        observer.observe(document, { subtree: true, childList: true, attributes: true });
        const found = await /** @type {any} */ (globalThis).axe.run(within ?? document);
        observer.disconnect();
        if (moved) continue;
        return found.violations.map(
          (/** @type {any} */ { id, nodes }) =>
            `${id}: ${nodes.map((/** @type {any} */ { target, html }) => `${target.join(" ")} ${html.slice(0, 200)}`).join(", ")}`,
        );
      }
    },
    /** @type {const} */ ([root, REST_MS, WAIT_MS]),
  );
}
