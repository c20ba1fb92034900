/** Brings what a panel has drawn into view. */

/** A picture that takes longer than this to compute is not waited for. */
const WAIT_MS = 3000;
const LOOK_EVERY_MS = 50;
/** So many looks find it at the same place before it counts as resting. */
const RESTS = 4;
/** What stays free above or below it, in pixels. */
const AIR = 8;

/**
 * Scrolls until a panel's picture is in view, once it is there: the element with `aria-busy`, which says whether it is;
 * and the words
 * about it above, if there is room for both. A picture that does not fit begins at the top. Where the user scrolls
 * meanwhile,
 * nothing moves.
 * @param {Element} scroller @param {Element} words @param {Element} panel
 */
export async function revealPicture(scroller, words, panel) {
  const control = new AbortController();
  const { signal } = control;
  for (const type of ["wheel", "pointerdown", "keydown"])
    scroller.addEventListener(type, () => control.abort(), { signal, passive: true });
  const until = performance.now() + WAIT_MS;
  /** @type {Element | null} */
  let picture = null;
  // What stands above the picture may come after it: it is there when it has rested.
  for (let rested = 0, last = NaN; rested < RESTS && performance.now() < until && !signal.aborted; ) {
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
 * Brings a picture that was asked for into view with the words above it, no further than needed: what was pressed stays
 * where there is
 * room for both.
 * @param {Element} scroller @param {Element} words about it, above it @param {Element} picture
 * @param {Element | null} keep what must not leave the view
 */
export function revealNear(scroller, words, picture, keep) {
  const [from, shown, room] = [words, picture, scroller].map((element) => element.getBoundingClientRect());
  const most = Math.min(from.top, keep?.getBoundingClientRect().top ?? Infinity) - room.top - AIR;
  const by = Math.min(most, shown.bottom - room.bottom + AIR);
  if (by <= 0) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scroller.scrollBy({ top: by, behavior: calm ? "instant" : "smooth" });
}

/**
 * A panel that was just opened begins at the top, with all that stands above it; alone where that would leave it little
 * room.
 * @param {Element} scroller @param {Element} panel
 */
export function revealTop(scroller, panel) {
  scroller.scrollTop = 0;
  const [top, room] = [panel.getBoundingClientRect().top, scroller.getBoundingClientRect()];
  if (top > room.top + room.height / 2) scroller.scrollTop = top - room.top;
}
