// @ts-check
// Attention in the real page: its numbers, the map's pixels and keys, lines, rollout, files, long texts and looks.
// Measures time.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { viridis } from "../../www/inspect/color.js";
import { violations } from "./axe.mjs";
import { openPage, ready, screenshots } from "./browser.mjs";
import { longTasks } from "./long_tasks.mjs";
import { browser, site } from "./stage.mjs";

/** @typedef {import("playwright-core").Page} Page */

const TEXT = 'The wolf met the little girl in the wood. "Good morning," said the wolf. "Where are you going so early';
/** The tokens of the shipped model in `TEXT`, with the one that opens every document. */
const COUNT = 28;
/** No task of the page may take more processor time. */
const LONGEST_MS = 50;

/**
 * @param {string} view further parts of the fragment
 * @param {{ backend?: string, lang?: string, text?: string }} [options]
 */
const address = (view, { backend = "cpu", lang = "en", text = TEXT } = {}) =>
  `${site.url}?backend=${backend}#lang=${lang}&see=attention&text=${encodeURIComponent(text)}&${view}`;
/** @param {Page} page */
const answered = async (page) => {
  await page.locator('.attention-views[aria-busy="false"]').waitFor();
  await page.locator(".attention-lists li").first().waitFor();
};
/** @param {string} url @param {import("playwright-core").BrowserContextOptions} [options] */
const open = async (url, options) => {
  const opened = await openPage(browser, url, options);
  await ready(opened.page);
  await answered(opened.page);
  await opened.page.locator(".attention-scroll").waitFor();
  return opened;
};
/** @param {Page} page */
const grid = (page) => page.locator(".attention-grid .attention-cursor");
/** @param {Page} page */
const map = (page) => page.locator(".attention-map .attention-cursor");
/** @param {Page} page */
const readout = (page) => page.locator(".attention-views .attention-readout:visible").innerText();
/** "12.3 %" as a share of 1. @param {string} text */
const share = (text) => Number.parseFloat(text.replace("<", "")) / 100;
const close = (/** @type {number} */ a, /** @type {number} */ b, tolerance = 1e-5) =>
  assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

/** One of the two lists beside the picture. @param {Page} page @param {number} side */
const listed = async (page, side) => {
  const items = await page.locator(".attention-lists section").nth(side).locator("li button").all();
  return Promise.all(
    items.map(async (item) => ({
      token: await item.locator(".token").innerText(),
      // Tokens are counted from 1 on the page.
      position: Number(await item.locator(".at").innerText()) - 1,
      share: share(await item.locator(".share").innerText()),
    })),
  );
};

/** @param {Page} page @param {string} kind */
const saved = async (page, kind) => {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(".attention .save-row button", { hasText: kind }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
};
/** The whole matrix as the page saves it. @param {Page} page @returns {Promise<number[][]>} */
const matrix = async (page) => {
  const { bytes } = await saved(page, "CSV");
  const rows = bytes.toString("utf8").trimEnd().split("\r\n").slice(1);
  // The numbers are the last fields of a row: a heading may have commas of its own.
  return rows.map((row) => row.split(",").slice(-rows.length).map(Number));
};
/** Chooses a head (-1: the mean) with the keyboard. @param {Page} page @param {number} layer @param {number} head */
const choose = async (page, layer, head) => {
  await grid(page).focus();
  for (let step = 0; step < 5; step += 1) await page.keyboard.press("ArrowUp");
  await page.keyboard.press(head < 0 ? "End" : "Home");
  for (let step = 0; step < layer; step += 1) await page.keyboard.press("ArrowDown");
  for (let step = 0; step < head; step += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (name) => document.querySelector(".attention-title")?.textContent === name,
    head < 0 ? `Layer ${layer}, mean of its heads` : `Layer ${layer}, head ${head}`,
  );
  await answered(page);
};

for (const backend of ["cpu", "webgpu"]) {
  test(`a head's attention is what another library computes, on ${backend}`, async () => {
    const { page, close: done } = await open(address("layer=3&head=4&token=27", { backend }));
    const keys = await listed(page, 0);
    // From transformers' GPT2LMHeadModel with `output_attentions`.
    assert.deepEqual(
      keys.slice(0, 2).map(({ token, position }) => [token, position]),
      [
        ["here", 21],
        ["␣so", 25],
      ],
    );
    close(keys[0].share, 0.885, 0.0006);
    close(keys[1].share, 0.102, 0.0006);
    assert.deepEqual(await listed(page, 1), [], "nothing comes after the last token");
    await done();
  });
}

test("the grid has all heads and layers; a head is chosen by keyboard and stands in the link", async () => {
  const { page, close: done } = await open(address("token=27"));
  const cells = grid(page);
  assert.equal(await cells.getAttribute("aria-rowcount"), "5");
  assert.equal(await cells.getAttribute("aria-colcount"), "6", "five heads and their mean");
  await choose(page, 4, 2);
  assert.match(page.url(), /layer=4/);
  assert.match(page.url(), /head=2/);
  assert.equal(await cells.locator("[role=gridcell]").getAttribute("aria-label"), "Layer 4, head 2");
  assert.equal(await cells.locator("[role=gridcell]").getAttribute("aria-selected"), "true");
  await page.keyboard.press("ArrowUp");
  assert.equal(await cells.locator("[role=gridcell]").getAttribute("aria-label"), "Layer 3, head 2");
  assert.equal(await page.locator(".attention-title").innerText(), "Layer 4, head 2", "moving chooses nothing");
  // With the pointer: the third thumbnail of the first row, which the keys may have left above what is seen.
  await page.locator(".inspect-scroll").evaluate((element) => element.scrollTo(0, 0));
  const box = await cells.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + 26 + 2 * 39 + 18, box.y + 18 + 18);
  await page.waitForFunction(() => document.querySelector(".attention-title")?.textContent === "Layer 0, head 2");
  await done();
});

test("a pressed thumbnail brings its map into view; by keys the thumbnail stays", async () => {
  const { page, close } = await open(address(""), { reducedMotion: "reduce" });
  const seen = () =>
    page.evaluate(() => {
      const [room, views, cell] = [".inspect-scroll", ".attention-views", ".attention-grid .attention-cell"].map(
        (name) => /** @type {Element} */ (document.querySelector(name)).getBoundingClientRect(),
      );
      return {
        views: views.top >= room.top && views.bottom <= room.bottom,
        cell: cell.top >= room.top && cell.bottom <= room.bottom,
      };
    });
  assert.deepEqual(await seen(), { views: false, cell: true });
  const { x, y, width, height } = (await grid(page).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.click(x + width * 0.6, y + height * 0.8);
  await page.waitForURL(/layer=3/);
  await page.waitForTimeout(200);
  assert.ok((await seen()).views);
  await page.locator(".inspect-scroll").evaluate((element) => element.scrollTo(0, 0));
  await grid(page).focus();
  for (const key of ["ArrowUp", "ArrowLeft", "Enter"]) await page.keyboard.press(key);
  await page.waitForURL(/layer=2/);
  await page.waitForTimeout(200);
  assert.ok((await seen()).cell);
  await close();
});

test("rows add up to 1, nothing looks ahead, and list, table, readout and pixels say the same", async () => {
  const { page, close: done } = await open(address("layer=3&head=4&token=20"));
  const values = await matrix(page);
  assert.equal(values.length, COUNT);
  values.forEach((row, q) => {
    close(
      row.reduce((a, b) => a + b),
      1,
      1e-4,
    );
    assert.ok(
      row.every((value, k) => value >= 0 && (k <= q || value === 0)),
      `row ${q}`,
    );
  });
  const strongest = [...values[20].keys()].sort((a, b) => values[20][b] - values[20][a]);
  assert.deepEqual(
    (await listed(page, 0)).map(({ position }) => position),
    strongest.slice(0, 6),
  );
  const lookers = [...values.keys()].slice(21).sort((a, b) => values[b][20] - values[a][20]);
  assert.deepEqual(
    (await listed(page, 1)).map(({ position }) => position),
    lookers.slice(0, 6),
  );
  await page.locator(".attention-table summary").click();
  const table = await page
    .locator(".attention-table tbody tr")
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((one) => one.textContent)));
  assert.equal(table.length, 20);
  table.forEach((row, at) => {
    close(share(String(row[2])), values[20][strongest[at]], Math.max(1e-4, values[20][strongest[at]] * 0.006));
    if (lookers[at])
      assert.ok(
        String(row[3]).endsWith(` ${lookers[at] + 1}`) || values[lookers[at]][20] === values[lookers[at - 1]]?.[20],
        `${row}`,
      );
  });

  await map(page).focus();
  const cell = map(page).locator("[role=gridcell]");
  assert.equal(await map(page).getAttribute("aria-rowcount"), String(COUNT));
  await page.waitForFunction(
    () => document.querySelector(".attention-map [role=row]")?.getAttribute("aria-rowindex") === "21",
  );
  assert.equal(await cell.getAttribute("aria-colindex"), String(strongest[0] + 1), "it begins at the strongest");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(
    () => document.querySelector(".attention-map [role=row]")?.getAttribute("aria-rowindex") === "22",
  );
  // It is drawn with the next frame.
  await page.locator(".attention-views .attention-readout:visible", { hasText: "here → The: " }).waitFor();
  assert.match(await readout(page), /^here → The: [<\d.]+ %$/);
  await page.keyboard.press("End");
  await page.waitForFunction(() =>
    /comes later/.test(document.querySelector(".attention-map .attention-readout")?.textContent ?? ""),
  );
  assert.match(page.url(), /token=20/, "moving selects nothing");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /token=21/.test(location.hash));

  // The selected row's frame and the cursor's cover what they stand on: these cells are elsewhere.
  await page.locator(".attention-title").click();
  for (const [q, k] of [
    [13, 11],
    [24, 21],
    [9, 0],
    [26, 5],
  ]) {
    const rgb = await page.locator(".attention-map canvas").evaluate(
      (canvas, [row, column, size]) => {
        const picture = /** @type {HTMLCanvasElement} */ (canvas);
        const side = picture.clientWidth - 84 - 4;
        const ratio = picture.width / picture.clientWidth;
        const at = (/** @type {number} */ offset, /** @type {number} */ index) =>
          (offset + ((index + 0.5) * side) / size) * ratio;
        return [
          .../** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"))
            .getImageData(at(84, column), at(76, row), 1, 1)
            .data.slice(0, 3),
        ];
      },
      [q, k, COUNT],
    );
    const expected = viridis(Math.sqrt(values[q][k]));
    assert.ok(
      rgb.every((value, channel) => Math.abs(value - expected[channel]) <= 4),
      `${q},${k}: ${rgb} is not ${expected}`,
    );
  }
  await done();
});

test("the mean is the mean, rollout the product of means and identities, and without the first token rows still add up to 1", async () => {
  const { page, close: done } = await open(address("layer=0&head=0&token=27"));
  /** @type {number[][][]} */
  const heads = [];
  for (let head = 0; head < 5; head += 1) {
    await choose(page, 0, head);
    heads.push(await matrix(page));
  }
  await choose(page, 0, -1);
  const first = await matrix(page);
  first.forEach((row, q) =>
    row.forEach((value, k) => close(value, heads.reduce((sum, one) => sum + one[q][k], 0) / 5)),
  );
  await choose(page, 1, -1);
  const second = await matrix(page);
  await page.locator("label", { hasText: "Rollout" }).click();
  await page.waitForFunction(
    () => document.querySelector(".attention-title")?.textContent === "Rollout to the output of layer 1",
  );
  await answered(page);
  const half = (/** @type {number[][]} */ a) =>
    a.map((row, q) => row.map((value, k) => value / 2 + (q === k ? 0.5 : 0)));
  const [below, above] = [half(first), half(second)];
  const rolled = await matrix(page);
  rolled.forEach((row, q) => {
    close(
      row.reduce((a, b) => a + b),
      1,
      1e-4,
    );
    row.forEach((value, k) =>
      close(
        value,
        below.reduce((sum, one, j) => sum + above[q][j] * one[k], 0),
        2e-5,
      ),
    );
  });
  await page.locator("#attention-ignore").check();
  const without = await matrix(page);
  without.slice(1).forEach((row, at) => {
    assert.equal(row[0], 0);
    close(
      row.reduce((a, b) => a + b),
      1,
      1e-4,
    );
    const rest = 1 - rolled[at + 1][0];
    row.slice(1).forEach((value, k) => close(value, rolled[at + 1][k + 1] / rest, 1e-4));
  });
  assert.match(
    await page.locator(".attention").innerText(),
    /Shown without the first token, to which this token gives [\d.]+ %/,
  );
  await done();
});

test("lines over the text: arrow keys move the token for all views, and colour and curves follow", async () => {
  const { page, close: done } = await open(address("layer=3&head=4&token=27&mode=lines"));
  const tokens = page.locator(".attention-text [role=option]");
  assert.equal(await tokens.count(), COUNT);
  const shade = (/** @type {number} */ at) => tokens.nth(at).evaluate((one) => getComputedStyle(one).backgroundColor);
  assert.equal(await tokens.nth(27).getAttribute("aria-selected"), "true");
  assert.equal(await shade(2), "rgba(0, 0, 0, 0)", "what is hardly looked at has no colour");
  assert.notEqual(await shade(21), "rgba(0, 0, 0, 0)");
  assert.ok((await page.locator(".attention-curves path").count()) >= 2);
  await tokens.nth(27).focus();
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(() => /token=26/.test(location.hash));
  await answered(page);
  assert.equal(await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).dataset.at), "26");
  await page.keyboard.press("Home");
  await page.waitForFunction(() => /token=0\b/.test(location.hash));
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => /token=[1-9]/.test(location.hash));
  const below = Number(new URLSearchParams(new URL(page.url()).hash.slice(1)).get("token"));
  const boxes = await Promise.all([tokens.nth(0).boundingBox(), tokens.nth(below).boundingBox()]);
  assert.ok(boxes[0] && boxes[1] && boxes[1].y > boxes[0].y + 10, "down is a line down");
  await tokens.nth(21).click();
  await page.waitForFunction(() => /token=21/.test(location.hash));
  await answered(page);
  const lookers = (await listed(page, 1)).map(({ position }) => position);
  assert.ok(lookers.every((position) => position > 21) && lookers.length === 6);
  assert.ok(
    (await page.locator(".attention-curves path.from").count()) >= 5,
    "all that follows looks at the question word",
  );
  // The lists lead on, too.
  await page.locator(".attention-lists section").nth(1).locator("button").first().click();
  await page.waitForFunction((at) => location.hash.includes(`token=${at}`), lookers[0]);
  await done();
});

test("files: the map with labels as PNG, the matrix as CSV and JSON", async () => {
  const { page, close: done } = await open(address("layer=3&head=4&token=27&mode=lines"));
  const png = await saved(page, "PNG");
  assert.equal(png.name, "attention-layer-3-head-4.png");
  const [width, height] = [png.bytes.readUInt32BE(16), png.bytes.readUInt32BE(20)];
  assert.ok(width >= COUNT * 20 && height >= COUNT * 20, `${width} x ${height}`);
  const colours = await page.evaluate(
    async (bytes) => {
      const image = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: "image/png" }));
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.drawImage(image, 0, 0);
      return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size;
    },
    [...png.bytes],
  );
  assert.ok(colours > 50, `a picture, not a sheet of ${colours} colours`);
  const json = JSON.parse((await saved(page, "JSON")).bytes.toString("utf8"));
  assert.deepEqual(
    [json.kind, json.layer, json.head, json.ignoreFirst, json.tokens.length],
    ["attention", 3, 4, false, COUNT],
  );
  assert.equal(json.tokens[2], " wolf");
  const csv = await matrix(page);
  json.matrix.forEach((/** @type {number[]} */ row, /** @type {number} */ q) =>
    assert.deepEqual(row, csv[q].slice(0, q + 1)),
  );
  assert.deepEqual(json.selected.looksAt[0], { position_from_1: 22, share: csv[27][21] });
  await done();
});

/**
 * Watches the page while something happens, the first time as every time.
 * @param {Page} page
 * @param {string} what
 * @param {() => Promise<void>} act
 */
const staysFree = async (page, what, act) => {
  const { count, longest } = await longTasks(browser, page, async () => {
    await act();
    await page.waitForTimeout(300);
  });
  assert.ok(count > 10, `the main thread was watched: ${what}`);
  assert.ok(longest < LONGEST_MS, `${what}: a task of ${longest.toFixed(0)} ms of processor time`);
};

test("a text of the whole context stays responsive in every mode", async () => {
  // A token or more for every word: longer than the context of 256.
  const text = "Once upon a time there was a little dog who lived in a big house with a cat and a bird. "
    .repeat(12)
    .slice(0, 1010)
    .trimEnd();
  const { page, close: done } = await openPage(
    browser,
    address("layer=2&head=1", { text }).replace("see=attention", "see=next"),
  );
  await ready(page);
  await page.locator(".next-row").first().waitFor();
  await staysFree(page, "the tab is opened", async () => {
    await page.getByRole("tab", { name: "Attention" }).click();
    await answered(page);
    await page.locator(".attention-scroll").waitFor();
  });
  const size = Number(await map(page).getAttribute("aria-rowcount"));
  assert.ok(size > 230 && size <= 256, `${size} tokens`);
  await staysFree(page, "another head", () => choose(page, 1, 1));
  await staysFree(page, "zooming and moving", async () => {
    await map(page).focus();
    for (let step = 0; step < 8; step += 1) await page.keyboard.press(step % 2 ? "+" : "ArrowUp");
    await page.keyboard.press("0");
  });
  const box = await map(page).boundingBox();
  assert.ok(box);
  await staysFree(page, "hovering", async () => {
    for (let step = 0; step < 20; step += 1) await page.mouse.move(box.x + 100 + 9 * step, box.y + 120 + 10 * step);
  });
  await staysFree(page, "lines", async () => {
    await page.locator("label", { hasText: "Lines" }).click();
    await page.locator(".attention-text .selected").focus();
    for (let step = 0; step < 10; step += 1) await page.keyboard.press("ArrowLeft");
  });
  assert.ok((await page.locator(".attention-text [role=option]").count()) <= 320);
  await staysFree(page, "rollout", async () => {
    await page.locator("label", { hasText: "Rollout" }).click();
    await page.waitForFunction(() => document.querySelector(".attention-title")?.textContent?.startsWith("Rollout"));
    await answered(page);
  });
  await done();
});

test("the map takes 1,024 tokens without a long task, and a wheel and a drag move in it", async () => {
  const { page, close: done } = await open(address("token=27"));
  await page.evaluate(async () => {
    // The page's own view, on numbers made here: the shipped model has a shorter context.
    const { AttentionMap } = await import(String(new URL("www/inspect/panels/attention/map.js", document.baseURI)));
    const size = 1024;
    const root = document.createElement("div");
    root.id = "large";
    // `style` attributes are forbidden here; properties are not.
    Object.assign(root.style, {
      position: "fixed",
      inset: "0 auto auto 0",
      width: "600px",
      zIndex: "9",
      background: "white",
    });
    document.body.append(root);
    const matrix = { size, values: new Float32Array(size * size) };
    for (let q = 0; q < size; q += 1) matrix.values.fill(1 / (q + 1), q * size, q * size + q + 1);
    const data = { texts: Array.from({ length: size }, (_, at) => ` t${at}`), selected: 700, title: "large", matrix };
    Object.assign(globalThis, { AttentionMap, root, data });
  });
  await staysFree(page, "1,024 tokens", () =>
    page.evaluate(async () => {
      const { AttentionMap, root, data } = /** @type {any} */ (globalThis);
      const view = new AttentionMap(root, {
        onSelect: (/** @type {number} */ at) => Object.assign(globalThis, { picked: at }),
      });
      Object.assign(globalThis, { view });
      view.update({ ...data, look: { scale: "sqrt", ignoreFirst: false } });
      await new Promise((resolve) => setTimeout(resolve, 300));
      view.update({ ...data, look: { scale: "linear", ignoreFirst: true } });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }),
  );
  const large = page.locator("#large .attention-cursor");
  const zoom = () => page.evaluate(() => /** @type {any} */ (globalThis).view.zoomNow());
  const whole = await zoom();
  const box = await large.boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + 300, box.y + 400];
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -400);
  await page.waitForTimeout(100);
  assert.deepEqual(await zoom(), whole, "without the focus the wheel scrolls the page");
  await page.mouse.click(x, y);
  const row = await page.evaluate(() => /** @type {any} */ (globalThis).picked);
  assert.equal(row, Math.floor((y - box.y - 76) / whole.cell));
  await page.mouse.wheel(0, -1200);
  await page.waitForFunction((cell) => /** @type {any} */ (globalThis).view.zoomNow().cell > 5 * cell, whole.cell);
  await page.mouse.click(x, y);
  assert.equal(
    await page.evaluate(() => /** @type {any} */ (globalThis).picked),
    row,
    "what was under the pointer is still there",
  );
  const before = await zoom();
  await page.mouse.down();
  await page.mouse.move(x + 60, y + 30, { steps: 5 });
  await page.mouse.up();
  const moved = await zoom();
  close((before.x - moved.x) * before.cell, 60, 8);
  close((before.y - moved.y) * before.cell, 30, 8);
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).picked), row, "a drag chooses nothing");
  await done();
});

test("another tab lets go of everything, and coming back shows it again", async () => {
  const { page, close: done } = await open(address("layer=3&head=4&token=27"));
  await page.getByRole("tab", { name: "Next" }).click();
  await page.locator(".next-list").first().waitFor();
  assert.equal(await page.locator(".attention").count(), 0);
  await page.getByRole("tab", { name: "Attention" }).click();
  await answered(page);
  assert.equal((await listed(page, 0))[0].position, 21);
  await done();
});

for (const [where, viewport, colorScheme, lang] of /** @type {const} */ ([
  // One theme at each width: colours do not depend on the width, nor sizes on the theme.
  ["desktop", { width: 1280, height: 1000 }, "light", "en"],
  ["phone", { width: 390, height: 844 }, "dark", "zh"],
])) {
  test(`axe-core finds nothing, and nothing is wider than the page: ${where}, ${colorScheme}`, async () => {
    const { page, close: done } = await open(address("layer=4&head=4&token=22", { lang }), {
      viewport,
      colorScheme,
      hasTouch: where === "phone",
    });
    for (const mode of ["map", "lines", "rollout"]) {
      await page.locator(`label[for=attention-mode-${mode}]`).click();
      await page.waitForFunction((value) => value === "map" || location.hash.includes(`mode=${value}`), mode);
      await answered(page);
      await page.locator(".attention-head").evaluate((head) => head.scrollIntoView());
      const found = await violations(page, ".attention");
      await page.screenshot({ path: `${screenshots}inspect-attention-${mode}-${where}-${colorScheme}.png` });
      assert.deepEqual(found, []);
      const wide = await page
        .locator(".attention")
        .evaluate((root) =>
          [...root.querySelectorAll("*")]
            .filter(
              (one) =>
                one.getBoundingClientRect().right > document.documentElement.clientWidth + 1 &&
                !one.closest(".attention-scroll, .visually-hidden"),
            )
            .map((one) => one.className),
        );
      assert.deepEqual(wide, []);
    }
    await done();
  });
}
