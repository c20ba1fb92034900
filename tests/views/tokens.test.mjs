// @ts-check
// All tokens of a text as a table and as files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenTable } from "../../www/inspect/panels/surprise/table.js";
import { toCsv } from "../../www/inspect/save.js";
import { around, TOKENS_CSV, tokenRows, tokensJson } from "../../www/inspect/tokens_data.js";
import { Trail } from "../../www/inspect/trail.js";
import { fake, fakeDocument } from "./fake_dom.mjs";

/** "The king.\n" after a token for its beginning; how likely the last token was is not known yet. */
function trail() {
  const texts = ["<|endoftext|>", "The", " king", ".", "\n"];
  const one = Trail.of(
    {
      ids: [0, 412, 558, 16, 201],
      texts,
      ends: [0, 3, 8, 9, 10],
      bos: true,
      bytes: [[60, 124], [84, 104, 101], [32, 107, 105, 110, 103], [46], [10]],
    },
    "The king.\n",
  );
  one.score({
    rows: 4,
    top: 2,
    logprob: Float32Array.of(-1.5, -0.25, -8, 0),
    entropy: Float32Array.of(4, 2.5, 3, 1),
    rank: Uint32Array.of(1, 0, 240, 0),
    topIds: Uint32Array.of(259, 412, 558, 40, 293, 14, 16, 201),
    topLogprobs: Float32Array.of(-1, -1.5, -0.25, -2, -1, -1.25, -0.5, -1),
    texts: [
      [259, " a"],
      [412, "The"],
      [558, " king"],
      [40, "\ud800"],
      [293, " was"],
      [14, ","],
      [16, "."],
      [201, "\n"],
    ],
  });
  return one;
}

test("a file has every token, with what is not known left open", () => {
  const rows = tokenRows(trail());
  assert.deepEqual(
    rows[0],
    [1, 0, "<|endoftext|>", "", "", "", "", "", ""],
    "what stands before the text has no bytes in it",
  );
  assert.deepEqual(rows[1], [2, 412, "The", "54 68 65", -1.5, 0.2231302, 2, 4, 2.164043]);
  assert.deepEqual(rows[3], [4, 16, ".", "2E", -8, 0.0003354626, 241, 3, 11.54156]);
  assert.deepEqual(rows[4], [5, 201, "\n", "0A", "", "", "", 1, ""]);
  assert.ok(rows.every((row) => row.length === TOKENS_CSV.length));
  assert.equal(toCsv(TOKENS_CSV, rows).split("\r\n")[5], '5,201,"\n",0A,,,,1,');
});

test("JSON has what was expected instead, best first, and null for what is not known", () => {
  const tokens = JSON.parse(JSON.stringify(tokensJson(trail())));
  assert.deepEqual(tokens[2], {
    position_from_1: 3,
    id: 558,
    text: " king",
    bytes_hex: "20 6B 69 6E 67",
    logprob_nats: -0.25,
    probability: 0.7788008,
    rank_from_1: 1,
    entropy_nats: 2.5,
    surprise_bits: 0.3606738,
    alternatives: [
      { id: 558, text: " king", logprob_nats: -0.25, probability: 0.7788008 },
      { id: 40, text: "\ud800", logprob_nats: -2, probability: 0.1353353 },
    ],
  });
  assert.deepEqual([tokens[0].logprob_nats, tokens[0].rank_from_1, tokens[0].alternatives], [null, null, []]);
  // What was expected is known before it is known how likely what came was.
  assert.deepEqual([tokens[4].surprise_bits, tokens[4].alternatives.length], [null, 2]);
});

test("the table's window holds the selected token and fifty on each side", () => {
  const long = Trail.of(
    {
      ids: Array(400).fill(7),
      texts: Array(400).fill("a"),
      bytes: Array(400).fill([97]),
      ends: Array.from({ length: 400 }, (_, i) => i + 1),
      bos: false,
    },
    "a".repeat(400),
  );
  assert.deepEqual(
    [0, 30, 200, 399].map((at) => around(long, at)),
    [
      [0, 51],
      [0, 81],
      [150, 251],
      [349, 400],
    ],
  );
});

/** @param {TokenTable} table */
const lines = (table) => fake(table.body).children.map((row) => row.children.map((cell) => cell.textContent));

test("the table is made when it is opened, follows the selection, and is let go of when it is closed", () => {
  fakeDocument();
  const chosen = /** @type {number[]} */ ([]);
  const table = new TokenTable({ onSelect: (at) => chosen.push(at) });
  const data = { trail: trail(), selected: 2, off: [] };
  table.update(data);
  assert.deepEqual(lines(table), [], "nobody pays for what is closed");
  table.root.open = true;
  fake(table.root).fire("toggle");
  assert.deepEqual(lines(table), [
    ["1", "<|endoftext|>", "0", "–", "–", "–", "–"],
    ["2", "The", "412", "2.2 bits", "2", "22.3 %", "5.8 bits"],
    ["3", "␣king", "558", "0.4 bits", "1", "77.9 %", "3.6 bits"],
    ["4", ".", "16", "11.5 bits", "241", "0.03 %", "4.3 bits"],
    ["5", "⏎", "201", "–", "–", "–", "1.4 bits"],
  ]);
  const rows = fake(table.body).children;
  assert.deepEqual(
    rows.map((row) => row.getAttribute("aria-current")),
    ["false", "false", "true", "false", "false"],
  );
  fake(table.rows.get(3)?.button).click();
  fake(table.rows.get(2)?.button).focus();
  for (const key of ["ArrowDown", "ArrowUp", "End", "Home"]) fake(table.rows.get(2)?.button).fire("keydown", { key });
  assert.deepEqual(chosen, [3, 3, 1, 4, 0]);
  table.update({ ...data, selected: 3 });
  assert.equal(document.activeElement, table.rows.get(3)?.button, "the focus goes with the selection");
  assert.equal(fake(table.body).children[0], rows[0], "rows keep their elements");
  fake(table.rows.get(3)?.button).fire("keydown", { key: "End", altKey: true });
  assert.equal(chosen.length, 5, "Alt and the arrows are the paper's");
  table.root.open = false;
  fake(table.root).fire("toggle");
  assert.deepEqual(lines(table), []);
});

test("a window that moves keeps its rows in order", () => {
  fakeDocument();
  const table = new TokenTable({ onSelect: () => {} });
  const count = 400;
  const long = Trail.of(
    {
      ids: Array.from({ length: count }, (_, i) => i),
      texts: Array(count).fill("a"),
      bytes: Array(count).fill([97]),
      ends: Array.from({ length: count }, (_, i) => i + 1),
      bos: false,
    },
    "a".repeat(count),
  );
  table.root.open = true;
  for (const selected of [200, 210, 195, 399, 0]) {
    table.update({ trail: long, selected, off: [] });
    const [from, to] = around(long, selected);
    assert.deepEqual(
      lines(table).map(([number]) => Number(number)),
      Array.from({ length: to - from }, (_, i) => from + i + 1),
    );
  }
});
