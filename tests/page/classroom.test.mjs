// @ts-check
// The page over plain http from another machine, as in a classroom: what needs https is not there and is told of, the
// rest works.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { button, FLAGS, launch, openPage, paper, ready } from "./browser.mjs";
import { serve } from "./server.mjs";
import { figure, start } from "./training.mjs";

const NAME = "classroom.test";
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** The page's address by a name that is not this machine's own to the browser. */
let url = "";
before(async () => {
  site = await serve(["--allow-host", NAME]);
  browser = await launch({ args: [...FLAGS, `--host-resolver-rules=MAP ${NAME} 127.0.0.1`] });
  url = site.url.replace("127.0.0.1", NAME);
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

test("it writes, trains, and says what is not there and why", async () => {
  const { page, close } = await openPage(browser, `${url}#lang=en&n=8&end=0`, {
    viewport: { width: 1280, height: 900 },
  });
  const has = await page.evaluate(() => [
    isSecureContext,
    "randomUUID" in crypto,
    "subtle" in crypto,
    ...["storage", "gpu", "clipboard", "locks"].map((name) => name in navigator),
  ]);
  assert.deepEqual(
    has,
    has.map(() => false),
  );
  await ready(page);
  assert.match(
    (await page.locator(".backend-why").textContent()) ?? "",
    /^CPU.*WebGPU is only there over https or on localhost\./,
  );
  await button(page, "Generate").click();
  await page.waitForFunction(() => document.querySelectorAll(".paper-layer .ink-model").length === 8);
  await ready(page);
  const written = await paper(page).inputValue();

  await page.locator("nav").getByRole("button", { name: "Train" }).click();
  await page.getByText("Nothing can be saved here. Saving takes https or localhost").waitFor();
  await start(page, "From scratch", { steps: 3, eval_every: 0 });
  await page.locator(".train-after:not([hidden])").waitFor();
  await page.locator(".train-go:not([disabled])").waitFor();
  assert.match(await figure(page, "Step"), /^3 \/ 3$/);
  assert.equal(await figure(page, "Saved"), "–");
  assert.deepEqual(await page.locator(".message[data-kind=error]:visible").allTextContents(), []);

  // A run that is nowhere else does not go without a word, nor does a backend that cannot come.
  await page.locator("#backend-button").click();
  await page.locator("#backend").selectOption("webgpu");
  const alert = page.getByRole("alert");
  await alert.filter({ hasText: "The run could not be saved and would be lost" }).waitFor();
  assert.match(await alert.innerText(), /Saving takes https or localhost/);
  await alert.getByRole("button", { name: "Go on without it" }).click();
  await alert.filter({ hasText: "WebGPU is only there over https or on localhost." }).waitFor();
  assert.equal(await page.locator("#backend").inputValue(), "auto", "the page says where the model runs");
  await alert.filter({ hasText: "It still runs on CPU, as before." }).waitFor();
  if (!(await page.locator("#backend").isVisible())) await page.locator("#backend-button").click();
  await page.locator("#backend").selectOption("cpu");
  // The model is opened anew, which takes away what is said of the one before.
  await page.locator(".backend-why", { hasText: "as you chose" }).waitFor({ state: "attached" });
  await page.locator("nav").getByRole("button", { name: "Write" }).click();
  await ready(page);

  // There is a way to copy all the same, and what the link cannot name is said.
  await button(page, "Copy link").first().click();
  await button(page, "Copied").waitFor();
  await page.locator(".inspector .message", { hasText: "The link cannot name the model that is open here" }).waitFor();
  await paper(page).fill(`${written} and on`);
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await ready(page);
  assert.equal(await paper(page).inputValue(), `${written} and on`);
  await close();
});

test("a server that was not told of the name does not answer to it", async () => {
  const other = await serve();
  const page = await browser.newPage();
  const response = await page.goto(other.url.replace("127.0.0.1", NAME));
  assert.equal(response?.status(), 421);
  assert.match(await page.locator("body").innerText(), /does not answer to the name classroom\.test/);
  await page.close();
  await other.stop();
});
