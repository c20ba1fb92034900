// @ts-check
// WebKitGTK's small browser by WebDriver, on a screen in memory.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { WINDOW } from "./puppeteer.mjs";

/** @typedef {import("./newcomer.mjs").Driver} Driver */
/** @typedef {import("node:child_process").ChildProcess} ChildProcess */

/** A part of an answer that is an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
/**
 * Collects what goes wrong in the page. WebDriver has no word for it, and nothing that runs before a page's own
 * scripts: what goes
 * wrong as the page starts, it tells itself, or does not become ready.
 */
const WATCH = `(() => {
  if (window.problems) return;
  window.problems = [];
  const { error } = console;
  console.error = (...parts) => { window.problems.push("console: " + parts.join(" ")); error.apply(console, parts); };
  addEventListener("error", ({ message }) => window.problems.push("page: " + message));
  addEventListener("unhandledrejection", ({ reason }) => window.problems.push("page: " + reason));
})()`;
const STARTS_WITHIN_MS = 30_000;

/** A screen in memory, with its number. @param {string} xvfb */
async function openScreen(xvfb) {
  const screen = spawn(
    xvfb,
    ["-displayfd", "3", "-screen", "0", `${WINDOW.width}x${WINDOW.height}x24`, "-nolisten", "tcp"],
    { stdio: ["ignore", "ignore", "ignore", "pipe"] },
  );
  const number = await new Promise((resolve, reject) => {
    /** @type {import("node:stream").Readable} */ (screen.stdio[3])
      .setEncoding("utf8")
      .once("data", (text) => resolve(text.trim()));
    screen.once("error", reject);
    screen.once("exit", (code) => reject(new Error(`${xvfb} ended with ${code}`)));
  });
  return { screen, display: `:${number}` };
}

/** A port that nobody listens on. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once("error", reject)
      .listen(0, "127.0.0.1", () => {
        const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
        server.close(() => resolve(port));
      });
  });
}

/** @param {ChildProcess} child */
function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", resolve);
    child.kill();
  });
}

/** @param {string} webdriver @param {string} xvfb @returns {Promise<Driver>} */
export async function drive(webdriver, xvfb) {
  const { screen, display } = await openScreen(xvfb);
  const port = await freePort();
  const driver = spawn(webdriver, [`--port=${port}`, "--host=local"], {
    // The desktop's services are not there, and not needed. Without a language the browser's is "C", which is none.
    env: {
      ...process.env,
      DISPLAY: display,
      GDK_BACKEND: "x11",
      NO_AT_BRIDGE: "1",
      GTK_A11Y: "none",
      LANG: "en_US.UTF-8",
      LANGUAGE: "en_US",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => {
    driver.kill();
    screen.kill();
  };
  process.once("exit", kill);
  /** What the browser and its driver wrote. */
  let output = "";
  for (const stream of [driver.stdout, driver.stderr])
    stream.setEncoding("utf8").on("data", (text) => (output += text));

  /** @param {string} method @param {string} path @param {object} [body] */
  const ask = async (method, path, body) => {
    const sent = { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, sent);
    const { value } = /** @type {any} */ (await response.json());
    if (!response.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    return value;
  };
  for (const until = Date.now() + STARTS_WITHIN_MS; ; ) {
    try {
      await ask("GET", "/status");
      break;
    } catch (error) {
      if (Date.now() > until || driver.exitCode !== null)
        throw new Error(`${webdriver} does not answer: ${output}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const { sessionId, capabilities } = await ask("POST", "/session", {
    capabilities: { alwaysMatch: { timeouts: { script: 60_000, pageLoad: 60_000 } } },
  });
  const session = `/session/${sessionId}`;
  await ask("POST", `${session}/window/rect`, { x: 0, y: 0, ...WINDOW });
  const evaluate = (/** @type {string} */ source) =>
    ask("POST", `${session}/execute/sync`, { script: `return (${source});`, args: [] });
  /** Of what was there before the last reload. @type {string[]} */
  const problems = [];
  const find = async (/** @type {string} */ selector) => {
    const found = await ask("POST", `${session}/element`, { using: "css selector", value: selector });
    return `${session}/element/${found[ELEMENT]}`;
  };
  return {
    name: `WebKitGTK ${capabilities.browserVersion} (${capabilities.browserName})`,
    // It has no private file system unless that is switched on, and none in the private window in which it is driven.
    keeps: false,
    open: async (url) => {
      await ask("POST", `${session}/url`, { url });
      await evaluate(WATCH);
    },
    reload: async () => {
      problems.push(...(await evaluate("window.problems")));
      await ask("POST", `${session}/refresh`, {});
      await evaluate(WATCH);
    },
    evaluate,
    type: async (selector, text) => ask("POST", `${await find(selector)}/value`, { text }),
    problems: async () => [...problems, ...(await evaluate("window.problems"))],
    close: async () => {
      await ask("DELETE", session).catch(() => {});
      process.off("exit", kill);
      await end(driver);
      await end(screen);
    },
  };
}
