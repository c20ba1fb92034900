/**
 * What can be read from a matrix of attention: strongest, means, what is left without the first token. Free of the DOM.
 */

/** @typedef {import("../../types.js").AttentionAnswer} Matrix */
/** @typedef {import("../../types.js").HeadsAnswer} HeadsAnswer */
/** @typedef {"linear" | "sqrt"} Scale */
/**
 * How attention is shown: `ignoreFirst` leaves out the first token and brings what is left of each row to 100 %.
 * @typedef {{ scale: Scale, ignoreFirst: boolean }} Look
 */
/** @typedef {{ position: number, value: number }} Share */

/** @type {readonly Scale[]} */
export const SCALES = ["sqrt", "linear"];

/**
 * Where on the colour scale a share stands, from 0 to 1. The square root shows small shares, of which attention has
 * many.
 * @param {number} p from 0 to 1
 * @param {Scale} scale
 */
export function unit(p, scale) {
  const bounded = p > 0 ? Math.min(1, p) : 0;
  return scale === "sqrt" ? Math.sqrt(bounded) : bounded;
}

/**
 * The shares at which a legend has marks, lowest first.
 * @param {Scale} scale
 * @returns {number[]}
 */
export function legendTicks(scale) {
  return scale === "sqrt" ? [0, 0.05, 0.25, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
}

/**
 * How much row `q` gives to tokens other than the first. Added up rather than taken from 1, because in many heads it is
 * tiny.
 * @param {Matrix} matrix @param {number} q
 */
export function restOfRow({ size, values }, q) {
  let sum = 0;
  const from = q * size;
  for (let at = from + 1; at <= from + q; at += 1) sum += values[at];
  return sum;
}

/**
 * Factors of rows that were asked for before, -1 for others: a column needs those of all rows.
 * @type {WeakMap<Matrix, Float64Array>}
 */
const known = new WeakMap();

/**
 * What the shares of row `q` are multiplied with; 0 where nothing is left to show.
 * @param {Matrix} matrix @param {number} q @param {boolean} ignoreFirst
 */
export function rowFactor(matrix, q, ignoreFirst) {
  if (!ignoreFirst) return 1;
  let factors = known.get(matrix);
  if (!factors) known.set(matrix, (factors = new Float64Array(matrix.size).fill(-1)));
  if (factors[q] < 0) {
    const rest = restOfRow(matrix, q);
    factors[q] = rest > 0 ? 1 / rest : 0;
  }
  return factors[q];
}

/**
 * How much query `q` attends to key `k`, as shown. 0 for a later key.
 * @param {Matrix} matrix @param {number} q @param {number} k @param {boolean} ignoreFirst
 */
export function share(matrix, q, k, ignoreFirst) {
  if (k > q || (ignoreFirst && k === 0)) return 0;
  return matrix.values[q * matrix.size + k] * rowFactor(matrix, q, ignoreFirst);
}

/**
 * Row `q` as shown, keys 0 to q.
 * @param {Matrix} matrix @param {number} q @param {boolean} ignoreFirst
 * @returns {Float32Array}
 */
export function shownRow(matrix, q, ignoreFirst) {
  const row = matrix.values.slice(q * matrix.size, q * matrix.size + q + 1);
  if (!ignoreFirst) return row;
  const factor = rowFactor(matrix, q, true);
  row[0] = 0;
  for (let k = 1; k < row.length; k += 1) row[k] *= factor;
  return row;
}

/**
 * Column `k` as shown: what queries k to the last give to it, beginning with k itself.
 * @param {Matrix} matrix @param {number} k @param {boolean} ignoreFirst
 * @returns {Float32Array}
 */
export function shownColumn(matrix, k, ignoreFirst) {
  return Float32Array.from({ length: matrix.size - k }, (_, at) => share(matrix, k + at, k, ignoreFirst));
}

/**
 * The `n` greatest above zero, greatest first; of equals the earlier first.
 * @param {ArrayLike<number>} values @param {number} n @param {number} [offset] added to each position
 * @returns {Share[]}
 */
export function strongest(values, n, offset = 0) {
  /** @type {Share[]} */
  const best = [];
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (!(value > 0) || (best.length === n && value <= best[n - 1].value)) continue;
    let place = best.length;
    while (place > 0 && best[place - 1].value < value) place -= 1;
    best.splice(place, 0, { position: at + offset, value });
    if (best.length > n) best.pop();
  }
  return best;
}

/**
 * The tokens that `q` looks at most, itself among them.
 * @param {Matrix} matrix @param {number} q @param {number} n @param {boolean} ignoreFirst
 */
export function rowStrongest(matrix, q, n, ignoreFirst) {
  return strongest(shownRow(matrix, q, ignoreFirst), n);
}

/**
 * The later tokens that look at `k` most. Itself is left out: the row has it.
 * @param {Matrix} matrix @param {number} k @param {number} n @param {boolean} ignoreFirst
 */
export function columnStrongest(matrix, k, n, ignoreFirst) {
  return strongest(shownColumn(matrix, k, ignoreFirst).subarray(1), n, k + 1);
}

/**
 * The mean over the heads of each layer's thumbnails: `[(layer * size + q) * size + k]`.
 * @param {HeadsAnswer} answer
 * @returns {Float32Array}
 */
export function thumbMeans({ layers, heads, size, values }) {
  const cells = size * size;
  const means = new Float32Array(layers * cells);
  for (let layer = 0; layer < layers; layer += 1) {
    for (let head = 0; head < heads; head += 1) {
      const from = (layer * heads + head) * cells;
      for (let at = 0; at < cells; at += 1) means[layer * cells + at] += values[from + at] / heads;
    }
  }
  return means;
}

/**
 * A layer and a head that the model has; links name any.
 * @param {{ layer: number, head: number }} view @param {{ nLayer: number, nHead: number }} info
 */
export function clampUnit({ layer, head }, { nLayer, nHead }) {
  const within = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) =>
    Math.min(high, Math.max(low, Number.isFinite(value) ? Math.trunc(value) : 0));
  return { layer: within(layer, 0, nLayer - 1), head: within(head, -1, nHead - 1) };
}

/**
 * The tokens shown around `focus`, at most `most` of `count`: rather more before it than after it, because attention
 * looks back.
 * @param {number} count @param {number} focus @param {number} most
 * @returns {{ from: number, to: number }} `to` is not shown any more
 */
export function tokenWindow(count, focus, most) {
  if (count <= most) return { from: 0, to: count };
  const wanted = focus - Math.floor(most * 0.7);
  const from = Math.min(count - most, Math.max(0, wanted));
  return { from, to: from + most };
}
