/** What training asks of the engine. Every answer, and every failure, is an event. Draws nothing. */
import { fromWire } from "../core/errors.js";

/** @typedef {import("../engine/types.js").RunEvent} RunEvent */
/** @typedef {import("./run_events.js").Effect} Effect */
/** @template {Effect["type"]} T @typedef {Extract<Effect, { type: T }>} Of */

/**
 * @typedef {object} Asking
 * @property {import("../engine/client.js").Engine} engine
 * @property {(event: import("./run_events.js").RunStateEvent) => void} dispatch
 * @property {(error: unknown, key: string) => void} failed says so
 * @property {() => import("../engine/types.js").Backend | ""} backend in use
 */

/** Makes steps until the end, a pause, or an error. @param {Asking} asking @param {Of<"train">} effect */
export async function train({ engine, dispatch, backend }, { key, number }) {
  const onEvent = (/** @type {RunEvent} */ event) => {
    if (event.type !== "progress") return hear(dispatch, key, event);
    dispatch({ type: "progress", number, events: event.events, elapsedMs: event.elapsedMs, backend: backend() });
  };
  try {
    const { finished, best } = await engine.ready().request("train", {}, [], onEvent);
    dispatch({ type: "ended", number, finished, best });
  } catch (error) {
    dispatch({ type: "failed", number, error });
  }
}

/** @param {Asking["dispatch"]} dispatch @param {number} key @param {Exclude<RunEvent, { type: "progress" }>} event */
function hear(dispatch, key, event) {
  if (event.type === "saved") return dispatch({ type: "saved", key, step: event.step });
  if (event.type === "notSaved") return dispatch({ type: "notSaved", key, error: fromWire(event.error) });
  const { step, prompt, text } = event;
  dispatch({ type: "sample", key, sample: { step, prompt, text } });
}

/** @param {Asking} asking @param {Of<"pause">} effect */
export async function pause({ engine, dispatch }, { pause: number }) {
  try {
    await engine.client?.request("pause");
  } catch (error) {
    dispatch({ type: "notPaused", pause: number, error });
  }
}

/** Writes the run now. @param {Asking} asking @param {Of<"save">} effect */
export async function save({ engine, dispatch }, { key, save: number, quiet }) {
  try {
    const { client } = engine;
    if (client) dispatch({ type: "saved", key, step: await client.request("save") });
  } catch (error) {
    if (!quiet) dispatch({ type: "notSaved", key, error });
  }
  dispatch({ type: "saveEnded", save: number });
}

/** Lets the model write with the weights that it has now. @param {Asking} asking @param {Of<"sample">} effect */
export async function sample({ engine, dispatch, failed }, { key }) {
  try {
    await engine.client?.request("sample", {}, [], (event) => hear(dispatch, key, event));
  } catch (error) {
    failed(error, "train.error.run");
  }
  dispatch({ type: "sampled", key });
}

/** @param {Asking} asking @param {Of<"askBest">} effect */
export async function best({ engine, dispatch }, { key }) {
  const found = await engine.client?.request("best").catch(() => null);
  dispatch({ type: "best", key, best: found ?? null });
}

/** @param {Asking} asking @param {Of<"useBest">} effect */
export async function useBest({ engine, dispatch, failed }, { key, best: wanted }) {
  try {
    dispatch({ type: "bestUsed", key, best: await engine.ready().request("useBest", { best: wanted }) });
  } catch (error) {
    failed(error, "train.error.best");
  }
}
