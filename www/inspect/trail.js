/**
 * The tokens of a text with what is known of them so far. Grows while the model writes, without copying what is there.
 */
import { NO_LEVEL } from "../core/pieces.js";

/** @typedef {import("./types.js").TokensAnswer} TokensAnswer */
/** @typedef {import("./types.js").ScoreAnswer} ScoreAnswer */
/** @typedef {import("../engine/types.js").Token} Token */

/** Surprise is coloured up to this many bits, in steps of so many: as many as an eye tells apart. */
export const MOST_BITS = 12;
export const STEP_BITS = 2;
/** The strongest colour's number; the palest is 0. */
export const MOST_LEVEL = MOST_BITS / STEP_BITS;
/** Alternatives that are kept of each row. */
const TOP = 10;
/** Stands where a row has fewer alternatives. */
const NOTHING = 0xffffffff;

/**
 * The colour of a token: its surprise in steps of `STEP_BITS`, at most `MOST_LEVEL`.
 * @param {number} surprisal in nats; NaN where it is not known
 */
export function levelOf(surprisal) {
  return Number.isNaN(surprisal)
    ? NO_LEVEL
    : Math.min(MOST_LEVEL, Math.max(0, Math.round(surprisal / Math.LN2 / STEP_BITS)));
}

export class Trail {
  /** @param {number} [top] alternatives in each row */
  constructor(top = TOP) {
    this.top = top;
    /** The text that the tokens make. */
    this.text = "";
    this.bos = false;
    /** @type {number[]} */
    this.ids = [];
    /** @type {string[]} */
    this.texts = [];
    /** Empty where they are not known. @type {number[][]} */
    this.bytes = [];
    /** Where each token ends in the text of the page. @type {number[]} */
    this.ends = [];
    this.capacity = 0;
    /** Of row r: about the token after it; NaN where it is not known. */
    this.logprob = new Float32Array(0);
    this.entropy = new Float32Array(0);
    this.rank = new Uint32Array(0);
    this.topIds = new Uint32Array(0);
    this.topLogprobs = new Float32Array(0);
    /** Of token i. */
    this.levels = new Uint8Array(0);
    /** Text of every alternative. @type {Map<number, string>} */
    this.names = new Map();
  }

  /**
   * @param {TokensAnswer} tokens @param {string} text what they are of
   * @returns {Trail} about whose predictions nothing is known
   */
  static of(tokens, text) {
    const trail = new Trail();
    trail.text = text;
    trail.bos = tokens.bos;
    trail.ids = [...tokens.ids];
    trail.texts = [...tokens.texts];
    trail.bytes = [...tokens.bytes];
    trail.ends = [...tokens.ends];
    trail.reserve(trail.ids.length);
    return trail;
  }

  get length() {
    return this.ids.length;
  }

  /** @param {number} rows */
  reserve(rows) {
    if (rows <= this.capacity) return;
    const capacity = Math.max(64, 2 * rows);
    const from = this.capacity;
    const grown = (/** @type {any} */ old, /** @type {number} */ each, /** @type {number} */ fill) => {
      const array = new old.constructor(capacity * each);
      array.set(old);
      return array.fill(fill, from * each);
    };
    this.logprob = grown(this.logprob, 1, NaN);
    this.entropy = grown(this.entropy, 1, NaN);
    this.rank = grown(this.rank, 1, 0);
    this.topIds = grown(this.topIds, this.top, NOTHING);
    this.topLogprobs = grown(this.topLogprobs, this.top, NaN);
    this.levels = grown(this.levels, 1, NO_LEVEL);
    this.capacity = capacity;
  }

  /**
   * Adds a token that the model has just written.
   * @param {Token} token
   * @param {string} text what it adds to the page's text
   */
  append(token, text) {
    const at = this.ids.length;
    this.reserve(at + 1);
    this.ids.push(token.id);
    // What completes no character shows as what an incomplete one is read as.
    this.texts.push(token.text || "\ufffd");
    this.bytes.push([]);
    this.text += text;
    this.ends.push((this.ends[at - 1] ?? 0) + text.length);
    if (at === 0) return;
    const row = at - 1;
    this.logprob[row] = token.logprob;
    this.entropy[row] = token.entropy;
    this.rank[row] = token.rank;
    for (const [index, one] of token.top.slice(0, this.top).entries()) {
      this.topIds[row * this.top + index] = one.id;
      this.topLogprobs[row * this.top + index] = one.logprob;
      this.names.set(one.id, one.text);
    }
    this.paint(at);
  }

  /**
   * The first `count` tokens, to go on differently; what was shown of this trail stays as it is.
   * @param {number} count
   */
  copy(count) {
    const { ids, texts, bytes, ends, bos } = this;
    const trail = Trail.of(
      {
        ids: ids.slice(0, count),
        texts: texts.slice(0, count),
        bytes: bytes.slice(0, count),
        ends: ends.slice(0, count),
        bos,
      },
      this.text.slice(0, ends[count - 1] ?? 0),
    );
    trail.carry(this);
    return trail;
  }

  /** The same tokens, about whose predictions nothing is known. */
  bare() {
    return Trail.of(this, this.text);
  }

  /** @param {number} top */
  setTop(top) {
    if (top === this.top) return;
    this.top = top;
    this.topIds = new Uint32Array(this.capacity * top).fill(NOTHING);
    this.topLogprobs = new Float32Array(this.capacity * top).fill(NaN);
  }

  /**
   * Takes over what was found out about the tokens from `offset` on.
   * @param {ScoreAnswer} scores
   * @param {number} [offset]
   * @param {number} [from] the first row to take: those before it were seen with less of the text before them
   * @param {number} [to] the row before which to end
   */
  score(scores, offset = 0, from = offset, to = this.length) {
    this.setTop(scores.top);
    const { top } = this;
    const rows = Math.min(scores.rows, to - offset);
    const first = from - offset;
    // What follows the last row was not among what was asked about.
    const followed = Math.min(rows, scores.rows - 1, this.length - offset - 1);
    this.logprob.set(scores.logprob.subarray(first, Math.max(first, followed)), from);
    this.rank.set(scores.rank.subarray(first, Math.max(first, followed)), from);
    this.entropy.set(scores.entropy.subarray(first, rows), from);
    this.topIds.set(scores.topIds.subarray(first * top, rows * top), from * top);
    this.topLogprobs.set(scores.topLogprobs.subarray(first * top, rows * top), from * top);
    for (const [id, text] of scores.texts) this.names.set(id, text);
    for (let at = from; at < offset + Math.max(rows, followed + 1); at += 1) this.paint(at);
  }

  /**
   * Takes over what another trail knows of the same beginning: what follows a prefix changes nothing in it.
   * @param {Trail} other
   */
  carry(other) {
    if (other.bos !== this.bos) return;
    this.setTop(other.top);
    const most = Math.min(this.length, other.length);
    let same = 0;
    while (same < most && this.ids[same] === other.ids[same]) same += 1;
    this.logprob.set(other.logprob.subarray(0, Math.max(0, same - 1)));
    this.rank.set(other.rank.subarray(0, Math.max(0, same - 1)));
    this.entropy.set(other.entropy.subarray(0, same));
    this.topIds.set(other.topIds.subarray(0, same * this.top));
    this.topLogprobs.set(other.topLogprobs.subarray(0, same * this.top));
    this.names = new Map(other.names);
    for (let at = 0; at < same; at += 1) this.paint(at);
  }

  /**
   * The surprise of token `at` in nats, of all the tokens together that make its characters; NaN where it is not known,
   * or nothing
   * came before.
   * @param {number} at
   */
  surprisal(at) {
    let sum = 0;
    for (let one = at; one > 0; one -= 1) {
      sum -= this.logprob[one - 1];
      const before = this.ends[one - 1];
      // A token before this one that completes no character is a part of the same.
      const part = one - 1 >= (this.bos ? 1 : 0) && before === (this.ends[one - 2] ?? 0);
      if (!part) return sum;
    }
    return NaN;
  }

  /** @param {number} at */
  paint(at) {
    this.levels[at] = levelOf(this.surprisal(at));
  }

  /**
   * What was likeliest after token `row`, best first; empty where it is not known.
   * @param {number} row
   * @returns {import("../engine/types.js").Alternative[]}
   */
  alternatives(row) {
    const list = [];
    for (let at = row * this.top; row >= 0 && row < this.length && at < (row + 1) * this.top; at += 1) {
      const id = this.topIds[at];
      const logprob = this.topLogprobs[at];
      if (id !== NOTHING && !Number.isNaN(logprob)) list.push({ id, logprob, text: this.names.get(id) ?? "\ufffd" });
    }
    return list;
  }

  /**
   * The tokens from `offset` to `to`; with all of them, the lists grow with the trail.
   * @param {number} offset @param {number} [to]
   * @returns {TokensAnswer}
   */
  tokens(offset, to = this.length) {
    const { ids, texts, bytes, ends, bos } = this;
    if (!offset && to === this.length) return { ids, texts, bytes, ends, bos };
    return {
      ids: ids.slice(offset, to),
      texts: texts.slice(offset, to),
      bytes: bytes.slice(offset, to),
      ends: ends.slice(offset, to),
      bos: bos && offset === 0,
    };
  }

  /**
   * The token that has the character before a place in the text; the first one at its beginning.
   * @param {number} place in UTF-16 units
   */
  before(place) {
    let low = this.bos ? 1 : 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle] < place) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.length - 1);
  }

  /** The token whose character stands after a place in the text, or -1. @param {number} place */
  after(place) {
    if (place < 0 || place >= (this.ends.at(-1) ?? 0)) return -1;
    return this.before(place + 1);
  }

  /**
   * The token that ends the character which a token is a part of; itself where it has characters, and -1 for the one
   * that the model
   * puts before the text.
   * @param {number} token
   */
  shownBy(token) {
    if (this.bos && token === 0) return -1;
    let at = token;
    while (at + 1 < this.length && this.ends[at] === (this.ends[at - 1] ?? 0)) at += 1;
    return at;
  }

  /** Whether a place in the text is in a token or at its edge. @param {number} token @param {number} place */
  touches(token, place) {
    return place <= this.ends[token] && place >= (this.ends[token - 1] ?? 0);
  }
}
