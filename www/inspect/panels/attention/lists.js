/** The selected token's attention in words and numbers: two short lists, and a table behind the pictures. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { percent, showToken } from "../../label.js";
import { columnStrongest, rowStrongest } from "./data.js";

/** @typedef {import("./map.js").MapData} MapData */
/** @typedef {import("./data.js").Share} Share */

const SHORT = 6;
const LONG = 20;

export class AttentionLists {
  /** @param {HTMLElement} root @param {{ onSelect: (position: number) => void }} handlers */
  constructor(root, { onSelect }) {
    this.onSelect = onSelect;
    this.sides = [this.side(), this.side()];
    this.lists = h("div", { class: "attention-lists" }, ...this.sides.map(({ root: side }) => side));
    this.summary = h("summary");
    this.caption = h("caption", { class: "visually-hidden" });
    this.head = h("thead");
    this.body = h("tbody");
    this.table = h(
      "details",
      { class: "attention-table" },
      this.summary,
      h("table", {}, this.caption, this.head, this.body),
    );
    // A closed table holds no rows.
    this.table.addEventListener("toggle", () => this.fill());
    this.root = h("div", {}, this.lists, this.table);
    root.append(this.root);
    /** @type {MapData | null} */
    this.data = null;
    this.shown = "";
  }

  side() {
    const title = h("h3");
    const list = h("ol");
    return { root: h("section", {}, title, list), title, list };
  }

  /** @param {MapData | null} data */
  update(data) {
    this.data = data;
    this.root.hidden = !data;
    if (!data) {
      this.body.replaceChildren();
      for (const { list } of this.sides) list.replaceChildren();
      return;
    }
    const { matrix, texts, selected, look } = data;
    const token = showToken(texts[selected] ?? "");
    const [looksAt, lookedAt] = this.sides;
    setText(looksAt.title, t("attention.looksAt", { token }));
    setText(lookedAt.title, t("attention.lookedAtBy", { token }));
    this.list(looksAt.list, rowStrongest(matrix, selected, SHORT, look.ignoreFirst), "attention.nothing");
    this.list(lookedAt.list, columnStrongest(matrix, selected, SHORT, look.ignoreFirst), "attention.nobody");
    setText(this.summary, t("attention.table", { token }));
    setText(this.caption, t("attention.table.caption", { title: data.title, token, position: n(selected + 1) }));
    this.fill();
  }

  /** @param {HTMLElement} list @param {Share[]} shares @param {string} empty */
  list(list, shares, empty) {
    const { data } = this;
    if (!data) return;
    const focused = [...list.querySelectorAll("button")].indexOf(
      /** @type {HTMLButtonElement} */ (document.activeElement),
    );
    list.replaceChildren(
      ...shares.map(({ position, value }) => {
        const bar = h("span", { class: "bar" });
        bar.style.width = `${100 * value}%`;
        return h(
          "li",
          {},
          h(
            "button",
            { type: "button", onclick: () => this.onSelect(position) },
            bar,
            h("span", { class: "token" }, showToken(data.texts[position] ?? "")),
            h("span", { class: "at" }, n(position + 1)),
            h("span", { class: "share" }, percent(value)),
          ),
        );
      }),
    );
    if (!shares.length) list.append(h("li", { class: "none" }, t(empty)));
    if (focused >= 0) list.querySelectorAll("button")[Math.min(focused, shares.length - 1)]?.focus();
  }

  fill() {
    const { data } = this;
    if (!data || !this.table.open) {
      this.body.replaceChildren();
      return;
    }
    const { matrix, texts, selected, look } = data;
    const heads = [
      "attention.table.rank",
      "attention.table.looksAt",
      "attention.table.share",
      "attention.table.lookedAtBy",
      "attention.table.share",
    ];
    this.head.replaceChildren(h("tr", {}, ...heads.map((key) => h("th", { scope: "col" }, t(key)))));
    const keys = rowStrongest(matrix, selected, LONG, look.ignoreFirst);
    const queries = columnStrongest(matrix, selected, LONG, look.ignoreFirst);
    const cells = (/** @type {Share | undefined} */ one) => [
      h(
        "td",
        {},
        one ? `${showToken(texts[one.position] ?? "")} ` : "",
        one ? h("span", { class: "at" }, n(one.position + 1)) : "",
      ),
      h("td", { class: "number" }, one ? percent(one.value) : ""),
    ];
    this.body.replaceChildren(
      ...Array.from({ length: Math.max(keys.length, queries.length) }, (_, at) =>
        h("tr", {}, h("th", { scope: "row" }, String(at + 1)), ...cells(keys[at]), ...cells(queries[at])),
      ),
    );
  }
}
