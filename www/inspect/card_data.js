/** What the token card shows, and what is taken from it. Pure functions. */

/** @typedef {import("./trail.js").Trail} Trail */
/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("../engine/types.js").Token} Token */

/** Figures that differ by less than this share of a nat are the same but for rounding. */
const SAME_NATS = 0.05;

/**
 * The model's own record of a token of the trail, from when it wrote it; null where it did not.
 * @param {Trail} trail @param {number} at @param {readonly Run[]} runs of the same text
 * @returns {Token | null}
 */
export function recordOf(trail, at, runs) {
  const from = trail.ends[at - 1] ?? 0;
  let start = 0;
  for (const { text, token } of runs) {
    if (start > from) return null;
    if (start === from && text !== "" && start + text.length === trail.ends[at])
      return token?.id === trail.ids[at] ? token : null;
    start += text.length;
  }
  return null;
}

/**
 * What is known of one token.
 * @param {Trail} trail
 * @param {number} at
 * @param {{ window: { from: number, to: number }, vocabSize: number, runs: readonly Run[] | null }} options `window`:
 *   the tokens that the model sees together with it;
 *   `runs` where they make the trail's text and the model does not write
 * @returns {import("./token_card.js").TokenCardData}
 */
export function cardOf(trail, at, { window, vocabSize, runs }) {
  const row = at - 1;
  const logprob = row < 0 ? NaN : trail.logprob[row];
  const rank = row < 0 ? 0 : trail.rank[row];
  // Of a text longer than the context only a window is read; what was written was written with another.
  const record = window.to - window.from < trail.length && runs ? recordOf(trail, at, runs) : null;
  // It stands for the text's beginning: its bytes would be the spelling of its name, which stands nowhere.
  const bos = trail.bos && at === 0;
  const otherwise = record && (record.rank !== rank || Math.abs(record.logprob - logprob) > SAME_NATS);
  return {
    position: at,
    count: trail.length,
    window,
    id: trail.ids[at],
    text: trail.texts[at],
    bytes: bos ? [] : trail.bytes[at],
    first: at === 0,
    bos,
    vocabSize,
    logprob,
    rank,
    entropy: row < 0 ? NaN : trail.entropy[row],
    written: otherwise ? { logprob: record.logprob, rank: record.rank } : null,
  };
}

/**
 * A token that the model proposed after a row of the trail, as one that it wrote; null where nothing is known of it.
 * @param {Trail} trail @param {number} row @param {number} id @param {string} text
 * @returns {Token | null}
 */
export function alternativeOf(trail, row, id, text) {
  const list = trail.alternatives(row);
  const rank = list.findIndex((one) => one.id === id);
  if (rank < 0) return null;
  return { id, text, logprob: list[rank].logprob, entropy: trail.entropy[row], rank, top: list };
}
