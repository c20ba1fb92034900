/**
 * What the engine says, in Chinese: its sentence with `{}` for each number or name in it, and the translation with `{0}`, `{1}`
 * in their places. A part that is itself in the list (an option's name, a range, an advice) is translated too. What is not in
 * the list is shown as the engine says it. `tests/views/engine.test.mjs` compares the sentences with the engine's sources.
 * @type {[engine: string, chinese: string][]}
 */
export const engineZh = [
  // Training.
  ["The text is empty; paste or choose some text to train on.", "文本是空的。请粘贴或选择用于训练的文本。"],
  ["The text is a single token, which leaves nothing to predict; use at least a sentence.", "文本只有一个 token，没有可以预测的内容。请至少给一句话。"],
  ["The training context is 0 tokens; choose at least 1.", "训练上下文是 0 个 token，至少应为 1。"],
  [
    "The text has only {} tokens, too few to hold some back, so there is no validation loss: watch the samples to see when the model recites the text instead of learning from it.",
    "文本只有 {0} 个 token，太短，无法留出一部分，因此没有验证损失：请看样文，判断模型是在学习还是在背诵。",
  ],
  ["The text is shorter than the training context of {} tokens: every sequence is the whole text.", "文本比 {0} 个 token 的训练上下文还短：每个序列都是整篇文本。"],
  [
    "this run would need {} MB, more than the {} MB there is room for; choose a smaller batch, a shorter context, or LoRA",
    "这次训练需要 {0} MB 内存，而可用的只有 {1} MB。请减小批量、缩短上下文，或改用 LoRA。",
  ],
  [
    "{} needs {} MiB for temporaries, more than the {} MiB allowed; use a shorter chunk or batch",
    "{0} 的临时数据需要 {1} MiB，超过允许的 {2} MiB。请缩短上下文或减小批量。",
  ],
  [
    "the loss is no longer a number after {} steps; the weights are those of before. Train with a lower learning rate (now {}) or stronger clipping (now {})",
    "第 {0} 步之后损失不再是一个数，权重仍是此前的。请用更低的学习率（现为 {1}）或更强的梯度裁剪（现为 {2}）再训练。",
  ],
  ["the options of the run are wrong: {}", "训练设置有误：{0}"],
  ["{} is {}; choose a number {}", "“{0}”是 {1}；应选择{2}的数。"],
  ["steps", "步数"],
  ["batch-size", "批量"],
  ["context", "上下文"],
  ["lr", "学习率"],
  ["weight-decay", "权重衰减"],
  ["grad-clip", "梯度裁剪"],
  ["grad-accum", "梯度累积"],
  ["dropout", "Dropout"],
  ["validation", "留出比例"],
  ["temperature", "温度"],
  ["repetition penalty", "重复惩罚"],
  ["from 1 to {}, the longest text this model reads", "从 1 到 {0}（此模型能读的最长文本）"],
  ["from 1 to {}", "从 1 到 {0}"],
  ["above 0 and at most 1; 0.0001 to 0.001 is usual", "大于 0 且不超过 1（通常为 0.0001 到 0.001）"],
  ["from 0 (off) to 10; 0.1 is usual", "从 0（关闭）到 10（通常为 0.1）"],
  ["from 0 (off); 1 is usual", "从 0（关闭）起（通常为 1）"],
  ["from 0 (off) to 0.5", "从 0（关闭）到 0.5"],
  ["from 0 (off) to 0.9; 0.1 is usual", "从 0（关闭）到 0.9（通常为 0.1）"],
  ["from 0.01 to 100, or 0 to always take the likeliest token", "从 0.01 到 100，或 0（总取最可能的 token）"],
  ["above 0 and at most 1 (off)", "大于 0 且不超过 1（关闭）"],
  ["from 0 (off) to 1", "从 0（关闭）到 1"],
  ["from 0.01 to 100; 1 is off", "从 0.01 到 100（1 为关闭）"],
  ["LoRA rank is {}; choose one from 1 to {}, the width of the model; 4 to 16 is usual", "LoRA 秩是 {0}；应从 1 到 {1}（模型的宽度），通常为 4 到 16。"],
  ["LoRA alpha is {}; choose a number above 0; twice the rank is usual", "LoRA alpha 是 {0}；应大于 0，通常为秩的两倍。"],
  ["LoRA dropout is {}; choose a number from 0 (off) to below 1", "LoRA dropout 是 {0}；应从 0（关闭）到小于 1。"],
  [
    "LoRA has no layer to adapt; choose at least one of c_attn, attn.c_proj, c_fc and mlp.c_proj",
    "LoRA 没有可适配的层。请在 c_attn、attn.c_proj、c_fc 和 mlp.c_proj 中至少选一个。",
  ],
  ["this model has other adapters already; load it again to change them", "此模型已有其他适配器。要更换，请重新打开模型。"],
  ["this model is being trained as a whole; load it again to add adapters", "此模型正在训练全部权重。要加适配器，请重新打开模型。"],
  ["this model is set up for another kind of training; load it again to change that", "此模型已准备作另一种训练。要更改，请重新打开模型。"],
  ["this model has no adapters", "此模型没有适配器。"],
  ["this model has no adapters; train or load some first", "此模型没有适配器。请先训练或载入。"],
  ["a saved run goes on with the adapters, or without, as it began", "保存的训练只能按开始时的方式继续：有适配器，或没有。"],
  ["the saved run lacks {}; start a new run", "保存的训练缺少 {0}。请重新开始训练。"],
  ["the saved run's description is damaged ({}); start a new run", "保存的训练的说明已损坏（{0}）。请重新开始训练。"],
  ["this file holds no training run; choose one that was saved while training", "此文件里没有训练进度。请选择训练时保存的文件。"],
  [
    "{} has shape {} in the saved run, but {} in this model; load the model it belongs to",
    "保存的训练中 {0} 的形状是 {1}，而此模型中是 {2}。请打开它所属的模型。",
  ],
  ["there is no training run to save", "没有可保存的训练。"],
  [
    "The model is too large for one zip of at most 4 GiB; save its files one by one, or as F16.",
    "模型太大，一个 zip 文件最多 4 GiB，放不下。",
  ],
  ["There is no training run. Press Train first.", "还没有训练。请先按“训练”。"],

  // Writing.
  ["the prompt is empty; type some text for the model to continue", "开头是空的。请写一些文字，让模型接着写。"],
  ["there are no tokens; give the model some text", "没有 token。请给模型一些文本。"],
  ["{} tokens do not fit this model's context of {}; use a shorter text", "{0} 个 token 放不进此模型 {1} 个 token 的上下文。请用短一些的文本。"],
  [
    "token {} is outside this model's vocabulary of {}; use the tokenizer that came with the model",
    "token {0} 不在此模型 {1} 个 token 的词表之内。请用模型自带的分词器。",
  ],
  ["the text is too short to score: give at least two tokens", "文本太短，无法评分：至少需要两个 token。"],
  ["the model is still working on the last request; wait for its answer first", "模型还在处理上一个请求，请等它完成。"],
  ["the model is not loaded yet; wait until loading is done", "模型还没有载入完，请稍等。"],
  ["No model is open. Open one on the Models tab.", "没有打开的模型。请在“模型”页打开一个。"],
  ["the engine was closed", "引擎已关闭。"],
  ["the worker script could not be loaded", "无法载入后台脚本。"],

  // Memory and devices.
  ["there is no room for a buffer of {} MiB; close other tabs or use a smaller model", "没有 {0} MiB 的空闲内存。请关闭其他标签页，或用小一些的模型。"],
  [
    "the GPU has no room for this model ({}); close other tabs, or use a smaller model or the CPU backend",
    "GPU 放不下此模型（{0}）。请关闭其他标签页，用小一些的模型，或改用 CPU。",
  ],
  ["the GPU refused a device ({}); use the CPU backend", "GPU 拒绝了请求（{0}）。请改用 CPU。"],
  ["the GPU refused {}: {}. Use the CPU backend", "GPU 拒绝了 {0}：{1}。请改用 CPU。"],
  ["the GPU device was lost: {}", "与 GPU 的连接已断开：{0}"],
  ["the GPU failed: {}. Reload the model, or use the CPU backend", "GPU 出错：{0}。请重新打开模型，或改用 CPU。"],
  ["no GPU adapter was found ({}); {}", "找不到 GPU（{0}）。{1}"],
  ["use a browser with WebGPU, or the CPU backend", "请用支持 WebGPU 的浏览器，或改用 CPU。"],
  ["reading from the GPU failed ({}); use the CPU backend", "从 GPU 读取失败（{0}）。请改用 CPU。"],
  ["the GPU went away while it was read; use the CPU backend", "读取时 GPU 断开了。请改用 CPU。"],
  ["the GPU went away while it worked; use the CPU backend", "计算时 GPU 断开了。请改用 CPU。"],
  ["the GPU did not finish ({}); use the CPU backend", "GPU 没有完成计算（{0}）。请改用 CPU。"],

  // config.json.
  ["config.json is missing; add it to the model's files", "缺少 config.json。请把它加到模型的文件中。"],
  [
    "config.json is not valid JSON ({}). Download it again, or use the config.json that came with the weights.",
    "config.json 不是有效的 JSON（{0}）。请重新下载，或用权重自带的 config.json。",
  ],
  [
    "config.json has {}. Supported are models of the GPT-2 architecture: \"gpt2\" (such as gpt2, distilgpt2, TinyStories trained as GPT-2) and \"{}\".",
    "config.json 中有 {0}。这里支持 GPT-2 架构的模型：“gpt2”（如 gpt2、distilgpt2、按 GPT-2 训练的 TinyStories）和“{1}”。",
  ],
  ["config.json has no {}. Use the config.json that came with the weights.", "config.json 中没有 {0}。请用权重自带的 config.json。"],
  ["config.json sets {} to {}: {} is not supported. Choose a plain GPT-2 model.", "config.json 把 {0} 设为 {1}：不支持 {2}。请选择普通的 GPT-2 模型。"],
  [
    "config.json has a quantization_config: quantised weights are not supported. Choose the model's F32, F16 or BF16 version.",
    "config.json 中有 quantization_config：不支持量化的权重。请选择 F32、F16 或 BF16 版本。",
  ],
  [
    "config.json: activation_function {} is not supported. Supported: gelu_new, gelu_pytorch_tanh, gelu_fast, gelu, relu.",
    "config.json：不支持 activation_function {0}。支持的有 gelu_new、gelu_pytorch_tanh、gelu_fast、gelu、relu。",
  ],
  ["config.json: {} is {}, but must be {}.", "config.json：{0} 是 {1}，但应为 {2}。"],
  ["The model's {} is {}; it must be between 1 and {}. Check config.json.", "模型的 {0} 是 {1}，应在 1 到 {2} 之间。请检查 config.json。"],
  ["The model's n_embd ({}) is not divisible by its n_head ({}). Check config.json.", "模型的 n_embd（{0}）不能被 n_head（{1}）整除。请检查 config.json。"],
  ["The model has {} parameters; at most {} are supported. Choose a smaller model.", "模型有 {0} 个参数，最多支持 {1} 个。请选择小一些的模型。"],

  // Tokenizers.
  [
    "the character {} (U+{}) did not occur in the text this character tokenizer was made from: leave it out, or use a byte or BPE tokenizer",
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
  ["{}: add tokenizer.json, or vocab.json together with merges.txt", "{0}：请加上 tokenizer.json，或 vocab.json 和 merges.txt。"],
  ["the model has no tokenizer", "模型没有分词器"],
  ["merges.txt is missing beside vocab.json", "有 vocab.json，但缺少 merges.txt"],
  ["vocab.json is missing beside merges.txt", "有 merges.txt，但缺少 vocab.json"],
  ["{} is not valid JSON ({}): it may be cut off, download it again", "{0} 不是有效的 JSON（{1}）：可能不完整，请重新下载。"],
  ["tokenizer.json is damaged or not a tokenizer: {}", "tokenizer.json 已损坏，或不是分词器：{0}"],
  [
    "tokenizer.json uses {}, which is not supported: choose a model with GPT-2's byte-level BPE tokenizer",
    "tokenizer.json 使用了 {0}，这里不支持。请选择使用 GPT-2 字节级 BPE 分词器的模型。",
  ],
  ["the vocabulary is empty: the tokenizer file is damaged", "词表是空的：分词器文件已损坏。"],

  // Weights.
  ["Download it again.", "请重新下载。"],
  ["Choose the model.safetensors file of a GPT-2 model", "请选择 GPT-2 模型的 model.safetensors 文件"],
  [
    "This is not a safetensors file, or it is damaged: its header would be {} bytes long. Choose the model.safetensors of a GPT-2 model.",
    "这不是 safetensors 文件，或已损坏：文件头长达 {0} 字节。请选择 GPT-2 模型的 model.safetensors。",
  ],
  [
    "This is not a safetensors file: no header begins after its first 8 bytes. Choose the model.safetensors of a GPT-2 model, or, if this is it: {}",
    "这不是 safetensors 文件：前 8 个字节之后没有文件头。请选择 GPT-2 模型的 model.safetensors；如果就是这个文件，{0}",
  ],
  ["The weights file ends inside its header, after {} bytes. {}", "权重文件在文件头中间（{0} 字节处）就结束了。{1}"],
  [
    "The weights file is truncated: it should be {} bytes long but ends after {}, within tensor {}. {}",
    "权重文件不完整：应有 {0} 字节，但在 {1} 字节处、张量 {2} 中间结束了。{3}",
  ],
  ["The weights file is longer than its header says: {} bytes instead of {}. {}", "权重文件比文件头所说的长：{0} 字节，而不是 {1}。{2}"],
  ["The header of the weights file is damaged: {}. {}", "权重文件的文件头已损坏：{0}。{1}"],
  ["Tensor {} holds {} at element {}: the weights are damaged, or their training diverged. {}", "张量 {0} 的第 {2} 个元素是 {1}：权重已损坏，或训练发散了。{3}"],
  [
    "model.safetensors.index.json lists no file for tensor '{}'. Make sure that it and config.json come from the same model.",
    "model.safetensors.index.json 中没有张量“{0}”所在的文件。请确认它和 config.json 出自同一模型。",
  ],
  ["The last weights file has not been read to its end. {}", "最后一个权重文件没有读完。{0}"],
  ["The weights lack tensor {} of shape {}{}. {}", "权重中缺少张量 {0}，形状 {1}{2}。{3}"],
  ["None of its tensors belongs to a GPT-2: choose the weights of a GPT-2 model.", "其中没有属于 GPT-2 的张量：请选择 GPT-2 模型的权重。"],
  [
    "Make sure that config.json and the weights come from the same model, and that all parts of the weights are there.",
    "请确认 config.json 和权重出自同一模型，而且权重的各部分齐全。",
  ],
  ["Tensor {} has shape {}, but the configuration asks for {}. {}", "张量 {0} 的形状是 {1}，而配置要求 {2}。{3}"],
  ["Make sure that config.json and the weights come from the same model.", "请确认 config.json 和权重出自同一模型。"],
  [
    "Tensor {} has dtype {}; F32, F16 and BF16 are supported. Choose a version of the model in one of these.",
    "张量 {0} 的类型是 {1}；支持 F32、F16 和 BF16。请选择其中一种的版本。",
  ],
  [
    "This is a web page, not a weights file: the address led to a page about the file, or to an error message. {} (on huggingface.co the address contains /resolve/, not /blob/).",
    "这是网页，不是权重文件：地址指向介绍文件的页面，或一条错误信息。{0}（在 huggingface.co 上，地址里是 /resolve/，不是 /blob/）。",
  ],
  ["This is a JSON file (such as config.json or tokenizer.json), not the weights. {} together with it.", "这是 JSON 文件（如 config.json 或 tokenizer.json），不是权重。{0}，与它一起打开。"],
  ["This is {}, which cannot be read here. {}; most models offer one.", "这是{0}，这里无法读取。{1}；多数模型都提供。"],
  ["a GGUF/GGML file, the format of llama.cpp", " GGUF/GGML 文件（llama.cpp 的格式）"],
  ["a zip archive, most likely a PyTorch pytorch_model.bin or .pt file", " zip 文件，多半是 PyTorch 的 pytorch_model.bin 或 .pt"],
  ["a Python pickle, most likely an old PyTorch pytorch_model.bin", " Python pickle，多半是旧的 PyTorch pytorch_model.bin"],
  ["an HDF5 file, most likely a TensorFlow tf_model.h5", " HDF5 文件，多半是 TensorFlow 的 tf_model.h5"],
  ["This file is compressed (gzip). Unpack it, and choose the model.safetensors inside.", "此文件是压缩的 (gzip)。请解压后选择其中的 model.safetensors。"],
  ["This is only a Git LFS pointer, not the weights. Run 'git lfs pull', or download the file itself.", "这只是 Git LFS 指针，不是权重。请运行 git lfs pull，或下载文件本身。"],

  // Adapters.
  [
    "{} holds the tensor {}, which is no LoRA matrix of c_attn, attn.c_proj, c_fc or mlp.c_proj. Other layers, and weights trained beside LoRA, are not supported.",
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
  ["{} has peft_type {}; only \"LORA\" is supported.", "{0} 的 peft_type 是 {1}；只支持“LORA”。"],
  ["{} sets {} to {}, which is not supported. Train or convert the adapter as plain LoRA.", "{0} 把 {1} 设为 {2}，这里不支持。请按普通 LoRA 训练或转换适配器。"],
];
