/**
 * Notices that a worker answers no more, though it never said that it failed: one that is stuck, or whose end the
 * browser told nobody.
 */

/** How often a worker that has something to do is asked whether it is there. */
export const BEAT_MS = 5000;
/**
 * So many times in a row it may leave that unanswered: a single piece of work, as cutting a long text into tokens, lets
 * nothing in.
 */
const SILENT_BEATS = 24;
/** With a command under way that may take longer in one piece, such as making a vocabulary. */
const LONG_SILENT_BEATS = 120;
/** So many times in a row it may answer without having got any further: a software GPU compiles shaders for minutes. */
const STUCK_BEATS = 120;

/**
 * @typedef {{ set: (callback: () => void, ms: number) => unknown, clear: (timer: any) => void, now: () => number }}
 *   Clock
 */

/** @type {Clock} */
const realClock = {
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (timer) => clearTimeout(timer),
  now: () => performance.now(),
};

export class Watchdog {
  /**
   * @param {object} hooks
   * @param {() => void} hooks.ask asks the worker how far it is; the answer comes to `answered`
   * @param {() => boolean} hooks.isLong whether something is under way that may take long in one piece
   * @param {() => void} hooks.onSilent called once, when the worker has been silent for too long
   * @param {Clock} [clock]
   */
  constructor({ ask, isLong, onSilent }, clock = realClock) {
    this.ask = ask;
    this.isLong = isLong;
    this.onSilent = onSilent;
    this.clock = clock;
    /** @type {unknown} */
    this.timer = null;
    this.tickAt = 0;
    this.silent = 0;
    this.stuck = 0;
    this.progress = -1;
  }

  /** Something is asked of the worker. */
  watch() {
    if (this.timer !== null) return;
    this.heard();
    this.next();
  }

  /** Nothing is asked of it any more. */
  rest() {
    this.clock.clear(this.timer);
    this.timer = null;
  }

  /** The worker said something of its own. */
  heard() {
    this.silent = 0;
    this.stuck = 0;
  }

  /** The worker is there. @param {number} progress changes while it gets further */
  answered(progress) {
    this.silent = 0;
    if (progress !== this.progress) this.stuck = 0;
    this.progress = progress;
  }

  next() {
    this.tickAt = this.clock.now() + BEAT_MS;
    this.clock.clear(this.timer);
    this.timer = this.clock.set(() => this.tick(), BEAT_MS);
  }

  tick() {
    // A page that was itself asleep, slowed down in the background, or busy cannot tell how long the worker was silent.
    if (this.clock.now() - this.tickAt > BEAT_MS) this.heard();
    this.silent += 1;
    this.stuck += 1;
    if (this.silent > (this.isLong() ? LONG_SILENT_BEATS : SILENT_BEATS) || this.stuck > STUCK_BEATS) {
      this.timer = null;
      return this.onSilent();
    }
    this.ask();
    this.next();
  }
}
