/** Training as the page sees it: how a run goes, and what comes of it. Draws nothing. */

import { saveBlob } from "../core/dom.js";
import { fromWire, isAbort, isFatal, part } from "../core/errors.js";
import { samplePrompt } from "../core/text.js";
import { fileName } from "../models/file_names.js";
import { readSmall } from "../models/reading.js";
import { RUN_LINK, SavedRuns } from "../models/saved_runs.js";
import { runSource } from "../models/sources.js";
import { storageSupported } from "../models/storage.js";
import { Comparison } from "./comparison.js";
import { Handover } from "./handover.js";
import { TrainingPlan } from "./plan.js";
import { restorePlan } from "./settings.js";
import { TrainingStart } from "./start.js";

/** @typedef {import("../engine/types.js").RunMode} RunMode */
/** @typedef {import("../engine/types.js").RunEvent} RunEvent */
/** @typedef {import("../engine/types.js").RunMeta} RunMeta */
/** @typedef {import("../engine/types.js").Planned} Planned */
/** @typedef {import("../models/sources.js").ModelSource} ModelSource */
/** Hundreds of steps a second must not be drawn one by one: the page would fall behind the run. */
const DRAW_EVERY_MS = 100;
/** Until a slider has come to rest. */
const STRENGTH_SAVE_MS = 600;

/** @typedef {"idle" | "starting" | "running" | "pausing" | "paused" | "stopped" | "finished"} RunPhase */

/**
 * What training needs of the rest of the page.
 * @typedef {object} TrainingParts
 * @property {import("../core/state.js").Store<import("../engine/types.js").State>} store
 * @property {import("../engine/client.js").Engine} engine
 * @property {import("../core/kept.js").Kept} kept
 * @property {(source: ModelSource, options?: { named?: string, quiet?: boolean }) => Promise<void>} open
 * @property {(prompt: string) => void} write shows the paper; `prompt` for a text that the model cannot read
 * @property {() => void} onChange
 * @property {(lines: [string, Record<string, string | number>?][], error?: unknown, actions?: { key: string, run: () =>
 *   void }[]) => void} say
 */

export class Training {
  /** @param {TrainingParts} parts */
  constructor(parts) {
    this.parts = parts;
    this.handover = new Handover(this);
    parts.engine.onLeave = () => this.handover.leave();
    parts.engine.onStay = () => this.handover.stay();
    this.plan = new TrainingPlan(this);
    /** A part of what was kept on the Train tab could not be read. */
    this.planDamaged = !restorePlan(this.plan);
    this.saves = new SavedRuns(this);
    this.starter = new TrainingStart(this);
    this.strength = 1;
    this.strengthTimer = 0;
    this.drawTimer = 0;
    /** @type {RunPhase} */
    this.phase = "idle";
    /** @type {import("../engine/types.js").LossHistory} */
    this.history = { train: [], validation: [] };
    /** @type {(Planned & { steps: number }) | null} */
    this.run = null;
    this.runId = "";
    this.runName = "";
    /** What the run learns from: the field's may be another by the time it goes on. */
    this.runText = "";
    /** The model that it began from, also where that cannot be had any more. @type {RunMeta["source"] | null} */
    this.from = null;
    /** @type {RunMode} */
    this.runMode = "full";
    this.step = 0;
    this.loss = NaN;
    this.rate = 0;
    this.elapsedMs = 0;
    /** Where training began or went on last, for the time that is left. */
    this.resumedAt = 0;
    this.elapsedBefore = 0;
    this.savedStep = -1;
    /** The run's best weights, while it does not go on. @type {import("../engine/types.js").BestWeights | null} */
    this.best = null;
    /** Another tab has the run. */
    this.readOnly = false;
    /** That tab has let go of it. */
    this.free = false;
    /** It was let go of, for a model that is about to take its place. */
    this.away = false;
    this.stopAsked = false;
    /** @type {RunMeta["sample"]} */
    this.sample = null;
    /** Why the run is not saved, for as long as that is so. @type {unknown} */
    this.saveFailure = null;
    /** The browser was asked to let saves stay. */
    this.persists = false;
    this.comparison = new Comparison(parts.onChange);
  }

  /** Forgets the run. */
  clear() {
    Object.assign(this, {
      phase: "idle",
      history: { train: [], validation: [] },
      run: null,
      runId: "",
      runName: "",
      runText: "",
      from: null,
      runMode: "full",
      step: 0,
      loss: NaN,
      rate: 0,
      elapsedMs: 0,
      resumedAt: 0,
      elapsedBefore: 0,
      savedStep: -1,
      best: null,
      readOnly: false,
      free: false,
      away: false,
      stopAsked: false,
      sample: null,
      saveFailure: null,
    });
    this.comparison.clear();
  }

  /** Whether the browser lets runs be saved here. */
  get keeps() {
    return storageSupported();
  }

  get busy() {
    return this.goesOn || this.phase === "starting";
  }

  /** Whether steps are being made. */
  get goesOn() {
    return this.phase === "running" || this.phase === "pausing";
  }

  /** Whether a text is being written: a pause waits for its end. */
  get writing() {
    return this.parts.engine.texts > 0;
  }

  /** Whether the text and the numbers belong to a run that goes on. */
  get locked() {
    return this.busy || this.phase === "paused";
  }

  /** The model that the run began from. @returns {ModelSource | null} */
  get origin() {
    const { source } = this.parts.engine;
    return source?.run ? source.run.origin : source;
  }

  /** Whether the run stands still with steps left. */
  get canGoOn() {
    return this.run !== null && (this.phase === "paused" || this.phase === "stopped") && this.step < this.run.steps;
  }

  /** Whether closing the page would lose steps. */
  get unsaved() {
    return this.run !== null && !this.readOnly && this.savedStep < this.step;
  }

  /** Whether a new run would train the open model further, which is tuned already. */
  get further() {
    return !this.locked && this.plan.mode !== "scratch" && Boolean(this.parts.store.state.info?.trained);
  }

  /** The name of the model that it could begin from instead. */
  get instead() {
    const { origin } = this;
    // Random weights have a choice of their own.
    return this.further && origin && origin.kind !== "scratch" ? origin.name : "";
  }

  /** Seconds until the run ends, as far as one can tell. */
  get remainingMs() {
    if (!this.locked) return NaN;
    const done = this.step - this.resumedAt;
    return this.run && done > 0 ? ((this.elapsedMs - this.elapsedBefore) / done) * (this.run.steps - this.step) : NaN;
  }

  /** @param {unknown} error @param {string} key */
  failed(error, key) {
    // What became of the worker in use is told by who starts it again.
    if (isAbort(error) || (isFatal(error) && !this.parts.engine.client)) return;
    this.parts.say([[key]], error);
  }

  /** The run could not be saved: that is said on every tab until it is. @param {unknown} error */
  notSaved(error) {
    if (!isAbort(error) && !isFatal(error)) this.saveFailure = error;
  }

  /** @param {boolean} [afresh] from the model that a tuned one began from */
  start(afresh) {
    return this.starter.start(afresh);
  }

  /** @param {Planned} planned @param {string} id @param {RunMode} mode */
  begun(planned, id, mode) {
    this.plan.planned = planned;
    this.run = { ...planned, steps: JSON.parse(planned.options).steps };
    this.runId = id;
    this.runMode = mode;
    this.step = planned.step;
    this.resumedAt = planned.step;
    this.elapsedBefore = this.elapsedMs;
    this.strength = 1;
  }

  /** Trains until the end, a pause, or an error. */
  async train() {
    const { engine, onChange } = this.parts;
    this.phase = "running";
    // What comes now was not given up.
    this.handover.given = "";
    this.stopAsked = false;
    // A run goes on from its last weights.
    this.best = null;
    this.resumedAt = this.step;
    this.elapsedBefore = this.elapsedMs;
    onChange();
    try {
      const { finished, best } = await engine.ready().request("train", {}, [], (event) => this.hear(event));
      this.best = best;
      this.phase = finished ? "finished" : this.stopAsked ? "stopped" : "paused";
      onChange();
      if (this.phase !== "paused") await this.resample();
      await this.save();
    } catch (error) {
      this.phase = "stopped";
      this.failed(error, "train.error.run");
      await this.keep();
    }
    await this.saves.refresh();
  }

  /** What is left of a run that failed: its last good weights. */
  async keep() {
    const { client } = this.parts.engine;
    if (!client || !this.run) return;
    this.best = await client.request("best").catch(() => null);
    // What went wrong is told already.
    this.noteSaved(await client.request("save").catch(() => -1));
    this.parts.onChange();
  }

  /** Lets the model write with the weights that it has now. */
  async resample() {
    const { client } = this.parts.engine;
    if (!client || !this.run) return;
    await client
      .request("sample", {}, [], (event) => this.hear(event))
      .catch((error) => this.failed(error, "train.error.run"));
  }

  /** @param {RunEvent} event */
  hear(event) {
    const { onChange } = this.parts;
    if (event.type === "progress") {
      this.elapsedMs = event.elapsedMs;
      for (const one of event.events) {
        if (one.type === "step") {
          ({ step: this.step, loss: this.loss, tokensPerSecond: this.rate } = one);
          this.history.train.push([one.step, one.loss]);
        } else if (one.type === "evaluated" && Number.isFinite(one.loss))
          this.history.validation.push([one.step, one.loss]);
      }
      this.drawTimer ||= window.setTimeout(() => {
        this.drawTimer = 0;
        onChange();
      }, DRAW_EVERY_MS);
      return;
    }
    if (event.type === "sample") this.sample = event;
    else if (event.type === "saved") this.noteSaved(event.step);
    else this.notSaved(fromWire(event.error));
    onChange();
  }

  /** From here on the tuned model can be opened again. @param {number} step */
  noteSaved(step) {
    if (step < 0 || !this.run) return;
    this.savedStep = step;
    this.saveFailure = null;
    // Without it a browser may make room by deleting what is saved here.
    if (!this.persists) void navigator.storage.persist?.().catch(() => {});
    this.persists = true;
    const { engine } = this.parts;
    if (engine.source?.run?.id === this.runId) return;
    void this.saves.refresh();
    const { runId: id, runName: name, runMode: mode, from: source } = this;
    if (!source) return;
    this.parts.store.set({ modelId: `${RUN_LINK}${id}` });
    engine.source = runSource({ id, name, mode, source }, this.origin);
  }

  /** Writes the run now. */
  async save() {
    const { client } = this.parts.engine;
    if (!client || !this.run || !storageSupported()) return;
    try {
      this.noteSaved(await client.request("save"));
    } catch (error) {
      this.notSaved(error);
    }
    this.parts.onChange();
  }

  pause() {
    if (this.phase !== "running") return;
    this.phase = "pausing";
    this.parts.engine.client?.request("pause").catch((error) => {
      // Else it would be pausing for ever.
      if (this.phase === "pausing") this.phase = "running";
      this.failed(error, "train.error.pause");
      this.parts.onChange();
    });
    this.parts.onChange();
  }

  stop() {
    this.stopAsked = true;
    if (this.phase === "paused") {
      this.phase = "stopped";
      if (this.sample?.step !== this.step) void this.resample();
    } else this.pause();
    this.parts.onChange();
  }

  resume() {
    if (!this.canGoOn) return;
    if (this.readOnly) return this.free ? void this.saves.openById(this.runId, true) : undefined;
    if (this.away) return;
    const { plan } = this;
    plan.hold();
    plan.mode = this.runMode;
    if (plan.text !== this.runText) plan.keep(this.runText, "");
    Object.assign(plan, { planned: this.run, error: null });
    void this.train();
  }

  /**
   * The engine was lost, and what was learnt since the last save with it.
   * @returns {() => { lines: [string, Record<string, number>?][], actions: { key: string, run: () => void }[] }} tells,
   *   when the engine is there again, where the run stands
   */
  crashed() {
    const { runId, step, goesOn } = this;
    return () => {
      if (!goesOn) return { lines: [], actions: [] };
      if (this.runId !== runId) return { lines: [["train.crashed.gone", { step }]], actions: [] };
      return {
        lines: [["train.crashed", { step, saved: this.step }]],
        actions: [{ key: "train.resume", run: () => this.resume() }],
      };
    };
  }

  /** Another model is in use: a saved run shows where it stood. */
  opened() {
    const {
      engine: { restored, source },
      store: {
        state: { info },
      },
    } = this.parts;
    const starting = this.starter.opened(source);
    this.comparison.close(info?.trained ? this.origin : null, info?.backend);
    if (restored) {
      const { meta, text, planned, readOnly, best } = restored;
      this.clear();
      Object.assign(this, {
        history: meta.history,
        elapsedMs: meta.elapsedMs,
        sample: meta.sample,
        readOnly,
        best,
        runName: meta.name,
        runText: text,
        from: meta.source,
      });
      this.plan.mode = meta.mode;
      if (text !== this.plan.text) this.plan.keep(text, "");
      this.begun(planned, meta.id, meta.mode);
      this.strength = meta.strength ?? 1;
      this.savedStep = planned.step;
      this.loss = meta.history.train.at(-1)?.[1] ?? NaN;
      this.phase = planned.step >= (this.run?.steps ?? 0) ? "finished" : "paused";
      this.saves.offer = null;
      if (readOnly) this.handover.elsewhere();
    } else {
      this.clear();
      if (starting) this.phase = "starting";
    }
    this.handover.opened();
    this.plan.soon();
  }

  /** Shows the paper, to write with the tuned model. */
  write() {
    this.parts.write(this.sample?.prompt ?? samplePrompt(this.plan.text));
  }

  /** The model, or its adapter, as a zip. @param {"model" | "adapter"} kind */
  async download(kind) {
    try {
      const zip = await this.parts.engine.ready().request("exportZip", { kind });
      const name = fileName(this.runName || this.parts.engine.source?.name || "") || "gpt";
      saveBlob(kind === "model" ? `${name}.zip` : `${name}-adapter.zip`, zip);
    } catch (error) {
      this.failed(error, "train.error.export");
    }
  }

  /** Lets the model write with its best weights, or with those of the last step again. @param {boolean} best */
  async useBest(best) {
    try {
      this.best = await this.parts.engine.ready().request("useBest", { best });
      // It was written with the others.
      this.comparison.clear();
      this.sample = null;
      this.parts.onChange();
      await this.resample();
      await this.save();
    } catch (error) {
      this.failed(error, "train.error.best");
    }
  }

  /** @param {number} value */
  setStrength(value) {
    this.strength = value;
    this.parts.engine.client?.request("strength", { value }).catch((error) => this.failed(error, "train.error.run"));
    clearTimeout(this.strengthTimer);
    // A run that goes on is saved by itself.
    this.strengthTimer = window.setTimeout(() => this.busy || void this.save(), STRENGTH_SAVE_MS);
    this.parts.onChange();
  }

  /** Adds an adapter to the model in use. @param {File} config @param {File} weights */
  async addAdapter(config, weights) {
    const { engine, open, say, store } = this.parts;
    if (this.busy) return say([["train.adapterBusy"]]);
    const { runId, origin } = this;
    const { info: before, adapterId: wanted } = store.state;
    const trained = before?.trained;
    const { models } = engine;
    try {
      if (!(await this.handover.secure(() => void this.addAdapter(config, weights)))) return;
      // Adapters go onto the model that those there are for, and onto what a run has made of a whole model.
      const below =
        trained === "lora" ? origin && { ...origin } : trained === "full" ? await this.starter.tuned(false) : null;
      // The user has chosen another model meanwhile.
      if (store.state.loading || engine.models !== models) return;
      if (below) {
        await open(below);
        // What went wrong has been said.
        if (engine.source !== below) return;
      }
      const { models: onto } = engine;
      const client = await engine.trainer();
      if (engine.models !== onto) return;
      const { fingerprint } = await part(import("../core/fingerprint.js"));
      const id = await fingerprint(weights, config);
      const info = await client.request("addAdapter", { config: await readSmall(config), weights });
      this.clear();
      this.strength = 1;
      store.set({ info, adapterId: id });
      this.handover.opened();
      this.plan.soon();
      // One that is there already was asked for by nobody.
      const other = wanted && id && wanted !== id && trained !== "lora";
      say([other ? ["message.otherAdapter", { wanted, id }] : ["train.adapterAdded"]]);
    } catch (error) {
      // The run has given way to it in vain.
      if (runId && this.runId !== runId) await this.saves.openById(runId);
      this.failed(error, "train.error.adapter");
    }
  }

  /** Lets the base model and the tuned one continue the same prompt. @param {string} prompt */
  async compare(prompt) {
    const {
      engine,
      store: { state },
    } = this.parts;
    const { origin, comparison } = this;
    if (!origin || comparison.busy) return;
    try {
      await comparison.write(engine, origin, state.info?.backend ?? "cpu", { ...state.settings, prompt });
    } catch (error) {
      this.failed(error, "train.error.compare");
    }
  }
}
