// @ts-check
// A page with an engine, a disk and other tabs around `run_state.js`: what it asks for is answered when a test says so,
// in time, late, or with a failure. What must hold is checked after every event.
import assert from "node:assert/strict";
import { leave, secure, stay } from "../../www/train/handover.js";
import * as facts from "../../www/train/run_facts.js";
import { step } from "../../www/train/run_state.js";

/** @typedef {import("../../www/train/run_facts.js").RunState} RunState */
/** @typedef {import("../../www/train/run_events.js").RunStateEvent} Event */
/** @typedef {import("../../www/train/run_events.js").Effect} Effect */
/** @template {Effect["type"]} T @typedef {Extract<Effect, { type: T }>} Of */

export const STEPS = 40;
export const planned = (at = 0) =>
  /** @type {any} */ ({ options: { steps: STEPS }, step: at, bytes: { weights: 1000 } });
export const oneStep = (/** @type {number} */ at, loss = 1) =>
  /** @type {any} */ ({ type: "step", step: at, loss, tokensPerSecond: 10 });

/** So that a change to what was given is an error. @template T @param {T} value @returns {T} */
function frozen(value) {
  if (value && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const one of Object.values(value)) frozen(one);
  }
  return value;
}

/** The run that the worker has, and its last step. @typedef {{ id: string, step: number }} Held */

export class World {
  constructor({ keeps = true } = {}) {
    this.state = facts.initialRunState({ keeps });
    /** Steps of runs that are saved. @type {Map<string, number>} */
    this.disk = new Map();
    /** @type {Held | null} */
    this.worker = null;
    /** Nothing more fits. */
    this.full = false;
    /** Effects that wait for their answer. @type {Effect[]} */
    this.asked = [];
    /** Every effect. @type {Effect[]} */
    this.effects = [];
    /** Answers that were given, or would have been, and may come late. @type {Event[]} */
    this.late = [];
    this.runs = 0;
    /** A worker was lost, and none has taken its place. */
    this.lost = false;
    /** Another tab has the run. */
    this.elsewhere = false;
    /** @type {import("../../www/train/handover.js").Giving} */
    this.giving = {
      state: () => this.state,
      dispatch: (event) => this.dispatch(event),
      client: () => (this.lost ? null : { request: (/** @type {string} */ cmd) => this.request(cmd) }),
    };
  }

  /** @param {Event} event */
  dispatch(event) {
    const before = this.state;
    const { state, effects } = step(before, event);
    this.state = frozen(state);
    this.follow(effects);
    this.check(before, event);
  }

  /** An answer of the engine. @param {Event} event */
  answer(event) {
    this.late.push(event);
    this.dispatch(event);
  }

  /** @param {Effect[]} effects */
  follow(effects) {
    for (const effect of effects) {
      this.effects.push(effect);
      if (["train", "save", "begin"].includes(effect.type))
        assert.ok(!this.asked.some(({ type }) => type === effect.type), `two of ${effect.type} at once`);
      if (effect.type === "train") assert.equal(this.state.holder, "here", "it makes steps of a run that it has not");
      if (["train", "save", "begin", "pause", "sample", "askBest", "useBest", "awaitFree"].includes(effect.type))
        this.asked.push(effect);
    }
  }

  /** What was asked for first of a kind. @template {Effect["type"]} T @param {T} type @returns {Of<T> | undefined} */
  first(type) {
    return /** @type {Of<T> | undefined} */ (this.asked.find((one) => one.type === type));
  }

  /** @template {Effect["type"]} T @param {T} type @returns {Of<T> | undefined} */
  take(type) {
    const found = this.first(type);
    if (found) this.asked.splice(this.asked.indexOf(found), 1);
    return found;
  }

  /** What must hold whatever happens. @param {RunState} before @param {Event} event */
  check(before, event) {
    const { state } = this;
    const { phase, run, attempt, savedStep, step: at, key } = state;
    const train = this.first("train");
    assert.ok(Object.isFrozen(state));
    assert.equal(facts.goesOn(state), train?.number === state.training && train !== undefined, `${phase}: training`);
    assert.ok(!facts.goesOn(state) || run, "it runs without a run");
    assert.equal(phase === "starting", attempt !== null, "starting");
    assert.equal(phase === "idle", run === null && attempt === null, `${phase} and its run`);
    if (phase === "pausing") assert.ok(this.first("pause") || train, "it would be pausing for ever");
    if (key === before.key) {
      assert.ok(at >= before.step, "steps went back");
      assert.ok(savedStep >= before.savedStep, "what is saved went back");
      assert.ok(run !== null || before.run === null, `${event.type} drops the run`);
    }
    // What is said to be saved is.
    if (run && !facts.readOnly(state) && !facts.unsaved(state)) assert.ok((this.disk.get(run.id) ?? -1) >= at, "lost");
  }

  /** The run in the worker is no more, and another model is there. Nothing is lost that the user has not given up. */
  drop() {
    const { worker, state } = this;
    if (worker && !facts.readOnly(state) && state.run?.id === worker.id && !this.lost)
      assert.ok((this.disk.get(worker.id) ?? -1) >= state.step || state.given === worker.id, "steps were lost");
    this.worker = null;
    this.lost = false;
    this.elsewhere = false;
    this.forget();
  }

  /** Nobody answers any more what was asked of the worker that there was; what it would have said may come late. */
  forget() {
    const error = new DOMException("closed", "AbortError");
    for (const effect of this.asked) {
      if (effect.type === "train") this.late.push({ type: "failed", number: effect.number, error });
      if (effect.type === "pause") this.late.push({ type: "notPaused", pause: effect.pause, error });
      if (effect.type === "save") this.late.push({ type: "saveEnded", save: effect.save });
      if (effect.type === "sample") this.late.push({ type: "sampled", key: effect.key });
      if (effect.type === "askBest") this.late.push({ type: "best", key: effect.key, best: null });
      if (effect.type === "awaitFree") this.late.push({ type: "freed", key: effect.key });
    }
    this.asked = this.asked.filter(({ type }) => type === "begin");
  }

  /** Writes what the worker has. @returns {number} */
  write() {
    const { worker } = this;
    if (!worker || this.elsewhere) return -1;
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.disk.set(worker.id, worker.step);
    return worker.step;
  }

  /** What giving way asks of the worker. @param {string} cmd @returns {Promise<any>} */
  async request(cmd) {
    if (cmd === "pause") this.ends();
    if (cmd === "save") return this.write();
    if (cmd === "reclaim") return this.elsewhere;
    // Just then the user presses Resume.
    if (cmd === "release") this.dispatch({ type: "resume" });
    return null;
  }

  /** The steps come to an end: a pause was heard, or there are no more. */
  ends() {
    const train = this.take("train");
    if (!train) return;
    this.take("pause");
    this.answer({ type: "ended", number: train.number, finished: this.worker?.step === STEPS, best: null });
  }

  /** Another model takes the place of the one in use, where that gives way. @param {() => void} opens */
  async replace(opens) {
    try {
      await leave(this.giving);
    } catch {
      await stay(this.giving);
      return false;
    }
    opens();
    return true;
  }

  /** @param {string} id */
  restored(id) {
    const at = this.disk.get(id) ?? 0;
    const meta = { id, name: id, mode: "full", source: { kind: "shipped", id: "a", name: "a" }, elapsedMs: 1 };
    const rest = { history: { train: [], validation: [] }, sample: null };
    this.worker = { id, step: at };
    return /** @type {any} */ ({
      meta: { ...meta, ...rest },
      ...{ text: "text", planned: planned(at), best: null, readOnly: this.elsewhere },
    });
  }

  /** What may happen; what cannot now does not. `n` chooses. @type {Record<string, (n: number) => unknown>} */
  can = {
    start: (n) => this.dispatch({ type: "start", ready: !this.lost, text: n % 5 ? "text" : " ", afresh: n % 2 === 0 }),
    pause: () => this.dispatch({ type: "pause" }),
    stop: () => this.dispatch({ type: "stop" }),
    resume: () => this.dispatch({ type: "resume" }),
    save: () => this.dispatch({ type: "save" }),
    useBest: (n) => this.dispatch({ type: "useBest", best: n % 2 === 0 }),
    strength: (n) => this.dispatch({ type: "strength", value: n % 2 }),
    strengthSet: () => this.dispatch({ type: "strengthSet" }),
    giveUp: (n) => this.state.run && this.dispatch({ type: "giveUp", run: n % 3 ? this.state.run.id : "another" }),
    rename: (n) => this.dispatch({ type: "renamed", run: `run ${n % 3}`, name: `name ${n}` }),
    remove: (n) => this.dispatch({ type: "unnamed", run: `run ${n % 3}` }),
    // The engine.
    steps: (n) => {
      const train = this.first("train");
      if (!train || !this.worker || this.worker.step === STEPS) return;
      this.worker.step = Math.min(STEPS, this.worker.step + 1 + (n % 9));
      const events = [oneStep(this.worker.step)];
      this.answer({ type: "progress", number: train.number, events, elapsedMs: n % 1000, backend: "cpu" });
    },
    ends: () => (this.first("pause") || this.worker?.step === STEPS) && this.ends(),
    fails: () => {
      const train = this.take("train");
      this.take("pause");
      if (train) this.answer({ type: "failed", number: train.number, error: new Error("not a number") });
    },
    pauseFails: () => {
      const pause = this.take("pause");
      if (pause) this.answer({ type: "notPaused", pause: pause.pause, error: new Error("no") });
    },
    autosaves: () => this.first("train") && this.saves(this.state.key),
    saved: () => {
      const save = this.take("save");
      if (!save) return;
      this.saves(save.key);
      this.answer({ type: "saveEnded", save: save.save });
    },
    sampled: () => {
      const sample = this.take("sample");
      if (!sample) return;
      const { key } = sample;
      this.answer({ type: "sample", key, sample: { step: this.worker?.step ?? 0, prompt: "a", text: "b" } });
      this.answer({ type: "sampled", key });
    },
    best: (n) => {
      const asked = this.take("askBest");
      if (asked) this.answer({ type: "best", key: asked.key, best: { step: n % 5, loss: 1, inForce: true } });
    },
    bestUsed: () => {
      const asked = this.take("useBest");
      const best = asked && { step: 1, loss: 1, inForce: asked.best };
      if (asked && best) this.answer({ type: "bestUsed", key: asked.key, best });
    },
    crash: () => {
      if (this.lost) return;
      this.forgetTo(() => this.dispatch({ type: "crashed" }));
    },
    fills: () => {
      this.full = true;
    },
    empties: () => {
      this.full = false;
    },
    // How a run begins.
    begins: async (n) => {
      const begin = this.first("begin");
      if (!begin || this.lost || this.state.attempt?.number !== begin.attempt) return;
      if (n % 2) {
        const fresh = {};
        if (await secure(this.giving)) return this.notBegun();
        this.dispatch({ type: "opening", attempt: begin.attempt, fresh });
        if (!(await this.replace(() => this.opens(fresh, null)))) return this.notBegun();
        if (n % 3 === 0) return this.notBegun();
      } else if (await secure(this.giving)) return this.notBegun();
      this.drop();
      const id = `run ${this.runs++}`;
      this.worker = { id, step: 0 };
      this.take("begin");
      const run = /** @type {any} */ ({ id, name: id, mode: "full", text: "text", from: { kind: "shipped" } });
      this.answer({ type: "begun", attempt: begin.attempt, run, planned: planned() });
    },
    notBegun: () => this.notBegun(),
    // Other models and tabs.
    opens: () => this.replace(() => this.opens({}, null)),
    opensRun: async (n) => {
      const ids = [...this.disk.keys()];
      const id = ids[n % ids.length];
      if (!id) return;
      await this.replace(() => {
        this.drop();
        this.elsewhere = n % 4 === 3;
        this.opens({}, id);
      });
    },
    opensInVain: async (n) => {
      await leave(this.giving).catch(() => {});
      const { run } = this.state;
      // Meanwhile another tab took it.
      if (run && n % 3 === 0 && !facts.unsaved(this.state)) this.elsewhere = true;
      await stay(this.giving);
    },
    secures: () => secure(this.giving),
    freed: () => {
      const asked = this.take("awaitFree");
      if (!asked) return;
      this.elsewhere = false;
      this.answer({ type: "freed", key: asked.key });
    },
    addsAdapter: async () => {
      if (facts.busy(this.state) || this.lost || (await secure(this.giving))) return;
      this.drop();
      this.dispatch({ type: "adapterAdded", onTrain: true });
    },
    /** An answer comes again, or one that nobody waits for any more. */
    late: (n) => {
      const event = this.late[n % this.late.length];
      if (!event) return;
      const before = this.state;
      this.dispatch(event);
      if (!this.isMeant(before, event)) assert.equal(this.state, before, `a late ${event.type} changes something`);
    },
  };

  /** Whether an answer belongs to what there is. @param {RunState} state @param {any} event */
  isMeant(state, { key, number, attempt, pause, save }) {
    if (key !== undefined) return key === state.key;
    if (number !== undefined) return number === state.training && facts.goesOn(state);
    if (attempt !== undefined) return attempt === state.attempt?.number;
    if (pause !== undefined) return pause === state.pause && state.phase === "pausing";
    return save === state.saving?.number;
  }

  /** @param {() => void} crashed */
  forgetTo(crashed) {
    this.lost = true;
    this.worker = null;
    this.forget();
    crashed();
  }

  notBegun() {
    const begin = this.take("begin");
    if (begin) this.answer({ type: "notBegun", attempt: begin.attempt, error: new Error("no") });
  }

  /** @param {number} key */
  saves(key) {
    try {
      this.answer({ type: "saved", key, step: this.write() });
    } catch (error) {
      this.answer({ type: "notSaved", key, error });
    }
  }

  /** @param {object} source @param {string | null} id of a saved run */
  opens(source, id) {
    if (!id) this.drop();
    const restored = id ? this.restored(id) : null;
    if (this.state.attempt?.fresh !== source) {
      const begin = this.take("begin");
      if (begin) this.late.push({ type: "notBegun", attempt: begin.attempt });
    }
    this.dispatch({ type: "opened", source, restored, onTrain: false });
  }
}
