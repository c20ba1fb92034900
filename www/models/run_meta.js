/** What a saved run tells about itself, checked: what is wrong in it has a stand-in, and is named. */
import { count, list, number, object, oneOf, optional, read, text, tuple } from "../core/schema.js";

/** @typedef {import("../engine/types.js").RunMeta} RunMeta */

const MODES = /** @type {const} */ (["full", "lora", "scratch"]);
const KINDS = ["shipped", "url", "files", "kept", "scratch"];
/** Longer names do not come from the page. */
const MOST_NAME = 1000;
const points = list(/** @type {import("../core/schema.js").Check<[number, number]>} */ (tuple([count(), number()])));

const sample = object({ step: count(), prompt: text(), text: text() });

const runMeta = object({
  version: oneOf(/** @type {const} */ ([1])),
  id: text(""),
  name: text("", MOST_NAME),
  mode: oneOf(MODES),
  step: count(),
  steps: count(),
  savedAt: number(0, 0, 8.64e15),
  elapsedMs: number(0, 0),
  source: object({ kind: oneOf(KINDS), id: text(), name: text() }),
  nParams: count(),
  vocabSize: optional(count()),
  history: object({ train: points, validation: points }),
  sample: optional(sample),
  samples: optional(list(sample)),
  strength: optional(number(1, 0, 2)),
});

/**
 * @param {unknown} stored
 * @returns {{ meta: RunMeta, lost: string[], opens: boolean }} `lost`: what had to be replaced; `opens`: whether what
 *   is left is enough to
 *   open the run: adapters need the model they belong to
 */
export function readMeta(stored) {
  const { value, wrong } = read(runMeta, stored);
  const lost = [...new Set(wrong.map((path) => path.split(".")[0]))];
  const meta = { ...value, sample: value.sample ?? null };
  const needs = ["version", "mode", ...(meta.mode === "lora" ? ["source"] : [])];
  return { meta, lost, opens: !needs.some((name) => lost.includes(name)) };
}

/**
 * What stands in the list for a run that tells nothing of itself.
 * @param {string} id
 * @param {string} name
 * @param {number} savedAt
 * @returns {RunMeta}
 */
export function unknownMeta(id, name, savedAt) {
  return { ...readMeta(null).meta, id, name, savedAt };
}
