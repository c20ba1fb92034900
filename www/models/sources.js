/**
 * Where a model comes from, whatever that is; `files.js` and `network.js` make those with files. Runs on the main
 * thread.
 */
import { PageError, part } from "../core/errors.js";

/** @typedef {import("../engine/types.js").SmallFiles} SmallFiles */

/** A file's parts, in order; each owns its buffer. @typedef {AsyncIterable<Uint8Array<ArrayBuffer>>} Parts */

/**
 * A weights file, and its length, 0 when the server does not say.
 * @typedef {{ parts: Parts, bytes: number }} Weights
 */

/**
 * @typedef {object} ModelFiles
 * @property {SmallFiles} files
 * @property {((signal: AbortSignal) => Promise<Weights>)[]} weights the weights files, in order; each may be opened
 *   more than once
 * @property {number} weightBytes of all of them; 0 when the server does not say
 */

/**
 * @typedef {object} ModelSource
 * @property {"shipped" | "url" | "files" | "kept" | "scratch" | "run"} kind
 * @property {string} id what the URL's fragment calls it; "" where a link cannot name it
 * @property {string} name
 * @property {(signal: AbortSignal) => Promise<ModelFiles>} open may be called again, to load the model anew
 * @property {import("../engine/types.js").ScratchOptions} [scratch] for a model with random weights, which has no files
 * @property {{ id: string, base: ModelSource | null, origin: ModelSource | null }} [run] for a saved run: the model
 *   that must be
 *   loaded first, for adapters, and the model that it began from
 */

/**
 * Whether two names are of one model. Names alone do not say: nearly every file is called model.safetensors.
 * @param {{ kind: string, id: string }} a @param {{ kind: string, id: string }} b
 */
export function isSame(a, b) {
  return a === b || (a.kind === b.kind && a.id !== "" && a.id === b.id);
}

/** A source without files. @returns {Promise<ModelFiles>} */
async function noFiles() {
  throw new PageError("error.noBase");
}

/** @param {import("../engine/types.js").ScratchOptions} scratch @param {string} name @returns {ModelSource} */
export function scratchSource(scratch, name) {
  return { kind: "scratch", id: "", name, scratch, open: noFiles };
}

/**
 * A model that is kept on this device because nothing else has it.
 * @param {string} id @param {string} name @returns {ModelSource}
 */
export function keptSource(id, name) {
  /** @param {AbortSignal} signal */
  const open = async (signal) => {
    return (await part(import("./bases.js"))).openBase(id, name, signal);
  };
  return { kind: "kept", id, name, open };
}

/**
 * A saved run.
 * @param {Pick<import("../engine/types.js").RunMeta, "id" | "name" | "mode" | "source">} meta
 * @param {ModelSource | null} origin the model that it began from, where it can be had
 * @returns {ModelSource}
 */
export function runSource(meta, origin) {
  const base = meta.mode === "lora" ? origin : null;
  if (meta.mode === "lora" && !base) {
    const { kind, id, name } = meta.source;
    throw new PageError("error.baseNeeded", { name: kind === "files" && id ? `${name} (${id})` : name });
  }
  return { kind: "run", id: "", name: meta.name, run: { id: meta.id, base, origin }, open: noFiles };
}
