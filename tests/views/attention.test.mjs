// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { moved } from "../../www/inspect/canvas.js";
import { inkOn, luminance, viridis } from "../../www/inspect/color.js";
import {
  clampUnit,
  columnStrongest,
  legendTicks,
  restOfRow,
  rowFactor,
  rowStrongest,
  share,
  shownColumn,
  shownRow,
  strongest,
  thumbMeans,
  tokenWindow,
  unit,
} from "../../www/inspect/panels/attention/data.js";
import {
  attentionJson,
  matrixCsv,
  matrixCsvParts,
  tokenCsv,
  WHOLE_SIZE,
} from "../../www/inspect/panels/attention/export.js";
import { gridLayout } from "../../www/inspect/panels/attention/grid.js";
import { blend, curve, nearestInLine } from "../../www/inspect/panels/attention/lines_data.js";
import {
  LEFT_OUT,
  PALETTE,
  paintAll,
  paintRows,
  paintThumbs,
  sliceRows,
} from "../../www/inspect/panels/attention/paint.js";
import {
  cellAt,
  clampZoom,
  fit,
  isFit,
  isLargest,
  LARGEST_CELL,
  labelled,
  mapSide,
  pan,
  reveal,
  zoomAt,
} from "../../www/inspect/panels/attention/zoom.js";

/** Numbers that are the same in every run. @param {number} seed */
function randomFrom(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

/** A causal matrix whose rows add up to 1. @param {number} size @param {number} [seed] */
function attention(size, seed = 1) {
  const random = randomFrom(seed);
  const values = new Float32Array(size * size);
  for (let q = 0; q < size; q += 1) {
    const row = Array.from({ length: q + 1 }, () => random() ** 4 + 1e-4);
    const sum = row.reduce((a, b) => a + b);
    row.forEach((value, k) => (values[q * size + k] = value / sum));
  }
  return { size, values };
}

/** Four tokens, in numbers that are easy to follow. */
const small = {
  size: 4,
  values: Float32Array.of(1, 0, 0, 0, 0.75, 0.25, 0, 0, 0.5, 0.25, 0.25, 0, 0.5, 0, 0.375, 0.125),
};
const close = (/** @type {number} */ a, /** @type {number} */ b, tolerance = 1e-6) =>
  assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const sum = (/** @type {Iterable<number>} */ values) => [...values].reduce((a, b) => a + b, 0);

test("a row without the first token is brought to 1, and the first token to 0", () => {
  assert.equal(rowFactor(small, 2, false), 1);
  assert.equal(restOfRow(small, 2), 0.5);
  assert.deepEqual([...shownRow(small, 2, true)], [0, 0.5, 0.5]);
  assert.deepEqual([...shownRow(small, 3, true)], [0, 0, 0.75, 0.25]);
  assert.deepEqual([...shownRow(small, 3, false)], [0.5, 0, 0.375, 0.125]);
  assert.equal(share(small, 3, 2, true), 0.75);
  assert.equal(share(small, 3, 0, true), 0);
  assert.equal(share(small, 1, 3, false), 0, "later tokens are not looked at");
  const matrix = attention(50);
  for (let q = 1; q < 50; q += 1) {
    close(sum(shownRow(matrix, q, false)), 1, 1e-5);
    close(sum(shownRow(matrix, q, true)), 1, 1e-5);
    for (let k = 0; k <= q; k += 1) close(shownRow(matrix, q, true)[k], share(matrix, q, k, true), 1e-6);
  }
  assert.deepEqual(matrix.values, attention(50).values, "the answer itself is not touched");
});

test("a row that has nothing but the first token shows nothing, not NaN", () => {
  assert.deepEqual([...shownRow(small, 0, true)], [0]);
  const sink = { size: 2, values: Float32Array.of(1, 0, 1, 0) };
  assert.deepEqual([...shownRow(sink, 1, true)], [0, 0]);
  assert.equal(share(sink, 1, 1, true), 0);
  // Next to nothing is still told apart: the rest is added up, not taken from 1.
  const tiny = { size: 3, values: Float32Array.of(1, 0, 0, 1, 0, 0, 1, 3e-20, 1e-20) };
  close(share(tiny, 2, 1, true), 0.75, 1e-6);
});

test("columns begin with the token itself", () => {
  assert.deepEqual([...shownColumn(small, 1, false)], [0.25, 0.25, 0]);
  assert.deepEqual([...shownColumn(small, 2, true)], [0.5, 0.75]);
  assert.deepEqual([...shownColumn(small, 0, true)], [0, 0, 0, 0]);
  const matrix = attention(33, 5);
  for (const ignore of [false, true]) {
    for (let k = 0; k < 33; k += 1)
      shownColumn(matrix, k, ignore).forEach((value, at) => close(value, share(matrix, k + at, k, ignore), 1e-6));
  }
});

test("the strongest are the same as by sorting everything", () => {
  const random = randomFrom(9);
  for (const length of [0, 1, 5, 20, 21, 500]) {
    // Few different values, so that there are equals, and zeros, which do not count.
    const values = Float32Array.from({ length }, () => Math.floor(random() * 8) / 8);
    const expected = [...values.keys()]
      .filter((at) => values[at] > 0)
      .sort((a, b) => values[b] - values[a] || a - b)
      .slice(0, 20);
    assert.deepEqual(
      strongest(values, 20).map(({ position }) => position),
      expected,
    );
    assert.deepEqual(
      strongest(values, 20, 7).map(({ position }) => position),
      expected.map((at) => at + 7),
    );
  }
  assert.deepEqual(strongest([NaN, 0.5, -1], 3), [{ position: 1, value: 0.5 }]);
  assert.deepEqual(
    rowStrongest(small, 3, 2, false).map(({ position }) => position),
    [0, 2],
  );
  assert.deepEqual(rowStrongest(small, 3, 5, true), [
    { position: 2, value: 0.75 },
    { position: 3, value: 0.25 },
  ]);
  assert.deepEqual(
    columnStrongest(small, 0, 2, false),
    [
      { position: 1, value: 0.75 },
      { position: 2, value: 0.5 },
    ],
    "itself is left out",
  );
  assert.deepEqual(columnStrongest(small, 3, 2, false), [], "nothing comes after the last");
  assert.deepEqual(columnStrongest(small, 0, 9, true), []);
});

test("thumbnails' means are means over heads, layer by layer", () => {
  const random = randomFrom(3);
  const answer = { layers: 3, heads: 4, size: 5, values: Float32Array.from({ length: 3 * 4 * 25 }, random) };
  const means = thumbMeans(answer);
  assert.equal(means.length, 3 * 25);
  for (let layer = 0; layer < 3; layer += 1) {
    for (let at = 0; at < 25; at += 1) {
      const expected = sum([0, 1, 2, 3].map((head) => answer.values[(layer * 4 + head) * 25 + at])) / 4;
      close(means[layer * 25 + at], expected);
    }
  }
});

test("scales run from 0 to 1, and a legend's marks are on them in order", () => {
  assert.equal(unit(0.25, "sqrt"), 0.5);
  assert.equal(unit(0.25, "linear"), 0.25);
  for (const scale of /** @type {const} */ (["linear", "sqrt"])) {
    assert.deepEqual(
      [NaN, -1, 0, 1, 2].map((p) => unit(p, scale)),
      [0, 0, 0, 1, 1],
    );
    const ticks = legendTicks(scale).map((p) => unit(p, scale));
    assert.deepEqual([ticks[0], ticks.at(-1)], [0, 1]);
    ticks
      .slice(1)
      .forEach((tick, at) => assert.ok(tick - ticks[at] >= 0.15, `${scale}: the marks would run into each other`));
  }
});

test("a link's layer and head are brought to what the model has", () => {
  const info = { nLayer: 5, nHead: 4 };
  assert.deepEqual(clampUnit({ layer: 2, head: 3 }, info), { layer: 2, head: 3 });
  assert.deepEqual(clampUnit({ layer: 11, head: 11 }, info), { layer: 4, head: 3 });
  assert.deepEqual(clampUnit({ layer: -3, head: -7 }, info), { layer: 0, head: -1 });
  assert.deepEqual(clampUnit({ layer: NaN, head: 1.9 }, info), { layer: 0, head: 1 });
});

test("a window of tokens always holds the selected one, never too many, and nothing outside the text", () => {
  for (const count of [1, 10, 320, 321, 1024]) {
    for (let focus = 0; focus < count; focus += 1) {
      const { from, to } = tokenWindow(count, focus, 320);
      assert.ok(from >= 0 && to <= count && from <= focus && focus < to, `${count} ${focus}: ${from}..${to}`);
      assert.equal(to - from, Math.min(320, count));
    }
  }
  const { from, to } = tokenWindow(1024, 600, 320);
  assert.ok(600 - from > to - 600, "more before than after");
});

/** The bytes of a pixel. @param {number} pixel */
const bytes = (pixel) => [...new Uint8Array(Uint32Array.of(pixel).buffer)];

test("pixels have the colours of the scale, whatever the byte order", () => {
  assert.deepEqual(bytes(PALETTE[0]), [...viridis(0), 255]);
  assert.deepEqual(bytes(PALETTE[255]), [...viridis(1), 255]);
  const pixels = new Uint32Array(16).fill(123);
  paintRows(pixels, small, 0, 4, { scale: "linear", ignoreFirst: false });
  assert.deepEqual(bytes(pixels[4]), [...viridis(Math.round(0.75 * 255) / 255), 255]);
  assert.equal(pixels[0], PALETTE[255]);
  for (const at of [1, 2, 3, 6, 7, 11]) assert.equal(pixels[at], 0, "what comes later is clear");
  paintRows(pixels, small, 0, 4, { scale: "sqrt", ignoreFirst: false });
  assert.equal(pixels[5], PALETTE[128], "the root of a quarter is a half");
  paintRows(pixels, small, 0, 4, { scale: "linear", ignoreFirst: true });
  assert.deepEqual(
    [0, 4, 8, 12].map((at) => pixels[at]),
    [LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT],
  );
  assert.equal(pixels[14], PALETTE[Math.round(0.75 * 255)]);
  assert.ok(bytes(LEFT_OUT)[3] < 255);
});

test("only the rows asked for are painted", () => {
  const pixels = new Uint32Array(16).fill(7);
  paintRows(pixels, small, 1, 3, { scale: "linear", ignoreFirst: false });
  assert.deepEqual([...pixels.subarray(0, 4)], [7, 7, 7, 7]);
  assert.deepEqual([...pixels.subarray(12)], [7, 7, 7, 7]);
  assert.ok(pixels.subarray(4, 12).every((pixel) => pixel !== 7));
});

test("a large matrix is painted in slices that let go of the page, and is then the same as painted at once", async () => {
  const matrix = attention(700, 2);
  const look = /** @type {const} */ ({ scale: "sqrt", ignoreFirst: true });
  const whole = new Uint32Array(700 * 700);
  paintRows(whole, matrix, 0, 700, look);
  const sliced = new Uint32Array(700 * 700);
  let clock = 0;
  let pauses = 0;
  const options = { pause: async () => void (pauses += 1), now: () => (clock += 5), stopped: () => false };
  assert.equal(await paintAll(sliced, matrix, look, options), true);
  assert.deepEqual(sliced, whole);
  assert.ok(pauses >= 2, `${pauses} pauses`);
  // What is quick needs no pause.
  pauses = 0;
  await paintAll(sliced, matrix, look, { ...options, now: () => 0 });
  assert.equal(pauses, 0);
  assert.equal(sliceRows(1024) * 1024 <= 65536, true);
  assert.equal(sliceRows(1 << 20), 1, "at least a row");
});

test("painting that is not wanted any more stops", async () => {
  const matrix = attention(700, 2);
  let left = 3;
  const done = await paintAll(
    new Uint32Array(700 * 700),
    matrix,
    { scale: "linear", ignoreFirst: false },
    { pause: async () => {}, now: () => 0, stopped: () => (left -= 1) < 0 },
  );
  assert.equal(done, false);
});

test("thumbnails stand a row a layer, a column a head, the mean last", () => {
  const size = 3;
  const values = new Float32Array(2 * 2 * 9);
  // Head h of layer l gives everything to the first key, with strength (2l + h) / 4.
  for (let unitAt = 0; unitAt < 4; unitAt += 1)
    for (let q = 0; q < size; q += 1) values[unitAt * 9 + q * 3] = unitAt / 4;
  const answer = { layers: 2, heads: 2, size, values };
  const { pixels, width, height } = paintThumbs(answer, thumbMeans(answer), { scale: "linear", ignoreFirst: false });
  assert.deepEqual([width, height, pixels.length], [9, 6, 54]);
  const at = (/** @type {number} */ layer, /** @type {number} */ column) =>
    pixels[(layer * size + 2) * width + column * size];
  const shade = (/** @type {number} */ p) => PALETTE[Math.round(p * 255)];
  assert.deepEqual([at(0, 0), at(0, 1), at(0, 2)], [shade(0), shade(0.25), shade(0.125)]);
  assert.deepEqual([at(1, 0), at(1, 1), at(1, 2)], [shade(0.5), shade(0.75), shade(0.625)]);
  assert.equal(pixels[1], 0, "above the diagonal it is clear");
});

test("a map is as wide as there is room, and small for short texts", () => {
  assert.equal(mapSide(400, 1024), 400);
  assert.equal(mapSide(400, 3), 3 * LARGEST_CELL);
  assert.equal(mapSide(-5, 10), 1);
});

test("zooming keeps what is under the pointer, and never leaves the map", () => {
  const random = randomFrom(4);
  for (let round = 0; round < 300; round += 1) {
    const frame = { size: 2 + Math.floor(random() * 1000), side: 200 + random() * 400 };
    let zoom = fit(frame);
    for (let step = 0; step < 6; step += 1) {
      const [px, py] = [random() * frame.side, random() * frame.side];
      const before = { x: zoom.x + px / zoom.cell, y: zoom.y + py / zoom.cell };
      const grows = zoomAt(zoom, 1 + random() * 3, px, py, frame);
      close(grows.x + px / grows.cell, before.x, 1e-6);
      close(grows.y + py / grows.cell, before.y, 1e-6);
      zoom = pan(zoomAt(grows, 0.5 + random(), px, py, frame), (random() - 0.5) * 900, (random() - 0.5) * 900, frame);
      const cells = frame.side / zoom.cell;
      assert.ok(
        zoom.x >= 0 && zoom.y >= 0 && zoom.x + cells <= frame.size + 1e-6 && zoom.y + cells <= frame.size + 1e-6,
      );
      assert.ok(zoom.cell >= fit(frame).cell - 1e-9 && zoom.cell <= Math.max(LARGEST_CELL, fit(frame).cell) + 1e-9);
    }
  }
  const frame = { size: 100, side: 400 };
  assert.ok(isFit(fit(frame), frame) && !isLargest(fit(frame), frame));
  const most = zoomAt(fit(frame), 1e9, 0, 0, frame);
  assert.ok(isLargest(most, frame) && !isFit(most, frame));
  assert.deepEqual(zoomAt(most, 1e-9, 10, 10, frame), fit(frame));
  assert.deepEqual(clampZoom({ cell: 4, x: -7, y: 1e9 }, frame), { cell: 4, x: 0, y: 0 });
});

test("the cell under a point, and a cell brought into view", () => {
  const frame = { size: 100, side: 400 };
  const whole = fit(frame);
  assert.deepEqual(cellAt(whole, 0, 0, frame), { row: 0, column: 0 });
  assert.deepEqual(cellAt(whole, 399.9, 8, frame), { row: 2, column: 99 });
  for (const [x, y] of [
    [-1, 5],
    [5, -1],
    [400, 5],
    [5, 400],
    [NaN, 5],
  ])
    assert.equal(cellAt(whole, x, y, frame), null);
  const near = zoomAt(whole, 4, 0, 0, frame);
  assert.deepEqual(reveal(near, 10, 10, frame), near, "what is in view moves nothing");
  for (const [row, column] of [
    [99, 99],
    [0, 99],
    [50, 3],
    [25, 24],
  ]) {
    const shown = reveal(near, row, column, frame);
    const [px, py] = [(column + 0.5 - shown.x) * shown.cell, (row + 0.5 - shown.y) * shown.cell];
    assert.deepEqual(cellAt(shown, px, py, frame), { row, column });
  }
});

test("labels never run into each other, and the selected one is always there", () => {
  const random = randomFrom(8);
  for (let round = 0; round < 500; round += 1) {
    const size = 1 + Math.floor(random() * 1024);
    const side = 100 + random() * 500;
    const cell = (side / size) * (1 + random() * 10);
    const from = random() * Math.max(0, size - side / cell);
    const always = [Math.floor(random() * size), Math.floor(random() * size)];
    const labels = labelled({ from, cell, size, side, gap: 13, always });
    labels.slice(1).forEach((label, at) => assert.ok((label - labels[at]) * cell >= 13 - 1e-6, `${labels} at ${cell}`));
    for (const label of labels) {
      const middle = (label + 0.5 - from) * cell;
      assert.ok(middle >= -1e-6 && middle <= side + 1e-6 && label < size, `${label} is out of view`);
    }
    const middle = (always[0] + 0.5 - from) * cell;
    if (middle > 0.01 && middle < side - 0.01) assert.ok(labels.includes(always[0]));
    if (labels.length > 1) {
      const largest = Math.max(...labels.slice(1).map((label, at) => label - labels[at]));
      // Two fixed labels can each push one of the regular ones away.
      assert.ok(largest <= 3 * Math.max(1, Math.ceil(13 / cell)), "and there are no holes");
    }
  }
  assert.deepEqual(labelled({ from: 0, cell: 20, size: 4, side: 80, gap: 13 }), [0, 1, 2, 3], "all where all fit");
  assert.deepEqual(
    labelled({ from: 0, cell: 5, size: 10, side: 50, gap: 13, always: [4] }),
    [0, 4, 9],
    "the fixed label pushes its neighbours away",
  );
});

test("the whole matrix as CSV, at once and in parts", () => {
  const texts = ["<s>", " a", '"', "b,c"];
  const csv = matrixCsv(small, texts, false);
  const lines = csv.split("\r\n");
  assert.equal(lines.length, 6, "a heading, four rows, and the end");
  assert.equal(lines[0], 'query_from_1 \\ key_from_1,1 <s>,2  a,"3 """,' + '"4 b,c"');
  assert.equal(lines[2], "2  a,0.75,0.25,0,0");
  assert.equal(lines[4], '"4 b,c",0.5,0,0.375,0.125');
  assert.equal(matrixCsv(small, texts, true).split("\r\n")[3], '"3 """,0,0.5,0.5,0');
  assert.equal([...matrixCsvParts(small, texts, false)].join(""), csv);
  assert.equal([...matrixCsvParts(small, texts, false)].length, 5, "a part a row");
});

test("one token's row and column as CSV", () => {
  const lines = tokenCsv(small, ["<s>", "a", "b", "c"], 2, false).split("\r\n");
  assert.equal(lines[0], "position_from_1,token,looks at,is looked at by");
  assert.deepEqual(lines.slice(1, 5), ["1,<s>,0.5,0", "2,a,0.25,0", "3,b,0.25,0.25", "4,c,0,0.375"]);
});

test("JSON has the matrix of a short text, and only the token's part of a long one", () => {
  const about = { kind: "attention", layer: 3, head: 1, ignoreFirst: false };
  const short = attentionJson(small, ["<s>", "a", "b", "c"], 2, about);
  assert.deepEqual(short.matrix, [[1], [0.75, 0.25], [0.5, 0.25, 0.25], [0.5, 0, 0.375, 0.125]]);
  assert.deepEqual(short.selected, {
    position_from_1: 3,
    looksAt: [
      { position_from_1: 1, share: 0.5 },
      { position_from_1: 2, share: 0.25 },
      { position_from_1: 3, share: 0.25 },
    ],
    isLookedAtBy: [{ position_from_1: 4, share: 0.375 }],
  });
  assert.deepEqual([short.layer, short.head, short.tokens], [3, 1, ["<s>", "a", "b", "c"]]);
  const size = WHOLE_SIZE + 1;
  const long = attentionJson(attention(size), Array.from({ length: size }, String), 40, about);
  assert.equal(long.matrix, null);
  assert.equal(long.selected.looksAt.length, 41);
  assert.equal(long.selected.isLookedAtBy.length, size - 41);
});

test("marked tokens stay readable on light and dark paper, and more is farther from the paper", () => {
  for (const sheet of ["#fffefb", "#1c1d20", "#fff"]) {
    const paper = blend(0, sheet);
    let before = -1;
    for (let at = 0; at <= 20; at += 1) {
      const rgb = blend(at / 20, sheet);
      const [light, dark] = [luminance(rgb), luminance(inkOn(rgb) === "#fff" ? [255, 255, 255] : [0, 0, 0])].sort(
        (a, b) => b - a,
      );
      assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${sheet} ${at}: ${rgb}`);
      if (at > 12) continue;
      const distance = Math.hypot(...rgb.map((value, channel) => value - paper[channel]));
      assert.ok(distance >= before, `${sheet}: ${at} is nearer than what is less`);
      before = distance;
    }
  }
});

test("curves begin at the one token and end at the other, over a line and between lines", () => {
  const numbers = (/** @type {string} */ path) => (path.match(/-?[\d.]+/g) ?? []).map(Number);
  const over = numbers(curve({ x: 100, y: 50, height: 20 }, { x: 10, y: 50, height: 20 }));
  assert.deepEqual([over[0], over[1], over[6], over[7]], [100, 50, 10, 50]);
  assert.ok(over[3] < 50 && over[5] < 50, "it rises");
  const far = numbers(curve({ x: 1000, y: 50, height: 20 }, { x: 0, y: 50, height: 20 }));
  assert.ok(far[3] >= 50 - 20, "but not into the line above");
  const up = numbers(curve({ x: 100, y: 90, height: 20 }, { x: 10, y: 50, height: 20 }));
  assert.deepEqual(
    [up[0], up[1], up[6], up[7]],
    [100, 90, 10, 70],
    "from the top of the lower to the foot of the upper",
  );
  const down = numbers(curve({ x: 10, y: 50, height: 20 }, { x: 100, y: 90, height: 20 }));
  assert.deepEqual(down, up, "in both directions alike");
});

test("up and down go to the nearest token of the next line", () => {
  const line = (/** @type {number} */ y, /** @type {number[]} */ xs) => xs.map((x) => ({ x, y, height: 20 }));
  const spots = [...line(0, [10, 60, 120]), ...line(30, [5, 55, 90, 140]), ...line(61, [20])];
  assert.equal(nearestInLine(spots, 4, -1), 1);
  assert.equal(nearestInLine(spots, 1, 1), 4);
  assert.equal(nearestInLine(spots, 6, 1), 7);
  assert.equal(nearestInLine(spots, 7, -1), 3);
  assert.equal(nearestInLine(spots, 0, -1), null);
  assert.equal(nearestInLine(spots, 7, 1), null);
  assert.equal(nearestInLine([], 0, 1), null);
  // The first token is written smaller: with some fonts it begins as low as the middle of its line.
  const mixed = [
    { x: 8, y: 613, height: 18 },
    ...[60, 90].map((x) => ({ x, y: 604, height: 29 })),
    { x: 10, y: 639, height: 29 },
  ];
  assert.equal(nearestInLine(mixed, 0, 1), 3);
  assert.equal(nearestInLine(mixed, 3, -1), 0);
});

test("keys move within the grid and stop at its edges", () => {
  const at = { row: 2, column: 3, rows: 5, columns: 6 };
  assert.deepEqual(moved("ArrowUp", at), { row: 1, column: 3 });
  assert.deepEqual(moved("ArrowDown", { ...at, row: 4 }), { row: 4, column: 3 });
  assert.deepEqual(moved("ArrowLeft", { ...at, column: 0 }), { row: 2, column: 0 });
  assert.deepEqual(moved("ArrowRight", at), { row: 2, column: 4 });
  assert.deepEqual(moved("Home", at), { row: 2, column: 0 });
  assert.deepEqual(moved("End", at), { row: 2, column: 5 });
  assert.deepEqual(moved("PageUp", at), { row: 0, column: 3 });
  assert.deepEqual(moved("PageDown", at), { row: 4, column: 3 });
  assert.equal(moved("a", at), null);
});

test("the grid of heads fits its column for the shipped model, for GPT-2 and on a phone", () => {
  for (const [layers, heads] of [
    [5, 5],
    [12, 12],
    [24, 16],
    [1, 1],
  ]) {
    for (const room of [318, 440, 620]) {
      const layout = gridLayout(room, layers, heads, 300);
      assert.ok(layout.width <= room, `${layers} x ${heads} in ${room}: ${layout.width}`);
      assert.ok(
        layout.left(heads) + layout.cell <= layout.width && layout.top(layers - 1) + layout.cell <= layout.height,
      );
      for (let column = 1; column <= heads; column += 1)
        assert.ok(layout.left(column) >= layout.left(column - 1) + layout.cell);
    }
  }
});
