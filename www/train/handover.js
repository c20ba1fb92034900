/** A run that gives way, to another model, backend or tab, and what the page says of it then. Draws nothing. */
import { PageError } from "../core/errors.js";
import { whenFree } from "../models/locks.js";

export class Handover {
  /** @param {import("./training.js").Training} training */
  constructor(training) {
    this.training = training;
    /**
     * A run with steps left that gave way, and whether it was going on then.
     * @type {{ id: string, name: string, step: number, steps: number, ran: boolean } | null}
     */
    this.left = null;
    /** Ends the wait for the tab that has the run. @type {AbortController | null} */
    this.waiting = null;
    /** The run that the user gave up, though it could not be saved. */
    this.given = "";
  }

  /** Steps of the run that are nowhere else, and that the user has not given up. */
  get precious() {
    const { unsaved, runId } = this.training;
    return unsaved && runId !== this.given;
  }

  /** The user would rather lose what could not be saved of a run. @param {string} id */
  giveUp(id) {
    this.given = id;
  }

  /** @param {boolean} ran */
  note(ran) {
    const { runId: id, runName: name, savedStep: step, run } = this.training;
    this.left =
      run && step >= 0 && step < run.steps
        ? { id, name, step, steps: run.steps, ran: ran || (this.left?.ran ?? false) }
        : null;
  }

  /** Ends what the worker is at, and saves the run unless it is another tab's. */
  async halt() {
    const { training } = this;
    const client = training.parts.engine.ready();
    client.request("stop").catch(() => {});
    await client.request("pause");
    if (!training.readOnly) training.noteSaved(await client.request("save"));
  }

  /**
   * Pauses and saves the run, so that another may take its place. Returns whether nothing of it would be lost; what
   * would be has been said.
   * @param {() => void} again what to do where the user gives it up
   */
  async secure(again) {
    const { training } = this;
    const { client } = training.parts.engine;
    if (!client || !training.run || training.readOnly) return true;
    const ran = training.goesOn;
    /** @type {unknown} */
    let cause;
    try {
      await this.halt();
    } catch (error) {
      cause = error;
    }
    if (this.precious) {
      const { runId } = training;
      const run = () => {
        this.giveUp(runId);
        again();
      };
      if (!training.keeps) cause ??= new PageError("error.noStorage");
      training.parts.say([["train.error.keep"]], cause, [{ key: "train.giveUp", run }]);
      return false;
    }
    this.note(ran);
    return true;
  }

  /**
   * Before another model takes the place of this one: the run is saved, and another worker may have it. Throws where
   * steps would be lost.
   */
  async leave() {
    const { training } = this;
    const { client } = training.parts.engine;
    if (!client || !training.run) return;
    const { goesOn, readOnly } = training;
    training.away = true;
    // What could not be saved is seen below.
    await this.halt().catch(() => {});
    if (this.precious) throw new PageError("train.error.keep", { run: training.runId });
    await client.request("release");
    if (!readOnly) this.note(goesOn);
  }

  /**
   * The model that was to take its place could not be opened: the run is this page's again, unless another took it
   * meanwhile.
   */
  async stay() {
    const { training } = this;
    this.left = null;
    training.away = false;
    const { client } = training.parts.engine;
    const { runId } = training;
    if (!client || !training.run || training.readOnly) return;
    try {
      const readOnly = await client.request("reclaim");
      if (!readOnly || runId !== training.runId) return;
      training.readOnly = true;
      this.elsewhere();
      training.parts.onChange();
    } catch (error) {
      training.failed(error, "train.error.open");
    }
  }

  /** Another model is in use: says where the run stands that gave way. */
  opened() {
    const { left, training } = this;
    this.left = null;
    if (!left || training.phase === "starting") return;
    const { say, store } = training.parts;
    const onTrain = store.state.tab === "train";
    if (training.runId === left.id) {
      // On the Train tab the button is there already.
      const actions = onTrain ? [] : [{ key: "train.resume", run: () => training.resume() }];
      if (left.ran && training.phase === "paused")
        say([["train.pausedSaved", { step: training.step }]], undefined, actions);
      return;
    }
    const { id, name, step, steps } = left;
    void training.saves.propose(id);
    if (left.ran && !onTrain)
      say([["train.offer", { name, step, steps }]], undefined, [
        { key: "train.resume", run: () => void training.saves.openById(id, true) },
      ]);
  }

  /** Another tab has the run: says so, and when that tab lets go of it. */
  elsewhere() {
    const { training } = this;
    const {
      runId: id,
      parts: { say, onChange },
    } = training;
    say([["train.readOnly"]]);
    this.waiting?.abort();
    const control = (this.waiting = new AbortController());
    whenFree(id, control.signal).then(
      () => {
        if (training.runId !== id || !training.readOnly) return;
        training.free = true;
        say([["train.free"]], undefined, [{ key: "train.useHere", run: () => void training.saves.openById(id) }]);
        onChange();
      },
      () => {},
    );
  }
}
