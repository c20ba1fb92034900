// Measures one backend in a Worker of the page. Served beside www/engine/session.js, whose way into the engine is the
// page's own.
// @ts-expect-error: the address is that of the page
import { ModelSession } from "./engine/session.js";
import { byteTokenizer, randomWeights } from "./random_model.mjs";

/** @param {string} name */
const get = async (name) => {
  const response = await fetch(`./bench-model/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** The first bytes of weights, with their header. @param {Uint8Array} weights */
const headOf = (weights) => weights.slice(0, 8 + new DataView(weights.buffer, weights.byteOffset).getUint32(0, true));

/** @param {{ backend: string, config: any, names: string[] }} job */
async function measure({ backend, config, names }) {
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  for (const name of names) if (name !== "model.safetensors") files[name] = await get(name);
  const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);
  if (config)
    Object.assign(files, { "config.json": encode(JSON.stringify(config)), "tokenizer.json": encode(byteTokenizer()) });
  const weights = config ? randomWeights(config) : await get("model.safetensors");

  const opening = performance.now();
  const session = await ModelSession.open(backend, files, [headOf(weights)], [weights.length]);
  for (let at = 0; at < weights.length; at += 1 << 20) session.chunk(weights.subarray(at, at + (1 << 20)));
  session.endFile();
  const info = await session.finish();
  const opened = performance.now() - opening;

  /** A text of so many tokens; texts of different letters share no prefix, so that nothing is taken from the cache. */
  const prompt = (/** @type {string} */ letter, /** @type {number} */ tokens) => {
    let text = letter;
    while (session.tokenize(text).ids.length < tokens) text += ` ${letter}`;
    return text;
  };
  const run = async (/** @type {string} */ text, /** @type {number} */ maxNewTokens) => {
    const settings = {
      temperature: 1,
      topK: 40,
      topP: 0.95,
      minP: 0,
      repetitionPenalty: 1.1,
      seed: 1,
      maxNewTokens,
      stopAtEnd: false,
    };
    const from = performance.now();
    const { promptTokens } = await session.wasm.start({ ...settings, prompt: text });
    let first = 0;
    let before = null;
    let inFirst = 0;
    let tokens = 0;
    for (;;) {
      const step = await session.wasm.next(30);
      if (step.phase !== "tokens") continue;
      tokens += step.tokens.length;
      if (!first && tokens) {
        first = performance.now();
        inFirst = tokens;
        before = session.wasm.counters();
      }
      if (step.finished) break;
    }
    const seconds = (performance.now() - first) / 1000;
    const after = session.wasm.counters();
    const counted = Object.fromEntries(
      Object.keys(after).map((key) => [key, (after[key] - before[key]) / (tokens - inFirst)]),
    );
    return {
      promptTokens,
      untilFirst: (first - from) / 1000,
      inFirst,
      perToken: seconds / (tokens - inFirst),
      counted,
    };
  };
  const long = Math.min(257, info.nCtx - 2);
  await run(prompt("a", long), 2);
  await run(prompt("b", 16), 20);
  const decodes = [];
  for (const letter of ["c", "d", "e"]) decodes.push(await run(prompt(letter, 32), Math.min(128, info.nCtx - 40)));
  decodes.sort((a, b) => a.perToken - b.perToken);
  const decode = decodes[1];
  const rates = [];
  for (const letter of ["f", "g", "h"]) {
    const { promptTokens, untilFirst, inFirst } = await run(prompt(letter, long), 2);
    rates.push((promptTokens - 1) / (untilFirst - inFirst * decode.perToken));
  }
  rates.sort((a, b) => a - b);
  const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  const memory = session.wasm.info().bytes;
  const result = {
    decode_tokens_per_second: round(1 / decode.perToken),
    prefill_tokens_per_second: round(rates[1]),
    open_ms: Math.round(opened),
    device_bytes: memory.weights + memory.kv + memory.temporaries,
    bytes_weights: memory.weights,
    bytes_kv: memory.kv,
    bytes_temporaries: memory.temporaries,
  };
  if (info.backend === "webgpu") {
    const { dispatches, submits, readbacks, bytesRead, bytesWritten } = decode.counted;
    Object.assign(result, {
      dispatches_per_token: round(dispatches),
      submits_per_token: round(submits * 10) / 10,
      readbacks_per_token: round(readbacks * 10) / 10,
      bytes_read_per_token: round(bytesRead),
      bytes_written_per_token: round(bytesWritten),
      adapter: info.adapter,
    });
  }
  return result;
}

/** Milliseconds of a training step: 4 layers x 128, context 128, batch 8, vocabulary 256. @param {string} backend */
async function measureTraining(backend) {
  const config = {
    model_type: "gpt2",
    n_layer: 4,
    n_embd: 128,
    n_head: 4,
    vocab_size: 256,
    n_ctx: 128,
    n_positions: 128,
  };
  const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);
  const session = await ModelSession.open(backend, {
    "config.json": encode(JSON.stringify(config)),
    "tokenizer.json": encode(byteTokenizer()),
  });
  session.chunk(randomWeights(config));
  session.endFile();
  const info = await session.finish();
  const [warm, steps] = info.backend === "webgpu" ? [1, 4] : [3, 23];
  const text = "All happy families are alike; every unhappy family is unhappy in its own way. ".repeat(60);
  const options = JSON.stringify({ steps, batch_size: 8, context: 128, eval_every: 0 });
  await session.wasm.trainStart({ text, lora: false, options });
  let last = 0;
  let reported = 0;
  const times = [];
  for (;;) {
    const { events } = await session.wasm.trainNext(30);
    const step = Math.max(0, ...events.map((/** @type {any} */ event) => event.step ?? 0));
    // On a GPU losses are read late: a report may be of several steps.
    if (step > reported) {
      const now = performance.now();
      if (reported >= warm) times.push((now - last) / (step - reported));
      [last, reported] = [now, step];
    }
    if (events.some((/** @type {any} */ event) => event.type === "finished")) break;
  }
  times.sort((a, b) => a - b);
  return { train_ms_per_step: Math.round(times[times.length >> 1]), train_ms_per_step_best: Math.round(times[0]) };
}

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ value: { ...(await measure(data)), ...(await measureTraining(data.backend)) } });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
self.postMessage({ ready: true });
