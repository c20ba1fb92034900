// @ts-check
// The engine's messages: each code has one English sentence in the sources, and a Chinese one with the same parameters.
import assert from "node:assert/strict";
import { test } from "node:test";
import { messages, sources } from "../../scripts/engine_words.mjs";
import { engineEn } from "../../www/core/i18n/engine.en.js";
import { engineText, isSaid, loadEngineText } from "../../www/core/i18n/engine.js";
import { engineZh } from "../../www/core/i18n/engine.zh.js";

/** @typedef {import("../../www/engine/types.js").Said} Said */

/** @param {string} text */
const holes = (text) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort();

/** As the engine would say it. @param {string} code @param {Record<string, string | Said>} [params] @returns {Said} */
function said(code, params = {}) {
  const [, english] = /** @type {[string, string]} */ (messages().find(([name]) => name === code));
  const text = english.replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    assert.ok(value !== undefined, `${code}: ${name}`);
    return typeof value === "string" ? value : value.text;
  });
  assert.deepEqual(Object.keys(params).sort(), holes(english), code);
  return { code, text, params };
}

test("a code has one sentence", () => {
  /** @type {Map<string, string>} */
  const known = new Map();
  assert.ok(messages().length > 280, `${messages().length} messages in the sources`);
  for (const [code, english] of messages()) {
    assert.match(code, /^[a-z0-9]+(\.[a-z0-9_]+)?$/);
    assert.equal(known.get(code) ?? english, english, code);
    known.set(code, english);
  }
});

test("the page's English table is what the sources say", () => {
  // Made anew by `node scripts/engine_words.mjs`.
  assert.deepEqual(engineEn, Object.fromEntries(messages()));
});

test("every message has a Chinese sentence, and every Chinese sentence a message", () => {
  assert.deepEqual([...new Set(messages().map(([code]) => code))].sort(), Object.keys(engineZh).sort());
});

test("translations are Chinese, and lose no number or name", () => {
  const english = new Map(messages());
  for (const [code, chinese] of Object.entries(engineZh)) {
    assert.match(chinese, /[\u4e00-\u9fff]|^Dropout$/, code);
    // What comes first in one language may come last in another.
    assert.deepEqual(holes(chinese), holes(english.get(code) ?? ""), code);
  }
});

/** Where words without a code may stand, and why. @type {[RegExp, string][]} */
const UNCODED = [
  [/^message\.rs$/, "defines it"],
  [/^bin\//, "the command line speaks English"],
  [/^(graph|ops)\//, "a fault of the engine's own, in the words of its tensors and ops"],
  [/^gpu\//, "the words of the graphics library"],
  [/^model\/checkpoint(\/write)?\.rs$/, "of weights that are in memory as a whole: the command line's"],
  [/^model\/checkpoint\/matching\.rs$/, "an empty text"],

  [/^model\/(scoring|lora)\.rs$/, "a tensor's name; an option of the command line"],
  [/^(config|tokenizer\/json|train\/options|sample\/params)\.rs$/, "names that are the same in every language"],
  [/^tokenizer\/(mod|train)\.rs$/, "options of the command line"],
  [/^train\/(replay|trainer)\.rs$/, "recorded batches are the command line's"],
  [/^inspect\/eval\.rs$/, "scores a text for the command line"],
  [/^web\/messages\.rs$/, "words of the library that reads and writes objects"],
];

test("words without a code stand where the page does not show them, and nowhere is a sentence put into an error as it is", () => {
  for (const { file, code } of sources()) {
    if (/Message::uncoded\(/.test(code))
      assert.ok(
        UNCODED.some(([path]) => path.test(file)),
        `${file} says words without a code`,
      );
  }
  for (const [path, why] of UNCODED)
    assert.ok(
      sources().some(({ file, code }) => path.test(file) && code.includes("uncoded(")),
      why,
    );
});

test("real messages", async () => {
  await loadEngineText("zh");
  const zh = (/** @type {Said} */ message) => engineText(message, "zh");
  assert.equal(
    zh(
      said("options.range", {
        name: said("option.context"),
        value: "300",
        range: said("range.to_context", { most: "256" }),
      }),
    ),
    "“上下文”是 300；应选择从 1 到 256（此模型能读的最长文本）的数。",
  );
  assert.equal(
    zh(said("options.range", { name: said("option.lr"), value: "2", range: said("range.lr") })),
    "“学习率”是 2；应选择大于 0 且不超过 1（通常为 0.0001 到 0.001）的数。",
  );
  assert.equal(
    zh(said("diverged.loss", { steps: "12", place: said("place.gradient"), lr: "0.5", grad_clip: "1" })),
    "第 12 步之后损失不再是一个数，因为数值溢出，出在梯度；权重仍是此前的。请用更低的学习率（现为 0.5）或更强的梯度裁剪（现为 1）再训练。",
  );
  const place = said("overflow.at", {
    place: said("place.scores", { block: "1" }),
    ...{ tensor: "h.1.attn.out", value: "NaN", position: "0" },
  });
  assert.equal(
    zh(said("overflow.weights", { place })),
    "数值溢出，出在第 1 块的注意力分数（位置 0 上 h.1.attn.out 为 NaN）：权重已损坏，或训练发散了。请为此模型选择另一个文件。",
  );
  assert.equal(
    zh(said("weights.other_format", { what: said("format.zip"), advice: said("advice.choose_safetensors") })),
    "这是 zip 文件，多半是 PyTorch 的 pytorch_model.bin 或 .pt，这里无法读取。请选择 GPT-2 模型的 model.safetensors 文件；多数模型都提供。",
  );
  const again = said("advice.download_again");
  assert.equal(
    zh(said("weights.truncated", { wanted: "3836912", bytes: "1000", tensor: "'wte.weight'", advice: again })),
    "权重文件不完整：应有 3836912 字节，但在 1000 字节处、张量 'wte.weight' 中间结束了。请重新下载。",
  );
  assert.equal(
    zh(said("adapter.in_weights", { cause: said("weights.header_cut", { bytes: "9", advice: again }) })),
    "文件 adapter_model.safetensors：权重文件在文件头中间（9 字节处）就结束了。请重新下载。",
  );
  const binding = said("plan.binding", { tensor: "h.0.attn.scores", bytes: "200", allowed: "128" });
  const step = said("plan.step", { plan: "view(64)", step: "3", op: "attention", cause: binding });
  assert.equal(
    zh(step),
    "view(64) 的第 3 步（attention）：h.0.attn.scores 占 200 字节，超过一次绑定最多的 128 字节。请减小批量、缩短上下文，或用小一些的模型。",
  );
  assert.ok(isSaid(step, "plan.binding") && isSaid(step, "plan.step") && !isSaid(step, "plan.tensor"));
  // A fault of the engine's own has no words in Chinese; within a sentence that has, it stands as it is.
  const fault = { code: "uncoded", text: "h.0 overlaps h.1", params: { text: "h.0 overlaps h.1" } };
  assert.equal(zh(fault), null);
  assert.equal(engineText(fault, "en"), "h.0 overlaps h.1");
  assert.equal(
    zh({ ...step, params: { ...step.params, cause: fault } }),
    "view(64) 的第 3 步（attention）：h.0 overlaps h.1",
  );
  // What a file says about itself is not a pattern.
  assert.equal(zh(said("saved.lacks", { tensor: "$& {tensor}" })), "保存的训练缺少 $& {tensor}。请重新开始训练。");
});
