/** The page's side of the WebAssembly module. Only the worker imports this file. */
import { cancelled, PageError } from "../core/errors.js";
import { asset } from "../core/site.js";
import { beat } from "./pulse.js";

/** @typedef {import("./types.js").Info} Info */
/** @typedef {import("./types.js").WasmModule} WasmModule */
/** @typedef {import("./types.js").WasmSession} WasmSession */
/** @typedef {import("./types.js").GenerationEvent} GenerationEvent */
/** @typedef {import("./types.js").GenerationResult} GenerationResult */

/** How long one call into the engine may take: short enough that a stop is heard at once. */
const STEP_BUDGET_MS = 30;

/** @type {Promise<WasmModule> | null} */
let loading = null;

/** @returns {Promise<WasmModule>} */
function loadWasm() {
  loading ??= (async () => {
    // A worker that only writes is named so, and loads a module of half the size. The address is computed because the
    // module is built, not written: the type check must not look for it.
    const folder = self.name === "writer" ? "pkg" : "pkg-train";
    const url = asset(`${folder}/gpt_playground.js`).href;
    const module = /** @type {WasmModule} */ (await import(url));
    await module.default();
    return module;
  })().catch((error) => {
    loading = null;
    const refused = error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError;
    throw new PageError(refused ? "error.oldBrowser" : "error.partNotLoaded", {}, error);
  });
  return loading;
}

/** Gives the worker's message queue its turn; a timer would cost 4 ms each time, a message costs none. */
const channel = new MessageChannel();
/** @type {(() => void)[]} */
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();
export function messageTurn() {
  beat();
  return /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(null);
    })
  );
}

/** One loaded model on one backend. Calls must not overlap; the worker's queue sees to that. */
export class ModelSession {
  /** @param {WasmSession} wasm */
  constructor(wasm) {
    this.wasm = wasm;
    /**
     * What the page has switched off for writing and looking; nothing if undefined.
     * @type {Float32Array | undefined}
     */
    this.gates = undefined;
  }

  /** @param {Float32Array} [gates] for each layer a row of `[head 0, …, MLP]`; 0 is off */
  setGates(gates) {
    this.gates = gates?.some((gate) => gate !== 1) ? gates : undefined;
    this.wasm.setGates(this.gates);
  }

  /**
   * @param {import("./types.js").Backend} backend @param {import("./types.js").SmallFiles} files
   * @param {Uint8Array[]} heads the first bytes of each weights file, with its header
   * @param {number[]} lengths of these files in bytes, 0 where they are not known
   */
  static async open(backend, files, heads, lengths) {
    const { Session } = await loadWasm();
    return new ModelSession(await Session.open({ backend }, files, heads, lengths));
  }

  /**
   * The model of a saved run.
   * @param {import("./types.js").Backend} backend
   * @param {import("./types.js").SmallFiles} files
   * @param {Blob} state
   */
  static async openRun(backend, files, state) {
    const { Session } = await loadWasm();
    return new ModelSession(await Session.openRun({ backend }, files, state));
  }

  /**
   * A new model with random weights.
   * @param {import("./types.js").Backend} backend
   * @param {import("./types.js").ScratchOptions} options
   */
  static async openScratch(backend, options) {
    const { Session } = await loadWasm();
    return new ModelSession(await Session.openScratch({ ...options, backend }));
  }

  /**
   * @param {import("./types.js").Backend} backend
   * @param {import("./types.js").ScratchOptions} options
   * @param {import("./types.js").GivenOptions} given
   */
  static async scratchPlan(backend, options, given) {
    const { Session } = await loadWasm();
    return Session.scratchPlan({ ...options, backend }, given);
  }

  /** @param {Uint8Array} bytes the next part of the safetensors file */
  chunk(bytes) {
    this.wasm.loadChunk(bytes);
  }

  endFile() {
    this.wasm.endFile();
  }

  /** @returns {Promise<Info>} */
  finish() {
    return this.wasm.finishLoading();
  }

  /** @param {string} text */
  tokenize(text) {
    return this.wasm.tokenize(text);
  }

  /**
   * Runs one generation to its end.
   * @param {import("./types.js").Settings & { prompt: string }} options
   * @param {object} hooks
   * @param {(event: GenerationEvent) => void} hooks.emit
   * @param {() => boolean} hooks.shouldStop
   * @param {() => Promise<void>} hooks.between runs after every step, when no call is in progress
   * @param {boolean} [whole] everything is switched on for it, whatever the page has switched off
   * @returns {Promise<GenerationResult>}
   */
  async generate(options, hooks, whole = false) {
    const { gates } = this;
    if (!whole || !gates) return this.write(options, hooks);
    this.wasm.setGates();
    try {
      return await this.write(options, hooks);
    } finally {
      this.wasm.setGates(gates);
    }
  }

  /**
   * @param {Parameters<ModelSession["generate"]>[0]} options
   * @param {Parameters<ModelSession["generate"]>[1]} hooks
   * @returns {Promise<GenerationResult>}
   */
  async write(options, { emit, shouldStop, between }) {
    const started = await this.wasm.start(options);
    emit({ type: "started", ...started });
    let { contextUsed } = started;
    let tokens = 0;
    let ms = 0;
    /** @type {import("./types.js").Finished} */
    let finished = null;
    while (!finished) {
      await messageTurn();
      await between();
      // The step after a stop brings what is left of an incomplete character, and ends the generation.
      if (shouldStop()) this.wasm.stop();
      const from = performance.now();
      const step = await this.wasm.next(STEP_BUDGET_MS);
      if (!step) break;
      if (step.phase === "prefill") {
        emit({ type: "prefill", done: step.done, total: step.total });
        continue;
      }
      ms += performance.now() - from;
      tokens += step.tokens.length;
      ({ contextUsed, finished } = step);
      emit({ type: "tokens", tokens: step.tokens, contextUsed, ms });
    }
    return { finished: finished ?? "stopped", promptTokens: started.promptTokens, tokens, ms, contextUsed };
  }

  /**
   * Answers one question of the inspector.
   * @param {import("../inspect/types.js").InspectRequest} request
   * @param {object} hooks
   * @param {(progress: import("../inspect/types.js").InspectProgress) => void} hooks.emit
   * @param {() => boolean} hooks.shouldStop ends the work, with the error "cancelled"
   * @param {() => Promise<void>} hooks.between runs between slices of work; only what needs no model may run then
   */
  async inspect(request, { emit, shouldStop, between }) {
    const pause = async (/** @type {import("../inspect/types.js").InspectProgress | null} */ progress) => {
      if (progress) emit(progress);
      await messageTurn();
      await between();
      return shouldStop();
    };
    // A question that nobody wants any more was waiting for its turn.
    if (await pause(null)) throw cancelled();
    return this.wasm.inspect(request, pause);
  }

  close() {
    this.wasm.free();
  }
}
