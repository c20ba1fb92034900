/** How surprising a text was, as a whole and word by word. Free of the DOM and of the engine. */
import { inBits } from "../../label.js";

/** @typedef {import("../../trail.js").Trail} Trail */
/**
 * A word with what its tokens together surprised by. `at` is the one of them that surprised most.
 * @typedef {{ text: string, start: number, at: number, tokens: number, bits: number }} Word
 */

/**
 * Of the tokens about which something is known.
 * @param {Trail} trail
 * @returns {{ count: number, bits: number, perplexity: number }} `bits`: the mean surprise of a token; NaN without any
 */
export function summaryOf(trail) {
  let [count, nats] = [0, 0];
  for (let row = 0; row + 1 < trail.length; row += 1) {
    if (Number.isNaN(trail.logprob[row])) continue;
    count += 1;
    nats -= trail.logprob[row];
  }
  const mean = count ? nats / count : NaN;
  return { count, bits: inBits(mean), perplexity: Math.exp(mean) };
}

/**
 * The words of the text in their order. A token belongs to the word in which its first character stands that is no
 * space; signs between words are no words.
 * @param {Trail} trail
 * @returns {Word[]} those of which every token's surprise is known
 */
export function wordsOf(trail) {
  const words = [];
  let at = trail.bos ? 1 : 0;
  for (const { segment, index, isWordLike } of new Intl.Segmenter(undefined, { granularity: "word" }).segment(
    trail.text,
  )) {
    if (!isWordLike) continue;
    const end = index + segment.length;
    const word = { text: segment, start: index, at: -1, tokens: 0, bits: 0 };
    let most = -1;
    for (; at < trail.length; at += 1) {
      const begins = beginsAt(trail, at);
      if (begins >= end) break;
      if (begins < index) continue;
      const bits = at > 0 ? inBits(-trail.logprob[at - 1]) : NaN;
      word.tokens += 1;
      word.bits += bits;
      if (bits > most) [most, word.at] = [bits, at];
    }
    if (word.tokens && !Number.isNaN(word.bits)) words.push(word);
  }
  return words;
}

/**
 * Where a token's first character stands that is no space; one that completes no character begins where it would.
 * @param {Trail} trail @param {number} at
 */
function beginsAt({ text, ends }, at) {
  const start = ends[at - 1] ?? 0;
  const own = text.slice(start, ends[at]);
  return start + (own.length - own.trimStart().length);
}

/** The most surprising, the strongest first. @param {readonly Word[]} words @param {number} most */
export function topOf(words, most) {
  return [...words].sort((one, other) => other.bits - one.bits || one.start - other.start).slice(0, most);
}

/** What the columns of the table are sorted by, in their order. */
export const KEYS = /** @type {const} */ (["at", "text", "id", "surprise", "rank", "probability", "entropy"]);
/** @typedef {{ key: (typeof KEYS)[number], down: boolean }} Sort */

/**
 * All positions in the order of a column; what is not known comes last either way.
 * @param {Trail} trail @param {Sort} sort
 */
export function sorted(trail, { key, down }) {
  const places = trail.ids.map((_, at) => at);
  if (key === "text") {
    const { compare } = new Intl.Collator(undefined, { numeric: true });
    places.sort((a, b) => compare(trail.texts[a].trim(), trail.texts[b].trim()) || a - b);
    return down ? places.reverse() : places;
  }
  const value = (/** @type {number} */ at) => {
    if (key === "at") return at;
    if (key === "id") return trail.ids[at];
    const known = at > 0 && !Number.isNaN(trail.logprob[at - 1]);
    if (key === "entropy") return at > 0 ? trail.entropy[at - 1] : NaN;
    if (!known) return NaN;
    return key === "rank" ? trail.rank[at - 1] : trail.logprob[at - 1] * (key === "surprise" ? -1 : 1);
  };
  const values = places.map(value);
  return places.sort((a, b) => {
    const [one, other] = [values[a], values[b]];
    if (Number.isNaN(one) || Number.isNaN(other))
      return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || a - b;
    return (down ? other - one : one - other) || a - b;
  });
}
