// @ts-check
// The real page with the real engine: writing, stopping, changing one's mind, on both backends.
// Measures time.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { button, openPage, paper, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

/** @param {import("playwright-core").Page} page */
const finished = async (page) => {
  await page.locator(".primary:not(.busy)").waitFor({ timeout: 120_000 });
};
/** @param {import("playwright-core").Page} page @param {number} characters */
const longerThan = (page, characters) =>
  page.waitForFunction((n) => (document.querySelector("textarea")?.value.length ?? 0) > n, characters, {
    timeout: 60_000,
  });

for (const backend of ["cpu", "webgpu"]) {
  describe(`on ${backend}`, () => {
    test("writes from the first prompt, the same again for the same seed, another for another", async () => {
      const { page, close } = await openPage(browser, `${site.url}?backend=${backend}#n=24&end=0&lang=en`);
      await ready(page);
      assert.equal(await paper(page).inputValue(), "Once upon a time");
      assert.match(await page.locator(".backend-button").innerText(), backend === "cpu" ? /^CPU/ : /^WebGPU/);
      await button(page, "Generate").click();
      await longerThan(page, "Once upon a time".length);
      await finished(page);
      const first = await paper(page).inputValue();
      assert.ok(first.startsWith("Once upon a time") && first.length > 40, first);
      assert.match(await page.locator(".status").innerText(), /[\d.]+ tok\/s/);
      assert.equal(await page.locator(".paper-layer .ink-model").count(), 24, "one element per generated token");
      assert.equal(
        (await page.locator(".paper-layer").textContent())?.replace("\u200b", ""),
        first,
        "the two layers agree",
      );

      await button(page, "Undo").click();
      assert.equal(await paper(page).inputValue(), "Once upon a time");
      await page.keyboard.press("Control+Enter");
      await longerThan(page, "Once upon a time".length);
      await finished(page);
      assert.equal(await paper(page).inputValue(), first);

      await button(page, "Try another").click();
      await longerThan(page, "Once upon a time".length);
      await finished(page);
      assert.notEqual(await paper(page).inputValue(), first);
      await close();
    });

    test("stops mid-way with Escape, and takes a new prompt while it writes", async () => {
      const { page, close } = await openPage(browser, `${site.url}?backend=${backend}#n=5000&end=0&lang=en`);
      await ready(page);
      await paper(page).press("Control+Enter");
      await longerThan(page, 20);
      const from = Date.now();
      await page.keyboard.press("Escape");
      await finished(page);
      assert.ok(Date.now() - from < 3000, `stopping took ${Date.now() - from} ms`);
      const stopped = await paper(page).inputValue();
      assert.ok((await page.locator(".paper-layer .ink-model").count()) < 5000);
      await page.waitForTimeout(300);
      assert.equal(await paper(page).inputValue(), stopped, "nothing arrives after the stop");

      await paper(page).press("Control+End");
      await paper(page).press("Control+Enter");
      await longerThan(page, stopped.length);
      await paper(page).fill("The old king");
      assert.equal(await paper(page).inputValue(), "The old king");
      await page.keyboard.press("Control+Enter");
      await longerThan(page, "The old king".length);
      await page.keyboard.press("Escape");
      await finished(page);
      assert.match(await paper(page).inputValue(), /^The old king/);
      await close();
    });

    test("Stop and Escape are obeyed at once, while the prompt is read and while it writes", async () => {
      const { page, close } = await openPage(browser, `${site.url}?backend=${backend}#n=5000&end=0&lang=en`);
      await ready(page);
      // The shortest of three tries: other programs on the machine make a try longer, never shorter.
      const shortest = { reading: Infinity, writing: Infinity };
      for (const [attempt, when] of [...Array(6).keys()].map(
        (n) => /** @type {const} */ ([n, n % 2 ? "reading" : "writing"]),
      )) {
        await paper(page).fill(`${attempt} ${"Once upon a time there was a little bird. ".repeat(20)}`);
        const waited = await page.evaluate(
          async ({ attempt, when }) => {
            const button = /** @type {HTMLButtonElement} */ (document.querySelector(".primary"));
            const busy = () => button.classList.contains("busy");
            const until = async (/** @type {() => boolean} */ holds) => {
              const limit = performance.now() + 20_000;
              while (!holds()) {
                if (performance.now() > limit) throw new Error("nothing happened for 20 s");
                await new Promise((resolve) => setTimeout(resolve, 1));
              }
            };
            button.click();
            await until(busy);
            if (when === "writing") await until(() => document.querySelector(".ink-model") !== null);
            const from = performance.now();
            if (!busy()) throw new Error("it was done before it was stopped");
            if (attempt % 3) button.click();
            else document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
            await until(() => !busy());
            return performance.now() - from;
          },
          { attempt, when },
        );
        shortest[when] = Math.min(shortest[when], waited);
        assert.ok((await page.locator(".paper-layer .ink-model").count()) < 5000);
      }
      console.log(
        `stopping on ${backend}: ${shortest.reading.toFixed(0)} ms while reading, ${shortest.writing.toFixed(0)} ms while writing`,
      );
      // A software GPU cannot be interrupted within a submit, which takes it as long as one chunk of the prompt.
      const limit = backend === "cpu" ? 100 : 1000;
      assert.ok(Math.max(shortest.reading, shortest.writing) < limit, JSON.stringify(shortest));
      await close();
    });

    test("a hover's tokenize while it writes is answered at once, and nothing throws", async () => {
      const { page, close } = await openPage(browser, `${site.url}?backend=${backend}#lang=en`);
      await ready(page);
      const answer = await page.evaluate(async (name) => {
        const { WorkerClient } = await import(new URL("www/engine/client.js", document.baseURI).href);
        const { DEFAULT_SETTINGS } = await import(new URL("www/core/settings.js", document.baseURI).href);
        const model = new URL("www/models/storyteller/", document.baseURI);
        const bytes = async (/** @type {string} */ file) =>
          new Uint8Array(await (await fetch(new URL(file, model))).arrayBuffer());
        const client = new WorkerClient(() => {});
        const weights = await bytes("model.safetensors");
        const head = weights.slice(0, 8 + Number(new DataView(weights.buffer).getBigUint64(0, true)));
        await client.request("open", {
          backend: name,
          files: { "config.json": await bytes("config.json"), "tokenizer.json": await bytes("tokenizer.json") },
          heads: [head],
          lengths: [weights.length],
        });
        await client.request("chunk", { bytes: weights });
        await client.request("endFile");
        await client.request("finish");
        let tokens = 0;
        const options = { ...DEFAULT_SETTINGS, prompt: "Once upon a time", maxNewTokens: 200, stopAtEnd: false };
        /** @type {(value?: unknown) => void} */
        let begun = () => {};
        const begins = new Promise((resolve) => (begun = resolve));
        const first = client.request("generate", { options }, [], (/** @type {any} */ event) => {
          if (event.type === "tokens") begun((tokens += event.tokens.length));
        });
        await begins;
        const hovers = await Promise.all(
          Array.from({ length: 20 }, () => client.request("tokenize", { text: "a hover" })),
        );
        const before = tokens;
        // A new prompt ends the one in progress; a stop sent behind it ends that one too.
        const second = client.request("generate", { options: { ...options, prompt: "The sea" } });
        const firstResult = await first;
        const stop = client.request("stop");
        const secondResult = await second;
        await stop;
        client.close();
        return {
          before,
          hovers: hovers.map((hover) => hover.ids.length),
          first: firstResult.finished,
          second: secondResult.finished,
        };
      }, backend);
      assert.deepEqual([answer.first, answer.second], ["stopped", "stopped"]);
      assert.ok(answer.before < 200, "the hovers were answered before the generation was over");
      assert.equal(new Set(answer.hovers).size, 1);
      assert.ok(answer.hovers[0] > 0);
      await close();
    });
  });
}
