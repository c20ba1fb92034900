// @ts-check
// What a tab keeps: texts of any length with their history, two tabs' own, a closed one's, and what is said where the
// browser keeps nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, openPage, paper, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** So that the inspector stays closed: megabytes are not read here. */
const NARROW = { viewport: { width: 900, height: 800 } };
const CPU = "?backend=cpu#lang=en";

/** Puts a text on the paper at once, as pasting does. @param {Page} page @param {string} text */
const put = (page, text) =>
  page.locator(".paper-area").evaluate((field, value) => {
    const area = /** @type {HTMLTextAreaElement} */ (field);
    area.value = value;
    area.setSelectionRange(value.length, value.length);
    area.dispatchEvent(new InputEvent("input"));
  }, text);
/** What this page's database keeps for its tab. @param {Page} page @param {string} name @returns {Promise<any>} */
const stored = (page, name) =>
  page.evaluate(
    (what) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("gpt-playground");
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const db = request.result;
          const get = db
            .transaction("kept")
            .objectStore("kept")
            .get([sessionStorage.getItem("tab") ?? "", what]);
          get.onsuccess = () => resolve(get.result?.data);
          get.onerror = () => reject(get.error);
          db.close();
        };
      }),
    name,
  );
/**
 * Waits until something is on the disk.
 * @param {Page} page
 * @param {string} name
 * @param {(data: any) => boolean} fits
 */
async function reachesDisk(page, name, fits) {
  for (const until = Date.now() + 60_000; !fits(await stored(page, name)); await page.waitForTimeout(50))
    assert.ok(Date.now() < until, "it was never saved");
}
const textOf = (/** @type {any} */ data) =>
  data?.parts.map((/** @type {[string, string]} */ [, text]) => text).join("") ?? "";
const undo = (/** @type {Page} */ page) => paper(page).press("Control+z");
const redo = (/** @type {Page} */ page) => paper(page).press("Control+Shift+z");
const value = (/** @type {Page} */ page) => paper(page).inputValue();

test("six megabytes in Write and three in Train come back exactly", async () => {
  // Write is not seen: a browser takes many seconds to lay out megabytes.
  const { page, close } = await openPage(browser, `${site.url + CPU}&tab=train`, {
    ...NARROW,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  // Reading and laying out megabytes takes a busy machine more than the usual wait.
  page.setDefaultTimeout(180_000);
  await page.locator("#train-text").waitFor();
  const line = (/** @type {number} */ at) =>
    `${at} zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich 😀\n`;
  const long = Array.from({ length: 90_000 }, (_, at) => line(at)).join("");
  assert.ok(Buffer.byteLength(long) > 6e6);
  const learnt = long.slice(0, long.length / 2);
  await put(page, long);
  await page.evaluate((text) => navigator.clipboard.writeText(text), learnt);
  await page.locator("#train-text").focus();
  await page.keyboard.press("Control+v");
  await page.getByText("3.5 MB of text; its first").waitFor();
  await reachesDisk(page, "write", (data) => textOf(data).length === long.length);
  await reachesDisk(page, "train", (data) => data?.text.length === learnt.length);
  await page.reload();
  await page.getByText("3.5 MB of text; its first").waitFor();
  const onPaper = (/** @type {string} */ text) =>
    page.evaluate(
      (expected) => /** @type {HTMLTextAreaElement} */ (document.querySelector(".paper-area")).value === expected,
      text,
    );
  assert.equal(await onPaper(long), true);
  assert.equal((await stored(page, "train")).text === learnt, true);
  await close();
});

test("what is typed in the last moment, and what was undone and redone, comes back", async () => {
  const { page, close } = await openPage(browser, `${site.url + CPU}&n=8&end=0`, NARROW);
  await ready(page);
  await paper(page).press("Control+End");
  await paper(page).press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await ready(page);
  const written = await value(page);
  await paper(page).press("Control+End");
  await paper(page).pressSequentially(" So it ends.");
  const ended = await value(page);
  // At once: nobody waits for it.
  await page.reload();
  await ready(page);
  assert.equal(await value(page), ended);
  assert.equal(await page.locator(".paper-layer .ink-model").count(), 1, "the model's ink");
  for (const expected of [written, "Once upon a time"]) {
    await undo(page);
    assert.equal(await value(page), expected);
  }
  await page.reload();
  await ready(page);
  assert.equal(await value(page), "Once upon a time");
  for (const expected of [written, ended]) {
    await redo(page);
    assert.equal(await value(page), expected);
  }
  await close();
});

test("a link's text in the place of the user's own: after a reload undo brings that back", async () => {
  const { page, close } = await openPage(browser, site.url + CPU, NARROW);
  await ready(page);
  await paper(page).fill("My own story.");
  await page.evaluate(() => {
    location.hash = "#lang=en&text=From+a+link.";
  });
  await page.waitForFunction(
    () => /** @type {HTMLTextAreaElement} */ (document.querySelector(".paper-area")).value === "From a link.",
  );
  await page.reload();
  await ready(page);
  assert.equal(await value(page), "From a link.");
  await undo(page);
  assert.equal(await value(page), "My own story.");
  // So does a link that opens the page anew in this tab, even where it is reloaded before the address says something
  // else.
  await page.goto("about:blank");
  const address = `${site.url + CPU}&text=Another.`;
  for (const _ of [1, 2]) {
    await page.goto("about:blank");
    await page.goto(address);
    await ready(page);
    assert.equal(await value(page), "Another.");
  }
  await undo(page);
  assert.equal(await value(page), "My own story.");
  assert.equal(await page.getByRole("alert").count(), 0);
  await close();
});

test("two tabs have their own texts; a new one goes on with that of one that was closed, and says so", async () => {
  const { page, close } = await openPage(browser, site.url + CPU, NARROW);
  await ready(page);
  await paper(page).fill("The first tab's.");
  await reachesDisk(page, "write", (data) => textOf(data) === "The first tab's.");
  const second = await page.context().newPage();
  await second.goto(site.url + CPU);
  await ready(second);
  assert.equal(await value(second), "Once upon a time");
  await paper(second).fill("The second tab's.");
  await button(second, "Train").first().click();
  await second.locator("#train-text").fill("What it learns.");
  await reachesDisk(second, "train", (data) => data?.text === "What it learns.");
  await page.reload();
  await ready(page);
  assert.equal(await value(page), "The first tab's.");
  await second.close();

  const third = await page.context().newPage();
  await third.goto(site.url + CPU);
  await ready(third);
  assert.equal(await value(third), "The second tab's.");
  const said = third.getByRole("status").filter({ hasText: "This is the text of a tab that you closed." });
  await said.waitFor();
  await button(third, "Train").first().click();
  assert.equal(await third.locator("#train-text").inputValue(), "What it learns.");
  await button(third, "Write").first().click();
  await said.getByRole("button", { name: "Undo" }).click();
  assert.equal(await value(third), "Once upon a time");
  await redo(third);
  assert.equal(await value(third), "The second tab's.");
  // A link shows its own text, and no closed tab's.
  await third.close();
  const link = await page.context().newPage();
  await link.goto(`${site.url + CPU}&text=From+a+link.`);
  await ready(link);
  assert.equal(await value(link), "From a link.");
  assert.ok(await button(link, "Undo").isHidden());
  await close();
});

test("texts that cannot be saved are told of on every tab until they are", async () => {
  const { page, close } = await openPage(browser, site.url + CPU, NARROW);
  await ready(page);
  const refuse = (/** @type {boolean} */ refused) =>
    page.evaluate((on) => {
      const plain = /** @type {any} */ (globalThis).put ?? IDBObjectStore.prototype.put;
      Object.assign(globalThis, { put: plain });
      IDBObjectStore.prototype.put = on
        ? () => {
            throw new DOMException("no room", "QuotaExceededError");
          }
        : plain;
    }, refused);
  await refuse(true);
  await paper(page).fill("This cannot be kept.");
  const said = page
    .locator("#notices")
    .getByRole("alert")
    .filter({ hasText: "Your texts could not be saved" })
    .filter({ hasText: "storage is full" });
  await said.waitFor();
  for (const tab of ["Train", "Models", "Write"]) {
    await button(page, tab).first().click();
    assert.ok(await said.isVisible(), tab);
  }
  assert.equal(await said.getByRole("button").count(), 0, "it cannot be closed");
  await refuse(false);
  await paper(page).fill("This can be kept.");
  await said.waitFor({ state: "hidden" });
  await reachesDisk(page, "write", (data) => textOf(data) === "This can be kept.");
  await close();
});

test("a browser without a database is told of at once, and a reload still brings the text back", async () => {
  const { page, close } = await openPage(browser, "about:blank", NARROW);
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("not here", "SecurityError");
    };
  });
  await page.goto(site.url + CPU);
  await ready(page);
  await page.locator("#notices").getByRole("alert").filter({ hasText: "database does not work here" }).waitFor();
  await paper(page).fill("Kept as well as it goes.");
  await page.reload();
  await ready(page);
  assert.equal(await value(page), "Kept as well as it goes.");
  await close();
});

test("what was kept and is damaged is told of, and can be taken out as it is; the rest is there", async () => {
  const { page, close } = await openPage(browser, site.url + CPU, NARROW);
  await ready(page);
  await paper(page).fill("Precious.");
  await reachesDisk(page, "write", (data) => textOf(data) === "Precious.");
  await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("gpt-playground");
        request.onsuccess = () => {
          const db = request.result;
          const transaction = db.transaction("kept", "readwrite");
          const data = { parts: [["user", "Precious."], 3], caret: "x", past: [{}] };
          transaction.objectStore("kept").put({ version: 1000, data }, [sessionStorage.getItem("tab") ?? "", "write"]);
          transaction.oncomplete = () => resolve(db.close());
          transaction.onabort = () => reject(transaction.error);
        };
      }),
  );
  await page.reload();
  await ready(page);
  assert.equal(await value(page), "Precious.");
  const said = page.locator("#notices").getByRole("alert").filter({ hasText: "is damaged and could not be read" });
  const downloading = page.waitForEvent("download");
  await said.getByRole("button", { name: "Download" }).click();
  assert.equal((await downloading).suggestedFilename(), "kept.json");
  await close();
});
