// @ts-check
// What comes next and the tree of branches, in the real page with the shipped model.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { button, openPage, paper, ready, screenshots } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** @param {string} fragment @param {import("playwright-core").BrowserContextOptions} [options] */
async function openNext(fragment, options, lang = "en") {
  const opened = await openPage(browser, `${site.url}?backend=cpu#lang=${lang}&see=next&${fragment}`, options);
  await ready(opened.page);
  await opened.page.locator(".next-row").first().waitFor();
  return opened;
}

/** The rows of the chart as they read. @param {Page} page */
const rows = (page) =>
  page.locator(".next-row").evaluateAll((all) =>
    all.map((row) => {
      const text = (/** @type {string} */ name) => row.querySelector(`.${name}`)?.textContent ?? "";
      const width = (/** @type {string} */ name) =>
        /** @type {HTMLElement} */ (row.querySelector(`.${name}`)).style.transform;
      const bars = [width("next-raw"), width("next-adjusted")];
      return {
        rank: text("next-rank"),
        token: text("next-token"),
        raw: text("next-p"),
        drawn: text("next-after"),
        bars,
      };
    }),
  );

/** Moves a slider of the panel. @param {Page} page @param {string} key @param {number} value */
async function slide(page, key, value) {
  await page.locator(`.next-controls .control:has(#next-${key}) input[type=range]`).evaluate((slider, to) => {
    /** @type {HTMLInputElement} */ (slider).value = String(to);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
}

/** Asks what comes after the selected token. @param {Page} page */
const after = (page) => page.locator("label", { hasText: "After this" }).click();

/** Waits until the chart reads differently. @param {Page} page @param {string} before */
const changed = (page, before) =>
  page.waitForFunction((old) => {
    const facts = document.querySelector(".next-facts")?.textContent;
    return facts !== undefined && facts !== old;
  }, before);

test("of a text longer than the context, the end is what the model goes on from, and what it then writes", async () => {
  const story =
    "Once upon a time there was a king who had three sons. The eldest was called Peter, the second Paul, and the youngest Jack. " +
    "One day the king fell ill, and no doctor in the land could heal him. Then an old woman came to the castle and said that there was a " +
    "golden bird in the dark forest whose song would make him well again. So Peter took his horse and rode away, but he did not come " +
    "back. Then Paul took his horse and rode away, and he did not come back either. ";
  // Seen as far back as the context reaches, "woman" would be the likeliest.
  const text = `${story.repeat(3)}The old`;
  const { page, close } = await openNext(`t=0&rp=1&n=1&end=0&${new URLSearchParams({ text })}`);
  const note = page.locator(".next-window");
  await note.getByText("The model continues from the last 128 tokens").waitFor();
  await page.locator(".next-facts:not(.stale)").waitFor();
  const [{ token, drawn }] = await rows(page);
  assert.equal(drawn, "100 %", "at temperature 0 the likeliest is drawn");
  await paper(page).press("Alt+Comma");
  await after(page);
  await page.locator(".next-selected", { hasText: "␣The" }).waitFor();
  assert.ok(await note.isHidden(), "in the middle it is about all that the model sees");
  await paper(page).press("Alt+Period");
  await note.waitFor();
  await paper(page).press("Control+Enter");
  await page.waitForFunction(
    (length) => /** @type {HTMLTextAreaElement} */ (document.querySelector(".paper-area")).value.length > length,
    text.length,
  );
  await page.locator(".primary:not(.busy)").waitFor();
  assert.equal(await paper(page).inputValue(), `${text}${token.replaceAll("␣", " ")}`);
  await close();
});

test("settings re-shape what comes next at once, and the model's own probabilities stay", async () => {
  const { page, close } = await openNext("t=1&k=0&p=1&rp=1");
  await paper(page).fill("Once upon a time there was a");
  await page.locator(".next-selected", { hasText: "␣a" }).waitFor();
  await page.locator(".next-facts.stale").waitFor({ state: "detached" });
  const own = await rows(page);
  assert.equal(own.length, 20);
  assert.ok(
    own.every(({ raw, drawn }) => raw === drawn),
    "with the model's own odds both are the same",
  );
  assert.ok(own.every(({ bars: [raw] }) => /^scaleX\(0?\.\d+|^scaleX\(1/.test(raw)));
  assert.equal(await page.locator(".next-cut-line").count(), 0, "nothing is cut off");
  const facts = () => page.locator(".next-facts").innerText();

  // Every change asks the engine about the same tokens; it answers from the logits it has kept.
  const first = (await page.locator(".next-facts").textContent()) ?? "";
  const from = Date.now();
  await slide(page, "temperature", 0.5);
  await changed(page, first);
  const took = Date.now() - from;
  console.log(`a slider's new distribution after ${took} ms`);
  const sharp = await rows(page);
  assert.deepEqual(
    sharp.map(({ raw, token }) => [raw, token]),
    own.map(({ raw, token }) => [raw, token]),
    "the model says what it said",
  );
  assert.ok(parseFloat(sharp[0].drawn) > parseFloat(own[0].drawn), "the likeliest is drawn more often");
  assert.equal(await page.locator("#setting-temperature").inputValue(), "0.5", "it is the page's own setting");
  assert.equal(await page.getByRole("slider", { name: "Temperature" }).count(), 1, "one slider is on the screen");
  assert.match(page.url(), /t=0\.5/);

  await slide(page, "topK", 5);
  await page.locator(".next-cut-line").waitFor();
  assert.match(
    await page.locator(".next-cut-line").innerText(),
    /^cut off by Top-k: 2,043 tokens, [\d.]+ % of probability$/,
  );
  const cut = await rows(page);
  assert.equal(cut.filter(({ drawn }) => drawn === "cut off").length, 15);
  assert.ok(cut.slice(5).every(({ bars }) => bars[1] === "scaleX(0)"));
  assert.match(await facts(), /5 of 2,048 tokens/);
  await page.locator(".next-table summary").click();
  await page.locator(".next-table tbody tr").first().waitFor();
  assert.equal(await page.locator(".next-table tbody tr").count(), 20, "the chart as a table");
  assert.deepEqual(await violations(page, ".inspect-panel"), []);
  // And back, from the page's own slider.
  await page.locator(".settings .control:has(#setting-topK) input[type=range]").evaluate((slider) => {
    /** @type {HTMLInputElement} */ (slider).value = "0";
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.locator(".next-cut-line").waitFor({ state: "detached" });
  await button(page, "Model's own odds").click();
  await page.waitForFunction((old) => document.querySelector(".next-facts")?.textContent === old, first);
  assert.deepEqual(await rows(page), own, "exactly as at first");
  await close();
});

test("one switch: instead of the chosen token, or after it; what stands there is marked", async () => {
  const text = "Once upon a time there was a king who";
  const { page, close } = await openNext(new URLSearchParams({ text, t: "1", token: "8" }).toString());
  const marked = page.locator(".next-follows .next-token");
  const instead = page.getByRole("radio", { name: "Instead of this" });
  assert.ok(await instead.isChecked(), "of a chosen token, what could have stood instead comes first");
  await marked.filter({ hasText: "␣king" }).waitFor();
  assert.equal(await page.locator(".next-selected").innerText(), "␣king");
  const own = page.locator(".next-follows .next-p").first();
  assert.equal(await own.innerText(), await page.locator(".card-probability dd").innerText(), "as the card says");
  await instead.focus();
  await page.keyboard.press("ArrowRight");
  await marked.filter({ hasText: "␣who" }).waitFor();
  assert.equal(await page.locator(".next-gap").innerText(), "?");
  await page.keyboard.press("ArrowLeft");
  await marked.filter({ hasText: "␣king" }).waitFor();
  const other = page.locator(".next-row:not(.next-follows)").first();
  const token = (await other.locator(".next-token").innerText()).replace("␣", " ");
  await other.click();
  await page.waitForFunction(
    (start) => document.querySelector("textarea")?.value.startsWith(start),
    `Once upon a time there was a${token}`,
  );
  await ready(page);
  assert.deepEqual(await violations(page, ".inspect-panel"), []);
  await close();
});

test("while the model writes, the bars are its records of the newest token; then of what comes next", async () => {
  // Enough to take more than a moment on a quick machine.
  const { page, close } = await openNext("n=900&end=0&seed=5");
  await page.evaluate(() => {
    const seen = /** @type {{ at: number, text: string, rows: number, marked: number, asked: boolean }[]} */ ([]);
    Object.assign(globalThis, { seen });
    const context = /** @type {Element} */ (document.querySelector(".next-context"));
    new MutationObserver(() => {
      if (!document.querySelector(".next-live") || !document.querySelector(".primary.busy")) return;
      const rows = [...document.querySelectorAll(".next-row")];
      seen.push({
        at: performance.now(),
        text: context.textContent ?? "",
        rows: rows.length,
        marked: document.querySelectorAll(".next-follows").length,
        asked: document.querySelector(".next-facts.stale") !== null,
      });
    }).observe(context, { subtree: true, childList: true, characterData: true });
  });
  await button(page, "Generate").click();
  await page.waitForFunction(() => (document.querySelector("textarea")?.value.length ?? 0) > 40);
  await ready(page);
  await page.locator(".next-live").waitFor({ state: "detached" });
  const seen = await page.evaluate(() => /** @type {any} */ (globalThis).seen);
  assert.ok(seen.length >= 1, "the bars followed");
  for (const { rows: count, marked, asked } of seen)
    assert.ok((count === 10 || count === 11) && marked === 1 && !asked);
  for (let at = 1; at < seen.length; at += 1) assert.ok(seen[at].at - seen[at - 1].at > 80, "about ten times a second");
  // Of what the heading names otherwise than it stands in the text (spaces, line ends, parts of characters) nothing is
  // compared.
  const plain = (/** @type {string} */ text) => text.replace(/⟨[^⟩]*⟩/g, "").replace(/[^\x21-\x7e]/g, "");
  const text = plain(await paper(page).inputValue());
  for (const { text: shown } of seen) {
    assert.ok(text.includes(plain(shown)), `what it shows stands in the text: ${shown}`);
    assert.ok(!shown.includes("∅"), `every token shows something: ${shown}`);
  }
  assert.ok(plain(seen.at(-1).text).length > 10, "the end of the text, not a token alone");
  assert.equal(await page.locator(".next-row").count(), 20, "then the whole distribution");
  assert.equal(await page.locator(".next-gap").innerText(), "?");
  await close();
});

for (const [width, height] of [
  [1280, 720],
  [1280, 800],
  [1440, 900],
  [390, 844],
]) {
  test(`bars can be seen without scrolling: ${width} x ${height}`, async () => {
    const { page, close } = await openNext("", { viewport: { width, height } });
    const visible = () =>
      page.evaluate(() => {
        const [root, scroll, panel] = [".inspector", ".inspect-scroll", ".inspect-panel"].map((name) =>
          /** @type {Element} */ (document.querySelector(name)).getBoundingClientRect(),
        );
        const rows = [...document.querySelectorAll(".next-row")].filter((row) => {
          const { left, right, top, bottom } = row.getBoundingClientRect();
          return (
            bottom <= scroll.bottom && row.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2))
          );
        });
        return { panel: panel.top - root.top, rows: rows.length };
      });
    const first = await visible();
    assert.ok(first.panel < 330, `the panel begins ${first.panel} px below the inspector's top`);
    assert.ok(first.rows >= 2, `${first.rows} rows are seen, with the examples above`);
    await paper(page).fill("Once upon a time there was a");
    await page.locator(".next-selected", { hasText: "␣a" }).waitFor();
    await page.waitForFunction(() => !document.querySelector(".next-facts.stale"));
    assert.equal(await page.locator(".examples[open]").count(), 0, "who has written something needs no examples");
    assert.ok((await visible()).rows >= 4, `${(await visible()).rows} rows are seen`);
    await page.reload();
    await ready(page);
    await page.locator(".next-row").first().waitFor();
    assert.equal(await page.locator(".examples[open]").count(), 0, "nor later");
    // An example brings its picture into view.
    await page.locator(".examples summary").click();
    await page.getByText("A head that knows when").click();
    const views = page.locator(".attention-views[aria-busy=false]");
    await views.waitFor();
    await page.waitForFunction(() => {
      const [scroll, picture] = [".inspect-scroll", ".attention-views"].map((name) =>
        /** @type {Element} */ (document.querySelector(name)).getBoundingClientRect(),
      );
      return picture.top >= scroll.top && (picture.bottom <= scroll.bottom || picture.top < scroll.top + 24);
    });
    await close();
  });
}

test("any token can be found, with its probability and its rank", async () => {
  const { page, close } = await openNext("k=40&p=1&rp=1");
  await paper(page).fill("Once upon a time there was a");
  await page.locator(".next-selected", { hasText: "␣a" }).waitFor();
  await page.getByLabel("Find a token").fill("ice");
  await page.getByText(/tokens with “ice”/).waitFor();
  const found = await rows(page);
  assert.ok(found.length > 0 && found.every(({ token }) => token.includes("ice")), JSON.stringify(found));
  assert.ok(
    found.every(({ rank }) => Number(rank.replace(",", "")) > 40),
    "rare here",
  );
  assert.ok(found.every(({ drawn }) => drawn === "cut off"));
  const { length } = found;
  assert.deepEqual(found.map(({ rank }) => Number(rank.replace(",", ""))).sort((a, b) => a - b).length, length);
  await page.locator(".next-row").first().hover();
  const id = /#(\d+)/.exec(await page.locator(".next-hint").innerText())?.[1];
  assert.ok(id);
  await page.getByLabel("Find a token").fill(`#${id}`);
  await page.waitForFunction(() => document.querySelectorAll(".next-row").length === 1);
  assert.deepEqual((await rows(page))[0].token, found[0].token, "by its number it is the same");
  await page.getByLabel("Find a token").fill("qqqqq");
  await page.getByText("No token contains “qqqqq”.").waitFor();
  await page.getByLabel("Find a token").press("Escape");
  await page.waitForFunction(() => document.querySelectorAll(".next-row").length === 20);
  await close();
});

test("another token is another branch; walking the tree gives the first text back exactly", async () => {
  const { page, close } = await openNext("n=24&end=0&t=0.8&seed=3");
  await paper(page).fill("Once upon a time there was a");
  await page.locator(".next-selected", { hasText: "␣a" }).waitFor();
  await button(page, "Generate").click();
  await page.waitForFunction(() => document.querySelectorAll(".paper-layer .ink-model").length >= 24);
  await ready(page);
  const first = await paper(page).inputValue();
  assert.ok(first.startsWith("Once upon a time there was a"));

  // The caret behind the prompt: what comes next there, and what was taken.
  await paper(page).press("Control+Home");
  await after(page);
  for (let i = 0; i < "Once upon a time there was a".length; i += 1) await paper(page).press("ArrowRight");
  await page.locator(".next-selected", { hasText: "␣a" }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".next-follows").length === 1);
  await page.waitForFunction(() => !document.querySelector(".next-facts.stale"));
  const other = page.locator(".next-row:not(.next-follows)").first();
  const token = (await other.locator(".next-token").innerText()).replace("␣", " ");
  await page.screenshot({ path: `${screenshots}inspect-next.png` });
  // By keyboard: to the list, to the row, Enter.
  await other.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (start) => document.querySelector("textarea")?.value.startsWith(start),
    `Once upon a time there was a${token}`,
  );
  await page.waitForFunction(() => document.querySelectorAll(".paper-layer .ink-model").length >= 24);
  await ready(page);
  const second = await paper(page).inputValue();
  assert.notEqual(second, first);

  await page.getByRole("tab", { name: "Tree" }).click();
  const items = page.getByRole("treeitem");
  await items.first().waitFor();
  assert.equal(await items.count(), 3, "what is shared, and two ways to go on");
  assert.equal(await page.locator(".tree-here").count(), 1);
  await page.locator(".tree-item[tabindex='0']").focus();
  await page.keyboard.press("F2");
  await page.keyboard.type("the other king");
  await page.keyboard.press("Enter");
  await page.locator(".tree-words strong", { hasText: "the other king" }).waitFor();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.waitForFunction((text) => document.querySelector("textarea")?.value === text, first);
  assert.equal(await items.count(), 3, "going there makes no new branch");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForFunction((text) => document.querySelector("textarea")?.value === text, second);

  // What was edited is no branch's text any more, and the branch can be put back.
  await paper(page).fill(second.slice(0, -6));
  await page.waitForFunction(() => document.querySelectorAll(".tree-here").length === 0);
  await page.locator(".tree-line", { hasText: "the other king" }).click();
  await button(page, "Show this branch").click();
  await page.waitForFunction((text) => document.querySelector("textarea")?.value === text, second);
  await page.waitForFunction(() => document.querySelectorAll(".tree-here").length === 1);
  assert.equal(await items.count(), 3);

  await page.locator(".tree-compare").scrollIntoViewIfNeeded();
  const sides = await page.locator(".tree-rest").allInnerTexts();
  assert.equal(sides.length, 2);
  assert.notEqual(sides[0], sides[1]);
  await page.locator(".tree-list").scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${screenshots}inspect-tree.png` });

  assert.deepEqual(await violations(page, ".inspect-panel"), []);

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(".tree").getByRole("button", { name: /JSON/ }).first().click(),
  ]);
  const path = /** @type {string} */ (await download.path());
  const file = JSON.parse(readFileSync(path, "utf8"));
  assert.equal(download.suggestedFilename(), "branches.json");
  assert.deepEqual(
    file.branches.map((/** @type {any} */ branch) => branch.text),
    [first, second],
  );
  assert.ok(file.runs.some((/** @type {any} */ run) => run.token && run.token.logprob <= 0));

  await page.locator(".tree-item[tabindex='0']").focus();
  await page.keyboard.press("Delete");
  await page.getByText("“the other king” was deleted.").waitFor();
  assert.equal(await items.count(), 1);
  await page.locator(".tree-removed").getByRole("button", { name: "Undo" }).click();
  assert.equal(await items.count(), 3);
  await page.keyboard.press("Delete");
  await page.getByText("“the other king” was deleted.").waitFor();
  await page.locator(".tree input[type=file]").setInputFiles(path);
  await page.getByText("1 new branch from").waitFor();
  assert.equal(await items.count(), 3);

  // What the browser has no more room for is said before a reload loses it.
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
  });
  await page.locator(".tree-item[tabindex='0']").focus();
  await page.keyboard.press("F2");
  await page.keyboard.type("a name that there is no room for");
  await page.keyboard.press("Enter");
  await page.getByText("Your texts could not be saved in this browser.").waitFor();
  await close();
});

test("on a phone both fit, in Chinese and in the dark", async () => {
  const { page, close } = await openNext(
    "n=16&end=0",
    { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true },
    "zh",
  );
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  await page.locator(".next-chart").evaluate((chart) => chart.scrollIntoView());
  await page.screenshot({ path: `${screenshots}inspect-next-phone.png` });
  await page.locator(".next-row").nth(2).scrollIntoViewIfNeeded();
  await page.locator(".next-row").nth(2).tap();
  await ready(page);
  await page.getByRole("tab", { name: "分支" }).click();
  await page.getByRole("treeitem").first().waitFor();
  await page.locator(".tree-list").scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${screenshots}inspect-tree-phone.png` });
  await close();
});

test("a branch that was deleted stays deleted over a reload, though its text still stands on the paper", async () => {
  const { page, close } = await openPage(
    browser,
    `${site.url}?backend=cpu#${new URLSearchParams({ lang: "en", see: "tree", n: "8", text: "Once upon a time there was a king." })}`,
  );
  await ready(page);
  await paper(page).press("Control+End");
  for (const name of ["Generate", "Try another"]) {
    await button(page, name).click();
    await page.locator(".primary:not(.busy)").waitFor();
    await page.locator(".tree-mark").waitFor();
  }
  await page.waitForFunction(() => document.querySelectorAll(".tree-item:not([aria-expanded])").length === 2);
  assert.match(
    await page.locator(".tree-sides option").first().innerText(),
    /^1 · /,
    "branches are told apart by their numbers",
  );
  await page.getByRole("treeitem").last().click();
  await page.locator(".tree-actions").getByRole("button", { name: "Delete" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".tree-item").length === 1);
  await page.reload();
  await ready(page);
  await page.locator(".tree-item").first().waitFor();
  await page.locator(".paper-layer .tint").first().waitFor();
  assert.equal(await page.locator(".tree-item").count(), 1);
  assert.equal(await page.locator(".tree-mark").count(), 0);
  await close();
});

test("what stands before every text is explained; a rare token has a number; a search that finds nothing says why", async () => {
  const fragment = new URLSearchParams({ lang: "en", see: "next", text: "The wolf", token: "0" });
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#${fragment}`);
  await ready(page);
  await page.locator(".card-first", { hasText: /\S/ }).waitFor();
  assert.match(
    await page.locator(".card-first").innerText(),
    /^This token is not in your text: it is put in front of every text/,
  );
  assert.doesNotMatch(await page.locator(".card-facts").innerText(), /bytes/);
  assert.equal(await page.locator(".paper-layer .selected").count(), 0);
  await page.getByText("Nothing stands before this token").waitFor();
  await after(page);
  const search = page.getByPlaceholder("any text, or #id");
  const said = page.locator("p.hint[role=status]", { hasText: /\S/ }).first();
  for (const [query, words] of /** @type {const} */ ([
    ["#99999", "There is no token #99999: the vocabulary has 2,048, with ids from 0 to 2,047."],
    ["的", "No token is “的” as a whole: this character is made of several tokens, each of one or more of its bytes."],
    ["xyzzy", "No token contains “xyzzy”. A longer word is made of several tokens: try a part of it."],
    ["wolf", "1 token with “wolf”"],
  ])) {
    await search.fill(query);
    await said.filter({ hasText: query }).waitFor();
    assert.equal(await said.innerText(), words);
  }
  assert.match(await page.locator(".next-row .next-p").first().innerText(), /^(0\.\d+|\d\.\d·10⁻[⁰¹²³⁴-⁹]+) %$/);
  await page.locator("#next-topK").evaluate((field) => {
    /** @type {HTMLInputElement} */ (field).value = "99999";
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await page.waitForURL(/k=2048/);
  await close();
});
