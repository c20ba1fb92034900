/** The main thread's side of the worker: requests as promises, models that replace each other, restarts. */
import { EngineError, fromWire, PageError, says } from "../core/errors.js";
import { engineWordsThere } from "../core/i18n/index.js";
import { newId } from "../core/settings.js";
import { WORKER } from "../core/site.js";
import { withHead } from "./head.js";
import { Watchdog } from "./watchdog.js";

/** @typedef {import("./types.js").Info} Info */
/** @typedef {import("./types.js").Backend} Backend */
/** @typedef {import("./types.js").Reply} Reply */
/** @typedef {import("./types.js").GenerationEvent} GenerationEvent */
/** @typedef {import("./types.js").GenerationResult} GenerationResult */
/** @typedef {import("../models/sources.js").ModelSource} ModelSource */
/** @typedef {import("./types.js").Restored} Restored */
/**
 * @typedef {{ cmd: string, resolve: (value: any) => void, reject: (error: Error) => void, onEvent?: (event: any) =>
 *   void }} Pending
 */

/** Parts of the file on their way to the worker at once: enough to keep it busy, little enough to hold in memory. */
const CHUNKS_IN_FLIGHT = 4;

/** Commands that may keep a worker busy in one piece for long: with a whole text, or a whole model. */
const LONG = ["openScratch", "scratchPlan", "trainPlan", "trainStart", "restore", "exportZip", "addAdapter"];

/** One worker and the requests it has not answered yet. */
export class WorkerClient {
  /**
   * @param {(error: Error) => void} onFatal called once, when the worker can no longer be used
   * @param {boolean} trains whether it must be able to train, which takes a larger module
   */
  constructor(onFatal, trains) {
    this.onFatal = onFatal;
    this.trains = trains;
    this.nextId = 1;
    /** Why it is closed; null while it is not. @type {Error | null} */
    this.reason = null;
    /** @type {Map<number, Pending>} */
    this.pending = new Map();
    this.worker = new Worker(WORKER, { type: "module", name: trains ? "trainer" : "writer" });
    this.worker.onmessage = (/** @type {MessageEvent<Reply>} */ event) => this.receive(event.data);
    // Something came that could not be made out, an answer perhaps: what is waited for would never come.
    // Not by `onmessageerror`, which workers have in some browsers only.
    this.worker.addEventListener("messageerror", () => this.fail(new PageError("error.messageLost")));
    this.worker.onerror = (event) => {
      event.preventDefault();
      // An error without words is that of a script that did not come.
      const { message } = event;
      this.fail(new PageError(message ? "error.engineStopped" : "error.partNotLoaded", {}, message || undefined));
    };
    this.watchdog = new Watchdog({
      ask: () => this.worker.postMessage({ id: 0, cmd: "ping" }),
      isLong: () => [...this.pending.values()].some(({ cmd }) => LONG.includes(cmd)),
      onSilent: () => this.fail(new PageError("error.engineSilent")),
    });
    /** Ends the wait for the worker's end. */
    this.gone = new AbortController();
    /** The lock that the worker holds for as long as it lives. */
    this.life = `worker:${newId()}`;
    this.worker.postMessage({ id: 0, cmd: "live", lock: this.life });
  }

  /** Hears at once of the end of a worker that could say nothing, where the browser has locks. */
  awaitEnd() {
    const ended = () => this.fail(new PageError("error.engineEnded"));
    navigator.locks.request(this.life, { signal: this.gone.signal }, ended).catch(() => {});
  }

  get closed() {
    return this.reason !== null;
  }

  /**
   * @param {string} cmd
   * @param {object} [payload]
   * @param {Transferable[]} [transfer]
   * @param {(event: any) => void} [onEvent] hears what comes before the answer
   * @returns {Promise<any>}
   */
  request(cmd, payload = {}, transfer = [], onEvent) {
    return new Promise((resolve, reject) => {
      if (this.reason) return reject(this.reason);
      const id = this.nextId++;
      this.pending.set(id, { cmd, resolve, reject, onEvent });
      this.watchdog.watch();
      try {
        this.worker.postMessage({ id, cmd, ...payload }, transfer);
      } catch (error) {
        // Nobody will answer it.
        this.pending.delete(id);
        if (!this.pending.size) this.watchdog.rest();
        reject(error);
      }
    });
  }

  /**
   * Asks the inspector's question; aborting the signal ends the work on it.
   * @param {import("../inspect/types.js").InspectRequest} request
   * @param {AbortSignal} [signal]
   * @param {(progress: import("../inspect/types.js").InspectProgress) => void} [onProgress]
   */
  inspect(request, signal, onProgress) {
    if (signal?.aborted) return Promise.reject(new DOMException("ended", "AbortError"));
    const target = this.nextId;
    const end = () => {
      if (!this.closed) this.worker.postMessage({ id: 0, cmd: "inspectCancel", target });
    };
    signal?.addEventListener("abort", end);
    return this.request("inspect", { request }, [], onProgress)
      .catch((error) => {
        throw says(error, "cancelled") ? new DOMException("ended", "AbortError") : error;
      })
      .finally(() => signal?.removeEventListener("abort", end));
  }

  /** @param {Reply} reply */
  receive(reply) {
    if ("fatal" in reply) return this.fail(fromWire(reply.fatal));
    if ("pulse" in reply) return this.watchdog.answered(reply.pulse);
    this.watchdog.heard();
    if ("lives" in reply) return this.awaitEnd();
    const pending = this.pending.get(reply.id);
    if (!pending) return;
    if ("event" in reply) return pending.onEvent?.(reply.event);
    this.pending.delete(reply.id);
    if (!this.pending.size) this.watchdog.rest();
    if ("value" in reply) return pending.resolve(reply.value);
    const error = fromWire(reply.error);
    // Who is told it says it at once.
    if (error instanceof EngineError && !says(error, "cancelled"))
      void engineWordsThere().then(() => pending.reject(error));
    else pending.reject(error);
    if (error.fatal) this.fail(error);
  }

  /** @param {PageError | EngineError} error */
  fail(error) {
    if (this.closed) return;
    error.fatal = true;
    this.close(error);
    this.onFatal(error);
  }

  /** @param {Error} [reason] what the unanswered requests are told, and those that come too late */
  close(reason = new DOMException("closed", "AbortError")) {
    if (this.closed) return;
    this.reason = reason;
    this.watchdog.rest();
    this.gone.abort();
    this.worker.terminate();
    for (const { reject } of this.pending.values()) reject(reason);
    this.pending.clear();
  }
}

/**
 * Hands one weights file to the worker, part by part.
 * @param {WorkerClient} client
 * @param {AsyncIterable<Uint8Array<ArrayBuffer>>} parts
 * @param {AbortSignal} signal
 * @param {(size: number) => void} onTaken
 */
async function feed(client, parts, signal, onTaken) {
  /** @type {Set<Promise<unknown>>} */
  const inFlight = new Set();
  /** @type {unknown} */
  let failure = null;
  for await (const bytes of parts) {
    const size = bytes.byteLength;
    /** @type {Promise<unknown>} */
    const sent = client
      .request("chunk", { bytes }, [bytes.buffer])
      .then(
        () => onTaken(size),
        (error) => (failure ??= error),
      )
      .finally(() => inFlight.delete(sent));
    inFlight.add(sent);
    if (inFlight.size >= CHUNKS_IN_FLIGHT) await Promise.race(inFlight);
    if (failure) throw failure;
    signal.throwIfAborted();
  }
  await Promise.all(inFlight);
  if (failure) throw failure;
}

/**
 * Loads a model's files into a new worker.
 * @param {WorkerClient} client
 * @param {ModelSource} source
 * @param {Backend} backend
 * @param {AbortSignal} signal
 * @param {(done: number, total: number) => void} onProgress
 * @returns {Promise<Info>}
 */
async function fill(client, source, backend, signal, onProgress) {
  const { files, weights, weightBytes } = await source.open(signal);
  const heads = [];
  const lengths = [];
  /**
   * The rest of the weights, where they are one file: it need not be opened again.
   * @type {Awaited<ReturnType<typeof withHead>> | null}
   */
  let single = null;
  try {
    // What the weights say of themselves is compared with the configuration before any memory is taken.
    for (const open of weights) {
      const { parts, bytes } = await open(signal);
      const opened = await withHead(parts);
      heads.push(opened.head);
      lengths.push(bytes);
      if (weights.length === 1) single = opened;
      else await opened.end();
    }
    await client.request("open", { backend, files, heads, lengths });
    let done = 0;
    onProgress(0, weightBytes);
    for (const open of weights) {
      const all = single?.all() ?? (await open(signal)).parts;
      await feed(client, all, signal, (size) => onProgress((done += size), weightBytes));
      await client.request("endFile");
    }
  } finally {
    await single?.end();
  }
  return client.request("finish");
}

/**
 * The model in use. Each model has its own worker: a load that fails cannot harm the model before it, and memory,
 * which WebAssembly never gives back, is returned when the old worker ends.
 */
export class Engine {
  /**
   * @param {(error: Error) => void} onCrash called when the model in use was lost
   * @param {object} [taken]
   * @param {() => Promise<void>} [taken.onLeave] saves what the model in use would take along when another takes its
   *   place
   * @param {() => Promise<void>} [taken.onStay] called when the model that was to take its place does not: what was let
   *   go of is taken back
   */
  constructor(onCrash, { onLeave = async () => {}, onStay = async () => {} } = {}) {
    this.onCrash = onCrash;
    this.onLeave = onLeave;
    this.onStay = onStay;
    /** Loads in progress for which the model in use has let go. */
    this.leaving = 0;
    /** How many models have been in use; one that is loaded again so that it can be trained is still the same. */
    this.models = 0;
    /** @type {WorkerClient | null} */
    this.client = null;
    /** @type {ModelSource | null} */
    this.source = null;
    /** @type {Backend} */
    this.backend = "auto";
    /** Whether models are loaded so that they can be trained. */
    this.trains = false;
    /** Resolves when the text in progress is written. @type {Promise<unknown>} */
    this.writing = Promise.resolve();
    /** How many texts are being written. */
    this.texts = 0;
    /** The change to that in progress. @type {Promise<unknown> | null} */
    this.upgrading = null;
    /** Ends it. @type {AbortController | null} */
    this.upgradeControl = null;
    /** What was saved of the run that is open, if it was opened from a save. @type {Restored | null} */
    this.restored = null;
  }

  /**
   * Loads a model; the one in use goes on working until this one is ready.
   * @param {ModelSource} source
   * @param {Backend} backend
   * @param {{ signal: AbortSignal, onProgress: (done: number, total: number) => void, look?: boolean }} options `look`:
   *   a saved run is
   *   only read, and stays free for others
   * @returns {Promise<Info>}
   */
  async load(source, backend, { signal, onProgress, look = false }) {
    const client = new WorkerClient(
      (error) => {
        if (this.client !== client) return;
        this.client = null;
        this.onCrash(error);
      },
      this.trains || Boolean(source.scratch || source.run),
    );
    const abort = () => client.close();
    signal.addEventListener("abort", abort);
    /** The worker that has let go for this one. @type {WorkerClient | null | undefined} */
    let left;
    const leave = async () => {
      left = this.client;
      this.leaving += 1;
      await this.onLeave();
      signal.throwIfAborted();
    };
    try {
      signal.throwIfAborted();
      /** @type {Info} */
      let info;
      /** @type {Restored | null} */
      let restored = null;
      if (source.scratch) info = await client.request("openScratch", { backend, options: source.scratch });
      else if (source.run) {
        const { id, base } = source.run;
        if (base) await fill(client, base, backend, signal, onProgress);
        // Only one worker may write a run; this page's own lets go first.
        await leave();
        restored = /** @type {Restored} */ (
          await client.request("restore", { backend, run: id, baseLoaded: Boolean(base), look })
        );
        info = restored.info;
      } else info = await fill(client, source, backend, signal, onProgress);
      signal.throwIfAborted();
      if (left === undefined) await leave();
      // The model that was about to get another worker is no longer the one in use.
      if (signal !== this.upgradeControl?.signal) {
        this.upgradeControl?.abort();
        this.models += 1;
      }
      this.client?.close();
      this.client = client;
      this.source = source;
      this.backend = backend;
      this.restored = restored;
      return info;
    } catch (error) {
      client.close();
      // Another load may have taken its place, or be about to.
      if (left && left === this.client && this.leaving === 1) void this.onStay();
      throw error;
    } finally {
      if (left !== undefined) this.leaving -= 1;
      // What is told of a crash remembers all of this, so each worker would keep the one before it.
      left = undefined;
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * @param {import("./types.js").Settings & { prompt: string }} options
   * @param {(event: GenerationEvent) => void} onEvent
   * @param {boolean} [whole] everything is switched on for it, whatever is switched off for writing
   * @returns {Promise<GenerationResult>}
   */
  generate(options, onEvent, whole = false) {
    const writing = this.ready().request("generate", { options, whole }, [], onEvent);
    this.texts += 1;
    this.writing = writing.catch(() => {}).finally(() => (this.texts -= 1));
    return writing;
  }

  /** The model in use comes from elsewhere from here on: it was saved, or that was deleted. @param {ModelSource} source */
  rename(source) {
    this.source = source;
  }

  /** Ends the generation in progress; its promise then resolves as "stopped". */
  stop() {
    this.client?.request("stop").catch(() => {});
  }

  /** @param {string} text @returns {Promise<{ ids: number[], pieces: string[] }>} */
  tokenize(text) {
    return this.ready().request("tokenize", { text });
  }

  /**
   * Asks the inspector's question. Rejects with an AbortError when the signal is aborted, and when the engine has
   * something
   * more urgent to do: the text is then about to change, or the question can be asked again.
   * @param {import("../inspect/types.js").InspectRequest} request
   * @param {{ signal?: AbortSignal, onProgress?: (progress: import("../inspect/types.js").InspectProgress) => void }}
   *   [options]
   * @returns {Promise<any>}
   */
  inspect(request, { signal, onProgress } = {}) {
    return this.ready().inspect(request, signal, onProgress);
  }

  /**
   * Switches heads and MLPs (`head` -1) off, and all others on.
   * @param {readonly import("../inspect/types.js").Unit[]} off
   * @param {import("./types.js").Info} info of the open model
   */
  async gates(off, { nLayer, nHead }) {
    const gates = new Float32Array(nLayer * (nHead + 1)).fill(1);
    for (const { layer, head } of off) {
      if (layer < nLayer && head < nHead) gates[layer * (nHead + 1) + (head < 0 ? nHead : head)] = 0;
    }
    await this.ready().request("gates", { gates });
  }

  /**
   * The worker, able to train: where it only writes, its model is loaded again into one that can.
   * @returns {Promise<WorkerClient>}
   */
  async trainer() {
    this.trains = true;
    // A text in progress is finished by the worker that writes it.
    await this.writing;
    while (!this.ready().trains && this.source) await (this.upgrading ??= this.upgrade(this.source));
    return this.ready();
  }

  /**
   * Loads the model in use into a worker that can train, unless another model takes its place meanwhile.
   * @param {ModelSource} source
   */
  async upgrade(source) {
    const control = (this.upgradeControl = new AbortController());
    try {
      await this.load(source, this.backend, { signal: control.signal, onProgress: () => {} });
    } catch (error) {
      if (!control.signal.aborted) throw error;
    } finally {
      this.upgrading = null;
      this.upgradeControl = null;
    }
  }

  ready() {
    if (!this.client) throw new PageError("error.noModel");
    return this.client;
  }

  /** Closes the model in use, and gives its memory back. */
  close() {
    this.client?.close();
    this.client = null;
  }
}
