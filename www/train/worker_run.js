/** One training run in the worker: the loop, its samples, its saves. Only the worker imports this file. */
import { PageError, toWire } from "../core/errors.js";
import { samplePrompt } from "../core/text.js";
import { beat } from "../engine/pulse.js";
import { lockRun, releaseRuns } from "../models/locks.js";
import { isNewest, readRun, storageSupported, writeRun } from "../models/storage.js";
import { withLosses, withSample } from "./history.js";
import { SavePace } from "./save_pace.js";

/** @typedef {import("../engine/types.js").RunMeta} RunMeta */
/** @typedef {import("../engine/types.js").RunEvent} RunEvent */
/** @typedef {import("../engine/types.js").Planned} Planned */
/** @typedef {import("../engine/session.js").ModelSession} ModelSession */

/** How long one call into the engine may take: a pause is heard within it. */
const STEP_BUDGET_MS = 30;
const SAMPLE_EVERY_MS = 4_000;
/** Sampling may take this part of the time. */
const SHARE = 1 / 20;
const SAMPLE_TOKENS = 48;
const SAMPLING = { temperature: 0.7, topK: 40, topP: 0.95, minP: 0, repetitionPenalty: 1, seed: 7, stopAtEnd: false };

export class Run {
  /**
   * @param {ModelSession} session
   * @param {RunMeta} meta
   * @param {string} text
   * @param {boolean} readOnly it is not this worker's to write: another has it, or it is only looked at
   */
  constructor(session, meta, text, readOnly) {
    this.session = session;
    this.meta = meta;
    this.text = text;
    this.readOnly = readOnly;
    this.finished = meta.step >= meta.steps;
    this.savedStep = -1;
    /** Since the save there were steps or evaluations, or other weights were chosen, or another strength. */
    this.changed = false;
    this.pace = new SavePace(performance.now());
    this.lastSample = -Infinity;
    this.sampleCost = 0;
    /** Hears of the run while it goes on. @type {((event: RunEvent) => void) | null} */
    this.emit = null;
    /** What ended it while it was being saved. @type {unknown} */
    this.failure = null;
  }

  /**
   * @param {ModelSession} session
   * @param {import("../engine/types.js").TrainRequest} request
   * @param {Pick<RunMeta, "id" | "name" | "mode" | "source" | "nParams" | "vocabSize">} about
   */
  static async start(session, request, about) {
    const planned = await session.wasm.trainStart(request);
    // The run that there was has ended.
    releaseRuns();
    const { steps } = planned.options;
    /** @type {RunMeta} */
    const meta = {
      version: 1,
      ...about,
      step: 0,
      steps,
      savedAt: 0,
      elapsedMs: 0,
      history: { train: [], validation: [] },
      sample: null,
    };
    return { run: new Run(session, meta, request.text, !(await lockRun(meta.id))), planned };
  }

  /**
   * Opens a saved run. `open` makes the session from the model's small files, where it is not there yet.
   * @param {string} id
   * @param {(files: import("../engine/types.js").SmallFiles, state: Blob) => Promise<ModelSession>} open
   * @param {boolean} [look] it is only read: whoever has it keeps it, and nobody else is kept from it
   */
  static async restore(id, open, look = false) {
    const readOnly = look || !(await lockRun(id));
    const { meta, parts } = await readRun(id);
    const part = (/** @type {string} */ name) => parts.get(name) ?? new Blob();
    const read = async (/** @type {string} */ name) => new Uint8Array(await part(name).arrayBuffer());
    // A mark at the beginning is a token like any other.
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await read("text"));
    const session = await open(
      { "config.json": await read("config.json"), "tokenizer.json": await read("tokenizer.json") },
      part("state"),
    );
    const planned = await session.wasm.restoreState(part("state"), text);
    const run = new Run(session, { ...meta, step: planned.step }, text, readOnly);
    run.savedStep = run.pace.step = planned.step;
    if (meta.mode === "lora" && meta.strength !== undefined) session.wasm.setLoraStrength(meta.strength);
    return { run, planned };
  }

  /**
   * Trains until the end or a pause.
   * @param {object} hooks
   * @param {(event: RunEvent) => void} hooks.emit
   * @param {() => boolean} hooks.shouldPause
   * @param {() => Promise<void>} hooks.between gives the message queue its turn and runs what came
   * @returns {Promise<{ finished: boolean, step: number, best: import("../engine/types.js").BestWeights | null }>}
   */
  async train({ emit, shouldPause, between }) {
    this.emit = emit;
    this.failure = null;
    try {
      await this.goOn({ emit, shouldPause, between });
    } finally {
      this.emit = null;
      await this.catchUp(emit);
    }
    return { finished: this.finished, step: this.meta.step, best: this.best() };
  }

  /**
   * Breaks off a step under way and tells of those before it whose losses a GPU still had.
   * @param {(event: RunEvent) => void} emit
   */
  async catchUp(emit) {
    for (;;) {
      const { events } = await this.session.wasm.trainDrain();
      if (!events.length) return;
      this.tell(events, emit);
    }
  }

  /** @param {import("../engine/types.js").TrainEvent[]} events @param {(event: RunEvent) => void} emit */
  tell(events, emit) {
    this.note(events);
    emit({ type: "progress", events, elapsedMs: this.meta.elapsedMs });
  }

  /** @param {Parameters<Run["train"]>[0]} hooks */
  async goOn({ emit, shouldPause, between }) {
    const { meta } = this;
    let from = performance.now();
    const tick = () => {
      const now = performance.now();
      meta.elapsedMs += now - from;
      from = now;
    };
    while (!this.finished) {
      await between();
      if (this.failure) throw this.failure;
      if (shouldPause()) break;
      const step = await this.session.wasm.trainNext(STEP_BUDGET_MS);
      tick();
      if (!step) throw new PageError("error.runGone");
      if (!step.events.length) continue;
      this.tell(step.events, emit);
      const now = performance.now();
      const evaluated = step.events.some(({ type }) => type === "evaluated" || type === "finished");
      if (
        !shouldPause() &&
        (evaluated || now - this.lastSample > SAMPLE_EVERY_MS) &&
        now - this.lastSample > this.sampleCost / SHARE
      ) {
        // What it cannot write it can learn all the same; a worker that is broken shows it at the next step.
        await this.sample(emit, shouldPause).catch(() => {});
        tick();
      }
      if (storageSupported() && !this.readOnly && this.pace.due(now, meta.step) && !shouldPause())
        await this.autosave(emit);
    }
  }

  /** The weights with the lowest validation loss, where they are kept. */
  best() {
    return this.session.wasm.bestWeights() ?? null;
  }

  /** Lets the model write with its best weights, or with those of the last step again. @param {boolean} best */
  async useBest(best) {
    const now = await this.session.wasm.useBest(best);
    this.changed = true;
    // It was written with the others.
    this.meta.sample = null;
    return now ?? null;
  }

  /** How strongly adapters act when the model writes. @param {number} value */
  setStrength(value) {
    this.session.wasm.setLoraStrength(value);
    this.meta.strength = value;
    this.changed = true;
  }

  /** @param {import("../engine/types.js").TrainEvent[]} events */
  note(events) {
    const { meta } = this;
    // Also by what comes of a step that is saved already: the last one's evaluation.
    this.changed = true;
    meta.history = withLosses(meta.history, events);
    for (const event of events) {
      if (event.type === "finished") this.finished = true;
      else if (event.type === "step") meta.step = event.step;
    }
  }

  /**
   * Lets the model go on from the beginning of the text, with everything switched on.
   * @param {(event: RunEvent) => void} emit @param {() => boolean} shouldStop
   */
  async sample(emit, shouldStop) {
    const from = performance.now();
    const prompt = samplePrompt(this.text);
    let text = "";
    try {
      await this.session.generate(
        { ...SAMPLING, prompt, maxNewTokens: SAMPLE_TOKENS },
        {
          emit: (event) => {
            if (event.type === "tokens") text += event.tokens.map((token) => token.text).join("");
          },
          shouldStop,
          between: async () => {},
        },
        true,
      );
      if (shouldStop()) return;
      const best = this.best();
      this.meta.sample = { step: best?.inForce ? best.step : this.meta.step, prompt, text };
      this.meta.samples = withSample(this.meta.samples ?? [], this.meta.sample);
      emit({ type: "sample", ...this.meta.sample });
    } finally {
      this.lastSample = performance.now();
      this.sampleCost = this.lastSample - from;
    }
  }

  /** @param {(event: RunEvent) => void} emit */
  async autosave(emit) {
    try {
      emit({ type: "saved", step: await this.save() });
    } catch (error) {
      emit({ type: "notSaved", error: toWire(error) });
    }
  }

  /** Another worker may have the run: from here on nothing is written. */
  release() {
    this.readOnly = true;
    releaseRuns();
  }

  /**
   * Takes the run back, unless another has it, or had it meanwhile and saved. Returns whether it can now only be read.
   */
  async reclaim() {
    this.readOnly = !(await lockRun(this.meta.id));
    if (!this.readOnly && !(await isNewest(this.meta.id))) this.release();
    return this.readOnly;
  }

  /** Writes the run, unless nothing has changed. Returns the step that is safe; -1 for none. */
  async save() {
    const { meta } = this;
    if (this.readOnly || !storageSupported()) return this.savedStep;
    // The state would hold steps that nobody has been told of.
    if (this.emit) await this.catchUp(this.emit).catch((error) => (this.failure = error));
    if (this.savedStep === meta.step && !this.changed) return meta.step;
    const from = performance.now();
    meta.savedAt = Date.now();
    try {
      const bytes = await this.write();
      this.pace.saved(from, performance.now(), meta.step, bytes);
    } catch (error) {
      this.pace.missed(from, performance.now());
      throw error;
    }
    this.savedStep = meta.step;
    this.changed = false;
    return meta.step;
  }

  /** @returns {Promise<number>} how many bytes it took */
  async write() {
    const { meta, session } = this;
    return writeRun(meta.id, meta, async (add) => {
      await add("text", new TextEncoder().encode(this.text));
      for (const { name, bytes } of session.wasm.modelFiles()) await add(name, bytes);
      /** What the disk failed with: the engine passes on no more than its words. @type {unknown} */
      let full = null;
      const piece = (/** @type {Uint8Array<ArrayBuffer>} */ bytes) =>
        add("state", bytes).then(beat, (error) => {
          full = error;
          throw error;
        });
      await session.wasm.saveState(piece).catch((error) => {
        throw full ?? error;
      });
    });
  }
}
