/** A run that gives way, to another model, backend or tab: it is paused, saved and let go of. Draws nothing. */
import { PageError } from "../core/errors.js";
import { goesOn, precious, readOnly, runId } from "./run_facts.js";

/**
 * @typedef {object} Giving
 * @property {() => import("./run_facts.js").RunState} state
 * @property {(event: import("./run_events.js").RunStateEvent) => void} dispatch
 * @property {() => Pick<import("../engine/client.js").WorkerClient, "request"> | null} client the worker that has the run
 */

/** Ends what the worker is at, and saves the run unless it is another tab's. @param {Giving} giving */
async function halt({ state, dispatch, client }) {
  const { key } = state();
  const worker = client();
  if (!worker) throw new PageError("error.noModel");
  worker.request("stop").catch(() => {});
  await worker.request("pause");
  if (!readOnly(state())) dispatch({ type: "saved", key, step: await worker.request("save") });
}

/**
 * Pauses and saves the run, so that another may take its place.
 * @param {Giving} giving
 * @returns {Promise<{ run: string, cause: unknown } | null>} the run that would lose steps, and why; null where nothing
 *   would be lost
 */
export async function secure(giving) {
  const { state, dispatch, client } = giving;
  if (!client() || !state().run || readOnly(state())) return null;
  const ran = goesOn(state());
  /** @type {unknown} */
  let cause;
  try {
    await halt(giving);
  } catch (error) {
    cause = error;
  }
  if (precious(state())) {
    if (!state().keeps) cause ??= new PageError("error.noStorage");
    return { run: runId(state()), cause };
  }
  dispatch({ type: "gaveWay", ran });
  return null;
}

/**
 * Before another model takes the place of this one: the run is saved, and another worker may have it. Throws where
 * steps would be lost.
 * @param {Giving} giving
 */
export async function leave(giving) {
  const { state, dispatch, client } = giving;
  const worker = client();
  if (!worker || !state().run) return;
  const ran = goesOn(state());
  dispatch({ type: "leaving" });
  // What could not be saved is seen below.
  await halt(giving).catch(() => {});
  if (precious(state())) throw new PageError("train.error.keep", { run: runId(state()) });
  await worker.request("release");
  dispatch({ type: "gaveWay", ran });
}

/**
 * The model that was to take its place could not be opened: the run is this page's again, unless another took it
 * meanwhile.
 * @param {Giving} giving
 */
export async function stay({ state, dispatch, client }) {
  const { key, run } = state();
  dispatch({ type: "stayed" });
  const worker = client();
  if (!worker || !run || readOnly(state())) return;
  if (await worker.request("reclaim")) dispatch({ type: "taken", key });
}
