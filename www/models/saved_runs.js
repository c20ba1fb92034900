/**
 * The runs that are saved on this device, as the page sees them: listed, offered, opened, renamed, deleted. Draws
 * nothing.
 */
import { explained, PageError, part } from "../core/errors.js";
import { isLocked, isTaken, LOCK_WAIT_MS, whenFree } from "./locks.js";
import { shippedSource, urlSource } from "./network.js";
import { isSame, keptSource, runSource } from "./sources.js";
import { deleteRun, listRuns, renameRun } from "./storage.js";

/** @typedef {import("../engine/types.js").RunMeta} RunMeta */
/** @typedef {import("../engine/types.js").SavedRun} SavedRun */
/** @typedef {import("./sources.js").ModelSource} ModelSource */

/** Begins the name that a run has in the address. */
export const RUN_LINK = "run:";

/** Whether what is left of a saved run is enough to open it. @param {SavedRun} run */
export const canOpen = ({ damage }) => damage === "" || damage === "part";

/**
 * What saved runs need of the rest of the page.
 * @typedef {object} SavedRunsParts
 * @property {import("../core/state.js").Store<import("../engine/types.js").State>} store
 * @property {Pick<import("../engine/client.js").Engine, "source" | "rename">} engine
 * @property {(source: ModelSource, options?: { named?: string }) => Promise<void>} open
 * @property {(error: unknown, key: string) => void} failed says so
 * @property {() => ModelSource | null} origin what the open model was tuned from, or the open model
 * @property {() => string} openId the run that is open, "" for none
 * @property {() => void} onResume the run that is open is to go on
 * @property {(id: string, name: string) => void} onRenamed
 * @property {(id: string) => void} onUnnamed the run that is open, maybe, is no longer saved
 * @property {() => void} onChange
 */

export class SavedRuns {
  /** @param {SavedRunsParts} parts */
  constructor(parts) {
    this.parts = parts;
    /** The newest first. @type {SavedRun[]} */
    this.list = [];
    /** The run that a reload can go on with. @type {SavedRun | null} */
    this.offer = null;
    /** Another tab has that run. */
    this.taken = false;
    /** The saved run that is being opened. @type {{ id: string, done: Promise<void> } | null} */
    this.opening = null;
  }

  /** Reads the list of saved runs anew. @param {boolean} [offer] whether to offer the newest that is not finished */
  async refresh(offer = false) {
    try {
      const list = await listRuns();
      for (const run of list) {
        const { source } = run.meta;
        if (source.kind === "kept")
          run.bytes += await import("./bases.js").then(
            ({ baseBytes }) => baseBytes(source.id),
            () => 0,
          );
      }
      this.list = list;
    } catch (error) {
      // Where a browser lets nothing be kept, as in some private windows, nothing is.
      if (explained(error).message !== "error.noStorage") this.parts.failed(error, "train.error.list");
    }
    const newest = this.list.find(canOpen);
    if (offer && newest) await this.propose(newest.meta.id, false);
    this.parts.onChange();
  }

  /**
   * Offers to go on with a run that has steps left. Where another tab has it, that is said instead, until that tab lets
   * go.
   * @param {string} id @param {boolean} [anew] whether to read the list first
   */
  async propose(id, anew = true) {
    if (anew) await this.refresh();
    const run = this.find(id);
    const unfit = () => !run || !canOpen(run) || run.meta.step >= run.meta.steps || id === this.parts.openId();
    if (unfit() || !run) return;
    // Of a run that this page is about to open the lock says nothing about others.
    const own = this.opening?.id === id || this.parts.store.state.modelId === `${RUN_LINK}${id}`;
    // The worker of a page before this one, as of a reload, may still be on its way out.
    const taken =
      !own &&
      (await isLocked(id)) &&
      (await whenFree(id, AbortSignal.timeout(LOCK_WAIT_MS)).then(() => false, isTaken));
    if (unfit()) return;
    this.taken = taken;
    this.offer = run;
    this.parts.onChange();
    if (!taken) return;
    whenFree(id).then(
      async () => {
        if (this.offer?.meta.id === id && this.taken) await this.propose(id);
      },
      () => {},
    );
  }

  /** Nothing is offered. */
  dismiss() {
    this.offer = null;
    this.parts.onChange();
  }

  /** @param {string} id */
  find(id) {
    return this.list.find(({ meta }) => meta.id === id);
  }

  /** A name that no saved run has. @param {string} name */
  unusedName(name) {
    const used = new Set(this.list.map(({ meta }) => meta.name));
    let unused = name;
    for (let count = 2; used.has(unused); count += 1) unused = `${name} (${count})`;
    return unused;
  }

  /** Opens a saved run as it stands by now. @param {string} id @param {boolean} [goOn] */
  async openById(id, goOn) {
    await this.refresh();
    const run = this.find(id);
    if (run) await this.open(run, goOn);
  }

  /** Opens a saved run. @param {SavedRun} run @param {boolean} [goOn] */
  async open({ meta }, goOn = false) {
    try {
      // A second worker would find it taken by the first.
      if (this.opening?.id !== meta.id) {
        const done = this.parts
          .open(runSource(meta, this.sourceOf(meta)), { named: `${RUN_LINK}${meta.id}` })
          .finally(() => {
            if (this.opening?.done === done) this.opening = null;
          });
        this.opening = { id: meta.id, done };
      }
      await this.opening.done;
      if (goOn && this.parts.openId() === meta.id) this.parts.onResume();
    } catch (error) {
      this.parts.failed(error, "train.error.open");
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
    const run = this.find(id);
    if (!run) return "missing";
    await this.open(run);
    return this.parts.engine.source?.run?.id === id ? "opened" : "failed";
  }

  /** @param {RunMeta} meta @returns {ModelSource | null} */
  sourceOf({ source }) {
    if (source.kind === "shipped") {
      const model = this.parts.store.state.shipped.find(({ id }) => id === source.id);
      return model ? shippedSource(model) : null;
    }
    if (source.kind === "url") return urlSource(source.id);
    const origin = this.parts.origin();
    if (origin && isSame(origin, source)) return origin;
    // Files from disk are not kept: they must be open already, the very same ones.
    return source.kind === "kept" ? keptSource(source.id, source.name) : null;
  }

  /** Downloads what can still be read of a run. @param {SavedRun} run */
  async download({ meta }) {
    try {
      const { downloadRemains } = await part(import("./remains.js"));
      await downloadRemains(meta.id, meta.name);
    } catch (error) {
      this.parts.failed(error, "train.error.export");
    }
  }

  /** @param {SavedRun} run @param {string} name */
  async rename({ meta }, name) {
    try {
      const given = name.trim() || meta.name;
      await renameRun(meta.id, given);
      const { engine, onRenamed } = this.parts;
      onRenamed(meta.id, given);
      if (engine.source?.run?.id === meta.id) engine.rename({ ...engine.source, name: given });
    } catch (error) {
      this.parts.failed(error, "train.error.rename");
    }
    await this.refresh();
  }

  /** @param {SavedRun} run */
  async remove({ meta }) {
    try {
      await deleteRun(meta.id);
      if (this.offer?.meta.id === meta.id) this.dismiss();
      this.unnamed(meta.id);
    } catch (error) {
      this.parts.failed(error, "train.error.delete");
    }
    await this.refresh();
    // The run is gone; that its model could not be is no matter: it goes with a later one.
    if (meta.source.kind === "kept") await this.sweep(meta.source.id).catch(() => {});
  }

  /**
   * Models that were kept for runs alone go with the last of them.
   * @param {string} [freed] that of a run which was deleted just now
   */
  async sweep(freed) {
    const list = await listRuns();
    // A list with gaps would say of what is needed that it is not. A first save that was not finished needs nothing: no
    // run comes of it.
    const unknown = list.find(({ damage, lost }) => damage === "unread" || lost.includes("source"));
    if (unknown) throw unknown.failure ?? new PageError("error.runDamaged");
    const sources = [...list.map(({ meta }) => meta.source), this.parts.origin()];
    const needed = new Set(sources.flatMap((source) => (source?.kind === "kept" ? [source.id] : [])));
    await (await part(import("./bases.js"))).sweepBases(needed, freed);
  }

  /**
   * A run is no longer saved: what was trained further from it is, to the address, the model that it began from.
   * @param {string} id
   */
  unnamed(id) {
    const { engine, store, onUnnamed } = this.parts;
    const origin = this.parts.origin();
    if (engine.source?.run?.id === id && origin) engine.rename(origin);
    if (store.state.modelId === `${RUN_LINK}${id}`) store.set({ modelId: origin?.id ?? "" });
    onUnnamed(id);
  }
}
