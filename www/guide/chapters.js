/** The chapters in their order, and the places in them. */
import { attention } from "./chapters/attention.js";
import { guessing } from "./chapters/guessing.js";
import { layers } from "./chapters/layers.js";
import { learning } from "./chapters/learning.js";
import { tokens } from "./chapters/tokens.js";

/** @typedef {import("./types.js").Chapter} Chapter */
/** @typedef {import("./types.js").Place} Place */

/** @type {readonly Chapter[]} */
export const CHAPTERS = [tokens, guessing, attention, layers, learning];

/** @param {Place} place */
export const chapterAt = ({ chapter }) => /** @type {Chapter} */ (CHAPTERS.find(({ name }) => name === chapter));
/** @param {Place} place */
export const stepAt = (place) => chapterAt(place).steps[place.step - 1];

/** A place as the address holds it: "attention.3". @param {Place} place */
export const nameOf = ({ chapter, step }) => [chapter, step].join(".");

/**
 * The place that an address names; a step that there is not is the nearest, a chapter that there is not the first.
 * @param {string} name @returns {Place}
 */
export function placeOf(name) {
  const [chapter, step] = name.split(".");
  const { steps, name: found } = CHAPTERS.find((one) => one.name === chapter) ?? CHAPTERS[0];
  return { chapter: found, step: Math.min(steps.length, Math.max(1, Math.trunc(Number(step)) || 1)) };
}

/**
 * One step on or back, over the chapters' ends; null beyond the guide's.
 * @param {Place} place @param {1 | -1} by @returns {Place | null}
 */
export function moved({ chapter, step }, by) {
  const at = CHAPTERS.findIndex(({ name }) => name === chapter);
  if (step + by >= 1 && step + by <= CHAPTERS[at].steps.length) return { chapter, step: step + by };
  const other = CHAPTERS[at + by];
  return other ? { chapter: other.name, step: by > 0 ? 1 : other.steps.length } : null;
}
