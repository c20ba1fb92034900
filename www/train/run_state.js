/**
 * What every event makes of the state of training. Pure: `step(state, event)` changes nothing and gives the next state
 * with the effects that `training.js` carries out; what comes of those are events again.
 *
 * Every answer of the engine names the opening of the run (`key`), the training (`number`), the pause, the save or the attempt
 * that it belongs to: one that comes too late finds that it is no longer meant.
 */
import { isAbort, isFatal } from "../core/errors.js";
import { onlyRises, withLosses, withSample } from "./history.js";
import { busy, canGoOn, goesOn, locked, NO_RUN, readOnly, runId } from "./run_facts.js";

/** @typedef {import("./run_facts.js").RunState} RunState */
/** @typedef {import("./run_facts.js").RunPhase} RunPhase */
/** @typedef {import("./run_events.js").RunStateEvent} Event */
/** @typedef {import("./run_events.js").Effect} Effect */
/** @typedef {{ state: RunState, effects: Effect[] }} Next */

/** @param {RunState} state @param {Partial<RunState>} patch @param {Effect[]} effects @returns {Next} */
const next = (state, patch, ...effects) => ({ state: Object.freeze({ ...state, ...patch }), effects });
/** Nothing is changed by it. @param {RunState} state @returns {Next} */
const still = (state) => ({ state, effects: [] });
/** One after the other. @param {Next} first @param {(state: RunState) => Next} then @returns {Next} */
function also({ state, effects }, then) {
  const more = then(state);
  return { state: more.state, effects: [...effects, ...more.effects] };
}

/** Asks for a save. @param {RunState} state @param {{ list?: boolean, quiet?: boolean }} [how] @returns {Next} */
function save(state, { list = false, quiet = false } = {}) {
  const { run, saving, count } = state;
  if (!run || !state.keeps || readOnly(state)) return list ? next(state, {}, { type: "listRuns" }) : still(state);
  if (saving) return next(state, { saving: { ...saving, again: true, list: list || saving.list } });
  const number = count + 1;
  return next(
    state,
    { count: number, saving: { number, again: false, list } },
    { type: "save", key: state.key, save: number, quiet },
  );
}

/** Begins to make steps. @param {RunState} state @returns {Next} */
function train(state) {
  const { count, step: at, elapsedMs, key } = state;
  const number = count + 1;
  return next(
    state,
    {
      phase: "running",
      count: number,
      training: number,
      // What comes now was not given up.
      given: "",
      stopAsked: false,
      heedless: state.heedless || state.early,
      early: false,
      // A run goes on from its last weights.
      best: null,
      resumedAt: at,
      elapsedBefore: elapsedMs,
    },
    { type: "train", key, number },
  );
}

/** The page's run from here on. @param {RunState} state @param {Partial<RunState>} about @returns {Next} */
function opened(state, about) {
  const key = state.count + 1;
  return next(state, { ...NO_RUN, count: key, key, ...about }, { type: "clearComparison" });
}

/** Another model is in use: says where the run stands that gave way. @param {RunState} state @param {boolean} onTrain */
function tellLeft(state, onTrain) {
  const { left, phase, step: at } = state;
  const gone = next(state, { left: null });
  if (!left || phase === "starting") return gone;
  const { id, name, step: reached, steps, ran } = left;
  if (runId(state) === id) {
    // On the Train tab the button is there already.
    const actions = onTrain ? [] : [{ key: "train.resume", does: /** @type {const} */ ({ type: "resume" }) }];
    if (ran && phase === "paused")
      gone.effects.push({ type: "say", lines: [["train.pausedSaved", { step: at }]], actions });
    return gone;
  }
  gone.effects.push({ type: "offer", run: id });
  if (ran && !onTrain) {
    const does = /** @type {const} */ ({ type: "openRun", run: id, goOn: true });
    const lines = /** @type {[string, Record<string, string | number>][]} */ ([
      ["train.offer", { name, step: reached, steps }],
    ]);
    gone.effects.push({ type: "say", lines, actions: [{ key: "train.resume", does }] });
  }
  return gone;
}

/** Another tab has the run: that is said, and when that tab lets go of it. @param {RunState} state @returns {Next} */
const elsewhere = (state) =>
  next(
    state,
    { holder: "elsewhere" },
    { type: "say", lines: [["train.readOnly"]] },
    { type: "awaitFree", key: state.key, run: runId(state) },
  );

/**
 * @template {Event["type"]} T
 * @typedef {(state: RunState, event: Extract<Event, { type: T }>) => Next} On
 */

/** What each event makes of the state. @type {{ [T in Event["type"]]: On<T> }} */
const ON = {
  start: (state, { ready, text, afresh }) => {
    if (busy(state) || !ready) return still(state);
    if (!text.trim()) return next(state, {}, { type: "say", lines: [["train.error.noText"]] });
    const number = state.count + 1;
    const attempt = { number, fresh: null, back: state.phase };
    return next(
      state,
      { phase: "starting", count: number, attempt },
      { type: "dismissOffer" },
      { type: "begin", attempt: number, afresh },
    );
  },
  /** The model that the run is to begin from is about to be opened. */
  opening: (state, { attempt, fresh }) =>
    attempt === state.attempt?.number ? next(state, { attempt: { ...state.attempt, fresh } }) : still(state),
  begun: (state, { attempt, run, planned }) => {
    if (attempt !== state.attempt?.number) return still(state);
    const { step: at } = planned;
    const { steps } = planned.options;
    const after = opened(state, { run: { ...run, steps, planned }, step: at });
    if (after.state.run) after.effects.push({ type: "plan", run: after.state.run });
    return also(after, train);
  },
  /** It came to nothing. The run that there was is still there, unless its model has given way. */
  notBegun: (state, { attempt, error }) => {
    if (attempt !== state.attempt?.number) return still(state);
    const after = next(state, { phase: state.run ? state.attempt.back : "idle", attempt: null });
    if (error !== undefined) after.effects.push({ type: "failed", key: "train.error.start", error });
    // The field that is wrong gets marked.
    if (!locked(after.state)) after.effects.push({ type: "replan" });
    return after;
  },

  progress: (state, { number, events, elapsedMs, backend }) => {
    if (!goesOn(state) || number !== state.training) return still(state);
    let at = state.step;
    let { loss, rate } = state;
    const fresh = events.filter((event) => {
      if (event.type !== "step") return true;
      // A step is made once.
      if (event.step <= at) return false;
      ({ step: at, loss, tokensPerSecond: rate } = event);
      return true;
    });
    const bytes = state.run?.planned.bytes.weights ?? 0;
    const speed = rate > 0 ? Object.freeze({ work: (rate * bytes) / 1000, backend }) : state.speed;
    const history = withLosses(state.history, fresh);
    const after = next(state, { step: at, loss, rate, elapsedMs, history, speed });
    // A model from scratch is to learn its text, by heart too.
    const harms = state.phase === "running" && !state.heedless && state.run?.mode !== "scratch";
    if (!harms || history.validation === state.history.validation || !onlyRises(history.validation)) return after;
    return also(next(after.state, { stopAsked: true, early: true }), (now) => ON.pause(now, { type: "pause" }));
  },
  sample: (state, { key, sample }) =>
    key === state.key ? next(state, { sample, samples: withSample(state.samples, sample) }) : still(state),
  /** The model has written, or could not. */
  sampled: (state, { key }) => (key === state.key && !goesOn(state) ? save(state, { list: true }) : still(state)),
  ended: (state, { number, finished, best }) => {
    if (!goesOn(state) || number !== state.training) return still(state);
    const phase = finished ? "finished" : state.stopAsked ? "stopped" : "paused";
    const after = next(state, { phase, best });
    // It is saved when the model has written with what it has learnt: a save would break that off.
    if (phase === "paused") return also(after, (now) => save(now, { list: true }));
    return next(after.state, {}, { type: "sample", key: state.key });
  },
  /** Its last good weights are left of it. */
  failed: (state, { number, error }) => {
    if (!goesOn(state) || number !== state.training) return still(state);
    const { key } = state;
    const after = next(
      state,
      { phase: "stopped" },
      { type: "failed", key: "train.error.run", error },
      { type: "askBest", key },
    );
    // What went wrong is told already.
    return also(after, (now) => save(now, { list: true, quiet: true }));
  },
  best: (state, { key, best }) => (key === state.key && !goesOn(state) ? next(state, { best }) : still(state)),
  /** The engine was lost: what it was at will not be answered. */
  crashed: (state) => {
    const phase = goesOn(state) ? "stopped" : state.phase;
    return next(state, { phase }, ...(goesOn(state) ? [{ type: /** @type {const} */ ("listRuns") }] : []));
  },

  save: (state) => save(state),
  /** A save, whoever asked for it, has reached the disk. From here on the tuned model can be opened again. */
  saved: (state, { key, step: at }) => {
    const { run, named } = state;
    if (key !== state.key || at < 0 || !run) return still(state);
    const after = next(
      state,
      { savedStep: Math.max(at, state.savedStep), saveFailure: null, named: true },
      { type: "persist" },
    );
    if (!named) after.effects.push({ type: "listRuns" }, { type: "name", run });
    return after;
  },
  /** The run could not be saved: that is said on every tab until it is. */
  notSaved: (state, { key, error }) =>
    key !== state.key || isAbort(error) || isFatal(error) ? still(state) : next(state, { saveFailure: error }),
  /** The save that this page asked for has come to its end, which has been told. */
  saveEnded: (state, { save: number }) => {
    const { saving } = state;
    if (number !== saving?.number) return still(state);
    const after = next(state, { saving: null });
    if (saving.again) return also(after, (now) => save(now, { list: saving.list }));
    if (saving.list) after.effects.push({ type: "listRuns" });
    return after;
  },
  /** The saved run is no more: what was trained is to be named anew when it is saved again. */
  unnamed: (state, { run }) => (runId(state) === run ? next(state, { named: false }) : still(state)),
  renamed: (state, { run: id, name }) =>
    state.run?.id === id ? next(state, { run: { ...state.run, name } }) : still(state),

  pause: (state) => {
    if (state.phase !== "running") return still(state);
    const pause = state.count + 1;
    return next(state, { phase: "pausing", count: pause, pause }, { type: "pause", pause });
  },
  /** Else it would be pausing for ever. */
  notPaused: (state, { pause, error }) =>
    state.phase === "pausing" && pause === state.pause
      ? next(
          state,
          { phase: "running", stopAsked: false, early: false },
          { type: "failed", key: "train.error.pause", error },
        )
      : still(state),
  stop: (state) => {
    const { phase, sample, key } = state;
    if (goesOn(state)) return also(next(state, { stopAsked: true }), (now) => ON.pause(now, { type: "pause" }));
    if (phase !== "paused") return still(state);
    const after = next(state, { phase: "stopped" });
    if (sample?.step !== state.step) after.effects.push({ type: "sample", key });
    return after;
  },
  resume: (state) => {
    const { run, holder } = state;
    if (!canGoOn(state) || !run) return still(state);
    if (holder === "free") return next(state, {}, { type: "openRun", run: run.id, goOn: true });
    if (holder !== "here") return still(state);
    return also(next(state, {}, { type: "plan", run }), train);
  },

  useBest: (state, { best }) =>
    state.run && !busy(state) ? next(state, {}, { type: "useBest", key: state.key, best }) : still(state),
  /** It writes with other weights from here on. */
  bestUsed: (state, { key, best }) => {
    if (key !== state.key || goesOn(state)) return still(state);
    // What there is was written with the others.
    return next(state, { best, sample: null }, { type: "clearComparison" }, { type: "sample", key });
  },
  strength: (state, { value }) => next(state, { strength: value }, { type: "strength", value }),
  /** The slider has come to rest. A run that goes on is saved by itself. */
  strengthSet: (state) => (busy(state) ? still(state) : save(state)),

  /** Another model is to take the place of this one: another worker may have the run. */
  leaving: (state) => (state.run && state.holder === "here" ? next(state, { holder: "away" }) : still(state)),
  /** Nothing of the run would be lost: it gives way. */
  gaveWay: (state, { ran }) => {
    const { run, savedStep, left } = state;
    if (readOnly(state)) return still(state);
    const goes = run && savedStep >= 0 && savedStep < run.steps;
    const before = left?.ran ?? false;
    return next(state, {
      left: goes ? { id: run.id, name: run.name, step: savedStep, steps: run.steps, ran: ran || before } : null,
    });
  },
  /** The model that was to take its place could not be opened: the run is this page's again. */
  stayed: (state) => next(state, { left: null, holder: state.holder === "away" ? "here" : state.holder }),
  /** Unless another tab took it meanwhile. */
  taken: (state, { key }) => (key === state.key && state.run && !readOnly(state) ? elsewhere(state) : still(state)),
  /** The other tab has let go. */
  freed: (state, { key }) => {
    if (key !== state.key || state.holder !== "elsewhere") return still(state);
    const does = /** @type {const} */ ({ type: "openRun", run: runId(state), goOn: false });
    const say = /** @type {Effect} */ ({
      type: "say",
      lines: [["train.free"]],
      actions: [{ key: "train.useHere", does }],
    });
    return next(state, { holder: "free" }, say);
  },
  /** The user would rather lose what could not be saved of a run. */
  giveUp: (state, { run }) => next(state, { given: run }),

  /** Another model is in use: a saved run shows where it stood. */
  opened: (state, { source, restored, onTrain }) => {
    const { attempt } = state;
    // Else it is another model's, and the run that was about to begin does not.
    const awaited = attempt !== null && attempt.fresh === source && !restored;
    const about = awaited
      ? { phase: /** @type {RunPhase} */ ("starting"), attempt }
      : restored
        ? asRestored(restored)
        : {};
    let after = opened(state, about);
    const { run } = after.state;
    if (run) after.effects.push({ type: "plan", run }, { type: "dismissOffer" });
    if (restored?.readOnly) after = also(after, elsewhere);
    return also(
      also(after, (now) => tellLeft(now, onTrain)),
      (now) => next(now, {}, { type: "replan" }),
    );
  },
  /** An adapter from disk is on the model: whatever run there was has ended. */
  adapterAdded: (state, { onTrain }) =>
    also(
      also(opened(state, {}), (now) => tellLeft(now, onTrain)),
      (now) => next(now, {}, { type: "replan" }),
    ),
};

/** A saved run as it stood. @param {import("../engine/types.js").Restored} restored @returns {Partial<RunState>} */
function asRestored({ meta, text, planned, best }) {
  const { id, name, mode, source: from, history, elapsedMs, sample, strength = 1 } = meta;
  const samples = meta.samples ?? (sample ? [sample] : []);
  const { step: at } = planned;
  const { steps } = planned.options;
  return {
    phase: at >= steps ? "finished" : "paused",
    run: { id, name, mode, text, from, steps, planned },
    named: true,
    step: at,
    savedStep: at,
    resumedAt: at,
    loss: history.train.at(-1)?.[1] ?? NaN,
    ...{ history, elapsedMs, elapsedBefore: elapsedMs, sample, samples, best, strength },
  };
}

/** @param {RunState} state @param {Event} event @returns {Next} */
export function step(state, event) {
  const on = /** @type {On<any>} */ (ON[event.type]);
  return on(state, event);
}
