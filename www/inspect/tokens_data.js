/** All tokens of a text in figures, for a table and for files. Free of the DOM. */
import { digits, hex } from "./label.js";

/** @typedef {import("./trail.js").Trail} Trail */
/**
 * A token as the token card speaks of it.
 * @typedef {object} TokenFigures
 * @property {number} at its position among all tokens of the text
 * @property {number} id
 * @property {string} text
 * @property {number[]} bytes empty where they are not known, and where it stands for the text's beginning
 * @property {number} logprob natural; NaN where it is not known
 * @property {number} rank 0 is the likeliest
 * @property {number} entropy in nats, of what was expected there; NaN where it is not known
 */

/** Rows of the table before and after the selected token. */
const TABLE_REACH = 50;

/** Positions and ranks begin at 1, as on the page. */
export const TOKENS_CSV = [
  "position_from_1",
  "id",
  "text",
  "bytes_hex",
  "logprob_nats",
  "probability",
  "rank_from_1",
  "entropy_nats",
  "surprise_bits",
];

/** @param {Trail} trail @param {number} at @returns {TokenFigures} */
export function figuresOf(trail, at) {
  const row = at - 1;
  return {
    at,
    id: trail.ids[at],
    text: trail.texts[at],
    bytes: trail.bos && at === 0 ? [] : trail.bytes[at],
    logprob: row < 0 ? NaN : trail.logprob[row],
    rank: row < 0 ? 0 : trail.rank[row],
    entropy: row < 0 ? NaN : trail.entropy[row],
  };
}

/**
 * The tokens that the table shows.
 * @param {Trail} trail @param {number} selected
 * @returns {[from: number, to: number]}
 */
export function around(trail, selected) {
  return [Math.max(0, selected - TABLE_REACH), Math.min(trail.length, selected + TABLE_REACH + 1)];
}

/**
 * What is written of a token.
 * @param {TokenFigures} figures
 * @returns {{ logprob: number, probability: number, rank: number, entropy: number, surprise: number }} NaN where it is
 *   not known
 */
function written({ logprob, rank, entropy }) {
  return {
    logprob: digits(logprob),
    probability: digits(Math.exp(logprob)),
    rank: Number.isNaN(logprob) ? NaN : rank + 1,
    entropy: digits(entropy),
    surprise: digits(-logprob / Math.LN2),
  };
}

/**
 * @param {Trail} trail
 * @returns {(string | number)[][]} a row for each token, as `TOKENS_CSV` has it; "" where nothing is known
 */
export function tokenRows(trail) {
  return trail.ids.map((_, at) => {
    const figures = figuresOf(trail, at);
    const known = Object.values(written(figures)).map((value) => (Number.isNaN(value) ? "" : value));
    return [at + 1, figures.id, figures.text, hex(figures.bytes), ...known];
  });
}

/** The same for JSON, with what the model expected most instead. @param {Trail} trail */
export function tokensJson(trail) {
  return trail.ids.map((_, at) => {
    const figures = figuresOf(trail, at);
    const { logprob, probability, rank, entropy, surprise } = written(figures);
    return {
      position_from_1: at + 1,
      id: figures.id,
      text: figures.text,
      bytes_hex: hex(figures.bytes),
      logprob_nats: logprob,
      probability,
      rank_from_1: rank,
      entropy_nats: entropy,
      surprise_bits: surprise,
      alternatives: trail.alternatives(at - 1).map((one) => ({
        id: one.id,
        text: one.text,
        logprob_nats: digits(one.logprob),
        probability: digits(Math.exp(one.logprob)),
      })),
    };
  });
}
