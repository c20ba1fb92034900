/** Numbers of the forward pass, made ready to be shown. Free of the DOM. */
import { diverging, viridis } from "../../color.js";

/** @typedef {import("./graph.js").Box} Box */
/** @typedef {import("../../types.js").ValuesAnswer} ValuesAnswer */
/**
 * @typedef {{ values: ArrayLike<number>, colours: "signed" | "share", scale: number }} Strip a vector as it is coloured
 */

/**
 * @typedef {object} Stats
 * @property {number} n
 * @property {number} min
 * @property {number} max
 * @property {number} mean
 * @property {number} deviation square root of the mean squared distance from the mean
 * @property {number} norm Euclidean length
 * @property {number} active values above 0
 */

/** @param {ArrayLike<number>} values @returns {Stats} */
export function statsOf(values) {
  let [min, max, sum, squares, active] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (value < min) min = value;
    if (value > max) max = value;
    if (value > 0) active += 1;
    sum += value;
    squares += value * value;
  }
  const n = values.length;
  if (n === 0) return { n, min: 0, max: 0, mean: 0, deviation: 0, norm: 0, active };
  const mean = sum / n;
  let spread = 0;
  for (let i = 0; i < n; i += 1) spread += (values[i] - mean) ** 2;
  return { n, min, max, mean, deviation: Math.sqrt(spread / n), norm: Math.sqrt(squares), active };
}

/**
 * The size beyond which colours no longer change: all but a hundredth of the values are within it, so that a few huge
 * ones,
 * which large models have, do not wash out the rest.
 * @param {ArrayLike<number>} values
 */
export function scaleOf(values) {
  const sizes = Float32Array.from(values, Math.abs).filter(Number.isFinite).sort();
  if (sizes.length === 0) return 1;
  const within = sizes[Math.min(sizes.length - 1, Math.ceil(sizes.length * 0.99) - 1)];
  return within || sizes[sizes.length - 1] || 1;
}

/** @param {ArrayLike<number>} values @returns {Strip} */
export function signedStrip(values) {
  return { values, colours: "signed", scale: scaleOf(values) };
}

/** How many values lie beyond the scale. @param {ArrayLike<number>} values @param {number} scale */
export function beyond(values, scale) {
  let count = 0;
  for (let i = 0; i < values.length; i += 1) if (Math.abs(values[i]) > scale * 1.000001) count += 1;
  return count;
}

/**
 * A grid that holds `n` cells row by row, at most `columns` wide.
 * @param {number} n @param {number} columns
 */
export function gridOf(n, columns) {
  const width = Math.max(1, Math.min(n, columns));
  // Equal rows where that is possible: 640 cells are 4 x 160, not 3 x 200 and a rest.
  for (let candidate = width; candidate > width / 2; candidate -= 1) {
    if (n % candidate === 0) return { columns: candidate, rows: n / candidate };
  }
  return { columns: width, rows: Math.ceil(n / width) };
}

/**
 * Values as the pixels of a picture, one a cell; cells without a value stay clear.
 * @param {ArrayLike<number>} values
 * @param {"signed" | "share"} colours
 * @param {number} scale the value with the full colour
 * @param {{ columns: number, rows: number }} grid @param {boolean} [dark] for a dark page
 * @returns {Uint8ClampedArray<ArrayBuffer>}
 */
export function paint(values, colours, scale, { columns, rows }, dark = false) {
  const pixels = new Uint8ClampedArray(columns * rows * 4);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    const rgb = colours === "signed" ? diverging(value / scale, dark) : viridis(value / scale);
    pixels.set(rgb, 4 * i);
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

/**
 * The places of the `count` largest values, or of the largest by size; the largest first, ties by place.
 * @param {ArrayLike<number>} values @param {number} count @param {boolean} [bySize]
 */
export function strongest(values, count, bySize = false) {
  const key = bySize ? (/** @type {number} */ i) => Math.abs(values[i]) : (/** @type {number} */ i) => values[i];
  /** @type {number[]} kept sorted, which for few places is faster than sorting a whole vocabulary */
  const best = [];
  for (let i = 0; i < values.length; i += 1) {
    if (best.length === count && key(i) <= key(best[count - 1])) continue;
    let at = best.length;
    while (at > 0 && key(best[at - 1]) < key(i)) at -= 1;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

/**
 * The parts of `attn.qkv`, or of anything that heads stand in side by side: `[part][head]` gives a head's values.
 * @param {Float32Array} values @param {number} parts 3 for queries, keys and values @param {number} heads
 */
export function splitHeads(values, parts, heads) {
  const width = values.length / parts / heads;
  if (!Number.isInteger(width) || width === 0) return null;
  return Array.from({ length: parts }, (_, part) =>
    Array.from({ length: heads }, (_, head) => {
      const start = (part * heads + head) * width;
      return values.subarray(start, start + width);
    }),
  );
}

/**
 * A head's scores and probabilities over the tokens 0..=position.
 * @param {NonNullable<ValuesAnswer["attention"]>} attention @param {number} head
 */
export function headRow({ keys, scores, probs }, head) {
  return {
    scores: scores.subarray(head * keys, (head + 1) * keys),
    probs: probs.subarray(head * keys, (head + 1) * keys),
  };
}

/**
 * Both lengths and the angle between: what an add does to the stream.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
export function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return aa > 0 && bb > 0 ? Math.max(-1, Math.min(1, dot / Math.sqrt(aa * bb))) : 0;
}

/** GELU by tanh, as GPT-2 computes it (Hendrycks and Gimpel 2016). @param {number} x */
const geluTanh = (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/**
 * Which activation turned `input` into `output`, told from the values themselves. The two forms of GELU differ by less
 * than
 * 0.001 and are not told apart.
 * @param {ArrayLike<number> | undefined} input @param {ArrayLike<number> | undefined} output
 * @returns {"relu" | "gelu" | "unknown"}
 */
export function activationOf(input, output) {
  if (!input || !output || input.length !== output.length || input.length === 0) return "unknown";
  let [relu, gelu] = [true, true];
  for (let i = 0; i < input.length; i += 1) {
    const near = 0.002 + 0.001 * Math.abs(input[i]);
    relu &&= Math.abs(output[i] - Math.max(0, input[i])) <= near;
    gelu &&= Math.abs(output[i] - geluTanh(input[i])) <= near;
  }
  // Where every input is far from 0 both fit, and neither is known.
  return relu === gelu ? "unknown" : relu ? "relu" : "gelu";
}

/**
 * Softmax of raw logits, in natural logarithms of probabilities.
 * @param {ArrayLike<number>} logits
 */
export function logSoftmax(logits) {
  let max = -Infinity;
  for (let i = 0; i < logits.length; i += 1) if (logits[i] > max) max = logits[i];
  let sum = 0;
  for (let i = 0; i < logits.length; i += 1) sum += Math.exp(logits[i] - max);
  const shift = max + Math.log(sum);
  return Float32Array.from(logits, (value) => value - shift);
}

/** A number with three digits that mean something: "0.0123", "12.3", "−4.56e-7". @param {number} value */
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size >= 1e6 || size < 1e-3 ? size.toExponential(1) : size >= 99.95 ? size.toFixed(0) : size.toPrecision(3);
  return `${value < 0 ? "−" : ""}${text}`;
}

/**
 * All values at hand as rows of a table: tensor, place in it, value.
 * @param {ReadonlyMap<string, Float32Array>} tensors
 * @returns {(string | number)[][]}
 */
export function valueRows(tensors) {
  return [...tensors].flatMap(([name, values]) => Array.from(values, (value, i) => [name, i, value]));
}
