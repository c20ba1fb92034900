// @ts-check
// The logit lens in the real page: its numbers beside the other views', its window, keyboard, files and looks.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { openPage, ready, screenshots } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

const TEXT = 'The wolf met the little girl in the wood. "Good morning," said the wolf. "Where are you going so early';
/** The tokens of the shipped model in `TEXT`, with the one that opens every document. */
const COUNT = 28;
/** @param {string} view further parts of the fragment @param {string} [backend] @param {string} [lang] */
const address = (view, backend = "cpu", lang = "en") =>
  `${site.url}?backend=${backend}#lang=${lang}&see=lens&text=${encodeURIComponent(TEXT)}&${view}`;

/** @typedef {import("playwright-core").Page} Page */
/** The map shows the layers of every token in the window. @param {Page} page */
const shown = async (page) => {
  await ready(page);
  await page.locator('.lens-grid[aria-busy="false"]').waitFor();
  await page.locator(".lens-list tbody tr").first().waitFor();
};
/** @param {Page} page @param {number} level @param {number} column */
const cell = (page, level, column) =>
  page
    .locator(".lens-grid tbody tr")
    .nth(5 - level)
    .locator("td")
    .nth(column);
/** "12.3 %" as a number. @param {string} text */
const share = (text) => Number.parseFloat(text.replace("<", ""));
/** The listed tokens of a level of the selected position, likeliest first. @param {Page} page @param {number} level */
const listed = async (page, level) => {
  const items = await page
    .locator(".lens-list tbody tr")
    .nth(5 - level)
    .locator("li")
    .allInnerTexts();
  return items.map((item) => {
    const at = item.lastIndexOf(" ", item.lastIndexOf(" ") - 1);
    return { token: item.slice(0, at).trim(), p: share(item.slice(at)) };
  });
};

for (const backend of ["cpu", "webgpu"]) {
  test(`the last level is the model's answer on ${backend}`, async () => {
    const { page, close } = await openPage(browser, address("token=27", backend));
    await shown(page);
    const last = await listed(page, 5);
    assert.equal(last.length, 5);
    assert.equal(last[0].token, '?"');
    assert.ok(Math.abs(last[0].p - 67.1) < 0.2, "as another library computes it");
    assert.equal(await cell(page, 5, 7).innerText(), '?"');
    const below = await listed(page, 4);
    assert.equal(below[0].token, "␣to", "the question mark comes with the last layer");
    assert.ok(Math.abs(below[0].p - 19.8) < 0.2, "as another library computes it");
    assert.equal((await listed(page, 0))[0].token, "ly", "the embedding says the token itself: both share one table");

    await page.getByRole("tab", { name: "Next" }).click();
    await page.locator("label", { hasText: "After this" }).click();
    await page.locator(".next-gap", { hasText: "?" }).waitFor();
    for (const [i, { token, p }] of last.entries()) {
      const row = page.locator(".next-row").nth(i);
      assert.equal((await row.locator(".next-token").innerText()).trim(), token);
      assert.ok(Math.abs(share(await row.locator(".next-p").first().innerText()) - p) < 0.11, `${token} ${p}`);
    }
    await close();
  });
}

test("what really follows as the target: its rank, its probability, and none after the last token", async () => {
  const { page, close } = await openPage(browser, address("token=20"));
  await shown(page);
  await page.getByText("what follows", { exact: true }).click();
  await page.locator(".lens-grid thead").waitFor();
  await page.locator('.lens-grid[aria-busy="false"]').waitFor();
  const tokens = (await page.locator(".lens-grid tfoot th[scope=col]").allInnerTexts()).map((text) => text.trim());
  const follows = (await page.locator(".lens-grid thead td").allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(follows.slice(0, -1), tokens.slice(1), "every token follows the one before it");
  assert.match(await page.locator(".lens-words").innerText(), /Target: here, the token that really follows/);
  const rank = Number(await page.locator(".lens-list tbody tr").first().locator("td").nth(1).innerText());
  const top = await listed(page, 5);
  const place = top.findIndex(({ token }) => token === "here");
  if (place >= 0) assert.equal(rank, place + 1);
  else assert.ok(rank > 5);

  // The surprise of the token that follows is what the card says of it.
  const p = share(await page.locator(".lens-list tbody tr").first().locator("td").nth(0).innerText());
  await page.getByRole("button", { name: "Next token" }).click();
  await page.locator(".lens-grid tfoot th.lens-chosen", { hasText: "here" }).waitFor();
  assert.ok(Math.abs(share(await page.locator(".card-probability dd").innerText()) - p) < 0.11);

  await cell(page, 5, 0).focus();
  for (let i = 0; i < COUNT; i += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.locator(".lens-words", { hasText: "Nothing follows this token yet" }).waitFor();
  await page.getByText("target", { exact: true }).click();
  assert.equal(
    await page
      .locator(".lens-grid tbody td.lens-chosen")
      .first()
      .evaluate((td) => td.style.background),
    "",
    "no target, no colour",
  );
  await close();
});

test("keyboard: focus moves through the grid, the window follows and fetches, Enter selects", async () => {
  const { page, close } = await openPage(browser, address("token=27"));
  await shown(page);
  assert.equal(
    await page.locator(".lens-grid tbody td[tabindex='0']").count(),
    1,
    "one cell takes part in the order of Tab",
  );
  const columns = await page.locator(".lens-grid tfoot th[scope=col]").count();
  assert.match(
    await page.locator(".lens-bar").innerText(),
    new RegExp(`tokens ${COUNT - columns + 1} to ${COUNT} of ${COUNT}`),
  );
  await page.locator(".lens-grid tbody td[tabindex='0']").focus();
  for (let i = 0; i < columns; i += 1) await page.keyboard.press("ArrowLeft");
  assert.match(await page.locator(".lens-bar").innerText(), new RegExp(`tokens ${COUNT - columns} to ${COUNT - 1} of`));
  await page.locator('.lens-grid[aria-busy="false"]').waitFor();
  await page.keyboard.press("ArrowDown");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
  assert.match(await focused(), /^Layer 3, after “/);
  assert.equal((await page.locator(".lens-readout").innerText()).trim(), await focused(), "what is focused is told");
  assert.match(await focused(), /target .+: [\d.·⁻⁰¹²³⁴-⁹]+\s%, rank [\d,]+ · entropy [\d.]+ bits/);
  await page.keyboard.press("PageUp");
  await page.locator('.lens-grid[aria-busy="false"]').waitFor();
  await page.keyboard.press("Home");
  const token = /after “(.+?)”/.exec(await focused())?.[1];
  await page.keyboard.press("Enter");
  await page.locator(".lens-column h3", { hasText: `After “${token}”` }).waitFor();
  await page.waitForURL(/token=\d+/);
  assert.match(await focused(), /^Layer 3, after “/, "the focus stays where it was");
  await close();
});

test("files hold the whole text, the picture and the table what is shown", async () => {
  const { page, close } = await openPage(browser, address("token=27"));
  await shown(page);
  const columns = await page.locator(".lens-grid tfoot th[scope=col]").count();
  const save = async (/** @type {string} */ kind) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: `Save as ${kind}` }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `logit-lens.${kind.toLowerCase()}`);
    return readFileSync(await download.path());
  };
  const csv = (await save("CSV")).toString().trimEnd().split("\r\n");
  assert.ok(columns < COUNT);
  assert.equal(csv.length, 1 + 6 * COUNT);
  assert.match(csv.at(-1) ?? "", /^28,ly,5,/);
  const json = JSON.parse((await save("JSON")).toString());
  assert.equal(json.positions.length, COUNT);
  assert.equal(
    await page.locator(".lens-body > .hint").last().innerText(),
    `CSV and JSON hold all ${COUNT} tokens, the picture tokens ${COUNT - columns + 1} to ${COUNT}.`,
  );
  assert.equal(json.positions.at(-1).levels[5].top[0].text, '?"');
  assert.ok(Math.abs(Math.exp(json.positions.at(-1).levels[5].targetLogprob) - 0.671) < 0.002);
  const png = await save("PNG");
  assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  assert.ok(png.length > 10_000);
  await page.getByText("The map as a table").click();
  await page.locator(".lens-text tr").nth(1).waitFor();
  assert.equal(await page.locator(".lens-text tr").count(), 7);
  assert.match(
    await page.locator(".lens-text tr").nth(1).locator("td").last().innerText(),
    /\?" 67\.1 %\s+target \?": 67\.1 %, rank 1/,
  );
  await close();
});

test("the map follows the text, and goes with it", async () => {
  const { page, close } = await openPage(browser, address("token=27"));
  await shown(page);
  await page.locator("textarea").first().fill('"What is your name');
  await page.locator(".lens-bar span", { hasText: /of \d$/ }).waitFor();
  await page.locator('.lens-grid[aria-busy="false"]').waitFor();
  await page.locator(".lens-column h3", { hasText: "name" }).waitFor();
  assert.equal((await listed(page, 5))[0].token, '?"');
  assert.ok(Math.abs((await listed(page, 5))[0].p - 89.7) < 0.3, "as another library computes it");
  await page.locator("textarea").first().fill("");
  await page.locator(".lens-body").waitFor({ state: "hidden" });
  await close();
});

for (const [name, options] of /** @type {const} */ ([
  ["desktop", { viewport: { width: 1280, height: 900 } }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true }],
])) {
  // One theme at each width: colours do not depend on the width, nor sizes on the theme.
  for (const colorScheme of /** @type {const} */ ([name === "desktop" ? "light" : "dark"])) {
    test(`looks right: ${name}, ${colorScheme}`, async () => {
      const { page, close } = await openPage(
        browser,
        address("token=27", "cpu", colorScheme === "dark" ? "zh" : "en"),
        { ...options, colorScheme },
      );
      await shown(page);
      const room = await page.locator(".lens").evaluate((root) => ({ wide: root.scrollWidth, has: root.clientWidth }));
      // The row of quiet buttons below is indented to the left by what it sticks out to the right.
      assert.ok(room.wide <= room.has + 8, `nothing sticks out: ${room.wide} of ${room.has}`);
      const columns = await page.locator(".lens-grid tfoot th[scope=col]").count();
      assert.ok(name === "phone" ? columns >= 4 : columns >= 8 && columns <= 12, String(columns));
      await page.locator(".lens-switches").scrollIntoViewIfNeeded();
      assert.ok(
        await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight),
        "the page itself does not scroll",
      );
      assert.deepEqual(await violations(page, ".lens"), []);
      await page.locator(".lens-switches").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: `${screenshots}${name}-${colorScheme}-lens.png` });
      await close();
    });
  }
}
