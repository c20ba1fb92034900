// @ts-check
// What a run promises on the real page: resumed it loses as if never interrupted, it goes on in a hidden tab, its best
// weights
// can be used, and what the engine says about it is said in the page's language.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { launchTabs } from "./tabs.mjs";
import { reaches, setOptions, step } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

const TEXT = `${"The lighthouse keeper Mira counts the waves at night and writes their numbers in a red book. ".repeat(40)}\n`;
/** The part held back is what the shipped model writes well, and the rest makes it forget. */
const STORY = "Once upon a time there was a little girl who lived in a house near the forest. She was very happy. ";
const FORGETTING = `${"Zyx 77; qwv 31; ".repeat(260)}\n${STORY.repeat(7)}\n`;

/** @param {Page} page @param {string} text @param {Record<string, number>} options */
async function start(page, text, options) {
  await ready(page);
  await button(page, "Train").first().click();
  await page.locator("#train-text").fill(text);
  await page.locator(".train-left details.train-settings summary").click();
  await setOptions(page, options);
  await page.locator(".train-memory", { hasText: `${options.steps.toLocaleString("en")} steps` }).waitFor();
  await page.locator(".train-go").click();
  await reaches(page, 1);
}
/**
 * What is saved of the only run, as numbers.
 * @param {Page} page @param {number} steps
 * @param {number} [evaluations] how many are to be in it: that of the last step comes after the step, which may be
 *   saved already
 */
async function saved(page, steps, evaluations = 0) {
  await page.locator(".train-figures dd", { hasText: `step ${steps}` }).waitFor({ timeout: 60_000 });
  for (const until = Date.now() + 30_000; ; await page.waitForTimeout(50)) {
    const found = await page.evaluate(async () => {
      const address = new URL("www/models/storage.js", location.href).href;
      const { listRuns, readRun } = await import(address);
      const runs = await listRuns();
      const { meta, parts } = await readRun(runs[0].meta.id);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await parts.get("state").arrayBuffer()));
      return { runs: runs.length, history: meta.history, state: [...digest].join(" ") };
    });
    if (found.history.validation.length >= evaluations || Date.now() > until) return found;
  }
}

test("a run that is paused, and its page reloaded, loses step by step as one that is not", async () => {
  const options = {
    steps: 12,
    batch_size: 2,
    context: 48,
    lr: 0.002,
    warmup: 3,
    dropout: 0.1,
    grad_accum: 2,
    eval_every: 5,
    seed: 11,
  };
  const whole = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await start(whole.page, TEXT, options);
  const expected = await saved(whole.page, 12, 4);
  assert.deepEqual(
    expected.history.train.map((/** @type {[number, number]} */ [at]) => at),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  assert.deepEqual(
    expected.history.validation.map((/** @type {[number, number]} */ [at]) => at),
    [0, 5, 10, 12],
  );
  await whole.close();

  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await start(page, TEXT, options);
  await reaches(page, 6);
  await page.locator(".train-actions .secondary").click();
  await button(page, "Resume").waitFor();
  const paused = await step(page);
  assert.ok(paused >= 6 && paused < 12, `paused at step ${paused}`);
  assert.deepEqual((await saved(page, paused)).history.train, expected.history.train.slice(0, paused));
  await page.waitForFunction(() => location.hash.includes("model=run"));
  await page.reload();
  await button(page, "Resume").click();
  await reaches(page, 12);
  const found = await saved(page, 12, 4);
  assert.deepEqual(found.history, expected.history, "every loss, to the last bit");
  assert.equal(found.state, expected.state, "weights and moments, to the last bit");
  await close();
});

test("a run that is resumed while the open model is made ready for training is not replaced by it", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await start(page, TEXT, { steps: 90_000, batch_size: 1, context: 32, eval_every: 0 });
  await page.locator(".train-actions .secondary").click();
  await button(page, "Resume").waitFor();
  const paused = await step(page);
  await page.locator(".train-figures dd", { hasText: `step ${paused}` }).waitFor();

  // The page fetches the model to write with; then, for the text in the field, once more into a worker that can train.
  let fetched = 0;
  let answered = 0;
  await page.route("**/model.safetensors", async (route) => {
    if (++fetched === 2) await new Promise((resolve) => setTimeout(resolve, 3000));
    await route.continue().catch(() => {});
    answered += 1;
  });
  // Without the run in the address it is the shipped model that opens.
  await page.goto("about:blank");
  await page.goto(`${site.url}?backend=cpu#lang=en&tab=train`);
  for (const until = Date.now() + 30_000; fetched < 2; await page.waitForTimeout(20))
    assert.ok(Date.now() < until, "it was not fetched again");
  await button(page, `Resume the run from step ${paused}`).click();
  await reaches(page, paused + 1);
  for (const until = Date.now() + 30_000; answered < 2; await page.waitForTimeout(20)) assert.ok(Date.now() < until);
  await page.waitForTimeout(1000);
  const now = await step(page);
  await reaches(page, now + 3);
  await page.locator(".train-actions").getByRole("button", { name: "Stop" }).click();
  await page.locator(".train-go").waitFor();
  await close();
});

test("a run that is resumed while it is already being opened, and still held by the page before, goes on", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await start(page, TEXT, { steps: 90_000, batch_size: 1, context: 32, eval_every: 0 });
  await page.locator(".train-actions .secondary").click();
  await button(page, "Resume").waitFor();
  await page.waitForFunction(() => location.hash.includes("model=run"));
  const paused = await step(page);
  await page.locator(".train-figures dd", { hasText: `step ${paused}` }).waitFor();
  // A worker that the browser has not yet taken down.
  const run = new URLSearchParams(new URL(page.url()).hash.slice(1)).get("model");
  await page.addInitScript((name) => {
    void navigator.locks.request(name, { steal: true }, () => new Promise((resolve) => setTimeout(resolve, 1000)));
  }, String(run));
  await page.reload();
  await button(page, `Resume the run from step ${paused}`).click();
  await reaches(page, paused + 3);
  await page.locator(".train-actions").getByRole("button", { name: "Stop" }).click();
  await page.locator(".train-go").waitFor();
  await close();
});

test("it goes on in a hidden tab", async () => {
  const tabs = await launchTabs();
  try {
    const page = await tabs.open(`${site.url}?backend=cpu#lang=en&tab=train`);
    const until = async (/** @type {string} */ condition) => {
      for (
        const end = Date.now() + 60_000;
        !(await page.evaluate(condition));
        await new Promise((resolve) => setTimeout(resolve, 100))
      ) {
        assert.ok(Date.now() < end, `still not: ${condition}`);
      }
    };
    await until(`document.querySelector("#train-steps")`);
    await page.evaluate(`{
      const put = (id, value, kind) => {
        const field = document.querySelector(id);
        field.value = value;
        field.dispatchEvent(new Event(kind));
      };
      put("#train-text", ${JSON.stringify(TEXT)}, "input");
      const numbers = { steps: 90000, batch_size: 1, context: 32, eval_every: 0 };
      for (const [name, value] of Object.entries(numbers)) put("#train-" + name, value, "change");
    }`);
    await until(`/90,000 steps of 1 × 32/.test(document.querySelector(".train-memory")?.textContent)`);
    await page.evaluate(`document.querySelector(".train-go").click()`);
    const stepOf = `parseInt(document.querySelector(".train-figures dd").textContent)`;
    await until(`${stepOf} > 2`);
    assert.equal(await page.evaluate("document.visibilityState"), "visible");

    await tabs.open("about:blank");
    assert.equal(await page.evaluate("document.visibilityState"), "hidden");
    const before = await page.evaluate(stepOf);
    // Longer than the second at which the timers of hidden pages run.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const after = await page.evaluate(stepOf);
    assert.equal(await page.evaluate("document.visibilityState"), "hidden");
    console.log(`${after - before} steps in 4 s in a hidden tab`);
    assert.ok(after > before + 10, `from step ${before} to ${after}`);

    await page.show();
    await until(`document.visibilityState === "visible" && ${stepOf} > ${after}`);
  } finally {
    await tabs.close();
  }
});

test("the best weights can be used, and the last again, over a reload too", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&end=0`);
  await start(page, FORGETTING, { steps: 16, batch_size: 2, context: 64, lr: 0.003, warmup: 12, eval_every: 4 });
  await reaches(page, 16);
  await page.locator(".train-go").waitFor();
  const use = button(page, /^Use the best weights \(step [1-9]\d*, loss \d\.\d+\)$/);
  await use.waitFor();
  const sides = async () => {
    await page.locator("#compare-prompt").fill("Once upon a time");
    await button(page, "Compare").click();
    await page.locator(".compare").waitFor();
    await page.locator(".train-after .row button:not([disabled])").waitFor({ timeout: 60_000 });
    return page.locator(".compare .ink-model").allInnerTexts();
  };
  const [base, tuned] = await sides();
  assert.ok(base.length > 20 && tuned.length > 20);
  assert.notEqual(tuned, base);

  await use.click();
  const back = button(page, "Back to the last (step 16)");
  await back.waitFor();
  const [same, best] = await sides();
  assert.equal(same, base);
  assert.notEqual(best, tuned);
  await page.locator(".train-figures dd", { hasText: "step 16" }).waitFor();

  await page.waitForFunction(() => location.hash.includes("model=run"));
  const own = page.url();
  await page.reload();
  await button(page, "Models").click();
  await page.locator(".saved li .in-use").waitFor();
  await button(page, "Train").first().click();
  await back.waitFor();
  assert.deepEqual(await sides(), [base, best], "what was chosen is what opens");
  await back.click();
  await use.waitFor();
  assert.deepEqual(await sides(), [base, tuned]);
  assert.match(await page.locator(".train-sample h2").innerText(), /at step 16$/);
  await close();

  // Elsewhere the link says what is missing, and the shipped model opens.
  const other = await openPage(browser, own.replace("tab=train", "tab=write"));
  await other.page.getByText("tuned on another machine").waitFor();
  await ready(other.page);
  await other.close();
});

test("what the engine says is said in Chinese", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=zh&tab=train`);
  await page.locator("#train-text").fill("短文。");
  await page.getByText(/^共 \d+ 个 token。太短/).waitFor();
  await page.locator(".train-left details.train-settings summary").click();
  await page.locator("#train-context").fill("9999");
  await page.locator("#train-context").press("Tab");
  await page
    .locator("#train-context-wrong", { hasText: "“上下文”是 9999；应选择从 1 到 256（此模型能读的最长文本）的数。" })
    .waitFor();
  await page.getByRole("button", { name: "模型", exact: true }).click();
  await page.getByText("一个小型 GPT-2，以儿童读物的笔调用英文写简单的故事。").waitFor();
  await page.locator("#pick").setInputFiles([
    { name: "config.json", mimeType: "application/json", buffer: Buffer.from('{"model_type": "llama"}') },
    { name: "tokenizer.json", mimeType: "application/json", buffer: Buffer.from("{}") },
    { name: "model.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("no weights") },
  ]);
  await page.getByText("这里支持 GPT-2 架构的模型").waitFor();
  await close();
});
