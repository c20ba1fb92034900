// @ts-check
// The engine's sentences in Chinese: each is one that the engine has, and comes out with its numbers and names.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { engineText, loadEngineText, patterns, translate } from "../../www/i18n/engine.js";
import { engineZh } from "../../www/i18n/engine.zh.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Every string in the sources, with `{}` for what is put into it. */
function sentences() {
  const rust = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".rs"));
  const files = [...rust.map((file) => join("src", file)), "www/worker.js", "www/client.js"];
  const found = new Set();
  for (const file of files) {
    const [code] = readFileSync(join(root, file), "utf8").split("#[cfg(test)]\nmod tests {");
    for (const [, text] of code.matchAll(/"((?:[^"\\]|\\[^])*)"/g)) {
      found.add(text.replace(/\\\n\s*/g, "").replace(/\\"/g, '"').replace(/\{[^{}]*\}/g, "{}"));
    }
  }
  return found;
}

test("every sentence in the list is the engine's, word for word", () => {
  const known = sentences();
  assert.ok(known.size > 500, `${known.size} strings in the sources`);
  assert.deepEqual(engineZh.filter(([engine]) => !known.has(engine)).map(([engine]) => engine), []);
});

test("translations are Chinese, and lose no number or name", () => {
  for (const [engine, chinese] of engineZh) {
    assert.match(chinese, /[\u4e00-\u9fff]|^Dropout$/, engine);
    const holes = engine.split("{}").length - 1;
    const used = [...chinese.matchAll(/\{(\d)\}/g)].map(([, at]) => Number(at)).sort();
    assert.deepEqual(used, Array.from({ length: holes }, (_, at) => at), engine);
  }
  assert.equal(new Set(engineZh.map(([engine]) => engine)).size, engineZh.length, "no sentence twice");
});

test("each sentence is found by its own pattern", () => {
  const known = patterns(engineZh);
  for (const [engine, chinese] of engineZh) {
    let at = 0;
    const values = engine.split("{}").slice(1).map((_, index) => `⟨${index}⟩`);
    const filled = engine.replace(/\{\}/g, () => values[at++]);
    assert.equal(translate(known, filled), chinese.replace(/\{(\d)\}/g, (_, index) => values[Number(index)]), filled);
  }
});

test("real messages", async () => {
  await loadEngineText("zh");
  const zh = (/** @type {string} */ text) => engineText(text, "zh");
  assert.equal(zh("context is 300; choose a number from 1 to 256, the longest text this model reads"),
    "“上下文”是 300；应选择从 1 到 256（此模型能读的最长文本）的数。");
  assert.equal(zh("lr is 2; choose a number above 0 and at most 1; 0.0001 to 0.001 is usual"),
    "“学习率”是 2；应选择大于 0 且不超过 1（通常为 0.0001 到 0.001）的数。");
  assert.equal(zh("the loss is no longer a number after 12 steps; the weights are those of before. Train with a lower learning rate (now 0.5) or "
    + "stronger clipping (now 1)"), "第 12 步之后损失不再是一个数，权重仍是此前的。请用更低的学习率（现为 0.5）或更强的梯度裁剪（现为 1）再训练。");
  assert.equal(zh("This is a zip archive, most likely a PyTorch pytorch_model.bin or .pt file, which cannot be read here. Choose the model.safetensors "
    + "file of a GPT-2 model; most models offer one."),
    "这是 zip 文件，多半是 PyTorch 的 pytorch_model.bin 或 .pt，这里无法读取。请选择 GPT-2 模型的 model.safetensors 文件；多数模型都提供。");
  assert.equal(zh("The weights file is truncated: it should be 3836912 bytes long but ends after 1000, within tensor 'wte.weight'. Download it again."),
    "权重文件不完整：应有 3836912 字节，但在 1000 字节处、张量 'wte.weight' 中间结束了。请重新下载。");
  assert.equal(zh("the model has no tokenizer: add tokenizer.json, or vocab.json together with merges.txt"),
    "模型没有分词器：请加上 tokenizer.json，或 vocab.json 和 merges.txt。");
  assert.equal(zh("something nobody has thought of"), "something nobody has thought of");
  assert.equal(engineText("this model has no adapters", "en"), "this model has no adapters");
  // What a file says about itself is not a pattern.
  assert.equal(zh("the saved run lacks $& (.*); start a new run"), "保存的训练缺少 $& (.*)。请重新开始训练。");
});
