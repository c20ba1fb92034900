/**
 * How a run begins: what it begins from is opened, and until then the run that there was stays as it is. Draws nothing.
 */
import { PageError, part } from "../core/errors.js";
import { newId } from "../core/settings.js";
import { titleOf } from "../core/text.js";
import { scratchSource } from "../models/sources.js";
import { storageSupported } from "../models/storage.js";

/** @typedef {import("../models/sources.js").ModelSource} ModelSource */
/** @typedef {import("./run_events.js").RunStateEvent} Event */

/**
 * @typedef {object} Starting
 * @property {import("../core/state.js").Store<import("../engine/types.js").State>} store
 * @property {import("../engine/client.js").Engine} engine
 * @property {import("./plan.js").TrainingPlan} plan
 * @property {import("../models/saved_runs.js").SavedRuns} saves
 * @property {(source: ModelSource) => Promise<void>} open
 * @property {() => ModelSource | null} origin what the open model was tuned from, or the open model
 * @property {() => import("./run_facts.js").RunState} state
 * @property {(again: () => void) => Promise<boolean>} secure whether nothing would be lost of the run that there is
 */

/**
 * Opens what a run begins from, and sets the engine up for it.
 * @param {Starting} parts
 * @param {object} attempt
 * @param {boolean} attempt.afresh from the model that a tuned one began from
 * @param {() => boolean} attempt.counts whether another model has not taken its place
 * @param {(fresh: ModelSource) => void} attempt.onOpening called before `fresh` is opened for it
 * @param {() => void} attempt.again tries once more, where the user gives up what would be lost
 * @returns {Promise<Omit<Extract<Event, { type: "begun" }>, "type" | "attempt"> | null>} null where it came to nothing;
 *   why has been said
 */
export async function begin(parts, { afresh, counts, onOpening, again }) {
  const { plan, engine, store, open, saves } = parts;
  const { mode } = plan;
  const origin = parts.origin();
  const from = parts.state().run?.from ?? null;
  const { models: before } = engine;
  const fresh = await sourceOf(parts, afresh);
  // What the user chose to open meanwhile takes its place.
  if (engine.models !== before) return null;
  if (fresh) {
    if (!(await parts.secure(again))) return null;
    // Or is about to.
    if (engine.models !== before || store.state.loading) return null;
    onOpening(fresh);
    await open(fresh);
    // What went wrong has been said.
    if (engine.source !== fresh) return null;
  }
  const source = fresh ?? origin ?? from;
  if (!source || !store.state.info) throw new PageError("error.noBase");
  const { kind, id, name } = source;
  const { nParams, vocabSize } = store.state.info;
  const named = saves.unusedName(`${name} · ${titleOf(plan.text)}`);
  const meta = { id: newId(), name: named, mode, nParams, vocabSize, source: { kind, id, name } };
  const { models } = engine;
  const trainer = await engine.trainer();
  // Else it is another model's, of which nobody has been told yet.
  if (engine.models !== models) return null;
  const { planned, info } = await trainer.request("trainStart", { request: plan.request(), meta });
  if (!counts()) return null;
  // What was an adapter from disk is a run's from here on.
  store.set({ info, adapterId: "" });
  return { run: { id: meta.id, name: named, mode, text: plan.text, from: meta.source }, planned };
}

/**
 * What a run begins from, where that is not the open model as it is.
 * @param {Starting} parts @param {boolean} afresh
 */
async function sourceOf(parts, afresh) {
  const { plan, store } = parts;
  const origin = parts.origin();
  const trained = store.state.info?.trained ?? "";
  if (plan.mode === "scratch") return scratchSource(plan.scratchOptions(), plan.scratchName());
  if (trained === "") return null;
  // Even where it is the open one: it is opened anew, without what was trained.
  if (afresh) return origin && { ...origin };
  // Adapters go on learning as they are; others need what these have made of the model.
  if (trained === plan.mode && !(await plan.ask(plan.options())).replaces) return null;
  return tuned(parts, plan.mode === "full");
}

/**
 * What tuning has made of the open model: adapters need it as it is, and all of its weights can only be tuned with
 * adapters merged.
 * @param {Pick<Starting, "saves" | "engine" | "state">} parts
 * @param {boolean} alone whether what comes of it can do without it
 */
export async function tuned({ saves, engine, state }, alone) {
  const { tunedSource } = await part(import("../models/tuned.js"));
  // Making room is not what this is for: it can fail.
  if (storageSupported()) await saves.sweep().catch(() => {});
  return tunedSource(engine, state().run?.name || (engine.source?.name ?? ""), alone);
}
