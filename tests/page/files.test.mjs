// @ts-check
// Files that are damaged, or claim more than they hold: said at once, and the model in use goes on.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { zipOf } from "../views/zips.mjs";
import { button, openPage, paper, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

const model = new URL("../../www/models/storyteller/", import.meta.url);
const contents = (/** @type {string} */ name) => new Uint8Array(readFileSync(new URL(name, model)));
const MODEL = ["config.json", "tokenizer.json", "model.safetensors"];

/** @param {string} name @param {Uint8Array} bytes */
const picked = (name, bytes) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) });

test("an archive in which something is not as it was packed is named, and one that is whole opens", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#n=8&lang=en`);
  await ready(page);
  const zip = zipOf(
    MODEL.map((name) => ({ name: `storyteller/${name}`, bytes: contents(name), deflate: name.endsWith(".json") })),
  );
  const damaged = zip.slice();
  damaged[damaged.length >> 1] ^= 0x40;
  const pick = page.locator("#pick");
  const alert = page.getByRole("alert");
  await pick.setInputFiles([picked("damaged.zip", damaged)]);
  await alert
    .filter({ hasText: "storyteller/model.safetensors in damaged.zip is damaged: it is not what was packed." })
    .waitFor();
  await pick.setInputFiles([
    picked("bomb.zip", zipOf([{ name: "model.safetensors", bytes: new Uint8Array(30 << 20), deflate: true }])),
  ]);
  await alert
    .filter({ hasText: "model.safetensors in bomb.zip would become more than a hundred times as large" })
    .waitFor();
  const photos = Array.from({ length: 60_000 }, (_, at) => ({ name: `photos/${at}.jpg`, bytes: new Uint8Array() }));
  await pick.setInputFiles([picked("photos.zip", zipOf(photos))]);
  await alert.filter({ hasText: "None of these files belongs to a model: 0.jpg, 1.jpg" }).waitFor();
  await pick.setInputFiles([picked("notes.zip", new TextEncoder().encode("no archive at all"))]);
  await alert.filter({ hasText: "notes.zip is not a zip archive that can be read here." }).waitFor();
  // The model that was there still writes.
  await paper(page).press("Control+Enter");
  await page.locator(".paper-layer .ink-model").first().waitFor();
  await ready(page);
  await pick.setInputFiles([picked("whole.zip", zip)]);
  await page.locator(".model-name").filter({ hasText: "whole" }).waitFor();
  await close();
});

test("a configuration that asks for more than its weights hold is refused before it costs anything", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#n=8&lang=en`);
  await ready(page);
  const config = JSON.parse(new TextDecoder().decode(contents("config.json")));
  Object.assign(config, { n_embd: 3328, n_head: 26, n_inner: 8192, n_layer: 20, n_positions: 64 });
  const alert = page.getByRole("alert");
  const files = MODEL.slice(1).map((name) => picked(name, contents(name)));
  await page
    .locator("#pick")
    .setInputFiles([picked("config.json", new TextEncoder().encode(JSON.stringify(config))), ...files]);
  await alert.filter({ hasText: "but the configuration asks for" }).waitFor();
  assert.match(await alert.innerText(), /Tensor 'transformer\.h\.0\.\S+' has shape .*Storyteller is still open/s);
  await page.locator("#pick").setInputFiles([picked("config.json", new Uint8Array((16 << 20) + 1)), ...files]);
  await alert.filter({ hasText: "config.json is larger than 16 MB, which no such file of a model is." }).waitFor();
  await close();
});

test("an adapter's files are read a part at a time, and one that is cut is named", async () => {
  const fixtures = new URL("../fixtures/", import.meta.url);
  const read = (/** @type {string} */ name) => new Uint8Array(readFileSync(new URL(name, fixtures)));
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#n=8&lang=en`);
  await ready(page);
  const pick = page.locator("#pick");
  const config = picked("adapter_config.json", read("training/lora/adapter_config.json"));
  const weights = read("training/lora/adapter_model.safetensors");
  await pick.setInputFiles([config, picked("adapter_model.safetensors", weights.subarray(0, weights.length - 9))]);
  const alert = page.getByRole("alert");
  await alert.filter({ hasText: "The adapter could not be added." }).filter({ hasText: "truncated" }).first().waitFor();
  // It is one of another model.
  await pick.setInputFiles([config, picked("adapter_model.safetensors", weights)]);
  await alert.filter({ hasText: "has shape" }).first().waitFor();
  await button(page, "Write").first().click();
  await ready(page);
  await close();
});
