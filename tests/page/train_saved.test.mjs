// @ts-check
// Saved runs on the real page: what a failed switch, another tab and another model of the same name must not do to
// them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { filesFromZip } from "../../www/models/zip.js";
import { button, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { held, pause, reaches, saved, says, start, step } from "./training.mjs";

/** @typedef {import("playwright-core").Page} Page */

const MODEL = fileURLToPath(new URL("../../www/models/storyteller/", import.meta.url));

/** So that the inspector stays closed and asks nothing meanwhile. */
const NARROW = { viewport: { width: 900, height: 800 } };

/**
 * Breaks both saves of a run: what they hold, or what they tell of it.
 * @param {Page} page
 * @param {string} id
 * @param {"contents" | "description"} what
 */
const damage = (page, id, what) =>
  page.evaluate(
    async ([name, part]) => {
      const runs = await (await navigator.storage.getDirectory()).getDirectoryHandle("runs");
      const run = await runs.getDirectoryHandle(name);
      for (const slot of ["a.run", "b.run"]) {
        const file = await run.getFileHandle(slot).catch(() => null);
        if (!file) continue;
        const stream = await file.createWritable({ keepExistingData: true });
        await stream.write({
          type: "write",
          position: part === "contents" ? 100 : (await file.getFile()).size - 40,
          data: new Uint8Array(40).fill(7),
        });
        await stream.close();
      }
    },
    [id, what],
  );
const row = (/** @type {Page} */ page, /** @type {number} */ steps) =>
  page.locator(".saved li", { hasText: `of ${steps}` });

test("a run whose place another could not take is saved again", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`, NARROW);
  await ready(page);
  await start(page, "From scratch", { steps: 3, batch_size: 1, context: 32, eval_every: 0 });
  await says(page, 3);
  await start(page, "From scratch", { steps: 90_000, batch_size: 8, context: 64, eval_every: 0 });
  await reaches(page, 2);
  await damage(page, (await saved(page))[3].id, "contents");
  await button(page, "Models").click();
  await row(page, 3).getByRole("button", { name: /^Open/ }).click();
  await page.getByText("Both saves of this run are damaged.").waitFor();
  await button(page, "Train").first().click();
  await button(page, "Resume").click();
  await reaches(page, (await step(page)) + 3);
  const later = await pause(page);
  const run = (await saved(page))[90_000];
  assert.equal(run.step, later, "what is said to be saved is");
  assert.deepEqual(await held(page), [`run:${run.id}`]);
  await close();
});

test("a pause waits for the text that is being written, and says so", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&n=100000&end=0`, NARROW);
  await ready(page);
  await start(page, "Full", { steps: 90_000, batch_size: 1, context: 32, eval_every: 0 });
  await reaches(page, 1);
  await button(page, "Write").first().click();
  await page.keyboard.press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await button(page, "Train").first().click();
  await page.locator(".train-actions .secondary").click();
  await button(page, "Pausing when the text is written…").waitFor();
  await button(page, "Write").first().click();
  await page.keyboard.press("Escape");
  await button(page, "Train").first().click();
  await button(page, "Resume").waitFor();
  await close();
});

test("a run is not locked by looking at it, and not deleted while another tab has it", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&see=compare`);
  await ready(page);
  await start(page, "LoRA", { steps: 3, batch_size: 1, context: 32, eval_every: 0 });
  await says(page, 3);
  const { id } = (await saved(page))[3];
  await button(page, "Models").click();
  await page.locator(".list li", { hasText: "Comes with the page" }).getByRole("button").first().click();
  await page.locator(".list li", { hasText: "Comes with the page" }).locator(".in-use").waitFor();
  assert.deepEqual(await held(page), []);
  await button(page, "Write").first().click();
  await page.locator("#compare-model").selectOption(`run:${id}`);
  await page.locator(".compare-controls .secondary").click();
  await page.locator(".compare-totals tbody").waitFor({ timeout: 60_000 });
  assert.deepEqual(await held(page), []);

  const other = await page.context().newPage();
  await other.goto(`${site.url}?backend=cpu#lang=en&tab=train&model=run:${id}`);
  await says(other, 3);
  assert.equal(await other.getByText("open in another tab").count(), 0);
  assert.deepEqual(await held(page), [`run:${id}`]);

  await button(page, "Models").click();
  const remove = async () => {
    await button(page, /^Delete/).click();
    await button(page, /^Delete/).click();
  };
  await remove();
  await page
    .getByRole("alert")
    .filter({ hasText: "The run could not be deleted." })
    .filter({ hasText: "It is open in another tab." })
    .waitFor();
  assert.equal((await saved(page))[3].id, id);
  await other.close();
  await remove();
  await page.locator(".saved li").waitFor({ state: "detached" });
  await close();
});

test("adapters go onto the very file that they were made for, and beside it they are compared", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en&end=0&t=0`);
  await ready(page);
  const weights = readFileSync(`${MODEL}model.safetensors`);
  /** Another model under the same names: a part of the weights is gone. */
  const others = Buffer.from(weights);
  others.fill(0, others.length >> 1, (others.length >> 1) + (others.length >> 3));
  const open = async (/** @type {Buffer} */ content) => {
    await button(page, "Models").click();
    const file = (/** @type {string} */ name, /** @type {Buffer} */ buffer) => ({
      name,
      mimeType: "application/octet-stream",
      buffer,
    });
    await page
      .locator("#pick")
      .setInputFiles([
        ...["config.json", "tokenizer.json"].map((name) => file(name, readFileSync(MODEL + name))),
        file("model.safetensors", content),
      ]);
    await page.locator(".list li", { hasText: "Model from your disk" }).locator(".in-use").waitFor();
    await page.waitForFunction(() => location.hash.includes("model=sha256"));
  };
  /** Adapters that learnt next to nothing, and what they and the model under them write. @param {number} steps */
  const tune = async (steps) => {
    await start(page, "LoRA", { steps, batch_size: 1, context: 16, eval_every: 0, lr: 0.000001 });
    await says(page, steps);
    await page.locator(".train-go:not([disabled])").waitFor();
    await button(page, "Compare").click();
    await page.locator(".compare").waitFor();
    await page.locator(".train-after .row button:not([disabled])").waitFor({ timeout: 60_000 });
    const [base, tuned] = await page.locator(".compare .ink-model").allInnerTexts();
    assert.ok(base.length > 20);
    assert.equal(tuned, base);
    return base;
  };
  await open(weights);
  const first = await tune(2);
  const workers = page.workers().length;
  await open(others);
  assert.equal(page.workers().length, workers - 1, "the base of the model before is closed");
  assert.notEqual(await tune(3), first);

  await button(page, "Models").click();
  await row(page, 2).getByRole("button", { name: /^Open/ }).click();
  await page
    .getByText(/These adapters belong to the model Model from your disk \(sha256:[0-9a-f]{16}\)\. Open it first/)
    .waitFor();
  await open(weights);
  await row(page, 2).getByRole("button", { name: /^Open/ }).click();
  await row(page, 2).locator(".in-use").waitFor();
  await close();
});

/**
 * Writes the newest save of a run anew, whole but for its description.
 * @param {Page} page
 * @param {string} id
 * @param {string} without a field that it then lacks
 */
const forget = (page, id, without) =>
  page.evaluate(
    async ([name, field]) => {
      const runs = await (await navigator.storage.getDirectory()).getDirectoryHandle("runs");
      const run = await runs.getDirectoryHandle(name);
      for (const slot of ["a.run", "b.run"]) {
        const handle = await run.getFileHandle(slot).catch(() => null);
        if (!handle) continue;
        const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
        const head = new DataView(bytes.slice(0, 64).buffer);
        const parts = head.getFloat64(16, true);
        const about = JSON.parse(new TextDecoder().decode(bytes.subarray(64 + parts)));
        delete about[field];
        const json = new TextEncoder().encode(JSON.stringify(about));
        const digest = async (/** @type {Uint8Array<ArrayBuffer>} */ data) =>
          new Uint8Array(await crypto.subtle.digest("SHA-256", data));
        const sums = [];
        let at = 64;
        for (const part of about.parts) sums.push(...(await digest(bytes.slice(at, (at += part.bytes)))));
        sums.push(...(await digest(json)));
        head.setUint32(12, json.length, true);
        new Uint8Array(head.buffer).set(await digest(new Uint8Array(sums)), 24);
        const stream = await handle.createWritable();
        await stream.write(new Blob([head.buffer, bytes.subarray(64, 64 + parts), json]));
        await stream.close();
      }
    },
    [id, without],
  );

test("damaged runs stand beside the others, and are opened, taken out or deleted as far as they can be", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`, NARROW);
  await ready(page);
  for (const steps of [2, 3, 4, 5]) {
    await start(page, "From scratch", { steps, batch_size: 1, context: 32, eval_every: 0 });
    await says(page, steps);
    await page.locator(".train-go:not([disabled])").waitFor();
  }
  const all = await saved(page);
  await forget(page, all[2].id, "history");
  await forget(page, all[3].id, "mode");
  await damage(page, all[4].id, "description");
  await page.reload();
  await button(page, "Models").first().click();
  await page.locator(".saved li").nth(3).waitFor();
  assert.equal(await page.locator(".saved li").count(), 4);
  assert.equal(await page.locator(".saved-damage").count(), 3);

  // Of one only the curve is gone.
  const partly = row(page, 2).filter({ hasText: "The run itself can be opened." });
  await partly.getByRole("button", { name: /^Open/ }).click();
  await row(page, 2).locator(".in-use").waitFor();

  // Of another nobody knows what it is.
  const whole = page.locator(".saved li", { hasText: "This run is damaged and cannot be opened." });
  assert.equal(await whole.count(), 2);
  assert.equal(await whole.getByRole("button", { name: /^Open/ }).count(), 0);
  const contents = [];
  for (const at of [0, 1]) {
    const downloading = page.waitForEvent("download");
    await whole
      .nth(at)
      .getByRole("button", { name: /^Download what is left/ })
      .click();
    const file = new File([readFileSync(await (await downloading).path())], "left.zip");
    contents.push((await filesFromZip(file, () => true)).map(({ name }) => name).sort());
  }
  const known = contents.find((names) => names.includes("text.txt"));
  assert.deepEqual(known, ["config.json", "text.txt", "tokenizer.json", "training_state.safetensors"]);
  assert.ok(
    contents.some((names) => names.includes("a.run")),
    "the other's description tells of no files",
  );
  for (let left = 2; left > 0; left -= 1) {
    await whole
      .first()
      .getByRole("button", { name: /^Delete/ })
      .click();
    await whole
      .first()
      .getByRole("button", { name: /^Delete/ })
      .click();
    await page.waitForFunction((count) => document.querySelectorAll(".saved li").length === count, 1 + left);
  }
  assert.deepEqual(Object.keys(await saved(page)).sort(), ["2", "5"]);
  await close();
});
