/** Numbers of the chapters, and the choices of their questions. Free of the DOM. */

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {{ size: number, values: ArrayLike<number> }} Matrix */

/** @param {ArrayLike<number>} values Euclidean length */
export function norm(values) {
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += values[at] ** 2;
  return Math.sqrt(sum);
}

/** @param {ArrayLike<number>} values @returns {{ mean: number, deviation: number }} */
export function spread(values) {
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += values[at];
  const mean = sum / values.length;
  let squares = 0;
  for (let at = 0; at < values.length; at += 1) squares += (values[at] - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** A number with three digits that mean something. @param {number} value */
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text =
    size === 0 ? "0" : size < 1e-3 ? size.toExponential(1) : size >= 99.95 ? size.toFixed(0) : size.toPrecision(3);
  return `${value < 0 ? "−" : ""}${text}`;
}

/**
 * Softmax at a temperature: the probability of each logit. At 0 the greatest has all.
 * @param {ArrayLike<number>} logits @param {number} temperature
 */
export function softmax(logits, temperature = 1) {
  let largest = -Infinity;
  for (let at = 0; at < logits.length; at += 1) largest = Math.max(largest, logits[at]);
  const weights = Float64Array.from(logits, (logit) =>
    temperature > 0 ? Math.exp((logit - largest) / temperature) : Number(logit === largest),
  );
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** ln Σ exp. @param {ArrayLike<number>} logits */
export function logSumExp(logits) {
  let largest = -Infinity;
  for (let at = 0; at < logits.length; at += 1) largest = Math.max(largest, logits[at]);
  let sum = 0;
  for (let at = 0; at < logits.length; at += 1) sum += Math.exp(logits[at] - largest);
  return largest + Math.log(sum);
}

/** Query q's attention to key k. @param {Matrix} matrix @param {number} q @param {number} k */
export const share = ({ size, values }, q, k) => values[q * size + k];

/**
 * How much the tokens of a matrix give to the token before, or to the first, on average. Each has earlier tokens to
 * choose from: the first two are left out, of which the token before is the first.
 * @param {Matrix} matrix @param {import("./types.js").HeadKind} kind
 * @returns {number} NaN where the text is too short
 */
export function habit(matrix, kind) {
  let sum = 0;
  for (let q = 2; q < matrix.size; q += 1) sum += share(matrix, q, kind === "first" ? 0 : q - 1);
  return matrix.size > 2 ? sum / (matrix.size - 2) : NaN;
}

/**
 * The head that does something most.
 * @param {import("../inspect/types.js").HeadsAnswer} answer @param {import("./types.js").HeadKind} kind
 */
export function strongestHead({ layers, heads, size, values }, kind) {
  let best = { layer: 0, head: 0, mean: -1 };
  for (let layer = 0; layer < layers; layer += 1)
    for (let head = 0; head < heads; head += 1) {
      const from = (layer * heads + head) * size * size;
      const mean = habit({ size, values: values.subarray(from, from + size * size) }, kind);
      if (mean > best.mean) best = { layer, head, mean };
    }
  return best;
}

/** Splits at what is no letter, digit or sign within a word. @param {string} text */
export const wordsIn = (text) => text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];

/**
 * Choices of which one is right, each label once.
 * @param {string} right @param {readonly string[]} others
 * @returns {Choice[]}
 */
export function oneOf(right, others) {
  const labels = [...new Set([right, ...others])];
  return labels
    .map((label) => ({ label, right: label === right }))
    .sort((one, other) => one.label.localeCompare(other.label, "en", { numeric: true }));
}

/**
 * Whole numbers to choose from, at least three, the least first.
 * @param {number} right @param {readonly number[]} others those below 0 are left out
 * @param {(value: number) => string} write
 * @returns {Choice[]}
 */
export function numbers(right, others, write) {
  const all = new Set([right]);
  for (const value of [...others, right + 1, right + 2, 2 * right + 3])
    if (all.size < 3 && value >= 0 && Number.isFinite(value)) all.add(Math.round(value));
  return [...all].sort((one, other) => one - other).map((value) => ({ label: write(value), right: value === right }));
}
