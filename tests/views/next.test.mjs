// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../www/core/settings.js";
import {
  askedAbout,
  axisEnd,
  contextOf,
  csvRows,
  cutLineAt,
  cutOff,
  cutters,
  DEFAULTS,
  factor,
  followingId,
  keyOf,
  NEUTRAL,
  questionOf,
  requestOf,
  rowsOf,
  SHAPING,
  sameSampling,
  writesFrom,
} from "../../www/inspect/panels/next/data.js";
import { NextPanel } from "../../www/inspect/panels/next/panel.js";
import { engineError } from "./engine_error.mjs";
import { fakeDocument } from "./fake_dom.mjs";

/** @typedef {import("../../www/inspect/types.js").NextEntry} NextEntry */

/** What the engine answered after "…I wish you w" with temperature 1.5, top-k 3, top-p 0.95 and the query "#42". */
const RECORDED = {
  entries: /** @type {[number, string, number, number][]} */ ([
    [65, "a", -0.35658, 0.64153],
    [283, "as", -1.6929, 0.26322],
    [79, "o", -3.2177, 0.095244],
    [297, "ad", -4.5676, 0],
    [416, "th", -4.5817, 0],
    [750, "uck", -5.4269, 0],
  ]).map(([id, text, logprob, adjusted], rank) => ({ id, text, logprob, rank, adjusted, kept: adjusted > 0 })),
  found: [{ id: 42, text: "J", logprob: -14.716, rank: 1684, adjusted: 0, kept: false }],
  vocabSize: 2048,
  entropy: 1.2111,
  adjustedEntropy: 0.86006,
  kept: 3,
  keptMass: 0.9241,
};
const SETTINGS = { ...DEFAULT_SETTINGS, temperature: 1.5, topK: 3, topP: 0.95, minP: 0, repetitionPenalty: 1 };

/**
 * A subject whose tokens are these.
 * @param {string[]} texts
 * @param {Partial<import("../../www/inspect/types.js").Subject>} [patch]
 * @returns {any}
 */
function subjectOf(texts, patch = {}, bos = true) {
  let end = 0;
  const ends = texts.map((text, i) => (bos && i === 0 ? 0 : (end += text.length)));
  return {
    version: 1,
    text: texts.slice(bos ? 1 : 0).join(""),
    info: { nCtx: 256 },
    hidden: 0,
    scores: null,
    selected: texts.length - 1,
    writing: false,
    tokens: { ids: texts.map((_, i) => (i === 0 && bos ? 0 : 100 + i)), texts, bytes: [], ends, bos },
    ...patch,
  };
}

test("it asks about the tokens up to the selected one, and no further back than the model sees", () => {
  const subject = subjectOf(["<>", "Once", " upon", " a"], { selected: 2 });
  assert.deepEqual(requestOf(subject, SETTINGS, 20, ""), {
    what: "next",
    ids: [0, 101, 102],
    settings: { temperature: 1.5, topK: 3, topP: 0.95, minP: 0, repetitionPenalty: 1 },
    limit: 20,
    query: "#103",
  });
  assert.equal(requestOf(subject, SETTINGS, 20, "time").query, "time");
  assert.equal(requestOf({ ...subject, selected: 3 }, SETTINGS, 20, "").query, "", "nothing stands after the last");
  assert.deepEqual(requestOf({ ...subject, info: { nCtx: 2 } }, SETTINGS, 20, "").ids, [101, 102]);
});

test("of a text longer than the context, the last token's question is about what the model writes on from", () => {
  const late = subjectOf(["a", "b", "c", "d", "e"], { hidden: 7, info: /** @type {any} */ ({ nCtx: 5 }) }, false);
  const ids = (/** @type {any} */ change) => requestOf({ ...late, ...change }, SETTINGS, 20, "").ids;
  assert.deepEqual([writesFrom(late), ids({})], [2, [103, 104]], "half of the context, rounded down");
  assert.deepEqual(
    ids({ selected: 3 }),
    [100, 101, 102, 103],
    "a token in the middle was expected with all that the model sees",
  );
  assert.deepEqual([writesFrom({ ...late, selected: 3 }), writesFrom({ ...late, hidden: 0 })], [null, null]);
  assert.deepEqual(
    ids({ hidden: 0 }),
    [100, 101, 102, 103, 104],
    "a text that just fits is written on from as a whole",
  );
  assert.equal(
    writesFrom({ ...late, info: { ...late.info, nCtx: 1 }, tokens: { ...late.tokens, ids: [104] }, selected: 0 }),
    1,
  );
});

test("of a chosen token the question is what could stand instead, at the end of the text what comes next", () => {
  const subject = subjectOf(["<>", "Once", " upon"]);
  assert.deepEqual(
    [
      questionOf(null, subject, null),
      questionOf(null, subject, 2),
      questionOf(null, { ...subject, selected: 1 }, null),
      questionOf("after", subject, 2),
    ],
    ["after", "instead", "instead", "after"],
  );
  assert.equal(askedAbout(subject, "after"), subject);
  assert.equal(askedAbout(subject, "instead")?.selected, 1);
  assert.equal(followingId(/** @type {any} */ (askedAbout(subject, "instead"))), 102, "the token itself is marked");
  assert.equal(askedAbout({ ...subject, selected: 0 }, "instead"), null);
});

test("the question is another one exactly when its answer would be", () => {
  const subject = subjectOf(["<>", "A"]);
  const key = (/** @type {any} */ change = {}, /** @type {any} */ settings = {}, limit = 20, query = "") => {
    const about = { ...subject, ...change };
    return keyOf(about, requestOf(about, { ...SETTINGS, ...settings }, limit, query));
  };
  const same = key();
  assert.equal(key({ writing: true }, { seed: 7, maxNewTokens: 3 }), same);
  const others = [
    key({ version: 2 }),
    key({ selected: 0 }),
    key({}, {}, 100),
    key({}, {}, 20, "x"),
    ...SHAPING.map((name) => key({}, { [name]: 0.123 })),
  ];
  assert.equal(new Set([same, ...others]).size, others.length + 1);
});

test("what is cut off is named, counted and weighed", () => {
  assert.deepEqual(cutters(SETTINGS, 2048), ["topK", "topP"]);
  assert.deepEqual(
    cutters({ ...SETTINGS, minP: 0.1, topK: 2048, topP: 1 }, 2048),
    ["minP"],
    "a top-k of the whole vocabulary takes nothing",
  );
  assert.deepEqual(cutters(NEUTRAL, 2048), []);
  assert.deepEqual(cutters({ ...SETTINGS, temperature: 0 }, 2048), ["temperature"]);
  const lost = cutOff(RECORDED);
  assert.equal(lost.count, 2045);
  assert.ok(Math.abs(lost.mass - 0.0759) < 1e-9);
  assert.deepEqual(cutOff({ ...RECORDED, kept: 2048, keptMass: 0.99999 }), { count: 0, mass: 0 });
  assert.equal(cutOff({ ...RECORDED, keptMass: 1.0000002 }).mass, 0, "never less than nothing");
});

test("the line of what is cut off stands where it begins, or below", () => {
  assert.equal(cutLineAt(rowsOf(RECORDED, false, null)), 3);
  assert.equal(
    cutLineAt(rowsOf({ ...RECORDED, entries: RECORDED.entries.slice(0, 3) }, false, null)),
    3,
    "none of the cut ones is shown",
  );
  const mixed = RECORDED.entries.map((entry, i) => ({ ...entry, kept: i % 2 === 0 }));
  assert.equal(cutLineAt(rowsOf({ ...RECORDED, entries: mixed }, false, null)), 6, "a penalty mixes them");
  assert.equal(
    cutLineAt(rowsOf({ ...RECORDED, entries: RECORDED.entries.slice(0, 3) }, false, 42)),
    4,
    "the row apart is no beginning",
  );
});

test("the token that stands next is marked, and has its row also far down", () => {
  const near = rowsOf(RECORDED, false, 79);
  assert.deepEqual(
    near.map(({ follows }) => follows),
    [false, false, true, false, false, false],
  );
  const far = rowsOf(RECORDED, false, 42);
  assert.equal(far.length, 7);
  assert.deepEqual([far[6].entry.rank, far[6].follows, far[6].apart, far[5].apart], [1684, true, true, false]);
  assert.equal(rowsOf(RECORDED, false, 43).length, 6, "the answer is about another token");
  assert.deepEqual(
    rowsOf(RECORDED, true, 65).map(({ entry }) => entry.id),
    [42],
    "a search shows what it found",
  );
  assert.equal(followingId(subjectOf(["<>", "A"])), null);
});

test("bars lie on a round axis that holds the longest", () => {
  assert.equal(axisEnd(RECORDED), 0.8, "exp(-0.35658) is 0.70");
  const one = (/** @type {number} */ p, /** @type {number} */ adjusted) =>
    axisEnd({ ...RECORDED, entries: [{ ...RECORDED.entries[0], logprob: Math.log(p), adjusted }] });
  assert.deepEqual(
    [one(0.2, 0), one(0.01, 0.9), one(0.03, 0.04), one(0.00004, 0), one(1, 1)],
    [0.2, 1, 0.05, 0.001, 1],
  );
  assert.equal(axisEnd({ ...RECORDED, entries: [] }), 0.001);
  assert.ok(Math.abs(/** @type {number} */ (factor(RECORDED.entries[1])) - 0.26322 / Math.exp(-1.6929)) < 1e-9);
  assert.equal(factor(RECORDED.entries[4]), null);
});

test("CSV rows count ranks from 1 and carry the token itself", () => {
  assert.deepEqual(csvRows(rowsOf(RECORDED, false, 42)).at(-1), [
    1685,
    42,
    "J",
    Number(Math.exp(-14.716).toPrecision(7)),
    0,
    "no",
    -14.716,
  ]);
});

test("the heading shows the selected token behind the text before it", () => {
  const subject = subjectOf(["<>", "Once", " upon", " a"]);
  assert.deepEqual(contextOf(subject, 40), { before: "Once upon", token: " a", first: false });
  assert.deepEqual(contextOf(subject, 5), { before: "… upon", token: " a", first: false });
  assert.deepEqual(contextOf({ ...subject, selected: 0 }, 5), { before: "", token: "<>", first: true });
  // The two halves of an "é": the first adds nothing to the text.
  const halves = {
    ...subject,
    text: "caf\u00e9",
    tokens: { ...subject.tokens, bos: false, texts: ["caf", "\udcc3", "\udca9"], ends: [3, 3, 4] },
  };
  assert.deepEqual(contextOf({ ...halves, selected: 1 }, 40), { before: "caf", token: "\udcc3", first: false });
  assert.deepEqual(contextOf({ ...halves, selected: 2 }, 40), { before: "caf", token: "é", first: false });
  assert.equal(contextOf(subjectOf(["😀😀😀", "x"], {}, false), 2).before, "…😀😀", "no character is cut");
  const late = {
    ...subject,
    text: "Once upon a",
    tokens: { ...subject.tokens, bos: false, texts: [" upon", " a"], ends: [9, 11] },
    selected: 0,
  };
  assert.deepEqual(
    contextOf(late, 40),
    { before: "Once", token: " upon", first: false },
    "of a long text the model sees only the end",
  );
});

test("the two presets are what they say", () => {
  assert.ok(sameSampling(DEFAULTS, DEFAULT_SETTINGS));
  assert.ok(!sameSampling(DEFAULTS, { ...DEFAULT_SETTINGS, repetitionPenalty: 1.7 }));
  assert.deepEqual(cutters(NEUTRAL, 2), []);
});

/** A panel on a fake page with an engine that is driven by hand. @param {any} subject */
function makePanel(subject) {
  fakeDocument();
  /** @type {{ request: any, resolve: (answer: any) => void, reject: (error: unknown) => void }[]} */
  const asked = [];
  /** @type {any[]} */
  const done = [];
  const ctx = /** @type {any} */ ({
    subject,
    view: { token: null },
    settings: SETTINGS,
    ask: (/** @type {string} */ _slot, /** @type {any} */ request) =>
      new Promise((resolve, reject) => asked.push({ request, resolve, reject })),
    setSettings: (/** @type {any} */ patch) => done.push(["settings", patch]),
    continueWith: (/** @type {any[]} */ ...args) => done.push(["continue", ...args]),
    say: (/** @type {any[]} */ ...args) => done.push(["say", ...args]),
  });
  return { panel: new NextPanel(ctx), ctx, asked, done };
}
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("one question at a time: of the values that a slider passes the last is asked for", async () => {
  const { panel, ctx, asked } = makePanel(subjectOf(["<>", "A"]));
  panel.update();
  panel.update();
  assert.equal(asked.length, 1, "the same question is asked once");
  for (const temperature of [1.4, 1.3, 1.2]) {
    ctx.settings = { ...SETTINGS, temperature };
    panel.update();
  }
  assert.equal(asked.length, 1);
  asked[0].resolve(RECORDED);
  await settle();
  assert.deepEqual(
    asked.map(({ request }) => request.settings.temperature),
    [1.5, 1.2],
  );
  assert.deepEqual(asked[1].request.ids, asked[0].request.ids);
  asked[1].resolve(RECORDED);
  await settle();
  panel.update();
  assert.equal(asked.length, 2, "nothing more is wanted");
});

test("a search says whether it shows all that it found", async () => {
  const { panel, asked } = makePanel(subjectOf(["<>", "A"]));
  const said = async (/** @type {string} */ query, /** @type {number} */ found) => {
    panel.view.search.value = query;
    /** @type {any} */ (panel.view.search).fire("input");
    assert.equal(asked.at(-1)?.request.query, query);
    asked
      .at(-1)
      ?.resolve({ ...RECORDED, found: Array.from({ length: found }, (_, i) => ({ ...RECORDED.found[0], id: i })) });
    await settle();
    return String(panel.view.found.textContent);
  };
  assert.equal(await said("x", 3), "3 tokens with “x”, likeliest first");
  assert.equal(panel.view.bars.rows.length, 3);
  assert.equal(await said("y", 20), "The 20 likeliest tokens with “y”");
  assert.match(await said("z", 0), /^No token contains “z”\./);
  await said("", 1);
  assert.equal(panel.view.found.hidden, true);
  assert.equal(panel.view.bars.rows.length, 6, "the likeliest again");
});

test("while the model writes nothing is asked, and a token chosen from what is old is not put into the text", async () => {
  const subject = subjectOf(["<>", "A"]);
  const { panel, ctx, asked, done } = makePanel(subject);
  panel.update();
  asked[0].resolve(RECORDED);
  await settle();
  const row = panel.view.rows()[1];
  ctx.subject = { ...subject, version: 2, writing: true };
  panel.update();
  panel.choose(row);
  assert.equal(asked.length, 1);
  panel.chosen = "after";
  ctx.subject = { ...subject, version: 3, selected: 0 };
  panel.update();
  panel.choose(row);
  assert.deepEqual(done, []);
  assert.equal(asked.length, 2);
  asked[1].resolve(RECORDED);
  await settle();
  panel.choose(row);
  assert.deepEqual(done, [["continue", 1, 283, "as"]]);
});

test("while the model writes, its record of the newest token is shown, until the first answer about the whole", async () => {
  const subject = subjectOf(["<>", "A"], { info: /** @type {any} */ ({ nCtx: 256, vocabSize: 2048 }) });
  const { panel, ctx, asked } = makePanel(subject);
  panel.update();
  asked[0].resolve(RECORDED);
  await settle();
  const shown = () => panel.view.rows().map(({ entry, follows, apart }) => [entry.text, entry.rank, follows, apart]);
  assert.equal(shown().length, 6);
  ctx.subject = { ...subject, writing: true, newest: null };
  panel.update();
  assert.equal(shown().length, 6, "while it reads the prompt, what was there");
  const top = [
    { id: 5, text: " dog", logprob: -0.5 },
    { id: 6, text: " cat", logprob: -1 },
  ];
  const writes = (/** @type {string} */ text, /** @type {any} */ newest) => {
    ctx.subject = {
      ...subjectOf(["<>", "A", text]),
      info: subject.info,
      version: 2,
      writing: true,
      newest: { text, entropy: 0.7, top, ...newest },
    };
    ctx.subject.tokens.ids[2] = newest.id;
    panel.update();
  };
  writes(" cat", { id: 6, logprob: -1, rank: 1 });
  assert.deepEqual(shown(), [
    [" dog", 0, false, false],
    [" cat", 1, true, false],
  ]);
  assert.match(String(panel.view.context.textContent), /A␣cat$/);
  assert.match(String(panel.view.entropy.textContent), /^1\.0 bits$/);
  assert.match(String(panel.view.drawn.textContent), /␣cat · 36\.8 %/);
  assert.equal(panel.view.facts.classList.contains("stale"), false);
  const [first] = panel.view.bars.rows;
  assert.deepEqual(
    [first.raw.style.transform, first.adjusted.style.transform, first.after.textContent],
    [`scaleX(${Math.exp(-0.5)})`, "scaleX(0)", ""],
  );
  writes(" elk", { id: 9, logprob: -8, rank: 512 });
  assert.deepEqual(shown().at(-1), [" elk", 512, true, true], "also where it is none of the ten");
  assert.equal(panel.view.json()?.position_from_1, 2);
  assert.deepEqual(
    panel.view.json()?.found.map(({ rank_from_1: rank, id }) => [rank, id]),
    [[513, 9]],
    "ranks begin at 1 as on the page",
  );
  assert.equal(asked.length, 1, "nothing is asked");
  ctx.subject = { ...ctx.subject, version: 3, writing: false, newest: null };
  panel.update();
  assert.equal(shown().length, 3, "until the answer is there");
  asked[1].resolve(RECORDED);
  await settle();
  assert.equal(shown().length, 6);
  assert.equal(panel.view.body.classList.contains("next-live"), false);
});

test("before the first answer there is nothing to press", () => {
  const { panel } = makePanel(subjectOf(["<>", "A"]));
  panel.update();
  assert.deepEqual([panel.view.more.hidden, panel.view.tableBox.hidden, panel.view.feet.hidden], [true, true, true]);
});

test("a number that is being typed is not written over", async () => {
  const { panel, ctx, done } = makePanel(subjectOf(["<>", "A"]));
  panel.update();
  const [{ number }] = panel.view.sliders.controls;
  number.focus();
  number.value = "0.";
  panel.update();
  assert.equal(number.value, "0.");
  number.value = "99";
  /** @type {any} */ (number).fire("change");
  assert.deepEqual(done, [["settings", { temperature: 2 }]]);
  ctx.settings = { ...SETTINGS, temperature: 2 };
  panel.update();
  assert.equal(number.value, "2", "what is out of range is put right");
});

test("a question that was withdrawn with its text is asked about the next one, a failed one is not asked again", async () => {
  const { panel, ctx, asked, done } = makePanel(subjectOf(["<>", "A"]));
  panel.update();
  asked[0].reject(new DOMException("withdrawn", "AbortError"));
  await settle();
  assert.deepEqual(done, [], "nobody is told");
  ctx.subject = subjectOf(["<>", "A"], { version: 2 });
  panel.update();
  assert.equal(asked.length, 2);
  asked[1].reject(engineError("no memory"));
  await settle();
  assert.deepEqual(done, [["say", "next.failed", { reason: "no memory" }]]);
  panel.update();
  assert.equal(asked.length, 2);
  panel.close();
  panel.update();
  assert.equal(asked.length, 3, "opened again");
});
