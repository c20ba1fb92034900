/** Tells the engine which heads and MLPs are switched off: the one place that does. */

/** @typedef {import("../inspect/types.js").Unit} Unit */

export class Gates {
  /**
   * @param {Pick<import("./client.js").Engine, "client" | "gates">} engine
   * @param {(error: unknown) => void} onError
   */
  constructor(engine, onError) {
    this.engine = engine;
    this.onError = onError;
    /** What was told last, and which worker. @type {{ client: unknown, off: string }} */
    this.told = { client: null, off: "" };
  }

  /**
   * Tells what is switched off, where the engine does not know; a new worker has everything on.
   * @param {readonly Unit[]} off @param {import("./types.js").Info | null} info of the open model
   */
  apply(off, info) {
    const { engine, told } = this;
    const { client } = engine;
    const units = JSON.stringify(off);
    if (!info || !client || (told.client === client ? told.off === units : !off.length)) return;
    this.told = { client, off: units };
    engine.gates(off, info).catch(this.onError);
  }
}
