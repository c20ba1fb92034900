// @ts-check
// The engine's sentences in Chinese: each is one that the engine has, and comes out with its numbers and names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { engineText, loadEngineText, patterns, translate } from "../../www/core/i18n/engine.js";
import { engineZh } from "../../www/core/i18n/engine.zh.js";
import { isShown, plain, SILENT, SILENT_FILES, sentences } from "./engine_sentences.mjs";

test("every sentence in the list is the engine's, word for word", () => {
  const known = new Set(sentences().flatMap(({ forms }) => forms));
  assert.ok(known.size > 500, `${known.size} strings in the sources`);
  assert.deepEqual(
    engineZh.filter(([engine]) => !known.has(plain(engine))).map(([engine]) => engine),
    [],
  );
});

test("every sentence that the engine can say on the page is in the list", () => {
  const listed = new Set(engineZh.map(([engine]) => plain(engine)));
  const shown = sentences().filter(isShown);
  assert.ok(shown.length > 200, `${shown.length} sentences in the sources`);
  // Translate it in www/core/i18n/engine.zh.js; what never stands on the page is named in engine_sentences.mjs, with
  // the reason.
  assert.deepEqual(
    shown.filter(({ forms }) => !forms.some((form) => listed.has(form))).map(({ file, text }) => `${file}: ${text}`),
    [],
  );
});

test("the exceptions are sentences that there are, and that are not translated", () => {
  const all = sentences();
  const listed = new Set(engineZh.map(([engine]) => plain(engine)));
  const said = new Set(all.filter((sentence) => sentence.said).map(({ text }) => text));
  assert.deepEqual(
    Object.keys(SILENT).filter((text) => !said.has(text) || listed.has(text)),
    [],
  );
  assert.deepEqual(
    Object.keys(SILENT_FILES).filter((file) => !all.some((sentence) => sentence.said && sentence.file === file)),
    [],
  );
});

test("translations are Chinese, and lose no number or name", () => {
  for (const [engine, chinese] of engineZh) {
    assert.match(chinese, /[\u4e00-\u9fff]|^Dropout$/, engine);
    const holes = engine.split("{}").length - 1;
    const used = [...chinese.matchAll(/\{(\d)\}/g)].map(([, at]) => Number(at)).sort();
    assert.deepEqual(
      used,
      Array.from({ length: holes }, (_, at) => at),
      engine,
    );
  }
  assert.equal(new Set(engineZh.map(([engine]) => engine)).size, engineZh.length, "no sentence twice");
});

test("each sentence is found by its own pattern", () => {
  const known = patterns(engineZh);
  for (const [engine, chinese] of engineZh) {
    let at = 0;
    const values = engine
      .split("{}")
      .slice(1)
      .map((_, index) => `⟨${index}⟩`);
    const filled = engine.replace(/\{\}/g, () => values[at++]);
    assert.equal(
      translate(known, filled),
      chinese.replace(/\{(\d)\}/g, (_, index) => values[Number(index)]),
      filled,
    );
  }
});

test("real messages", async () => {
  await loadEngineText("zh");
  const zh = (/** @type {string} */ text) => engineText(text, "zh");
  assert.equal(
    zh("Context is 300; choose a number from 1 to 256, the longest text this model reads"),
    "“上下文”是 300；应选择从 1 到 256（此模型能读的最长文本）的数。",
  );
  assert.equal(
    zh("Learning rate is 2; choose a number above 0 and at most 1; 0.0001 to 0.001 is usual"),
    "“学习率”是 2；应选择大于 0 且不超过 1（通常为 0.0001 到 0.001）的数。",
  );
  assert.equal(
    zh(
      "the loss is no longer a number after 12 steps, since the numbers overflow in the gradient; the weights are those of before. " +
        "Train with a lower learning rate (now 0.5) or stronger clipping (now 1)",
    ),
    "第 12 步之后损失不再是一个数，因为数值溢出，出在梯度；权重仍是此前的。请用更低的学习率（现为 0.5）或更强的梯度裁剪（现为 1）再训练。",
  );
  assert.equal(
    zh(
      "the numbers overflow in block 1's attention scores (h.1.attn.out is NaN at position 0): the weights are damaged, or their " +
        "training diverged; choose another file of the model",
    ),
    "数值溢出，出在第 1 块的注意力分数（位置 0 上 h.1.attn.out 为 NaN）：权重已损坏，或训练发散了。请为此模型选择另一个文件。",
  );
  assert.equal(
    zh(
      "This is a zip archive, most likely a PyTorch pytorch_model.bin or .pt file, which cannot be read here. Choose the " +
        "model.safetensors " +
        "file of a GPT-2 model; most models offer one.",
    ),
    "这是 zip 文件，多半是 PyTorch 的 pytorch_model.bin 或 .pt，这里无法读取。请选择 GPT-2 模型的 model.safetensors 文件；多数模型都提供。",
  );
  assert.equal(
    zh(
      "The weights file is truncated: it should be 3836912 bytes long but ends after 1000, within tensor 'wte.weight'. Download it again.",
    ),
    "权重文件不完整：应有 3836912 字节，但在 1000 字节处、张量 'wte.weight' 中间结束了。请重新下载。",
  );
  assert.equal(
    zh("the model has no tokenizer: add tokenizer.json, or vocab.json together with merges.txt"),
    "模型没有分词器：请加上 tokenizer.json，或 vocab.json 和 merges.txt。",
  );
  assert.equal(
    zh(
      "The weights lack tensor 'wpe.weight' of shape [256, 128] and 3 more. Make sure that config.json and the weights come from the " +
        "same model, and that all parts of the weights are there.",
    ),
    "权重中缺少张量 'wpe.weight'，形状 [256, 128]，另外还缺 3 个。请确认 config.json 和权重出自同一模型，而且权重的各部分齐全。",
  );
  assert.equal(
    zh(
      "The weights lack tensor 'wpe.weight' of shape [256, 128]. None of its tensors belongs to a GPT-2: " +
        "choose the weights of a GPT-2 model.",
    ),
    "权重中缺少张量 'wpe.weight'，形状 [256, 128]。其中没有属于 GPT-2 的张量：请选择 GPT-2 模型的权重。",
  );
  assert.equal(
    zh("The header of the weights file is damaged: tensor 'ln_f.bias' has impossible offsets 5..3. Download it again."),
    "权重文件的文件头已损坏：张量 'ln_f.bias' 的位置 5..3 不成立。请重新下载。",
  );
  assert.equal(
    zh('config.json: n_embd is "\\"wide\\"", but must be a whole number.'),
    'config.json：n_embd 是 "\\"wide\\""，但应为整数。',
  );
  assert.equal(
    zh(
      "tokenizer.json uses the normalizer Sequence of [NFC, Lowercase], which is not supported: choose a model with " +
        "GPT-2's byte-level BPE " +
        "tokenizer",
    ),
    "这里不支持此 tokenizer.json（normalizer 是 Sequence（内含 NFC, Lowercase））。请选择使用 GPT-2 字节级 BPE 分词器的模型。",
  );
  // One sentence within another: the file of an adapter, the step of a plan.
  assert.equal(
    zh("adapter_config.json: LoRA alpha is 0; choose a number above 0 and at most 10000; twice the rank is usual."),
    "文件 adapter_config.json：LoRA alpha 是 0；应大于 0 且不超过 10000，通常为秩的两倍。",
  );
  assert.equal(
    zh("adapter_model.safetensors: The weights file ends inside its header, after 9 bytes. Download it again."),
    "文件 adapter_model.safetensors：权重文件在文件头中间（9 字节处）就结束了。请重新下载。",
  );
  assert.equal(
    zh(
      "view(64), step 3 (attention): h.0.attn.scores takes 200 bytes, more than the 128 of one binding; " +
        "use a smaller batch, a shorter context or a smaller model",
    ),
    "view(64) 的第 3 步（attention）：h.0.attn.scores 占 200 字节，超过一次绑定最多的 128 字节。请减小批量、缩短上下文，或用小一些的模型。",
  );
  assert.equal(
    zh(
      "the saved run is damaged: the values of exp_avg:wte.weight are not those that were written. Open an earlier save of it, or " +
        "start a new run",
    ),
    "保存的训练已损坏：exp_avg:wte.weight 的值与写入时不同。请打开更早的存档，或重新开始训练。",
  );
  assert.equal(zh("something nobody has thought of"), "something nobody has thought of");
  assert.equal(engineText("this model has no adapters", "en"), "this model has no adapters");
  // What a file says about itself is not a pattern.
  assert.equal(zh("the saved run lacks $& (.*); start a new run"), "保存的训练缺少 $& (.*)。请重新开始训练。");
});
