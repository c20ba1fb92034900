/** Notices when the model computes something else than before. */

export class ModelWatch {
  /** @param {import("../app.js").App} app */
  constructor(app) {
    this.app = app;
    /** Models are numbered as they come. */
    this.models = 0;
    /** The worker that holds the model. @type {unknown} */
    this.client = null;
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
}
