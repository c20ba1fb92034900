/**
 * What the engine says, in Chinese: its sentence with `{}` for each number or name in it, and the translation with
 * `{0}`, `{1}`
 * in their places. A part that is itself in the list (an option's name, a range, an advice) is translated too. A list
 * of
 * numbers may be `[{}]` where something follows it at once. What is not in the list is shown as the engine says it.
 * `tests/views/engine.test.mjs` compares the list with the engine's sources, both ways.
 * @type {[engine: string, chinese: string][]}
 */
export const engineZh = [
  // What an adapter's files are blamed for: first, so that the file is told from the sentence that follows it.
  ["adapter_model.safetensors: {}", "文件 adapter_model.safetensors：{0}"],
  ["adapter_config.json: {}.", "文件 adapter_config.json：{0}"],

  // Training.
  ["The text is empty; paste or choose some text to train on.", "文本是空的。请粘贴或选择用于训练的文本。"],
  [
    "The text is a single token, which leaves nothing to predict; use at least a sentence.",
    "文本只有一个 token，没有可以预测的内容。请至少给一句话。",
  ],
  ["The training context is 0 tokens; choose at least 1.", "训练上下文是 0 个 token，至少应为 1。"],
  [
    "The text has only {} tokens, too few to hold some back, so there is no validation loss: watch the " +
      "samples to see when the model recites the text instead of learning from it.",
    "文本只有 {0} 个 token，太短，无法留出一部分，因此没有验证损失：请看样文，判断模型是在学习还是在背诵。",
  ],
  [
    "The text is shorter than the training context of {} tokens: every sequence is the whole text.",
    "文本比 {0} 个 token 的训练上下文还短：每个序列都是整篇文本。",
  ],
  [
    "this run needs {} MB, and on the CPU there is room for {} MB; open it with WebGPU",
    "这次训练需要 {0} MB 内存，而 CPU 上可用的只有 {1} MB。请用 WebGPU 打开它。",
  ],
  [
    "this run would need {} MB, more than the {} MB there is room for; choose a smaller batch, a shorter context, or LoRA",
    "这次训练需要 {0} MB 内存，而可用的只有 {1} MB。请减小批量、缩短上下文，或改用 LoRA。",
  ],
  [
    "{} needs {} MiB for temporaries, more than the {} MiB allowed; use a shorter chunk or batch",
    "{0} 的临时数据需要 {1} MiB，超过允许的 {2} MiB。请缩短上下文或减小批量。",
  ],
  [
    "the loss is no longer a number after {} steps, since the numbers overflow in {}; the weights are " +
      "those of before. Train with a lower learning rate (now {}) or stronger clipping (now {})",
    "第 {0} 步之后损失不再是一个数，因为数值溢出，出在{1}；权重仍是此前的。请用更低的学习率（现为 {2}）或更强的梯度裁剪（现为 {3}）再训练。",
  ],
  [
    "the validation loss is no longer a number after {} steps, since the numbers overflow in {}. Train " +
      "with a lower learning rate (now {}) or stronger clipping (now {})",
    "第 {0} 步之后验证损失不再是一个数，因为数值溢出，出在{1}。请用更低的学习率（现为 {2}）或更强的梯度裁剪（现为 {3}）再训练。",
  ],
  [
    "the adapters cannot be merged: {} would hold {}. Lower their strength, or choose other adapters",
    "无法合并适配器：{0} 中会出现 {1}。请降低适配器的强度，或选择其他适配器。",
  ],
  ["the options of the run are wrong: {}", "训练设置有误：{0}"],
  ["{} is {}; choose a number {}", "“{0}”是 {1}；应选择{2}的数。"],
  ["{} is {}; choose a whole number, not below 0 and not too large", "“{0}”是 {1}；应选择不小于 0 且不过大的整数。"],
  ["LoRA rank", "LoRA 秩"],
  ["Warm-up", "预热步数"],
  ["Validate every", "验证间隔"],
  ["Seed", "随机种子"],
  ["Steps", "步数"],
  ["Batch size", "批量"],
  ["Context", "上下文"],
  ["Learning rate", "学习率"],
  ["Final learning rate", "最低学习率"],
  ["Weight decay", "权重衰减"],
  ["Gradient clipping", "梯度裁剪"],
  ["Gradient accumulation", "梯度累积"],
  ["Dropout", "Dropout"],
  ["Held back", "留出比例"],
  ["temperature", "温度"],
  ["repetition penalty", "重复惩罚"],
  ["from 1 to {}, the longest text this model reads", "从 1 到 {0}（此模型能读的最长文本）"],
  ["from 1 to {}", "从 1 到 {0} "],
  ["above 0 and at most 1; 0.0001 to 0.001 is usual", "大于 0 且不超过 1（通常为 0.0001 到 0.001）"],
  ["from 0 (off) to 10; 0.1 is usual", "从 0（关闭）到 10（通常为 0.1）"],
  ["from 0 (off); 1 is usual", "从 0（关闭）起（通常为 1）"],
  ["from 0 (off) to 0.5", "从 0（关闭）到 0.5 "],
  ["from 0 (off) to 0.9; 0.1 is usual", "从 0（关闭）到 0.9（通常为 0.1）"],
  ["from 0.01 to 100, or 0 to always take the likeliest token", "从 0.01 到 100，或 0（总取最可能的 token）"],
  ["above 0 and at most 1 (off)", "大于 0 且不超过 1（关闭）"],
  ["from 0 (off) to 1", "从 0（关闭）到 1 "],
  ["from 0.01 to 100; 1 is off", "从 0.01 到 100（1 为关闭）"],
  ["from 0 to the learning rate, {}", "从 0 到学习率（{0}）"],
  ["from 0 to below 1", "从 0 到 1（不含 1）"],
  ["above 0 and at most 0.01", "大于 0 且不超过 0.01 "],
  [
    "LoRA rank is {}; choose one from 1 to {}, the width of the model; 4 to 16 is usual",
    "LoRA 秩是 {0}；应从 1 到 {1}（模型的宽度），通常为 4 到 16。",
  ],
  [
    "LoRA alpha is {}; choose a number above 0 and at most 10000; twice the rank is usual",
    "LoRA alpha 是 {0}；应大于 0 且不超过 10000，通常为秩的两倍。",
  ],
  ["LoRA dropout is {}; choose a number from 0 (off) to below 1", "LoRA dropout 是 {0}；应从 0（关闭）到小于 1。"],
  [
    "LoRA has no layer to adapt; choose at least one of c_attn, attn.c_proj, c_fc and mlp.c_proj",
    "LoRA 没有可适配的层。请在 c_attn、attn.c_proj、c_fc 和 mlp.c_proj 中至少选一个。",
  ],
  ["LoRA lists {} twice; name each layer once", "LoRA 把 {0} 列了两次。每层只需列一次。"],
  ["the adapters' strength is {}; choose a number such as 1", "适配器强度是 {0}；应为 1 这样的数。"],
  [
    "this model has other adapters already; load it again to change them",
    "此模型已有其他适配器。要更换，请重新打开模型。",
  ],
  [
    "this model is being trained as a whole; load it again to add adapters",
    "此模型正在训练全部权重。要加适配器，请重新打开模型。",
  ],
  [
    "this model is set up for another kind of training; load it again to change that",
    "此模型已准备作另一种训练。要更改，请重新打开模型。",
  ],
  ["this model has no adapters", "此模型没有适配器。"],
  ["this model has no adapters; train or load some first", "此模型没有适配器。请先训练或载入。"],
  [
    "a saved run goes on with the adapters, or without, as it began",
    "保存的训练只能按开始时的方式继续：有适配器，或没有。",
  ],
  [
    "the saved run has already done {} steps, more than the {} asked for; ask for more than {} steps to train on, or begin a new run",
    "保存的训练已完成 {0} 步，多于所要求的 {1} 步。要继续训练，请要求多于 {2} 步；也可以开始新的训练。",
  ],
  ["the saved run lacks {}; start a new run", "保存的训练缺少 {0}。请重新开始训练。"],
  ["the saved run's description is damaged ({}); start a new run", "保存的训练的说明已损坏（{0}）。请重新开始训练。"],
  [
    "the saved run is damaged: {}. Open an earlier save of it, or start a new run",
    "保存的训练已损坏：{0}。请打开更早的存档，或重新开始训练。",
  ],
  ["the saved run cannot be read: {}", "无法读取保存的训练：{0}"],
  ["the values of {} are not those that were written", "{0} 的值与写入时不同"],
  ["the values of {} are no numbers: {}", "{0} 的值不是数：{1}"],
  ["its checksums are missing", "缺少校验和"],
  ["its checksums are not as many as its tensors", "校验和的个数与张量不符"],
  ["its header is not the one that was written", "文件头与写入时不同"],
  [
    "this file holds no training run; choose one that was saved while training",
    "此文件里没有训练进度。请选择训练时保存的文件。",
  ],
  [
    "{} has shape {} in the saved run, but {} in this model; load the model it belongs to",
    "保存的训练中 {0} 的形状是 {1}，而此模型中是 {2}。请打开它所属的模型。",
  ],
  ["there is no training run to save", "没有可保存的训练。"],
  ["the run cannot be saved: {}", "无法保存训练：{0}"],
  ["the options cannot be written: {}", "无法写出训练设置：{0}"],
  ["the training request: {}", "训练请求有误：{0}"],
  ["a batch of {} tokens has {} inputs and {} targets", "{0} 个 token 的一批有 {1} 个输入和 {2} 个目标。"],
  ["there is no tokenizer '{}'; choose among char, byte and bpe", "没有名为“{0}”的分词器。可用 char、byte 或 bpe。"],
  ["There is no preset '{}'; choose among {}", "没有名为“{0}”的大小。可用 {1}。"],
  ["this build of the engine cannot train", "引擎的这个版本不能训练。"],
  [
    "The model is too large for one zip of at most 4 GiB; save its files one by one, or as F16.",
    "模型太大，一个 zip 文件最多 4 GiB，放不下。",
  ],
  ["Two files cannot be called '{}' in one archive.", "同一个 zip 文件中不能有两个文件都叫“{0}”。"],
  ["{} files are too many for one zip.", "{0} 个文件太多，一个 zip 文件放不下。"],
  ["A file in an archive cannot be called {}; choose a plain name.", "zip 文件中的文件不能叫 {0}。请用普通的文件名。"],
  ["the browser could not read or write the saved run ({}); try again", "浏览器无法读写保存的训练（{0}）。请重试。"],
  ["a file could not be handed over", "有一个文件未能交给页面。"],
  ["There is no training run. Press Train first.", "还没有训练。请先按“训练”。"],

  // Writing.
  ["the prompt is empty; type some text for the model to continue", "开头是空的。请写一些文字，让模型接着写。"],
  ["the number of new tokens is 0; ask for at least one", "新 token 上限是 0，至少应为 1。"],
  ["there are no tokens; give the model some text", "没有 token。请给模型一些文本。"],
  [
    "{} tokens do not fit this model's context of {}; use a shorter text",
    "{0} 个 token 放不进此模型 {1} 个 token 的上下文。请用短一些的文本。",
  ],
  [
    "token {} is outside this model's vocabulary of {}; use the tokenizer that came with the model",
    "token {0} 不在此模型 {1} 个 token 的词表之内。请用模型自带的分词器。",
  ],
  ["the model is still working on the last request; wait for its answer first", "模型还在处理上一个请求，请等它完成。"],
  ["the model is not loaded yet; wait until loading is done", "模型还没有载入完，请稍等。"],
  ["No model is open. Open one on the Models tab.", "没有打开的模型。请在“模型”页打开一个。"],

  // Numbers that overflow, and where.
  [
    "the numbers overflow in {}: the weights are damaged, or their training diverged; choose another file of the model",
    "数值溢出，出在{0}：权重已损坏，或训练发散了。请为此模型选择另一个文件。",
  ],
  [
    "the numbers overflow in {}: the adapters act too strongly; lower their strength, now {}, or choose other adapters",
    "数值溢出，出在{0}：适配器作用过强。请降低其强度（现为 {1}），或选择其他适配器。",
  ],
  ["{} ({} is {} at position {})", "{0}（位置 {3} 上 {1} 为 {2}）"],
  ["the embedding", "嵌入"],
  ["block {}'s LayerNorm", "第 {0} 块的 LayerNorm "],
  ["block {}'s queries, keys and values", "第 {0} 块的查询、键和值"],
  ["block {}'s attention scores", "第 {0} 块的注意力分数"],
  ["block {}'s attention output", "第 {0} 块的注意力输出"],
  ["block {}'s inner MLP layer", "第 {0} 块 MLP 的内层"],
  ["block {}'s MLP output", "第 {0} 块 MLP 的输出"],
  ["block {}'s residual stream", "第 {0} 块的残差流"],
  ["the final LayerNorm", "最后的 LayerNorm "],
  ["the logits", "输出头的 logits "],
  ["the logits of level {}", "第 {0} 层的 logits "],
  ["the loss", "损失"],
  ["the gradient", "梯度"],

  // Looking inside.
  ["the text has no tokens", "文本没有 token。"],
  ["positions {} are not in a text of {} tokens", "位置 {0} 不在 {1} 个 token 的文本之内。"],
  ["{} tokens were looked at, so that nothing can go on from {}", "此前只看了 {0} 个 token，无法从第 {1} 个接着看。"],
  [
    "there is no layer {} with head {}; this model has {} layers of {} heads, counted from 0",
    "没有第 {0} 层第 {1} 头；此模型有 {2} 层，每层 {3} 个头，都从 0 数起。",
  ],
  ["there is no block {}; this model has {}, counted from 0", "没有第 {0} 块；此模型有 {1} 块，从 0 数起。"],
  ["block {} has no attention", "第 {0} 块没有注意力。"],
  ["maps of 0 cells show nothing; ask for at least one", "0 格的图显示不出任何东西，至少应为 1 格。"],
  [
    "{} and {} logits in rows of {} cannot be compared; both models need the same vocabulary",
    "无法比较 {0} 个和 {1} 个 logit（每行 {2} 个）：两个模型的词表必须相同。",
  ],
  [
    "{} gates were given; this model takes {} finite numbers, one for each head and MLP",
    "给出了 {0} 个开关值；此模型需要 {1} 个有限的数，每个头和每个 MLP 各一个。",
  ],
  ["inspect: there is no question {}", "内部视图不认识 {0} 这个请求。"],
  ["inspect: {} must be {}", "内部视图的请求中，{0} 应为{1}。"],
  ["a whole number from 0", "从 0 起的整数"],
  ["an array", "数组"],
  ["a Float32Array", " Float32Array 数组"],

  // Memory and devices.
  [
    "there is no room for {} MiB more; close other tabs or use a smaller model",
    "没有 {0} MiB 的空闲内存。请关闭其他标签页，或用小一些的模型。",
  ],
  [
    "the GPU has no room for this model ({}); close other tabs, or use a smaller model or the CPU backend",
    "GPU 放不下此模型（{0}）。请关闭其他标签页，用小一些的模型，或改用 CPU。",
  ],
  ["{} bytes are more than the {} allowed", "{0} 字节超过允许的 {1} 字节"],
  ["the GPU refused a device ({}); use the CPU backend", "GPU 拒绝了请求（{0}）。请改用 CPU。"],
  ["the GPU refused {}: {}. Use the CPU backend", "GPU 拒绝了 {0}：{1}。请改用 CPU。"],
  ["the GPU device was lost: {}", "与 GPU 的连接已断开：{0}"],
  ["the GPU failed: {}. Reload the model, or use the CPU backend", "GPU 出错：{0}。请重新打开模型，或改用 CPU。"],
  ["no GPU adapter was found ({}); {}", "找不到 GPU（{0}）。{1}"],
  ["use a browser with WebGPU, or the CPU backend", "请用支持 WebGPU 的浏览器，或改用 CPU。"],
  ["it could not be read: {}", "无法读取：{0}"],
  ["the GPU does not answer; use the CPU backend", "GPU 没有回应。请改用 CPU。"],
  ["the device reports {} tokens after {}", "已有 {1} 个 token，设备却报告 {0} 个。"],
  ["there is no backend {}; choose auto, cpu or gpu", "没有名为 {0} 的后端。可用 auto、cpu 或 gpu。"],
  ["the CPU backend was asked for", "选定了 CPU"],
  ["the GPU backend was asked for", "选定了 GPU"],
  ["a GPU was found: {}", "找到了 GPU：{0}"],
  ["the only GPU adapter is software ({}), which is slower", "只有由软件模拟的 GPU（{0}），比 CPU 慢"],

  // The computation, where a model or a batch is too large for it. First where it happened.
  ["{}, step {} ({}): {}", "{0} 的第 {1} 步（{2}）：{3}"],
  ["{} for {} cannot take ({}): {}", "{0}（得出 {1}）不能用于（{2}）：{3}"],
  [
    "{} takes {} bytes, more than the {} of one binding; use a smaller batch, a shorter context or a smaller model",
    "{0} 占 {1} 字节，超过一次绑定最多的 {2} 字节。请减小批量、缩短上下文，或用小一些的模型。",
  ],
  [
    "{}: {} would take more than 2 GiB; use a smaller batch, a shorter context or a smaller model",
    "{0}：{1} 会占 2 GiB 以上。请减小批量、缩短上下文，或用小一些的模型。",
  ],
  [
    "the weight {} takes {} bytes, more than the {} that one matrix may; use a narrower model",
    "权重 {0} 占 {1} 字节，超过一个矩阵最多的 {2} 字节。请用窄一些的模型。",
  ],
  [
    "{} has {} workgroups in one dimension, not within 1 to {}",
    "{0} 在一个维度上有 {1} 个工作组，应在 1 到 {2} 之间。",
  ],
  [
    "{} sequences of {} heads are more than 65535 in all; use a smaller batch",
    "{0} 个序列乘以 {1} 个头超过了 65535。请减小批量。",
  ],
  ["no plan has made the tensor {} yet", "还没有任何计算步骤建立张量 {0}。"],

  // config.json.
  ["config.json is missing; add it to the model's files", "缺少 config.json。请把它加到模型的文件中。"],
  [
    "config.json is not valid JSON ({}). Download it again, or use the config.json that came with the weights.",
    "config.json 不是有效的 JSON（{0}）。请重新下载，或用权重自带的 config.json。",
  ],
  ["config.json must hold one JSON object, such as {}.", "config.json 的内容应是一个 JSON 对象，如 {0}。"],
  [
    'config.json has {}. Supported are models of the GPT-2 architecture: "gpt2" (such as gpt2, ' +
      'distilgpt2, TinyStories trained as GPT-2) and "{}".',
    "config.json：{0}。这里支持 GPT-2 架构的模型：“gpt2”（如 gpt2、distilgpt2、按 GPT-2 训练的 TinyStories）和“{1}”。",
  ],
  ["no model_type", "没有 model_type"],
  ["model_type {}", "model_type 是 {0}"],
  [
    "config.json has no {}. Use the config.json that came with the weights.",
    "config.json 中没有 {0}。请用权重自带的 config.json。",
  ],
  [
    "config.json sets {} to {}: {} is not supported. Choose a plain GPT-2 model.",
    "config.json 把 {0} 设为 {1}：不支持{2}。请选择普通的 GPT-2 模型。",
  ],
  ["attention without the 1/sqrt(head_dim) scale", "缺少 1/sqrt(head_dim) 缩放的注意力"],
  ["attention scaled by the layer's index", "按层的序号缩放的注意力"],
  ["cross-attention to an encoder", "对编码器的交叉注意力"],
  [
    "config.json has a quantization_config: quantised weights are not supported. Choose the model's F32, F16 or BF16 version.",
    "config.json 中有 quantization_config：不支持量化的权重。请选择 F32、F16 或 BF16 版本。",
  ],
  [
    "config.json: activation_function {} is not supported. Supported: gelu_new, gelu_pytorch_tanh, gelu_fast, gelu, relu.",
    "config.json：不支持 activation_function {0}。支持的有 gelu_new、gelu_pytorch_tanh、gelu_fast、gelu、relu。",
  ],
  ["config.json: {} is {}, but must be {}.", "config.json：{0} 是 {1}，但应为{2}。"],
  ["a whole number", "整数"],
  ["a number", "数"],
  ["true or false", " true 或 false"],
  ["a text", "文本"],
  ["a token id", " token 编号"],
  [
    'config.json: norm_position is {}; use "pre" (GPT-2) or "post".',
    "config.json：norm_position 是 {0}；应为“pre”（GPT-2）或“post”。",
  ],
  [
    "The model's {} is {}; it must be between 1 and {}. Check config.json.",
    "模型的 {0} 是 {1}，应在 1 到 {2} 之间。请检查 config.json。",
  ],
  ["n_positions (context length)", "n_positions（上下文长度）"],
  [
    "The model's layer_norm_epsilon is {}; it must be above 0 and below 1 (GPT-2 uses 1e-5).",
    "模型的 layer_norm_epsilon 是 {0}；应大于 0 且小于 1（GPT-2 用 1e-5）。",
  ],
  [
    "The model's {} is {}, outside its vocabulary of {}. Check config.json.",
    "模型的 {0} 是 {1}，不在 {2} 个 token 的词表之内。请检查 config.json。",
  ],
  [
    "The model's n_embd ({}) is not divisible by its n_head ({}). Check config.json.",
    "模型的 n_embd（{0}）不能被 n_head（{1}）整除。请检查 config.json。",
  ],
  [
    "The model's {} would have {} x {} numbers, more than the {} that one matrix may have. Choose a narrower model or a shorter context.",
    "模型的{0}会有 {1} × {2} 个数，超过一个矩阵最多的 {3} 个。请选择窄一些的模型，或缩短上下文。",
  ],
  ["attention weight (c_attn)", "注意力权重（c_attn）"],
  ["MLP weight (c_fc)", " MLP 权重（c_fc）"],
  ["cache of keys and values", "键值缓存"],
  [
    "The model has {} parameters; at most {} are supported. Choose a smaller model.",
    "模型有 {0} 个参数，最多支持 {1} 个。请选择小一些的模型。",
  ],

  // Tokenizers.
  [
    "the character {} (U+{}) did not occur in the text this character tokenizer was made from: leave it " +
      "out, or use a byte or BPE tokenizer",
    "字符 {0}（U+{1}）没有出现在生成此字符分词器的文本中。请去掉它，或改用字节或 BPE 分词器。",
  ],
  ["a character tokenizer needs at least one character: the text is empty", "字符分词器至少需要一个字符：文本是空的。"],
  [
    "a BPE vocabulary of {} tokens cannot be made: choose from {} (256 bytes and {} special tokens) to {}",
    "无法生成 {0} 个 token 的 BPE 词表：请选择 {1}（256 个字节加 {2} 个特殊 token）到 {3}。",
  ],
  [
    "the tokenizer has {} tokens, but the model's vocabulary only {}; use the tokenizer that came with the model",
    "分词器有 {0} 个 token，而模型的词表只有 {1} 个。请用模型自带的分词器。",
  ],
  [
    "{}: add tokenizer.json, or vocab.json together with merges.txt",
    "{0}：请加上 tokenizer.json，或 vocab.json 和 merges.txt。",
  ],
  ["the model has no tokenizer", "模型没有分词器"],
  ["merges.txt is missing beside vocab.json", "有 vocab.json，但缺少 merges.txt"],
  ["vocab.json is missing beside merges.txt", "有 merges.txt，但缺少 vocab.json"],
  [
    "{} is not valid JSON ({}): it may be cut off, download it again",
    "{0} 不是有效的 JSON（{1}）：可能不完整，请重新下载。",
  ],
  ["tokenizer.json is damaged or not a tokenizer: {}", "tokenizer.json 已损坏，或不是分词器：{0}。"],
  [
    "tokenizer.json uses {}, which is not supported: choose a model with GPT-2's byte-level BPE tokenizer",
    "这里不支持此 tokenizer.json（{0}）。请选择使用 GPT-2 字节级 BPE 分词器的模型。",
  ],
  ["no pre_tokenizer", "没有 pre_tokenizer"],
  ["the pre_tokenizer {}", "pre_tokenizer 是 {0}"],
  ["the pre_tokenizer ByteLevel with add_prefix_space=true", "pre_tokenizer ByteLevel 设有 add_prefix_space=true"],
  ["the pre_tokenizer ByteLevel with use_regex=false", "pre_tokenizer ByteLevel 设有 use_regex=false"],
  ["the normalizer {}", "normalizer 是 {0}"],
  ["the decoder {}", "decoder 是 {0}"],
  ["the model {}", "model 是 {0}"],
  ["the BPE model with dropout={}", "BPE 模型设有 dropout={0}"],
  ["the BPE model with {}={}", "BPE 模型设有 {0}={1}"],
  ["the BPE model with {}=true", "BPE 模型设有 {0}=true"],
  ["added tokens of {} bytes in all, more than {}", "added_tokens 共有 {0} 字节，超过 {1}"],
  ["the unk_token {} for bytes without a token", "没有 token 的字节用 unk_token {0} 代替"],
  ["the post_processor {}", "post_processor 是 {0}"],
  [
    "the post_processor TemplateProcessing, which adds the token {}",
    "post_processor TemplateProcessing 会加上 token {0}",
  ],
  [
    'the post_processor TemplateProcessing with a "single" other than the text once',
    "post_processor TemplateProcessing 的“single”不是只含一次文本",
  ],
  ["the added token {} with {}=true", "添加的 token {0} 设有 {1}=true"],
  ["of unknown type", "未知类型"],
  ["{} of [{}]", "{0}（内含 {1}）"],
  ['"chars" is not a string', "“chars”不是字符串"],
  ['its type {} is neither "byte" nor "char"', "其类型 {0} 既不是“byte”也不是“char”"],
  ['it has no "model"', "其中没有“model”"],
  ['its model has no "vocab"', "其“model”中没有“vocab”"],
  ['its model has no list of "merges"', "其“model”中没有“merges”列表"],
  ["merge {} is {}, not a pair of tokens", "第 {0} 条合并（从 0 数起）是 {1}，不是一对 token"],
  ['its post_processor Sequence has no list of "processors"', "其 post_processor Sequence 中没有“processors”列表"],
  [
    'its post_processor TemplateProcessing has no list "single"',
    "其 post_processor TemplateProcessing 中没有“single”列表",
  ],
  ['"added_tokens" is not a list', "“added_tokens”不是列表"],
  ['the added token {} has no "content" or no usable "id"', "添加的 token {0} 没有“content”，或没有可用的“id”"],
  ["merges.txt is not UTF-8 text ({}): download it again", "merges.txt 不是 UTF-8 文本（{0}）。请重新下载。"],
  [
    "line {} of merges.txt is {}, not two tokens with a space between: the file is damaged",
    "merges.txt 的第 {0} 行是 {1}，而不是用一个空格隔开的两个 token：文件已损坏。",
  ],
  [
    "merge {} ({} with {}) needs the token {}, which is not in the vocabulary: vocabulary and merges do not belong together",
    "第 {0} 条合并（从 0 数起，{1} 与 {2}）需要 token {3}，而词表中没有：词表和合并规则不是一套。",
  ],
  [
    "{} is not an object of tokens and their ids: the file is damaged",
    "{0} 不是由 token 及其编号组成的对象：文件已损坏。",
  ],
  ['"vocab" of tokenizer.json', "tokenizer.json 的“vocab”"],
  [
    "the id of {} in {} is {}, not a whole number that fits: the file is damaged",
    "{0} 的编号（在 {1} 中）是 {2}，不是范围之内的整数：文件已损坏。",
  ],
  [
    "the token {} has the id {} in added_tokens but {} in the vocabulary: the tokenizer file is damaged",
    "token {0} 的编号在 added_tokens 中是 {1}，在词表中却是 {2}：分词器文件已损坏。",
  ],
  [
    "the token {} stands twice in added_tokens, with the ids {} and {}: the tokenizer file is damaged",
    "token {0} 在 added_tokens 中出现两次，编号是 {1} 和 {2}：分词器文件已损坏。",
  ],
  [
    "token {} has the id {}; the largest supported is {}: the tokenizer file is damaged",
    "token {0} 的编号是 {1}，最大只支持 {2}：分词器文件已损坏。",
  ],
  [
    "the tokens {} and {} have the same id {}: the tokenizer file is damaged",
    "token {0} 和 {1} 的编号都是 {2}：分词器文件已损坏。",
  ],
  ["the vocabulary is empty: the tokenizer file is damaged", "词表是空的：分词器文件已损坏。"],
  ["the vocabulary is larger than 4 GiB: the tokenizer file is damaged", "词表超过 4 GiB：分词器文件已损坏。"],
  [
    "the vocabulary has no token for the byte 0x{}, which the character {} needs: leave the character out",
    "词表中没有字节 0x{0} 的 token，而字符 {1} 需要它。请去掉这个字符。",
  ],
  [
    'the character {} stands twice in "chars" of tokenizer.json: each must occur once',
    "字符 {0} 在 tokenizer.json 的“chars”中出现了两次；每个字符只能出现一次。",
  ],

  // Weights.
  ["Download it again.", "请重新下载。"],
  ["Choose the model.safetensors file of a GPT-2 model", "请选择 GPT-2 模型的 model.safetensors 文件"],
  [
    "This is not a safetensors file, or it is damaged: its header would be {} bytes long. Choose the model.safetensors of a GPT-2 model.",
    "这不是 safetensors 文件，或已损坏：文件头长达 {0} 字节。请选择 GPT-2 模型的 model.safetensors。",
  ],
  [
    "This is not a safetensors file: no header begins after its first 8 bytes. Choose the " +
      "model.safetensors of a GPT-2 model, or, if this is it: {}",
    "这不是 safetensors 文件：前 8 个字节之后没有文件头。请选择 GPT-2 模型的 model.safetensors；如果就是这个文件，{0}",
  ],
  ["The weights file ends inside its header, after {} bytes. {}", "权重文件在文件头中间（{0} 字节处）就结束了。{1}"],
  [
    "The weights file is truncated: it should be {} bytes long but ends after {}, within tensor {}. {}",
    "权重文件不完整：应有 {0} 字节，但在 {1} 字节处、张量 {2} 中间结束了。{3}",
  ],
  [
    "The weights file is longer than its header says: {} bytes instead of {}. {}",
    "权重文件比文件头所说的长：{0} 字节，而不是 {1}。{2}",
  ],
  ["The header of the weights file is damaged: {}. {}", "权重文件的文件头已损坏：{0}。{1}"],
  ["The header of the weights file is damaged: tensor {} {}. {}", "权重文件的文件头已损坏：张量 {0} {1}。{2}"],
  ["overlaps the one before it", "与前一个重叠"],
  ["leaves a gap before it", "与前一个之间留有空隙"],
  ["has {} dimensions", "有 {0} 个维度，太多"],
  ["has impossible offsets {}..{}", "的位置 {0}..{1} 不成立"],
  ["has an unknown dtype {}", "的类型 {0} 未知"],
  ["of dtype {} and shape {} cannot fill the {} bytes given to it", "的类型 {0}、形状 {1} 与分给它的 {2} 字节不符"],
  ["has an impossible shape {}", "的形状 {0} 不成立"],
  [
    "Tensor {} holds {} at element {}: the weights are damaged, or their training diverged. {}",
    "张量 {0} 的第 {2} 个元素是 {1}：权重已损坏，或训练发散了。{3}",
  ],
  ["model.safetensors.index.json cannot be read: {}. {}", "无法读取 model.safetensors.index.json：{0}。{1}"],
  [
    "model.safetensors.index.json names the file {}, which is not a plain file name. {}",
    "model.safetensors.index.json 中的文件 {0} 不是普通的文件名。{1}",
  ],
  [
    "model.safetensors.index.json lists no file for tensor '{}'. Make sure that it and config.json come from the same model.",
    "model.safetensors.index.json 中没有张量“{0}”所在的文件。请确认它和 config.json 出自同一模型。",
  ],
  ["The last weights file has not been read to its end. {}", "最后一个权重文件没有读完。{0}"],
  ["The weights lack tensor {} of shape [{}]{}. {}", "权重中缺少张量 {0}，形状 [{1}]{2}。{3}"],
  [" and {} more", "，另外还缺 {0} 个"],
  [
    "None of its tensors belongs to a GPT-2: choose the weights of a GPT-2 model.",
    "其中没有属于 GPT-2 的张量：请选择 GPT-2 模型的权重。",
  ],
  [
    "config.json asks for a head of its own: if the model's head is tied, set tie_word_embeddings to true and lm_head_bias to false.",
    "config.json 要求单独的输出头：如果模型的输出头与 token 表共用权重，请把 tie_word_embeddings 设为 true，lm_head_bias 设为 false。",
  ],
  [
    "Make sure that config.json and the weights come from the same model, and that all parts of the weights are there.",
    "请确认 config.json 和权重出自同一模型，而且权重的各部分齐全。",
  ],
  ["Tensor {} has shape {}, but the configuration asks for {}. {}", "张量 {0} 的形状是 {1}，而配置要求 {2}。{3}"],
  ["Make sure that config.json and the weights come from the same model.", "请确认 config.json 和权重出自同一模型。"],
  [
    "It seems to be stored transposed, as (out, in): GPT-2 stores linear layers as (in, out).",
    "它似乎是转置存放的，即（输出，输入）：GPT-2 的线性层按（输入，输出）存放。",
  ],
  [
    'The weights hold tensor {} twice (with and without "transformer.", or in two files). Choose one set of weights.',
    "权重中有两个张量 {0}（分别带和不带“transformer.”，或分在两个文件中）。请只选择一套权重。",
  ],
  ["Tensor {} has dtype {}, not a float.", "张量 {0} 的类型是 {1}，不是浮点数。"],
  ["this model has no parameter {}", "此模型没有参数 {0}。"],
  ["{} has {} elements; writing up to {} would pass its end", "{0} 有 {1} 个元素，写到第 {2} 个就超出了末尾。"],
  ["the weights are loaded already", "权重已经载入。"],
  [
    "Tensor {} has dtype {}; F32, F16 and BF16 are supported. Choose a version of the model in one of these.",
    "张量 {0} 的类型是 {1}；支持 F32、F16 和 BF16。请选择其中一种的版本。",
  ],
  [
    "This is a web page, not a weights file: the address led to a page about the file, or to an error " +
      "message. {} (on huggingface.co the address contains /resolve/, not /blob/).",
    "这是网页，不是权重文件：地址指向介绍文件的页面，或一条错误信息。{0}（在 huggingface.co 上，地址里是 /resolve/，不是 /blob/）。",
  ],
  [
    "This is a JSON file (such as config.json or tokenizer.json), not the weights. {} together with it.",
    "这是 JSON 文件（如 config.json 或 tokenizer.json），不是权重。{0}，与它一起打开。",
  ],
  ["This is {}, which cannot be read here. {}; most models offer one.", "这是{0}，这里无法读取。{1}；多数模型都提供。"],
  ["a GGUF/GGML file, the format of llama.cpp", " GGUF/GGML 文件（llama.cpp 的格式）"],
  [
    "a zip archive, most likely a PyTorch pytorch_model.bin or .pt file",
    " zip 文件，多半是 PyTorch 的 pytorch_model.bin 或 .pt",
  ],
  [
    "a Python pickle, most likely an old PyTorch pytorch_model.bin",
    " Python pickle，多半是旧的 PyTorch pytorch_model.bin",
  ],
  ["an HDF5 file, most likely a TensorFlow tf_model.h5", " HDF5 文件，多半是 TensorFlow 的 tf_model.h5"],
  ["a NumPy array", " NumPy 数组"],
  [
    "This file is compressed (gzip). Unpack it, and choose the model.safetensors inside.",
    "此文件是压缩的 (gzip)。请解压后选择其中的 model.safetensors。",
  ],
  [
    "This is only a Git LFS pointer, not the weights. Run 'git lfs pull', or download the file itself.",
    "这只是 Git LFS 指针，不是权重。请运行 git lfs pull，或下载文件本身。",
  ],

  // Adapters.
  [
    "{} holds the tensor {}, which is no LoRA matrix of c_attn, attn.c_proj, c_fc or mlp.c_proj. Other " +
      "layers, and weights trained beside LoRA, are not supported.",
    "{0} 中的张量 {1} 不是 c_attn、attn.c_proj、c_fc 或 mlp.c_proj 的 LoRA 矩阵。不支持其他层，也不支持与 LoRA 同时训练的权重。",
  ],
  [
    "{} has shape {}, but rank {} on this model needs {}. Load the adapter beside the model it was trained on.",
    "{0} 的形状是 {1}，而此模型上秩为 {2} 时应为 {3}。请与训练它的模型一起使用。",
  ],
  ["{} has no {}: it is incomplete.", "{0} 中没有 {1}：文件不完整。"],
  [
    "{} belongs to a block that this model of {} blocks does not have. Load the adapter beside the model it was trained on.",
    "{0} 属于此模型没有的块（它只有 {1} 块）。请与训练它的模型一起使用。",
  ],
  ["{} is not valid JSON ({}). Download it again.", "{0} 不是有效的 JSON（{1}）。请重新下载。"],
  ['{} has peft_type {}; only "LORA" is supported.', "{0} 的 peft_type 是 {1}；只支持“LORA”。"],
  [
    "{} sets {} to {}, which is not supported. Train or convert the adapter as plain LoRA.",
    "{0} 把 {1} 设为 {2}，这里不支持。请按普通 LoRA 训练或转换适配器。",
  ],
  [
    "{} has init_lora_weights {}, which changes the base model. Convert the adapter to plain LoRA with " +
      "PEFT (save_pretrained with path_initial_model_for_weight_conversion).",
    "{0} 的 init_lora_weights 是 {1}，这会改变基础模型。请用 PEFT 把适配器转换为普通 LoRA（save_pretrained 加 path_initial_model_for_weight_conversion）。",
  ],
  ["{} has no {} that is {}.", "{0} 中没有 {1}，或它不是{2}。"],
  ["a whole number from 1", "从 1 起的整数"],
  ["{} holds {} twice.", "{0} 中有两个 {1}。"],
  ["{} has dtype {}, not a float.", "{0} 的类型是 {1}，不是浮点数。"],
  ["{} holds {}: the adapter is damaged, or its training diverged.", "{0} 中有 {1}：适配器已损坏，或训练发散了。"],
];
