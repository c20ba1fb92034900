/** How far the worker is: a number that grows with each piece of work, so that the page can tell slow from stuck. */

let pieces = 0;

/** A piece of work is done. */
export function beat() {
  pieces += 1;
}

export const pulse = () => pieces;
