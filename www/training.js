/** Training as the page sees it: how a run goes, and what comes of it. Draws nothing. */
import { Comparison } from "./comparison.js";
import { EngineError, PageError, isAbort } from "./errors.js";
import { RUN_LINK, SavedRuns } from "./saved_runs.js";
import { storageSupported } from "./storage.js";
import { scratchSource } from "./sources.js";
import { samplePrompt, titleOf } from "./text.js";
import { TrainingPlan } from "./training_plan.js";

/** @typedef {import("./types.js").RunMode} RunMode */
/** @typedef {import("./types.js").RunEvent} RunEvent */
/** @typedef {import("./types.js").RunMeta} RunMeta */
/** @typedef {import("./types.js").Planned} Planned */
/** @typedef {import("./sources.js").ModelSource} ModelSource */
/** @typedef {"idle" | "starting" | "running" | "pausing" | "paused" | "stopped" | "finished"} RunPhase */

/**
 * What training needs of the rest of the page.
 * @typedef {object} TrainingParts
 * @property {import("./state.js").Store<import("./types.js").State>} store
 * @property {import("./client.js").Engine} engine
 * @property {(source: ModelSource, options?: { named?: string, quiet?: boolean }) => Promise<void>} open
 * @property {(prompt: string) => void} write shows the paper; `prompt` for a text that the model cannot read
 * @property {() => void} onChange
 * @property {(lines: [string, Record<string, string | number>?][], error?: unknown) => void} say
 */

export class Training {
  /** @param {TrainingParts} parts */
  constructor(parts) {
    this.parts = parts;
    parts.engine.onLeave = () => this.leave();
    parts.engine.onStay = () => this.stay();
    this.plan = new TrainingPlan(this);
    this.saves = new SavedRuns(this);
    this.strength = 1;
    /** @type {RunPhase} */
    this.phase = "idle";
    /** @type {import("./types.js").LossHistory} */
    this.history = { train: [], validation: [] };
    /** @type {(Planned & { steps: number }) | null} */
    this.run = null;
    this.runId = "";
    this.runName = "";
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
    /** The run's best weights, while it does not go on. @type {import("./types.js").BestWeights | null} */
    this.best = null;
    /** Another tab has the run. */
    this.readOnly = false;
    /** It was let go of, for a model that is about to take its place. */
    this.away = false;
    this.stopAsked = false;
    /** @type {RunMeta["sample"]} */
    this.sample = null;
    this.comparison = new Comparison(parts.onChange);
  }

  /** Forgets the run. */
  clear() {
    Object.assign(this, {
      phase: "idle", history: { train: [], validation: [] }, run: null, runId: "", runName: "", runMode: "full", step: 0, loss: NaN, rate: 0,
      elapsedMs: 0, resumedAt: 0, elapsedBefore: 0, savedStep: -1, best: null, readOnly: false, away: false, stopAsked: false, sample: null,
    });
    this.comparison.clear();
  }

  get busy() {
    return this.phase === "running" || this.phase === "pausing" || this.phase === "starting";
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

  /** Seconds until the run ends, as far as one can tell. */
  get remainingMs() {
    const done = this.step - this.resumedAt;
    return this.run && done > 0 ? ((this.elapsedMs - this.elapsedBefore) / done) * (this.run.steps - this.step) : NaN;
  }

  /** @param {unknown} error @param {string} key */
  failed(error, key) {
    if (isAbort(error) || (error instanceof EngineError && error.fatal)) return;
    this.parts.say([[key]], error);
  }

  async start() {
    const { engine, store, onChange, open } = this.parts;
    if (this.busy || !store.state.info) return;
    if (!this.plan.text.trim()) return this.parts.say([["train.error.noText"]]);
    const { plan } = this;
    const { mode } = plan;
    if (mode !== "scratch" && !this.origin) return this.failed(new PageError("error.noBase"), "train.error.start");
    plan.hold();
    this.clear();
    this.saves.offer = null;
    this.phase = "starting";
    onChange();
    try {
      const { trained } = store.state.info;
      const fresh = mode === "scratch" ? scratchSource(plan.scratchOptions(), plan.scratchName())
        : trained !== "" && trained !== mode ? this.origin : null;
      if (fresh) {
        await open(fresh);
        // What went wrong has been said.
        if (engine.source !== fresh) return this.clear();
      }
      const { origin } = this;
      if (!origin) throw new PageError("error.noBase");
      const meta = {
        id: crypto.randomUUID(), name: `${origin.name} · ${titleOf(plan.text)}`, mode, nParams: store.state.info.nParams,
        vocabSize: store.state.info.vocabSize,
        source: { kind: origin.kind, id: origin.id, name: origin.name },
      };
      const started = await (await engine.trainer()).request("trainStart", { request: plan.request(), meta });
      this.phase = "starting";
      this.begun(started.planned, meta.id, mode);
      this.runName = meta.name;
      store.set({ info: started.info });
      await this.train();
    } catch (error) {
      this.phase = this.run ? "stopped" : "idle";
      this.failed(error, "train.error.start");
    } finally {
      onChange();
    }
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
    }
    await this.saves.refresh();
  }

  /** Lets the model write with the weights that it has now. */
  async resample() {
    const { client } = this.parts.engine;
    if (!client || !this.run) return;
    await client.request("sample", {}, [], (event) => this.hear(event)).catch((error) => this.failed(error, "train.error.run"));
  }

  /** @param {RunEvent} event */
  hear(event) {
    if (event.type === "progress") {
      this.elapsedMs = event.elapsedMs;
      for (const one of event.events) {
        if (one.type === "step") {
          ({ step: this.step, loss: this.loss, tokensPerSecond: this.rate } = one);
          this.history.train.push([one.step, one.loss]);
        } else if (one.type === "evaluated") this.history.validation.push([one.step, one.loss]);
      }
    } else if (event.type === "sample") this.sample = event;
    else if (event.type === "saved") this.noteSaved(event.step);
    else this.parts.say([[event.reason === "error.quota" ? "error.quota" : "train.error.notSaved"]], event.reason === "error.quota" ? undefined : event.reason);
    this.parts.onChange();
  }

  /** From here on the tuned model can be opened again. @param {number} step */
  noteSaved(step) {
    if (step < 0 || !this.run) return;
    this.savedStep = step;
    const { engine } = this.parts;
    if (engine.source?.run?.id === this.runId) return;
    void this.saves.refresh();
    const { origin } = this;
    if (!origin) return;
    this.parts.store.set({ modelId: `${RUN_LINK}${this.runId}` });
    engine.source = { ...origin, kind: "run", id: "", name: this.runName, scratch: undefined, run: { id: this.runId, base: this.runMode === "lora" ? origin : null, origin } };
  }

  /** Writes the run now. */
  async save() {
    const { client } = this.parts.engine;
    if (!client || !this.run || !storageSupported()) return;
    try {
      this.noteSaved(await client.request("save"));
    } catch (error) {
      this.failed(error, "train.error.notSaved");
    }
    this.parts.onChange();
  }

  /** Before another model takes the place of this one: the run is saved, and another worker may have it. */
  async leave() {
    const { client } = this.parts.engine;
    if (!client || !this.run) return;
    this.away = true;
    try {
      client.request("stop").catch(() => {});
      await client.request("pause");
      if (!this.readOnly) await client.request("save");
      await client.request("release");
    } catch (error) {
      this.failed(error, "train.error.notSaved");
    }
  }

  /** The model that was to take its place could not be opened: the run is this page's again, unless another took it meanwhile. */
  async stay() {
    this.away = false;
    const { client } = this.parts.engine;
    const { runId } = this;
    if (!client || !this.run || this.readOnly) return;
    try {
      const readOnly = await client.request("reclaim");
      if (!readOnly || runId !== this.runId) return;
      this.readOnly = true;
      this.parts.say([["train.readOnly"]]);
      this.parts.onChange();
    } catch (error) {
      this.failed(error, "train.error.notSaved");
    }
  }

  pause() {
    if (this.phase !== "running") return;
    this.phase = "pausing";
    this.parts.engine.client?.request("pause").catch(() => {});
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
    if (this.phase === "paused" && !this.readOnly && !this.away) void this.train();
  }

  /** Another model is in use: a saved run shows where it stood. */
  opened() {
    const { engine: { restored }, store: { state: { info } } } = this.parts;
    this.comparison.close(info?.trained ? this.origin : null, info?.backend);
    if (restored) {
      const { meta, text, planned, readOnly, best } = restored;
      this.clear();
      Object.assign(this, { history: meta.history, elapsedMs: meta.elapsedMs, sample: meta.sample, readOnly, best, runName: meta.name });
      this.plan.mode = meta.mode;
      if (text !== this.plan.text) this.plan.keep(text, "");
      this.begun(planned, meta.id, meta.mode);
      this.savedStep = planned.step;
      this.loss = meta.history.train.at(-1)?.[1] ?? NaN;
      this.phase = planned.step >= (this.run?.steps ?? 0) ? "finished" : "paused";
      this.saves.offer = null;
      if (readOnly) this.parts.say([["train.readOnly"]]);
    } else if (this.phase !== "starting") this.clear();
    this.plan.soon();
  }

  /** Shows the paper, to write with the tuned model. */
  write() {
    this.parts.write(this.sample?.prompt ?? samplePrompt(this.plan.text));
  }

  /** The model, or its adapter, as a zip. @param {"model" | "adapter"} kind */
  async download(kind) {
    try {
      const url = URL.createObjectURL(await this.parts.engine.ready().request("exportZip", { kind }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${kind}.zip`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
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
    this.parts.onChange();
  }

  /** Adds an adapter to the model in use. @param {File} config @param {File} weights */
  async addAdapter(config, weights) {
    const read = async (/** @type {File} */ file) => new Uint8Array(await file.arrayBuffer());
    try {
      const info = await (await this.parts.engine.trainer()).request("addAdapter", { config: await read(config), weights: await read(weights) });
      this.strength = 1;
      this.parts.store.set({ info });
      this.parts.say([["train.adapterAdded"]]);
    } catch (error) {
      this.failed(error, "train.error.adapter");
    }
  }

  /** Lets the base model and the tuned one continue the same prompt. @param {string} prompt */
  async compare(prompt) {
    const { engine, store: { state } } = this.parts;
    const { origin, comparison } = this;
    if (!origin || comparison.busy) return;
    try {
      await comparison.write(engine, origin, state.info?.backend ?? "cpu", { ...state.settings, prompt });
    } catch (error) {
      this.failed(error, "train.error.compare");
    }
  }
}
