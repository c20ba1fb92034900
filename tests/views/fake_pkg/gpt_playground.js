// A stand-in for the WebAssembly module, for what the real one cannot be made to do on demand: panic, lose its device,
// be slow. config.json carries its behaviour under "fake"; the text decides when: see `next`.

const WORDS = [
  "there",
  "was",
  "a",
  "little",
  "girl",
  "who",
  "lived",
  "near",
  "the",
  "forest",
  "and",
  "she",
  "loved",
  "to",
  "walk",
  "in",
  "sun",
  "with",
  "her",
  "small",
  "dog",
  "one",
  "day",
  "they",
  "found",
  "an",
  "old",
  "door",
  "under",
  "tree",
  "it",
  "opened",
  "slowly",
];
const decoder = new TextDecoder();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Words of the engine's that have no code. */
const said = (text) => ({ code: "uncoded", text, params: {} });
const refusal = (text) => Object.assign(new Error(text), { said: said(text) });

export default async function init() {}

export class Session {
  static async open({ backend }, files) {
    let parsed;
    try {
      parsed = JSON.parse(decoder.decode(files["config.json"]));
    } catch {
      throw refusal("config.json is not JSON. Check that it is the model's own file.");
    }
    if (!files["tokenizer.json"] && !(files["vocab.json"] && files["merges.txt"])) throw refusal("no tokenizer");
    return new Session(backend, parsed);
  }

  constructor(backend, config) {
    Object.assign(this, { backend, config, fake: config.fake ?? {}, fed: 0, head: [], calls: 0 });
  }

  loadChunk(bytes) {
    this.parts ??= [];
    this.parts.push(bytes.slice());
    this.fed += bytes.length;
    if (this.fed >= 8) this.#headerSize();
  }

  endFile() {}

  #headerSize() {
    const first = new Uint8Array(this.parts.flatMap((part) => [...part.subarray(0, 8)]).slice(0, 8));
    const size = Number(new DataView(first.buffer).getBigUint64(0, true));
    if (size > 1e8)
      throw refusal(
        `model.safetensors: the header says it is ${size} bytes long, the most allowed is 100000000. The file is damaged or not a safetensors file.`,
      );
    return size;
  }

  async finishLoading() {
    if (this.fake.loadMs) await sleep(this.fake.loadMs);
    if (this.fed < 8)
      throw refusal(`model.safetensors has only ${this.fed} bytes. It is damaged or not a safetensors file.`);
    const size = this.#headerSize();
    const header = JSON.parse(await new Blob(this.parts).slice(8, 8 + size).text());
    const end = Math.max(0, ...Object.values(header).map((tensor) => tensor.data_offsets?.[1] ?? 0)) + 8 + size;
    if (this.fed < end) throw refusal(`model.safetensors ends after ${this.fed} of ${end} bytes. Download it again.`);
    this.parts = [];
    return this.info();
  }

  info() {
    const gpu = this.backend === "webgpu";
    return {
      backend: gpu ? "webgpu" : "cpu",
      backendReason:
        gpu || this.backend === "cpu"
          ? { ...said("as asked for"), code: "device.asked_cpu" }
          : said("no WebGPU adapter was found"),
      adapter: gpu ? "fake adapter" : "",
      nParams: 1_914_720,
      nCtx: this.fake.nCtx ?? 256,
      vocabSize: 2048,
      nLayer: 5,
      nHead: 5,
      nEmbd: 160,
      bytes: { weights: 7_660_000, kv: 1_638_400, temporaries: 5_200_000 },
      native: "",
    };
  }

  #alone(run) {
    if (this.busy) throw refusal("calls on one session overlapped");
    this.busy = true;
    return Promise.resolve(run()).finally(() => (this.busy = false));
  }

  tokenize(text) {
    if (this.busy) throw refusal("calls on one session overlapped");
    const pieces = text.match(/\s*\S{1,5}|\s+$/g) ?? [];
    return { ids: pieces.map((_, at) => at), pieces };
  }

  start(options) {
    return this.#alone(async () => {
      const used = this.tokenizeUnchecked(options.prompt);
      if (used >= this.info().nCtx)
        throw refusal(
          `the text has ${used} tokens, and this model's context holds ${this.info().nCtx}. Shorten the text.`,
        );
      Object.assign(this, { options, used, state: options.seed >>> 0, stopping: false, made: 0, prefilled: 0 });
      if (options.prompt.includes("ERROR"))
        throw refusal("the logits are not finite: the weights hold NaN. Load another model.");
      return { promptTokens: used, contextUsed: used };
    });
  }

  tokenizeUnchecked(text) {
    return (text.match(/\s*\S{1,5}|\s+$/g) ?? []).length;
  }

  next() {
    return this.#alone(async () => {
      if (this.stopping) return { phase: "tokens", tokens: [], contextUsed: this.used, finished: "stopped" };
      await sleep(this.fake.stepMs ?? 12);
      const { options } = this;
      if (!this.prefilled++) return { phase: "prefill", done: this.used, total: this.used };
      if (options.prompt.includes("PANIC")) {
        console.error("panicked at src/fake.rs:1:1:\nthe fake model fell over\n\nStack:\n\nnowhere");
        throw new WebAssembly.RuntimeError("unreachable");
      }
      if (options.prompt.includes("LOST")) {
        this.gone = true;
        throw refusal(
          "the GPU failed: the GPU device was lost: out of memory. Reload the model, or use the CPU backend",
        );
      }
      const tokens = [];
      let finished = null;
      for (let at = 0; at < (this.fake.perStep ?? 3) && !finished; at += 1) {
        this.state = (Math.imul(this.state ^ (this.made * 2654435761), 1664525) + 1013904223) >>> 0;
        const word = WORDS[this.state % WORDS.length];
        const text = this.made % 14 === 13 ? ".\n\n" : this.made % 7 === 6 ? "," : ` ${word}`;
        tokens.push({
          id: this.state % 2048,
          text,
          logprob: -1.2,
          entropy: 2.1,
          rank: 0,
          top: [{ id: 1, text, logprob: -1.2 }],
        });
        this.made += 1;
        this.used += 1;
        if (this.made >= options.maxNewTokens) finished = "length";
        // The window slides: the later half stays.
        else if (this.used >= this.info().nCtx) this.used = this.info().nCtx / 2;
      }
      return { phase: "tokens", tokens, contextUsed: this.used, finished };
    });
  }

  stop() {
    this.stopping = true;
  }

  lost() {
    return this.gone === true;
  }

  setGates() {}

  /** What the inspector asks by itself while it is open. */
  inspect(request) {
    if (request.what === "tokens") {
      // Cut as the model writes it.
      const texts = request.text.match(/\.\n\n|\s*[^\s,.]+|\s+|./gs) ?? [];
      let end = 0;
      const ends = texts.map((text) => (end += text.length));
      return {
        ids: texts.map((_, at) => at),
        texts,
        bytes: texts.map((text) => [...new TextEncoder().encode(text)]),
        ends,
        bos: false,
      };
    }
    return this.#alone(() => {
      const rows = request.ids.length;
      if (request.what === "score") {
        return {
          rows,
          top: 1,
          logprob: new Float32Array(rows).fill(-1),
          entropy: new Float32Array(rows).fill(2),
          rank: new Uint32Array(rows),
          topIds: new Uint32Array(rows),
          topLogprobs: new Float32Array(rows).fill(-1),
          texts: [[0, " there"]],
        };
      }
      if (request.what === "next") {
        const entry = { id: 0, text: " there", logprob: -1, rank: 0, adjusted: 1, kept: true };
        return {
          entries: [entry],
          found: [],
          vocabSize: 2048,
          entropy: 2,
          adjustedEntropy: 0,
          kept: 1,
          keptMass: 0.37,
        };
      }
      throw refusal(`the fake model cannot answer "${request.what}"`);
    });
  }

  free() {}
}
