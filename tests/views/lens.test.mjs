// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cellShare,
  chartOf,
  columnsFor,
  columnsOf,
  lensCsv,
  lensJson,
  missingSpan,
  moveCursor,
  niceShare,
  settledAt,
  spread,
  windowFrom,
} from "../../www/inspect/panels/lens/data.js";

/**
 * An answer in which every number tells where it belongs: id 100 * level + 10 * row + i.
 * @param {number} levels @param {number} from @param {number} rows @param {number[]} targets
 * @returns {import("../../www/inspect/types.js").LensAnswer}
 */
function answer(levels, from, rows, targets) {
  const top = 5;
  /** @type {number[]} */
  const topIds = [];
  /** @type {number[]} */
  const topLogprobs = [];
  /** @type {number[]} */
  const rank = [];
  for (let level = 0; level < levels; level += 1) {
    for (let row = 0; row < rows; row += 1) {
      rank.push(levels - 1 - level);
      for (let i = 0; i < top; i += 1) {
        topIds.push(100 * level + 10 * row + i);
        topLogprobs.push(-(i + 1) / (level + 1));
      }
    }
  }
  const perCell = (/** @type {(cell: number) => number} */ value) =>
    Float32Array.from({ length: levels * rows }, (_, cell) => value(cell));
  return {
    levels,
    from,
    rows,
    top,
    topIds: Uint32Array.from(topIds),
    topLogprobs: Float32Array.from(topLogprobs),
    logprob: perCell((cell) => -1 - cell),
    rank: Uint32Array.from(rank),
    entropy: perCell((cell) => 0.5 * cell),
    targets: Uint32Array.from(targets),
    texts: topIds.map((id) => /** @type {[number, string]} */ ([id, `t${id}`])),
  };
}

test("columns hold each level's tokens, target, rank and entropy", () => {
  const columns = columnsOf(answer(3, 7, 2, [200, 777]));
  assert.deepEqual(
    columns.map(({ row }) => row),
    [7, 8],
  );
  assert.deepEqual(columns[0].target, { id: 200, text: "t200" });
  assert.deepEqual(columns[1].target, { id: 777, text: "#777" }, "a token without text is named by its number");
  assert.equal(columns[0].levels.length, 3);
  const level = columns[1].levels[2];
  assert.deepEqual(
    level.top.map(({ id }) => id),
    [210, 211, 212, 213, 214],
  );
  assert.equal(level.top[3].text, "t213");
  assert.ok(Math.abs(level.top[0].logprob + 1 / 3) < 1e-6);
  assert.equal(level.logprob, -6, "cell 2 * 2 + 1");
  assert.equal(level.rank, 1, "ranks count from 1");
  assert.equal(columns[1].levels[0].rank, 3);
  assert.equal(level.entropy, 2.5);
});

test("the last row has no target when the text's own tokens are the targets", () => {
  const [first, last] = columnsOf(answer(2, 0, 2, [10, 0xffffffff]));
  assert.equal(first.levels[1].rank, 1);
  assert.equal(last.target, null);
  assert.ok(last.levels.every(({ logprob, rank }) => Number.isNaN(logprob) && rank === 0));
  assert.ok(Number.isNaN(cellShare(last.levels[0], "target")));
  assert.ok(Math.abs(cellShare(last.levels[0], "own") - Math.exp(-1)) < 1e-6);
  assert.ok(Math.abs(cellShare(first.levels[0], "target") - Math.exp(-1)) < 1e-6);
  assert.ok(Math.abs(cellShare(first.levels[1], "target") - Math.exp(-3)) < 1e-6);
});

test("four columns on a phone, eight to twelve beside the text", () => {
  assert.equal(columnsFor(350), 4);
  assert.equal(columnsFor(320), 4);
  assert.ok(columnsFor(480) >= 8);
  assert.ok(columnsFor(620) >= 10);
  assert.equal(columnsFor(5000), 12);
  assert.equal(columnsFor(0), 3, "a panel that is not laid out yet");
});

test("the window stays while it shows the selected token, and else goes there", () => {
  assert.equal(windowFrom(null, 0, 100, 8), 0);
  assert.equal(windowFrom(null, 50, 100, 8), 46);
  assert.equal(windowFrom(null, 99, 100, 8), 92);
  assert.equal(windowFrom(40, 47, 100, 8), 40);
  assert.equal(windowFrom(40, 48, 100, 8), 44);
  assert.equal(windowFrom(40, 39, 100, 8), 35);
  assert.equal(windowFrom(null, 2, 3, 8), 0, "a text shorter than the window");
  assert.equal(windowFrom(95, 96, 97, 8), 89, "the text became shorter: no empty columns");
});

test("only what is missing is asked for", () => {
  const have = new Set([3, 4, 5, 9]);
  const has = (/** @type {number} */ row) => have.has(row);
  assert.deepEqual(missingSpan(has, 3, 6), null);
  assert.deepEqual(missingSpan(has, 3, 8), [6, 8]);
  assert.deepEqual(missingSpan(has, 0, 5), [0, 3]);
  assert.deepEqual(missingSpan(has, 2, 10), [2, 9]);
  assert.deepEqual(missingSpan(has, 4, 4), null);
});

test("arrows move through levels and positions, and the window follows", () => {
  const grid = { levels: 6, count: 30, from: 10, columns: 8 };
  const at = { level: 3, position: 12 };
  assert.deepEqual(moveCursor("ArrowUp", at, grid), { level: 4, position: 12, from: 10 });
  assert.deepEqual(moveCursor("ArrowDown", { level: 0, position: 12 }, grid), { level: 0, position: 12, from: 10 });
  assert.deepEqual(moveCursor("ArrowUp", { level: 5, position: 12 }, grid), { level: 5, position: 12, from: 10 });
  assert.deepEqual(moveCursor("ArrowRight", { level: 3, position: 17 }, grid), { level: 3, position: 18, from: 11 });
  assert.deepEqual(moveCursor("ArrowLeft", { level: 3, position: 10 }, grid), { level: 3, position: 9, from: 9 });
  assert.deepEqual(moveCursor("ArrowRight", { level: 3, position: 29 }, { ...grid, from: 22 }), {
    level: 3,
    position: 29,
    from: 22,
  });
  assert.deepEqual(moveCursor("PageDown", at, grid), { level: 3, position: 20, from: 18 });
  assert.deepEqual(moveCursor("PageDown", { level: 3, position: 25 }, grid), { level: 3, position: 29, from: 22 });
  assert.deepEqual(moveCursor("PageUp", at, grid), { level: 3, position: 4, from: 2 });
  assert.deepEqual(moveCursor("PageUp", { level: 0, position: 1 }, { ...grid, from: 0 }), {
    level: 0,
    position: 0,
    from: 0,
  });
  assert.deepEqual(moveCursor("Home", at, grid), { level: 3, position: 10, from: 10 });
  assert.deepEqual(moveCursor("End", at, grid), { level: 3, position: 17, from: 10 });
  assert.deepEqual(moveCursor("End", { level: 1, position: 0 }, { levels: 3, count: 2, from: 0, columns: 8 }), {
    level: 1,
    position: 1,
    from: 0,
  });
  assert.equal(moveCursor("a", at, grid), null);
});

test("where the model has made up its mind", () => {
  const levels = (/** @type {number[]} */ ranks) => ({
    row: 0,
    target: { id: 0, text: "" },
    levels: ranks.map((rank) => ({ top: [], logprob: -1, rank, entropy: 0 })),
  });
  assert.equal(settledAt(levels([9, 3, 1, 1, 1])), 2);
  assert.equal(settledAt(levels([1, 1, 2, 1])), 3, "what was left again does not count");
  assert.equal(settledAt(levels([1, 1])), 0);
  assert.equal(settledAt(levels([4, 2])), -1);
});

test("the chart stays inside its bands, keeps its order and names its ends", () => {
  const logprobs = [-9, -5, -3, -0.4];
  const ranks = [1800, 40, 7, 1];
  const column = {
    row: 0,
    target: { id: 1, text: "x" },
    levels: logprobs.map((logprob, i) => ({ top: [], logprob, rank: ranks[i], entropy: 1 })),
  };
  const chart = chartOf(column, { left: 40, right: 340, probability: [10, 90], rank: [110, 190] });
  assert.deepEqual(chart.x, [40, 140, 240, 340]);
  assert.ok(
    chart.probability.every((y, i) => y >= 10 && y <= 90 && (i === 0 || y < chart.probability[i - 1])),
    "likelier is higher",
  );
  assert.ok(
    chart.rank.every((y, i) => y >= 110 && y <= 190 && (i === 0 || y < chart.rank[i - 1])),
    "a better rank is higher",
  );
  assert.equal(chart.rank[3], 110, "rank 1 is on top");
  assert.deepEqual(
    chart.shareTicks.map(({ value }) => value),
    [1, 0.5, 0],
  );
  assert.deepEqual(
    chart.shareTicks.map(({ y }) => y),
    [10, 50, 90],
  );
  assert.deepEqual(
    chart.rankTicks.map(({ value }) => value),
    [1, 10, 100, 1000, 10000],
  );
  assert.deepEqual(
    chart.rankTicks.map(({ y }) => y),
    [110, 130, 150, 170, 190],
  );
  assert.deepEqual(chart.levelTicks, [0, 1, 2, 3]);

  const sure = { ...column, levels: column.levels.map((level) => ({ ...level, rank: 1 })) };
  assert.deepEqual(
    chartOf(sure, { left: 0, right: 1, probability: [0, 1], rank: [0, 1] }).rank,
    [0, 0, 0, 0],
    "a rank that is always 1 divides by nothing",
  );
  const ten = { ...column, levels: column.levels.map((level) => ({ ...level, rank: 10 })) };
  assert.deepEqual(chartOf(ten, { left: 0, right: 1, probability: [0, 1], rank: [0, 8] }).rank, [8, 8, 8, 8]);
});

test("scales end at round numbers and labels keep their distance", () => {
  assert.equal(niceShare(0.0001), 0.01);
  assert.equal(niceShare(0.02), 0.02);
  assert.equal(niceShare(0.21), 0.5);
  assert.equal(niceShare(0.51), 1);
  assert.deepEqual(spread(6, 12), [0, 1, 2, 3, 4, 5]);
  for (const [count, most] of [
    [13, 12],
    [49, 12],
    [37, 8],
    [25, 2],
    [1, 2],
  ]) {
    const ticks = spread(count, most);
    assert.equal(ticks[0], 0);
    assert.equal(ticks.at(-1), count - 1);
    assert.ok(ticks.length <= most + 1 && new Set(ticks).size === ticks.length, `${count} ${most}: ${ticks}`);
    const gaps = ticks.slice(1).map((tick, i) => tick - ticks[i]);
    assert.ok(
      gaps.every((gap) => gap >= Math.max(1, gaps[0] / 2)),
      `${ticks}`,
    );
  }
});

test("CSV has a row for every level of every position, JSON the same numbers", () => {
  const columns = columnsOf(answer(2, 1, 2, [110, 0xffffffff]));
  const lines = lensCsv(columns, ["<s>", ' "a"', " b, c"], ["emb", "0"]).split("\r\n");
  assert.equal(lines.length, 1 + 4 + 1);
  assert.equal(lines[0].split(",").length, 8 + 10);
  assert.ok(lines[1].startsWith('2," ""a""",0,emb,0,t110,'));
  assert.ok(lines[2].startsWith('2," ""a""",1,0,1,t110,'), lines[2]);
  assert.ok(lines[3].startsWith('3," b, c",0,emb,0.5,,,,t10,'), "without a target its fields are empty");
  const json = lensJson(columns, ["<s>", "a", "b"], ["emb", "0"], "next");
  assert.deepEqual(
    json.positions.map(({ position_from_1: position, token }) => [position, token]),
    [
      [2, "a"],
      [3, "b"],
    ],
  );
  assert.equal(json.positions[0].levels[1].target_rank_from_1, 1);
  assert.ok(!("target_rank_from_1" in json.positions[1].levels[1]));
  assert.equal(json.positions[0].levels[1].top.length, 5);
  assert.equal(JSON.parse(JSON.stringify(json)).positions[1].levels[0].top[4].id, 14);
});
