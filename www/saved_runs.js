/** The runs that are saved on this device, as the page sees them: listed, offered, opened, renamed, deleted. Draws nothing. */
import { isSame, runSource, shippedSource, urlSource } from "./sources.js";
import { deleteRun, listRuns, renameRun } from "./storage.js";

/** @typedef {import("./types.js").RunMeta} RunMeta */
/** @typedef {import("./types.js").SavedRun} SavedRun */
/** @typedef {import("./sources.js").ModelSource} ModelSource */

const MODELS_INDEX = new URL("./models/index.json", import.meta.url);
/** Begins the name that a run has in the address. */
export const RUN_LINK = "run:";

export class SavedRuns {
  /** @param {import("./training.js").Training} training */
  constructor(training) {
    this.training = training;
    /** The newest first. @type {SavedRun[]} */
    this.list = [];
    /** The run that a reload can go on with. @type {SavedRun | null} */
    this.offer = null;
    /** The saved run that is being opened. @type {{ id: string, done: Promise<void> } | null} */
    this.opening = null;
  }

  /** Reads the list of saved runs anew. @param {boolean} [offer] whether to offer the newest that is not finished */
  async refresh(offer = false) {
    this.list = await listRuns();
    const newest = this.list[0];
    if (offer && newest && newest.meta.step < newest.meta.steps && newest.meta.id !== this.training.runId) this.offer = newest;
    this.training.parts.onChange();
  }

  /** Opens a saved run. @param {SavedRun} run @param {boolean} [goOn] */
  async open({ meta }, goOn = false) {
    try {
      // A second worker would find it taken by the first.
      if (this.opening?.id !== meta.id) {
        const done = this.training.parts.open(runSource(meta, this.sourceOf(meta)), { named: `${RUN_LINK}${meta.id}` }).finally(() => {
          if (this.opening?.done === done) this.opening = null;
        });
        this.opening = { id: meta.id, done };
      }
      await this.opening.done;
      if (goOn && this.training.runId === meta.id) this.training.resume();
    } catch (error) {
      this.training.failed(error, "train.error.open");
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
    const run = this.list.find(({ meta }) => meta.id === id);
    if (!run) return "missing";
    await this.open(run);
    return this.training.parts.engine.source?.run?.id === id ? "opened" : "failed";
  }

  /** @param {RunMeta} meta @returns {ModelSource | null} */
  sourceOf({ source }) {
    if (source.kind === "shipped") {
      const model = this.training.parts.store.state.shipped.find(({ id }) => id === source.id);
      return model ? shippedSource(model, MODELS_INDEX) : null;
    }
    if (source.kind === "url") return urlSource(source.id);
    // Files are not kept: they must be open already, the very same ones.
    return this.training.origin && isSame(this.training.origin, source) ? this.training.origin : null;
  }

  /** @param {SavedRun} run @param {string} name */
  async rename({ meta }, name) {
    try {
      await renameRun(meta.id, name.trim() || meta.name);
    } catch (error) {
      this.training.failed(error, "train.error.rename");
    }
    await this.refresh();
  }

  /** @param {SavedRun} run */
  async remove({ meta }) {
    try {
      await deleteRun(meta.id);
      if (this.offer?.meta.id === meta.id) this.offer = null;
      this.unnamed(meta.id);
    } catch (error) {
      this.training.failed(error, "train.error.delete");
    }
    await this.refresh();
  }

  /** A run is no longer saved: what was trained further from it is, to the address, the model that it began from. @param {string} id */
  unnamed(id) {
    const { engine, store } = this.training.parts;
    const { origin } = this.training;
    if (engine.source?.run?.id === id && origin) engine.source = origin;
    if (store.state.modelId === `${RUN_LINK}${id}`) store.set({ modelId: origin?.id ?? "" });
  }
}
