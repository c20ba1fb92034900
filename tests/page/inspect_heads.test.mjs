// @ts-check
// Switching heads off in the real page: the numbers, the text that is written, the ranking, keyboard, files and looks.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { byteTokenizer, randomWeights } from "../../benches/random_model.mjs";
import { violations } from "./axe.mjs";
import { openPage, paper, ready, screenshots } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

const TEXT = 'The wolf met the little girl in the wood. "Good morning," said the wolf. "Where are you going so early';
/** Heads and MLPs of the shipped model: five layers of five heads. */
const UNITS = 30;
/** @param {string} [view] @param {string} [backend] @param {string} [text] @param {string} [lang] */
const address = (view = "", backend = "cpu", text = TEXT, lang = "en") =>
  `${site.url}?backend=${backend}#lang=${lang}&see=heads&n=24&end=0&text=${encodeURIComponent(text)}${view}`;

/** @typedef {import("playwright-core").Page} Page */
/** @param {Page} page @param {string} unit */
const cell = (page, unit) => page.locator(`.heads-grid [data-unit="${unit}"]`);
/** @param {Page} page */
const rankButton = (page) => page.locator(".heads-choose button");
/** The loss as the panel says it: with everything on, and as it is. @param {Page} page */
const losses = async (page) => {
  const words = await page.locator(".heads-loss dd").innerText();
  return [...words.split(" bits")[0].matchAll(/[\d.]+/g)].map(([number]) => Number(number));
};
/** @param {Page} page @param {RegExp} words */
const loss = (page, words) => page.locator(".heads-loss dd", { hasText: words }).waitFor();
/** @param {Page} page @param {number} table */
const predictions = (page, table) => page.locator(".heads-predictions").nth(table).locator("tbody tr").allInnerTexts();
/** The panel knows the text. @param {Page} page */
const shown = async (page) => {
  await ready(page);
  await loss(page, /^[\d.]+ bits per token$/);
};
/** @param {Page} page */
const ranked = async (page) => {
  await rankButton(page).click();
  await page.locator(".heads-list li").nth(11).waitFor();
  await page.locator(".heads-choose button", { hasText: "Rank heads" }).waitFor({ timeout: 60_000 });
};

for (const backend of ["cpu", "webgpu"]) {
  test(`switching a head off changes loss and predictions, switching it on brings them back, on ${backend}`, async () => {
    const { page, close } = await openPage(browser, address("", backend));
    await shown(page);
    const [whole] = await losses(page);
    const top = await predictions(page, 1);
    assert.match(top[0], /^\?"\s+67\.[012] %/, "as another library computes it");

    await cell(page, "3.4").click();
    await loss(page, /→/);
    assert.equal(await cell(page, "3.4").getAttribute("aria-pressed"), "true");
    const [before, now] = await losses(page);
    assert.equal(before, whole, "the loss with everything on is remembered");
    assert.ok(Math.abs(now - whole) > 0.01);
    assert.deepEqual(
      (await predictions(page, 0)).map((row) => row.trim()),
      top.map((row) => row.trim()),
    );
    const without = await predictions(page, 1);
    assert.match(without[0], /^␣to\s+17\.3 %/, "as another library computes it");
    assert.match(without.find((row) => row.startsWith('?"')) ?? "", /6\.7\d %\s+−3\.32/);
    await page.waitForURL(/off=3\.4/);

    await cell(page, "3.4").click();
    await loss(page, /^[\d.]+ bits per token$/);
    assert.deepEqual(await losses(page), [whole]);
    assert.deepEqual(await predictions(page, 1), top);
    await close();
  });
}

test("the same seed writes another text without a head, and the same one again with it", async () => {
  const { page, close } = await openPage(browser, address("&t=0.8&seed=7"));
  await shown(page);
  const write = async () => {
    const before = await paper(page).inputValue();
    await page.locator(".heads-actions .secondary:not([disabled])").click();
    await page.waitForFunction((text) => {
      const now = document.querySelector("textarea")?.value ?? "";
      return now !== text && now.length > 110 && document.querySelector(".primary.busy") === null;
    }, before);
    await page
      .locator(".heads-actions .secondary:not([disabled])", { hasText: "Continue again with these parts off" })
      .waitFor();
    return paper(page).inputValue();
  };
  const whole = await write();
  assert.ok(whole.startsWith(TEXT) && whole.length > TEXT.length + 20, whole);
  for (const unit of ["3.4", "4.-1"]) await cell(page, unit).click();
  await page.locator(".heads-count", { hasText: "2 of 30 switched off" }).waitFor();
  const without = await write();
  assert.ok(without.startsWith(TEXT) && without !== whole, "from the same place, another text");
  await page.getByRole("button", { name: "Switch all on" }).click();
  await page.locator(".heads-count", { hasText: "Everything is on" }).waitFor();
  assert.equal(await write(), whole, "exactly the same text again");

  const written = await page.locator(".heads-written figure").allInnerTexts();
  assert.deepEqual(
    written.map((text) => text.split("\n")[0]),
    ["Everything on", "Without 3.4 4.MLP"],
  );
  assert.deepEqual(await page.locator(".heads-written p").allTextContents(), [
    whole.slice(TEXT.length),
    without.slice(TEXT.length),
  ]);
  await close();
});

test("a link that switches something off can be measured with everything on", async () => {
  const { page, close } = await openPage(browser, address("&off=3.4_0.mlp"));
  await ready(page);
  await page.getByRole("button", { name: "Measure with everything on" }).click();
  await loss(page, /→/);
  assert.equal(await cell(page, "3.4").getAttribute("aria-pressed"), "true", "what was off is off again");
  assert.equal(await cell(page, "0.-1").getAttribute("aria-pressed"), "true");
  await page.waitForURL(/off=0\.mlp_3\.4|off=3\.4_0\.mlp/);
  const [before, now] = await losses(page);
  assert.ok(now > before + 0.5);

  // What was measured outlives a look at another tab.
  await page.getByRole("tab", { name: "Next" }).click();
  await page.locator(".next-row").first().waitFor();
  await page.getByRole("tab", { name: "Heads" }).click();
  await loss(page, /→/);
  await close();
});

test("the ranking gives every unit, in order, and agrees with switching them off by hand", async () => {
  const { page, close } = await openPage(browser, address());
  await shown(page);
  assert.match(await page.locator(".heads-choose option:checked").innerText(), /^\?"$/);
  await ranked(page);
  await page.getByRole("button", { name: `Show all ${UNITS}` }).click();
  const lines = await page.locator(".heads-list li").allInnerTexts();
  assert.equal(lines.length, UNITS);
  const deltas = lines.map((line) => Number(/([−+]?\d+\.\d\d)\n/.exec(`${line}\n`)?.[1]?.replace("−", "-")));
  assert.ok(
    deltas.every((delta, i) => i === 0 || Math.abs(delta) <= Math.abs(deltas[i - 1]) + 0.005),
    deltas.join(" "),
  );
  const heads = lines.filter((line) => !line.includes("MLP"));
  assert.match(heads[0], /Layer 3, head 4[\s\S]*−3\.32[\s\S]*67\.1 % → 6\.7\d %/, "as another library computes it");
  assert.match(heads[1], /Layer 4, head 0[\s\S]*−0\.9[23]/);
  const numbers = await page.locator(".heads-grid td button").allInnerTexts();
  assert.equal(numbers.filter((text) => text !== "").length, UNITS);
  const colour = await cell(page, "3.4").evaluate((button) => button.style.background);
  assert.match(colour, /^rgb\(2\d\d, 1\d\d, \d+\)/, `orange: ${colour}`);

  const save = async (/** @type {string} */ kind) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: `Save as ${kind}` }).click(),
    ]);
    return readFileSync(await download.path());
  };
  assert.equal((await save("CSV")).toString().trimEnd().split("\r\n").length, 1 + UNITS);
  const json = JSON.parse((await save("JSON")).toString());
  assert.equal(json.effects.length, UNITS);
  assert.deepEqual([json.target, json.off], ['?"', []]);
  assert.deepEqual([...(await save("PNG")).subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  await page.getByText("All as a table").click();
  await page.locator(".heads-table tbody tr").first().waitFor();
  assert.equal(await page.locator(".heads-table tbody tr").count(), UNITS);

  await cell(page, "3.4").hover();
  assert.match(
    await page.locator(".heads-readout").innerText(),
    /^Layer 3, head 4 · on · if switched off: −3\.32 bits for/,
  );

  // An entry switches its unit; the list stays, and says what it was measured on.
  const entry = page.locator('.heads-list [data-unit="3.4"]');
  await entry.click();
  await page.locator(".heads-note", { hasText: "Rank again" }).waitFor();
  assert.equal(await cell(page, "3.4").getAttribute("aria-pressed"), "true");
  assert.match(await page.locator(".heads-predictions").last().innerText(), /\?"\s+6\.7\d %/, "by hand the same");
  await ranked(page);
  assert.match(await page.locator(".heads-note").innerText(), /on top of 3\.4/);
  assert.equal(await page.locator(".heads-list li").count(), UNITS - 1, "what is off already cannot be switched off");

  await page.locator("#heads-target").selectOption({ index: 1 });
  await page.locator(".heads-list").waitFor({ state: "hidden" });
  await ranked(page);
  assert.doesNotMatch(await page.locator(".heads-note").innerText(), /Change of \?"/);
  await close();
});

test("a ranking is cancelled at once, by button and by Escape, and what was found stays", async () => {
  const long = `${TEXT}. `.repeat(9);
  const { page, close } = await openPage(browser, address("", "webgpu", long));
  await shown(page);
  for (const how of ["button", "Escape"]) {
    await rankButton(page).click();
    await page.locator(".heads-progress progress").waitFor();
    await page
      .locator(".heads-list li")
      .nth(how === "button" ? 0 : 1)
      .waitFor();
    if (how === "button") await rankButton(page).click();
    else await page.keyboard.press("Escape");
    await page.locator(".heads-choose button", { hasText: "Rank heads" }).waitFor();
    const note = await page.locator(".heads-note").innerText();
    const [, done, all] = /Broken off after (\d+) of (\d+)/.exec(note) ?? [];
    assert.ok(Number(done) < Number(all), note);
    // The engine is free again: the next question is answered.
    await page.locator("#heads-target").selectOption({ index: how === "button" ? 1 : 2 });
    await cell(page, how === "button" ? "0.0" : "0.1").click();
    await loss(page, how === "button" ? /→/ : /→/);
  }
  assert.equal(
    await page.evaluate(() => document.querySelector("#inspector")?.hasAttribute("hidden")),
    false,
    "Escape ended the ranking alone",
  );
  await close();
});

test("keyboard: arrows move, Space switches, a layer's number switches the layer", async () => {
  const { page, close } = await openPage(browser, address());
  await shown(page);
  assert.equal(await page.locator(".heads-grid button[tabindex='0']").count(), 1);
  await page.locator(".heads-grid button[tabindex='0']").focus();
  for (const key of ["ArrowDown", "ArrowRight", "Space"]) await page.keyboard.press(key);
  await loss(page, /→/);
  assert.equal(await cell(page, "1.1").getAttribute("aria-pressed"), "true");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-unit"));
  assert.equal(await focused(), "1.1", "the focus stays while the text is read anew");
  assert.match(await page.locator(".heads-readout").innerText(), /^Layer 1, head 1 · off/);
  await page.keyboard.press("End");
  assert.equal(await focused(), "1.-1");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(), "1.-2");
  await page.keyboard.press("Space");
  await page.locator(".heads-count", { hasText: "6 of 30" }).waitFor();
  await page.keyboard.press("Space");
  await page.locator(".heads-count", { hasText: "Everything is on" }).waitFor();
  await close();
});

test("a model with twelve heads fits, and what another model had off is not counted", async () => {
  const config = {
    model_type: "gpt2",
    vocab_size: 256,
    n_ctx: 128,
    n_positions: 128,
    n_embd: 48,
    n_layer: 12,
    n_head: 12,
    layer_norm_epsilon: 1e-5,
    activation_function: "gelu_new",
  };
  const file = (/** @type {string} */ name, /** @type {string | Uint8Array} */ data) => ({
    name,
    mimeType: "application/octet-stream",
    buffer: Buffer.from(data),
  });
  const files = [
    file("config.json", JSON.stringify(config)),
    file("tokenizer.json", byteTokenizer()),
    file("model.safetensors", randomWeights(config)),
  ];
  for (const width of [1280, 390]) {
    const { page, close } = await openPage(browser, address("&off=99.99_3.4&tab=models", "cpu", "The wolf met"), {
      viewport: { width, height: 800 },
    });
    await page.locator(".model-name", { hasText: "Storyteller" }).waitFor({ timeout: 60_000 });
    await page.locator("#pick").setInputFiles(files);
    await page.waitForFunction(() => location.hash.includes("sha256"));
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await ready(page);
    await cell(page, "11.11").waitFor();
    await page.locator(".heads-count", { hasText: "1 of 156" }).waitFor();
    assert.match(await page.locator(".off-notice").innerText(), /^1 head is/);
    await page.setViewportSize({ width: width + 60, height: 800 });
    await page.setViewportSize({ width, height: 800 });
    await page.waitForFunction(() => {
      const scroll = document.querySelector(".heads-scroll");
      return scroll && scroll.scrollWidth <= scroll.clientWidth;
    });
    assert.deepEqual(await page.locator(".message:visible").allInnerTexts(), []);
    await close();
  }
});

for (const [name, options] of /** @type {const} */ ([
  ["desktop", { viewport: { width: 1280, height: 900 } }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true }],
])) {
  // One theme at each width: colours do not depend on the width, nor sizes on the theme.
  for (const colorScheme of /** @type {const} */ ([name === "desktop" ? "light" : "dark"])) {
    test(`looks right: ${name}, ${colorScheme}`, async () => {
      const { page, close } = await openPage(browser, address(), { ...options, colorScheme });
      await shown(page);
      await ranked(page);
      await cell(page, "3.4").click();
      await loss(page, /→/);
      const room = await page.locator(".heads").evaluate((root) => ({ wide: root.scrollWidth, has: root.clientWidth }));
      assert.ok(room.wide <= room.has + 12, `nothing sticks out: ${room.wide} of ${room.has}`);
      assert.ok(
        await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight),
        "the page itself does not scroll",
      );
      assert.deepEqual(await violations(page, ".heads"), []);
      await page.locator(".heads-bar").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: `${screenshots}${name}-${colorScheme}-heads.png` });
      await page.locator(".heads-ranking").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: `${screenshots}${name}-${colorScheme}-heads-ranking.png` });
      await close();
    });
  }
}
