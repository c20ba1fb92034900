// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { appendTokens, textOf, userText } from "../../www/core/text.js";
import { Branches } from "../../www/inspect/branches.js";
import {
  headAndTail,
  leadOf,
  numbered,
  onPaper,
  ownParts,
  pieceName,
  rootOf,
  shortenWords,
  treeRows,
  walkTree,
} from "../../www/inspect/panels/tree/data.js";
import { TreePanel } from "../../www/inspect/panels/tree/panel.js";
import { fake, fakeDocument } from "./fake_dom.mjs";

/** @param {string} text @param {number} logprob */
const token = (text, logprob) => ({ id: text.length, text, logprob, entropy: 1, rank: 0, top: [] });

/** Once upon → a ( time → …, hill), the; `b1` is "Once upon a time ago". */
function someBranches() {
  const branches = new Branches();
  const root = userText("Once upon");
  const a = appendTokens(root, [token(" a", -1)]);
  branches.record(appendTokens(a, [token(" time", -2), token(" ago", -4)]));
  branches.record(appendTokens(a, [token(" hill", -5)]));
  branches.record(appendTokens(root, [token(" the", -3)]));
  return branches;
}
const rowsOf = (/** @type {Branches} */ branches, folds = new Map()) => treeRows(branches.tree(), folds);
const texts = (/** @type {ReturnType<typeof rowsOf>} */ rows) => rows.map(({ node, level }) => `${level}${node.text}`);

test("rows come from the top down, and what is closed hides what is in it", () => {
  const branches = someBranches();
  const rows = rowsOf(branches);
  assert.deepEqual(texts(rows), ["1Once upon", "2 a", "3 time ago", "3 hill", "2 the"]);
  assert.deepEqual(
    rows.map(({ place, siblings }) => `${place}/${siblings}`),
    ["1/1", "1/2", "1/2", "2/2", "2/2"],
  );
  assert.deepEqual(texts(rowsOf(branches, new Map([[rows[1].node.id, false]]))), ["1Once upon", "2 a", "2 the"]);
  branches.record(userText("Else"));
  assert.deepEqual(texts(rowsOf(branches)).slice(-1), ["1Else"], "what has nothing in common stands beside it");
  assert.equal(rowsOf(branches)[0].parent, null);
  assert.deepEqual(treeRows(null, new Map()), []);
});

test("of very many branches only the upper levels are open at first", () => {
  const branches = new Branches();
  for (let i = 0; i < 80; i += 1)
    branches.record(userText(`r${"ab"[i % 2]}${"cdef"[i % 4]}${"ghijklmn"[i % 8]}${String.fromCharCode(0x4e00 + i)}`));
  const rows = rowsOf(branches);
  assert.ok(rows.length < 20, `${rows.length} rows`);
  const closed = rows.find(({ open, node }) => !open && node.children.length);
  assert.ok(closed);
  assert.ok(rowsOf(branches, new Map([[closed.node.id, true]])).length > rows.length);
});

test("the arrow keys walk the tree as trees are walked everywhere", () => {
  const rows = rowsOf(someBranches());
  const ids = rows.map(({ node }) => node.id);
  const walk = (/** @type {number} */ at, /** @type {string} */ key) => walkTree(rows, ids[at], key);
  assert.deepEqual(walk(0, "ArrowDown"), { focus: ids[1] });
  assert.deepEqual(walk(4, "ArrowDown"), { focus: ids[4] });
  assert.deepEqual(walk(3, "ArrowUp"), { focus: ids[2] });
  assert.deepEqual(walk(1, "ArrowRight"), { focus: ids[2] });
  assert.equal(walk(2, "ArrowRight"), null);
  assert.deepEqual(walk(2, "ArrowLeft"), { focus: ids[1] });
  assert.deepEqual(walk(1, "ArrowLeft"), { fold: [ids[1], false] });
  assert.deepEqual([walk(2, "Home"), walk(2, "End")], [{ focus: ids[0] }, { focus: ids[4] }]);
  assert.equal(walk(0, "x"), null);
  assert.equal(walkTree(rows, "gone", "ArrowDown"), null);
  const shut = rowsOf(someBranches(), new Map([[ids[0], false]]));
  assert.deepEqual(walkTree(shut, ids[0], "ArrowRight"), { fold: [ids[0], true] });
  assert.equal(walkTree(shut, ids[0], "ArrowLeft"), null);
});

test("a word in which branches part is shown whole, where words have spaces between them", () => {
  assert.equal(leadOf("a tim", "ber"), "tim");
  assert.equal(leadOf("a time", " long"), "");
  assert.equal(leadOf("it was ", "so"), "");
  assert.equal(leadOf("从前有", "一个"), "");
  assert.equal(leadOf("don’", "t"), "don’");
});

test("a long stretch shows how it begins and how it ends", () => {
  assert.equal(headAndTail("short\n text", 10, 10), "short ⏎ text");
  assert.equal(headAndTail("0123456789 abcdefghij klmnopqrst", 10, 5), "0123456789 … pqrst");
  const parts = ownParts(someBranches().tree());
  assert.deepEqual(
    [...parts].map(([id, { text }]) => [id, text]),
    [
      ["b1", " time ago"],
      ["b2", " hill"],
      ["b3", " the"],
    ],
  );
});

/** A panel on a fake page. */
function makePanel(
  branches = someBranches(),
  paper = /** @type {{ text: string, writing: boolean } | undefined} */ (undefined),
) {
  const document = fakeDocument();
  /** @type {any[]} */
  const done = [];
  const ctx = /** @type {any} */ ({
    branches,
    get subject() {
      const runs = branches.get(branches.current ?? "");
      return paper === undefined ? runs && { text: textOf(runs), writing: false } : paper;
    },
    openBranch: (/** @type {string} */ id) => {
      done.push(["open", id]);
      branches.record(branches.get(id) ?? []);
      panel.update();
    },
    say: (/** @type {any[]} */ ...args) => done.push(args),
  });
  const panel = new TreePanel(ctx);
  panel.update();
  const root = fake(panel.root);
  const key = (/** @type {string} */ name) =>
    /** @type {any} */ (document.activeElement).fire("keydown", { key: name });
  const words = () => /** @type {any} */ (document.activeElement).all("tree-text")[0].textContent;
  return { panel, root, branches, done, document, key, words };
}

test("Enter puts the branch on the paper that the arrow keys came to, and the focus stays on it", () => {
  const { root, panel, branches, done, document, key, words } = makePanel();
  const items = root.all("tree-item");
  assert.equal(items.length, 5);
  const tabbable = items.filter((item) => item.getAttribute("tabindex") === "0");
  assert.equal(tabbable.length, 1, "Tab comes to one row");
  assert.match(tabbable[0].textContent, / ?the/, "the one on the paper");
  tabbable[0].focus();
  key("ArrowUp");
  assert.equal(words(), "hill");
  key("ArrowUp");
  assert.equal(words(), "time ago");
  assert.ok(key("Enter").defaultPrevented);
  assert.deepEqual(done, [["open", "b1"]]);
  assert.equal(branches.current, "b1");
  assert.equal(words(), "time ago", "drawn anew, with the focus where it was");
  assert.equal(root.all("tree-here").length, 1);
  key("ArrowLeft");
  assert.equal(words(), "a");
  key("ArrowLeft");
  assert.equal(root.all("tree-item").length, 3, "closed");
  assert.match(root.all("tree-words")[1].textContent, /2/, "and says how many branches are inside");
  key("Enter");
  assert.equal(root.all("tree-item").length, 5);
  const outside = fake(panel.tree.root).all("quiet")[0];
  assert.equal(outside, undefined, "what is shared has nothing to open");
  assert.ok(document.activeElement);
});

test("a branch is named in its place; Escape leaves the name as it was", () => {
  const { root, branches, document, key } = makePanel();
  root
    .all("tree-item")
    .find((item) => item.getAttribute("tabindex") === "0")
    ?.focus();
  key("F2");
  const field = /** @type {any} */ (document.activeElement);
  assert.ok(field.classList.contains("tree-name"));
  field.value = "  The end ";
  field.fire("keydown", { key: "Enter" });
  assert.equal(branches.list()[2].name, "The end");
  assert.equal(root.all("tree-name").length, 0);
  assert.ok(document.activeElement?.classList.contains("tree-item"), "the focus is back on the row");
  key("F2");
  const again = /** @type {any} */ (document.activeElement);
  assert.equal(again.value, "The end");
  again.value = "no";
  again.fire("keydown", { key: "Escape" });
  assert.equal(branches.list()[2].name, "The end");
});

test("Delete takes a branch away, and Undo brings it back", () => {
  const { root, panel, branches, key, words } = makePanel();
  root
    .all("tree-item")
    .find((item) => item.getAttribute("tabindex") === "0")
    ?.focus();
  key("ArrowUp");
  assert.equal(panel.removedRow.hidden, true);
  key("Delete");
  assert.deepEqual(
    branches.list().map(({ id }) => id),
    ["b1", "b3"],
  );
  assert.equal(panel.removedRow.hidden, false);
  assert.match(fake(panel.removedRow).textContent, /hill/);
  panel.undo.click();
  assert.deepEqual(
    branches.list().map(({ id }) => id),
    ["b1", "b2", "b3"],
  );
  assert.equal(panel.removedRow.hidden, true);
  assert.equal(words(), "hill", "with the focus on it");
});

test("two branches are compared: the one on the paper and another at first, then those that were picked", () => {
  const { panel } = makePanel();
  assert.deepEqual(panel.picked, ["b3", "b2"]);
  const side = (/** @type {number} */ index) => panel.compare.sides[index];
  assert.equal(side(1).rest.textContent, "a hill");
  panel.picked = ["b1", "b2"];
  panel.render();
  assert.deepEqual([side(0).rest.textContent, side(1).rest.textContent], ["time ago", "hill"]);
  assert.match(String(panel.compare.common.textContent), /Once upon a/);
  assert.match(String(side(0).own.textContent), /2 tokens · 4\.33 bits/);
  assert.match(String(side(0).all.textContent), /3 tokens · 3\.37 bits/);
});

test("the paper's own text tells which branch stands on it, not what was recorded last", () => {
  const branches = someBranches();
  const on = (/** @type {string} */ text, writing = false) =>
    onPaper(branches.list(), branches.current, { text, writing });
  assert.equal(branches.current, "b3");
  assert.equal(on("Once upon the"), "b3");
  assert.equal(on("Once upon the wall"), null, "it was edited");
  assert.equal(on("Once upon the wall", true), "b3", "the model goes on from it");
  assert.equal(on("Once upon a hill"), "b2");
  assert.equal(onPaper(branches.list(), branches.current, null), null);
  const paper = { text: "Once upon the other", writing: false };
  const { root, panel, done } = makePanel(branches, paper);
  assert.equal(root.all("tree-here").length, 0);
  root.all("tree-item").at(-1)?.all("tree-line")[0].fire("click");
  panel.update();
  paper.text = "Once upon the";
  panel.update();
  assert.equal(root.all("tree-here").length, 1);
  assert.deepEqual(done, []);
});

test("the beginning of the paper's text comes first, the others after it under a heading", () => {
  const branches = someBranches();
  branches.record(userText("Else"));
  const tree = branches.tree();
  const first = rootOf(tree, "Else where");
  assert.deepEqual(texts(treeRows(tree, new Map(), first)).slice(0, 2), ["1Else", "1Once upon"]);
  assert.deepEqual([rootOf(tree, "Other"), rootOf(tree, ""), rootOf(null, "a")], [null, null, null]);
  const { root } = makePanel(branches);
  assert.equal(root.all("tree-older").length, 1);
  assert.equal(makePanel().root.all("tree-older").length, 0);
});

test("names are cut between words, and numbered", () => {
  assert.equal(shortenWords("the little girl went", 14), "the little…");
  assert.equal(shortenWords("the little girl", 15), "the little girl");
  assert.equal(shortenWords("x".repeat(60), 10), `${"x".repeat(9)}…`, "one very long word is cut");
  assert.equal(shortenWords("从前有一个小女孩住在森林里", 6), "从前有一个…");
  assert.equal(headAndTail("the little girl went home with the old woman", 12, 7), "the little … woman");
  assert.deepEqual(
    [
      ...numbered(
        new Map([
          ["a", "x"],
          ["b", "y"],
          ["c", "x"],
        ]),
      ).values(),
    ],
    ["1 · x", "2 · y", "3 · x"],
  );
  assert.equal(pieceName("Once upon a time there was a king", " there was a king", 40), "there was a king");
  assert.equal(pieceName("Once upon a time there was a king with", " with", 40), "…a time there was a king with");
  assert.equal(pieceName("A b", " b", 40), "A b", "from the text's beginning");
  assert.equal(
    pieceName("从前有一位国王，他住在一座很高很高的山上，他有三个女儿", "女儿", 40),
    "…前有一位国王，他住在一座很高很高的山上，他有三个女儿",
  );
});

test("a closed panel does not listen; one branch alone explains how others come", () => {
  const alone = new Branches();
  alone.record(userText("A"));
  const { panel, branches } = makePanel(alone);
  assert.equal(panel.intro.hidden, false);
  assert.equal(panel.compare.root.hidden, true);
  panel.close();
  assert.equal(branches.listeners.size, 0);
  branches.record(userText("B"));
  assert.equal(panel.intro.hidden, false, "not drawn");
  panel.update();
  assert.equal(panel.intro.hidden, true);
  assert.equal(panel.compare.root.hidden, false);
});

test("CSV has a row for each branch", () => {
  const { panel, branches } = makePanel();
  branches.rename("b1", 'a "name"');
  const lines = panel.csv().split("\r\n");
  assert.equal(lines.length, 5);
  assert.match(lines[1], /^b1,"a ""name""",\d{4}-[^,]+,Once upon a time ago,3,-2\.333333$/);
});

test("a file that is loaded adds its branches, and another file says that it is none", async () => {
  const { panel, branches, done } = makePanel();
  const other = new Branches();
  other.record(userText("From a file"));
  const load = async (/** @type {string} */ text) => {
    Object.assign(panel.file, { files: [{ name: "x.json", size: text.length, text: async () => text }] });
    await panel.load();
  };
  await load(JSON.stringify(other));
  assert.deepEqual(done.at(-1), ["tree.loaded.one", { count: 1, name: "x.json" }]);
  assert.equal(textOf(branches.list()[3].runs), "From a file");
  for (const text of ["{", "{}", "[1]"]) {
    await load(text);
    assert.deepEqual(done.at(-1), ["inspect.badBranches", { name: "x.json" }]);
  }
  assert.equal(branches.size, 4);
});
