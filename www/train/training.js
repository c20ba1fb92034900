/**
 * Training as the page sees it: keeps its state (`run_state.js` says what happens to it), carries out what follows, and
 * tells what comes of that. Draws nothing.
 */
import { saveBlob } from "../core/dom.js";
import { isAbort, isFatal } from "../core/errors.js";
import { samplePrompt } from "../core/text.js";
import { fileName } from "../models/file_names.js";
import { whenFree } from "../models/locks.js";
import { RUN_LINK, SavedRuns } from "../models/saved_runs.js";
import { runSource } from "../models/sources.js";
import { storageSupported } from "../models/storage.js";
import { addAdapter } from "./adapter.js";
import * as ask from "./asking.js";
import { Comparison } from "./comparison.js";
import { leave, secure, stay } from "./handover.js";
import { TrainingPlan } from "./plan.js";
import { afterCrash, busy, initialRunState, locked, runId } from "./run_facts.js";
import { step } from "./run_state.js";
import { begin } from "./start.js";

/** @typedef {import("../models/sources.js").ModelSource} ModelSource */
/** @typedef {import("./run_events.js").RunStateEvent} RunStateEvent */
/** @typedef {import("./run_events.js").Effect} Effect */
/** @template {Effect["type"]} T @typedef {Extract<Effect, { type: T }>} Of */
/** @typedef {[string, Record<string, string | number>?][]} Lines */
/** Hundreds of steps a second must not be drawn one by one: the page would fall behind the run. */
const DRAW_EVERY_MS = 100;
/** Until a slider has come to rest. */
const STRENGTH_SAVE_MS = 600;

/**
 * What training needs of the rest of the page.
 * @typedef {object} TrainingParts
 * @property {import("../core/state.js").Store<import("../engine/types.js").State>} store
 * @property {import("../engine/client.js").Engine} engine
 * @property {import("../core/kept.js").Kept} kept
 * @property {(source: ModelSource, options?: { named?: string, quiet?: boolean }) => Promise<void>} open
 * @property {(prompt: string) => void} write shows the paper; `prompt` for a text that the model cannot read
 * @property {() => void} onChange
 * @property {(lines: Lines, error?: unknown, actions?: { key: string, run: () => void }[]) => void} say
 */

export class Training {
  /** @param {TrainingParts} parts */
  constructor(parts) {
    this.parts = parts;
    const { store, engine, kept, open, onChange } = parts;
    this.state = initialRunState({ keeps: storageSupported() });
    /** What has happened and was not looked at yet. @type {RunStateEvent[]} */
    this.events = [];
    this.looking = false;
    this.strengthTimer = 0;
    this.drawTimer = 0;
    /** Ends the wait for the tab that has the run. @type {AbortController | null} */
    this.waiting = null;
    /** The browser was asked to let saves stay. */
    this.persists = false;
    const failed = (/** @type {unknown} */ error, /** @type {string} */ key) => this.failed(error, key);
    this.plan = new TrainingPlan({
      kept,
      trainer: () => engine.trainer(),
      backend: () => store.state.info?.backend ?? "cpu",
      free: () => !locked(this.state) && engine.client !== null && store.state.info !== null,
      onChange,
    });
    this.saves = new SavedRuns({
      ...{ store, engine, open, failed, onChange },
      origin: () => this.origin,
      openId: () => runId(this.state),
      onResume: () => this.resume(),
      onRenamed: (run, name) => this.dispatch({ type: "renamed", run, name }),
      onUnnamed: (run) => this.dispatch({ type: "unnamed", run }),
    });
    this.comparison = new Comparison(onChange);
    const state = () => this.state;
    const dispatch = (/** @type {RunStateEvent} */ event) => this.dispatch(event);
    /** @type {ask.Asking} */
    this.asking = { engine, dispatch, failed, backend: () => store.state.info?.backend ?? "" };
    /** @type {import("./handover.js").Giving} */
    this.giving = { state, dispatch, client: () => engine.client };
    /** @type {import("./start.js").Starting} */
    this.starting = {
      ...{ store, engine, open, state, plan: this.plan, saves: this.saves },
      origin: () => this.origin,
      secure: (again) => this.secure(again),
    };
  }

  /** Whether a text is being written: a pause waits for its end. */
  get writing() {
    return this.parts.engine.texts > 0;
  }

  /** The model that the run began from. @returns {ModelSource | null} */
  get origin() {
    const { source } = this.parts.engine;
    return source?.run ? source.run.origin : source;
  }

  /** Whether a new run would train the open model further, which is tuned already. */
  get further() {
    return !locked(this.state) && this.plan.mode !== "scratch" && Boolean(this.parts.store.state.info?.trained);
  }

  /** The name of the model that it could begin from instead. */
  get instead() {
    const { origin } = this;
    // Random weights have a choice of their own.
    return this.further && origin && origin.kind !== "scratch" ? origin.name : "";
  }

  /** Something has happened. @param {RunStateEvent} event */
  dispatch(event) {
    this.events.push(event);
    // What follows from one event comes before the next.
    if (this.looking) return;
    this.looking = true;
    try {
      for (let next = this.events.shift(); next; next = this.events.shift()) {
        const { state, effects } = step(this.state, next);
        this.state = state;
        for (const effect of effects) this.carryOut(effect);
      }
    } finally {
      this.looking = false;
    }
    if (event.type !== "progress") return this.parts.onChange();
    this.drawTimer ||= window.setTimeout(() => {
      this.drawTimer = 0;
      this.parts.onChange();
    }, DRAW_EVERY_MS);
  }

  /** @param {Effect} effect */
  carryOut(effect) {
    const { parts, plan, saves } = this;
    const { engine } = parts;
    switch (effect.type) {
      case "begin":
        return void this.begin(effect);
      case "train":
        return void ask.train(this.asking, effect);
      case "pause":
        return void ask.pause(this.asking, effect);
      case "save":
        return void ask.save(this.asking, effect);
      case "sample":
        return void ask.sample(this.asking, effect);
      case "askBest":
        return void ask.best(this.asking, effect);
      case "useBest":
        return void ask.useBest(this.asking, effect);
      case "strength":
        return this.applyStrength(effect);
      case "say":
        return parts.say(
          effect.lines,
          undefined,
          effect.actions?.map(({ key, does }) => ({ key, run: this.does(does) })),
        );
      case "failed":
        return this.failed(effect.error, effect.key);
      case "plan":
        return plan.adopt(effect.run);
      case "replan":
        return plan.soon();
      case "clearComparison":
        return this.comparison.clear();
      case "listRuns":
        return void saves.refresh();
      case "openRun":
        return void saves.openById(effect.run, effect.goOn);
      case "offer":
        return void saves.propose(effect.run);
      case "dismissOffer":
        return saves.dismiss();
      case "name": {
        const { id, name, mode, from: source } = effect.run;
        parts.store.set({ modelId: `${RUN_LINK}${id}` });
        return engine.rename(runSource({ id, name, mode, source }, this.origin));
      }
      case "persist":
        // Without it a browser may make room by deleting what is saved here.
        if (!this.persists) void navigator.storage.persist?.().catch(() => {});
        this.persists = true;
        return;
      case "awaitFree":
        return this.awaitFree(effect);
    }
  }

  /** Hears when the tab that has the run lets go of it. @param {Of<"awaitFree">} effect */
  awaitFree({ key, run }) {
    this.waiting?.abort();
    const { signal } = (this.waiting = new AbortController());
    whenFree(run, signal).then(
      () => this.dispatch({ type: "freed", key }),
      () => {},
    );
  }

  /** What a message's button does. @param {import("./run_events.js").Offered["does"]} does */
  does(does) {
    return () => (does.type === "resume" ? this.resume() : void this.saves.openById(does.run, does.goOn));
  }

  /** @param {unknown} error @param {string} key */
  failed(error, key) {
    // What became of the worker in use is told by who starts it again.
    if (isAbort(error) || (isFatal(error) && !this.parts.engine.client)) return;
    this.parts.say([[key]], error);
  }

  /** @param {Lines} lines */
  say(lines) {
    this.parts.say(lines);
  }

  /** The page is to be drawn anew. */
  changed() {
    this.parts.onChange();
  }

  /** Sets a run up. @param {Of<"begin">} effect */
  async begin({ attempt, afresh }) {
    this.plan.hold();
    try {
      const begun = await begin(this.starting, {
        afresh,
        counts: () => this.state.attempt?.number === attempt,
        onOpening: (fresh) => this.dispatch({ type: "opening", attempt, fresh }),
        again: () => this.start(afresh),
      });
      this.dispatch(begun ? { type: "begun", attempt, ...begun } : { type: "notBegun", attempt });
    } catch (error) {
      this.dispatch({ type: "notBegun", attempt, error });
    }
  }

  /** @param {Of<"strength">} effect */
  applyStrength({ value }) {
    this.parts.engine.client?.request("strength", { value }).catch((error) => this.failed(error, "train.error.run"));
    clearTimeout(this.strengthTimer);
    this.strengthTimer = window.setTimeout(() => this.dispatch({ type: "strengthSet" }), STRENGTH_SAVE_MS);
  }

  /** @param {boolean} [afresh] from the model that a tuned one began from */
  start(afresh = false) {
    this.dispatch({ type: "start", ready: this.parts.store.state.info !== null, text: this.plan.text, afresh });
  }

  pause() {
    this.dispatch({ type: "pause" });
  }

  stop() {
    this.dispatch({ type: "stop" });
  }

  resume() {
    this.dispatch({ type: "resume" });
  }

  save() {
    this.dispatch({ type: "save" });
  }

  /** Lets the model write with its best weights, or with those of the last step again. @param {boolean} best */
  useBest(best) {
    this.dispatch({ type: "useBest", best });
  }

  /** How strongly adapters act when the model writes. @param {number} value */
  setStrength(value) {
    this.dispatch({ type: "strength", value });
  }

  /** The user would rather lose what could not be saved of a run. @param {string} run */
  giveUp(run) {
    this.dispatch({ type: "giveUp", run });
  }

  /**
   * Pauses and saves the run, so that another may take its place. Returns whether nothing of it would be lost; what
   * would be has been said.
   * @param {() => void} again what to do where the user gives it up
   */
  async secure(again) {
    const lost = await secure(this.giving);
    if (!lost) return true;
    const run = () => {
      this.giveUp(lost.run);
      again();
    };
    this.parts.say([["train.error.keep"]], lost.cause, [{ key: "train.giveUp", run }]);
    return false;
  }

  /** Another model is to take the place of this one. Throws where steps would be lost. */
  leave() {
    return leave(this.giving);
  }

  /** It could not: the run is this page's again. */
  stay() {
    return stay(this.giving).catch((error) => this.failed(error, "train.error.open"));
  }

  /**
   * The engine was lost, and what was learnt since the last save with it.
   * @returns {() => { lines: Lines, actions: { key: string, run: () => void }[] }} tells, when the engine is there
   *   again, where the run stands
   */
  crashed() {
    const before = this.state;
    this.dispatch({ type: "crashed" });
    return () => {
      const { lines, resume } = afterCrash(before, this.state);
      return { lines, actions: resume ? [{ key: "train.resume", run: () => this.resume() }] : [] };
    };
  }

  /** Another model is in use: a saved run shows where it stood. */
  opened() {
    const { engine, store } = this.parts;
    const { info, tab } = store.state;
    const { restored, source } = engine;
    this.comparison.close(info?.trained ? this.origin : null, info?.backend);
    this.dispatch({ type: "opened", source, restored, onTrain: tab === "train" });
  }

  /** Adds an adapter to the model in use. @param {File} config @param {File} weights */
  async addAdapter(config, weights) {
    if (busy(this.state)) return this.say([["train.adapterBusy"]]);
    const before = runId(this.state);
    try {
      const again = () => void this.addAdapter(config, weights);
      const said = await addAdapter(this.starting, { config, weights }, again);
      if (!said) return;
      this.dispatch({ type: "adapterAdded", onTrain: this.parts.store.state.tab === "train" });
      this.say([said]);
    } catch (error) {
      // The run has given way to it in vain.
      if (before && runId(this.state) !== before) await this.saves.openById(before);
      this.failed(error, "train.error.adapter");
    }
  }

  /** Shows the paper, to write with the tuned model. */
  write() {
    this.parts.write(this.state.sample?.prompt ?? samplePrompt(this.plan.text));
  }

  /** The model, or its adapter, as a zip. @param {"model" | "adapter"} kind */
  async download(kind) {
    const { engine } = this.parts;
    try {
      const zip = await engine.ready().request("exportZip", { kind });
      const name = fileName(this.state.run?.name || engine.source?.name || "") || "gpt";
      saveBlob(kind === "model" ? `${name}.zip` : `${name}-adapter.zip`, zip);
    } catch (error) {
      this.failed(error, "train.error.export");
    }
  }

  /** Lets the base model and the tuned one continue the same prompt. @param {string} prompt */
  async compare(prompt) {
    const { engine, store } = this.parts;
    const { info, settings } = store.state;
    const { origin, comparison } = this;
    if (!origin || comparison.busy) return;
    try {
      const { strength } = this.state;
      await comparison.write(engine, origin, info?.backend ?? "cpu", { ...settings, prompt }, strength);
    } catch (error) {
      this.failed(error, "train.error.compare");
    }
  }
}
