// @ts-check
// The way of the data, on answers recorded from the engine and on graphs made here.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { flowEn } from "../../www/i18n/inspect/flow.en.js";
import { flowZh } from "../../www/i18n/inspect/flow.zh.js";
import { registerStrings } from "../../www/i18n/index.js";
import {
  activationOf,
  beyond,
  cosine,
  figure,
  gridOf,
  headRow,
  logSoftmax,
  paint,
  scaleOf,
  splitHeads,
  statsOf,
  strongest,
  valueRows,
} from "../../www/inspect/flow_data.js";
import { explain, partsOf } from "../../www/inspect/flow_detail.js";
import { kindOf, readFlow, rowsOf, shapeText, stepKey } from "../../www/inspect/flow_graph.js";
import { linesOf, titleOf } from "../../www/inspect/flow_lines.js";
import { FlowSource } from "../../www/inspect/flow_source.js";
import { DEFAULT_SETTINGS } from "../../www/settings.js";

registerStrings(flowEn, flowZh);
const recorded = JSON.parse(readFileSync(new URL("recorded/flow.json", import.meta.url), "utf8"));

/** @param {string} name @param {string} op @param {string[]} inputs @param {Partial<import("../../www/inspect/types.js").FlowNode>} [more] */
const node = (name, op, inputs, more = {}) => ({
  name,
  op,
  inputs,
  params: [],
  shape: [null, 8],
  layer: Number(/^h\.(\d+)/.exec(name)?.[1] ?? -1),
  ...more,
});
/** @param {string} name @param {...number} shape */
const param = (name, ...shape) => ({ name, shape });

/** Block of a model whose LayerNorm comes after the add, as `src/model/gpt.rs` names its tensors. @param {number} l @param {string} x */
const postBlock = (l, x) => [
  node(`h.${l}.attn.qkv`, "matmul", [x]),
  node(`h.${l}.attn.out`, "attention", [`h.${l}.attn.qkv`]),
  node(`h.${l}.attn.proj`, "matmul", [`h.${l}.attn.out`]),
  node(`h.${l}.attn.residual`, "add", [`h.${l}.attn.proj`, x]),
  node(`h.${l}.ln_1`, "layer_norm", [`h.${l}.attn.residual`]),
  node(`h.${l}.mlp.fc`, "matmul", [`h.${l}.ln_1`]),
  node(`h.${l}.mlp.act`, "activation", [`h.${l}.mlp.fc`]),
  node(`h.${l}.mlp.proj`, "matmul", [`h.${l}.mlp.act`]),
  node(`h.${l}.mlp.residual`, "add", [`h.${l}.mlp.proj`, `h.${l}.ln_1`]),
  node(`h.${l}`, "layer_norm", [`h.${l}.mlp.residual`]),
];
const start = [
  node("wte.out", "embedding", [], { params: [param("wte.weight", 10, 8)] }),
  node("embed", "position_embedding", ["wte.out"], { params: [param("wpe.weight", 4, 8)] }),
];

/** Everything known of the recorded token. @returns {import("../../www/inspect/flow_detail.js").Known} */
function known() {
  const floats = (/** @type {number[]} */ values) => Float32Array.from(values);
  const tensors = new Map(
    [...recorded.outside.tensors, ...recorded.values.tensors].map((/** @type {any} */ { name, values }) => [name, floats(values)]),
  );
  const { heads, keys, scores, probs } = recorded.values.attention;
  return /** @type {any} */ ({
    subject: {
      version: 1,
      selected: recorded.ids.length - 1,
      tokens: recorded.tokens,
      info: { nEmbd: 160, nHead: 5, nLayer: 5, nCtx: 256, vocabSize: 2048 },
    },
    flow: readFlow(recorded.flow),
    tensors,
    attention: new Map([[2, { heads, keys, scores: floats(scores), probs: floats(probs) }]]),
    next: recorded.next,
    settings: DEFAULT_SETTINGS,
    off: [],
    head: -1,
  });
}

describe("the graph", () => {
  const flow = readFlow(recorded.flow);

  test("the shipped model's stream and branches", () => {
    assert.deepEqual(
      flow.before.map(({ name, kind }) => [name, kind]),
      [
        ["wte.out", "token"],
        ["embed", "embedding"],
      ],
    );
    assert.deepEqual(
      flow.after.map(({ name, kind }) => [name, kind]),
      [
        ["ln_f", "finalNorm"],
        ["logits", "logits"],
      ],
    );
    assert.equal(flow.blocks.length, 5);
    assert.deepEqual(
      flow.blocks[2].boxes.map(({ name, kind, lane }) => `${name} ${kind} ${lane}`),
      [
        "h.2.ln_1 norm attention",
        "h.2.attn.qkv qkv attention",
        "h.2.attn.out attention attention",
        "h.2.attn.proj attentionOut attention",
        "h.2.mid add stream",
        "h.2.ln_2 norm mlp",
        "h.2.mlp.fc up mlp",
        "h.2.mlp.act activation mlp",
        "h.2.mlp.proj down mlp",
        "h.2 add stream",
      ],
    );
    assert.equal(flow.boxes.get("h.2.mid")?.through, "h.1");
    assert.equal(flow.boxes.get("h.2")?.through, "h.2.mid");
  });

  test("every parameter is counted once: they add up to the model's", () => {
    const inBlocks = flow.blocks.reduce((sum, { count }) => sum + count, 0);
    const outside = [...flow.before, ...flow.after].reduce((sum, { count, shared }) => sum + (shared ? 0 : count), 0);
    assert.equal(inBlocks + outside, 1_915_360);
    assert.ok(flow.boxes.get("logits")?.shared, "the head has the token table's weights");
    assert.equal(flow.boxes.get("h.0.attn.qkv")?.count, 160 * 480 + 480);
  });

  test("rows: one block open, the others a line each; forks and joins where branches leave and come back", () => {
    const rows = rowsOf(flow, 1);
    assert.equal(rows.length, 1 + 2 + 5 + 10 + 2 + 1);
    assert.deepEqual(
      rows.filter(({ fork }) => fork).map(({ key }) => key),
      ["h.1.ln_1", "h.1.ln_2"],
    );
    assert.deepEqual(
      rows.filter(({ join }) => join).map(({ key }) => key),
      ["h.1.mid", "h.1"],
    );
    assert.deepEqual(
      rows.filter(({ type }) => type === "block").map(({ key }) => key),
      [0, 1, 2, 3, 4].map((layer) => `block.${layer}`),
    );
    assert.equal(rowsOf(flow, -1).length, 11);
    assert.equal(new Set(rows.map(({ key }) => key)).size, rows.length);
  });

  test("LayerNorm after the add lies on the stream", () => {
    const post = readFlow({ nParams: 0, nodes: [...start, ...postBlock(0, "embed"), ...postBlock(1, "h.0"), node("logits", "matmul", ["h.1"])] });
    assert.deepEqual(
      post.blocks[1].boxes.map(({ lane, kind }) => `${lane} ${kind}`),
      [
        "attention qkv",
        "attention attention",
        "attention attentionOut",
        "stream add",
        "stream norm",
        "mlp up",
        "mlp activation",
        "mlp down",
        "stream add",
        "stream norm",
      ],
    );
    assert.equal(post.blocks[1].output, "h.1");
    assert.equal(titleOf(rowsOf(post, 1).find(({ key }) => key === "h.1.mlp.residual") ?? assert.fail(), post), "Add the MLP");
    assert.equal(post.boxes.get("h.1.attn.residual")?.through, "h.0");
  });

  test("adapters stay inside of their branch", () => {
    const block = [
      node("h.0.ln_1", "layer_norm", ["embed"]),
      node("h.0.attn.qkv.base", "matmul", ["h.0.ln_1"]),
      node("h.0.attn.qkv.lora_A", "matmul", ["h.0.ln_1"], { shape: [null, 2] }),
      node("h.0.attn.qkv.lora_B", "matmul", ["h.0.attn.qkv.lora_A"]),
      node("h.0.attn.qkv", "scaled_add", ["h.0.attn.qkv.base", "h.0.attn.qkv.lora_B", "lora_scale"]),
      node("h.0.attn.cache.next", "kv_append", ["h.0.attn.cache", "h.0.attn.qkv"]),
      node("h.0.attn.out", "attention", ["h.0.attn.qkv", "h.0.attn.cache.next", "step"]),
      node("h.0.attn.gated", "gate", ["h.0.attn.out", "gates"]),
      node("h.0.attn.proj", "matmul", ["h.0.attn.gated"]),
      node("h.0", "add", ["h.0.attn.proj", "embed"]),
    ];
    const flow = readFlow({ nParams: 0, nodes: [...start, ...block, node("logits", "matmul", ["h.0"])] });
    assert.deepEqual(
      flow.blocks[0].boxes.map(({ kind, lane }) => `${kind} ${lane}`),
      [
        "norm attention",
        "qkv attention",
        "loraA attention",
        "loraB attention",
        "lora attention",
        "attention attention",
        "gate attention",
        "attentionOut attention",
        "add stream",
      ],
    );
    const has = (/** @type {{ layer: number, head: number }[]} */ off) => rowsOf(flow, 0, off).some(({ key }) => key === "h.0.attn.gated");
    assert.deepEqual(
      [has([]), has([{ layer: 1, head: 0 }]), has([{ layer: 0, head: -1 }]), has([{ layer: 0, head: 3 }])],
      [false, false, false, true],
    );
  });

  test("tables in pieces are one thing", () => {
    const flow = readFlow({
      nParams: 0,
      nodes: [
        node("wte.out", "embedding", [], { params: [param("wte.weight#0", 64, 8)] }),
        node("wte.out#1", "embedding", [], { params: [param("wte.weight#1", 36, 8)] }),
        node("wte.sum#1", "add", ["wte.out", "wte.out#1"]),
        node("embed", "position_embedding", ["wte.sum#1"]),
        ...postBlock(0, "embed"),
        node("logits#0", "matmul", ["h.0"], { params: [param("wte.weight#0", 64, 8)], shape: [null, 100] }),
        node("logits", "matmul", ["h.0", "logits#0"], { params: [param("wte.weight#1", 36, 8)], shape: [null, 100] }),
      ],
    });
    assert.deepEqual(
      flow.before.map(({ name, kind, params }) => [name, kind, params]),
      [
        ["wte.out", "token", [param("wte.weight", 100, 8)]],
        ["embed", "embedding", []],
      ],
    );
    assert.deepEqual(
      flow.after.map(({ name, shared, count }) => [name, shared, count]),
      [["logits", true, 800]],
    );
  });

  test("what has no pattern keeps its own name", () => {
    assert.equal(kindOf({ name: "h.0.moe.router", op: "matmul" }), "other");
    assert.equal(kindOf({ name: "h.0", op: "add" }), "add");
    const flow = readFlow({
      nParams: 0,
      nodes: [...start, node("h.0.rope", "rotate", ["embed"]), node("h.0", "add", ["h.0.rope", "embed"]), node("logits", "matmul", ["h.0"])],
    });
    assert.deepEqual(
      flow.blocks[0].boxes.map(({ kind, lane }) => [kind, lane]),
      [
        ["other", "branch"],
        ["add", "stream"],
      ],
    );
    const rows = rowsOf(flow, 0);
    assert.deepEqual(
      linesOf(rows, { ...known(), flow }, 0, 0)
        .filter(({ key }) => key === "h.0.rope")
        .map(({ title, tensor }) => [title, tensor]),
      [["Step", "h.0.rope"]],
    );
  });

  test("the walk stays on the path", () => {
    const rows = rowsOf(flow, 0);
    let key = "input";
    const walked = [key];
    while (stepKey(rows, key, 1) !== key) walked.push((key = stepKey(rows, key, 1)));
    assert.deepEqual(
      walked,
      rows.map((row) => row.key),
    );
    assert.equal(stepKey(rows, "input", -1), "input");
    assert.equal(stepKey(rows, "gone", 1), "input");
    assert.equal(shapeText([null, 160]), "T × 160");
  });
});

describe("numbers", () => {
  test("figures of a vector", () => {
    assert.deepEqual(statsOf([3, -4, 0]), {
      n: 3,
      min: -4,
      max: 3,
      mean: -1 / 3,
      deviation: Math.sqrt((100 / 9 + 121 / 9 + 1 / 9) / 3),
      norm: 5,
      active: 1,
    });
    assert.equal(statsOf([]).norm, 0);
  });

  test("the scale leaves a hundredth out, and no scale is 0", () => {
    const values = Array.from({ length: 200 }, (_, i) => (i < 2 ? 100 : Math.sin(i)));
    assert.ok(scaleOf(values) <= 1);
    assert.equal(beyond(values, scaleOf(values)), 2);
    assert.equal(scaleOf([0, 0]), 1);
    assert.equal(scaleOf([0, 0, 0, 5]), 5);
    assert.equal(scaleOf([]), 1);
  });

  test("grids hold every cell, in equal rows where they can", () => {
    assert.deepEqual(
      [160, 480, 640, 768, 2048, 7].map((size) => Object.values(gridOf(size, 160))),
      [
        [160, 1],
        [160, 3],
        [160, 4],
        [128, 6],
        [128, 16],
        [7, 1],
      ],
    );
    for (let size = 1; size < 1000; size += 1) {
      const { columns, rows } = gridOf(size, 96);
      assert.ok(columns <= 96 && columns * rows >= size && columns * (rows - 1) < size);
    }
  });

  test("pixels: orange below, blue above, clear where nothing is", () => {
    const pixels = paint([-1, 0, 1, NaN], "signed", 1, { columns: 5, rows: 1 });
    const rgb = (/** @type {number} */ i) => [...pixels.slice(4 * i, 4 * i + 4)];
    assert.ok(rgb(0)[0] > rgb(0)[2] && rgb(2)[2] > rgb(2)[0]);
    assert.ok(Math.min(...rgb(1)) > 220, "0 is neutral");
    assert.deepEqual([rgb(3)[3], rgb(4)[3]], [0, 0]);
  });

  test("the strongest equal those of a full sort", () => {
    let seed = 5;
    const values = Array.from({ length: 500 }, () => ((seed = (seed * 1103515245 + 12345) % 2147483648) % 50) - 25);
    for (const bySize of [false, true]) {
      const key = (/** @type {number} */ i) => (bySize ? Math.abs(values[i]) : values[i]);
      assert.deepEqual(strongest(values, 20, bySize), [...values.keys()].sort((a, b) => key(b) - key(a) || a - b).slice(0, 20));
    }
    assert.deepEqual(strongest([1, 2], 5), [1, 0]);
  });

  test("heads are cut out of q, k and v in that order", () => {
    const split = splitHeads(
      Float32Array.from({ length: 12 }, (_, i) => i),
      3,
      2,
    );
    assert.deepEqual(
      split?.map((part) => part.map((head) => [...head])),
      [
        [
          [0, 1],
          [2, 3],
        ],
        [
          [4, 5],
          [6, 7],
        ],
        [
          [8, 9],
          [10, 11],
        ],
      ],
    );
    assert.equal(splitHeads(new Float32Array(10), 3, 2), null);
  });

  test("the recorded values agree with each other as the model's formulas say", () => {
    const { tensors, attention } = known();
    const get = (/** @type {string} */ name) => tensors.get(name) ?? assert.fail(name);
    // x + attention(x) = mid, mid + MLP = output
    get("h.2").forEach((value, i) => assert.ok(Math.abs(value - get("h.2.mid")[i] - get("h.2.mlp.proj")[i]) < 1e-3));
    assert.equal(activationOf(get("h.2.mlp.fc"), get("h.2.mlp.act")), "gelu");
    const all = attention.get(2) ?? assert.fail();
    for (let head = 0; head < all.heads; head += 1) {
      const { scores, probs } = headRow(all, head);
      assert.equal(probs.length, recorded.ids.length);
      assert.ok(Math.abs(probs.reduce((sum, p) => sum + p, 0) - 1) < 1e-3);
      logSoftmax(scores).forEach((logprob, key) => assert.ok(Math.abs(Math.exp(logprob) - probs[key]) < 2e-3, `head ${head}, key ${key}`));
    }
    const logprobs = logSoftmax(get("logits"));
    for (const { id, logprob } of recorded.next.entries) assert.ok(Math.abs(logprobs[id] - logprob) < 1e-2);
  });

  test("activations are known by what they do", () => {
    const input = [-3, -1, -0.1, 0, 0.1, 1, 3];
    assert.equal(
      activationOf(
        input,
        input.map((x) => Math.max(0, x)),
      ),
      "relu",
    );
    assert.equal(
      activationOf(
        input,
        input.map((x) => x / (1 + Math.exp(-x))),
      ),
      "unknown",
      "SiLU",
    );
    assert.equal(activationOf([5, 9], [5, 9]), "unknown", "far from 0 all are alike");
    assert.equal(activationOf(undefined, [1]), "unknown");
  });

  test("figures read well", () => {
    assert.deepEqual([0, 0.0123, 1, -12.345, 99.96, 1234.5, 1e-7, -2e6, NaN].map(figure), [
      "0",
      "0.0123",
      "1.00",
      "−12.3",
      "100",
      "1235",
      "1.0e-7",
      "−2.0e+6",
      "–",
    ]);
    assert.equal(cosine([1, 0], [0, 1]), 0);
    assert.equal(cosine([1, 2], [2, 4]), 1);
    assert.equal(cosine([1], [-3]), -1);
    assert.equal(cosine([0], [1]), 0);
    assert.deepEqual(valueRows(new Map([["a", Float32Array.of(1, 2)]])), [
      ["a", 0, 1],
      ["a", 1, 2],
    ]);
  });
});

describe("opened boxes", () => {
  const all = known();
  const rows = rowsOf(all.flow, 2);
  const row = (/** @type {string} */ key) => rows.find((one) => one.key === key) ?? assert.fail(key);
  /** @template {string} T @param {string} key @param {T} type @param {typeof all} [from] */
  const part = (key, type, from = all) =>
    /** @type {any} */ (partsOf(row(key), from).find((one) => one.type === type) ?? assert.fail(`${key} has no ${type}`));

  test("each box explains itself, and shows something once its values are there", () => {
    for (const one of rows) {
      const words = explain(one, all);
      assert.ok(words.length > 20 && !/[{}]/.test(words) && !words.startsWith("flow."), `${one.key}: ${words}`);
      if (one.type === "block" && one.block?.layer !== 2) assert.deepEqual(partsOf(one, all), []);
      else assert.ok(partsOf(one, all).length > 0, one.key);
    }
    assert.match(explain(row("h.2.attn.out"), all), /the keys of the 36 tokens so far: softmax\(q·k \/ √32\)/);
    assert.match(explain(row("h.2.mlp.act"), all), /^GELU/);
    assert.match(explain(row("h.2.mlp.fc"), all), /160 numbers into 640/);
  });

  test("nothing is known: no box shows what is not there", () => {
    const nothing = { ...all, tensors: new Map(), attention: new Map(), next: null };
    for (const one of rows) if (one.type !== "input") assert.deepEqual(partsOf(one, nothing), [], one.key);
  });

  test("attention: a row of scores and of shares for each head, and the tokens the chosen head looks at", () => {
    const heads = part("h.2.attn.out", "heads");
    assert.equal(heads.rows.length, 5);
    assert.deepEqual(
      heads.rows[0].strips.map((/** @type {any} */ { values }) => values.length),
      [36, 36],
    );
    assert.equal(Math.min(...heads.rows[0].strips[0].values), 0);
    const { probs } = headRow(all.attention.get(2) ?? assert.fail(), 3);
    const bars = part("h.2.attn.out", "bars", { ...all, head: 3 });
    const best = strongest(probs, 1)[0];
    assert.ok(Math.abs(bars.items[0].share - probs[best]) < 1e-7);
    assert.match(bars.label, /head 3/);
    assert.equal(part("h.2.attn.out", "heads", { ...all, head: 99 }).picked, 4, "a model with fewer heads than the one before");
  });

  test("the adds tell how much comes to the stream", () => {
    const bars = part("h.2", "bars");
    assert.equal(bars.items.length, 3);
    assert.deepEqual(
      bars.items.map((/** @type {any} */ { value }) => value),
      ["h.2.mid", "h.2.mlp.proj", "h.2"].map((name) => figure(statsOf(all.tensors.get(name) ?? []).norm)),
    );
  });

  test("active units are counted, the strongest come first", () => {
    const { active } = statsOf(all.tensors.get("h.2.mlp.act") ?? []);
    assert.ok(part("h.2.mlp.act", "figures").items[0][1].startsWith(`${active} of 640`));
    const shares = part("h.2.mlp.act", "bars").items.map((/** @type {any} */ { share }) => share);
    assert.equal(shares[0], 1);
    assert.deepEqual(
      shares,
      [...shares].sort((a, b) => b - a),
    );
  });

  test("logits name their tokens; sampling shows what the settings cut off", () => {
    assert.match(part("logits", "bars").items[0].label, /^a$/);
    const bars = part("sampling", "bars");
    assert.deepEqual([bars.items[0].value, bars.items[2].value], ["84.2 %", "cut off"]);
  });

  test("lines: plain name, tensor, shape, parameters; what the walk has passed", () => {
    const lines = linesOf(rows, all, 2, 3);
    const line = lines.find(({ key }) => key === "h.2.attn.qkv") ?? assert.fail();
    assert.deepEqual(
      [line.title, line.tensor, line.facts, line.inside, line.strip?.values.length],
      ["Query, key, value", "h.2.attn.qkv", "T × 480 · 77,280 parameters", true, 480],
    );
    assert.deepEqual(lines.map(({ done }) => done).indexOf(false), 3);
    assert.equal(lines.find(({ key }) => key === "logits")?.facts, "T × 2,048 · shares wte.weight");
    assert.equal(lines.find(({ key }) => key === "block.1")?.strip, null, "not fetched yet");
    assert.deepEqual(
      lines.filter(({ open }) => open !== null).map(({ open }) => open),
      [false, false, true, false, false],
    );
  });
});

describe("fetching", () => {
  /** A context that answers with what was recorded, when it is let; a later question in a slot ends the one before. */
  function context() {
    /** @type {{ slot: string, request: any, resolve: (answer: any) => void, reject: (error: Error) => void }[]} */
    const asked = [];
    /** @type {string[]} */
    const log = [];
    const ask = (/** @type {string} */ slot, /** @type {any} */ request) => {
      log.push(request.what === "values" ? `values ${request.layer}` : request.what);
      for (const one of asked.filter((other) => other.slot === slot)) one.reject(new DOMException("ended", "AbortError"));
      return new Promise((resolve, reject) => asked.push({ slot, request, resolve, reject }));
    };
    const answer = async () => {
      const one = asked.shift() ?? assert.fail("nothing was asked");
      const { what, layer, ids } = one.request;
      const values = {
        tensors: [{ name: `t${layer}`, shape: [1], values: Float32Array.of(ids?.length) }],
        attention: layer < 0 ? undefined : { keys: 1 },
      };
      one.resolve(what === "flow" ? recorded.flow : what === "values" ? values : { entries: [], ids });
      await new Promise((resolve) => setTimeout(resolve));
    };
    const ctx = { ask, settings: { ...DEFAULT_SETTINGS } };
    let changes = 0;
    const source = new FlowSource(/** @type {any} */ (ctx), () => (changes += 1));
    return { source, ctx, asked, log, answer, changes: () => changes };
  }
  /** @param {object} [more] @returns {any} */
  const subject = (more = {}) => ({ version: 1, selected: 1, tokens: { ids: [5, 6, 7] }, ...more });

  test("what is looked at comes first, then the ends of the path, then the other blocks, then what comes next", async () => {
    const { source, log, answer, asked } = context();
    source.update(subject(), 2);
    for (let i = 0; i < 8; i += 1) await answer();
    assert.deepEqual(log, ["flow", "values 2", "values -1", "values 0", "values 1", "values 3", "values 4", "next"]);
    assert.deepEqual([asked.length, source.tensors.size, source.attention.size, source.stale], [0, 6, 5, false]);
    source.update(subject(), 2);
    assert.equal(log.length, 8, "nothing is fetched twice");
  });

  test("another token keeps what is shown until its own values come", async () => {
    const { source, log, answer, asked } = context();
    source.update(subject(), 0);
    for (let i = 0; i < 8; i += 1) await answer();
    source.update(subject({ selected: 2 }), 0);
    assert.deepEqual([source.stale, source.tensors.size, source.subject?.selected], [true, 6, 1]);
    assert.deepEqual(log.slice(8), ["values 0"], "the graph is that of the same text");
    assert.deepEqual(asked[0].request.ids, [5, 6, 7]);
    await answer();
    assert.deepEqual([source.stale, /** @type {any} */ (source).subject.selected], [false, 2]);
    assert.deepEqual([...source.tensors.keys()], ["t0"], "nothing of the other token is left");
  });

  test("a block that is opened is fetched at once, and the rest afterwards", async () => {
    const { source, log, answer, asked } = context();
    source.update(subject(), 0);
    await answer();
    await answer();
    await answer();
    source.update(subject(), 4);
    assert.deepEqual(log.slice(-1), ["values 4"]);
    await new Promise((resolve) => setTimeout(resolve));
    asked.splice(0, asked.length - 1);
    for (let i = 0; i < 5; i += 1) await answer();
    assert.deepEqual([log.length, source.layers.size, source.problem], [9, 6, ""]);
  });

  test("new settings ask for what comes next again, and for nothing else", async () => {
    const { source, ctx, log, answer } = context();
    source.update(subject(), 0);
    for (let i = 0; i < 8; i += 1) await answer();
    ctx.settings = { ...ctx.settings, temperature: 0.1 };
    source.update(subject(), 0);
    assert.deepEqual(log.slice(8), ["next"]);
  });

  test("a closed panel fetches nothing more, and takes nothing that comes late", async () => {
    const { source, log, answer, changes } = context();
    source.update(subject(), 0);
    await answer();
    source.close();
    await answer();
    assert.deepEqual([log, changes(), source.tensors.size], [["flow", "values 0"], 0, 0]);
  });

  test("a failure is told once, and gone with the next token", async () => {
    const { source, asked, answer } = context();
    source.update(subject(), 0);
    await answer();
    asked.shift()?.reject(new Error("device lost"));
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(source.problem, "device lost");
    source.update(subject({ selected: 2 }), 0);
    assert.equal(source.problem, "");
  });
});
