/** Scores what stands before the model's context, for its colours. */

/** Of a text longer than the model's context, so many contexts are coloured, from the end. */
const MOST_WINDOWS = 16;

/**
 * By contexts that overlap by half. What the model sees keeps the figures that panels show.
 * @param {import("./trail.js").Trail} trail
 * @param {number} offset tokens that the model no longer sees
 * @param {number} most tokens in a context
 * @param {(ids: number[]) => Promise<import("./types.js").ScoreAnswer | null>} score null where nobody wants to know
 *   any more
 * @param {() => void} onChange something new is known
 */
export async function scoreEarlier(trail, offset, most, score, onChange) {
  const half = most >> 1;
  let row = Math.max(0, offset - MOST_WINDOWS * half);
  while (row < offset) {
    const from = Math.max(0, row - half);
    const end = Math.min(trail.length, from + most);
    // Often it is known from an earlier reading, or from the writing.
    if (trail.logprob.subarray(row, Math.min(offset, end - 1)).some(Number.isNaN)) {
      const scores = await score(trail.ids.slice(from, end));
      if (!scores) return;
      trail.score(scores, from, row, offset);
      onChange();
    }
    row = end - 1;
  }
}
