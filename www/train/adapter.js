/** Adds an adapter from disk to the model in use. Draws nothing. */
import { part } from "../core/errors.js";
import { readSmall } from "../models/reading.js";
import { tuned } from "./start.js";

/**
 * @param {import("./start.js").Starting} parts
 * @param {{ config: File, weights: File }} files
 * @param {() => void} again tries once more, where the user gives up what would be lost
 * @returns {Promise<[string, Record<string, string>?] | null>} what to say of it; null where it came to nothing, which
 *   has been said
 */
export async function addAdapter(parts, { config, weights }, again) {
  const { engine, store, open } = parts;
  const origin = parts.origin();
  const { info: before, adapterId: wanted } = store.state;
  const trained = before?.trained;
  const { models } = engine;
  if (!(await parts.secure(again))) return null;
  // Adapters go onto the model that those there are for, and onto what a run has made of a whole model.
  const below = trained === "lora" ? origin && { ...origin } : trained === "full" ? await tuned(parts, false) : null;
  // The user has chosen another model meanwhile.
  if (store.state.loading || engine.models !== models) return null;
  if (below) {
    await open(below);
    // What went wrong has been said.
    if (engine.source !== below) return null;
  }
  const { models: onto } = engine;
  const client = await engine.trainer();
  if (engine.models !== onto) return null;
  const { fingerprint } = await part(import("../core/fingerprint.js"));
  const id = await fingerprint(weights, config);
  const info = await client.request("addAdapter", { config: await readSmall(config), weights });
  store.set({ info, adapterId: id });
  // One that is there already was asked for by nobody.
  const other = wanted && id && wanted !== id && trained !== "lora";
  return other ? ["message.otherAdapter", { wanted, id }] : ["train.adapterAdded"];
}
