// @ts-check
// The guide on the real page: by keyboard alone, by its address, on a phone, and with a model that nobody wrote about.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CHAPTERS } from "../../www/guide/chapters.js";
import { violations } from "./axe.mjs";
import { button, openPage, paper, ready, screenshots } from "./browser.mjs";
import { serveFake } from "./fake_site.mjs";
import { browser, site } from "./stage.mjs";

/** @typedef {import("playwright-core").Page} Page */

const TEXT = "Once upon a time there was a little girl who lived with her grandmother in the wood.";
const steps = CHAPTERS.flatMap(({ name, steps: own }) =>
  own.map(({ id }, at) => ({ name, id, at: `${name}.${at + 1}` })),
);
/** The page's address with a text on the paper. @param {string} more @param {string} [text] */
const address = (more, text = TEXT) => `${site.url}?backend=cpu#lang=en&text=${encodeURIComponent(text)}${more}`;
const card = (/** @type {Page} */ page) => page.locator(".guide");

/**
 * Waits until a step speaks: with its question, and something pointed at.
 * @param {Page} page @param {string} name "tokens-pieces"
 */
async function speaks(page, name) {
  await page.locator(`.guide[data-step="${name}"] .guide-choice`).first().waitFor();
  await page.locator("[data-guided]").first().waitFor();
}

/** What a step says and whether that is in the way of anything. @param {Page} page */
const layout = (page) =>
  page.evaluate(() => {
    const box = (/** @type {Element | null} */ element) => element?.getBoundingClientRect() ?? new DOMRect();
    const own = box(document.querySelector(".guide"));
    const ring = box(document.querySelector(".guide-ring"));
    return {
      covers: own.left < ring.right && ring.left < own.right && own.top < ring.bottom && ring.top < own.bottom,
      ring: ring.width > 0 && ring.height > 0,
      inside: own.left >= 0 && own.top >= 0 && own.right <= innerWidth && own.bottom <= innerHeight,
      wide: document.documentElement.scrollWidth - innerWidth,
      inner: [...document.querySelectorAll(".guide, .guide-body, .guide-foot, .guide-head")].filter(
        ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth,
      ).length,
    };
  });
const FREE = { covers: false, ring: true, inside: true, wide: 0, inner: 0 };

/**
 * Waits until what is pointed at and the card have come to rest, which is when they lie as they should.
 * @param {Page} page @param {string} where
 */
async function liesWell(page, where) {
  let now = await layout(page);
  for (let look = 0; look < 200 && JSON.stringify(now) !== JSON.stringify(FREE); look += 1) {
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    now = await layout(page);
  }
  assert.deepEqual(now, FREE, where);
}

/** Presses Tab until something has the focus. @param {Page} page @param {string} css */
async function tabTo(page, css) {
  for (let press = 0; press < 60; press += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, css)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not come to ${css}`);
}

test("all five chapters by keyboard alone, each question answered; nothing of it is loaded before", async () => {
  const { page, requests, close } = await openPage(browser, address(""));
  await ready(page);
  const guides = () => requests.filter((url) => /\/guide[/.]/.test(url) && !url.includes("/models/"));
  assert.deepEqual(guides(), [], "nothing of the guide is loaded before it is opened");
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  await tabTo(page, ".guide-button");
  await page.keyboard.press("Enter");
  for (const { name, id, at } of steps) {
    const where = `${name}-${id}`;
    if (at === "learning.3") {
      // The chapter goes on with what is on the paper.
      await page.locator(".guide-waits + button").waitFor();
      await tabTo(page, ".guide-waits + button");
      await page.keyboard.press("Enter");
    }
    await speaks(page, where);
    await page.waitForFunction((wanted) => new URLSearchParams(location.hash.slice(1)).get("guide") === wanted, at);
    assert.ok(
      await page.evaluate(() => document.activeElement?.id === "guide-title"),
      `${where}: focus is at the title`,
    );
    await liesWell(page, where);
    // The first choice, and if it is wrong the others: a right one says why.
    for (let choice = 0; ; choice += 1) {
      await tabTo(page, `.guide-choice:nth-child(${choice + 1})`);
      await page.keyboard.press("Enter");
      const verdict = await page.locator(".guide-feedback").getAttribute("data-verdict");
      assert.match(verdict ?? "", /right|wrong/, where);
      assert.equal(await page.locator(".guide-choice[aria-pressed=true]").getAttribute("data-verdict"), verdict);
      if (verdict === "right") break;
    }
    assert.match(await page.locator(".guide-feedback").innerText(), /^Right\. ./, where);
    await page.keyboard.press("ArrowRight");
  }
  // Behind the last step it closes, and begins anew the next time.
  await card(page).waitFor({ state: "hidden" });
  assert.ok(await page.evaluate(() => document.activeElement?.matches(".guide-button")), "focus is where it came from");
  assert.ok(!page.url().includes("guide="));
  await page.keyboard.press("Enter");
  await speaks(page, "tokens-pieces");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Escape");
  await card(page).waitFor({ state: "hidden" });
  await close();
});

test("an address leads to a step; chapters are entries of the history, and a step can be left and found again", async () => {
  const { page, close } = await openPage(browser, address("&guide=layers.4"));
  await speaks(page, "layers-lens");
  await page.locator("#inspect-panel .lens-grid").waitFor();
  await page.keyboard.press("ArrowRight");
  await speaks(page, "layers-rise");
  await page.keyboard.press("ArrowRight");
  await speaks(page, "learning-loss");
  await page.goBack();
  await speaks(page, "layers-rise");
  await page.goForward();
  await speaks(page, "learning-loss");
  await page.goBack();
  await speaks(page, "layers-rise");
  // The user goes elsewhere: the card stays, and shows the way back.
  await page.locator("nav").getByRole("button", { name: "Models" }).click();
  await page.locator(".guide-ring").waitFor({ state: "hidden" });
  await button(page, "Show it").click();
  await speaks(page, "layers-rise");
  await liesWell(page, "shown again");
  await page.locator(".guide-head select").selectOption("attention");
  await speaks(page, "attention-heads");
  await page.locator(".guide-head").getByRole("button", { name: "Close the guide" }).click();
  await card(page).waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.body.classList.contains("guide-docked")), false);
  await button(page, "Guide").click();
  await speaks(page, "attention-heads");
  // An address that names a step that there is not.
  await page.evaluate(() => (location.hash = "lang=en&guide=tokens.77"));
  await speaks(page, "tokens-window");
  await page.waitForFunction(() => location.hash.includes("guide=tokens.5"));
  await close();
});

test("the answers follow the page: another token, another head, another text", async () => {
  const { page, close } = await openPage(browser, address("&guide=attention.3"));
  await speaks(page, "attention-past");
  const right = async () => {
    for (const choice of await page.locator(".guide-choice").all()) {
      await choice.click();
      if ((await choice.getAttribute("data-verdict")) === "right") return choice.innerText();
    }
    return "";
  };
  assert.equal(await right(), "20");
  await page.locator(".card-step").first().click();
  await page.locator(".guide-question legend", { hasText: "wood" }).waitFor();
  assert.equal(await right(), "19");
  await page.keyboard.press("ArrowRight");
  await speaks(page, "attention-previous");
  await page.locator(".guide-note", { hasText: "at least 30.0 %" }).waitFor();
  await page.locator(".guide-head select").selectOption("tokens");
  await speaks(page, "tokens-pieces");
  assert.equal(await right(), "19");
  await paper(page).fill("Two words");
  await page.locator(".guide-choice", { hasText: /^9$/ }).waitFor();
  assert.notEqual(await right(), "19");
  // Nothing on the paper: the guide says so, and has an example.
  await paper(page).fill("");
  await page.locator(".guide-waits", { hasText: "the paper is empty" }).waitFor();
  await button(page, "Take an example").click();
  await speaks(page, "tokens-pieces");
  assert.match(await paper(page).inputValue(), /^Once upon a time there was a queen/);
  await close();
});

test("the guide goes along while the model writes, and while it learns", async () => {
  const { page, close } = await openPage(browser, address("&n=6&end=0&guide=guessing.5"));
  await speaks(page, "guessing-draw");
  const before = await page.locator(".guide-formula code").innerText();
  await page.locator("[data-guided].primary").click();
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await page.waitForFunction((old) => document.querySelector(".guide-formula code")?.textContent !== old, before);
  await speaks(page, "guessing-draw");

  // Which of its two questions the panel answers is the guide's too.
  await page.locator(".guide-head select").selectOption("guessing");
  await speaks(page, "guessing-odds");
  const after = await page.locator("#guide-text").innerText();
  await page.locator("label[for=next-instead]").click();
  await page.waitForFunction((old) => document.querySelector("#guide-text")?.textContent !== old, after);
  await page.evaluate(() => (location.hash = "lang=en&guide=learning.6"));
  await speaks(page, "learning-run");
  await page.locator(".guide-question legend", { hasText: "the same probability" }).waitFor();
  await page.locator("#train-text").fill("The lighthouse keeper counts the waves. ".repeat(30));
  await page.locator("#train-steps").fill("4");
  await page.locator("#train-steps").press("Tab");
  await page.locator(".train-memory", { hasText: "4 steps" }).waitFor();
  await page.locator(".train-go").click();
  await page.locator(".guide-question legend", { hasText: "Is the loss lower now" }).waitFor();
  await page.locator(".train-curve .chart[data-guided], .train-curve [data-guided]").first().waitFor();
  await page.locator(".train-go:not([disabled]):not([hidden])").waitFor();
  await page.locator(".guide-choice", { hasText: "Yes" }).click();
  const verdict = await page.locator(".guide-feedback").innerText();
  const [first, last] = (verdict.match(/[\d.]+\d/g) ?? []).map(Number);
  assert.equal(verdict.startsWith("Right"), last < first, verdict);
  await close();
});

test("the lines that compute a step are shown, and the whole file at that line", async () => {
  const { page, close } = await openPage(browser, address("&guide=attention.2"));
  await speaks(page, "attention-scores");
  await page.locator(".guide-code summary").click();
  const lines = page.locator(".guide-code .guide-source");
  await lines.getByText("fn score(head: u32").waitFor();
  const source = readFileSync(new URL("../../shaders/attention_probs.wgsl", import.meta.url), "utf8").split("\n");
  const line = source.findIndex((one) => one.includes("fn score(head: u32")) + 1;
  assert.equal(await lines.locator("span").first().getAttribute("data-line"), String(line));
  await button(page, `Open shaders/attention_probs.wgsl at line ${line}`).click();
  const viewer = page.locator("dialog.guide-viewer");
  await viewer.waitFor();
  assert.equal(await viewer.locator(".guide-source span").count(), source.length);
  assert.match(await viewer.locator(".guide-marked").first().innerText(), /fn score/);
  assert.ok(await viewer.locator(".guide-marked").first().isVisible());
  assert.deepEqual(await violations(page, ".guide-viewer"), []);
  await page.keyboard.press("Escape");
  await viewer.waitFor({ state: "detached" });
  await speaks(page, "attention-scores");

  // Where the page names the sources' repository, links lead there.
  await page.route(/\/(\?[^/]*)?$/, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(
      '"repository" content=""',
      '"repository" content="https://host.test/me/it"',
    );
    await route.fulfill({ response, body });
  });
  await page.reload();
  await speaks(page, "attention-scores");
  await page.locator(".guide-code summary").click();
  const link = page.locator("a.guide-link");
  await link.waitFor();
  assert.equal(
    await link.getAttribute("href"),
    `https://host.test/me/it/blob/HEAD/shaders/attention_probs.wgsl#L${line}`,
  );
  await close();
});

for (const [width, height, lang] of /** @type {const} */ ([
  [390, 844, "en"],
  [320, 568, "zh"],
])) {
  test(`on a phone of ${width} pixels no step covers what it points at, and nothing overflows`, async () => {
    const options = { viewport: { width, height }, hasTouch: true, reducedMotion: /** @type {const} */ ("reduce") };
    const { page, close } = await openPage(
      browser,
      address("&guide=tokens.1").replace("lang=en", `lang=${lang}`),
      options,
    );
    for (const { name, id } of steps) {
      const take = page.locator(".guide-waits + button:visible");
      await page
        .locator(`.guide[data-step="${name}-${id}"] :is(.guide-choice, .guide-waits + button:not([hidden]))`)
        .first()
        .waitFor();
      if (await take.count()) await take.click();
      await speaks(page, `${name}-${id}`);
      await liesWell(page, `${name}-${id}`);
      if (id === "pieces") {
        assert.deepEqual(await violations(page), []);
        await page.screenshot({ path: `${screenshots}/guide-${width}.png` });
      }
      await page.locator(".guide-next").click();
    }
    await card(page).waitFor({ state: "hidden" });
    await close();
  });
}

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe-core finds nothing in the guide: ${colorScheme}`, async () => {
    const options = {
      viewport: { width: 1440, height: 900 },
      colorScheme,
      reducedMotion: /** @type {const} */ ("reduce"),
    };
    const { page, close } = await openPage(browser, address("&guide=guessing.1"), options);
    await speaks(page, "guessing-odds");
    await page.locator(".guide-choice").first().click();
    await page.locator(".guide-choice").last().click();
    await page.locator(".guide-code summary").click();
    await page.locator(".guide-code .guide-source span").first().waitFor();
    assert.deepEqual(await violations(page), []);
    await page.screenshot({ path: `${screenshots}/guide-${colorScheme}.png` });
    await close();
  });
}

test("of a model from disk the guide says what it found", async () => {
  const { page, close } = await openPage(browser, address("&guide=attention.4"));
  await page.locator(".guide-note", { hasText: "on a longer text" }).waitFor();
  const folder = new URL("../../www/models/storyteller/", import.meta.url);
  const files = ["config.json", "tokenizer.json", "model.safetensors"].map((name) => ({
    name,
    mimeType: "application/octet-stream",
    buffer: readFileSync(new URL(name, folder)),
  }));
  await page.locator("#pick").setInputFiles(files);
  await page.locator(".guide-note", { hasText: "Found in your text just now" }).waitFor();
  await liesWell(page, "another model");
  await close();
});

test("where the guide does not come the page says so, and asks for it again", async () => {
  const fake = await serveFake({ broken: /^www\/guide\// });
  const { page } = await openPage(browser, `${fake.url}?backend=cpu#lang=en`);
  await ready(page);
  await button(page, "Guide").click();
  await page.locator(".message", { hasText: "The guide could not be loaded." }).waitFor();
  assert.equal(await page.locator(".guide-button").getAttribute("aria-expanded"), "false");
  await page.context().close();
  await fake.stop();
});
