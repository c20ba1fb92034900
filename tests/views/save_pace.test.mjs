// @ts-check
// When a run is saved: soon at first, then so often that a crash costs little, and so seldom that saving costs little.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SavePace } from "../../www/train/save_pace.js";

/**
 * Trains for a while and saves when it is due.
 * @param {{ stepMs: number, saveMs: number, bytes: number, ms: number }} run
 */
function train({ stepMs, saveMs, bytes, ms }) {
  const pace = new SavePace(0);
  /** @type {{ at: number, step: number }[]} */
  const saves = [];
  let [now, step, lost, wait, last] = [0, 0, 0, 0, 0];
  while (now < ms) {
    now += stepMs;
    step += 1;
    if (saves.length) {
      lost = Math.max(lost, step - saves[saves.length - 1].step);
      wait = Math.max(wait, now - last);
    }
    if (!pace.due(now, step)) continue;
    const from = now;
    now += saveMs;
    last = now;
    pace.saved(from, now, step, bytes);
    saves.push({ at: from, step });
  }
  return {
    first: saves[0]?.at,
    lost,
    wait,
    share: (saves.length * saveMs) / now,
    rate: (saves.length * bytes) / (now / 1000),
  };
}

test("a small fast model loses few steps, a large one little time, and none spends more than a twentieth on saving", () => {
  const tiny = train({ stepMs: 4, saveMs: 20, bytes: 2_000_000, ms: 120_000 });
  assert.ok(tiny.first <= 2004 && tiny.lost <= 260, JSON.stringify(tiny));
  const small = train({ stepMs: 50, saveMs: 150, bytes: 30_000_000, ms: 120_000 });
  assert.ok(small.wait <= 10_200 && small.rate <= 4.2e6, JSON.stringify(small));
  // With a step in milliseconds, what is written limits it.
  const wide = train({ stepMs: 5, saveMs: 100, bytes: 30_000_000, ms: 300_000 });
  assert.ok(wide.wait <= 10_100 && wide.rate <= 4.2e6, JSON.stringify(wide));
  const large = train({ stepMs: 4000, saveMs: 15_000, bytes: 2e9, ms: 3_600_000 });
  assert.ok(large.wait <= 304_000, JSON.stringify(large));
  for (const run of [tiny, small, wide, large]) assert.ok(run.share <= 0.05, JSON.stringify(run));
});

test("what failed is tried again, not at once", () => {
  const pace = new SavePace(0);
  pace.missed(2000, 2500);
  assert.equal(pace.due(30_000, 900), false);
  assert.equal(pace.due(32_500, 900), true);
  pace.saved(32_500, 32_600, 900, 1);
  assert.equal(pace.due(36_000, 1200), true);
});
