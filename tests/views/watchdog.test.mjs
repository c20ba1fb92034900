// @ts-check
// A worker that answers no more is noticed; one that is slow, and a page that was itself asleep, are not taken for
// that.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { BEAT_MS, Watchdog } from "../../www/engine/watchdog.js";

/** Time as the test lets it pass. */
class Clock {
  time = 0;
  /** @type {{ at: number, callback: () => void }[]} */
  timers = [];
  now = () => this.time;
  set = (/** @type {() => void} */ callback, /** @type {number} */ ms) => {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return timer;
  };
  clear = (/** @type {any} */ timer) => {
    this.timers = this.timers.filter((one) => one !== timer);
  };
  /** Lets so much time pass; timers fire so much too late. @param {number} ms @param {number} [late] */
  pass(ms, late = 0) {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.sort((a, b) => a.at - b.at)[0];
      if (!next || next.at + late > end) break;
      this.timers.shift();
      this.time = Math.max(this.time, next.at + late);
      next.callback();
    }
    this.time = end;
  }
}

let clock = new Clock();
/** How the worker answers. */
let worker = { answers: true, progress: 0, works: true };
let long = false;
let silent = 0;
/** @type {Watchdog} */
let dog;
beforeEach(() => {
  [clock, worker, long, silent] = [new Clock(), { answers: true, progress: 0, works: true }, false, 0];
  dog = new Watchdog(
    {
      ask: () => {
        if (worker.works) worker.progress += 1;
        if (worker.answers) dog.answered(worker.progress);
      },
      isLong: () => long,
      onSilent: () => void (silent += 1),
    },
    clock,
  );
});
const MINUTE = 60_000;

test("a worker that answers and gets on is left alone, however long its work takes", () => {
  dog.watch();
  clock.pass(10 * 60 * MINUTE);
  assert.equal(silent, 0);
});

test("one that answers no more is given up after two minutes, once", () => {
  dog.watch();
  clock.pass(MINUTE);
  worker.answers = false;
  clock.pass(1.9 * MINUTE);
  assert.equal(silent, 0);
  clock.pass(MINUTE / 2);
  assert.equal(silent, 1);
  clock.pass(60 * MINUTE);
  assert.equal(silent, 1);
});

test("one that may take long in one piece has ten minutes", () => {
  long = true;
  worker.answers = false;
  dog.watch();
  clock.pass(9.9 * MINUTE);
  assert.equal(silent, 0);
  clock.pass(MINUTE);
  assert.equal(silent, 1);
});

test("one that answers, but gets no further, is given up after ten minutes", () => {
  worker.works = false;
  dog.watch();
  clock.pass(9.9 * MINUTE);
  assert.equal(silent, 0);
  clock.pass(MINUTE / 2);
  assert.equal(silent, 1);
});

test("an event in between shows that it gets on", () => {
  worker.works = false;
  dog.watch();
  for (let at = 0; at < 20; at += 1) {
    clock.pass(5 * MINUTE);
    dog.heard();
  }
  assert.equal(silent, 0);
});

test("nothing is watched while nothing is asked", () => {
  worker.answers = false;
  dog.watch();
  clock.pass(MINUTE);
  dog.rest();
  assert.deepEqual(clock.timers, []);
  clock.pass(60 * MINUTE);
  assert.equal(silent, 0);
  // And the next question finds it with all its time.
  dog.watch();
  clock.pass(1.9 * MINUTE);
  assert.equal(silent, 0);
});

test("a page whose own timers come late blames nobody", () => {
  worker.answers = false;
  dog.watch();
  // In the background timers fire once a minute; a laptop sleeps for a night.
  clock.pass(60 * MINUTE, MINUTE);
  clock.time += 8 * 60 * MINUTE;
  clock.pass(BEAT_MS);
  assert.equal(silent, 0);
  // Awake again, it counts from there.
  clock.pass(1.8 * MINUTE);
  assert.equal(silent, 0);
  clock.pass(MINUTE / 2);
  assert.equal(silent, 1);
});
