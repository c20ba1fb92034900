// @ts-check
// What a page in Chromium holds: its heap, its elements and listeners, its workers with their memory and objects of the
// GPU, its storage and, on Linux, the memory of the browser's processes. All of it after the garbage was collected.
import { existsSync, readFileSync } from "node:fs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").CDPSession} CDPSession */
/** @typedef {{ name: string, unit: "bytes" | "count", room: number, values: number[] }} Series */

const MiB = 2 ** 20;
/**
 * What is sampled, its unit, and how much more than normal it may be at least: caches of the browser come and go.
 * @type {[string, Series["unit"], number][]}
 */
const WHAT = [
  ["JavaScript heap of the page", "bytes", MiB],
  ["elements and other nodes", "count", 10],
  ["listeners", "count", 5],
  ["documents", "count", 0],
  ["workers", "count", 0],
  ["JavaScript heap of the workers", "bytes", MiB],
  ["WebAssembly memory", "bytes", 0],
  ["GPU buffers", "count", 0],
  ["GPU bind groups", "count", 0],
  ["GPU pipelines", "count", 0],
  ["storage", "bytes", MiB],
  ["resident set of the renderer", "bytes", 32 * MiB],
  ["resident set of the GPU process", "bytes", 32 * MiB],
];

/** Objects that a worker's JavaScript still reaches, by prototype, and what is asked of each. */
const OBJECTS = /** @type {const} */ ([
  ["WebAssembly memory", "WebAssembly.Memory", "list.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)"],
  ["GPU buffers", "GPUBuffer", "list.length"],
  ["GPU bind groups", "GPUBindGroup", "list.length"],
  ["GPU pipelines", "GPUComputePipeline", "list.length"],
]);

export class Watch {
  /** @param {CDPSession} root of the browser @param {CDPSession} session @param {Page} page @param {string} backend */
  constructor(root, session, page, backend) {
    this.root = root;
    this.session = session;
    this.page = page;
    this.backend = backend;
    /** @type {Map<string, number[]>} */
    this.values = new Map();
    /** Sessions of the workers that live. @type {Set<string>} */
    this.workers = new Set();
    /**
     * Answers that are awaited, by the number of the message.
     * @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void, worker: string }>}
     */
    this.awaited = new Map();
    this.sent = 0;
  }

  /** @param {import("playwright-core").Browser} browser @param {Page} page @param {string} backend */
  static async open(browser, page, backend) {
    const session = await page.context().newCDPSession(page);
    const watch = new Watch(await browser.newBrowserCDPSession(), session, page, backend);
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type === "worker") watch.workers.add(sessionId);
    });
    session.on("Target.detachedFromTarget", ({ sessionId }) => {
      watch.workers.delete(sessionId);
      for (const [id, { reject, worker }] of watch.awaited) {
        if (worker === sessionId && watch.awaited.delete(id)) reject(new Error("the worker ended"));
      }
    });
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
      const { id, result, error } = JSON.parse(message);
      const one = watch.awaited.get(id);
      if (!one || !watch.awaited.delete(id)) return;
      if (error) one.reject(new Error(error.message));
      else one.resolve(result);
    });
    await session.send("Performance.enable");
    await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return watch;
  }

  /**
   * Says something to a worker.
   * @param {string} worker @param {string} method @param {object} [params] @returns {Promise<any>}
   */
  ask(worker, method, params = {}) {
    const id = (this.sent += 1);
    return new Promise((resolve, reject) => {
      this.awaited.set(id, { resolve, reject, worker });
      const message = JSON.stringify({ id, method, params });
      this.session.send("Target.sendMessageToTarget", { sessionId: worker, message }).catch((error) => {
        if (this.awaited.delete(id)) reject(error);
      });
    });
  }

  /** What a worker holds. @param {string} worker @returns {Promise<Record<string, number>>} */
  async ofWorker(worker) {
    await this.ask(worker, "HeapProfiler.collectGarbage");
    /** @type {Record<string, number>} */
    const found = { "JavaScript heap of the workers": (await this.ask(worker, "Runtime.getHeapUsage")).usedSize };
    for (const [name, type, expression] of OBJECTS) {
      if (this.backend === "cpu" && type.startsWith("GPU")) continue;
      const group = { objectGroup: "watch" };
      const { result } = await this.ask(worker, "Runtime.evaluate", { expression: `${type}.prototype`, ...group });
      const { objects } = await this.ask(worker, "Runtime.queryObjects", {
        prototypeObjectId: result.objectId,
        ...group,
      });
      const functionDeclaration = `function () { const list = this; return ${expression}; }`;
      const call = { objectId: objects.objectId, returnByValue: true, functionDeclaration };
      found[name] = (await this.ask(worker, "Runtime.callFunctionOn", call)).result.value;
      await this.ask(worker, "Runtime.releaseObjectGroup", group);
    }
    return found;
  }

  /** Notes what is held now. */
  async sample() {
    const { session, page } = this;
    await session.send("HeapProfiler.collectGarbage");
    const { metrics: told } = await session.send("Performance.getMetrics");
    const metrics = Object.fromEntries(told.map(({ name, value }) => [name, value]));
    /** @type {Record<string, number>} */
    const found = {
      "JavaScript heap of the page": metrics.JSHeapUsedSize,
      "elements and other nodes": metrics.Nodes,
      listeners: metrics.JSEventListeners,
      documents: metrics.Documents,
      workers: this.workers.size,
      storage: await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? NaN),
      ...(await this.ofProcesses()),
    };
    for (const worker of this.workers) {
      for (const [name, value] of Object.entries(await this.ofWorker(worker))) found[name] = (found[name] ?? 0) + value;
    }
    for (const [name, value] of Object.entries(found)) {
      const values = this.values.get(name) ?? [];
      this.values.set(name, values);
      values.push(value);
    }
    console.error(JSON.stringify(found));
  }

  /**
   * Resident sets of the browser's processes, where the system tells them.
   * @returns {Promise<Record<string, number>>}
   */
  async ofProcesses() {
    if (!existsSync("/proc/self/status")) return {};
    /** @type {Record<string, number>} */
    const found = {};
    for (const { type, id } of (await this.root.send("SystemInfo.getProcessInfo")).processInfo) {
      const name = { renderer: "resident set of the renderer", GPU: "resident set of the GPU process" }[type];
      const kB = name && /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1];
      if (name && kB) found[name] = (found[name] ?? 0) + 1024 * Number(kB);
    }
    return found;
  }

  /** @returns {Series[]} */
  series() {
    return WHAT.flatMap(([name, unit, room]) => {
      const values = this.values.get(name);
      return values ? [{ name, unit, room, values }] : [];
    });
  }
}
