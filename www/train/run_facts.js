/** The whole state of training in the page, and what follows from it. Nothing here is ever changed: `run_state.js` makes the next. */
import { NO_LOSSES } from "./history.js";

/** @typedef {import("../engine/types.js").RunMode} RunMode */
/** @typedef {import("../engine/types.js").RunMeta} RunMeta */
/** @typedef {import("../engine/types.js").Planned} Planned */
/** @typedef {import("../engine/types.js").BestWeights} BestWeights */
/** @typedef {"idle" | "starting" | "running" | "pausing" | "paused" | "stopped" | "finished"} RunPhase */
/**
 * The run that the open model learns in. `text`: what it learns from; the field's may be another by the time it goes
 * on. `from`: the model that it began from, also where that cannot be had any more.
 * @typedef {Readonly<{ id: string, name: string, mode: RunMode, text: string, from: RunMeta["source"], steps: number,
 *   planned: Planned }>} OpenRun
 */
/**
 * Whose the run is: this page's; let go of, for a model that is about to take its place; another tab's; nobody's, as
 * that tab has let go.
 * @typedef {"here" | "away" | "elsewhere" | "free"} Holder
 */
/** A run with steps left that gave way, and whether it was going on then.
 * @typedef {Readonly<{ id: string, name: string, step: number, steps: number, ran: boolean }>} Left */
/** What belongs to a run, and goes with it. */
export const NO_RUN = {
  phase: /** @type {RunPhase} */ ("idle"),
  run: /** @type {OpenRun | null} */ (null),
  /** Whether the address and the engine know the open model as this run: it is saved. */
  named: false,
  /** A run on its way to begin, the model that is opened for it, and what there was before. */
  attempt: /** @type {Readonly<{ number: number, fresh: unknown, back: RunPhase }> | null} */ (null),
  step: 0,
  loss: NaN,
  /** Tokens per second. */
  rate: 0,
  elapsedMs: 0,
  /** Where training began or went on last, for the time that is left. */
  resumedAt: 0,
  elapsedBefore: 0,
  savedStep: -1,
  /** Why the run is not saved, for as long as that is so. */
  saveFailure: /** @type {unknown} */ (null),
  /** The save that was asked for; `again`: another was asked for meanwhile. `list`: the list of runs is read then. */
  saving: /** @type {Readonly<{ number: number, again: boolean, list: boolean }> | null} */ (null),
  holder: /** @type {Holder} */ ("here"),
  stopAsked: false,
  /** It was stopped because more steps would do harm; the user goes on all the same. */
  early: false,
  heedless: false,
  /** The run's best weights, while it does not go on. */
  best: /** @type {Readonly<BestWeights> | null} */ (null),
  sample: /** @type {RunMeta["sample"]} */ (null),
  /** What the model wrote on its way, from the first to the last. */
  samples: /** @type {readonly NonNullable<RunMeta["sample"]>[]} */ ([]),
  history: NO_LOSSES,
  /** How strongly adapters act when the model writes. */
  strength: 1,
};

/** @typedef {Readonly<typeof NO_RUN & typeof LASTING>} RunState */

/** What outlasts a run. */
const LASTING = {
  /** Openings of a run, trainings, pauses, saves and attempts are counted: none has the number of another. */
  count: 0,
  /** The opening of the run. */
  key: 0,
  /** The training that goes on or did last. */
  training: 0,
  /** The pause that was asked for last. */
  pause: 0,
  /** Whether the browser lets runs be saved. */
  keeps: true,
  left: /** @type {Left | null} */ (null),
  /** The run that the user gave up, though it could not be saved. */
  given: "",
  /** What a run worked off in a millisecond, in tokens times bytes of weights, and on what. */
  speed: /** @type {Readonly<{ work: number, backend: string }>} */ ({ work: 0, backend: "" }),
};

/** @param {{ keeps: boolean }} about @returns {RunState} */
export const initialRunState = ({ keeps }) => Object.freeze({ ...LASTING, ...NO_RUN, keeps });

/** Whether steps are being made. @param {RunState} state */
export const goesOn = ({ phase }) => phase === "running" || phase === "pausing";
/** @param {RunState} state */
export const busy = (state) => goesOn(state) || state.phase === "starting";
/** Whether the text and the numbers belong to a run that goes on. @param {RunState} state */
export const locked = (state) => busy(state) || state.phase === "paused";
/** Whether another tab has the run, or had it. @param {RunState} state */
export const readOnly = ({ holder }) => holder === "elsewhere" || holder === "free";
/** Whether the run stands still with steps left. @param {RunState} state */
export const canGoOn = ({ run, phase, step: done }) =>
  run !== null && (phase === "paused" || phase === "stopped") && done < run.steps;
/** Whether closing the page would lose steps. @param {RunState} state */
export const unsaved = (state) => state.run !== null && !readOnly(state) && state.savedStep < state.step;
/** Steps of the run that are nowhere else, and that the user has not given up. @param {RunState} state */
export const precious = (state) => unsaved(state) && state.run?.id !== state.given;
/** The run's id, "" for none. @param {RunState} state */
export const runId = ({ run }) => run?.id ?? "";

/** Milliseconds until the run ends, as far as one can tell. @param {RunState} state */
export function remainingMs(state) {
  const { run, step: at, resumedAt, elapsedMs, elapsedBefore } = state;
  const done = at - resumedAt;
  return run && locked(state) && done > 0 ? ((elapsedMs - elapsedBefore) / done) * (run.steps - at) : NaN;
}

/**
 * What is said of training when the engine is there again that was lost, and what was learnt since the last save with
 * it.
 * @param {RunState} before @param {RunState} now
 * @returns {{ lines: [string, Record<string, number>?][], resume: boolean }}
 */
export function afterCrash(before, now) {
  const { step: at } = before;
  if (!goesOn(before)) return { lines: [], resume: false };
  if (runId(before) !== runId(now)) return { lines: [["train.crashed.gone", { step: at }]], resume: false };
  return { lines: [["train.crashed", { step: at, saved: now.step }]], resume: true };
}
