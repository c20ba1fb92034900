/** The losses of a run, as the page draws them and as a save keeps them: the same points, so that a reload changes nothing. */

/** @typedef {import("../engine/types.js").LossHistory} LossHistory */
/** @typedef {import("../engine/types.js").TrainEvent} TrainEvent */
/** @typedef {[step: number, loss: number][]} Points */

/** Points of one curve. An even number: the first point and the newest then both stay when it is thinned. */
export const MOST_POINTS = 4000;

/** @type {LossHistory} */
export const NO_LOSSES = Object.freeze({ train: [], validation: [] });

/** Every second point, where there are too many. @param {Points} points */
function thinned(points) {
  return points.length > MOST_POINTS ? points.filter((_, at) => at % 2 === 0) : points;
}

/**
 * The losses with what the engine tells; what was there is not changed. A loss that is no number is no point: JSON has
 * none, and a save would lose it.
 * @param {LossHistory} history @param {TrainEvent[]} events @returns {LossHistory}
 */
export function withLosses(history, events) {
  let train = [...history.train];
  let validation = [...history.validation];
  for (const event of events) {
    if (event.type === "finished" || !Number.isFinite(event.loss)) continue;
    // One by one: how they come together in a message must make no difference.
    if (event.type === "step") train = thinned(pushed(train, event.step, event.loss));
    else validation = thinned(pushed(validation, event.step, event.loss));
  }
  return { train, validation };
}

/** @param {Points} points of the caller's own @param {number} step @param {number} loss */
function pushed(points, step, loss) {
  points.push([step, loss]);
  return points;
}

/** So many validations without a new lowest loss say that more steps do harm. */
const PATIENCE = 4;

/**
 * Whether the validation loss has only risen for so long that more steps would do harm.
 * @param {readonly (readonly [number, number])[]} validation
 */
export function onlyRises(validation) {
  const losses = validation.map(([, loss]) => loss);
  const best = losses.indexOf(Math.min(...losses));
  return losses.length - 1 - best >= PATIENCE && losses[losses.length - 1] > losses[losses.length - PATIENCE];
}

/** A text that the model wrote on its way. @typedef {{ step: number, prompt: string, text: string }} Sample */

/** So many texts are kept of a run. */
export const MOST_SAMPLES = 12;

/**
 * The texts of a run with the newest one, from its first to its last: one of each step, and every second where there
 * are too many.
 * @param {readonly Sample[]} samples @param {Sample} sample @returns {Sample[]}
 */
export function withSample(samples, sample) {
  const before = samples.filter(({ step }) => step < sample.step);
  const kept = before.length < MOST_SAMPLES ? before : before.filter((_, at) => at % 2 === 0);
  return [...kept, sample];
}
