// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatRate } from "../../www/core/format.js";
import { clampSeed, clampSetting, DEFAULT_SETTINGS, SETTING_SPECS } from "../../www/core/settings.js";
import { decodeFragment, encodeFragment, Store } from "../../www/core/state.js";
import { PANELS } from "../../www/inspect/manifest.js";
import { missingFiles, roleOf } from "../../www/models/file_names.js";
import { readShardIndex, urlSource } from "../../www/models/network.js";
import { fitRemark } from "../../www/models/view.js";
import { modules } from "./modules.mjs";

test("a fragment brings back what it was made of, and says nothing about defaults", () => {
  assert.equal(encodeFragment({ model: "", tab: "write", settings: DEFAULT_SETTINGS }), "");
  const settings = {
    ...DEFAULT_SETTINGS,
    temperature: 1.25,
    topK: 0,
    seed: 4294967295,
    stopAtEnd: false,
    maxNewTokens: 7,
  };
  const adapter = "sha256:0123456789abcdef";
  const fragment = encodeFragment({ model: "openai-community/gpt2", adapter, tab: "models", lang: "zh", settings });
  const shared = decodeFragment(`#${fragment}`, PANELS);
  assert.deepEqual({ ...DEFAULT_SETTINGS, ...shared.settings }, settings);
  assert.deepEqual(
    [shared.model, shared.adapter, shared.tab, shared.lang],
    ["openai-community/gpt2", adapter, "models", "zh"],
  );
});

test("a text in a fragment keeps who wrote what", () => {
  const state = /** @type {const} */ ({ model: "", tab: "write", settings: DEFAULT_SETTINGS, text: "Once upon" });
  const shared = decodeFragment(encodeFragment({ ...state, inks: [4, 5] }), PANELS);
  assert.deepEqual([shared.text, shared.inks], ["Once upon", [4, 5]]);
  assert.doesNotMatch(encodeFragment({ ...state, inks: [] }), /by=/);
  assert.doesNotMatch(encodeFragment({ ...state, text: undefined, inks: [4, 5] }), /by=/);
  for (const wrong of ["by=4", "by=4.-5", "by=4.5.", "by=a.b", "by=99999999.1"])
    assert.equal(decodeFragment(wrong, PANELS).inks, undefined, wrong);
});

test("a hostile fragment is harmless", () => {
  const shared = decodeFragment(
    "#t=1e99&k=-5&p=NaN&n=2.6&seed=9e99&tab=evil&lang=xx&minp=&__proto__=1&adapter=sha256:0123456789abcde/",
    PANELS,
  );
  assert.deepEqual(shared, {
    settings: { temperature: 2, topK: 0, topP: 0.95, minP: 0, maxNewTokens: 3, seed: 4294967295 },
    view: {},
  });
});

test("settings are brought into range and on their grid", () => {
  const [temperature, topK] = SETTING_SPECS;
  assert.equal(clampSetting(temperature, "0.30000000000000004"), 0.3);
  assert.equal(clampSetting(temperature, ""), temperature.value);
  assert.equal(clampSetting(topK, 5000), 5000, "a field may exceed its slider");
  assert.equal(clampSeed("-1"), 0);
  assert.equal(clampSeed("x"), DEFAULT_SETTINGS.seed);
  for (const spec of SETTING_SPECS) assert.equal(DEFAULT_SETTINGS[spec.key], spec.value);
});

test("a store tells its listeners once for many changes", async () => {
  const store = new Store({ a: 0, b: 0 });
  let calls = 0;
  store.subscribe(() => (calls += 1));
  store.set({ a: 1 });
  store.set({ b: 2 });
  await null;
  assert.deepEqual([calls, store.state], [1, { a: 1, b: 2 }]);
});

test("what can fail under the page is reached through one module each, where a test can make it fail", () => {
  const places = /** @type {[RegExp, string[]][]} */ ([
    [/\bindexedDB\b/, ["core/records.js"]],
    [/\bgetDirectory\(/, ["models/storage.js"]],
    [/\b(local|session)Storage\./, ["core/dom.js", "core/theme.js"]],
    [/\bnew Worker\(/, ["engine/client.js"]],
    [/\bnew BroadcastChannel\(/, ["core/kept.js"]],
    [/\bfetch\(/, ["models/network.js", "train/text_view.js"]],
  ]);
  for (const [pattern, names] of places)
    assert.deepEqual(
      [...modules].filter(([, code]) => pattern.test(code)).map(([name]) => name),
      names,
      `${pattern}`,
    );
});

test("figures are short and have units", () => {
  assert.deepEqual([0, 999, 1000, 4_123_456, 548_105_171, 6_431_829_964].map(formatBytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "4.1 MB",
    "548 MB",
    "6.4 GB",
  ]);
  assert.deepEqual([950, 1_915_360, 124e6, 1.56e9].map(formatCount), ["950", "1.9M", "124M", "1.6B"]);
  assert.deepEqual([212.4, 9.81].map(formatRate), ["212", "9.8"]);
});

test("files are known by their names, and what is missing is named", () => {
  assert.deepEqual(["config.json", "Model (1).safetensors", "merges (2).txt", "notes.txt"].map(roleOf), [
    "config",
    "weights",
    "merges",
    null,
  ]);
  assert.deepEqual(missingFiles({}), ["config.json", "tokenizer.json", "model.safetensors"]);
  assert.deepEqual(missingFiles({ config: 1, vocab: 1, weights: 1 }), ["merges.txt"]);
  assert.deepEqual(missingFiles({ config: 1, vocab: 1, merges: 1, weights: 1 }), []);
});

test("repositories and addresses are understood; anything else is refused", async () => {
  Object.assign(globalThis, { location: new URL("http://localhost:8000/") });
  /** @type {string[]} */
  const asked = [];
  const original = globalThis.fetch;
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    return new Response(null, { status: 404 });
  };
  try {
    const inputs = [
      "openai-community/gpt2",
      " https://huggingface.co/gpt2/ ",
      "https://huggingface.co/a/b/tree/v1",
      "https://example.org/models/small",
    ];
    for (const input of inputs) {
      await assert.rejects(urlSource(input).open(new AbortController().signal), { key: "error.missingFile" });
    }
  } finally {
    globalThis.fetch = original;
  }
  assert.deepEqual(asked, [
    "https://huggingface.co/openai-community/gpt2/resolve/main/config.json",
    "https://huggingface.co/gpt2/resolve/main/config.json",
    "https://huggingface.co/a/b/resolve/v1/config.json",
    "https://example.org/models/small/config.json",
  ]);
  assert.throws(() => urlSource("not a model!"), { key: "error.badUrl" });
  assert.throws(() => urlSource("http://example.org/model"), { key: "error.notHttps" });
});

test("an index of weights files names files beside it, and nothing else", () => {
  const read = (/** @type {unknown} */ index) => readShardIndex(new TextEncoder().encode(JSON.stringify(index)), "u");
  assert.deepEqual(
    read({
      metadata: { total_size: 12 },
      weight_map: { b: "m-2.safetensors", a: "m-1.safetensors", c: "m-2.safetensors" },
    }),
    { names: ["m-1.safetensors", "m-2.safetensors"], bytes: 12 },
  );
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`${at}`, `${at}.safetensors`]));
  for (const bad of [
    null,
    {},
    { weight_map: {} },
    { weight_map: many },
    { weight_map: { a: "../x.safetensors" } },
    { weight_map: { a: 1 } },
    { weight_map: { a: "https://e.org/x.safetensors" } },
  ]) {
    assert.throws(() => read(bad), { key: "error.badShardIndex" });
  }
});

test("what cannot fit is said before it is downloaded", () => {
  assert.equal(fitRemark(6.4e9, "cpu", undefined), "models.tooLarge");
  assert.equal(fitRemark(3.2e9, "webgpu", 4), "models.maybeLarge");
  assert.equal(fitRemark(0.5e9, "cpu", 8), "");
});
