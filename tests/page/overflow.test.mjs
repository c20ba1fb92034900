// @ts-check
// A model whose weights are finite and whose numbers overflow: Write and every panel say where, the text stays, and
// another model
// opens as ever.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MANIFEST } from "../../www/inspect/manifest.js";
import { openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";

const folder = new URL("../../www/models/storyteller/", import.meta.url);
/** @param {string} name */
const shipped = (name) => readFileSync(new URL(name, folder));

/** A float of 16 bits. @param {number} bits */
function half(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

/** The shipped weights as floats of 32 bits, one of them multiplied. @param {string} weight @param {number} factor */
function spoilt(weight, factor) {
  const file = shipped("model.safetensors");
  const length = Number(file.readBigUInt64LE());
  /** @type {Record<string, { dtype: string, shape: number[], data_offsets: [number, number] }>} */
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  const [tensors, parts] = [/** @type {Record<string, object>} */ ({}), /** @type {Buffer[]} */ ([])];
  let at = 0;
  for (const [name, tensor] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const {
      dtype,
      shape,
      data_offsets: [begin, end],
    } = tensor;
    assert.equal(dtype, "F16");
    const values = new Float32Array((end - begin) / 2);
    for (let i = 0; i < values.length; i++)
      values[i] = half(file.readUInt16LE(8 + length + begin + 2 * i)) * (name === weight ? factor : 1);
    assert.ok(values.every(Number.isFinite));
    tensors[name] = { dtype: "F32", shape, data_offsets: [at, (at += 4 * values.length)] };
    parts.push(Buffer.from(values.buffer));
  }
  const json = Buffer.from(JSON.stringify(tensors));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([size, json, ...parts]);
}

const TEXT = "Once upon a time there was a little girl";

for (const [lang, said, advice] of [
  [
    "en",
    "the numbers overflow in block 2's attention scores (h.2.attn.out is NaN at position 0)",
    "choose another file of the model",
  ],
  ["zh", "数值溢出，出在第 2 块的注意力分数（位置 0 上 h.2.attn.out 为 NaN）", "请为此模型选择另一个文件"],
]) {
  test(`Write and every panel name where the numbers overflow (${lang})`, async () => {
    const { page, close } = await openPage(
      browser,
      `${site.url}?backend=cpu#lang=${lang}&n=8&text=${encodeURIComponent(TEXT)}`,
    );
    const model = (/** @type {string} */ name) =>
      page.locator(".model-name", { hasText: name }).waitFor({ timeout: 60_000 });
    const go = (/** @type {number} */ tab) => page.locator("nav").getByRole("button").nth(tab).click();
    await model("Storyteller");
    const file = (/** @type {string} */ name, /** @type {Buffer} */ buffer) => ({
      name,
      mimeType: "application/octet-stream",
      buffer,
    });
    const weights = spoilt("transformer.h.2.attn.c_attn.weight", 1e22);
    await page
      .locator("#pick")
      .setInputFiles([
        file("config.json", shipped("config.json")),
        file("tokenizer.json", shipped("tokenizer.json")),
        file("spoilt.safetensors", weights),
      ]);
    await model("spoilt");
    await ready(page);
    const inspector = page.locator("#inspector");
    const tabs = inspector.getByRole("tab");
    await inspector.getByText(said).first().waitFor();
    assert.equal(await tabs.count(), MANIFEST.length);
    for (let panel = 0; panel < MANIFEST.length; panel += 1) {
      await tabs.nth(panel).click();
      await page.locator(".inspect-panel > *").first().waitFor();
      await inspector.getByText(said).first().waitFor();
      await inspector.getByText(advice).first().waitFor();
    }

    await page.locator(".primary").click();
    const alert = page.locator("#desk").getByRole("alert");
    await alert.filter({ hasText: said }).filter({ hasText: advice }).waitFor();
    await ready(page);
    assert.equal(await page.locator("#desk textarea").inputValue(), TEXT);
    assert.equal(await page.locator(".paper-layer .ink-model").count(), 0, "nothing was written");

    // The page goes on with another model.
    await go(2);
    await page.locator("#tab-models .list li").first().getByRole("button").first().click();
    await model("Storyteller");
    await go(0);
    await ready(page);
    await page.locator(".primary").click();
    await page.locator(".paper-layer .ink-model").nth(4).waitFor();
    await inspector.getByText(said).first().waitFor({ state: "detached" });
    await close();
  });
}
