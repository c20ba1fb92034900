// @ts-check
// A run that gives way to what may not come: another model opened while one starts, a model that cannot be loaded, a
// disk that is full.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { filesFromZip } from "../../www/models/zip.js";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { held, reaches, saved, says, setOptions, start, step } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

const MODEL = fileURLToPath(new URL("../../www/models/storyteller/", import.meta.url));

/** So that the inspector stays closed and asks nothing meanwhile. */
const NARROW = { viewport: { width: 900, height: 800 } };
const SHORT = { steps: 3, batch_size: 1, context: 32, eval_every: 0 };
const open = (/** @type {string} */ rest = "") => openPage(browser, `${site.url}?backend=cpu#lang=en${rest}`, NARROW);
/** @param {Page} page @param {"Write" | "Train" | "Models"} tab */
const go = (page, tab) => page.locator("nav").getByRole("button", { name: tab }).click();
const shipped = (/** @type {Page} */ page) => page.locator(".list li", { hasText: "Comes with the page" });
const resume = (/** @type {Page} */ page) => page.locator(".train-actions .secondary:text-is('Resume')");
/** Stops the run, and returns the step that is then said to be saved. @param {Page} page */
async function stop(page) {
  await page.locator(".train-actions").getByRole("button", { name: "Stop" }).click();
  await page.locator(".train-go:not([disabled])").waitFor();
  const stopped = await step(page);
  await says(page, stopped);
  return stopped;
}

test("a model that is opened while a run starts is what is open then", async () => {
  const { page, close } = await open();
  // Such as a large model on a slow disk takes to be kept.
  await page.addInitScript(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function postMessage(/** @type {any} */ message, /** @type {any} */ transfer) {
      if (message.cmd === "keepBase") setTimeout(() => post.call(this, message, transfer), 2000);
      else post.call(this, message, transfer);
    };
  });
  await page.reload();
  await ready(page);
  await start(page, "Full", { ...SHORT, steps: 90_000 });
  await reaches(page, 1);
  const stopped = await stop(page);
  await page.getByText("LoRA", { exact: true }).first().click();
  await page.locator(".train-memory", { hasText: "90,000 steps" }).waitFor();
  await page.locator(".train-go:not([disabled])").click();
  await button(page, "Starting…").waitFor();
  await go(page, "Models");
  await shipped(page).getByRole("button").first().click();
  await shipped(page).locator(".in-use").waitFor();
  await go(page, "Train");
  await page.locator(".train-empty").waitFor();
  await page.locator(".train-go", { hasText: "Train" }).waitFor();
  // Longer than the run would have taken to start.
  await page.waitForTimeout(2500);
  await page.locator(".train-empty").waitFor();
  assert.deepEqual(await held(page), []);
  await button(page, `Resume the run from step ${stopped}`).click();
  await reaches(page, stopped + 1);
  await close();
});

test("a run stays as it is when the model for the next one cannot be loaded", async () => {
  const { page, problems, close } = await open();
  await ready(page);
  await start(page, "LoRA", { ...SHORT, steps: 90_000 });
  await reaches(page, 1);
  const stopped = await stop(page);
  await page.route("**/models/storyteller/*", (route) => route.abort());
  await button(page, "Start from Storyteller instead").click();
  await page.getByText("Storyteller could not be opened.").waitFor();
  await page.locator(".train-go", { hasText: "Train" }).waitFor();
  assert.equal(await step(page), stopped);
  await resume(page).click();
  await reaches(page, stopped + 2);
  await stop(page);
  const run = (await saved(page))[90_000];
  assert.equal(run.step, await step(page), "it is still this page's to save");
  assert.deepEqual(await held(page), [`run:${run.id}`]);
  // What the browser says of the requests that were broken off.
  assert.ok(
    problems.length > 0 && problems.every((problem) => problem.includes("models/storyteller/")),
    problems.join(),
  );
  problems.length = 0;
  await close();
});

test("on a full disk nothing takes the place of a run that could not be saved, unless it is given up", async () => {
  const { page, close } = await open();
  await ready(page);
  const cdp = await page.context().newCDPSession(page);
  const { origin } = new URL(site.url);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  await start(page, "Full", SHORT);
  await page.locator("#notices").getByText("The run could not be saved.").waitFor();
  await page
    .locator("#notices .message", { hasText: "The run could not be saved." })
    .getByText("The browser's storage is full.")
    .waitFor();
  await page.locator(".train-go:not([disabled])").waitFor();
  assert.equal(await step(page), 3);
  assert.deepEqual(await saved(page), {});

  await page.getByText("From scratch", { exact: true }).first().click();
  await page.locator(".train-memory", { hasText: "3 steps" }).waitFor();
  await page.locator(".train-go:not([disabled])").click();
  await page.getByText("The run could not be saved and would be lost, so nothing was changed.").waitFor();
  assert.equal(await step(page), 3);
  await page.locator(".train-after").waitFor();

  await go(page, "Models");
  const files = ["config.json", "tokenizer.json", "model.safetensors"].map((name) => join(MODEL, name));
  await page.locator("#pick").setInputFiles(files);
  await page.getByText("Model from your disk could not be opened.").waitFor();
  await page
    .locator("#tab-models")
    .getByText("The run could not be saved and would be lost, so nothing was changed.")
    .waitFor();
  await go(page, "Train");
  assert.equal(await step(page), 3);
  await go(page, "Models");
  await page.locator("#tab-models").getByRole("button", { name: "Go on without it" }).click();
  await page
    .locator(".list li", { has: page.locator('h3:text-is("Model from your disk")') })
    .locator(".in-use")
    .waitFor();
  await go(page, "Train");
  await page.locator(".train-empty").waitFor();

  // With room again it is as ever.
  await cdp.send("Storage.overrideQuotaForOrigin", { origin });
  await page.locator(".train-go:not([disabled])").click();
  await says(page, 3);
  assert.equal((await saved(page))[3].step, 3);
  assert.ok(await page.locator("#notices").getByText("The run could not be saved.").isHidden());
  await close();
});

test("a run that could not be saved is told of on every tab until it is", async () => {
  const { page, close } = await open();
  await ready(page);
  const cdp = await page.context().newCDPSession(page);
  const { origin } = new URL(site.url);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  await start(page, "Full", SHORT);
  const said = page.locator("#notices .message", { hasText: "The run could not be saved. Download the model" });
  await said.waitFor();
  for (const tab of /** @type {const} */ (["Models", "Write", "Train"])) {
    await go(page, tab);
    assert.ok(await said.isVisible(), tab);
  }
  await cdp.send("Storage.overrideQuotaForOrigin", { origin });
  await said.getByRole("button", { name: "Try again" }).click();
  await says(page, 3);
  await said.waitFor({ state: "hidden" });
  assert.equal((await saved(page))[3].step, 3);
  await close();
});

/**
 * Opens the address of a page whose model has an adapter from disk on it.
 * @param {string} address
 * @param {string} zip the adapter
 * @param {string} adapted what the model writes with it
 */
async function asksForAdapter(address, zip, adapted) {
  assert.match(address, /adapter=sha256%3A[\da-f]{16}/);
  const { page, close } = await openPage(browser, address);
  const asked = page.locator("#tab-write").getByText("The view here has an adapter from a disk on the model");
  await asked.waitFor();
  const begin = adapted.slice(0, "The lighthouse keeper".length);
  const write = async () => {
    await page.locator("textarea").first().fill(begin);
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction(
      (length) => /** @type {HTMLTextAreaElement} */ (document.querySelector("textarea")).value.length > length,
      begin.length,
    );
    await page.locator("#tab-write .primary:not(.busy)").waitFor();
    return page.locator("textarea").first().inputValue();
  };
  assert.notEqual(await write(), adapted, "the model is open without it");
  assert.ok(await asked.isVisible(), "writing does not answer it");
  // The same, but for a space in its configuration.
  const files = await Promise.all(
    (await filesFromZip(new File([readFileSync(zip)], "adapter.zip"), () => true)).map(async (file) => ({
      name: file.name,
      mimeType: file.type,
      buffer: Buffer.concat([
        Buffer.from(await file.arrayBuffer()),
        Buffer.from(file.name.endsWith(".json") ? " " : ""),
      ]),
    })),
  );
  await page.locator("#pick").setInputFiles(files);
  await page.getByText("it is not the one of the link").waitFor();
  assert.ok(await asked.isHidden());
  await page.waitForFunction((before) => location.href !== before && location.hash.includes("adapter="), address);
  await page.goto(address);
  await page.reload();
  await asked.waitFor();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.locator("#tab-write").getByRole("button", { name: "Choose files" }).click(),
  ]);
  assert.ok(await asked.isVisible(), "as long as nothing is chosen it is asked for");
  await chooser.setFiles(zip);
  await page.getByText("The adapter was added").waitFor();
  assert.equal(await write(), adapted);
  assert.equal(await page.evaluate(() => location.href), address);

  // By hand into the address, and closed: it is no longer asked for.
  await page.evaluate(
    () => (location.hash = location.hash.replace(/adapter=[^&]*/, "adapter=sha256:0123456789abcdef")),
  );
  await asked.waitFor();
  await page
    .locator("#tab-write .message", { hasText: "has an adapter from a disk" })
    .getByRole("button", { name: "Close" })
    .click();
  await page.waitForFunction(() => !location.hash.includes("adapter="));
  assert.notEqual(await write(), adapted);
  // A model and an adapter at once.
  await page
    .locator("#pick")
    .setInputFiles([zip, ...["config.json", "tokenizer.json", "model.safetensors"].map((name) => join(MODEL, name))]);
  await page.waitForFunction(() => /model=sha256.*adapter=sha256/.test(location.hash));
  assert.equal(await write(), adapted);
  await close();
}

test("an adapter is added to what a run has made of a whole model, and in the place of another one", async () => {
  const { page, close } = await open("&n=12&end=0&t=0");
  await ready(page);
  await start(page, "LoRA", { ...SHORT, steps: 20, lr: 0.01, lora_rank: 2, lora_dropout: 0.1 });
  await says(page, 20);
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download adapter (zip)").click()]);
  const zip = join(mkdtempSync(join(tmpdir(), "gpt-page-")), "adapter.zip");
  await download.saveAs(zip);
  const write = async () => {
    await go(page, "Write");
    await page.locator("textarea").first().fill("The lighthouse keeper");
    await page.keyboard.press("Control+Enter");
    await page.locator(".paper-layer .ink-model").nth(10).waitFor();
    await page.locator("#tab-write .primary:not(.busy)").waitFor();
    return page.locator("textarea").first().inputValue();
  };
  const adapted = await write();
  // In the place of the same: nothing changes.
  await go(page, "Models");
  await page.locator("#pick").setInputFiles(zip);
  await page.getByText("The adapter was added").waitFor();
  assert.equal(await write(), adapted);
  await page.waitForFunction(() => location.hash.includes("adapter=") && !location.hash.includes("run"));
  await asksForAdapter(await page.evaluate(() => location.href), zip, adapted);

  // A run goes on with adapters of its shape, and needs no more than they.
  await go(page, "Train");
  assert.equal(await page.locator("#train-lora_rank").getAttribute("placeholder"), "2");
  await page.locator("#train-lora_rank").fill("");
  await page.locator("#train-lora_rank").press("Tab");
  await page.locator("#train-lora_dropout").fill("");
  await page.locator("#train-lora_dropout").press("Tab");
  await setOptions(page, { steps: 4 });
  await page.locator(".train-memory", { hasText: "4 steps" }).waitFor();
  await page.locator(".train-go:not([disabled])").click();
  await says(page, 4);
  const bases = () =>
    page.evaluate(async () => {
      const all = await (await navigator.storage.getDirectory()).getDirectoryHandle("bases").catch(() => null);
      let count = 0;
      for await (const _ of /** @type {any} */ (all)?.keys() ?? []) count += 1;
      return count;
    });
  assert.equal(await bases(), 0);
  // Adapters of another shape begin on what these have made of the model.
  await setOptions(page, { steps: 5, lora_rank: 3, lr: 0.000001 });
  await page.locator(".train-memory", { hasText: "5 steps" }).waitFor();
  await page.locator(".train-go:not([disabled])").click();
  await says(page, 5);
  assert.equal(await bases(), 1);

  // All weights of the shipped model, and the adapter onto them.
  await go(page, "Models");
  await shipped(page).getByRole("button").first().click();
  await shipped(page).locator(".in-use").waitFor();
  await start(page, "Full", { ...SHORT, steps: 6, lr: 0.0000001 });
  await says(page, 6);
  await go(page, "Models");
  await page.locator("#pick").setInputFiles(zip);
  await page.getByText("The adapter was added").waitFor();
  assert.equal(await write(), adapted, "steps so small leave the base model as it was");
  await close();
});

test("a run that is opened while another waits to start is not replaced by it", async () => {
  const { page, close } = await open("&n=5000&end=0");
  await ready(page);
  await start(page, "From scratch", { ...SHORT, steps: 80_000 });
  await reaches(page, 1);
  const stopped = await stop(page);
  await go(page, "Models");
  await shipped(page).getByRole("button").first().click();
  await shipped(page).locator(".in-use").waitFor();
  await page.waitForFunction(() => !location.hash.includes("model=run"));
  await page.reload();
  await go(page, "Write");
  await ready(page);
  await button(page, "Generate").click();
  await page.locator(".paper-layer .ink-model").nth(5).waitFor();
  await go(page, "Train");
  await page.getByText("Full", { exact: true }).first().click();
  await page.locator(".train-go:not([disabled])").click();
  // It waits for the text that is being written.
  await button(page, "Starting…").waitFor();
  await go(page, "Models");
  await page.locator(".saved li").getByRole("button", { name: /^Open/ }).click();
  await page.locator(".saved li").locator(".in-use").waitFor();
  await go(page, "Train");
  await resume(page).waitFor();
  await says(page, stopped);
  const { id } = (await saved(page))[80_000];
  assert.deepEqual(await held(page), [`run:${id}`]);
  await resume(page).click();
  await reaches(page, stopped + 2);
  await stop(page);
  assert.equal((await saved(page))[80_000].step, await step(page));
  assert.equal(Object.keys(await saved(page)).length, 1);
  await close();
});

test("an adapter from disk is not trained further when its base was asked for, and did not come", async () => {
  const { page, problems, close } = await open();
  await ready(page);
  await start(page, "LoRA", SHORT);
  await says(page, 3);
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download adapter (zip)").click()]);
  const zip = join(mkdtempSync(join(tmpdir(), "gpt-page-")), "adapter.zip");
  await download.saveAs(zip);
  await go(page, "Models");
  await shipped(page).getByRole("button").first().click();
  await shipped(page).locator(".in-use").waitFor();
  await page.locator("#pick").setInputFiles(zip);
  await page.getByText("The adapter was added").waitFor();
  await go(page, "Train");
  await page.route("**/models/storyteller/*", (route) => route.abort());
  await button(page, "Start from Storyteller instead").click();
  await page.getByText("Storyteller could not be opened.").waitFor();
  await page.locator(".train-go:not([disabled])", { hasText: "Train" }).waitFor();
  await page.locator(".train-empty").waitFor();
  assert.deepEqual(Object.keys(await saved(page)), ["3"]);
  assert.deepEqual(await held(page), []);
  assert.ok(
    problems.length > 0 && problems.every((problem) => problem.includes("models/storyteller/")),
    problems.join(),
  );
  problems.length = 0;
  await close();
});
