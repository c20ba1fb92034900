// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { appendTokens, replaceRange, textOf, userText } from "../../www/core/text.js";
import { isTooLarge } from "../../www/inspect/branch_file.js";
import { compareBranches, figuresOf, sliceRuns } from "../../www/inspect/branch_tree.js";
import { Branches } from "../../www/inspect/branches.js";

/** @typedef {import("../../www/engine/types.js").Run} Run */
/** @typedef {import("../../www/inspect/branch_tree.js").TreeNode} TreeNode */

/**
 * The same text has the same id, unless one is given.
 * @param {string} text
 * @param {number} [logprob]
 * @param {number} [id]
 */
const token = (
  text,
  logprob = -1,
  id = [...text].reduce((sum, c) => 31 * sum + /** @type {number} */ (c.codePointAt(0)), 7) % 4096,
) => ({ id, text, logprob, entropy: 1, rank: 0, top: [{ id: 1, text: " x", logprob: -2 }] });
/** @param {string} prompt @param {...string} tokens */
const text = (prompt, ...tokens) =>
  appendTokens(
    userText(prompt),
    tokens.map((each) => token(each)),
  );
/** Only what a test looks at. @param {TreeNode | null} node @returns {any} */
const shape = (node) =>
  node &&
  (node.children.length
    ? [node.text, ...(node.branch ? [node.branch] : []), ...node.children.map(shape)]
    : `${node.text}|${node.branch}`);

test("what only goes on from a branch's end makes it longer; another continuation is another branch", () => {
  const branches = new Branches();
  const prompt = userText("Once upon");
  assert.equal(branches.record(prompt), "b1");
  const first = appendTokens(prompt, [token(" a"), token(" time")]);
  assert.equal(branches.record(first), "b1", "generated from its end");
  const typed = replaceRange(first, 16, 16, ", there");
  assert.equal(branches.record(typed), "b1", "typed at its end");
  assert.equal(branches.get("b1"), typed);
  assert.equal(branches.record(typed), "b1", "twice is once");
  const second = appendTokens(prompt, [token(" a"), token(" hill")]);
  assert.equal(branches.record(second), "b2");
  assert.deepEqual(shape(branches.tree()), ["Once upon a", " time, there|b1", " hill|b2"]);
  assert.equal(branches.current, "b2");
  assert.equal(branches.record(typed), "b1", "opened again");
  assert.equal(branches.size, 2);
  assert.equal(branches.get("b1"), typed, "exactly the runs that were recorded");
});

test("a text that a longer branch contains is no branch, and growing from it another way makes one", () => {
  const branches = new Branches();
  const whole = text("A", " b", " c", " d");
  branches.record(whole);
  assert.equal(branches.record(whole.slice(0, 2)), null);
  assert.equal(branches.size, 1);
  assert.equal(branches.current, null);
  assert.equal(branches.record(text("A", " b", " x")), "b2");
  assert.equal(branches.record(text("  \n")), null, "nothing is written");
});

test("branches part between tokens, never within one or within a character", () => {
  const branches = new Branches();
  branches.record(text("The ", "timber", " falls"));
  branches.record(text("The ", "time", " falls"));
  assert.deepEqual(shape(branches.tree()), ["The ", "timber falls|b1", "time falls|b2"]);

  const typed = new Branches();
  typed.record(userText("a timber"));
  typed.record(userText("a time"));
  assert.deepEqual(shape(typed.tree()), ["a tim", "ber|b1", "e|b2"], "typed text parts at its letters");

  const emoji = new Branches();
  emoji.record(userText("x😀"));
  emoji.record(userText("x😁"));
  assert.deepEqual(shape(emoji.tree()), ["x", "😀|b1", "😁|b2"], "surrogates stay together");
});

test("bytes that become a character only later go with what follows them", () => {
  const branches = new Branches();
  const one = appendTokens(userText("x"), [token("", -1, 200), token("é", -3, 201), token("!", -1)]);
  const two = appendTokens(userText("x"), [token("", -1, 202), token("è", -1, 203)]);
  branches.record(one);
  branches.record(two);
  const tree = branches.tree();
  assert.deepEqual(shape(tree), ["x", "é!|b1", "è|b2"]);
  assert.equal(tree?.children[0].figures.tokens, 3, "the token without text is counted with its character");
  assert.equal(tree?.figures.tokens, 0);
  const cut = new Branches();
  cut.record(appendTokens(userText("x"), [token("y"), token("", -1, 200)]));
  assert.equal(cut.tree()?.figures.tokens, 2, "also where the text ends in the middle of a character");
});

test("tokens that read the same and are not the same part the branches", () => {
  const branches = new Branches();
  branches.record(appendTokens(userText("x"), [token("\ufffd", -1, 10), token(" a")]));
  branches.record(appendTokens(userText("x"), [token("\ufffd", -1, 11), token(" b")]));
  assert.deepEqual(shape(branches.tree()), ["x", "\ufffd a|b1", "\ufffd b|b2"]);
});

test("who wrote a stretch does not part what reads the same; known tokens are counted wherever they are known", () => {
  const branches = new Branches();
  branches.record(userText("Once upon a time"));
  branches.record(text("Once", " upon", " a", " night"));
  const tree = branches.tree();
  assert.deepEqual(shape(tree), ["Once upon a", " time|b1", " night|b2"]);
  assert.equal(tree?.figures.tokens, 2);
});

test("the tree nests, keeps the order of making, and gives what branches of one stretch say on average", () => {
  const branches = new Branches();
  const root = userText("R");
  const a = appendTokens(root, [token(" a", -1), token(" b", -3)]);
  branches.record(appendTokens(a, [token(" c", -2)]));
  branches.record(appendTokens(a, [token(" d", -4), token(" e", -5)]));
  branches.record(appendTokens(root, [token(" z", -9)]));
  const tree = /** @type {TreeNode} */ (branches.tree());
  assert.deepEqual(shape(tree), ["R", [" a b", " c|b1", " d e|b2"], " z|b3"]);
  const [left, right] = tree.children;
  assert.deepEqual(left.figures, { tokens: 2, logprob: -4, meanLogprob: -2 });
  assert.equal(left.children[1].figures.meanLogprob, -4.5);
  assert.equal(right.figures.meanLogprob, -9);
  assert.equal(tree.figures.meanLogprob, null, "what people typed has no probability here");
  assert.deepEqual([tree.branches, left.branches, right.branches], [3, 2, 1]);
  const before = new Set([tree.id, left.id, left.children[0].id]);
  branches.record(text("R", " y"));
  const after = /** @type {TreeNode} */ (branches.tree());
  assert.deepEqual(
    new Set([after.id, after.children[0].id, after.children[0].children[0].id]),
    before,
    "ids stay while it grows",
  );
  const ids = new Set();
  const visit = (/** @type {TreeNode} */ node) => [ids.add(node.id), node.children.forEach(visit)];
  visit(after);
  assert.equal(ids.size, 6);
});

test("texts with nothing in common stand under a root without text", () => {
  const branches = new Branches();
  branches.record(userText("One"));
  branches.record(userText("Two"));
  assert.deepEqual(shape(branches.tree()), ["", "One|b1", "Two|b2"]);
  assert.equal(new Branches().tree(), null);
});

test("every branch's text is what its way from the root reads, whatever was typed and written", () => {
  let seed = 1;
  const random = (/** @type {number} */ n) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % 65536) % n;
  const words = ["a", "ab", " a", "b", "\n", "é", "😀", "", " ab"];
  for (let round = 0; round < 60; round += 1) {
    const branches = new Branches();
    /** @type {Run[]} */
    let runs = userText("a");
    for (let step = 0; step < 14; step += 1) {
      const all = branches.list();
      if (all.length && random(3) === 0) runs = [...all[random(all.length)].runs];
      const now = textOf(runs);
      let at = random(now.length + 1);
      if (at && now.codePointAt(at - 1) !== now.charCodeAt(at - 1)) at -= 1;
      if (random(2)) runs = replaceRange(runs, at, now.length, "");
      runs = random(2)
        ? replaceRange(runs, textOf(runs).length, textOf(runs).length, words[random(words.length)])
        : appendTokens(
            runs,
            Array.from({ length: 1 + random(3) }, () => token(words[random(words.length)], -1, random(50))),
          );
      branches.record(runs);
    }
    /** @type {Map<string, string>} */
    const ways = new Map();
    const visit = (/** @type {TreeNode} */ node, /** @type {string} */ before) => {
      const here = before + node.text;
      assert.equal(node.start, before.length);
      if (node.branch) ways.set(node.branch, here);
      assert.ok(node.children.length || node.branch, "every way ends at a branch");
      for (const child of node.children) {
        assert.notEqual(child.text, "");
        visit(child, here);
      }
    };
    visit(/** @type {TreeNode} */ (branches.tree()), "");
    assert.deepEqual(
      [...ways].sort(),
      branches
        .list()
        .map(({ id, text: own }) => [id, own])
        .sort(),
    );
  }
});

test("a deleted branch comes back where it was, and not by itself", () => {
  const branches = new Branches();
  let changes = 0;
  const end = branches.onChange(() => (changes += 1));
  branches.record(text("A", " one"));
  branches.record(text("A", " two"));
  branches.record(text("A", " three"));
  assert.equal(changes, 3);
  const undo = branches.remove("b2");
  assert.deepEqual(shape(branches.tree()), ["A", " one|b1", " three|b3"]);
  assert.equal(branches.get("b2"), null);
  assert.equal(branches.record(text("A", " two")), null, "it still stands on the paper");
  assert.equal(branches.size, 2);
  undo();
  assert.deepEqual(
    branches.list().map(({ id }) => id),
    ["b1", "b2", "b3"],
  );
  undo();
  assert.equal(branches.size, 3, "once is enough");
  branches.remove("b1");
  assert.equal(branches.record(text("A", " one", " more")), "b4", "going on from it is a new text");
  assert.equal(branches.remove("nothing")(), undefined);
  end();
  const seen = changes;
  branches.rename("b3", "x");
  assert.equal(changes, seen);
});

test("names are trimmed, shortened, kept while a branch grows, and can be taken away", () => {
  const branches = new Branches();
  branches.record(text("A", " one"));
  branches.rename("b1", "  the  \n first ");
  assert.equal(branches.list()[0].name, "the first");
  branches.record(text("A", " one", " two"));
  assert.equal(branches.list()[0].name, "the first");
  branches.rename("b1", "😀".repeat(200));
  assert.equal(Array.from(branches.list()[0].name).length, 80);
  branches.rename("b1", "");
  assert.equal(branches.list()[0].name, "");
});

test("a file holds everything, shares runs, and is read back exactly", () => {
  const branches = new Branches();
  const prompt = userText("Zeit: ");
  const first = appendTokens(prompt, [token("", -0.5, 300), token("é", -1.25), token(" fin")]);
  branches.record(first);
  branches.record(appendTokens(prompt, [token("x", -2)]));
  branches.rename("b1", "one");
  branches.record(first);
  const file = JSON.parse(JSON.stringify(branches));
  assert.equal(file.runs.length, 5, "the prompt is there once");
  assert.equal(file.branches[0].text, "Zeit: é fin");
  const read = new Branches();
  assert.equal(read.fromJSON(file), 2);
  const withoutAlternatives = (/** @type {Branches} */ { leaves }) =>
    [...leaves.values()].map((leaf) => ({
      ...leaf,
      runs: leaf.runs.map((run) => (run.token ? { ...run, token: { ...run.token, top: [] } } : run)),
    }));
  assert.deepEqual(read.list(), withoutAlternatives(branches));
  assert.equal(read.current, "b1");
  assert.deepEqual(read.tree(), branches.tree());
  assert.equal(read.fromJSON(file), 0, "a second time nothing is new");
  assert.equal(read.record(text("other")), "b3", "new branches do not take a used id");
});

test("another file's branches are added under ids of their own", () => {
  const one = new Branches();
  one.record(userText("mine"));
  const two = new Branches();
  two.record(text("yours", " too"));
  two.record(userText("mine"));
  two.rename("b2", "called");
  assert.equal(one.fromJSON(JSON.parse(JSON.stringify(two))), 1);
  assert.deepEqual(
    one.list().map(({ id, name, text: own }) => [id, name, own]),
    [
      ["b1", "called", "mine"],
      ["b2", "", "yours too"],
    ],
  );
  assert.equal(one.current, "b1", "the branch on the paper stays the present one");
});

test("what is no such file is refused whole, and what is broken in a token is not believed", () => {
  const branches = new Branches();
  branches.record(text("A", " b"));
  const good = JSON.parse(JSON.stringify(branches));
  const bad = [
    null,
    7,
    "x",
    [],
    {},
    { ...good, version: 3 },
    { ...good, runs: {} },
    { ...good, branches: [{ runs: [0, 99] }] },
    { ...good, branches: [null] },
    {
      ...good,
      runs: [
        { text: 3, source: "user" },
        { text: "x", source: "model" },
      ],
    },
  ];
  for (const data of bad) {
    const read = new Branches();
    assert.throws(() => read.fromJSON(data), { key: "inspect.badBranches" }, JSON.stringify(data));
    assert.equal(read.size, 0);
  }
  for (const broken of [{ id: -1 }, { id: "1" }, { id: 1.5 }, { logprob: null }, { text: 1 }]) {
    const file = structuredClone(good);
    Object.assign(file.runs[1].token, broken);
    const read = new Branches();
    read.fromJSON(file);
    assert.equal(read.list()[0].text, "A b");
    assert.equal(read.list()[0].runs[1].token, undefined);
  }
  const odd = structuredClone(good);
  odd.branches[0].id = "__proto__";
  odd.branches[0].created = "never";
  Object.assign(odd.runs[1].token, { entropy: "much", rank: -3, extra: 1 });
  const read = new Branches();
  read.fromJSON(odd);
  assert.equal(read.list()[0].id, "b1");
  assert.deepEqual(read.list()[0].runs[1].token, { ...token(" b"), entropy: 0, rank: 0, top: [] });
});

/** A file of branches, each of runs by their place among `runs`. @param {string[]} runs @param {number[][]} branches */
const fileOf = (runs, branches) => ({
  format: "gpt-playground-branches",
  version: 2,
  current: null,
  runs: runs.map((own) => ({ text: own, source: "user" })),
  branches: branches.map((own) => ({ id: "", name: "", created: "2026-01-01", runs: own })),
});

test("as many branches as may be loaded make a tree, however they are alike", () => {
  // Each begins with all of the one before it: a tree as deep as there are branches. In the other order each is
  // compared whole.
  const chain = Array.from({ length: 1000 }, (_, at) => "a ".repeat(at + 1));
  for (const texts of [
    chain,
    chain.map((own) => `${own}b`).reverse(),
    chain.map((_, at) => `${String.fromCodePoint(0x4e00 + at)}!`),
  ]) {
    const branches = new Branches();
    const file = fileOf(
      texts,
      texts.map((_, at) => [at]),
    );
    assert.equal(isTooLarge(file), false);
    assert.equal(branches.fromJSON(file), 1000);
    assert.equal(branches.tree()?.branches, 1000);
  }
});

test("a file that holds more than can be shown is known before it is read", () => {
  const one = (/** @type {number} */ count) => Array.from({ length: count }, () => [0]);
  assert.equal(isTooLarge(fileOf(["x"], one(2000))), false);
  assert.equal(isTooLarge(fileOf(["x"], one(2001))), true);
  // A run stands in the file once, and is 80 gigabytes in the branches.
  const many = Array.from({ length: 2000 }, () => new Array(400).fill(0));
  assert.equal(isTooLarge(fileOf(["x".repeat(100_000)], many)), true);
  assert.equal(isTooLarge(fileOf([""], [new Array(1_000_001).fill(0)])), true);
  for (const odd of [
    null,
    7,
    {},
    { runs: {}, branches: [] },
    { runs: [], branches: [null, { runs: 3 }, { runs: [9, "x"] }] },
  ])
    assert.equal(isTooLarge(odd), false);
});

test("a file of the first version, whose ranks began at 0, is read as it was meant", () => {
  const branches = new Branches();
  branches.record(appendTokens(userText("A"), [{ ...token(" b"), rank: 4 }]));
  const file = JSON.parse(JSON.stringify(branches.toFile()));
  assert.equal(file.runs[1].token.rank_from_1, 5, "as on the page");
  const { rank_from_1: _, ...rest } = file.runs[1].token;
  const old = { ...file, version: 1, runs: [file.runs[0], { ...file.runs[1], token: { ...rest, rank: 4 } }] };
  for (const each of [file, old]) {
    const read = new Branches();
    read.fromJSON(each);
    assert.equal(read.list()[0].runs[1].token?.rank, 4);
  }
});

test("what was deleted stays deleted over a reload, while its text still stands on the paper", () => {
  const branches = new Branches();
  branches.record(text("A", " b"));
  branches.record(text("A", " c"));
  branches.remove("b2");
  assert.ok(!("removed" in branches.toFile()), "a file says nothing of it");
  const again = new Branches();
  again.fromJSON(JSON.parse(JSON.stringify(branches)));
  assert.equal(
    again.record([
      { text: "A", source: "user" },
      { text: " c", source: "model" },
    ]),
    null,
  );
  assert.deepEqual(
    again.list().map((leaf) => leaf.text),
    ["A b"],
  );
  assert.equal(again.record(text("A", " c", " d")), "b2", "written on, it is another text");
  again.fromJSON({ ...branches.toFile(), branches: [], runs: [], removed: ["A b", 3] });
  assert.equal(again.size, 2, "nothing that is here goes");
});

test("what the model wrote and a reload left without tokens parts where tokens can", () => {
  const restored = (/** @type {string} */ own) =>
    /** @type {Run[]} */ ([
      { text: "He", source: "user" },
      { text: own, source: "model" },
    ]);
  const branches = new Branches();
  branches.record(restored(" had an adventure"));
  branches.record(restored(" had a big bag"));
  branches.record(restored(" had 12 days"));
  branches.record(restored(" had 13 days"));
  branches.record(restored("r name"));
  assert.deepEqual(shape(branches.tree()), [
    "He",
    [" had", " an adventure|b1", " a big bag|b2", " 12 days|b3", " 13 days|b4"],
    "r name|b5",
  ]);
});

test("text that was restored without its tokens does not make a branch forget them", () => {
  const branches = new Branches();
  const known = text("A", " b", " c");
  branches.record(known);
  const plain = userText("A b c");
  branches.record(plain);
  assert.equal(branches.get("b1"), known);
  branches.record(appendTokens(plain, [token(" d")]));
  assert.equal(figuresOf(branches.get("b1") ?? []).tokens, 3);
  assert.equal(textOf(branches.get("b1") ?? []), "A b c d");
  const learns = new Branches();
  learns.record(plain);
  learns.record(known);
  assert.equal(figuresOf(learns.get("b1") ?? []).tokens, 2, "nor from learning them");
});

test("two branches beside each other: what they share, what each has of its own, and how likely that was", () => {
  const branches = new Branches();
  const prompt = appendTokens(userText("P"), [token(" s", -1)]);
  branches.record(appendTokens(prompt, [token(" a", -2), token(" b", -4)]));
  branches.record(appendTokens(prompt, [token(" c", -5)]));
  const [left, right] = branches.list();
  const { common, sides } = compareBranches(left, right);
  assert.equal(common, "P s");
  assert.deepEqual(
    sides.map(({ rest }) => rest),
    [" a b", " c"],
  );
  assert.deepEqual(
    sides.map(({ own }) => own.meanLogprob),
    [-3, -5],
  );
  assert.deepEqual(
    sides.map(({ all }) => all.tokens),
    [3, 2],
  );
  const same = compareBranches(left, left);
  assert.equal(same.common, left.text);
  assert.equal(same.sides[0].own.meanLogprob, null);
});

test("a slice keeps whole runs as they are and cuts the others without their numbers", () => {
  const runs = text("Once", " upon", " a");
  const slice = sliceRuns(runs, 2, 9);
  assert.deepEqual(
    slice.map((run) => run.text),
    ["ce", " upon"],
  );
  assert.equal(slice[1], runs[1]);
  assert.equal(sliceRuns(runs, 0, 6)[1].token, undefined);
  assert.deepEqual(sliceRuns(runs, 0), runs);
});
