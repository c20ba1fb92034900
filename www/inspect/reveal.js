/** Brings what a panel has drawn into view. */

/** A picture that takes longer than this to compute is not waited for. */
const WAIT_MS = 3000;
const LOOK_EVERY_MS = 50;
/** So many looks find it at the same place before it counts as resting. */
const RESTS = 4;
/** What stays free above or below it, in pixels. */
const AIR = 8;

/**
 * Scrolls until a panel's picture is in view, once it is there: the element with `aria-busy`, which says whether it is; and the words
 * about it above, if there is room for both. A picture that does not fit begins at the top. Where the user scrolls meanwhile,
 * nothing moves.
 * @param {Element} scroller @param {Element} words @param {Element} panel
 */
export async function revealPicture(scroller, words, panel) {
  const control = new AbortController();
  const { signal } = control;
  for (const type of ["wheel", "pointerdown", "keydown"]) scroller.addEventListener(type, () => control.abort(), { signal, passive: true });
  const until = performance.now() + WAIT_MS;
  /** @type {Element | null} */
  let picture = null;
  // What stands above the picture may come after it: it is there when it has rested.
  for (let rested = 0, last = NaN; rested < RESTS && performance.now() < until && !signal.aborted;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    picture = panel.querySelector("[aria-busy=false]");
    const place = picture ? picture.getBoundingClientRect().top - words.getBoundingClientRect().top : NaN;
    rested = place === last ? rested + 1 : 0;
    last = place;
  }
  if (picture && !signal.aborted) {
    const [{ top: first }, shown, room] = [words, picture, scroller].map((element) => element.getBoundingClientRect());
    const [least, most] = [shown.bottom - room.bottom + AIR, shown.top - room.top - AIR];
    scroller.scrollTop += Math.min(most, Math.max(least, first - room.top - AIR));
  }
  control.abort();
}

/**
 * Brings a panel that was just opened into view from its top, however far the one before it was scrolled.
 * @param {Element} scroller @param {Element} panel
 */
export function revealTop(scroller, panel) {
  const [top, room] = [panel.getBoundingClientRect().top, scroller.getBoundingClientRect()];
  // Where it begins in the upper half, what stands above it is in view too.
  if (top < room.top || top > room.top + room.height / 2) scroller.scrollTop += top - room.top;
}
