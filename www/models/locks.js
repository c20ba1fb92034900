/** Which tab has a run for itself. The worker takes and lets go; the page asks. */

/** A worker that was ended, as by a reload, holds its locks until the browser has taken it down. */
export const LOCK_WAIT_MS = 2000;
export const lockName = (/** @type {string} */ id) => `run:${id}`;
/** Locks that this worker holds, by run. @type {Map<string, () => void>} */
const held = new Map();

/**
 * Whether a lock was not given because another has it. Whatever else goes wrong, the browser gives none: then it is as
 * where it has no locks.
 * @param {unknown} error
 */
export const isTaken = (error) =>
  error instanceof DOMException && (error.name === "TimeoutError" || error.name === "AbortError");

/** Takes a run for this worker alone; false where another tab has it. @param {string} id @returns {Promise<boolean>} */
export async function lockRun(id) {
  if (held.has(id) || !navigator.locks) return true;
  return new Promise((resolve) => {
    const granted = () => {
      resolve(true);
      return /** @type {Promise<void>} */ (new Promise((release) => held.set(id, release)));
    };
    navigator.locks
      .request(lockName(id), { signal: AbortSignal.timeout(LOCK_WAIT_MS) }, granted)
      .catch((error) => resolve(!isTaken(error)));
  });
}

/** Whether a tab, this one too, has a run. @param {string} id */
export async function isLocked(id) {
  const all = await navigator.locks?.query?.().catch(() => null);
  return all?.held?.some(({ name }) => name === lockName(id)) ?? false;
}

/** Resolves when no tab has the run. @param {string} id @param {AbortSignal} [signal] ends the wait, with an error */
export async function whenFree(id, signal) {
  await navigator.locks?.request(lockName(id), { mode: "shared", signal }, () => {});
}

/** Lets go of every run. */
export function releaseRuns() {
  for (const release of held.values()) release();
  held.clear();
}
