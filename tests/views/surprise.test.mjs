// @ts-check
// How surprising a text was: its mean, its words made of tokens, and the order of a table's columns.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sorted, summaryOf, topOf, wordsOf } from "../../www/inspect/panels/surprise/data.js";
import { TokenTable } from "../../www/inspect/panels/surprise/table.js";
import { Trail } from "../../www/inspect/trail.js";
import { fake, fakeDocument } from "./fake_dom.mjs";

/**
 * A trail with the surprise of each token but the first, in bits.
 * @param {string[]} texts @param {number[]} bits NaN where it is not known
 */
function trailOf(texts, bits, bos = true) {
  let end = 0;
  const ends = texts.map((text, at) => (bos && at === 0 ? 0 : (end += text.length)));
  const text = texts.slice(bos ? 1 : 0).join("");
  const ids = texts.map((_, at) => 100 - at);
  const trail = Trail.of({ ids, texts, bytes: texts.map(() => []), ends, bos }, text);
  bits.forEach((one, row) => {
    trail.logprob[row] = -one * Math.LN2;
    trail.rank[row] = row;
    trail.entropy[row] = 10 - row;
  });
  return trail;
}

const TEXTS = ["<>", "The", " wo", "lf", " met", ' "', "you", '."'];
const BITS = [2, 6, 3, 8, 1, 4, 0.5];

test("the mean is that of the tokens that are known, and the perplexity is two to its power", () => {
  const { count, bits, perplexity } = summaryOf(trailOf(TEXTS, BITS));
  assert.equal(count, 7);
  assert.ok(Math.abs(bits - 3.5) < 1e-6 && Math.abs(perplexity - 2 ** 3.5) < 1e-4);
  const part = summaryOf(trailOf(TEXTS, [NaN, 6, NaN, 8, NaN, NaN, NaN]));
  assert.ok(part.count === 2 && Math.abs(part.bits - 7) < 1e-6);
  assert.ok(Number.isNaN(summaryOf(trailOf(["a"], [], false)).bits));
});

test("tokens are merged into words, signs are none, and a click leads to the token that surprised most", () => {
  const words = wordsOf(trailOf(TEXTS, BITS)).map(({ text, at, tokens, bits }) => [text, at, tokens, Math.round(bits)]);
  assert.deepEqual(words, [
    ["The", 1, 1, 2],
    ["wolf", 2, 2, 9],
    ["met", 4, 1, 8],
    ["you", 6, 1, 4],
  ]);
  const top = topOf(wordsOf(trailOf(TEXTS, BITS)), 2);
  assert.deepEqual(
    top.map(({ text }) => text),
    ["wolf", "met"],
  );
  const without = wordsOf(trailOf(TEXTS, [2, 6, NaN, 8, 1, 4, 0.5]));
  assert.ok(!without.some(({ text }) => text === "wolf"), "what is known in part is not ranked");
  assert.deepEqual(
    wordsOf(trailOf(["wolf", " met"], [3], false)).map(({ text }) => text),
    ["met"],
  );
});

test("every column sorts both ways, and what is not known comes last", () => {
  const trail = trailOf(TEXTS, BITS);
  const order = (/** @type {any} */ key, down = false) => sorted(trail, { key, down });
  assert.deepEqual(order("surprise", true), [4, 2, 6, 3, 1, 5, 7, 0]);
  assert.deepEqual(order("surprise"), [7, 5, 1, 3, 6, 2, 4, 0]);
  assert.deepEqual(order("probability", true), order("surprise"));
  assert.deepEqual(order("id"), [7, 6, 5, 4, 3, 2, 1, 0]);
  assert.deepEqual(order("entropy").at(-1), 0);
  assert.deepEqual(order("at", true), [7, 6, 5, 4, 3, 2, 1, 0]);
  assert.deepEqual(order("text").slice(-2), [2, 6], "wo, you");
});

test("the table sorts by a column that is pressed, and the arrows follow what is seen", () => {
  fakeDocument();
  const chosen = /** @type {number[]} */ ([]);
  const table = new TokenTable({ onSelect: (at) => chosen.push(at) });
  table.root.open = true;
  const data = { trail: trailOf(TEXTS, BITS), selected: 2, off: [] };
  table.update(data);
  const numbers = () => fake(table.body).children.map((row) => Number(row.children[0].textContent));
  const heads = () => table.heads.map(({ cell }) => cell.getAttribute("aria-sort"));
  assert.deepEqual(numbers(), [1, 2, 3, 4, 5, 6, 7, 8]);
  fake(table.heads[3].button).click();
  assert.deepEqual(numbers(), [5, 3, 7, 4, 2, 6, 8, 1]);
  assert.deepEqual(heads(), [null, null, null, "descending", null, null, null]);
  fake(table.rows.get(2)?.button).fire("keydown", { key: "ArrowDown" });
  assert.deepEqual(chosen, [6], "the next in this order");
  fake(table.heads[3].button).click();
  assert.deepEqual(numbers(), [8, 6, 2, 4, 7, 3, 5, 1]);
  fake(table.heads[0].button).click();
  assert.deepEqual(numbers(), [1, 2, 3, 4, 5, 6, 7, 8]);
});
