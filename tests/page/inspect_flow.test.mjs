// @ts-check
// The way of the data in the real page: real values, the walk, blocks, keyboard, files and looks.
// Measures time.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { openPage, paper, ready, screenshots } from "./browser.mjs";
import { longTasks } from "./long_tasks.mjs";
import { browser, site } from "./stage.mjs";

/** @typedef {import("playwright-core").Page} Page */
const TEXT = 'The wolf met the little girl in the wood. "Good morning," said the wolf. "Where are you going so early';
/** @param {string} [view] further parts of the fragment @param {string} [backend] @param {string} [lang] */
const address = (view = "token=27", backend = "cpu", lang = "en") =>
  `${site.url}?backend=${backend}#lang=${lang}&see=flow&text=${encodeURIComponent(TEXT)}&${view}`;

/** All values of the path are there, of the folded blocks too. @param {Page} page */
async function shown(page) {
  await ready(page);
  await page.waitForFunction(() => {
    const boxes = [...document.querySelectorAll(".flow-line")];
    return (
      boxes.length > 10 &&
      boxes.slice(1, -1).every((line) => line.querySelector("canvas:not([hidden])")) &&
      boxes.at(-1)?.querySelector(".flow-note")?.textContent !== ""
    );
  });
}
/** @param {Page} page @param {string} tensor */
const line = (page, tensor) =>
  page.locator(".flow-line:not([data-type=block])", { has: page.locator(`code:text-is("${tensor}")`) });
/** @param {Page} page */
const current = (page) => page.locator('.flow-line[data-current="true"]');
/** @param {Page} page */
const tensors = (page) => page.locator(".flow-tensor").allInnerTexts();

for (const backend of ["cpu", "webgpu"]) {
  test(`the boxes show the model's own numbers on ${backend}`, async () => {
    const { page, close } = await openPage(browser, address("token=27", backend));
    await shown(page);
    assert.deepEqual((await tensors(page)).slice(1, 14), [
      "wte.out",
      "embed",
      "h.0",
      "h.0.ln_1",
      "h.0.attn.qkv",
      "h.0.attn.out",
      "h.0.attn.proj",
      "h.0.mid",
      "h.0.ln_2",
      "h.0.mlp.fc",
      "h.0.mlp.act",
      "h.0.mlp.proj",
      "h.0",
    ]);
    assert.match(
      await line(page, "h.0.attn.qkv").innerText(),
      /Query, key, value\s+h\.0\.attn\.qkv\s*T × 480 · 77,280 parameters/,
    );
    assert.equal(await page.locator(".flow-who").innerText(), "Token 28: ly");

    await line(page, "logits").locator(".flow-box").click();
    const best = await line(page, "logits").locator(".flow-bars li").first().innerText();
    assert.match(best, /^\?"/);
    assert.ok(Math.abs(Number(/([\d.]+) %/.exec(best)?.[1]) - 67.1) < 0.2, `as another library computes it: ${best}`);
    assert.match(await page.locator(".flow-line").last().innerText(), /Softmax and sampling\s+\?" 67\.\d %/);

    // The same attention as in its own view, told by the strongest token of a head.
    await line(page, "h.0.attn.out").locator(".flow-box").click();
    assert.equal(await page.locator("button.flow-heads-row").count(), 5);
    await page.locator("button.flow-heads-row").nth(3).click();
    await page.locator("figcaption", { hasText: "Where head 3 looks" }).waitFor();
    await page.waitForURL(/head=3/);
    const shares = (await page.locator(".flow-bars .flow-bar-value").allInnerTexts()).map((text) =>
      Number.parseFloat(text.replace("<", "")),
    );
    assert.ok(
      shares.length === 8 &&
        shares.every((share, i) => i === 0 || share <= shares[i - 1]) &&
        shares.reduce((sum, share) => sum + share) <= 100.1,
    );
    const strongest = await page.locator(".flow-bars li").first().innerText();
    await page.getByRole("tab", { name: "Attention" }).click();
    await page.locator(".attention-table summary").click();
    const cells = page.locator(".attention-table tbody tr").first().locator("td, th");
    await cells.first().waitFor();
    const row = (await cells.allInnerTexts()).join(" ");
    assert.ok(row.includes(strongest.split(/\s/)[0]) && row.includes(`${shares[0]} %`), `${strongest} in ${row}`);
    await close();
  });
}

test("the walk: a sentence and the numbers of every step, forth and back, by button and by key", async () => {
  const { page, close } = await openPage(browser, address());
  await shown(page);
  const next = page.getByRole("button", { name: "Next step" });
  const back = page.getByRole("button", { name: "Step back" });
  const steps = await page.locator(".flow-line").count();
  assert.equal(steps, 21);
  assert.ok(await back.isDisabled());
  const seen = [];
  for (let i = 0; i < steps; i += 1) {
    await next.click();
    assert.equal(await page.locator(".flow-at").innerText(), `${i + 1} of ${steps}`);
    assert.equal(await page.locator(".flow-detail").count(), 1, "one box is open");
    const words = await current(page).locator(".flow-explain").innerText();
    assert.ok(words.length > 40, words);
    seen.push(words);
    assert.ok(
      (await current(page)
        .locator(".flow-detail")
        .evaluate((detail) => detail.children.length)) > 1,
      `${words}: nothing but words`,
    );
    const box = await current(page).locator(".flow-box").boundingBox();
    assert.ok(box && box.y > 0 && box.y < 800, "the step is in sight");
  }
  assert.ok(await next.isDisabled());
  assert.match(seen.join("\n"), /softmax\(q·k \/ √32\)[\s\S]*GELU, x·Φ\(x\)/);
  assert.equal(await page.locator('.flow-line[data-done="true"]').count(), steps, "the stream is walked to its end");
  await back.click();
  assert.equal(await page.locator(".flow-at").innerText(), `${steps - 1} of ${steps}`);

  await current(page).locator(".flow-box").focus();
  await page.keyboard.press("Home");
  assert.match(await current(page).innerText(), /Token and position/);
  assert.ok(
    await current(page)
      .locator(".flow-box")
      .evaluate((box) => box === document.activeElement),
    "the focus goes with the step",
  );
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowUp");
  assert.match(await current(page).innerText(), /wte\.out/);
  await page.keyboard.press("PageDown");
  await page.keyboard.press("PageDown");
  assert.match(await current(page).innerText(), /Block 1/);
  await page.keyboard.press("Enter");
  await line(page, "h.1.attn.out").waitFor();
  await page.waitForURL(/layer=1/);
  assert.equal(await line(page, "h.0.attn.out").count(), 0, "one block is open at a time");
  assert.equal(await page.locator(".flow-box[tabindex='0']").count(), 1, "one box takes part in the order of Tab");
  await page.keyboard.press("Enter");
  await line(page, "h.1.attn.out").waitFor({ state: "detached" });
  assert.equal(await page.locator(".flow-line").count(), 11);
  await close();
});

test("the token that is chosen is the one that is followed; what is gone is not shown", async () => {
  const { page, close } = await openPage(browser, address());
  await shown(page);
  const before = await line(page, "embed").locator(".flow-note").innerText();
  await page.getByRole("button", { name: "Previous token" }).click();
  await page.locator(".flow-who", { hasText: "Token 27" }).waitFor();
  await page.waitForFunction(
    (old) =>
      [...document.querySelectorAll(".flow-line")].some(
        (one) => one.textContent?.includes("embed") && !one.textContent.includes(old),
      ),
    before,
  );
  await page.locator(".flow-list:not(.stale)").waitFor();
  await paper(page).fill("Once");
  await page.locator(".flow-who", { hasText: "Token 2: Once" }).waitFor();
  await page.locator(".flow-list:not(.stale)").waitFor();
  await page.locator(".flow-line[data-type=input] .flow-box").click();
  assert.match(await current(page).innerText(), /Id\s+933\s+Bytes\s+4F 6E 63 65\s+Position\s+2, context 256/);
  await paper(page).fill("");
  await page.locator(".flow-intro", { hasText: "The way of one token" }).waitFor();
  assert.ok(await page.locator(".flow-list").isHidden());
  await close();
});

test("a head that is switched off shows as a switch on its way", async () => {
  const { page, close } = await openPage(browser, address("token=27&off=0.1"));
  await shown(page);
  const names = await tensors(page);
  assert.equal(names[names.indexOf("h.0.attn.out") + 1], "h.0.attn.gated");
  assert.ok(!names.includes("h.0.mlp.gated"));
  await close();
});

test("files and tables hold the values", async () => {
  const { page, close } = await openPage(browser, address());
  await shown(page);
  const save = async (/** @type {string} */ kind) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: `Save as ${kind}` }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `forward-pass.${kind.toLowerCase()}`);
    return readFileSync(await download.path());
  };
  const rows = (await save("CSV"))
    .toString()
    .trimEnd()
    .split("\r\n")
    .map((row) => row.split(","));
  assert.deepEqual(rows[0], ["tensor", "index_from_0", "value"]);
  assert.equal(rows.filter(([name]) => name === "logits").length, 2048);
  assert.equal(rows.filter(([name]) => name === "h.4.mlp.act").length, 640);
  const json = JSON.parse((await save("JSON")).toString());
  assert.equal(json.token.text, "ly");
  const { mid, proj, out } = {
    mid: json.tensors["h.0.mid"],
    proj: json.tensors["h.0.mlp.proj"],
    out: json.tensors["h.0"],
  };
  for (let i = 0; i < 160; i += 1)
    assert.ok(Math.abs(mid[i] + proj[i] - out[i]) < 1e-4, "the stream is what was added to it");
  const png = await save("PNG");
  assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  assert.ok(png.length > 20_000);
  await line(page, "h.0.mlp.act").locator(".flow-box").click();
  await page.getByText("The 20 strongest values").click();
  assert.equal(await page.locator(".flow-table tbody tr").count(), 20);
  await page.getByRole("button", { name: "Step back" }).click();
  assert.ok(await page.locator(".flow-table").isVisible(), "a table that was opened stays open from step to step");
  await close();
});

test("a text of the full context: the walk and another token keep the main thread free", async () => {
  const text = Array.from(
    { length: 14 },
    (_, i) => `The wolf met the little girl number ${i} in the wood, and said good morning to her. `,
  ).join("");
  const { page, close } = await openPage(
    browser,
    `${site.url}?backend=cpu#lang=en&see=flow&text=${encodeURIComponent(text)}`,
  );
  await shown(page);
  assert.match(await page.locator(".flow-who").innerText(), /^Token 256:/);
  const { longest, count } = await longTasks(browser, page, async () => {
    for (let i = 0; i < 21; i += 1) await page.getByRole("button", { name: "Next step" }).click();
    await page.getByRole("button", { name: "Previous token" }).click();
    await page.locator(".flow-who", { hasText: "Token 255" }).waitFor();
  });
  assert.ok(count > 21 && longest < 50, `${longest} ms of ${count} tasks`);
  await close();
});

for (const [where, options] of /** @type {const} */ ([
  ["desktop", { viewport: { width: 1280, height: 900 } }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true }],
])) {
  // One theme at each width: colours do not depend on the width, nor sizes on the theme.
  for (const colorScheme of /** @type {const} */ ([where === "desktop" ? "light" : "dark"])) {
    test(`axe-core finds nothing, and nothing sticks out: ${where}, ${colorScheme}`, async () => {
      const { page, close } = await openPage(
        browser,
        address("token=27", "cpu", colorScheme === "dark" ? "zh" : "en"),
        { ...options, colorScheme },
      );
      await shown(page);
      await page.locator(".flow").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: `${screenshots}inspect-flow-${where}-${colorScheme}.png` });
      for (const tensor of ["", "h.0.attn.out", "h.0.attn.qkv", "h.0.mlp.act", "logits"]) {
        if (tensor) await line(page, tensor).locator(".flow-box").click();
        const { wide, has } = await page
          .locator(".flow")
          .evaluate((root) => ({ wide: root.scrollWidth, has: root.clientWidth }));
        assert.ok(wide <= has + 8, `${tensor}: ${wide} of ${has}`);
        assert.deepEqual(await violations(page, ".flow"), [], tensor);
      }
      await line(page, "h.0.attn.out").locator(".flow-box").click();
      await page.locator(".flow-detail").evaluate((element) => element.scrollIntoView({ block: "end" }));
      await page.screenshot({ path: `${screenshots}inspect-flow-attention-${where}-${colorScheme}.png` });
      await close();
    });
  }
}
