// @ts-check
// Whatever fails, the page says so in a sentence of its own, in its language; the browser's words stand folded beside
// it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { en } from "../../www/core/i18n/en.js";
import { zh } from "../../www/core/i18n/zh.js";
import { zipEn } from "../../www/models/zip.en.js";
import { zipZh } from "../../www/models/zip.zh.js";
import { launch, openPage, ready } from "./browser.mjs";
import { emptySafetensors, serveFake } from "./fake_site.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {(() => unknown)[]} */
const ends = [];
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
  for (const end of ends) await end();
});

/** Words that are a browser's, or the engine's where nobody has translated them. */
const FOREIGN =
  /failed to fetch|network error|networkerror|typeerror|dynamically|panicked|unreachable|could not be found|permission|\bclosed\b/i;

/**
 * Waits for a message with all of `lines`, and holds that nothing else in it is of others. Returns what stands in its
 * details.
 * @param {Page} page @param {"en" | "zh"} lang @param {string[]} lines
 */
async function says(page, lang, lines) {
  let alert = page.locator(".message[data-kind=error]:visible");
  for (const hasText of lines) alert = alert.filter({ hasText });
  await alert.waitFor();
  const shown = await alert.innerText();
  assert.doesNotMatch(shown, FOREIGN);
  // Names stay what they are in every language.
  const rest = shown.replace(
    /https?:\S+|nobody\/nothing|Storyteller|\w+\.(json|safetensors|zip)|\b(CORS|hub|zip)\b/g,
    "",
  );
  if (lang === "zh") assert.doesNotMatch(rest, /[A-Za-z]{3}/);
  const details = alert.locator(".message-raw");
  return (await details.count()) ? ((await details.locator("p").textContent()) ?? "") : "";
}

/** @param {Page} page @param {number} at from 0 */
const tab = (page, at) => page.locator("nav button").nth(at).click();

for (const [lang, words] of /** @type {const} */ ([
  ["en", { ...en, ...zipEn }],
  ["zh", { ...zh, ...zipZh }],
])) {
  describe(lang === "en" ? "in English" : "in Chinese", () => {
    /**
     * @param {Parameters<typeof serveFake>[0]} options
     * @param {string} [address]
     * @param {import("playwright-core").BrowserContextOptions} [look]
     */
    async function open(options, address = "", look = {}) {
      const site = await serveFake(options);
      ends.push(site.stop);
      const opened = await openPage(browser, `${site.url}?backend=cpu#lang=${lang}${address}`, look);
      return { ...opened, site };
    }
    /** With a sentence's blanks filled. @param {string} key @param {Record<string, string>} [params] */
    const say = (key, params = {}) =>
      /** @type {Record<string, string>} */ (words)[key].replace(/\{(\w+)\}/g, (_, name) => params[name]);
    const narrow = { viewport: { width: 900, height: 800 } };

    test("a download that breaks off, or that nobody answers", async () => {
      const { page, problems, site } = await open({ cut: /model\.safetensors$/ });
      const url = `${site.url}www/models/storyteller/model.safetensors`;
      assert.match(
        await says(page, lang, [say("message.loadFailed", { name: "Storyteller" }), say("error.interrupted", { url })]),
        /\w/,
      );
      await page.context().route("https://huggingface.co/**", (route) => route.abort());
      await tab(page, 2);
      await page.locator("#repo").fill("nobody/nothing");
      await page.keyboard.press("Enter");
      await says(page, lang, [
        say("error.network", { url: "https://huggingface.co/nobody/nothing/resolve/main/config.json" }),
      ]);
      assert.ok(problems.splice(0).every((problem) => /Failed to load resource/.test(problem)));
    });

    for (const [what, broken] of /** @type {const} */ ([
      ["worker", /^www\/worker\.js$/],
      ["worker's own scripts", /^www\/train\/worker_run\.js$/],
      ["wasm module", /^www\/pkg\//],
    ])) {
      test(`the engine lacks its ${what}`, async () => {
        const { page, problems } = await open({ broken });
        await says(page, lang, [say("message.loadFailed", { name: "Storyteller" }), say("error.partNotLoaded")]);
        problems.length = 0;
      });
    }

    test("a list of models that is none", async () => {
      const { page, problems } = await open({ broken: /index\.json$/ });
      await says(page, lang, [say("error.noShipped")]);
      problems.length = 0;
      await page.context().route("**/www/models/index.json", (route) => route.fulfill({ body: "<!doctype html>" }));
      await page.reload();
      const url = new URL("www/models/index.json", page.url()).href;
      const raw = await says(page, lang, [say("error.noShipped"), say("error.badAnswer", { url })]);
      assert.match(raw, /SyntaxError/);
    });

    test("parts of the page that are loaded later", async () => {
      const { page, problems } = await open(
        { broken: /^www\/(inspect\/inspector|train\/view|models\/zip|inspect\/panels\/\w+\/panel)\.js$/ },
        "",
        narrow,
      );
      await ready(page);
      await page.locator("[aria-controls=inspector]").click();
      await says(page, lang, [say("inspect.notLoaded"), say("error.partNotLoaded")]);
      await tab(page, 1);
      await says(page, lang, [say("train.notLoaded"), say("error.partNotLoaded")]);
      await tab(page, 2);
      await page
        .locator("#pick")
        .setInputFiles([{ name: "some.zip", mimeType: "application/zip", buffer: Buffer.from("x") }]);
      await says(page, lang, [say("message.loadFailed", { name: "some.zip" }), say("error.partNotLoaded")]);
      problems.length = 0;
    });

    test("a zip that is none, and files that are gone when they are read", async () => {
      const { page, close } = await open({}, "&tab=models");
      await page
        .locator("#pick")
        .setInputFiles([{ name: "some.zip", mimeType: "application/zip", buffer: Buffer.alloc(100, "x") }]);
      await says(page, lang, [say("error.badZip", { name: "some.zip" })]);
      // A place in the archive that is not there.
      const end = Buffer.alloc(22);
      end.writeUInt32LE(0x06054b50, 0);
      end.writeUInt16LE(1, 10);
      end.writeUInt32LE(46, 12);
      end.writeUInt32LE(0xfffffff0, 16);
      await page.locator("#pick").setInputFiles([{ name: "odd.zip", mimeType: "application/zip", buffer: end }]);
      await says(page, lang, [say("error.badZip", { name: "odd.zip" })]);

      const folder = mkdtempSync(join(tmpdir(), "gpt-causes-"));
      ends.push(() => rmSync(folder, { recursive: true, force: true }));
      const put = (/** @type {string} */ name, /** @type {string | Buffer} */ bytes) => {
        writeFileSync(join(folder, name), bytes);
        return join(folder, name);
      };
      await page.locator("#pick").setInputFiles([put("config.json", "{}"), put("tokenizer.json", "{}")]);
      await page.getByText(say("models.disk.need", { files: "model.safetensors" })).waitFor();
      rmSync(join(folder, "config.json"));
      await page.locator("#pick").setInputFiles([put("model.safetensors", emptySafetensors(100))]);
      await says(page, lang, [say("error.unreadable", { name: "config.json" })]);
      await close();
    });

    test("a panic, and what nobody has thought of", async () => {
      const { page, problems, close } = await open({});
      await ready(page);
      await page.locator(".paper-area").fill("PANIC now");
      await page.keyboard.press("Control+Enter");
      const raw = await says(page, lang, [say("message.restarted"), say("error.engineStopped")]);
      assert.match(raw, /the fake model fell over/);
      problems.length = 0;
      await page.evaluate(() => void Promise.reject(new TypeError("Failed to fetch")));
      assert.equal(
        await says(page, lang, [say("message.unexpected"), say("error.unknown")]),
        "TypeError: Failed to fetch",
      );
      assert.ok(problems.splice(0).length > 0, "developers hear of it, too");
      await close();
    });
  });
}
