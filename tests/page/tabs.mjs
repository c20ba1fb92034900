// @ts-check
// A browser whose tabs hide each other, as a person's do: Playwright makes every page look as if it were in front.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumPath, FLAGS } from "./browser.mjs";

/** @typedef {(method: string, params?: object, sessionId?: string) => Promise<any>} Send */

/** Starts Chromium and speaks its DevTools protocol over pipes. */
export async function launchTabs() {
  const folder = mkdtempSync(join(tmpdir(), "gpt-tabs-"));
  const options = ["--headless=new", "--remote-debugging-pipe", `--user-data-dir=${folder}`, ...FLAGS, "about:blank"];
  const child = spawn(chromiumPath() ?? "chromium", options, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [input, output] = /** @type {[import("node:stream").Writable, import("node:stream").Readable]} */ (
    /** @type {unknown} */ (child.stdio.slice(3))
  );
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  let rest = "";
  output.setEncoding("utf8").on("data", (part) => {
    const messages = (rest + part).split("\0");
    rest = messages.pop() ?? "";
    for (const { id, result, error } of messages.map((one) => JSON.parse(one))) {
      if (error) waiting.get(id)?.reject(new Error(error.message));
      else waiting.get(id)?.resolve(result);
      waiting.delete(id);
    }
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.once("exit", () => waiting.forEach(({ reject }) => reject(new Error("the browser is gone"))));
  let last = 0;
  /** @type {Send} */
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      input.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
  return {
    /** Opens a tab in front of the others. @param {string} url */
    async open(url) {
      const { targetId } = await send("Target.createTarget", { url });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      return {
        /** What an expression is in the page; a promise is waited for. @param {string} expression */
        async evaluate(expression) {
          const { result, exceptionDetails } = await send(
            "Runtime.evaluate",
            { expression, awaitPromise: true, returnByValue: true },
            sessionId,
          );
          if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
          return result.value;
        },
        show: () => send("Target.activateTarget", { targetId }),
      };
    },
    async close() {
      await send("Browser.close").catch(() => {});
      child.kill();
      await exited;
      // The browser's helper processes write for a moment more; what stays is the system's to clean up.
      try {
        rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      } catch {
        console.error(`${folder} could not be removed`);
      }
    },
  };
}
