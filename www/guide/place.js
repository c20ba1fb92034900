/** Where the card stands beside what it points at. Free of the DOM. */

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

const GAP = 16;
const EDGE = 8;

/**
 * The place of a card that covers nothing of its target, on the side where it fits: right, left, below, above.
 * @param {Box} target @param {{ width: number, height: number }} card @param {{ width: number, height: number }} view
 * @returns {{ left: number, top: number } | null} null where it fits on no side
 */
export function beside(target, card, view) {
  const within = (/** @type {number} */ value, /** @type {number} */ size, /** @type {number} */ room) =>
    Math.max(EDGE, Math.min(value, room - size - EDGE));
  const top = within(target.top, card.height, view.height);
  const left = within(target.left, card.width, view.width);
  const high = card.height + 2 * EDGE <= view.height;
  const wide = card.width + 2 * EDGE <= view.width;
  if (high && target.right + GAP + card.width + EDGE <= view.width) return { left: target.right + GAP, top };
  if (high && target.left - GAP - card.width >= EDGE) return { left: target.left - GAP - card.width, top };
  if (wide && target.bottom + GAP + card.height + EDGE <= view.height) return { left, top: target.bottom + GAP };
  if (wide && target.top - GAP - card.height >= EDGE) return { left, top: target.top - GAP - card.height };
  return null;
}

/** What two boxes share; null where they share nothing. @param {Box} one @param {Box} other @returns {Box | null} */
export function overlap(one, other) {
  const box = {
    left: Math.max(one.left, other.left),
    top: Math.max(one.top, other.top),
    right: Math.min(one.right, other.right),
    bottom: Math.min(one.bottom, other.bottom),
  };
  return box.right > box.left && box.bottom > box.top ? box : null;
}
