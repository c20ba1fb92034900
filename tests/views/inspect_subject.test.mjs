// @ts-check
// The text's tokens and scores over typing, writing, other models, and a slow engine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { appendTokens, userText } from "../../www/core/text.js";
import { AGAIN_MS, Asker } from "../../www/inspect/asker.js";
import { SubjectKeeper, TYPING_PAUSE_MS } from "../../www/inspect/subject.js";
import { engineError } from "./engine_error.mjs";

const INFO = /** @type {import("../../www/engine/types.js").Info} */ (
  /** @type {unknown} */ ({ nCtx: 8, nLayer: 2, nHead: 2, vocabSize: 100 })
);
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A token is a character; what it costs is its place among the ids, in bits. */
function makeKeeper({ nCtx = 8 } = {}) {
  /** @type {{ kind: string, about: string, resolve: (answer?: any) => void, reject: (error: unknown) => void }[]} */
  const asked = [];
  /** @type {Map<number, { callback: () => void, ms: number }>} */
  const timers = new Map();
  let made = 0;
  let versions = 0;
  let changes = 0;
  /** @type {unknown[]} */
  const errors = [];
  const ask = (/** @type {string} */ kind, /** @type {string} */ about, /** @type {() => any} */ answer) =>
    new Promise((resolve, reject) => {
      asked.push({ kind, about, resolve: (other) => resolve(other ?? answer()), reject });
    });
  const keeper = new SubjectKeeper({
    tokens: (text) =>
      ask("tokens", text, () => ({
        ids: Array.from(text, (character) => character.charCodeAt(0)),
        texts: Array.from(text),
        bytes: Array.from(text, () => []),
        ends: Array.from(text, (_, at) => at + 1),
        bos: false,
      })),
    score: (ids) =>
      ask("score", String.fromCharCode(...ids), () => ({
        rows: ids.length,
        top: 1,
        logprob: Float32Array.from(ids, (_, row) => (row === ids.length - 1 ? 0 : -(row + 1) * Math.LN2)),
        entropy: new Float32Array(ids.length),
        rank: new Uint32Array(ids.length),
        topIds: new Uint32Array(ids.length),
        topLogprobs: new Float32Array(ids.length),
        texts: [[0, "?"]],
      })),
    onChange: () => (changes += 1),
    onVersion: () => (versions += 1),
    onError: (error) => errors.push(error),
    wait: (callback, ms) => {
      timers.set(++made, { callback, ms });
      return made;
    },
    cancel: (timer) => timers.delete(timer),
  });
  const info = { ...INFO, nCtx };
  const now = {
    runs: /** @type {readonly import("../../www/engine/types.js").Run[]} */ ([]),
    text: "",
    writing: false,
    info,
    stamp: "1",
  };
  return {
    keeper,
    asked,
    timers,
    errors,
    versions: () => versions,
    changes: () => changes,
    /** @param {Partial<typeof now>} patch */
    follow(patch) {
      Object.assign(now, patch);
      if (patch.runs) now.text = patch.runs.map((run) => run.text).join("");
      keeper.follow({ ...now });
    },
    /** Lets the user's pause pass. */
    pass() {
      for (const [timer, { callback }] of [...timers]) {
        timers.delete(timer);
        callback();
      }
    },
    /** Answers what was asked, one question after another. */
    async answer() {
      while (asked.length) {
        asked.splice(0).forEach((one) => one.resolve());
        await settle();
      }
    },
  };
}
/** @param {string} text */
const token = (text) => ({ id: text.charCodeAt(0), text, logprob: -3 * Math.LN2, entropy: 1, rank: 2, top: [] });

test("a text is read at once, then after each pause in typing; the latest wins", async () => {
  const { keeper, asked, follow, pass, answer, versions, timers } = makeKeeper();
  follow({ runs: userText("abc") });
  assert.deepEqual(
    asked.map(({ kind, about }) => [kind, about]),
    [["tokens", "abc"]],
  );
  assert.equal(keeper.subject(null, 3), null, "nothing is known yet");
  await answer();
  const subject = keeper.subject(null, 3);
  assert.equal(subject?.scores?.rows, 3);
  assert.deepEqual([subject?.selected, keeper.subject(null, 1)?.selected, keeper.subject(0, 3)?.selected], [2, 0, 0]);
  assert.equal(keeper.subject(null, 3)?.version, subject?.version);

  const before = versions();
  follow({ runs: userText("abcd") });
  follow({ runs: userText("abcde") });
  assert.equal(asked.length, 0);
  assert.deepEqual(
    [...timers.values()].map(({ ms }) => ms),
    [TYPING_PAUSE_MS],
  );
  pass();
  const [late] = asked.splice(0);
  follow({ runs: userText("abcdef") });
  pass();
  const [latest] = asked.splice(0);
  late.resolve();
  await settle();
  assert.equal(asked.length, 0, "a late answer asks for nothing");
  assert.equal(versions(), before);
  latest.resolve();
  await settle();
  assert.equal(versions(), before + 1);
  assert.equal(asked[0].about, "abcdef");
  const half = keeper.subject(null, 6);
  assert.equal(half?.text, "abcdef");
  assert.equal(half?.scores, null, "scores have not come");
  assert.deepEqual(
    [...keeper.trail.levels.subarray(0, 4)],
    [255, 1, 1, 255],
    "and what is known of the beginning is kept",
  );
  await answer();
  assert.equal(keeper.subject(null, 6)?.scores?.rows, 6);
});

test("while the model writes nothing is asked, and after it the text is read once", async () => {
  const { keeper, asked, follow, answer } = makeKeeper();
  let runs = userText("ab");
  follow({ runs });
  await answer();
  const shown = keeper.subject(null, 2);
  follow({ writing: true });
  for (const text of ["c", "d"]) {
    runs = appendTokens(runs, [token(text)]);
    follow({ runs });
  }
  assert.equal(asked.length, 0);
  const live = keeper.subject(null, 4);
  assert.ok(live?.writing);
  assert.equal(live?.newest?.text, "d", "its own record of the newest token");
  assert.equal(keeper.subject(null, 4), live);
  assert.equal(live?.selected, 3);
  assert.deepEqual([...keeper.trail.levels.subarray(0, 4)], [255, 1, 2, 2], "the tokens bring their own figures");
  assert.equal(keeper.card(null, 4).rank, 2);
  assert.deepEqual(shown?.tokens.ids.length, 2, "what was handed out stays as it was");
  assert.notEqual(live?.version, shown?.version);
  follow({ writing: false });
  assert.deepEqual(
    asked.map(({ kind, about }) => [kind, about]),
    [["tokens", "abcd"]],
  );
  assert.ok(keeper.subject(null, 4)?.writing, "until the tokens have come");
  await answer();
  const after = keeper.subject(null, 4);
  assert.equal(after?.writing, false);
  assert.equal(after?.newest, null);
  assert.equal(after?.scores?.rows, 4);
});

test("writing on from a text that was never read asks for its tokens only, and then takes part", async () => {
  const { keeper, asked, follow } = makeKeeper();
  let runs = userText("a");
  follow({ runs });
  asked.splice(0);
  runs = userText("xyz");
  follow({ runs, writing: true });
  runs = appendTokens(runs, [token("c")]);
  follow({ runs });
  assert.deepEqual(
    asked.map(({ kind, about }) => [kind, about]),
    [["tokens", "xyz"]],
  );
  runs = appendTokens(runs, [token("d")]);
  follow({ runs });
  asked.splice(0).forEach((one) => one.resolve());
  await settle();
  assert.equal(keeper.trail.text, "xyzcd");
  runs = appendTokens(runs, [token("e")]);
  follow({ runs });
  assert.equal(keeper.trail.text, "xyzcde");
  assert.deepEqual([...keeper.trail.levels.subarray(0, 6)], [255, 255, 255, 2, 2, 2]);
  assert.equal(asked.length, 0);
});

test("a tail that is replaced leaves the tree of tokens where the new one begins", async () => {
  const { keeper, asked, follow, answer } = makeKeeper();
  follow({ runs: appendTokens(userText("ab"), [token("c"), token("d")]) });
  await answer();
  const kept = appendTokens(userText("ab"), [token("c")]);
  const chosen = [...kept, { text: "x", source: /** @type {const} */ ("model"), token: token("x") }];
  follow({ runs: chosen, writing: true });
  assert.equal(keeper.trail.text, "abcx");
  follow({ runs: appendTokens(chosen, [token("y")]) });
  assert.equal(keeper.trail.text, "abcxy");
  assert.equal(asked.length, 0);
});

test("another model, gates or strength make everything unknown", async () => {
  const { keeper, follow, answer, asked, versions } = makeKeeper();
  follow({ runs: userText("abc") });
  await answer();
  const before = keeper.subject(null, 3);
  const count = versions();
  follow({ stamp: "2", info: { ...INFO } });
  assert.ok(versions() > count);
  assert.equal(keeper.subject(null, 3), null);
  assert.deepEqual(
    asked.map(({ kind }) => kind),
    ["tokens"],
  );
  await answer();
  assert.notEqual(keeper.subject(null, 3)?.version, before?.version);
});

test("with other heads on the tokens stay, and the old figures until the new ones are there", async () => {
  const { keeper, asked, follow, answer, versions, pass } = makeKeeper({ nCtx: 4 });
  follow({ runs: userText("abcdef") });
  await answer();
  const before = keeper.subject(null, 6);
  const levels = () => [...keeper.trail.levels.subarray(1, 6)];
  const old = levels();
  const count = versions();
  for (const stamp of ["2", "3"]) {
    follow({ stamp });
    const now = keeper.subject(null, 6);
    assert.deepEqual(now?.tokens, before?.tokens);
    assert.deepEqual([now?.scores, now?.writing, now?.selected], [null, false, before?.selected]);
    assert.notEqual(now?.version, before?.version);
  }
  assert.equal(versions(), count + 2);
  assert.deepEqual(
    asked.map(({ kind, about }) => [kind, about]),
    [
      ["score", "cdef"],
      ["score", "cdef"],
    ],
    "not its tokens again",
  );
  assert.deepEqual(levels(), old);
  assert.equal(keeper.alternative(3, 0, "?"), null, "but nothing is written with them");
  asked.splice(0)[1].resolve({
    rows: 4,
    top: 1,
    logprob: new Float32Array(4).fill(-7 * Math.LN2),
    entropy: new Float32Array(4),
    rank: new Uint32Array(4),
    topIds: new Uint32Array(4),
    topLogprobs: new Float32Array(4),
    texts: [[0, "?"]],
  });
  await settle();
  assert.equal(keeper.subject(null, 6)?.scores?.rows, 4);
  assert.deepEqual(levels(), [255, 255, 4, 4, 4], "none of the old ones is left");
  assert.equal(asked[0].kind, "score", "and what stands before the context is scored anew");
  await answer();
  assert.deepEqual(levels().slice(2), [4, 4, 4], "which changes nothing of what the model sees");
  assert.notEqual(levels()[0], 255);

  // Somebody types, or pastes, before the answer is there.
  follow({ stamp: "3a" });
  asked.splice(0);
  follow({ runs: userText("a text that is much longer") });
  assert.deepEqual(
    asked.splice(0).map(({ kind }) => kind),
    ["tokens"],
    "nobody types so fast",
  );
  follow({ runs: userText("abcdef") });
  await answer();
  follow({ stamp: "4" });
  asked.splice(0);
  follow({ runs: userText("abcdefg") });
  pass();
  assert.deepEqual(
    asked.map(({ kind }) => kind),
    ["tokens"],
  );
  asked.splice(0)[0].resolve();
  await settle();
  assert.ok(
    [...keeper.trail.levels.subarray(0, 7)].every((level) => level === 255),
    "old figures are not taken over",
  );
});

test("of a text longer than the context the model sees the end; the rest is scored by halves", async () => {
  const { keeper, asked, follow } = makeKeeper({ nCtx: 4 });
  follow({ runs: userText("abcdefghij") });
  asked.splice(0)[0].resolve();
  await settle();
  assert.equal(asked[0].about, "ghij");
  const subject = keeper.subject(null, 10);
  assert.deepEqual(
    [subject?.tokens.texts.join(""), subject?.tokens.ends, subject?.selected],
    ["ghij", [7, 8, 9, 10], 3],
  );
  assert.equal(subject?.hidden, 6);
  assert.equal(keeper.subject(1, 10)?.selected, 1);
  assert.equal(keeper.subject(null, 2)?.selected, 3, "its window is not read yet");
  assert.equal(keeper.marks(true, null, 2)?.selected, 1, "and it is outlined");
  assert.equal(keeper.card(0, 2).first, false, "the first that it sees has text before it");
  /** @type {string[]} */
  const scored = [];
  while (asked.length) {
    for (const one of asked.splice(0)) {
      scored.push(one.about);
      one.resolve();
    }
    await settle();
  }
  assert.deepEqual(scored, ["ghij", "abcd", "bcde", "cdef", "defg"]);
  for (let at = 1; at < 10; at += 1) assert.notEqual(keeper.trail.levels[at], 255, `token ${at} has a colour`);
});

test("the model's window follows the selection to an earlier token, and back", async () => {
  const { keeper, asked, follow, answer, versions } = makeKeeper({ nCtx: 4 });
  follow({ runs: userText("abcdefghij") });
  for (let round = 0; round < 2; round += 1) {
    asked.splice(0)[0].resolve();
    await settle();
  }
  assert.equal(keeper.coloured, 3 / 9, "only the end so far, which is said");
  await answer();
  assert.equal(keeper.coloured, 1);
  const last = keeper.subject(null, 10);
  const before = versions();
  keeper.look(null, 5);
  assert.equal(asked[0].about, "cdef", "half a context stands before it, and the next one is there");
  assert.ok(versions() > before, "what was asked about the window before is stale");
  keeper.look(null, 5);
  assert.equal(asked.length, 1, "it is asked for once");
  await answer();
  const early = keeper.subject(null, 5);
  assert.deepEqual(
    [early?.tokens.texts.join(""), early?.hidden, early?.selected, early?.scores?.rows],
    ["cdef", 2, 2, 4],
  );
  const { position, count, window } = keeper.card(null, 5);
  assert.deepEqual([position, count, window], [4, 10, { from: 2, to: 6 }]);
  assert.ok(Math.abs(keeper.trail.logprob[3] + 2 * Math.LN2) < 1e-6, "as the window says it");
  keeper.look(null, 1);
  assert.equal(asked.at(-1)?.about, "abcd");
  await answer();
  keeper.look(null, 10);
  assert.deepEqual(keeper.subject(null, 10)?.tokens, last?.tokens);
  assert.notEqual(keeper.subject(null, 10)?.scores, null, "what was known of the end is known again");
});

test("what was written with another window of the text keeps its own figures beside the new ones", async () => {
  const { keeper, follow, answer } = makeKeeper({ nCtx: 4 });
  const runs = appendTokens(userText("abcd"), [token("e"), token("f")]);
  follow({ runs });
  await answer();
  const { rank, logprob, written } = keeper.card(null, 6);
  assert.deepEqual([rank, written], [0, { rank: 2, logprob: -3 * Math.LN2 }]);
  assert.notEqual(logprob, written?.logprob);
  assert.equal(keeper.card(null, 4).written, null, "the user wrote that");
  follow({ writing: true });
  assert.equal(keeper.card(null, 6).written, null, "while the model writes its own figures are shown");
  const whole = makeKeeper({ nCtx: 8 });
  whole.follow({ runs });
  await whole.answer();
  assert.equal(whole.keeper.card(null, 6).written, null, "a text that it sees wholly has one window");
});

test("a reading that is withdrawn is told to nobody, and an error once", async () => {
  const { keeper, asked, follow, timers, errors } = makeKeeper();
  follow({ runs: userText("abc") });
  asked.splice(0)[0].resolve();
  await settle();
  asked.splice(0)[0].reject(new DOMException("ended", "AbortError"));
  await settle();
  assert.deepEqual([errors.length, asked.length, timers.size], [0, 0, 0], "asking again is the asker's");
  follow({ stamp: "another model" });
  asked.splice(0)[0].reject(engineError("out of memory"));
  await settle();
  assert.equal(errors.length, 1);
  assert.equal(timers.size, 0);
  assert.equal(keeper.subject(null, 3)?.scores, null);
});

test("closed it asks for nothing more, and takes up again what was not finished", async () => {
  const { keeper, asked, follow, answer, timers } = makeKeeper();
  follow({ runs: userText("abc") });
  await answer();
  keeper.rest();
  follow({});
  assert.equal(asked.length, 0, "what is known stays known");
  follow({ runs: userText("abcd") });
  keeper.rest();
  assert.equal(timers.size, 0);
  keeper.rest();
  follow({});
  assert.deepEqual(
    asked.map(({ about }) => about),
    ["abcd"],
  );
  await answer();
  assert.equal(keeper.subject(null, 4)?.scores?.rows, 4);
});

test("the same subject and marks are the same objects until something changes", async () => {
  const { keeper, follow, answer } = makeKeeper();
  follow({ runs: userText("abc") });
  await answer();
  assert.equal(keeper.subject(null, 3), keeper.subject(null, 3));
  assert.equal(keeper.marks(true, null, 3), keeper.marks(true, null, 3));
  const marks = keeper.marks(true, null, 3);
  assert.notEqual(keeper.marks(true, null, 1), marks);
  assert.notEqual(keeper.marks(false, null, 3)?.levels[1], 1, "without surprise only the outline is left");
});

test("an alternative becomes a token with its figures", async () => {
  const { keeper, follow, answer } = makeKeeper();
  follow({ runs: userText("abc") });
  await answer();
  assert.deepEqual(keeper.alternative(1, 0, "?"), {
    id: 0,
    text: "?",
    logprob: 0,
    entropy: 0,
    rank: 0,
    top: [{ id: 0, logprob: 0, text: "?" }],
  });
  assert.equal(keeper.alternative(1, 5, "!"), null);
});

test("a question in a slot ends the one before it; other slots go on", async () => {
  /** @type {{ signal: AbortSignal, resolve: (value: unknown) => void }[]} */
  const asked = [];
  const asker = new Asker({ inspect: (_, { signal }) => new Promise((resolve) => asked.push({ signal, resolve })) });
  const request = /** @type {const} */ ({ what: "flow" });
  const first = asker.ask("a", request);
  const other = asker.ask("b", request);
  const second = asker.ask("a", request);
  assert.deepEqual(
    asked.map(({ signal }) => signal.aborted),
    [true, false, false],
  );
  // The engine may answer all the same.
  asked.forEach(({ resolve }, index) => resolve(index));
  await assert.rejects(first, { name: "AbortError" });
  assert.deepEqual(await Promise.all([other, second]), [1, 2]);
  const last = asker.ask("c", request);
  asker.abort();
  asked[3].resolve(3);
  await assert.rejects(last, { name: "AbortError" });
});

/** An engine that is driven by hand. */
function fakeEngine() {
  /**
   * @type {{ request: any, signal: AbortSignal, resolve: (value: unknown) => void, reject: (error: unknown) => void
   *   }[]}
   */
  const asked = [];
  const state = { worker: {}, closed: false };
  const asker = new Asker({
    inspect: (request, { signal }) => {
      if (state.closed) throw new Error("the engine was closed");
      return new Promise((resolve, reject) => asked.push({ request, signal, resolve, reject }));
    },
    worker: () => state.worker,
  });
  return { asked, asker, state };
}
const busy = () => new DOMException("ended", "AbortError");
const flow = /** @type {const} */ ({ what: "flow" });

test("what the engine has no time for is asked again after a while, until it has or nobody wants it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const rest = () => new Promise((resolve) => setImmediate(resolve));
  const { asked, asker } = fakeEngine();
  const answer = asker.ask("a", flow);
  for (let time = 1; time <= 3; time += 1) {
    asked[time - 1].reject(busy());
    await rest();
    t.mock.timers.tick(AGAIN_MS - 1);
    await rest();
    assert.equal(asked.length, time, "not at once");
    t.mock.timers.tick(1);
    await rest();
    assert.equal(asked.length, time + 1);
  }
  asked[3].resolve(7);
  assert.equal(await answer, 7);

  // Withdrawn while it waits: by another question in its slot, or with all others.
  const first = asker.ask("a", flow);
  asked[4].reject(busy());
  await rest();
  const second = asker.ask("a", flow);
  await assert.rejects(first, { name: "AbortError", message: "withdrawn" });
  asked[5].reject(busy());
  await rest();
  asker.abort();
  await assert.rejects(second, { name: "AbortError", message: "withdrawn" });
  t.mock.timers.tick(10 * AGAIN_MS);
  await rest();
  assert.equal(asked.length, 6, "nothing is asked any more");
  assert.equal(asker.slots.size, 0);
});

test("an error is not asked away, and neither another worker nor a closed one is asked what the one before was", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const rest = () => new Promise((resolve) => setImmediate(resolve));
  const { asked, asker, state } = fakeEngine();
  const failed = asker.ask("a", flow);
  asked[0].reject(engineError("no memory"));
  await assert.rejects(failed, /no memory/);
  const replaced = asker.ask("a", flow);
  state.worker = {};
  asked[1].reject(new DOMException("closed", "AbortError"));
  await assert.rejects(replaced, { name: "AbortError", message: "closed" });
  const closed = asker.ask("a", flow);
  asked[2].reject(new DOMException("closed", "AbortError"));
  state.closed = true;
  await rest();
  t.mock.timers.tick(AGAIN_MS);
  await assert.rejects(closed, /the engine was closed/);
  t.mock.timers.tick(10 * AGAIN_MS);
  await rest();
  assert.equal(asked.length, 3);
});
