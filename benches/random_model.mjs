// @ts-check
// A GPT-2 of random weights in any size, for measurements: its speed is that of a trained one. Runs in Node.js and in
// browsers.

/** tokenizer.json with one token per byte, in GPT-2's alphabet of printable stand-ins. */
export function byteTokenizer() {
  const plain = (/** @type {number} */ byte) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  /** @type {Record<string, number>} */
  const vocab = {};
  for (let byte = 0, next = 256; byte < 256; byte += 1) vocab[String.fromCodePoint(plain(byte) ? byte : next++)] = byte;
  return JSON.stringify({
    model: { type: "BPE", vocab, merges: [] },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    decoder: { type: "ByteLevel" },
  });
}

/**
 * model.safetensors with GPT-2's tensors in f32, of small seeded noise.
 * @param {{ n_layer: number, n_embd: number, vocab_size: number, n_ctx: number, n_inner?: number | null }} config
 */
export function randomWeights({ n_layer, n_embd: c, vocab_size, n_ctx, n_inner }) {
  const f = n_inner ?? 4 * c;
  /** @type {Record<string, number[]>} */
  const shapes = { "wte.weight": [vocab_size, c], "wpe.weight": [n_ctx, c], "ln_f.weight": [c], "ln_f.bias": [c] };
  for (let i = 0; i < n_layer; i += 1) {
    Object.assign(shapes, {
      [`h.${i}.ln_1.weight`]: [c],
      [`h.${i}.ln_1.bias`]: [c],
      [`h.${i}.ln_2.weight`]: [c],
      [`h.${i}.ln_2.bias`]: [c],
      [`h.${i}.attn.c_attn.weight`]: [c, 3 * c],
      [`h.${i}.attn.c_attn.bias`]: [3 * c],
      [`h.${i}.attn.c_proj.weight`]: [c, c],
      [`h.${i}.attn.c_proj.bias`]: [c],
      [`h.${i}.mlp.c_fc.weight`]: [c, f],
      [`h.${i}.mlp.c_fc.bias`]: [f],
      [`h.${i}.mlp.c_proj.weight`]: [f, c],
      [`h.${i}.mlp.c_proj.bias`]: [c],
    });
  }
  let at = 0;
  /** @type {Record<string, object>} */
  const header = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const end = at + 4 * shape.reduce((a, b) => a * b);
    header[name] = { dtype: "F32", shape, data_offsets: [at, end] };
    at = end;
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (text.length % 8)) % 8);
  const bytes = new Uint8Array(8 + text.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(new TextEncoder().encode(text), 8);
  const values = new Float32Array(bytes.buffer, 8 + text.length);
  let state = 12345;
  for (let i = 0; i < values.length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = (state / 2 ** 32 - 0.5) * 0.07;
  }
  return bytes;
}
