// @ts-check
// What must not happen, made to happen by a stand-in for the engine: panics, a lost device, slow loads, very long
// texts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { button, launch, openPage, paper, ready } from "./browser.mjs";
import { emptySafetensors, serveFake } from "./fake_site.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
/** @type {Awaited<ReturnType<typeof serveFake>>[]} */
const sites = [];
after(async () => {
  await browser?.close();
  await Promise.all(sites.map((site) => site.stop()));
});

/** @param {object} [fake] @param {string} [address] */
async function openFake(fake = {}, address = "#lang=en") {
  const site = await serveFake({ fake });
  sites.push(site);
  return openPage(browser, site.url + address);
}

test("after a panic the cause is on the page, the engine starts again, and the text is safe", async () => {
  const { page, problems, close } = await openFake();
  await ready(page);
  await paper(page).fill("PANIC now");
  await page.keyboard.press("Control+Enter");
  const alert = page.getByRole("alert");
  await alert.filter({ hasText: "The engine stopped and was started again." }).waitFor();
  assert.match(await alert.innerText(), /The engine ran out of memory, or it has a fault\./);
  await alert.locator("summary").click();
  assert.match(await alert.innerText(), /the fake model fell over/);
  assert.equal(await paper(page).inputValue(), "PANIC now");
  assert.match(problems.splice(0).join(), /panicked at/, "the panic itself is in the console");
  await paper(page).fill("Calm now");
  await page.keyboard.press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  assert.equal(await alert.count(), 0);
  await close();
});

test("a second crash soon after is left to the user", async () => {
  const { page, close } = await openFake({}, "?backend=webgpu#lang=en");
  await ready(page);
  await paper(page).fill("LOST");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("alert").filter({ hasText: "was started again" }).waitFor();
  await ready(page);
  await page.keyboard.press("Control+Enter");
  const alert = page.getByRole("alert").filter({ hasText: "The engine stopped again." });
  await alert.waitFor();
  assert.match(await alert.innerText(), /the GPU device was lost: out of memory/);
  await alert.getByRole("button", { name: "Use the CPU" }).click();
  await ready(page);
  assert.match(await page.locator(".backend-button").innerText(), /^CPU/);
  await close();
});

test("an ordinary error is told where it happened and changes nothing", async () => {
  const { page, close } = await openFake();
  await ready(page);
  await paper(page).fill("ERROR here");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("alert").filter({ hasText: "the weights hold NaN" }).waitFor();
  assert.equal(await paper(page).inputValue(), "ERROR here");
  await ready(page);
  await close();
});

test("a load shows its progress and can be cancelled; the model before it stays", async () => {
  const { page, close } = await openFake();
  await ready(page);
  await button(page, "Models").first().click();
  const file = (/** @type {string} */ name, /** @type {string | Buffer} */ body) => ({
    name,
    mimeType: "application/octet-stream",
    buffer: Buffer.from(body),
  });
  await page
    .locator("#pick")
    .setInputFiles([
      file("config.json", JSON.stringify({ fake: { loadMs: 60_000 } })),
      file("tokenizer.json", "{}"),
      file("slow.safetensors", emptySafetensors(1000)),
    ]);
  await page.getByRole("progressbar", { name: "Opening slow" }).waitFor();
  await button(page, "Cancel").click();
  await page.getByText("Loading slow was cancelled.").waitFor();
  await button(page, "Write").click();
  await paper(page).press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await close();
});

test("a server that has no such model is told of, with its address", async () => {
  const { page, problems, close } = await openFake();
  await ready(page);
  await button(page, "Models").first().click();
  await page.route("https://huggingface.co/**", (route) =>
    route.fulfill({ status: 404, headers: { "access-control-allow-origin": "*" } }),
  );
  await page.getByRole("textbox", { name: "Repository or address" }).fill("nobody/nothing");
  await page.keyboard.press("Enter");
  const alert = page.getByRole("alert");
  await alert.filter({ hasText: "https://huggingface.co/nobody/nothing/resolve/main/config.json" }).waitFor();
  assert.match(await alert.innerText(), /Storyteller is still open/);
  assert.match(problems.splice(0).join(), /404/, "the browser itself reports the failed request");
  await close();
});

test("a text longer than the context goes on, and the page says that its beginning was out of sight", async () => {
  const { page, close } = await openFake({ nCtx: 32, stepMs: 1 });
  await ready(page);
  await page.keyboard.press("Control+Enter");
  await page.getByText("The text is longer than the model's context of 32 tokens").waitFor();
  assert.equal(await page.locator(".paper-layer .ink-model").count(), 200);
  await close();
});

test("a thousand tokens arrive without holding up the page", async () => {
  const { page, close } = await openFake({ nCtx: 2048, perStep: 4, stepMs: 8 }, "#n=1000&lang=en");
  await ready(page);
  await page.evaluate(() => {
    const layer = /** @type {Element} */ (document.querySelector(".paper-layer"));
    const counts = { redrawn: 0 };
    Object.assign(globalThis, { counts });
    new MutationObserver((records) => {
      for (const { removedNodes } of records)
        counts.redrawn += [...removedNodes].filter((node) => node instanceof Element).length;
    }).observe(layer, { childList: true });
  });
  const cdp = await page.context().newCDPSession(page);
  // Processor time of the main thread, which does not count the time that other programs took.
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const seconds = async () =>
    (await cdp.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN;
  const from = await seconds();
  await page.keyboard.press("Control+Enter");
  await page.locator(".primary.busy").waitFor();
  await ready(page);
  const used = (await seconds()) - from;
  assert.equal(await page.locator(".paper-layer .ink-model").count(), 1000);
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).counts.redrawn), 0, "no token is drawn twice");
  console.log(`1,000 tokens took ${used.toFixed(2)} s of the main thread`);
  assert.ok(used < 4, `1,000 tokens took ${used.toFixed(2)} s of the main thread`);
  await close();
});

test("the header says in one word where the model runs; why, and the device's own words, come with a click", async () => {
  const { page, close } = await openFake({}, "#lang=en");
  await ready(page);
  const [backend, panel] = [page.locator(".backend-button"), page.locator("#backend-panel")];
  assert.equal(await backend.innerText(), "CPU");
  await backend.click();
  assert.match(await panel.innerText(), /CPU: no WebGPU here/);
  assert.match(await panel.innerText(), /no WebGPU adapter was found/);
  await page.keyboard.press("Escape");
  assert.ok(await panel.isHidden());
  await backend.click();
  await paper(page).click();
  assert.ok(await panel.isHidden(), "a press elsewhere closes it");
  await close();
});
