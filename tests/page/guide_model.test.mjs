// @ts-check
// The guide against the real engine and the models that ship: what it claims of them holds, and each step has something
// to say of any text. The engine runs in Node.js, on the CPU.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { registerStrings, setLanguage, t } from "../../www/core/i18n/index.js";
import { DEFAULT_SETTINGS } from "../../www/core/settings.js";
import { headFor } from "../../www/guide/chapters/attention.js";
import { CHAPTERS } from "../../www/guide/chapters.js";
import { FactSource, factsOf } from "../../www/guide/facts.js";
import { habit } from "../../www/guide/maths.js";
import { guideEn } from "../../www/guide/words.en.js";
import { guideZh } from "../../www/guide/words.zh.js";
import { Trail } from "../../www/inspect/trail.js";
import { check } from "../views/guide_saying.mjs";

/** @typedef {import("../../www/guide/types.js").Claims} Claims */
/** @typedef {{ ask: (request: any) => Promise<any>, info: import("../../www/engine/types.js").Info }} Open */

registerStrings(guideEn, guideZh);
const root = new URL("../../", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, root));
const bytes = (/** @type {string} */ path) => new Uint8Array(read(path));
const json = (/** @type {string} */ path) => JSON.parse(read(path).toString());
const kinds = /** @type {const} */ (["previous", "first"]);

/** @type {any} */
let engine;
before(async () => {
  engine = await import(new URL("www/pkg/gpt_playground.js", root).href);
  await engine.default({ module_or_path: read("www/pkg/gpt_playground_bg.wasm") });
});

/** Opens a model. @param {string} folder @returns {Promise<Open>} */
async function open(folder) {
  const weights = bytes(`${folder}model.safetensors`);
  const files = { "config.json": bytes(`${folder}config.json`), "tokenizer.json": bytes(`${folder}tokenizer.json`) };
  const session = await engine.Session.open({ backend: "cpu" }, files, [weights], [weights.length]);
  session.loadChunk(weights);
  const info = await session.finishLoading();
  return { info, ask: (request) => session.inspect(request, async () => false) };
}

const shipped = json("www/models/index.json").filter((/** @type {any} */ { guide }) => guide);
test("some model that ships has claims to be checked", () => assert.ok(shipped.length > 0));

for (const { id, path, guide } of shipped) {
  test(`what the guide says of ${id} is true of it`, async () => {
    const { ask } = await open(`www/models/${path}/`);
    /** @type {Claims} */
    const claims = json(`www/models/${path}/${guide}`);
    const { after, token, atLeast } = claims.guess;
    const { ids } = await ask({ what: "tokens", text: after });
    const settings = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
    const next = await ask({ what: "next", ids, settings, limit: 2, query: "" });
    assert.equal(next.entries[0].text, token);
    assert.ok(Math.exp(next.entries[0].logprob) >= atLeast, `${Math.exp(next.entries[0].logprob)}`);

    const text = await ask({ what: "tokens", text: claims.text });
    assert.ok(text.ids.length > 20, "a text that shows what heads do");
    const size = text.ids.length;
    const heads = await ask({ what: "heads", ids: text.ids, size });
    assert.equal(heads.size, size);
    for (const kind of kinds) {
      const { layer, head, atLeast: least } = claims.heads[kind];
      const matrix = await ask({ what: "attention", ids: text.ids, layer, head });
      const mean = habit(matrix, kind);
      assert.ok(mean >= least, `${kind}: layer ${layer}, head ${head} gives ${mean}`);
      // "The clearest example": no head of the model does it more.
      const best = headFor(/** @type {any} */ ({ claims: null, heads }), kind);
      assert.deepEqual([best?.layer, best?.head], [layer, head], kind);
    }
  });
}

/**
 * What a page with this text on it knows.
 * @param {Open} model @param {string} text @param {Claims | null} claims @param {number} [chosen]
 */
async function factsAbout({ ask, info }, text, claims, chosen = Infinity) {
  const tokens = await ask({ what: "tokens", text });
  const all = Trail.of(tokens, text);
  const from = Math.max(0, all.length - info.nCtx);
  const scores = await ask({ what: "score", ids: all.ids.slice(from) });
  all.score(scores, from);
  const subject = {
    text,
    tokens: all.tokens(from, all.length),
    scores,
    selected: Math.min(chosen, all.length - from - 1),
  };
  return factsOf({
    info,
    settings: DEFAULT_SETTINGS,
    view: { layer: 2, head: 1 },
    subject,
    trail: all,
    claims,
    plan: /** @type {any} */ ({
      text,
      planned: {
        tokens: all.length,
        validationTokens: 0,
        options: { steps: 200, batch_size: 1, context: 18, grad_accum: 1, lr: 0.0005 },
      },
    }),
    run: /** @type {any} */ ({ run: null, history: { train: [] } }),
  });
}

/**
 * The same with all that a step asks the engine for.
 * @param {Open} model @param {import("../../www/guide/types.js").Step} step @param {import("../../www/guide/types.js").Facts} facts
 */
async function withAnswers({ ask }, step, facts) {
  /** @type {() => void} */
  let came = () => {};
  const source = new FactSource(
    (_, request) => ask(request),
    () => came(),
  );
  const about = { ...facts, version: 1, after: facts.selected };
  for (;;) {
    const next = /** @type {Promise<void>} */ (new Promise((resolve) => (came = resolve)));
    const { found, complete, error } = source.get(step.needs, about);
    assert.equal(error, null);
    if (complete) return { ...facts, ...found };
    await next;
  }
}

const TEXTS = /** @type {[string, string, number?][]} */ ([
  ["a sentence", "Once upon a time there was a little girl who lived in the wood."],
  ["a token in its middle", "The wolf met the little girl in the wood, and the wolf said nothing.", 4],
  ["one token", "a"],
  ["the first of all tokens", "Once upon a time", 0],
  ["no letters of the model's", "天 🙂 ṻ"],
  ["longer than the context", "The king had three sons. ".repeat(90)],
]);

for (const [what, text, chosen] of TEXTS) {
  test(`each step says something of ${what}, with one right answer`, async () => {
    const model = await open("www/models/storyteller/");
    const claims = json("www/models/storyteller/guide.json");
    for (const known of [claims, null]) {
      const facts = await factsAbout(model, text, known, chosen);
      for (const chapter of CHAPTERS)
        for (const step of chapter.steps) {
          const whole = await withAnswers(model, step, facts);
          for (const lang of /** @type {const} */ (["en", "zh"])) {
            setLanguage(lang);
            check(chapter.name, step, whole, t);
          }
        }
    }
    setLanguage("en");
  });
}

test("of a model that nobody has written about the steps say what they found", async () => {
  const model = await open("www/models/storyteller/");
  const facts = await factsAbout(model, "the cat sat on the mat and the dog lay by the door", null);
  for (const kind of kinds) {
    const step = CHAPTERS[2].steps.find(({ id }) => id === kind);
    assert.ok(step);
    const found = headFor(await withAnswers(model, step, facts), kind);
    assert.ok(found);
    const { layer, head } = found;
    const said = step.say(await withAnswers(model, step, { ...facts, layer, head }));
    assert.equal(said?.note, `guide.attention.${kind}.found`);
  }
});
