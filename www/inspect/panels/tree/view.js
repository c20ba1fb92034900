/** All continuations as a tree that is walked with the arrow keys. */

import { h } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { viridisCss } from "../../color.js";
import { inBits } from "../../label.js";
import { headAndTail, oneLine, shortenWords, treeRows, walkTree } from "./data.js";

/** @typedef {import("../../branch_tree.js").Branch} Branch */
/** @typedef {import("../../branch_tree.js").TreeNode} TreeNode */
/** @typedef {import("./data.js").TreeRow} TreeRow */

/** Characters shown of a branch's beginning; of a shared stretch from its beginning and from its end. */
const WORDS = 110;
const HEAD = 28;
/** A mean surprise that fills its bar, in bits per token. */
const MOST_BITS = 6;
const TAIL = 34;

/**
 * @typedef {object} TreeData
 * @property {TreeNode | null} tree
 * @property {ReadonlyMap<string, Branch>} branches by id
 * @property {string | null} current the branch on the paper
 * @property {string | null} first the beginning of the paper's text, which comes before the others
 */

/** @param {import("../../branch_tree.js").Figures} figures */
export function figuresText({ tokens, meanLogprob }) {
  if (meanLogprob === null) return "";
  return t(tokens === 1 ? "tree.figures.one" : "tree.figures", {
    tokens: n(tokens),
    mean: inBits(-meanLogprob).toFixed(2),
  });
}

export class TreeView {
  /**
   * @param {HTMLElement} root
   * @param {{ onOpen: (branch: string) => void, onRename: (branch: string, name: string) => void, onRemove: (branch:
   *   string) => void }} handlers
   */
  constructor(root, handlers) {
    this.handlers = handlers;
    /** @type {TreeData} */
    this.data = { tree: null, branches: new Map(), current: null, first: null };
    /** What the user opened and closed. @type {Map<string, boolean>} */
    this.folds = new Map();
    /** The row that Tab comes to. */
    this.at = "";
    /** The branch whose name is being written. @type {string | null} */
    this.naming = null;
    /** @type {TreeRow[]} */
    this.rows = [];
    /** @type {Map<string, HTMLElement>} */
    this.items = new Map();
    this.root = h("ul", { class: "tree-list", role: "tree" });
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    root.append(this.root);
  }

  /** @param {TreeData} data */
  update(data) {
    this.data = data;
    // A name that is being written stays as it is; it is drawn when that ends.
    if (this.naming === null) this.draw();
  }

  /** Draws everything anew; the focus stays on its row. */
  draw() {
    const hadFocus = this.root.contains(document.activeElement);
    this.rows = treeRows(this.data.tree, this.folds, this.data.first);
    if (!this.rows.some(({ node }) => node.id === this.at)) {
      this.at =
        (this.rows.find(({ node }) => node.branch !== null && node.branch === this.data.current) ?? this.rows[0])?.node
          .id ?? "";
    }
    this.items.clear();
    this.root.setAttribute("aria-label", t("tree.label"));
    /** Where children of each level go. @type {HTMLElement[]} */
    const places = [this.root];
    this.root.replaceChildren();
    for (const row of this.rows) {
      const item = this.item(row);
      if (row.level === 1 && row.place === 2 && this.data.first)
        this.root.append(h("li", { role: "none", class: "tree-older" }, t("tree.older")));
      places[row.level - 1].append(item);
      if (row.open) {
        places[row.level] = h("ul", { role: "group" });
        item.append(places[row.level]);
      }
    }
    if (hadFocus && this.naming === null) this.items.get(this.at)?.focus();
  }

  /** @param {TreeRow} row */
  item(row) {
    const { node, open, level, place, siblings } = row;
    const branch = node.branch === null ? undefined : this.data.branches.get(node.branch);
    const here = branch !== undefined && branch.id === this.data.current;
    const item = h("li", {
      role: "treeitem",
      tabindex: node.id === this.at ? 0 : -1,
      "aria-level": level,
      "aria-posinset": place,
      "aria-setsize": siblings,
      "aria-expanded": node.children.length ? String(open) : null,
      "aria-selected": String(here),
      class: "tree-item",
    });
    this.items.set(node.id, item);
    const shown = node.children.length ? headAndTail(node.text, HEAD, TAIL) : shortenWords(oneLine(node.text), WORDS);
    const line = h("div", { class: here ? "tree-line tree-here" : "tree-line" });
    line.append(
      h("span", {
        class: `tree-dot${node.children.length ? (open ? " open" : " closed") : ""}`,
        "aria-hidden": "true",
      }),
    );
    const words = h("div", { class: "tree-words" });
    if (branch && this.naming === branch.id) words.append(this.nameField(branch));
    else if (branch?.name) words.append(h("strong", {}, branch.name));
    words.append(h("span", { class: "tree-text" }, h("span", { class: "tree-lead" }, row.lead), shown));
    words.append(this.facts(node, open, here));
    line.append(words);
    line.addEventListener("click", (event) => this.onClick(event, row));
    item.append(line);
    if (branch && node.id === this.at) item.append(this.actions(branch, here));
    return item;
  }

  /** @param {TreeNode} node @param {boolean} open @param {boolean} here */
  facts({ figures, children, branches }, open, here) {
    const facts = h("span", { class: "tree-facts" });
    if (figures.meanLogprob !== null) {
      const share = Math.min(1, inBits(-figures.meanLogprob) / MOST_BITS);
      const bar = h("span", { class: "tree-bar", "aria-hidden": "true" });
      bar.style.setProperty("--share", `${Math.round(100 * share)}%`);
      bar.style.setProperty("--tint", viridisCss(share));
      facts.append(bar, figuresText(figures));
    }
    if (children.length && !open) facts.append(h("span", {}, t("tree.inside", { count: branches })));
    if (here) facts.append(h("span", { class: "tree-mark" }, t("tree.here")));
    return facts;
  }

  /** @param {Branch} branch @param {boolean} here */
  actions(branch, here) {
    const { onOpen, onRemove } = this.handlers;
    const button = (/** @type {string} */ key, /** @type {() => void} */ run) =>
      h("button", { type: "button", class: "quiet", onclick: run }, t(key));
    const open = button("tree.open", () => onOpen(branch.id));
    open.disabled = here;
    const rename = button("tree.rename", () => this.name(branch.id));
    const remove = button("tree.remove", () => onRemove(branch.id));
    return h("div", { class: "tree-actions", role: "group", "aria-label": t("tree.actions") }, open, rename, remove);
  }

  /** @param {Branch} branch */
  nameField(branch) {
    const words = { "aria-label": t("tree.name"), placeholder: t("tree.name") };
    const field = h("input", { type: "text", class: "tree-name", value: branch.name, maxlength: 80, ...words });
    let done = false;
    const end = (/** @type {boolean} */ keep) => {
      if (done) return;
      done = true;
      this.naming = null;
      if (keep) this.handlers.onRename(branch.id, field.value);
      const back = this.root.contains(document.activeElement);
      this.draw();
      if (back) this.items.get(this.at)?.focus();
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      end(event.key === "Enter");
    });
    field.addEventListener("blur", () => end(true));
    return field;
  }

  /** Begins to write a branch's name. @param {string} branch */
  name(branch) {
    this.naming = branch;
    this.draw();
    const field = /** @type {HTMLInputElement | null} */ (this.root.querySelector(".tree-name"));
    field?.focus();
    field?.select();
  }

  /** @param {MouseEvent} event @param {TreeRow} row */
  onClick(event, { node, open }) {
    if (event.target instanceof HTMLInputElement) return;
    const again = this.at === node.id;
    this.at = node.id;
    if (node.children.length && (again || !node.branch)) this.folds.set(node.id, !open);
    this.draw();
    this.items.get(node.id)?.focus();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const focused = this.items.get(this.at);
    if (event.target !== focused || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = this.rows.find(({ node }) => node.id === this.at);
    const branch = row?.node.branch ?? null;
    const move = walkTree(this.rows, this.at, event.key);
    if (move?.fold) this.folds.set(...move.fold);
    if (move?.focus) this.at = move.focus;
    if (!move) {
      if (event.key === "Enter" && branch !== null) this.handlers.onOpen(branch);
      else if ((event.key === "Enter" || event.key === " ") && row?.node.children.length)
        this.folds.set(row.node.id, !row.open);
      else if (event.key === "F2" && branch !== null) {
        event.preventDefault();
        return this.name(branch);
      } else if (event.key === "Delete" && branch !== null) this.handlers.onRemove(branch);
      else return;
    }
    event.preventDefault();
    this.draw();
    const item = this.items.get(this.at);
    item?.focus();
    item?.firstElementChild?.scrollIntoView({ block: "nearest" });
  }
}
