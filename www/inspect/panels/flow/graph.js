/**
 * The forward pass as a person follows it: one residual stream, branches that leave it and are added back. It is read
 * from the
 * model's own graph, so that adapters and other orders of LayerNorm show as they are. Free of the DOM.
 */

/** @typedef {import("../../types.js").FlowAnswer} FlowAnswer */
/** @typedef {import("../../types.js").FlowNode} FlowNode */
/**
 * @typedef {"token" | "embedding" | "norm" | "finalNorm" | "qkv" | "attention" | "attentionOut" | "up" | "activation" |
 *   "down"
 *   | "add" | "gate" | "loraA" | "loraB" | "lora" | "logits" | "other"} Kind
 */
/**
 * One step of the computation.
 * @typedef {object} Box
 * @property {string} name of the tensor it makes
 * @property {Kind} kind
 * @property {string} op
 * @property {number} layer -1 outside of the blocks
 * @property {string[]} inputs names of the boxes it reads
 * @property {(number | null)[]} shape
 * @property {{ name: string, shape: number[] }[]} params
 * @property {number} count numbers in its parameters
 * @property {boolean} shared all its parameters belong to an earlier box too
 * @property {"stream" | "attention" | "mlp" | "branch"} lane
 * @property {string} through for a box on the stream: the box before it on the stream, "" for the first
 */
/** @typedef {{ layer: number, boxes: Box[], count: number, output: string }} Block */
/** @typedef {{ before: Box[], blocks: Block[], after: Box[], boxes: Map<string, Box>, nParams: number }} Flow */
/**
 * A line of the diagram.
 * @typedef {object} Row
 * @property {string} key
 * @property {"input" | "box" | "block" | "sampling"} type
 * @property {Box | null} box
 * @property {Block | null} block
 * @property {"stream" | "attention" | "mlp" | "branch"} lane
 * @property {boolean} fork the first of its branch
 * @property {boolean} join a branch is added back here
 * @property {number} layer the open block it stands in, or -1
 */

/** Ops that keep books (caches, what views ask for, sampling) and compute nothing that flows on. */
const BOOKS = new Set(["kv_append", "store_rows", "take_rows", "score", "top_k", "sample", "attention_probs"]);

/** What a tensor is, by its name; what no pattern knows is told by its op. @type {[RegExp, Kind][]} */
const NAMES = [
  [/\.lora_A$/, "loraA"],
  [/\.lora_B$/, "loraB"],
  [/^wte\b/, "token"],
  [/^embed$/, "embedding"],
  [/^ln_f$/, "finalNorm"],
  [/^logits$/, "logits"],
  [/\.gated$/, "gate"],
  [/\.ln_\d+$/, "norm"],
];
/** @type {[RegExp, Kind][]} */
const LINEAR = [
  [/\.attn\.qkv(\.base)?$/, "qkv"],
  [/\.attn\.proj(\.base)?$/, "attentionOut"],
  [/\.mlp\.fc(\.base)?$/, "up"],
  [/\.mlp\.proj(\.base)?$/, "down"],
];
/** @type {Record<string, Kind>} */
const OPS = {
  embedding: "token",
  position_embedding: "embedding",
  layer_norm: "norm",
  attention: "attention",
  causal_attention: "attention",
  attention_decode: "attention",
  activation: "activation",
  add: "add",
  gate: "gate",
  scaled_add: "lora",
};

/**
 * @param {{ name: string, op: string }} node
 * @returns {Kind}
 */
export function kindOf({ name, op }) {
  // An adapter's sum has the name of the layer that it belongs to.
  if (op === "scaled_add") return "lora";
  // A post-LayerNorm block's output is a LayerNorm with the block's name: the op tells more.
  const known =
    NAMES.find(([pattern]) => pattern.test(name)) ??
    (op === "matmul" ? LINEAR.find(([pattern]) => pattern.test(name)) : undefined);
  return known?.[1] ?? OPS[op] ?? "other";
}

/** @param {number[]} shape */
const size = (shape) => shape.reduce((product, dimension) => product * dimension, 1);
/** Large tables are computed in pieces "name#1", "name#2"…, which are one thing to a person. @param {string} name */
const whole = (name) => name.replace(/#\d+$/, "");

/**
 * Puts the pieces of large tables together, and leaves the books out.
 * @param {FlowNode[]} nodes
 * @returns {(Omit<FlowNode, "layer"> & { layer: number })[]}
 */
function simplify(nodes) {
  /** @type {Map<string, string>} the name under which a tensor goes on */
  const alias = new Map();
  /** @type {Map<string, FlowNode>} */
  const kept = new Map();
  for (const node of nodes) {
    if (BOOKS.has(node.op)) continue;
    // The pieces of the token table are summed up; the last sum is the token's vector.
    const name = /^wte\.(out|sum)\b/.test(node.name) ? "wte.out" : whole(node.name);
    alias.set(node.name, name);
    const before = kept.get(name);
    const inputs = node.inputs.map((input) => alias.get(input) ?? "").filter((input) => input !== "" && input !== name);
    const params = [...(before?.params ?? []), ...node.params];
    const op = before && before.op !== "add" ? before.op : node.op;
    kept.set(name, {
      ...node,
      name,
      op,
      inputs: [...new Set([...(before?.inputs ?? []), ...inputs])],
      params: joinPieces(params),
    });
  }
  return [...kept.values()];
}

/** @param {{ name: string, shape: number[] }[]} params */
function joinPieces(params) {
  /** @type {Map<string, { name: string, shape: number[] }>} */
  const joined = new Map();
  for (const { name, shape } of params) {
    const before = joined.get(whole(name));
    const rows = name === whole(name) || !before ? shape[0] : before.shape[0] + shape[0];
    joined.set(whole(name), { name: whole(name), shape: [rows, ...shape.slice(1)] });
  }
  return [...joined.values()];
}

/**
 * Reads the graph: finds the stream, and what branches off it where.
 * @param {FlowAnswer} answer
 * @returns {Flow}
 */
export function readFlow({ nodes, nParams }) {
  const simple = simplify(nodes);
  const byName = new Map(simple.map((node) => [node.name, node]));
  /** @type {Map<string, Set<string>>} */
  const ancestors = new Map();
  for (const { name, inputs } of simple) {
    const all = new Set(inputs);
    for (const input of inputs) for (const one of ancestors.get(input) ?? []) all.add(one);
    ancestors.set(name, all);
  }
  const above = (/** @type {string} */ name) => ancestors.get(name) ?? new Set();

  // Backwards from the end: where several tensors meet, the stream is the one from which all the others come.
  /** @type {Map<string, string>} */
  const through = new Map();
  for (let name = simple.at(-1)?.name ?? ""; name !== ""; ) {
    const inputs = byName.get(name)?.inputs ?? [];
    const source =
      inputs.find((input) => inputs.every((other) => other === input || above(other).has(input))) ?? inputs[0] ?? "";
    through.set(name, source);
    name = source;
  }
  /** @type {Map<string, string>} */
  const joins = new Map();
  for (const [name, source] of through) {
    for (const one of above(name)) {
      if (one !== source && !through.has(one) && !above(source).has(one) && !joins.has(one)) joins.set(one, name);
    }
  }
  /** @param {string} join @returns {Box["lane"]} */
  const laneInto = (join) => {
    const branch = simple.filter((node) => joins.get(node.name) === join);
    if (branch.some((node) => kindOf(node) === "attention")) return "attention";
    return branch.some((node) => kindOf(node) === "activation") ? "mlp" : "branch";
  };
  const lanes = new Map([...new Set(joins.values())].map((join) => [join, laneInto(join)]));

  const seen = new Set();
  const boxes = simple.map((node) => {
    const fresh = node.params.filter(({ name }) => !seen.has(name));
    for (const { name } of node.params) seen.add(name);
    /** @type {Box} */
    const box = {
      ...node,
      kind: kindOf(node),
      count: node.params.reduce((sum, { shape }) => sum + size(shape), 0),
      shared: node.params.length > 0 && fresh.length === 0,
      lane: lanes.get(joins.get(node.name) ?? "") ?? "stream",
      through: through.get(node.name) ?? "",
    };
    return box;
  });
  const layers = [...new Set(boxes.map(({ layer }) => layer))].filter((layer) => layer >= 0).sort((a, b) => a - b);
  const blocks = layers.map((layer) => {
    const inside = boxes.filter((box) => box.layer === layer);
    return {
      layer,
      boxes: inside,
      count: inside.reduce((sum, box) => sum + (box.shared ? 0 : box.count), 0),
      output: inside[inside.length - 1].name,
    };
  });
  const first = boxes.findIndex(({ layer }) => layer >= 0);
  const outside = boxes.map((box, i) => ({ box, i })).filter(({ box }) => box.layer < 0);
  return {
    before: outside.filter(({ i }) => first < 0 || i < first).map(({ box }) => box),
    blocks,
    after: outside.filter(({ i }) => first >= 0 && i > first).map(({ box }) => box),
    boxes: new Map(boxes.map((box) => [box.name, box])),
    nParams,
  };
}

/**
 * The lines of the diagram with one block open. Switches are shown only where something is switched off.
 * @param {Flow} flow @param {number} open the block that is shown in full; -1 for none
 * @param {readonly { layer: number, head: number }[]} [off] heads and MLPs (head -1) that are switched off
 * @returns {Row[]}
 */
export function rowsOf(flow, open, off = []) {
  /** @type {Row[]} */
  const rows = [];
  let branch = "stream";
  const push = (/** @type {Box} */ box, layer = -1) => {
    const { lane } = box;
    if (box.kind === "gate" && !off.some((unit) => unit.layer === box.layer && unit.head < 0 === (lane === "mlp")))
      return;
    rows.push({
      key: box.name,
      type: "box",
      box,
      block: null,
      lane,
      fork: lane !== "stream" && branch === "stream",
      join: lane === "stream" && branch !== "stream",
      layer,
    });
    branch = lane;
  };
  const plain = { box: null, block: null, lane: /** @type {const} */ ("stream"), fork: false, join: false, layer: -1 };
  rows.push({ ...plain, key: "input", type: "input" });
  for (const box of flow.before) push(box);
  for (const block of flow.blocks) {
    rows.push({ ...plain, key: `block.${block.layer}`, type: "block", block });
    if (block.layer === open) for (const box of block.boxes) push(box, block.layer);
  }
  for (const box of flow.after) push(box);
  rows.push({ ...plain, key: "sampling", type: "sampling" });
  return rows;
}

/**
 * The key of the line `by` steps on, kept inside; the first line if `key` is not there.
 * @param {Row[]} rows @param {string} key @param {number} by
 */
export function stepKey(rows, key, by) {
  const at = rows.findIndex((row) => row.key === key);
  return rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]?.key ?? "input";
}

/**
 * "T × 160"; the number of tokens is null, or undefined after its way through WebAssembly.
 * @param {(number | null | undefined)[]} shape @param {(value: number) => string} write
 */
export function shapeText(shape, write = String) {
  return shape.map((dimension) => (dimension === null || dimension === undefined ? "T" : write(dimension))).join(" × ");
}
