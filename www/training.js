/** Training as the page sees it: what is to be learnt, how a run goes, what comes of it. Draws nothing. */
import { Engine } from "./client.js";
import { storage } from "./dom.js";
import { EngineError, PageError, isAbort } from "./errors.js";
import { t } from "./i18n/index.js";
import { deleteRun, listRuns, renameRun, storageSupported } from "./storage.js";
import { runSource, scratchSource, shippedSource, urlSource } from "./sources.js";
import { samplePrompt, titleOf } from "./text.js";

/** @typedef {import("./types.js").RunMode} RunMode */
/** @typedef {import("./types.js").RunEvent} RunEvent */
/** @typedef {import("./types.js").RunMeta} RunMeta */
/** @typedef {import("./types.js").Planned} Planned */
/** @typedef {import("./types.js").SavedRun} SavedRun */
/** @typedef {import("./sources.js").ModelSource} ModelSource */
/** @typedef {"idle" | "starting" | "running" | "pausing" | "paused" | "stopped" | "finished"} RunPhase */

const PLAN_AFTER_MS = 400;
/** The linear layers of a block, as PEFT names them. */
export const LORA_TARGETS = ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"];
/** A longer text is not kept over a reload before it is trained on. */
const MOST_KEPT_TEXT = 2_000_000;
const MODELS_INDEX = new URL("./models/index.json", import.meta.url);
/** Begins the name that a run has in the address. */
export const RUN_LINK = "run:";
const COMPARE_TOKENS = 80;

/** @typedef {{ prompt: string, base: string, tuned: string, busy: boolean }} Comparison */

/**
 * What training needs of the rest of the page.
 * @typedef {object} TrainingParts
 * @property {import("./state.js").Store<import("./types.js").State>} store
 * @property {Engine} engine
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
    this.text = storage.getTab("trainText") ?? "";
    /** The file that it is from. */
    this.textName = storage.getTab("trainTextName") ?? "";
    /** @type {RunMode} */
    this.mode = "full";
    /** What the user set, by the name of the option. @type {Record<string, number>} */
    this.given = {};
    this.scratch = { preset: "tiny", tokenizer: "char", vocabSize: 512 };
    /** @type {Planned | null} */
    this.plan = null;
    /** @type {unknown} */
    this.planError = null;
    this.planTimer = 0;
    this.planNumber = 0;
    /** @type {SavedRun[]} */
    this.saved = [];
    /** The run that a reload can go on with. @type {SavedRun | null} */
    this.offer = null;
    /** The saved run that is being opened. @type {{ id: string, done: Promise<void> } | null} */
    this.opening = null;
    this.strength = 1;
    /** @type {{ engine: Engine, source: ModelSource } | null} */
    this.base = null;
    /** @type {RunPhase} */
    this.phase = "idle";
    /** Layers that get an adapter. @type {string[]} */
    this.targets = [...LORA_TARGETS];
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
    this.stopAsked = false;
    /** @type {RunMeta["sample"]} */
    this.sample = null;
    /** @type {Comparison | null} */
    this.comparison = null;
  }

  /** Forgets the run. */
  clear() {
    Object.assign(this, {
      phase: "idle", history: { train: [], validation: [] }, run: null, runId: "", runName: "", runMode: "full", step: 0, loss: NaN, rate: 0,
      elapsedMs: 0, resumedAt: 0, elapsedBefore: 0, savedStep: -1, best: null, readOnly: false, stopAsked: false, sample: null,
      comparison: null,
    });
  }

  get busy() {
    return this.phase === "running" || this.phase === "pausing" || this.phase === "starting";
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

  /** @param {string} text @param {string} [name] the file that it is from */
  setText(text, name = "") {
    this.keepText(text, name);
    this.planSoon();
  }

  /** @param {string} text @param {string} name */
  keepText(text, name) {
    // As a text field would: with line ends of one kind.
    this.text = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    this.textName = name;
    const kept = this.text.length <= MOST_KEPT_TEXT;
    storage.setTab("trainText", kept ? this.text : "");
    storage.setTab("trainTextName", kept ? name : "");
  }

  /** @param {RunMode} mode */
  setMode(mode) {
    this.mode = mode;
    this.planSoon();
  }

  /** @param {string} name @param {string} value empty for the default */
  setOption(name, value) {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) delete this.given[name];
    else this.given[name] = number;
    this.planSoon();
  }

  /** Which layers get an adapter. @param {string[]} targets */
  setTargets(targets) {
    this.targets = targets;
    this.planSoon();
  }

  /** @param {Partial<Training["scratch"]>} patch */
  setScratch(patch) {
    this.scratch = { ...this.scratch, ...patch };
    this.planSoon();
  }

  /** The options that differ from the defaults, as the engine takes them. */
  options() {
    const { lora_rank, lora_alpha, ...plain } = this.given;
    /** @type {Record<string, unknown>} */
    const options = plain;
    if (this.mode === "lora") {
      const rank = lora_rank === undefined ? {} : { rank: lora_rank };
      const alpha = lora_alpha === undefined ? {} : { alpha: lora_alpha };
      options.lora = { ...rank, ...alpha, targets: this.targets };
    }
    return JSON.stringify(options);
  }

  request() {
    return { text: this.text, lora: this.mode === "lora", options: this.options() };
  }

  scratchOptions() {
    return { ...this.scratch, text: this.text, seed: this.given.seed ?? 1337 };
  }

  /** A name for a model with random weights. */
  scratchName() {
    const { preset, tokenizer } = this.scratch;
    return t("train.scratch.name", { preset: t(`train.preset.${preset}.name`), tokenizer: t(`train.tokenizer.${tokenizer}.name`) });
  }

  planSoon() {
    clearTimeout(this.planTimer);
    this.planTimer = window.setTimeout(() => void this.replan(), PLAN_AFTER_MS);
    this.parts.onChange();
  }

  /** Asks the engine what a run would be and need. */
  async replan() {
    const { engine, store, onChange } = this.parts;
    if (this.locked || !engine.client || !store.state.info) return;
    const number = ++this.planNumber;
    /** @type {Planned | null} */
    let plan = null;
    /** @type {unknown} */
    let failure = null;
    if (this.text.trim()) {
      try {
        plan = this.mode === "scratch"
          ? await (await engine.trainer()).request("scratchPlan", { backend: store.state.info.backend, options: this.scratchOptions(), given: this.options() })
          : await (await engine.trainer()).request("trainPlan", { request: this.request() });
      } catch (error) {
        failure = isAbort(error) ? null : error;
      }
    }
    if (number !== this.planNumber) return;
    this.plan = plan;
    this.planError = failure;
    onChange();
  }

  async start() {
    const { engine, store, onChange, open } = this.parts;
    if (this.busy || !store.state.info) return;
    if (!this.text.trim()) return this.parts.say([["train.error.noText"]]);
    clearTimeout(this.planTimer);
    const { mode } = this;
    this.clear();
    this.offer = null;
    this.phase = "starting";
    onChange();
    try {
      const { trained } = store.state.info;
      const fresh = mode === "scratch" ? scratchSource(this.scratchOptions(), this.scratchName())
        : trained !== "" && trained !== mode ? this.origin : null;
      if (fresh) {
        await open(fresh);
        // What went wrong has been said.
        if (engine.source !== fresh) return this.clear();
      }
      const { origin } = this;
      if (!origin) throw new PageError("error.noBase");
      const meta = {
        id: crypto.randomUUID(), name: `${origin.name} · ${titleOf(this.text)}`, mode, nParams: store.state.info.nParams,
        vocabSize: store.state.info.vocabSize,
        source: { kind: origin.kind, id: origin.id, name: origin.name },
      };
      const started = await (await engine.trainer()).request("trainStart", { request: this.request(), meta });
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
    this.plan = planned;
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
    await this.refresh();
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
    void this.refresh();
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
    try {
      client.request("stop").catch(() => {});
      await client.request("pause");
      if (!this.readOnly) await client.request("save");
      await client.request("release");
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
    if (this.phase === "paused" && !this.readOnly) void this.train();
  }

  /** Another model is in use: a saved run shows where it stood. */
  opened() {
    const { restored } = this.parts.engine;
    if (restored) {
      const { meta, text, planned, readOnly, best } = restored;
      this.clear();
      Object.assign(this, { history: meta.history, elapsedMs: meta.elapsedMs, sample: meta.sample, readOnly, best, mode: meta.mode, runName: meta.name });
      if (text !== this.text) this.keepText(text, "");
      this.begun(planned, meta.id, meta.mode);
      this.savedStep = planned.step;
      this.loss = meta.history.train.at(-1)?.[1] ?? NaN;
      this.phase = planned.step >= (this.run?.steps ?? 0) ? "finished" : "paused";
      this.offer = null;
      if (readOnly) this.parts.say([["train.readOnly"]]);
    } else if (this.phase !== "starting") this.clear();
    this.planSoon();
  }

  /** Reads the list of saved runs anew. @param {boolean} [offer] whether to offer the newest that is not finished */
  async refresh(offer = false) {
    this.saved = await listRuns();
    const newest = this.saved[0];
    if (offer && newest && newest.meta.step < newest.meta.steps && newest.meta.id !== this.runId) this.offer = newest;
    this.parts.onChange();
  }

  /** Opens a saved run. @param {SavedRun} run @param {boolean} [goOn] */
  async openSaved({ meta }, goOn = false) {
    try {
      // A second worker would find it taken by the first.
      if (this.opening?.id !== meta.id) {
        const done = this.parts.open(runSource(meta, this.sourceOf(meta)), { named: `${RUN_LINK}${meta.id}` }).finally(() => {
          if (this.opening?.done === done) this.opening = null;
        });
        this.opening = { id: meta.id, done };
      }
      await this.opening.done;
      if (goOn && this.runId === meta.id) this.resume();
    } catch (error) {
      this.failed(error, "train.error.open");
    }
  }

  /**
   * Opens the run that the address names.
   * @param {string} id @param {() => boolean} [free] whether nothing else was opened meanwhile
   * @returns {Promise<"opened" | "failed" | "missing">} what failed has been said
   */
  async openNamed(id, free = () => true) {
    await this.refresh();
    if (!free()) return "opened";
    const run = this.saved.find(({ meta }) => meta.id === id);
    if (!run) return "missing";
    await this.openSaved(run);
    return this.parts.engine.source?.run?.id === id ? "opened" : "failed";
  }

  /** Shows the paper, to write with the tuned model. */
  write() {
    this.parts.write(this.sample?.prompt ?? samplePrompt(this.text));
  }

  /** @param {RunMeta} meta @returns {ModelSource | null} */
  sourceOf({ source }) {
    const { engine, store } = this.parts;
    if (source.kind === "shipped") {
      const model = store.state.shipped.find(({ id }) => id === source.id);
      return model ? shippedSource(model, MODELS_INDEX) : null;
    }
    if (source.kind === "url") return urlSource(source.id);
    // Files are not kept: they must be open already.
    return this.origin?.kind === source.kind && this.origin.name === source.name ? engine.source && this.origin : null;
  }

  /** @param {SavedRun} run @param {string} name */
  async rename({ meta }, name) {
    try {
      await renameRun(meta.id, name.trim() || meta.name);
    } catch (error) {
      this.failed(error, "train.error.rename");
    }
    await this.refresh();
  }

  /** @param {SavedRun} run */
  async remove({ meta }) {
    if (this.offer?.meta.id === meta.id) this.offer = null;
    await deleteRun(meta.id).catch((error) => this.failed(error, "train.error.delete"));
    await this.refresh();
  }

  /** The model, or its adapter, as a zip. @param {"model" | "adapter"} kind */
  async download(kind) {
    try {
      const bytes = await this.parts.engine.ready().request("exportZip", { kind });
      const url = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
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
      this.comparison = null;
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
    const { engine, store, onChange } = this.parts;
    const { origin } = this;
    if (!origin || this.comparison?.busy) return;
    /** @type {Comparison} */
    const comparison = { prompt, base: "", tuned: "", busy: true };
    this.comparison = comparison;
    onChange();
    try {
      if (this.base?.source.name !== origin.name || !this.base.engine.client) {
        this.base?.engine.client?.close();
        const base = new Engine(() => {});
        await base.load(origin, store.state.info?.backend ?? "cpu", { signal: new AbortController().signal, onProgress: () => {} });
        this.base = { engine: base, source: origin };
      }
      const options = { ...store.state.settings, prompt, maxNewTokens: COMPARE_TOKENS };
      const write = (/** @type {Engine} */ one, /** @type {"base" | "tuned"} */ side) => one.generate(options, (event) => {
        if (event.type !== "tokens") return;
        comparison[side] += event.tokens.map((token) => token.text).join("");
        onChange();
      }, true);
      await Promise.all([write(engine, "tuned"), write(this.base.engine, "base")]);
    } catch (error) {
      this.failed(error, "train.error.compare");
    } finally {
      comparison.busy = false;
      onChange();
    }
  }
}
