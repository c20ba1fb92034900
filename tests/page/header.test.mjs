// @ts-check
// The header: which model is open and where it runs, the way to others, what the page is; at every width.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { button, launch, openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { says, start } from "./training.mjs";

const CPU = "?backend=cpu#lang=en";

test("the model's name folds out the models there are, and leads to others", async () => {
  const { page, close } = await openPage(browser, site.url + CPU);
  await ready(page);
  const [name, panel] = [page.locator("#model-button"), page.locator("#model-panel")];
  assert.match(await name.innerText(), /Storyteller\s+1\.9M/);
  await name.click();
  await panel.getByText("1.9M parameters · English · 4.0 MB · fits").waitFor();
  assert.deepEqual(await violations(page, "#header"), []);
  await page.keyboard.press("Escape");
  assert.ok(await panel.isHidden());
  assert.ok(await name.evaluate((element) => element === document.activeElement));
  await name.click();
  await panel.getByRole("button", { name: "From the Hugging Face hub…" }).click();
  await page.waitForFunction(() => document.activeElement?.id === "repo");
  assert.ok(await panel.isHidden());
  await name.click();
  await panel.getByRole("button", { name: "From your disk…" }).click();
  await page.waitForFunction(() => document.activeElement?.textContent === "Choose files…");

  // A saved run is one of the user's models.
  await start(page, "LoRA", { steps: 2, eval_every: 0 });
  await says(page, 2);
  assert.match(await name.innerText(), /Storyteller.* · LoRA 1\.00/);
  await page.locator("#strength").fill("0.5");
  await page.locator(".model-name", { hasText: "LoRA 0.50" }).waitFor();
  await name.click();
  await panel.getByRole("button", { name: /^Storyteller\s*1\.9M/ }).click();
  await page.locator(".model-name:text-is('Storyteller')").waitFor();
  await name.click();
  await panel.getByRole("button", { name: /lighthouse.*step 2 of 2/ }).click();
  await page.locator(".model-name", { hasText: "LoRA" }).waitFor();
  await close();
});

test("a model from the disk has a name that says something, also after a reload", async () => {
  const { page, close } = await openPage(browser, site.url + CPU);
  await ready(page);
  const model = new URL("../../www/models/storyteller/", import.meta.url);
  const file = (/** @type {string} */ name, /** @type {Buffer} */ buffer) => ({ name, mimeType: "", buffer });
  const config = { ...JSON.parse(readFileSync(new URL("config.json", model), "utf8")), _name_or_path: "me/tiny-tales" };
  await page
    .locator("#pick")
    .setInputFiles([
      file("config.json", Buffer.from(JSON.stringify(config))),
      file("tokenizer.json", readFileSync(new URL("tokenizer.json", model))),
      file("model.safetensors", readFileSync(new URL("model.safetensors", model))),
    ]);
  await page.locator(".model-name", { hasText: "tiny-tales" }).waitFor();
  await page.waitForFunction(() => location.hash.includes("sha256"));
  await page.reload();
  await page.getByText("tiny-tales was opened from your disk. Choose it again to continue.").waitFor();
  await close();
});

test("the page says what it is; About tells more, with the source's address where there is one", async () => {
  const { page, close } = await openPage(browser, site.url + CPU);
  await ready(page);
  await page.getByText("A small GPT running entirely in your browser.").waitFor();
  const about = page.getByRole("dialog", { name: "About this page" });
  await button(page, "About").click();
  await about.getByText("What you type stays in this browser.").waitFor();
  await about.getByText("Some of those had broken punctuation").waitFor();
  assert.ok(await about.getByText("Source code").isHidden(), "no address, no link");
  assert.deepEqual(await violations(page, "dialog"), []);
  await page.keyboard.press("Escape");
  await about.waitFor({ state: "hidden" });
  await close();

  const named = await openPage(browser, "about:blank");
  await named.page.route(`${site.url}?*`, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(
      'name="repository" content=""',
      'name="repository" content="https://example.org/gpt"',
    );
    await route.fulfill({ response, body });
  });
  await named.page.goto(site.url + CPU);
  await ready(named.page);
  await button(named.page, "About").click();
  assert.equal(await named.page.getByText("Source code").getAttribute("href"), "https://example.org/gpt");
  await named.close();
});

test("a backend that is not there is not said to be in use, and the CPU is offered", async () => {
  // Without the flags that give the other tests a software GPU.
  const plain = await launch({ args: ["--no-sandbox"] });
  const { page, close } = await openPage(plain, `${site.url}#lang=en`);
  await ready(page);
  assert.equal(await page.locator("#backend-button").innerText(), "CPU");
  await page.locator("#backend-button").click();
  await page.locator("#backend").selectOption("webgpu");
  const alert = page.getByRole("alert");
  await alert.filter({ hasText: "Storyteller could not be opened on WebGPU." }).waitFor();
  await alert.filter({ hasText: "It still runs on CPU, as before." }).waitFor();
  assert.equal(await page.locator("#backend").inputValue(), "auto");
  assert.doesNotMatch(page.url(), /backend=/);
  await page.goto(`${site.url}?backend=webgpu#lang=en&n=5`);
  await alert.getByRole("button", { name: "Use the CPU" }).click();
  await ready(page);
  assert.match(page.url(), /backend=cpu/);
  await close();
  await plain.close();
});

test("nothing of the header hangs out, from 320 pixels up, in both languages", async () => {
  for (const lang of ["en", "zh"]) {
    const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=${lang}`);
    await ready(page);
    for (const width of [
      320, 340, 359, 360, 390, 600, 719, 720, 740, 760, 899, 900, 979, 1000, 1100, 1179, 1280, 1440,
    ]) {
      await page.setViewportSize({ width, height: 800 });
      const out = await page.evaluate(() =>
        [...document.querySelectorAll("#header button:not([hidden]), #header h1, .see, .tagline")]
          .filter((element) => element.getClientRects().length)
          .map((element) => /** @type {const} */ ([element.textContent, element.getBoundingClientRect()]))
          .filter(([, { left, right }]) => left < 0 || right > innerWidth)
          .map(([text]) => text),
      );
      assert.deepEqual(out, [], `${width} pixels, ${lang}`);
      assert.ok(
        await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
        `${width} pixels scroll`,
      );
    }
    await close();
  }
});
