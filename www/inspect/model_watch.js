/** Notices when the model computes something else than before, and keeps what is switched off in it. */

/** @typedef {import("./types.js").Unit} Unit */

export class ModelWatch {
  /** @param {import("../app.js").App} app @param {(off: readonly Unit[]) => void} switchOff tells the engine */
  constructor(app, switchOff) {
    this.app = app;
    this.switchOff = switchOff;
    /** Models are numbered as they come. */
    this.models = 0;
    /** The worker that holds the model. @type {unknown} */
    this.client = null;
    /** What was switched off, and in which worker. @type {{ client: unknown, off: string }} */
    this.applied = { client: null, off: "" };
  }

  /** Another model is in use. */
  opened() {
    this.models += 1;
  }

  /** Changes whenever the model as a whole computes something else. */
  weights() {
    const { engine, training } = this.app;
    if (engine.client !== this.client) {
      this.client = engine.client;
      this.models += 1;
    }
    const { strength, step, phase, best } = training.state;
    // While a run goes on the weights change all the time: the text is read anew when it rests.
    const weights = phase === "running" || phase === "pausing" ? "changing" : [step, best?.inForce];
    return JSON.stringify([this.models, strength, weights]);
  }

  /** Changes whenever the same text would give other figures. */
  stamp() {
    return JSON.stringify([this.weights(), this.app.state.view.off]);
  }

  /** Tells the engine what is switched off, where it does not know; a new worker has everything on. */
  applyGates() {
    const { engine, state } = this.app;
    const off = JSON.stringify(state.view.off);
    const { applied } = this;
    if (!engine.client || (applied.client === engine.client ? applied.off === off : off === "[]")) return;
    this.applied = { client: engine.client, off };
    this.switchOff(state.view.off);
  }
}
