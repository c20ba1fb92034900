/** "Tree": everything that was written, whichever way one went. */
import { h, setText } from "../../../core/dom.js";
import { PageError } from "../../../core/errors.js";
import { registerStrings, t } from "../../../core/i18n/index.js";
import { isTooLarge, MOST_LOADED } from "../../branch_file.js";
import { compareBranches, figuresOf } from "../../branch_tree.js";
import { SaveRow, toCsv } from "../../save.js";
import { BranchCompare } from "./branch_compare.js";
import { nodeOf, numbered, onPaper, ownParts, pieceName, rootOf, shortenWords, TREE_CSV } from "./data.js";
import { TreeView } from "./view.js";
import { treeEn } from "./words.en.js";
import { treeZh } from "./words.zh.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Panel} Panel */
/** @typedef {import("../../branch_tree.js").TreeNode} TreeNode */

registerStrings(treeEn, treeZh);

/** A larger file is not one of ours. */
const LARGEST_FILE = 200_000_000;
/** The subject is gone for a moment whenever it is read anew; after this the paper is empty. */
const GONE_MS = 600;

/** @implements {Panel} */
export class TreePanel {
  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    /** @type {[string, string]} */
    this.picked = ["", ""];
    /** @type {(() => void) | null} */
    this.unlisten = null;
    /** The branch deleted last. @type {{ id: string, name: string, undo: () => void } | null} */
    this.removed = null;
    /** What stands on the paper. @type {{ text: string, writing: boolean } | null} */
    this.paper = null;
    this.gone = 0;
    this.intro = h("p", { class: "tree-empty" });
    this.removedText = h("span");
    this.undo = h("button", { type: "button", class: "quiet", onclick: () => this.putBack() });
    this.removedRow = h("p", { class: "tree-removed", role: "status" }, this.removedText, this.undo);
    this.body = h("div");
    this.tree = new TreeView(this.body, {
      onOpen: (branch) => ctx.openBranch(branch),
      onRename: (branch, name) => ctx.branches.rename(branch, name),
      onRemove: (branch) => this.remove(branch),
    });
    this.keys = h("p", { class: "hint" });
    this.body.append(this.keys);
    this.compare = new BranchCompare(this.body, {
      onPick: (side, branch) => {
        this.picked[side] = branch;
        this.render();
      },
    });
    this.file = h("input", { type: "file", accept: ".json,application/json", hidden: true });
    this.file.addEventListener("change", () => void this.load());
    this.loadButton = h("button", { type: "button", class: "quiet", onclick: () => this.file.click() });
    this.foot = h("div", { class: "tree-foot" });
    this.save = new SaveRow(this.foot, {
      name: () => "branches",
      csv: () => this.csv(),
      json: () => ctx.branches.toFile(),
    });
    this.foot.append(this.loadButton, this.file);
    this.root = h("div", { class: "tree" }, this.intro, this.removedRow, this.body, this.foot);
  }

  update() {
    this.unlisten ??= this.ctx.branches.onChange(() => this.render());
    const { subject } = this.ctx;
    clearTimeout(this.gone);
    if (subject) this.paper = { text: subject.text, writing: subject.writing };
    else if (this.paper) this.gone = Number(setTimeout(() => this.emptied(), GONE_MS));
    this.render();
  }

  emptied() {
    this.paper = null;
    this.render();
  }

  /** The branch that stands on the paper. */
  get current() {
    const { branches } = this.ctx;
    return onPaper(branches.leaves.values(), branches.current, this.paper);
  }

  render() {
    const { branches } = this.ctx;
    const all = branches.list();
    const tree = branches.tree();
    setText(this.intro, t("tree.empty"));
    this.intro.hidden = all.length > 1;
    this.body.hidden = all.length === 0;
    this.removedRow.hidden = !this.removed;
    setText(this.removedText, t("tree.removed", { name: this.removed?.name ?? "" }));
    setText(this.undo, t("action.undo"));
    setText(this.keys, t("tree.keys"));
    setText(this.loadButton, t("tree.load"));
    this.save.root.hidden = all.length === 0;
    this.save.update();
    this.tree.update({
      tree,
      branches: branches.leaves,
      current: this.current,
      first: rootOf(tree, this.paper?.text ?? ""),
    });
    this.renderCompare(tree);
  }

  /** @param {TreeNode | null} tree */
  renderCompare(tree) {
    const { branches } = this.ctx;
    const all = branches.list();
    const names = numbered(this.names(tree));
    // At first the branch on the paper beside the newest other one.
    if (!names.has(this.picked[0])) this.picked[0] = this.current ?? all[0]?.id ?? "";
    if (!names.has(this.picked[1]) || this.picked[1] === this.picked[0]) {
      this.picked[1] = all.filter(({ id }) => id !== this.picked[0]).at(-1)?.id ?? "";
    }
    const [left, right] = this.picked.map((id) => branches.leaves.get(id));
    this.compare.update({
      branches: all,
      names,
      picked: this.picked,
      compared: left && right ? compareBranches(left, right) : null,
    });
  }

  /**
   * What each branch is called: its name, else its own part.
   * @param {TreeNode | null} tree
   * @returns {Map<string, string>}
   */
  names(tree) {
    const parts = ownParts(tree);
    return new Map(
      this.ctx.branches
        .list()
        .map(({ id, name, text }) => [id, name || pieceName(text, parts.get(id)?.text ?? "", 40)]),
    );
  }

  /** @param {string} id */
  remove(id) {
    const { branches } = this.ctx;
    const name = shortenWords(this.names(branches.tree()).get(id) ?? id, 32);
    this.removed = { id, name, undo: branches.remove(id) };
    this.render();
  }

  putBack() {
    const { removed } = this;
    this.removed = null;
    if (!removed) return;
    removed.undo();
    this.tree.at = nodeOf(this.ctx.branches.tree(), removed.id)?.id ?? "";
    this.render();
    this.tree.items.get(this.tree.at)?.focus();
  }

  async load() {
    const [file] = this.file.files ?? [];
    // The same file can be chosen again.
    this.file.value = "";
    if (!file) return;
    try {
      if (file.size > LARGEST_FILE) throw new PageError("inspect.badBranches");
      const data = JSON.parse(await file.text());
      if (isTooLarge(data)) return this.ctx.say("tree.largeFile", { name: file.name, most: MOST_LOADED });
      const added = this.ctx.branches.fromJSON(data);
      this.ctx.say(added === 1 ? "tree.loaded.one" : "tree.loaded", { count: added, name: file.name });
    } catch (error) {
      if (!(error instanceof PageError || error instanceof SyntaxError)) throw error;
      this.ctx.say("inspect.badBranches", { name: file.name });
    }
  }

  csv() {
    return toCsv(
      TREE_CSV,
      this.ctx.branches.list().map(({ id, name, created, text, runs }) => {
        const { tokens, meanLogprob } = figuresOf(runs);
        return [
          id,
          name,
          new Date(created).toISOString(),
          text,
          tokens,
          meanLogprob === null ? "" : Number(meanLogprob.toPrecision(7)),
        ];
      }),
    );
  }

  close() {
    this.unlisten?.();
    this.unlisten = null;
    clearTimeout(this.gone);
    this.removed = null;
  }
}
