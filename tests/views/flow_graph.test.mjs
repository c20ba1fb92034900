// @ts-check
// The way of the data: boxes and lines, of a recorded graph and of graphs made here.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kindOf, readFlow, rowsOf, shapeText, stepKey } from "../../www/inspect/panels/flow/graph.js";
import { linesOf, titleOf } from "../../www/inspect/panels/flow/lines.js";
import { known, recorded } from "./flow_recorded.mjs";

/**
 * @param {string} name
 * @param {string} op
 * @param {string[]} inputs
 * @param {Partial<import("../../www/inspect/types.js").FlowNode>} [more]
 */
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

/**
 * Block of a model whose LayerNorm comes after the add, as `src/model/gpt.rs` names its tensors.
 * @param {number} l
 * @param {string} x
 */
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
    const post = readFlow({
      nParams: 0,
      nodes: [...start, ...postBlock(0, "embed"), ...postBlock(1, "h.0"), node("logits", "matmul", ["h.1"])],
    });
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
    assert.equal(
      titleOf(rowsOf(post, 1).find(({ key }) => key === "h.1.mlp.residual") ?? assert.fail(), post),
      "Add the MLP",
    );
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
    const has = (/** @type {{ layer: number, head: number }[]} */ off) =>
      rowsOf(flow, 0, off).some(({ key }) => key === "h.0.attn.gated");
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
      nodes: [
        ...start,
        node("h.0.rope", "rotate", ["embed"]),
        node("h.0", "add", ["h.0.rope", "embed"]),
        node("logits", "matmul", ["h.0"]),
      ],
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
