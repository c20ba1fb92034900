/** Two models on one text, in figures. Free of the DOM. */

/** @typedef {import("../../types.js").ScoreAnswer} ScoreAnswer */
/** @typedef {import("../../types.js").TokensAnswer} TokensAnswer */
/**
 * One token as both models saw it coming. Position 0 was not predicted by anyone: its figures are NaN.
 * @typedef {object} Pair
 * @property {number} mine log-probability, in nats
 * @property {number} other
 * @property {number} gain mine - other: above 0 where this model saw the token coming better
 * @property {number} kl KL(this || other) of the two distributions this token was drawn against, in nats; NaN until it
 *   has come
 * @property {number} mineRank @property {number} otherRank 0 is the likeliest
 */
/**
 * @typedef {object} Totals
 * @property {number} count tokens that were predicted
 * @property {number} mine mean loss in nats per token @property {number} other
 * @property {number} minePerplexity @property {number} otherPerplexity
 * @property {number} kl mean over the rows that have come; NaN while there is none
 * @property {number} better tokens that this model saw coming better
 */
/**
 * @typedef {{ id: number, text: string, mine: number, other: number }} Candidate log-probabilities; NaN where a model
 *   has it not among its best
 */

/** Rows of logits that go from one engine to the other at once. */
export const CHUNK = 32;

/**
 * Ranges of at most `size` rows.
 * @param {number} rows @param {number} [size]
 */
export function chunks(rows, size = CHUNK) {
  /** @type {[from: number, to: number][]} */
  const ranges = [];
  for (let from = 0; from < rows; from += size) ranges.push([from, Math.min(rows, from + size)]);
  return ranges;
}

/**
 * Whether both cut a text into the same ids out of vocabularies of the same size: only then is "the same token" the
 * same.
 * @param {{ ids: ArrayLike<number>, vocabSize?: number }} a @param {{ ids: ArrayLike<number>, vocabSize?: number }} b
 */
export function sameVocabulary(a, b) {
  if (a.vocabSize !== undefined && b.vocabSize !== undefined && a.vocabSize !== b.vocabSize) return false;
  return a.ids.length === b.ids.length && Array.from(a.ids).every((id, i) => id === b.ids[i]);
}

/**
 * @param {ScoreAnswer} mine @param {ScoreAnswer} other @param {Float32Array} kl of each row, NaN where it has not come
 * @returns {Pair[]} by position
 */
export function pairsOf(mine, other, kl) {
  const rows = Math.min(mine.rows, other.rows);
  return Array.from({ length: rows }, (_, position) => {
    const row = position - 1;
    if (row < 0) return { mine: NaN, other: NaN, gain: NaN, kl: NaN, mineRank: NaN, otherRank: NaN };
    const [a, b] = [mine.logprob[row], other.logprob[row]];
    return { mine: a, other: b, gain: a - b, kl: kl[row] ?? NaN, mineRank: mine.rank[row], otherRank: other.rank[row] };
  });
}

/** @param {Pair[]} pairs @param {Float32Array} kl of every row, the last too @returns {Totals} */
export function totalsOf(pairs, kl) {
  const known = pairs.slice(1);
  const mean = (/** @type {(pair: Pair) => number} */ key) =>
    known.reduce((sum, pair) => sum + key(pair), 0) / known.length;
  const [mine, other] = [-mean((pair) => pair.mine), -mean((pair) => pair.other)];
  const come = Array.from(kl).filter((value) => !Number.isNaN(value));
  return {
    count: known.length,
    mine,
    other,
    minePerplexity: Math.exp(mine),
    otherPerplexity: Math.exp(other),
    // Rounding can bring a KL of 0 a hair below it.
    kl: come.length ? Math.max(0, come.reduce((sum, value) => sum + value, 0) / come.length) : NaN,
    better: known.filter((pair) => pair.gain > 0).length,
  };
}

/** The log-probabilities of both are equal up to rounding. @param {Pair[]} pairs */
export function areEqual(pairs) {
  return pairs.slice(1).every((pair) => Math.abs(pair.gain) < 1e-4);
}

/**
 * Positions of the tokens that gained and lost most, the strongest first; only real gains and losses.
 * @param {Pair[]} pairs @param {number} count
 */
export function extremes(pairs, count) {
  const places = pairs.map((_, position) => position).slice(1);
  const by = (/** @type {number} */ sign) =>
    places
      .filter((i) => sign * pairs[i].gain > 1e-4)
      .sort((a, b) => sign * (pairs[b].gain - pairs[a].gain) || a - b)
      .slice(0, count);
  return { gained: by(1), lost: by(-1) };
}

/**
 * @param {ScoreAnswer} score
 * @param {number} row
 * @returns {{ id: number, text: string, logprob: number }[]} the ten best after `row`
 */
export function bestOf(score, row) {
  const texts = new Map(score.texts);
  return Array.from({ length: score.top }, (_, i) => {
    const id = score.topIds[row * score.top + i];
    return { id, text: texts.get(id) ?? "", logprob: score.topLogprobs[row * score.top + i] };
  });
}

/**
 * All that either model has among its ten best, this model's order first; then the token that really follows, if
 * neither has it.
 * @param {ScoreAnswer} mine @param {ScoreAnswer} other @param {number} row
 * @param {{ id: number, text: string } | null} actual the token that follows the row
 * @returns {{ rows: Candidate[], least: { mine: number, other: number } }} `least`: what a token that is not listed has
 *   at most
 */
export function candidates(mine, other, row, actual) {
  const [a, b] = [bestOf(mine, row), bestOf(other, row)];
  const otherBy = new Map(b.map((entry) => [entry.id, entry]));
  const mineIds = new Set(a.map(({ id }) => id));
  const rows = [
    ...a.map(({ id, text, logprob }) => ({ id, text, mine: logprob, other: otherBy.get(id)?.logprob ?? NaN })),
    ...b.filter(({ id }) => !mineIds.has(id)).map(({ id, text, logprob }) => ({ id, text, mine: NaN, other: logprob })),
  ];
  if (actual) {
    // Of this one both log-probabilities are known, whatever its rank.
    const known = { ...actual, mine: mine.logprob[row], other: other.logprob[row] };
    const at = rows.findIndex(({ id }) => id === actual.id);
    rows.splice(at < 0 ? rows.length : at, at < 0 ? 0 : 1, known);
  }
  return { rows, least: { mine: a.at(-1)?.logprob ?? NaN, other: b.at(-1)?.logprob ?? NaN } };
}

/**
 * The largest size on a scale, brought up to a figure that reads well: 1, 1.5, 2, 3, 5 or 7.5 times a power of ten.
 * @param {number} size
 */
export function niceScale(size) {
  if (!(size > 0) || !Number.isFinite(size)) return 1;
  const power = 10 ** Math.floor(Math.log10(size));
  const step = [1, 1.5, 2, 3, 5, 7.5, 10].find((factor) => size <= factor * power * 1.000001) ?? 10;
  // Without the digits that a product of floats leaves behind.
  return Number((step * power).toPrecision(2));
}

/** The value that all but a twentieth stay within. @param {Iterable<number>} values */
export function usual(values) {
  const sizes = Array.from(values, Math.abs)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return sizes.length ? sizes[Math.ceil(sizes.length * 0.95) - 1] : 0;
}

/** Positions and ranks begin at 1, as on the page. */
export const COMPARE_CSV = [
  "position_from_1",
  "id",
  "text",
  "logprob_this_nats",
  "logprob_other_nats",
  "rank_this_from_1",
  "rank_other_from_1",
  "gain_nats",
  "kl_nats",
];

/**
 * @param {TokensAnswer} tokens @param {Pair[]} pairs
 * @returns {(string | number)[][]} a row for each token, as `COMPARE_CSV` has it
 */
export function tableRows(tokens, pairs) {
  const cell = (/** @type {number} */ value) => (Number.isNaN(value) ? "" : value);
  return pairs.map((pair, i) => [
    i + 1,
    tokens.ids[i],
    tokens.texts[i],
    cell(pair.mine),
    cell(pair.other),
    cell(pair.mineRank + 1),
    cell(pair.otherRank + 1),
    cell(pair.gain),
    cell(pair.kl),
  ]);
}

/** The same for JSON. @param {TokensAnswer} tokens @param {Pair[]} pairs */
export function tableJson(tokens, pairs) {
  return pairs.map(({ mineRank, otherRank, ...pair }, i) => ({
    position_from_1: i + 1,
    id: tokens.ids[i],
    text: tokens.texts[i],
    ...pair,
    mine_rank_from_1: mineRank + 1,
    other_rank_from_1: otherRank + 1,
  }));
}

/**
 * Marks the models whose vocabulary is known to be of another size.
 * @param {readonly { id: string, name: string, vocabSize?: number }[]} models
 * @param {ReadonlyMap<string, number>} sizes by id
 * @param {number} [mine]
 */
export function comparable(models, sizes, mine) {
  return models.map(({ id, name, vocabSize }) => {
    const size = vocabSize ?? sizes.get(id);
    return { id, name, differs: size !== undefined && mine !== undefined && size !== mine };
  });
}
