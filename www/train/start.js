/**
 * How a run begins: what it begins from is opened, and until then the run that there was stays as it is. Draws nothing.
 */
import { PageError, part } from "../core/errors.js";
import { newId } from "../core/settings.js";
import { titleOf } from "../core/text.js";
import { scratchSource } from "../models/sources.js";
import { storageSupported } from "../models/storage.js";

/** @typedef {import("../models/sources.js").ModelSource} ModelSource */
/** A run on its way to begin, and the model that is opened for it. @typedef {{ fresh: ModelSource | null }} Attempt */

export class TrainingStart {
  /** @param {import("./training.js").Training} training */
  constructor(training) {
    this.training = training;
    /** The one that counts. @type {Attempt | null} */
    this.attempt = null;
  }

  /**
   * Another model is in use. Returns whether it is the one that a run is about to begin from; where it is not, that run
   * does not begin.
   * @param {ModelSource | null} source
   */
  opened(source) {
    const awaited = this.attempt !== null && this.attempt.fresh === source;
    if (!awaited) this.attempt = null;
    return awaited;
  }

  /** @param {boolean} [afresh] from the model that a tuned one began from */
  async start(afresh = false) {
    const {
      training,
      training: {
        plan,
        parts: { store, onChange, say },
      },
    } = this;
    if (training.busy || !store.state.info) return;
    if (!plan.text.trim()) return say([["train.error.noText"]]);
    const back = training.phase;
    const attempt = (this.attempt = { fresh: null });
    plan.hold();
    training.saves.offer = null;
    training.phase = "starting";
    onChange();
    let started = false;
    try {
      started = await this.begin(attempt, afresh);
    } catch (error) {
      if (this.attempt === attempt) training.failed(error, "train.error.start");
    }
    // Else another model was opened meanwhile, and has its own state.
    if (this.attempt !== attempt) return;
    this.attempt = null;
    // The run that there was is still there, unless its model has given way.
    if (!started) training.phase = training.run ? back : "idle";
    onChange();
    if (started) await training.train();
  }

  /**
   * Opens what the run begins from, and sets the engine up for it.
   * @param {Attempt} attempt @param {boolean} afresh
   * @returns {Promise<boolean>} false where it came to nothing; why has been said
   */
  async begin(attempt, afresh) {
    const {
      training,
      training: {
        plan,
        origin,
        from,
        parts: { engine, store, open },
      },
    } = this;
    const { mode } = plan;
    const { models: before } = engine;
    const fresh = await this.source(afresh);
    // What the user chose to open meanwhile takes its place.
    if (engine.models !== before) return false;
    if (fresh) {
      if (!(await training.handover.secure(() => void this.start(afresh)))) return false;
      // Or is about to.
      if (engine.models !== before || store.state.loading) return false;
      attempt.fresh = fresh;
      await open(fresh);
      // What went wrong has been said.
      if (engine.source !== fresh) return false;
    }
    const source = fresh ?? origin ?? from;
    if (!source || !store.state.info) throw new PageError("error.noBase");
    const { kind, id, name } = source;
    const { nParams, vocabSize } = store.state.info;
    const named = training.saves.unusedName(`${name} · ${titleOf(plan.text)}`);
    const meta = { id: newId(), name: named, mode, nParams, vocabSize, source: { kind, id, name } };
    const { models } = engine;
    const trainer = await engine.trainer();
    // Else it is another model's, of which nobody has been told yet.
    if (engine.models !== models) return false;
    const { planned, info } = await trainer.request("trainStart", { request: plan.request(), meta });
    if (this.attempt !== attempt) return false;
    training.clear();
    training.begun(planned, meta.id, mode);
    Object.assign(training, { runName: meta.name, runText: plan.text, from: meta.source });
    // What was an adapter from disk is a run's from here on.
    store.set({ info, adapterId: "" });
    return true;
  }

  /** What a run begins from, where that is not the open model as it is. @param {boolean} afresh */
  async source(afresh) {
    const {
      plan,
      origin,
      parts: { store },
    } = this.training;
    const trained = store.state.info?.trained ?? "";
    if (plan.mode === "scratch") return scratchSource(plan.scratchOptions(), plan.scratchName());
    if (trained === "") return null;
    // Even where it is the open one: it is opened anew, without what was trained.
    if (afresh) return origin && { ...origin };
    // Adapters go on learning as they are; others need what these have made of the model.
    if (trained === plan.mode && !(await plan.ask(plan.options())).replaces) return null;
    return this.tuned(plan.mode === "full");
  }

  /**
   * What tuning has made of the open model: adapters need it as it is, and all of its weights can only be tuned with
   * adapters merged.
   * @param {boolean} alone whether what comes of it can do without it
   */
  async tuned(alone) {
    const {
      saves,
      runName,
      parts: { engine },
    } = this.training;
    const { tunedSource } = await part(import("../models/tuned.js"));
    // Making room is not what this is for: it can fail.
    if (storageSupported()) await saves.sweep().catch(() => {});
    return tunedSource(engine, runName || (engine.source?.name ?? ""), alone);
  }
}
