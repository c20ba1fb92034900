// @ts-check
// The way of the data: opened boxes and what is fetched for them, on answers recorded from the engine.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_SETTINGS } from "../../www/core/settings.js";
import { figure, headRow, statsOf, strongest } from "../../www/inspect/panels/flow/data.js";
import { explain, partsOf } from "../../www/inspect/panels/flow/detail.js";
import { rowsOf } from "../../www/inspect/panels/flow/graph.js";
import { linesOf } from "../../www/inspect/panels/flow/lines.js";
import { FlowSource } from "../../www/inspect/panels/flow/source.js";
import { engineError } from "./engine_error.mjs";
import { known, recorded } from "./flow_recorded.mjs";

describe("opened boxes", () => {
  const all = known();
  const rows = rowsOf(all.flow, 2);
  const row = (/** @type {string} */ key) => rows.find((one) => one.key === key) ?? assert.fail(key);
  /** @template {string} T @param {string} key @param {T} type @param {typeof all} [from] */
  const part = (key, type, from = all) =>
    /** @type {any} */ (
      partsOf(row(key), from).find((one) => one.type === type) ?? assert.fail(`${key} has no ${type}`)
    );

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
    assert.equal(
      part("h.2.attn.out", "heads", { ...all, head: 99 }).picked,
      4,
      "a model with fewer heads than the one before",
    );
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
      for (const one of asked.filter((other) => other.slot === slot))
        one.reject(new DOMException("ended", "AbortError"));
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
    asked.shift()?.reject(engineError("device lost"));
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(source.problem, "device lost");
    source.update(subject({ selected: 2 }), 0);
    assert.equal(source.problem, "");
  });
});
