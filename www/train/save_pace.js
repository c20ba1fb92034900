/**
 * When a run is to be saved. A crash costs what was learnt since, so a run is saved by steps as well as by time: a
 * small model makes
 * hundreds of steps a second. What limits it is what saving costs: time that is not spent on learning, and what a disk
 * wears out by.
 */

/** The first save comes soon: until then a reload loses everything. */
const FIRST_MS = 2000;
/** No more than this is lost, by whichever comes first. */
const EVERY_MS = 10_000;
const EVERY_STEPS = 250;
/** Saving takes no more than this part of the time: one that takes two seconds comes every forty. */
const SHARE = 1 / 20;
/** Bytes written in a second, on average: about 13 GB in an hour. Steps alone would write tens of times as much. */
const BYTES_PER_MS = 4_000_000 / 1000;
/** After one that failed; the browser may have room again. */
const RETRY_MS = 30_000;

export class SavePace {
  /** @param {number} now in milliseconds */
  constructor(now) {
    this.at = now;
    /** The step of the last save; -1 for none. */
    this.step = -1;
    /** How long the last one took, and what it wrote. */
    this.cost = 0;
    this.bytes = 0;
    this.failed = false;
  }

  /** @param {number} now @param {number} step */
  due(now, step) {
    const since = now - this.at;
    if (this.failed) return since >= Math.max(RETRY_MS, this.cost / SHARE);
    if (this.step < 0) return since >= FIRST_MS;
    if (since < this.cost / SHARE) return false;
    return since >= EVERY_MS || (step - this.step >= EVERY_STEPS && since >= this.bytes / BYTES_PER_MS);
  }

  /** @param {number} from when it began @param {number} now @param {number} step @param {number} bytes */
  saved(from, now, step, bytes) {
    Object.assign(this, { at: now, step, cost: now - from, bytes, failed: false });
  }

  /** @param {number} from @param {number} now */
  missed(from, now) {
    Object.assign(this, { at: now, cost: now - from, failed: true });
  }
}
