// @ts-check
// The real page around the engine: models, settings, keys, languages, access for everyone, and no request of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { button, launch, openPage, paper, ready, screenshots } from "./browser.mjs";
import { serve } from "./server.mjs";

const model = new URL("../../www/models/storyteller/", import.meta.url);

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
before(async () => {
  site = await serve(["--prefix", "/some/folder/"]);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

/**
 * Drops files on the page as a user does.
 * @param {import("playwright-core").Page} page @param {{ name: string, bytes: Uint8Array }[]} files
 */
async function drop(page, files) {
  const plain = files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString("base64") }));
  await page.evaluate((list) => {
    const data = new DataTransfer();
    for (const { name, base64 } of list) {
      data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name));
    }
    for (const type of ["dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }
  }, plain);
}

/**
 * The side of the text: inside the model are settings of the same names.
 * @param {import("playwright-core").Page} page
 */
const desk = (page) => page.locator("#desk");
/** @param {string} name */
const modelFile = (name) => ({ name, bytes: readFileSync(new URL(name, model)) });

test("a broken model file says what is wrong, and the model in use goes on", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#n=8&lang=en`);
  await ready(page);
  const weights = modelFile("model.safetensors").bytes;
  const broken = [
    { name: "truncated.safetensors", bytes: weights.subarray(0, weights.length - 1000) },
    { name: "huge-header.safetensors", bytes: Buffer.concat([Buffer.alloc(8, 0xff), weights.subarray(8, 4096)]) },
    { name: "empty.safetensors", bytes: Buffer.alloc(0) },
  ];
  for (const { name, bytes } of broken) {
    await drop(page, [modelFile("config.json"), modelFile("tokenizer.json"), { name, bytes }]);
    const alert = page.getByRole("alert");
    await alert.filter({ hasText: `${name.replace(".safetensors", "")} could not be opened.` }).waitFor();
    const text = await alert.innerText();
    assert.match(text, /Storyteller is still open and works as before/);
    const cause = text
      .split("\n")
      .filter((line) => !/could not be opened|still open|^Close$/.test(line))
      .join(" ")
      .trim();
    assert.ok(cause.length > 15, `a cause is given: ${text}`);
    await alert.getByRole("button", { name: "Close" }).click();
  }
  await page.screenshot({ path: `${screenshots}/after-broken.png` });
  await paper(page).press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await close();
});

test("files that come one by one open the model when it is complete", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await ready(page);
  await drop(page, [{ name: "holiday.jpg", bytes: Buffer.from("x") }]);
  await page.getByRole("alert").filter({ hasText: "holiday.jpg" }).waitFor();
  await drop(page, [modelFile("config.json")]);
  await page.getByText("Still needed: tokenizer.json, model.safetensors.").waitFor();
  await drop(page, [modelFile("tokenizer.json")]);
  await page.getByText("Still needed: model.safetensors.").waitFor();
  await drop(page, [modelFile("model.safetensors")]);
  await page.locator(".model-name", { hasText: "Model from your disk" }).waitFor({ timeout: 60_000 });
  await button(page, "Write").click();
  await paper(page).press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await close();
});

test("settings, text, language and theme are there again after a reload", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu`);
  await ready(page);
  await desk(page).getByRole("spinbutton", { name: "Temperature" }).fill("1.3");
  await desk(page).getByRole("slider", { name: "Top-k" }).fill("17");
  await desk(page).getByRole("spinbutton", { name: "Seed" }).fill("7");
  await desk(page).getByRole("checkbox", { name: "Stop where the text ends" }).uncheck();
  await paper(page).fill("A text that stays");
  await page.getByRole("button", { name: "Auto", exact: true }).click();
  await page.getByRole("button", { name: "Light", exact: true }).click();
  await button(page, "中文").click();
  assert.match(page.url(), /#.*t=1\.3&k=17/);
  assert.doesNotMatch(page.url(), /stays/, "the text never enters the address");
  await page.waitForTimeout(600);
  await page.goto(`${site.url}?backend=cpu`);
  await ready(page);
  assert.equal(await desk(page).getByRole("spinbutton", { name: "温度" }).inputValue(), "1.3");
  assert.equal(await desk(page).getByRole("slider", { name: "Top-k" }).inputValue(), "17");
  assert.equal(await desk(page).getByRole("spinbutton", { name: "种子" }).inputValue(), "7");
  assert.equal(await desk(page).getByRole("checkbox", { name: "写到结尾就停" }).isChecked(), false);
  assert.equal(await page.locator(".paper-area").inputValue(), "A text that stays");
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-Hans");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await close();
});

test("a link sets the settings, and one that names a model elsewhere downloads nothing by itself", async () => {
  const { page, requests, close } = await openPage(
    browser,
    `${site.url}?backend=cpu#model=openai-community/gpt2&t=0.5&seed=9&lang=en`,
  );
  await ready(page);
  assert.equal(await desk(page).getByRole("spinbutton", { name: "Temperature" }).inputValue(), "0.5");
  assert.equal(await desk(page).getByRole("spinbutton", { name: "Seed" }).inputValue(), "9");
  await page.getByText("This link was made with the model openai-community/gpt2.").waitFor();
  assert.match(page.url(), /model=openai-community\/gpt2/);
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(site.url) && !url.startsWith("data:")),
    [],
  );
  await close();
});

test("undo and redo by key go over typing and generations alike", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#n=6&end=0&lang=en`);
  await ready(page);
  await paper(page).focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" there");
  assert.equal(await paper(page).inputValue(), "Once upon a time there");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => document.querySelectorAll(".paper-layer .ink-model").length === 6);
  await page.locator(".primary:not(.busy)").waitFor();
  const whole = await paper(page).inputValue();
  await page.keyboard.press("Control+z");
  assert.equal(await paper(page).inputValue(), "Once upon a time there");
  await page.keyboard.press("Control+z");
  assert.equal(await paper(page).inputValue(), "Once upon a time");
  await page.keyboard.press("Control+Shift+z");
  await page.keyboard.press("Control+y");
  assert.equal(await paper(page).inputValue(), whole);

  // From the middle: the button says so, the rest is replaced, and the message offers it back.
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Control+ArrowRight");
  await button(page, "Generate from cursor").click();
  await page.getByText("What stood after the cursor was replaced.").waitFor();
  await page.locator(".message").getByRole("button", { name: "Undo" }).click();
  assert.equal(await paper(page).inputValue(), whole);
  await close();
});

test("the layer behind the text breaks its lines where the text does", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`, {
    viewport: { width: 390, height: 844 },
  });
  await ready(page);
  await paper(page).fill(
    `${"A longer line, with words of many lengths; supercalifragilistic ".repeat(12)}\n\n中文也要能正常换行，不差一个字。${"x".repeat(200)}\n`,
  );
  const heights = await page.evaluate(() => {
    const area = /** @type {HTMLTextAreaElement} */ (document.querySelector(".paper-area"));
    const layer = /** @type {HTMLElement} */ (document.querySelector(".paper-layer"));
    const stack = /** @type {HTMLElement} */ (layer.parentElement);
    stack.style.minHeight = "0";
    area.style.height = "0";
    return {
      area: area.scrollHeight,
      layer: layer.getBoundingClientRect().height,
      wide: document.documentElement.scrollWidth,
    };
  });
  assert.ok(Math.abs(heights.area - heights.layer) <= 1, JSON.stringify(heights));
  assert.equal(heights.wide, 390, "nothing is wider than a phone");
  await close();
});

for (const [name, options] of /** @type {const} */ ([
  ["desktop, light", { viewport: { width: 1280, height: 800 }, colorScheme: "light" }],
  ["desktop, dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
  ["phone, light", { viewport: { width: 390, height: 844 }, colorScheme: "light" }],
  ["phone, dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
])) {
  test(`axe-core finds nothing: ${name}`, async () => {
    const { page, close } = await openPage(browser, `${site.url}?backend=cpu#n=12&end=0&lang=en`, {
      ...options,
      reducedMotion: "reduce",
    });
    await ready(page);
    const check = async (/** @type {string} */ where) => {
      const found = await violations(page);
      await page.screenshot({ path: `${screenshots}/${name.replace(/\W+/g, "-")}-${where.replace(/\W+/g, "-")}.png` });
      assert.deepEqual(found, [], where);
    };
    await check("start");
    const summary = page.locator("details.settings:not([open]) summary");
    if (await summary.count()) await summary.click();
    await paper(page).press("Control+Enter");
    await page.locator(".paper-layer .ink-model").first().waitFor();
    await page.locator(".primary:not(.busy)").waitFor({ timeout: 60_000 });
    await check("written");
    await drop(page, [
      modelFile("config.json"),
      modelFile("tokenizer.json"),
      { name: "broken.safetensors", bytes: Buffer.from("broken") },
    ]);
    await page.getByRole("alert").filter({ hasText: "broken" }).waitFor();
    await check("error");
    await button(page, "Models").first().click();
    await check("models");
    await page.locator("nav").getByRole("button", { name: "Train" }).click();
    await button(page, "Alice (6 kB)").click();
    await page.locator(".train-settings summary").click();
    await page.locator("#train-steps").fill("4");
    await page.locator("#train-steps").press("Tab");
    await page.locator(".train-memory", { hasText: "4 steps" }).waitFor();
    await page.locator(".train-go").click();
    await page.locator(".train-after").waitFor();
    await page.locator(".train-go:not([disabled])").waitFor();
    await check("trained");
    await close();
  });
}
