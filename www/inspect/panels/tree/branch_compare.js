/**
 * Two branches beside each other: what they share in grey, what each has of its own, and how likely the model found it.
 */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { headAndTail, oneLine } from "./data.js";
import { figuresText } from "./view.js";

/** @typedef {import("../../branch_tree.js").Branch} Branch */
/** @typedef {ReturnType<typeof import("../../branch_tree.js").compareBranches>} Comparison */

export class BranchCompare {
  /** @param {Element} root @param {{ onPick: (side: 0 | 1, branch: string) => void }} handlers */
  constructor(root, { onPick }) {
    this.title = h("h3");
    this.common = h("p", { class: "tree-common" });
    this.sides = /** @type {(0 | 1)[]} */ ([0, 1]).map((side) => {
      const pick = h("select", { onchange: () => onPick(side, pick.value) });
      const rest = h("p", { class: "tree-rest" });
      const own = h("p", { class: "tree-facts" });
      const all = h("p", { class: "tree-facts" });
      return { pick, rest, own, all, root: h("div", {}, pick, own, rest, all) };
    });
    const sides = h("div", { class: "tree-sides" }, ...this.sides.map((side) => side.root));
    this.root = h("section", { class: "tree-compare" }, this.title, this.common, sides);
    root.append(this.root);
  }

  /**
   * @param {{ branches: readonly Branch[], names: ReadonlyMap<string, string>, picked: readonly [string, string],
   *   compared: Comparison | null }} data
   */
  update({ branches, names, picked, compared }) {
    this.root.hidden = !compared;
    if (!compared) return;
    setText(this.title, t("tree.compare"));
    setText(this.common, t("tree.compare.common", { text: headAndTail(compared.common, 60, 80) }));
    this.common.hidden = oneLine(compared.common) === "";
    this.sides.forEach(({ pick, rest, own, all }, index) => {
      pick.setAttribute("aria-label", t(index ? "tree.compare.second" : "tree.compare.first"));
      pick.replaceChildren(...branches.map(({ id }) => h("option", { value: id }, names.get(id) ?? id)));
      pick.value = picked[index];
      const side = compared.sides[index];
      setText(rest, side.rest === "" ? t("tree.compare.nothing") : side.rest.replace(/^\s+/, ""));
      rest.classList.toggle("tree-facts", side.rest === "");
      setText(own, figuresText(side.own) || t("tree.figures.none"));
      setText(all, t("tree.compare.all", { figures: figuresText(side.all) || t("tree.figures.none") }));
    });
  }
}
