// @ts-check
// The inspector in the real page: tokens and surprise, keys, links, what is switched off, phones, access for everyone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { button, coloured, launch, openPage, paper, ready, screenshots } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

const model = new URL("../../www/models/storyteller/", import.meta.url);

const TABS = ["Next", "Surprise", "Tree", "Attention", "Layers", "Heads", "Flow", "Compare"];
const QUESTION =
  'The wolf met the little girl in the wood. "Good morning," said the wolf. "Where are you going so early';
/** @param {Record<string, string>} params */
const hash = (params) => `?backend=cpu#${new URLSearchParams({ lang: "en", ...params })}`;
/** @param {import("playwright-core").Page} page @param {string} name */
const figure = (page, name) => page.locator(".card-figures div", { hasText: name }).locator("dd").innerText();
/** @param {import("playwright-core").Page} page */
const selected = (page) => page.locator(".paper-layer .selected").textContent();

test("tokens and surprise: colours, the card, keys, a click, and the switch", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION }));
  await ready(page);
  await coloured(page);
  assert.equal(
    (await page.locator(".paper-layer").textContent())?.replace("\u200b", ""),
    QUESTION,
    "colours move no character",
  );
  const classes = await page
    .locator(".paper-layer span")
    .evaluateAll((spans) => new Set(spans.map((span) => span.className)).size);
  assert.ok(classes > 4, "some tokens are more surprising than others");
  const line = (await page.locator(".card-line").boundingBox())?.height ?? 0;
  assert.ok(line > 20 && line <= 36, "the token's facts are one line");
  assert.ok(((await page.locator(".card").boundingBox())?.height ?? 0) < line + 16, "and nothing else is below it");
  await button(page, "Details of the token").click();
  assert.match(await page.locator(".card").innerText(), /ly[\s\S]*token 28 of 28[\s\S]*bytes 6C 79/);
  assert.match(await figure(page, "Probability"), /^8\d\.\d %$/);

  await paper(page).press("Alt+Comma");
  await page.waitForFunction(() => document.querySelector(".selected")?.textContent === " ear");
  await page.waitForFunction(() => location.hash.includes("token=26"));
  const box = await page
    .locator(".paper-layer span", { hasText: /^ wolf$/ })
    .first()
    .boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + box.width * 0.8, box.y + box.height / 2);
  await page.waitForFunction(() => document.querySelector(".card-token")?.textContent === "␣wolf");
  assert.equal(await selected(page), " wolf");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2 + 1);
  const tip = page.locator(".tip", { hasText: "bits" });
  await tip.waitFor();
  // The tip says of the token under the pointer what the card says of the selected one, which is the same here.
  const id = /id \d+/.exec(await page.locator(".card-facts").innerText())?.[0];
  const [probability, rank] = [await figure(page, "Probability"), await figure(page, "Rank")];
  const lines = (await tip.innerText()).split("\n");
  assert.deepEqual(lines.slice(0, 4), [
    "␣wolf",
    `${id} · bytes 20 77 6F 6C 66`,
    `${probability} · rank ${rank} · ${await figure(page, "Surprise")}`,
    `entropy ${await figure(page, "Entropy")}`,
  ]);
  const bars = await tip.locator(".card-bar").evaluateAll((all) =>
    all.map((bar) => {
      const { width, height } = bar.getBoundingClientRect();
      return width > 16 && height > 2
        ? Number.parseFloat(/** @type {HTMLElement} */ (bar).style.getPropertyValue("--share"))
        : NaN;
    }),
  );
  assert.equal(bars.length, 10, "ten bars are seen");
  assert.ok(
    bars[0] === 100 && bars.every((share, at) => share > 0 && share <= (bars[at - 1] ?? 100)),
    `the likeliest first: ${bars}`,
  );
  // A token that stands where it was expected is marked among them.
  const the = await page.locator(".paper-layer span", { hasText: /^ little$/ }).boundingBox();
  assert.ok(the);
  await page.mouse.move(the.x + the.width / 2, the.y + the.height / 2 + 1);
  await page.locator(".tip strong", { hasText: "little" }).waitFor();
  assert.deepEqual(await page.locator(".tip .own .card-bar-name").allInnerTexts(), ["␣little"]);
  // The caret leads the selection; typing keeps it at the token before the caret.
  await paper(page).press("Control+End");
  await page.waitForFunction(() => document.querySelector(".selected")?.textContent === "ly");
  await page.keyboard.type("?");
  await page.waitForFunction(() => document.querySelector(".card-token")?.textContent === "?");
  await page.locator("#surprise").uncheck();
  assert.equal(await page.locator(".paper-layer .tint").count(), 0);
  await close();
});

test("an alternative is continued from, and an edit in the middle is scored anew", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION, n: "6", end: "0" }));
  await ready(page);
  await coloured(page);
  await paper(page).press("Alt+Comma");
  await page.waitForFunction(() => document.querySelector(".card-token")?.textContent === "␣ear");
  // What could stand instead of the chosen token is what one sees first.
  assert.ok(await page.getByRole("radio", { name: "Instead of this" }).isChecked());
  await page.locator(".next-follows", { hasText: "␣ear" }).waitFor();
  const other = page.locator(".next-row:not(.next-follows)").first();
  const name = await other.locator(".next-token").innerText();
  await other.focus();
  await page.keyboard.press("Enter");
  await page.locator(".primary:not(.busy)").waitFor();
  const text = await paper(page).inputValue();
  const before = QUESTION.slice(0, -" early".length);
  assert.ok(text.startsWith(before + name.replaceAll("␣", " ")), `${name}: ${text}`);
  assert.equal(await page.locator(".paper-layer .ink-model").first().textContent(), name.replaceAll("␣", " "));
  await button(page, "Undo").click();
  assert.equal(await paper(page).inputValue(), QUESTION, "one press takes it back");
  await coloured(page);
  await close();
});

test("the line between paper and inspector is moved by keys and pointer, and stays where it was put", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION, see: "attention" }));
  await ready(page);
  await coloured(page);
  const divider = page.getByRole("separator", { name: "Width of the inspector" });
  const width = async () => (await page.locator("#inspector").boundingBox())?.width ?? 0;
  const share = async () => Number(await divider.getAttribute("aria-valuenow"));
  const [before, now] = [await width(), await share()];
  await divider.focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await share(), now + 2);
  assert.ok((await width()) > before);
  const box = await divider.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 8, box.y + 300);
  await page.mouse.down();
  await page.mouse.move(560, box.y + 300);
  await page.mouse.up();
  const dragged = await width();
  assert.ok(Math.abs(dragged - 720) < 14, `${dragged}`);
  // There is room for the grid of heads and the chosen head side by side.
  const [grid, one] = await Promise.all(
    [".attention-scroll", ".attention-one"].map((name) => page.locator(name).boundingBox()),
  );
  assert.ok(grid && one && one.x >= grid.x + grid.width && Math.abs(one.y - grid.y) < 60);
  assert.deepEqual(await violations(page, "#inspector"), []);
  await page.reload();
  await coloured(page);
  assert.equal(await width(), dragged, "after a reload too");
  await divider.dblclick();
  assert.equal(await width(), before);
  await close();
});

test("nothing jumps when the inspector comes, nor when a link is copied", async () => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  await context.addInitScript(() => {
    Object.assign(globalThis, { shifts: 0 });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) /** @type {any} */ (globalThis).shifts += /** @type {any} */ (entry).value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  const page = await context.newPage();
  await page.goto(site.url + hash({ text: QUESTION }));
  await ready(page);
  await coloured(page);
  const shifts = await page.evaluate(() => /** @type {any} */ (globalThis).shifts);
  assert.ok(shifts < 0.1, `the layout shifted by ${shifts}`);
  const withText = page.getByRole("button", { name: "Copy link with text" });
  const before = await withText.boundingBox();
  await page.getByRole("button", { name: "Copy link", exact: true }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.deepEqual(await withText.boundingBox(), before, "the other button stays where it is");
  await context.close();
});

test("the first line of a long text is not left under the fade", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: "The king had three sons.\n".repeat(60) }));
  await ready(page);
  const scroll = page.locator(".paper-scroll");
  await paper(page).press("Control+Home");
  for (let line = 0; line < 40; line += 1) await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => /** @type {any} */ (document.querySelector(".paper-scroll")).scrollTop > 400);
  await page.keyboard.press("Control+Home");
  await page.waitForFunction(() => /** @type {any} */ (document.querySelector(".paper-scroll")).scrollTop < 60);
  const [top, first] = await Promise.all([
    scroll.evaluate((element) => element.getBoundingClientRect().top),
    page
      .locator(".paper-layer span")
      .first()
      .evaluate((span) => span.getClientRects()[0].top),
  ]);
  const fades = await scroll.evaluate((element) => element.classList.contains("more-above"));
  assert.ok(!fades || first - top >= 32, `${first - top} px below the top`);
  await close();
});

test("on a phone a tap on a word selects it, and neither pulls up the keyboard nor moves the word", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION, see: "next" }), {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await ready(page);
  await coloured(page);
  const word = page.locator(".paper-layer span", { hasText: /^ girl$/ }).first();
  const box = await word.boundingBox();
  assert.ok(box);
  const tap = () => page.touchscreen.tap(box.x + box.width * 0.6, box.y + box.height / 2);
  await tap();
  await page.locator(".paper-layer .selected", { hasText: "girl" }).waitFor();
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
  assert.deepEqual(await word.boundingBox(), box, "the word stays where it is");
  await tap();
  await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");
  await close();
});

test("all tokens as a table: what the card says, a selection by key and click, and the whole text as files", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION, see: "surprise" }));
  await ready(page);
  await coloured(page);
  const rows = page.locator(".tokens-table tbody tr");
  assert.equal(await rows.count(), 0, "closed it costs nothing");
  await page.locator(".card-tokens > summary").click();
  const current = page.locator(".tokens-table tr[aria-current=true]");
  await current.waitFor();
  assert.equal(await rows.count(), 28);
  const cells = () => current.locator("th, td").allInnerTexts();
  /** The selected row says what the card says. @param {number} position @param {string} token */
  const same = async (position, token) => {
    await page.locator(".card-facts", { hasText: `token ${position} of 28` }).waitFor({ state: "attached" });
    const figures = await page.locator(".card-figures dd").allTextContents();
    const id = /id (\d+)/.exec(await page.locator(".card-facts").innerText())?.[1];
    assert.deepEqual(await cells(), [String(position), token, id, ...figures]);
    const seen = await current.evaluate((row) => {
      const [inner, outer] = [row, /** @type {Element} */ (row.closest(".tokens-scroll"))].map((element) =>
        element.getBoundingClientRect(),
      );
      return inner.top >= outer.top && inner.bottom <= outer.bottom;
    });
    assert.ok(seen, `token ${position} is in view`);
  };
  await same(28, "ly");
  await current.locator("button").focus();
  await page.keyboard.press("ArrowUp");
  await same(27, "␣ear");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "␣ear");
  assert.equal(await selected(page), " ear");
  await page.keyboard.press("Home");
  await page.locator(".card-facts", { hasText: "token 1 of 28" }).waitFor({ state: "attached" });
  await rows.nth(2).click();
  await same(3, "␣wolf");

  const saved = async (/** @type {string} */ kind) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".card-tokens .save-row button", { hasText: kind }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `tokens.${kind.toLowerCase()}`);
    return readFileSync(await download.path());
  };
  const { text, tokens } = JSON.parse((await saved("JSON")).toString("utf8"));
  assert.equal(text, QUESTION);
  assert.equal(
    tokens
      .map((/** @type {any} */ token) => token.text)
      .slice(1)
      .join(""),
    QUESTION,
  );
  assert.equal(
    Buffer.from(
      tokens
        .map((/** @type {any} */ token) => token.bytes_hex)
        .join("")
        .replaceAll(" ", ""),
      "hex",
    ).toString("utf8"),
    QUESTION,
  );
  const [id, , rank, probability] = (await cells()).slice(2);
  const wolf = tokens[2];
  assert.deepEqual(
    [String(wolf.id), wolf.position_from_1, wolf.rank_from_1, wolf.alternatives.length],
    [id, 3, Number(rank), 10],
  );
  assert.ok(
    Math.abs(100 * wolf.probability - Number.parseFloat(probability)) < 0.05 &&
      Math.abs(wolf.surprise_bits * Math.LN2 + wolf.logprob_nats) < 1e-5,
  );
  assert.equal(tokens[0].logprob_nats, null);
  const csv = (await saved("CSV")).toString("utf8").trimEnd().split("\r\n");
  assert.equal(
    csv[0],
    "position_from_1,id,text,bytes_hex,logprob_nats,probability,rank_from_1,entropy_nats,surprise_bits",
  );
  assert.equal(csv.length, 29);
  assert.equal(
    csv[3],
    [
      3,
      wolf.id,
      " wolf",
      wolf.bytes_hex,
      wolf.logprob_nats,
      wolf.probability,
      wolf.rank_from_1,
      wolf.entropy_nats,
      wolf.surprise_bits,
    ].join(","),
  );
  // Sorted by surprise, the most surprising token stands first; the word that it is in, too.
  await page.locator(".tokens-table thead button", { hasText: "Surprise" }).click();
  await page.locator(".tokens-table th[aria-sort=descending]").waitFor();
  const most = tokens.reduce((/** @type {any} */ one, /** @type {any} */ other) =>
    (other.surprise_bits ?? 0) > (one.surprise_bits ?? 0) ? other : one,
  );
  assert.equal(await rows.first().locator("td").first().innerText(), String(most.position_from_1));
  assert.equal(await page.locator(".surprise-row").count(), 10);
  const known = tokens.slice(1).map((/** @type {any} */ token) => token.surprise_bits);
  const mean = known.reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0) / known.length;
  const summary = await page.locator(".surprise-summary dd").allInnerTexts();
  assert.deepEqual(summary, [`${mean.toFixed(2)} bits per token`, (2 ** mean).toFixed(1)]);
  const word = page.locator(".surprise-row", { hasText: "early" });
  await word.click();
  await page.waitForFunction(() => document.querySelector(".paper-layer .selected")?.textContent === " ear");
  const png = await saved("PNG");
  assert.deepEqual([png.readUInt32BE(16), png.subarray(1, 4).toString()], [2 * 948, "PNG"]);
  const colours = await page.evaluate(
    async (bytes) => {
      const image = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: "image/png" }));
      const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (
        new OffscreenCanvas(image.width, image.height).getContext("2d")
      );
      pen.drawImage(image, 0, 0);
      // The upper edges of the tokens in the first line, where nothing is written.
      const { data } = pen.getImageData(48, 132, 1800, 1);
      return new Set(new Uint32Array(data.buffer)).size;
    },
    [...png],
  );
  assert.ok(colours > 4, `tokens in ${colours} colours`);
  assert.deepEqual(await violations(page, ".card-tokens"), []);
  await close();
});

test("a link with text shows the same to somebody else; without it, the text stays out of the address", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ t: "0.9" }), {
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await ready(page);
  await page.getByText("A head that remembers").click();
  await page.locator(".inspect-panel canvas, .inspect-panel svg").first().waitFor();
  await page.waitForFunction(() => document.querySelector(".paper-layer .selected")?.textContent === "ly");
  await paper(page).press("Alt+Comma");
  await page.waitForFunction(() => location.hash.includes("token=26"));
  const copied = async (/** @type {string} */ name) => {
    await page.getByRole("button", { name, exact: true }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.doesNotMatch(page.url(), /wolf/);
  const plain = await copied("Copy link");
  assert.doesNotMatch(plain, /wolf/);
  const link = await copied("Copy link with text");
  assert.match(link, /see=attention&token=26&layer=3&head=4&mode=lines/);
  await close();

  const other = await openPage(browser, link);
  await ready(other.page);
  await coloured(other.page);
  assert.equal(await paper(other.page).inputValue(), QUESTION);
  assert.equal(await selected(other.page), " ear");
  assert.equal(await other.page.getByRole("tab", { name: "Attention" }).getAttribute("aria-selected"), "true");
  assert.equal(await other.page.getByRole("spinbutton", { name: "Temperature" }).first().inputValue(), "0.9");
  assert.match(new URL(other.page.url()).hash, /token=26&layer=3&head=4&mode=lines/);
  assert.doesNotMatch(other.page.url(), /wolf/, "what was taken from the link leaves the address");
  await other.close();
});

test("a link with text keeps who wrote what", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: "Once upon", by: "4.5" }), {
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await ready(page);
  await page.locator(".paper-layer .ink-model", { hasText: "upon" }).waitFor();
  assert.equal(await page.locator(".paper-layer .ink-user").first().textContent(), "Once");
  await page.getByRole("button", { name: "Copy link with text" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /text=Once\+upon&by=4\.5/);
  await close();
});

test("a head that a link names, and what an example speaks of, stand in view", async () => {
  for (const viewport of [
    { width: 1000, height: 800 },
    { width: 1280, height: 800 },
  ]) {
    const view = { text: QUESTION, see: "attention", layer: "3", head: "4", token: "27" };
    const { page, close } = await openPage(browser, site.url + hash(view), { viewport });
    /** Whether what is called so lies between the edges of what scrolls. @param {string} name */
    const inView = (name) =>
      page.waitForFunction((selector) => {
        const found = document.querySelector(selector);
        const scroller = document.querySelector(".inspect-scroll");
        if (!found || !scroller) return false;
        const [shown, room] = [found.getBoundingClientRect(), scroller.getBoundingClientRect()];
        return (
          shown.height > 0 &&
          shown.top >= room.top - 1 &&
          (shown.bottom <= room.bottom + 1 || shown.top < room.top + 60)
        );
      }, name);
    await ready(page);
    await coloured(page);
    await inView(".inspect-panel [aria-busy=false]");
    await page.locator(".examples summary").scrollIntoViewIfNeeded();
    await page.locator(".examples summary").click();
    await page.getByText("A head that knows when someone is speaking").click();
    await page.locator(".inspect-scroll > .message:visible").waitFor();
    await inView(".inspect-scroll > .message");
    await close();
  }
});

test("what is switched off is said, changes the figures, and is switched on again", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: `${QUESTION}?"`, off: "3.4" }));
  await ready(page);
  await coloured(page);
  const notice = page.locator(".off-notice");
  assert.match(await notice.innerText(), /1 head is off\. It stays off while the model writes/);
  const without = await figure(page, "Probability");
  await notice.getByRole("button", { name: "Switch on again" }).click();
  await page.waitForFunction((old) => {
    const now = document.querySelector(".card-probability dd")?.textContent;
    return now && now !== old && now !== "–";
  }, without);
  // The head that remembers the question: 6.7 % without it, 67 % with it.
  assert.ok(
    parseFloat(without) < 12 && parseFloat(await figure(page, "Probability")) > 55,
    `${without}, ${await figure(page, "Probability")}`,
  );
  assert.ok(await notice.isHidden());
  assert.doesNotMatch(page.url(), /off=/);
  await close();
});

test("a message goes when what it is about has gone", async () => {
  const { page, close } = await openPage(browser, site.url + hash({}));
  await ready(page);
  const message = page.locator(".inspect-scroll > .message");
  for (const leave of [
    () => button(page, "Undo").click(),
    () => page.getByRole("tab", { name: "Layers" }).click(),
    () => paper(page).fill(""),
  ]) {
    const examples = page.locator(".examples");
    if (!(await examples.evaluate((element) => /** @type {HTMLDetailsElement} */ (element).open)))
      await examples.locator("summary").click();
    await page.getByText("A head that keeps track").click();
    await message.getByText("looks back at the queen").waitFor();
    await leave();
    await message.waitFor({ state: "hidden" });
  }
  // An engine that cannot read one sign.
  await page.evaluate(() => {
    const send = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ ...rest) {
      if (!message.request?.text?.includes("☠")) return send.call(this, message, ...rest);
      const said = { code: "uncoded", text: "no such sign", params: {} };
      const data = { id: message.id, error: { said, fatal: false } };
      setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data })));
    };
  });
  await paper(page).fill("The king ☠");
  await message.getByText("The model can't read this text.").waitFor();
  await paper(page).press("End");
  await paper(page).press("Backspace");
  await message.waitFor({ state: "hidden" });
  await coloured(page);
  await close();
});

test("of a text longer than the context, the model's window follows the selection, and is said", async () => {
  const { page, close } = await openPage(
    browser,
    site.url + hash({ text: `A queen. ${"The king had three sons. ".repeat(60)}` }),
  );
  await ready(page);
  await coloured(page);
  const sight = page.locator(".card-sight");
  const all = Number(/of (\d+)/.exec((await page.locator(".card-facts").textContent()) ?? "")?.[1]);
  await sight.getByText(`These figures are from tokens ${all - 255} to ${all} of ${all}`).waitFor();
  const box = await page.locator(".paper-layer span", { hasText: /queen/ }).first().boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + box.width * 0.8, box.y + box.height / 2);
  await sight.getByText(`These figures are from tokens 1 to 256 of ${all}`).waitFor();
  assert.match(await page.locator(".card-token").innerText(), /queen/);
  assert.match((await selected(page)) ?? "", /queen/);
  assert.match(await figure(page, "Probability"), /%/);
  // The tabs speak of the same token.
  await page.locator(".next-facts:not(.stale)").waitFor();
  await page.locator(".next-selected", { hasText: "queen" }).waitFor();
  assert.equal(
    await page.locator(".next-follows .next-p").first().innerText(),
    await figure(page, "Probability"),
    "the same figures",
  );
  await page.getByRole("button", { name: "Next token" }).click();
  await page.locator(".card-facts", { hasText: `token 4 of ${all}` }).waitFor({ state: "attached" });
  await close();
});

test("a tab begins at its top, and on a phone nothing of the card is cut off", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION, see: "flow" }), {
    viewport: { width: 390, height: 844 },
  });
  await ready(page);
  await coloured(page);
  const top = () =>
    page.evaluate(() => {
      const [panel, scroll] = [".inspect-panel", ".inspect-scroll"].map(
        (name) => /** @type {Element} */ (document.querySelector(name)),
      );
      return [panel.getBoundingClientRect().top - scroll.getBoundingClientRect().top, scroll.clientHeight];
    });
  await page.waitForFunction(() => (document.querySelector(".inspect-panel")?.scrollHeight ?? 0) > 900);
  await page.locator(".inspect-scroll").evaluate((element) => element.scrollTo(0, 800));
  assert.ok((await top())[0] < 0);
  await page.getByRole("tab", { name: "Next" }).click();
  await page.locator(".next-list").waitFor();
  const [at, room] = await top();
  assert.ok(at >= -1 && at < room / 2, `${at} of ${room}`);
  await button(page, "Details of the token").click();
  const facts = page.locator(".card-facts");
  assert.ok(await facts.evaluate((element) => element.scrollWidth <= element.clientWidth), "it wraps");
  assert.ok(await page.locator(".inspect-tabs.more-after").isVisible(), "it is seen that there are more tabs");
  await page.getByRole("tab", { name: "Compare" }).click();
  await page.locator(".inspect-tabs.more-before:not(.more-after)").waitFor();
  await close();
});

test("every tab begins at the same place, under the whole card; the examples make room for a second tab", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION }));
  await ready(page);
  await coloured(page);
  assert.ok(await page.locator(".example").first().isVisible(), "a first visitor sees what there is to see");
  const places = new Set();
  for (const name of TABS.slice(1)) {
    await page.getByRole("tab", { name }).click();
    await page.waitForFunction(() => (document.querySelector(".inspect-panel")?.textContent ?? "").trim().length > 40);
    places.add(
      await page.evaluate(() =>
        ["scroll", "card", "panel"]
          .map((part) =>
            Math.round(
              document.querySelector(part === "card" ? ".card" : `.inspect-${part}`)?.getBoundingClientRect().top ?? 0,
            ),
          )
          .join(" "),
      ),
    );
    await page.locator(".inspect-scroll").evaluate((element) => element.scrollTo(0, 150));
  }
  assert.equal(places.size, 1, [...places].join(", "));
  const [scroll, card, panel] = [...places][0].split(" ").map(Number);
  assert.ok(card > scroll && panel - scroll < 240, `${[...places]}`);
  assert.ok(await page.locator(".example").first().isHidden());
  await close();
});

test("an empty paper has one sentence in every tab, and the examples to begin with", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ see: "lens" }));
  await ready(page);
  await paper(page).fill("");
  for (const name of ["Layers", "Heads", "Next"]) {
    await page.getByRole("tab", { name }).click();
    await page.locator(".example").last().waitFor();
    await page.waitForFunction(() => {
      const scroll = /** @type {HTMLElement} */ (document.querySelector(".inspect-scroll"));
      return scroll.innerText.split("\n").filter((line) => line !== "").length === 5;
    });
  }
  await page.locator(".example").first().click();
  await coloured(page);
  assert.equal(await paper(page).inputValue(), QUESTION);
  await close();
});

test("nothing scrolls sideways that is not meant to, with scroll bars that take room", async () => {
  const bars = await launch({ ignoreDefaultArgs: ["--hide-scrollbars"] });
  for (const width of [1280, 390]) {
    const { page, close } = await openPage(bars, site.url + hash({ text: QUESTION, t: "1.3", off: "3.4" }), {
      viewport: { width, height: 800 },
    });
    await ready(page);
    const check = async (/** @type {string} */ where) =>
      assert.deepEqual(
        await page.evaluate(() => {
          const meant = [
            ".inspect-tabs",
            ".heads-scroll",
            ".lens-scroll",
            ".compare-scroll",
            ".next-table-scroll",
            ".attention-scroll",
          ];
          return [...document.querySelectorAll("*")]
            .filter(
              (element) =>
                ["auto", "scroll"].includes(getComputedStyle(element).overflowX) &&
                element.scrollWidth > element.clientWidth &&
                !meant.some((name) => element.matches(name)),
            )
            .map((element) => `${element.className} ${element.scrollWidth} of ${element.clientWidth}`);
        }),
        [],
        where,
      );
    await check("paper");
    if (width < 1000) await button(page, "See inside").click();
    for (const name of TABS) {
      await page.getByRole("tab", { name }).click();
      await page.waitForFunction(
        () => (document.querySelector(".inspect-panel")?.textContent ?? "").trim().length > 40,
      );
      await page.waitForTimeout(100);
      await check(`${name}, ${width}`);
    }
    await close();
  }
  await bars.close();
});

test("in a low window the sheet takes the paper's place, and gives it back", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION }), {
    viewport: { width: 640, height: 400 },
  });
  await ready(page);
  await button(page, "See inside").click();
  await page.locator(".card").waitFor();
  assert.equal(await page.locator(".paper").evaluate((element) => getComputedStyle(element).visibility), "hidden");
  const { y, height } = (await page.locator("#inspector").boundingBox()) ?? { y: 0, height: 0 };
  assert.ok(
    y > 40 &&
      Math.abs(y + height - 400) < 1 &&
      (await page.locator(".inspect-scroll").evaluate((element) => element.clientHeight > 160)),
  );
  await page.locator(".inspect-grip").click();
  await page.locator("#inspector").waitFor({ state: "hidden" });
  assert.ok(await paper(page).isVisible());
  await close();
});

test("a text that takes long to read is seen to be read, and how far", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION }));
  await ready(page);
  await coloured(page);
  const height = () => page.locator(".card").evaluate((element) => element.clientHeight);
  const before = await height();
  // A worker that takes its time.
  await page.evaluate(() => {
    const send = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ ...rest) {
      if (message.request?.what !== "score") return send.call(this, message, ...rest);
      const event = { done: 4, total: 10 };
      setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data: { id: message.id, event } })), 1200);
      setTimeout(() => send.call(this, message, ...rest), 2500);
    };
  });
  await paper(page).fill("The king had three sons.");
  const sign = page.locator(".card-reading");
  await sign.getByText("Reading the text…").waitFor();
  assert.equal(await sign.locator("progress").getAttribute("value"), null, "nothing is known of it yet");
  await sign.getByText("40 %").waitFor();
  assert.equal(await height(), before, "nothing moves");
  await sign.waitFor({ state: "hidden" });
  await coloured(page);
  assert.match(await figure(page, "Probability"), /%/);
  await close();
});

test("the tabs go by arrow keys, and each shows something", async () => {
  const { page, close } = await openPage(browser, site.url + hash({ text: QUESTION }));
  await ready(page);
  await coloured(page);
  await page.getByRole("tab", { name: "Next" }).focus();
  for (const [index, name] of TABS.entries()) {
    if (index) await page.keyboard.press("ArrowRight");
    const tab = page.getByRole("tab", { name });
    assert.equal(await tab.getAttribute("aria-selected"), "true");
    assert.ok(await tab.evaluate((element) => element === document.activeElement), name);
    await page.waitForFunction(() => (document.querySelector(".inspect-panel")?.textContent ?? "").trim().length > 40);
    assert.equal(await page.locator(".inspect-scroll > .message").isVisible(), false, `${name} without a message`);
  }
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("tab", { name: "Next" }).getAttribute("aria-selected"), "true", "around the end");
  await close();
});

test("a model from disk is named by its content, and a link asks for it", async () => {
  const read = (/** @type {string} */ name) => ({
    name,
    mimeType: "application/octet-stream",
    buffer: readFileSync(new URL(name, model)),
  });
  const files = [read("config.json"), read("tokenizer.json"), read("model.safetensors")];
  const { page, close } = await openPage(browser, site.url + hash({ tab: "models" }));
  await page.locator(".model-name", { hasText: "Storyteller" }).waitFor({ timeout: 60_000 });
  await page.locator("#pick").setInputFiles(files);
  await page.waitForFunction(() => /model=sha256%?3?A?:?[0-9a-f]{16}/.test(location.hash));
  const link = page.url();
  await close();

  const other = await openPage(browser, link);
  await other.page.locator(".model-name", { hasText: "Storyteller" }).waitFor({ timeout: 60_000 });
  const asks = other.page.getByText("The model here is a file on a disk");
  await asks.waitFor();
  const changed = Buffer.from(files[2].buffer);
  changed[changed.length - 1] ^= 1;
  await other.page.locator("#pick").setInputFiles([files[0], files[1], { ...files[2], buffer: changed }]);
  await other.page.getByText("it is not the model of the link").waitFor();
  await other.close();

  const right = await openPage(browser, link);
  await right.page.getByText("The model here is a file on a disk").waitFor();
  await right.page.locator("#pick").setInputFiles(files);
  await right.page.locator(".model-name", { hasText: "Model from your disk" }).waitFor({ timeout: 60_000 });
  await right.page.locator(".message").first().waitFor({ state: "hidden" });
  assert.equal(right.page.url(), link);
  await right.close();
});

for (const [name, options] of /** @type {const} */ ([
  ["desktop-light", { viewport: { width: 1280, height: 800 }, colorScheme: "light" }],
  ["desktop-dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
  ["phone-light", { viewport: { width: 390, height: 844 }, colorScheme: "light" }],
  ["phone-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
])) {
  test(`axe-core finds nothing inside, and nothing is too wide: ${name}`, async () => {
    const { page, close } = await openPage(browser, site.url + hash({ n: "24", end: "0" }), {
      ...options,
      reducedMotion: "reduce",
    });
    await ready(page);
    const phone = options.viewport.width < 1000;
    if (phone) {
      assert.ok(await page.locator("#inspector").isHidden(), "a phone shows the paper first");
      await button(page, "See inside").click();
    }
    await page.locator(".card").waitFor();
    for (const tab of TABS) {
      await page.getByRole("tab", { name: tab }).click();
      await page.waitForFunction(
        () => (document.querySelector(".inspect-panel")?.textContent ?? "").trim().length > 40,
      );
      const found = await violations(page);
      await page.screenshot({ path: `${screenshots}/inside-${name}-${tab.toLowerCase()}.png` });
      assert.deepEqual(found, [], tab);
      assert.equal(
        await page.evaluate(() => document.documentElement.scrollWidth),
        options.viewport.width,
        `${tab} is no wider than the window`,
      );
    }
    if (phone) {
      await page.getByRole("tab", { name: "Compare" }).focus();
      await page.keyboard.press("Escape");
      await page.locator("#inspector").waitFor({ state: "hidden" });
      assert.equal(await page.evaluate(() => document.activeElement?.className), "quiet see");
    }
    await close();
  });
}
