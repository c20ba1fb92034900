// @ts-check
// The page's readers of other people's files: what was found once stays mended, and some thousand changed files do no
// harm.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, fuzz, targets } from "../../scripts/fuzz_page.mjs";

for (const [name, target] of Object.entries(targets)) {
  test(`${name}: files that are changed at random, and what was found before`, async () => {
    for (const seed of target.seeds()) await target.read(seed);
    for (const [, bytes] of findings(name)) await target.read(bytes);
    assert.equal(await fuzz(target, 1, (count) => count < 2000), 2000);
  });
}
