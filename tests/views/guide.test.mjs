// @ts-check
// The guide: its chapters hold to what the page and the sources have, its card covers nothing, its questions have answers.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { registerStrings, setLanguage, t } from "../../www/core/i18n/index.js";
import { DEFAULT_SETTINGS } from "../../www/core/settings.js";
import { decodeFragment, encodeFragment } from "../../www/core/state.js";
import { CHAPTERS, moved, nameOf, placeOf } from "../../www/guide/chapters.js";
import { FactSource, factsOf } from "../../www/guide/facts.js";
import { habit, numbers, oneOf, softmax, strongestHead } from "../../www/guide/maths.js";
import { beside, overlap } from "../../www/guide/place.js";
import { excerptOf, repositoryLink, sources } from "../../www/guide/source.js";
import { guideEn } from "../../www/guide/words.en.js";
import { guideZh } from "../../www/guide/words.zh.js";
import { check } from "./guide_saying.mjs";
import { modules } from "./modules.mjs";

registerStrings(guideEn, guideZh);

const root = new URL("../../", import.meta.url);
const steps = CHAPTERS.flatMap((chapter) => chapter.steps.map((step) => ({ chapter: chapter.name, step })));
const recorded = JSON.parse(readFileSync(new URL("recorded/flow.json", import.meta.url), "utf8"));
const floats = (/** @type {number[]} */ values) => Float32Array.from(values);
/** An answer of `values`. @param {any} answer @returns {any} */
const values = ({ tensors, attention }) => ({
  tensors: tensors.map((/** @type {any} */ one) => ({ ...one, values: floats(one.values) })),
  attention: attention && { ...attention, scores: floats(attention.scores), probs: floats(attention.probs) },
});

test("there are five chapters of five to eight steps, each with a name of its own", () => {
  assert.deepEqual(
    CHAPTERS.map(({ name }) => name),
    ["tokens", "guessing", "attention", "layers", "learning"],
  );
  for (const { name, steps: own } of CHAPTERS) {
    assert.ok(own.length >= 5 && own.length <= 8, name);
    assert.equal(new Set(own.map(({ id }) => id)).size, own.length, name);
  }
});

test("each step has its words in both languages", () => {
  for (const { chapter, step } of steps) {
    const parts = ["title", "text", "ask", "why"];
    const variants = Object.entries(step.variants ?? {}).flatMap(([name, all]) => all.map((part) => `${part}.${name}`));
    for (const part of [...parts, ...variants])
      for (const table of [guideEn, guideZh])
        assert.ok(table[`guide.${chapter}.${step.id}.${part}`], `${step.id} ${part}`);
  }
});

test("each step points at what the page has", () => {
  // Outside of the guide: a control that was renamed is noticed.
  const others = [...modules].filter(([name]) => !name.startsWith("guide/")).map(([, code]) => code);
  const page = [readFileSync(new URL("index.html", root), "utf8"), ...others].join("\n");
  /** Ids that a module puts together. */
  const made = [/^train-\w+$/, /^setting-\w+$/];
  for (const { step } of steps) {
    const targets = step.targets(null);
    assert.ok(targets.length > 0, step.id);
    for (const { css, up = "" } of [...targets, ...(step.shows.unfold ? [{ css: step.shows.unfold }] : [])])
      for (const [name] of `${css} ${up}`.matchAll(/(?<=[.#])[a-z][\w-]*/g))
        assert.ok(
          new RegExp(`["\` ]${name}["\` ]`).test(page) || made.some((pattern) => pattern.test(name)),
          `${step.id}: nothing is called ${name}`,
        );
  }
  assert.match(page, /id = `setting-\$\{spec\.key\}`/);
  assert.match(page, /id = `train-\$\{name\}`/);
});

test("each step shows lines that are in a shipped source, once", () => {
  /** @type {string[]} */
  const shipped = JSON.parse(readFileSync(new URL("www/guide/sources.json", root), "utf8"));
  for (const { step } of steps) {
    assert.ok(shipped.includes(step.code.file), `${step.code.file} is not in sources.json`);
    const text = readFileSync(new URL(step.code.file, root), "utf8");
    const { first, lines } = excerptOf(text, step.code);
    assert.ok(first > 0, `${step.id}: "${step.code.at}" is not once in ${step.code.file}`);
    assert.equal(lines.length, step.code.lines, step.id);
    assert.match(lines[0], /\S/);
    assert.equal(text.split("\n")[first - 1].trim(), lines[0].trim());
  }
  assert.deepEqual(
    shipped.filter((file) => !steps.some(({ step }) => step.code.file === file)),
    [],
    "shipped, and shown nowhere",
  );
  for (const kind of ["rs", "wgsl"])
    assert.ok(
      shipped.some((file) => file.endsWith(kind)),
      `no ${kind}`,
    );
});

test("a marker that is gone, or there twice, gives no lines", () => {
  assert.deepEqual(excerptOf("a\n  b\n    c\nd", { at: "b", lines: 2 }), { first: 2, lines: ["b", "  c"] });
  assert.deepEqual(excerptOf("a\nb", { at: "x", lines: 2 }), { first: 0, lines: [] });
  assert.deepEqual(excerptOf("b\nb", { at: "b", lines: 2 }), { first: 0, lines: [] });
});

test("a line has an address where the repository has one", () => {
  assert.equal(
    repositoryLink("src/a.rs", 7, "https://host.test/me/it/"),
    "https://host.test/me/it/blob/HEAD/src/a.rs#L7",
  );
  assert.equal(repositoryLink("src/a.rs", 7, ""), "");
});

test("a source is fetched once, and again after a failure", async () => {
  /** @type {string[]} */
  const fetched = [];
  const source = sources(async (path) => {
    fetched.push(path);
    if (fetched.length === 1) throw new Error("offline");
    return "text";
  });
  await assert.rejects(source("src/a.rs"), /offline/);
  assert.equal(await source("src/a.rs"), "text");
  await source("src/a.rs");
  assert.deepEqual(fetched, ["../src/a.rs", "../src/a.rs"]);
});

test("places lead through all steps, forth and back, and an address names any", () => {
  const walk = [];
  for (let at = /** @type {ReturnType<typeof moved>} */ (placeOf("")); at; at = moved(at, 1)) walk.push(at);
  assert.equal(walk.length, steps.length);
  const back = [];
  for (let at = /** @type {ReturnType<typeof moved>} */ (walk[walk.length - 1]); at; at = moved(at, -1)) back.push(at);
  assert.deepEqual(back.reverse(), walk);
  for (const place of walk) assert.deepEqual(placeOf(nameOf(place)), place);
  assert.equal(nameOf(placeOf("layers.99")), "layers.5");
  assert.equal(nameOf(placeOf("layers.0")), "layers.1");
  assert.equal(nameOf(placeOf("nowhere.3")), "tokens.3");
});

test("the place is in the address, and what is none is left out", () => {
  const state = { model: "", tab: /** @type {const} */ ("write"), settings: DEFAULT_SETTINGS };
  assert.equal(encodeFragment({ ...state, guide: "attention.3" }), "guide=attention.3");
  assert.equal(encodeFragment({ ...state, guide: "" }), "");
  assert.equal(decodeFragment("#guide=attention.3", []).guide, "attention.3");
  for (const bad of ["", "attention", "attention.333", "<b>.1", "a.b"])
    assert.equal(decodeFragment(`guide=${encodeURIComponent(bad)}`, []).guide, undefined, bad);
});

test("the card stands in the window and covers nothing of what it points at", () => {
  const size = fc.integer({ min: 40, max: 700 });
  const view = fc.record({ width: fc.integer({ min: 320, max: 2000 }), height: fc.integer({ min: 300, max: 1400 }) });
  const target = fc.record({
    x: fc.double({ min: 0, max: 1, noNaN: true }),
    y: fc.double({ min: 0, max: 1, noNaN: true }),
    width: size,
    height: size,
  });
  let placed = 0;
  fc.assert(
    fc.property(target, fc.record({ width: size, height: size }), view, (at, card, room) => {
      const left = at.x * Math.max(0, room.width - at.width);
      const top = at.y * Math.max(0, room.height - at.height);
      const box = { left, top, right: left + at.width, bottom: top + at.height };
      const place = beside(box, card, room);
      if (!place) return;
      placed += 1;
      const own = { ...place, right: place.left + card.width, bottom: place.top + card.height };
      assert.equal(overlap(box, own), null);
      assert.ok(own.left >= 0 && own.top >= 0 && own.right <= room.width && own.bottom <= room.height);
    }),
  );
  assert.ok(placed > 10);
  // The page's two halves, and a target that leaves no room on any side.
  assert.ok(
    beside({ left: 20, top: 60, right: 690, bottom: 500 }, { width: 360, height: 430 }, { width: 1440, height: 900 }),
  );
  assert.equal(
    beside({ left: 0, top: 0, right: 1000, bottom: 800 }, { width: 360, height: 430 }, { width: 1000, height: 800 }),
    null,
  );
});

test("of the choices exactly one is right, and each is there once", () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.array(fc.integer({ min: -5, max: 5000 }), { maxLength: 4 }), (right, others) => {
      const choices = numbers(right, others, String);
      assert.ok(choices.length >= 3);
      assert.equal(new Set(choices.map(({ label }) => label)).size, choices.length);
      assert.deepEqual(
        choices.filter((choice) => choice.right).map(({ label }) => label),
        [String(right)],
      );
    }),
  );
  assert.deepEqual(
    oneOf("b", ["c", "b", "a", "c"]).map(({ label, right }) => `${label} ${right}`),
    ["a false", "b true", "c false"],
  );
});

test("habits of heads are means over the rows that have a choice", () => {
  // Token 1 has no other before it than the first; from token 2 on the two habits differ.
  const previous = { size: 4, values: floats([1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]) };
  assert.equal(habit(previous, "previous"), 1);
  assert.equal(habit(previous, "first"), 0);
  assert.ok(Number.isNaN(habit({ size: 2, values: floats([1, 0, 1, 0]) }, "first")));
  const first = floats([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  const heads = { layers: 1, heads: 2, size: 4, values: floats([...first, ...previous.values]) };
  assert.deepEqual(strongestHead(heads, "previous"), { layer: 0, head: 1, mean: 1 });
  assert.deepEqual(strongestHead(heads, "first"), { layer: 0, head: 0, mean: 1 });
  assert.deepEqual([...softmax([1, 2], 0)], [0, 1]);
});

/**
 * Facts about the recorded token; what was not recorded is made up.
 * @param {Partial<import("../../www/guide/types.js").Facts>} [more] @returns {import("../../www/guide/types.js").Facts}
 */
function facts(more = {}) {
  const { tokens, next } = recorded;
  const size = tokens.ids.length;
  const logprob = floats(tokens.ids.map((/** @type {number} */ _, /** @type {number} */ at) => -0.5 - (at % 7)));
  const outside = values(recorded.outside);
  const uniform = Float32Array.from({ length: size * size }, (_, at) => {
    const q = Math.floor(at / size);
    return at % size > q ? 0 : (1 + (at % size)) / (((q + 1) * (q + 2)) / 2);
  });
  const levels = 6;
  return {
    ...factsOf({
      info: /** @type {any} */ ({ nEmbd: 160, nHead: 5, nLayer: 5, nCtx: 256, vocabSize: 2048 }),
      settings: DEFAULT_SETTINGS,
      view: { layer: 2, head: 1 },
      subject: {
        text: tokens.texts.slice(1).join(""),
        tokens,
        scores: /** @type {any} */ ({ logprob }),
        selected: size - 1,
      },
      trail: { length: size, logprob },
      claims: null,
      plan: /** @type {any} */ ({
        text: "a text",
        planned: {
          tokens: 5000,
          validationTokens: 500,
          options: { steps: 300, batch_size: 8, context: 64, grad_accum: 1, lr: 0.001 },
        },
      }),
      run: /** @type {any} */ ({ run: null, history: { train: [] } }),
    }),
    next: { ...next, before: tokens.texts[size - 1], logits: outside.tensors.at(-1).values },
    outside,
    block: values(recorded.values),
    attention: { size, values: uniform },
    heads: { layers: 1, heads: 1, size, values: uniform },
    lens: {
      levels,
      from: 0,
      rows: 1,
      top: 1,
      topIds: new Uint32Array(levels),
      topLogprobs: new Float32Array(levels),
      logprob: floats([-9, -7, -5, -2, -1, -0.5]),
      rank: Uint32Array.from([40, 9, 2, 0, 0, 0]),
      entropy: new Float32Array(levels),
      targets: Uint32Array.of(65),
      texts: [[65, "a"]],
    },
    ...more,
  };
}

for (const lang of /** @type {const} */ (["en", "zh"])) {
  test(`each step says something of a recorded token, with one right answer: ${lang}`, () => {
    setLanguage(lang);
    for (const { chapter, step } of steps) check(chapter, step, facts(), t);
    const trained = facts();
    trained.training.losses = [3.2, 1.1];
    const { step } = steps[steps.length - 1];
    check("learning", step, trained, t);
    assert.equal(step.say(trained)?.variant, "trained");
    setLanguage("en");
  });
}

test("right answers are computed: they change with the numbers", () => {
  const find = (/** @type {string} */ id) => {
    const found = steps.find(({ step }) => step.id === id);
    assert.ok(found, id);
    return found.step;
  };
  const right = (/** @type {string} */ id, /** @type {any} */ more) =>
    find(id)
      .say(facts(more))
      ?.choices.find((choice) => choice.right)?.label;
  const { lens } = facts();
  assert.equal(right("lens", {}), "Layer 2");
  assert.equal(right("lens", { lens: { ...lens, rank: Uint32Array.from([40, 0, 2, 1, 0, 0]) } }), "Layer 3");
  assert.equal(right("rise", {}), "Layer 4", "from e^-1 to e^-0.5");
  assert.equal(right("temperature", {}), "More likely");
  assert.equal(right("temperature", { settings: { ...facts().settings, temperature: 0 } }), "As likely as before");
  assert.equal(right("past", { selected: 6 }), "7");
  assert.equal(right("window", { count: 56 }), "200");
  const training = facts().training;
  assert.equal(right("run", { training: { ...training, losses: [1, 2] } }), "No");
  assert.equal(right("batch", {}), "512");
});

test("a head is the model's example where it has one, else the one that the text shows, and each is said", () => {
  const step = CHAPTERS[2].steps[3];
  const found = facts({ layer: 0, head: 0 });
  assert.equal(step.say(found)?.note, "guide.attention.previous.found");
  const unit = { layer: 0, head: 0, atLeast: 0.2 };
  const claims = { text: "a", guess: { after: "a", token: "b", atLeast: 0.5 }, heads: { previous: unit, first: unit } };
  assert.equal(step.say({ ...found, claims })?.note, "guide.attention.previous.checked");
  assert.equal(step.say({ ...found, claims, layer: 1 })?.note, undefined, "the user's own choice");
});

test("what a step needs is asked once for each text, and again after a failure or when it was withdrawn", async () => {
  /** @type {{ slot: string, resolve: (value: unknown) => void, reject: (error: unknown) => void }[]} */
  const asked = [];
  let changes = 0;
  const source = new FactSource(
    (slot) => new Promise((resolve, reject) => asked.push({ slot, resolve, reject })),
    () => (changes += 1),
  );
  const about = { ...facts(), version: 1, after: 3 };
  assert.equal(source.get(["lens"], about).complete, false);
  source.get(["lens"], about);
  assert.equal(asked.length, 1);
  asked[0].resolve("one");
  await new Promise(setImmediate);
  assert.deepEqual([source.get(["lens"], about).found, changes], [{ lens: "one" }, 1]);
  assert.equal(source.get(["lens"], { ...about, version: 2 }).complete, false, "another text");
  asked[1].reject(new DOMException("withdrawn", "AbortError"));
  await new Promise(setImmediate);
  source.get(["lens"], { ...about, version: 2 });
  assert.equal(asked.length, 3);
  asked[2].reject(new Error("no memory"));
  await new Promise(setImmediate);
  const failed = source.get(["lens"], { ...about, version: 2 });
  assert.match(String(failed.error), /no memory/);
  assert.equal(asked.length, 3, "it is not asked again by itself");
});

test("a model that the guide speaks of has its file", () => {
  const models = JSON.parse(readFileSync(new URL("www/models/index.json", root), "utf8"));
  assert.ok(models.some((/** @type {any} */ { guide }) => guide));
  for (const { path, guide } of models)
    assert.ok(!guide || existsSync(new URL(`www/models/${path}/${guide}`, root)), path);
  assert.ok(readdirSync(new URL("www/guide/chapters/", root)).length > CHAPTERS.length);
});
