// @ts-check
// The small parts of the inspector: colours, labels, CSV, tabs, cards, links, fingerprints, examples.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { causeOf, reasonOf } from "../../www/core/cause.js";
import { EngineError, fromWire, isFatal, PageError, toWire } from "../../www/core/errors.js";
import { fingerprint } from "../../www/core/fingerprint.js";
import { engineEn } from "../../www/core/i18n/engine.en.js";
import { loadEngineText } from "../../www/core/i18n/engine.js";
import { loadLanguage, registerStrings, setLanguage, t } from "../../www/core/i18n/index.js";
import { DEFAULT_SETTINGS } from "../../www/core/settings.js";
import { DEFAULT_VIEW, decodeFragment, encodeFragment } from "../../www/core/state.js";
import { diverging, inkOn, luminance, viridis, viridisCss } from "../../www/inspect/color.js";
import { shareAfter } from "../../www/inspect/divider.js";
import { EXAMPLES, EXAMPLES_MODEL } from "../../www/inspect/examples.js";
import { bits, finePercent, hex, isWhole, nameBytes, percent, shorten, showToken } from "../../www/inspect/label.js";
import { PANELS } from "../../www/inspect/manifest.js";
import { groundsOf } from "../../www/inspect/notes.js";
import { offText } from "../../www/inspect/off_notice.js";
import { toCsv } from "../../www/inspect/save.js";
import { ShareRow } from "../../www/inspect/share.js";
import { tabAfter } from "../../www/inspect/tabs.js";
import { tipPlace } from "../../www/inspect/tip.js";
import { figures, sightOf } from "../../www/inspect/token_card.js";
import { MOST_LEVEL } from "../../www/inspect/trail.js";
import { inspectEn } from "../../www/inspect/words.en.js";
import { inspectZh } from "../../www/inspect/words.zh.js";
import { fake, fakeDocument } from "./fake_dom.mjs";

await loadLanguage("zh");

const css = ["shell", "surprise"]
  .map((name) => readFileSync(new URL(`../../www/inspect/${name}.css`, import.meta.url), "utf8"))
  .join("\n");
const style = readFileSync(new URL("../../www/style.css", import.meta.url), "utf8");

/** @param {readonly number[]} one @param {readonly number[]} other */
function contrast(one, other) {
  const [dark, light] = [luminance(/** @type {any} */ (one)), luminance(/** @type {any} */ (other))].sort(
    (a, b) => a - b,
  );
  return (light + 0.05) / (dark + 0.05);
}
/** A colour in Oklab (Ottosson 2020), in which equal distances look equal. @param {readonly number[]} rgb */
function oklab(rgb) {
  const [r, g, b] = rgb.map((value) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  const [l, m, s] = [
    0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
    0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
    0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
  ].map(Math.cbrt);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
/** @param {readonly number[]} one @param {readonly number[]} other */
const distance = (one, other) => Math.hypot(...oklab(one).map((value, at) => value - oklab(other)[at]));
/** @param {string} text */
const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));

test("viridis and its opposite are what they say, and never break on odd numbers", () => {
  const [first, last] = [
    [68, 1, 84],
    [253, 231, 37],
  ];
  assert.deepEqual([viridis(0), viridis(1), viridis(-5), viridis(7), viridis(NaN)], [first, last, first, last, first]);
  assert.equal(viridisCss(0.5), "rgb(33, 145, 140)");
  for (let at = 0; at < 100; at += 1)
    assert.ok(luminance(viridis((at + 1) / 100)) > luminance(viridis(at / 100)), "more is lighter");
  const [less, same, more] = [diverging(-1), diverging(0), diverging(1)];
  assert.ok(less[0] > less[2] && more[2] > more[0] && Math.max(...same) - Math.min(...same) < 8);
  assert.deepEqual(diverging(NaN), same);
  const [lessDark, sameDark, moreDark] = [diverging(-1, true), diverging(0, true), diverging(1, true)];
  assert.ok(
    lessDark[0] > lessDark[2] && moreDark[2] > moreDark[0] && Math.max(...sameDark) - Math.min(...sameDark) < 8,
  );
  for (let at = 0; at < 20; at += 1) {
    for (const side of [-1, 1]) {
      const [near, far] = [at, at + 1].map((x) => (side * x) / 20);
      assert.ok(luminance(diverging(far)) < luminance(diverging(near)), "on a light page more is darker");
      assert.ok(luminance(diverging(far, true)) > luminance(diverging(near, true)), "on a dark page more is lighter");
    }
  }
  for (let at = -1; at <= 1; at += 0.05) {
    for (const colour of [viridis(at), diverging(at), diverging(at, true)]) {
      assert.ok(contrast(colour, inkOn(colour) === "#000" ? [0, 0, 0] : [255, 255, 255]) >= 4.5);
    }
  }
});

test("both inks can be read on every tint of surprise, in light and dark, and more is always further from the sheet", () => {
  const block = (/** @type {RegExp} */ of, /** @type {string} */ text) =>
    /** @type {RegExpExecArray} */ (of.exec(text))[1];
  for (const [name, tints, theme] of [
    ["light", block(/^:root \{([^}]*)\}/m, css), block(/^:root \{([^}]*)\}/m, style)],
    [
      "dark",
      block(/^:root\[data-theme="dark"\] \{([^}]*)\}/m, css),
      block(/^:root\[data-theme="dark"\] \{([^}]*)\}/m, style),
    ],
  ]) {
    const colour = (/** @type {string} */ variable) =>
      rgb(/** @type {RegExpExecArray} */ (new RegExp(`--${variable}: (#\\w{6});`).exec(theme))[1]);
    const sheet = colour("sheet");
    let last = 1;
    let before = sheet;
    for (let level = 0; level <= MOST_LEVEL; level += 1) {
      const found = /** @type {RegExpExecArray} */ (
        new RegExp(`--s${level}: rgb\\((\\d+) (\\d+) (\\d+)\\)`).exec(tints)
      );
      const tint = found.slice(1).map(Number);
      for (const ink of ["ink", "accent"]) assert.ok(contrast(tint, colour(ink)) >= 4.5, `${name} s${level} ${ink}`);
      const step = contrast(tint, sheet);
      assert.ok(step > last, `${name}: s${level} differs more from the sheet than the one before`);
      // An eye tells colours apart from about 0.02 on.
      assert.ok(distance(tint, before) > 0.025, `${name}: s${level} can be told from the one before`);
      const [hue, [, a, b]] = [Math.atan2(oklab(tint)[2], oklab(tint)[1]), oklab(tint)];
      assert.ok(hue > 0.7 && hue < 1.5 && Math.hypot(a, b) > 0.01, `${name}: s${level} is of the one hue`);
      [last, before] = [step, tint];
    }
    assert.doesNotMatch(tints, new RegExp(`--s${MOST_LEVEL + 1}:`));
  }
  const [explicit, automatic] = [
    /^:root\[data-theme="dark"\] \{([^}]*)\}/m,
    /:root:not\(\[data-theme="light"\]\) \{([^}]*)\}/,
  ].map((of) => block(of, css).replace(/\s+/g, " "));
  assert.equal(explicit, automatic, "a chosen dark is the system's dark");
});

test("tokens show what they hold", () => {
  const cases = [
    ["", "∅"],
    [" a", "␣a"],
    ["a ", "a␣"],
    ["  ", "␣␣"],
    ["a b", "a b"],
    ["\n", "⏎"],
    ["\t", "⇥"],
    ["a\r\n", "a␍⏎"],
    ["\ufffd", "\ufffd"],
    ["\u200b", "⟨U+200B⟩"],
    ["\u00a0", "⟨U+00A0⟩"],
    ["\u0301", "◌\u0301"],
    ["\u0007", "⟨U+0007⟩"],
    ["👩‍👩‍👧", "👩‍👩‍👧"],
    ["狼", "狼"],
    ["\udce2\udc80", "⟨E2 80⟩"],
    [" \udcc3", "␣⟨C3⟩"],
    ["\udca9a", "⟨A9⟩a"],
  ];
  for (const [text, shown] of cases) assert.equal(showToken(text), shown);
  assert.equal(nameBytes(" 🐺\udca9\n"), " 🐺⟨A9⟩\n", "only bytes change");
  assert.deepEqual([" a", "🐺", "", "\ufffd", "a\udca9"].map(isWhole), [true, true, false, false, false]);
  assert.equal(shorten("🐺🐺🐺", 3), "🐺🐺🐺");
  assert.equal(shorten("🐺🐺🐺🐺", 3), "🐺🐺…");
  assert.equal(shorten("abc".repeat(1e5), 4), "abc…");
});

test("figures have as many digits as mean something", () => {
  assert.deepEqual([1, 0.9999, 0.123, 0.0999, 0.01234, 0.0001, 0.00001, 0, NaN].map(percent), [
    "100 %",
    ">99.9 %",
    "12.3 %",
    "9.99 %",
    "1.23 %",
    "0.01 %",
    "<0.01 %",
    "0 %",
    "–",
  ]);
  assert.deepEqual([0.123, 0.0000996, 0.000043, 0.0000043, 0.00000096, 2.5e-7, 2.5e-15, 0, NaN].map(finePercent), [
    "12.3 %",
    "0.01 %",
    "0.0043 %",
    "0.00043 %",
    "9.6·10⁻⁵ %",
    "2.5·10⁻⁵ %",
    "2.5·10⁻¹³ %",
    "0 %",
    "–",
  ]);
  assert.deepEqual([Math.LN2, -0, 1e-9].map(bits), ["1.0 bits", "0.0 bits", "0.0 bits"]);
  setLanguage("zh");
  assert.deepEqual([bits(Math.LN2), bits(NaN)], ["1.0 比特", "–"]);
  setLanguage("en");
  assert.equal(hex([0xe5, 0xa4, 10]), "E5 A4 0A");
});

test("CSV quotes what must be quoted and nothing else", () => {
  assert.equal(
    toCsv(
      ["token", "p"],
      [
        ["a,b", 0.5],
        ['say "hi"', 1],
        ["line\nbreak", -2],
        [" plain ", 1e-7],
      ],
    ),
    'token,p\r\n"a,b",0.5\r\n"say ""hi""",1\r\n"line\nbreak",-2\r\n plain ,1e-7\r\n',
  );
  assert.equal(toCsv([], []), "\r\n");
  assert.equal(toCsv(["\udca9"], []), "⟨A9⟩\r\n");
});

test("arrow keys go around the tabs", () => {
  const after = [
    tabAfter("ArrowRight", 6, 7),
    tabAfter("ArrowLeft", 0, 7),
    tabAfter("Home", 3, 7),
    tabAfter("End", 3, 7),
    tabAfter("x", 3, 7),
  ];
  assert.deepEqual(after, [0, 6, 0, 6, -1]);
});

test("a small card stays in the window", () => {
  const window = { width: 390, height: 800 };
  assert.deepEqual(tipPlace({ left: 20, top: 100, bottom: 120 }, { width: 200, height: 60 }, window), {
    left: 20,
    top: 126,
  });
  assert.deepEqual(tipPlace({ left: 380, top: 780, bottom: 800 }, { width: 200, height: 60 }, window), {
    left: 184,
    top: 714,
  });
  assert.deepEqual(tipPlace({ left: 0, top: 10, bottom: 799 }, { width: 500, height: 60 }, window), {
    left: 6,
    top: 0,
  });
});

test("the divider's keys move it, and neither side vanishes", () => {
  assert.deepEqual(
    ["ArrowLeft", "ArrowRight", "Home", "End"].map((key) => shareAfter(key, 50)),
    [52, 48, 75, 25],
  );
  assert.deepEqual([shareAfter("ArrowLeft", 75), shareAfter("ArrowRight", 25)], [75, 25]);
  assert.ok(Number.isNaN(shareAfter("ArrowUp", 50)));
});

test("the card's figures, known and unknown", () => {
  registerStrings(inspectEn, inspectZh);
  setLanguage("en");
  const data = {
    position: 3,
    count: 4,
    window: { from: 0, to: 4 },
    id: 1,
    text: "a",
    bytes: [],
    first: false,
    vocabSize: 2048,
    logprob: Math.log(0.25),
    rank: 2,
    entropy: 1.5,
    written: null,
  };
  assert.deepEqual(
    figures(data),
    { probability: "25.0 %", rank: "3", surprise: "2.0 bits", entropy: "2.2 bits" },
    "one unit",
  );
  assert.deepEqual(figures({ ...data, logprob: NaN, entropy: NaN }), {
    probability: "–",
    rank: "–",
    surprise: "–",
    entropy: "–",
  });
});

test("the card says what the model does not see", () => {
  registerStrings(inspectEn, inspectZh);
  setLanguage("en");
  const data = {
    position: 3,
    count: 4,
    window: { from: 0, to: 4 },
    id: 1,
    text: "a",
    bytes: [],
    first: false,
    vocabSize: 9,
    logprob: -1,
    rank: 2,
    entropy: 1,
    written: null,
  };
  assert.equal(sightOf(data), "");
  const part = { ...data, count: 10, window: { from: 6, to: 10 } };
  assert.match(sightOf(part), /These figures are from tokens 7 to 10 of 10/);
  assert.match(sightOf({ ...part, written: { logprob: Math.log(0.5), rank: 0 } }), /it had 50\.0 % and rank 1\.$/);
});

test("what is switched off is counted rightly", () => {
  registerStrings(inspectEn, inspectZh);
  setLanguage("en");
  const said = /** @type {const} */ ([
    [1, 0],
    [3, 0],
    [0, 1],
    [0, 2],
    [1, 1],
    [2, 1],
  ]).map(([heads, mlps]) => offText(heads, mlps));
  assert.deepEqual(
    said,
    ["1 head is", "3 heads are", "1 MLP is", "2 MLPs are", "1 head and 1 MLP are", "2 heads and 1 MLP are"].map(
      (words) => `${words} off. ${words.endsWith(" is") ? "It stays" : "They stay"} off while the model writes.`,
    ),
  );
});

test("a message goes with what it is about", () => {
  const view = { ...DEFAULT_VIEW, panel: /** @type {const} */ ("attention") };
  const about = { text: "a", weights: "1", view, settings: DEFAULT_SETTINGS, read: false };
  const stands = (/** @type {Parameters<typeof groundsOf>[0]} */ kind, /** @type {Partial<typeof about>} */ patch) =>
    String(groundsOf(kind, { ...about, ...patch })) === String(groundsOf(kind, about));
  const off = { ...view, off: [{ layer: 0, head: 1 }] };
  assert.deepEqual(
    [stands("example", {}), stands("example", { view: off }), stands("example", { view: { ...view, token: 3 } })],
    [true, true, true],
  );
  assert.deepEqual(
    [
      stands("example", { text: "" }),
      stands("example", { view: { ...view, head: 2 } }),
      stands("example", { weights: "2" }),
    ],
    [false, false, false],
  );
  assert.deepEqual(
    [stands("reading", { text: "ab" }), stands("reading", { text: "ab", read: true }), stands("reading", { text: "" })],
    [true, false, false],
  );
  assert.deepEqual(
    [stands("panel", { view: off }), stands("words", { view: off }), stands("words", { text: "ab" })],
    [false, true, false],
  );
});

test("every example has its words, and strings follow the language", () => {
  for (const { key } of EXAMPLES)
    for (const name of [key, `${key}.text`]) assert.ok(inspectEn[`inspect.example.${name}`], name);
  registerStrings({ "test.only": "one" }, { "test.only": "一" });
  setLanguage("zh");
  assert.equal(t("test.only"), "一");
  setLanguage("en");
});

test("what went wrong is said in the page's language; words of others stand apart", async (test) => {
  const told = test.mock.method(console, "error", () => {});
  const thrown = (/** @type {string} */ code) =>
    Object.assign(new Error(`English of ${code}`), { said: { code, text: `English of ${code}`, params: {} } });
  await loadEngineText("zh");
  for (const lang of /** @type {const} */ (["zh", "en"])) {
    setLanguage(lang);
    const ours = (/** @type {unknown} */ error) => {
      const { text, raw } = causeOf(error);
      assert.match(text, lang === "zh" ? /[\u4e00-\u9fff]/ : /^[A-Z].*\.$/);
      return raw;
    };
    assert.equal(reasonOf(new PageError("error.noModel")), t("error.noModel"));
    assert.equal(
      ours(new DOMException("the disk is full", "QuotaExceededError")),
      "QuotaExceededError: the disk is full",
    );
    assert.equal(reasonOf(new DOMException("the disk is full", "QuotaExceededError")), t("error.quota"));
    assert.equal(ours(new RangeError("Array buffer allocation failed")), "RangeError: Array buffer allocation failed");
    assert.equal(told.mock.callCount(), 0);
    // Whatever nobody has thought of is told to developers, too.
    assert.equal(ours(new TypeError("Failed to fetch")), "TypeError: Failed to fetch");
    assert.equal(ours("a string"), "a string");
    assert.equal(told.mock.callCount(), 2);
    told.mock.resetCalls();
  }
  await loadEngineText("en");
  const [known, unknown] = [thrown("prompt.empty"), thrown("no.such")];
  assert.deepEqual(causeOf(known), { text: engineEn["prompt.empty"], raw: "" });
  assert.deepEqual(causeOf(unknown), { text: t("error.engine"), raw: unknown.message });
  setLanguage("zh");
  assert.match(reasonOf(known), /[\u4e00-\u9fff]/);
  assert.deepEqual(causeOf(unknown), { text: t("error.engine"), raw: unknown.message });
  setLanguage("en");
});

test("an error crosses from the worker to the page as what it is", () => {
  const ours = new PageError("error.badZip", { name: "a.zip" }, new TypeError("no"));
  const engines = new EngineError({ code: "a.b", text: "the weights hold NaN", params: { a: "b" } }, false);
  for (const error of [ours, engines, new RangeError("x")]) {
    const crossed = fromWire(structuredClone(toWire(error)));
    assert.deepEqual(causeOf(crossed), causeOf(error));
    assert.equal(isFatal(crossed), false);
  }
  assert.equal(isFatal(fromWire({ ...toWire(new RangeError("x")), fatal: true })), true);
  assert.equal(
    isFatal(fromWire({ said: { code: "gpu.lost", text: "the GPU device was lost: x", params: {} }, fatal: true })),
    true,
  );
});

test("examples are about a model that ships, and about layers and heads that it has", () => {
  const index = JSON.parse(readFileSync(new URL("../../www/models/index.json", import.meta.url), "utf8"));
  const model = index.find((/** @type {any} */ one) => one.id === EXAMPLES_MODEL);
  const config = JSON.parse(
    readFileSync(new URL(`../../www/models/${model.path}/config.json`, import.meta.url), "utf8"),
  );
  assert.equal(EXAMPLES.length, 3);
  for (const { view, text } of EXAMPLES) {
    assert.ok(
      /** @type {number} */ (view.layer) < config.n_layer &&
        /** @type {number} */ (view.head) < config.n_head &&
        text.length > 20,
    );
  }
});

test("a view goes into a link and comes back", () => {
  const round = (
    /** @type {Partial<import("../../www/inspect/types.js").InspectView>} */ patch,
    openChosen = true,
    text = "",
  ) => {
    const view = { ...DEFAULT_VIEW, ...patch };
    const fragment = encodeFragment({ model: "", tab: "write", settings: DEFAULT_SETTINGS, view, openChosen, text });
    const back = decodeFragment(fragment, PANELS);
    assert.deepEqual({ ...DEFAULT_VIEW, ...back.view, open: back.view.open ?? view.open }, view, fragment);
    assert.equal(back.text ?? "", text);
    return fragment;
  };
  assert.equal(round({}), "see=0");
  assert.equal(round({}, false), "", "what the device does by itself stays out");
  assert.equal(round({ open: true }, false), "");
  assert.equal(round({ open: true, panel: "lens" }, false), "see=lens");
  assert.equal(round({ open: true }), "see=next");
  assert.equal(
    round({ open: true, panel: "attention", token: 0, layer: 3, head: -1, mode: "rollout" }),
    "see=attention&token=0&layer=3&head=mean&mode=rollout",
  );
  assert.equal(
    round({
      off: [
        { layer: 0, head: 3 },
        { layer: 11, head: -1 },
      ],
      surprise: false,
    }),
    "see=0&off=0.3_11.mlp&surprise=0",
  );
  round({ open: true }, true, 'A "text" & more #1 = 100 % + 🐺\n狼');
});

test("a copied link names adapters from disk, and says when it leaves out what has no name", async (t) => {
  fakeDocument();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {string[]} */
  const copied = [];
  const before = ["location", "navigator"].map(
    (name) => /** @type {const} */ ([name, Object.getOwnPropertyDescriptor(globalThis, name)]),
  );
  Object.defineProperty(globalThis, "location", {
    value: { origin: "http://here", pathname: "/", search: "" },
    configurable: true,
  });
  const navigator = { clipboard: { writeText: async (/** @type {string} */ link) => void copied.push(link) } };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  t.after(() =>
    before.forEach(([name, own]) =>
      own ? Object.defineProperty(globalThis, name, own) : Reflect.deleteProperty(globalThis, name),
    ),
  );
  const said = async (
    /** @type {string} */ trained,
    /** @type {string} */ modelId,
    /** @type {unknown} */ run,
    adapterId = "",
  ) => {
    /** @type {string[]} */
    const keys = [];
    const app = /** @type {any} */ ({
      state: { info: { trained }, modelId, adapterId },
      training: { state: { run } },
      writer: { text: "A wolf", runs: [] },
      page: { status: { say: () => {} } },
      shared: () => ({ tab: "write", settings: DEFAULT_SETTINGS, view: DEFAULT_VIEW, adapter: adapterId }),
    });
    const root = document.createElement("p");
    const row = new ShareRow(root, app, (key) => keys.push(key));
    fake(row.buttons[0].button).click();
    await new Promise((resolve) => setImmediate(resolve));
    return keys.join();
  };
  assert.equal(await said("lora", "storyteller", null), "inspect.link.adapter");
  assert.equal(await said("lora", "sha256:0123456789abcdef", null), "inspect.link.adapter");
  assert.equal(await said("lora", "run:abc", {}), "", "a run has an address");
  assert.equal(await said("lora", "storyteller", {}), "", "a run that is not saved yet is no file");
  assert.equal(await said("full", "storyteller", null), "");
  assert.equal(await said("", "", null), "inspect.link.model");
  assert.equal(await said("", "storyteller", null), "");
  assert.equal(await said("lora", "storyteller", null, "sha256:0123456789abcdef"), "");
  assert.equal(copied.length, 8);
  assert.equal(copied[7], "http://here/#model=storyteller&adapter=sha256%3A0123456789abcdef&see=0");
  assert.equal(copied[0], "http://here/#model=storyteller&see=0");
});

test("a link from anywhere does no harm", () => {
  const decode = (/** @type {string} */ fragment) => decodeFragment(fragment, PANELS).view;
  assert.deepEqual(decode("see=nonsense&token=-1&layer=1e9&head=x&mode=<b>&off=zzz"), {});
  assert.deepEqual(decode("off=1.2_1.2_x_3.mlp_99999.1"), {
    off: [
      { layer: 1, head: 2 },
      { layer: 3, head: -1 },
    ],
  });
  assert.deepEqual(decode("token=99999999&head=2.5&mode=map2"), {});
});

test("a model from disk has a name that follows from its content", async () => {
  const bytes = new Uint8Array(3 << 20).map((_, at) => (at * 2654435761) >>> 24);
  const config = new Blob(['{"n_layer": 1}']);
  const name = await fingerprint(new Blob([bytes]), config);
  assert.match(name, /^sha256:[0-9a-f]{16}$/);
  assert.equal(await fingerprint(new Blob([bytes]), config), name);
  assert.notEqual(await fingerprint(new Blob([bytes]), new Blob(['{"n_layer": 2}'])), name);
  assert.notEqual(await fingerprint(new Blob([bytes.subarray(1)]), config), name);
  for (const at of [0, (1 << 20) - 1, bytes.length - 1]) {
    const changed = bytes.slice();
    changed[at] ^= 1;
    assert.notEqual(await fingerprint(new Blob([changed]), config), name, `byte ${at} counts`);
  }
  assert.match(await fingerprint(new Blob([]), config), /^sha256:/);
});
