/**
 * The comparison in figures: totals, what gained and lost most, the ten best of both, and the table behind the strips.
 */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { inBits, percent, showToken, signedBits } from "../../label.js";

/** @typedef {import("./data.js").Totals} Totals */
/** @typedef {import("./data.js").Candidate} Candidate */
/** @typedef {{ position: number, text: string, gain: number }} Move */

/** Says that the comparison is not one of whole models. */
export class CompareOff {
  /** @param {Element} root @param {{ onRestore: () => void }} handlers */
  constructor(root, { onRestore }) {
    this.text = h("span");
    this.button = h("button", { type: "button", class: "quiet", onclick: onRestore });
    this.root = h("p", { class: "compare-off", role: "status" }, this.text, " ", this.button);
    root.append(this.root);
  }

  /** @param {{ heads: number, mlps: number, name: string }} data */
  update({ heads, mlps, name }) {
    const words = (/** @type {string} */ what, /** @type {number} */ count) =>
      count ? t(`compare.off.${what}${count === 1 ? "" : "s"}`, { count }) : "";
    const off = [words("head", heads), words("mlp", mlps)].filter(Boolean).join(t("compare.off.and"));
    this.root.hidden = off === "";
    setText(this.text, off && t("compare.off", { off, name }));
    setText(this.button, t("compare.off.restore"));
  }
}

export class CompareTotals {
  /** @param {Element} root */
  constructor(root) {
    this.verdict = h("p", { class: "compare-verdict" });
    this.table = h("table", { class: "compare-totals" });
    this.more = h("p", { class: "compare-quiet" });
    root.append(this.verdict, this.table, this.more);
    this.drawn = "";
  }

  /** @param {{ totals: Totals, equal: boolean, name: string }} data */
  update({ totals, equal, name }) {
    const difference = totals.other - totals.mine;
    const words = equal
      ? t("compare.equal")
      : t(difference >= 0 ? "compare.verdict.better" : "compare.verdict.worse", {
          name,
          difference: Math.abs(inBits(difference)).toFixed(2),
        });
    setText(this.verdict, totals.count ? words : "");
    const kl = Number.isNaN(totals.kl) ? "…" : inBits(totals.kl).toFixed(3);
    setText(
      this.more,
      `${t("compare.better", { count: n(totals.better), total: n(totals.count), name })} ${t("compare.meanKl.hint")}`,
    );
    const rows = [
      [t("compare.loss"), inBits(totals.mine).toFixed(3), inBits(totals.other).toFixed(3)],
      [t("compare.perplexity"), totals.minePerplexity.toFixed(1), totals.otherPerplexity.toFixed(1)],
    ];
    const drawn = JSON.stringify([rows, kl, name, t("compare.this")]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.table.replaceChildren(
      h("caption", { class: "visually-hidden" }, t("compare.totals")),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("td"),
          h("th", { scope: "col" }, t("compare.this")),
          h("th", { scope: "col", title: name }, name),
        ),
      ),
      h(
        "tbody",
        {},
        ...rows.map(([head, ...cells]) =>
          h("tr", {}, h("th", { scope: "row" }, head), ...cells.map((cell) => h("td", {}, cell))),
        ),
        h(
          "tr",
          {},
          h("th", { scope: "row" }, t("compare.meanKl")),
          h("td", { colspan: "2", class: "compare-both" }, kl),
        ),
      ),
    );
  }
}

/** Tokens that gained or lost most; each is a button that selects its token. */
export class CompareMoves {
  /** @param {Element} root @param {{ onSelect: (position: number) => void }} handlers */
  constructor(root, { onSelect }) {
    this.onSelect = onSelect;
    this.sides = /** @type {const} */ (["gained", "lost"]).map((side) => ({ side, title: h("h3"), list: h("ol", {}) }));
    root.append(
      h("div", { class: "compare-columns" }, ...this.sides.map(({ title, list }) => h("div", {}, title, list))),
    );
    this.drawn = "";
  }

  /** @param {{ gained: Move[], lost: Move[], selected: number }} data */
  update(data) {
    const drawn = JSON.stringify([data.gained, data.lost, t("compare.gained")]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      for (const { side, title, list } of this.sides) {
        setText(title, t(`compare.${side}`));
        const items = data[side].map(({ position, text, gain }) =>
          h(
            "li",
            {},
            h(
              "button",
              {
                type: "button",
                class: "compare-move",
                "data-position": position,
                onclick: () => this.onSelect(position),
              },
              h("span", { class: "compare-token", dir: "auto" }, showToken(text)),
              h("span", { class: "compare-quiet" }, n(position + 1)),
              h("span", {}, signedBits(gain)),
            ),
          ),
        );
        list.replaceChildren(...(items.length ? items : [h("li", { class: "compare-quiet" }, t("compare.nothing"))]));
      }
    }
    for (const { list } of this.sides) {
      for (const button of list.querySelectorAll("button"))
        button.setAttribute("aria-current", String(Number(button.dataset.position) === data.selected));
    }
  }
}

/** What both models expected at one place, as bars that grow to the left and to the right. */
export class CompareBeside {
  /** @param {Element} root @param {{ onWhere: (where: "instead" | "following") => void }} handlers */
  constructor(root, { onWhere }) {
    this.title = h("h3");
    this.choices = /** @type {const} */ (["instead", "following"]).map((where) => ({
      where,
      button: h("button", { type: "button", class: "quiet", onclick: () => onWhere(where) }),
    }));
    this.group = h("div", { class: "compare-where", role: "group" }, ...this.choices.map(({ button }) => button));
    this.table = h("table", { class: "compare-beside" });
    root.append(h("div", { class: "compare-row" }, this.title, this.group), this.table);
    this.drawn = "";
  }

  /**
   * @param {object} data
   * @param {Candidate[]} data.rows @param {{ mine: number, other: number }} data.least
   * @param {"instead" | "following"} data.where @param {boolean} data.canInstead
   * @param {string} data.token the selected one
   * @param {number} data.actual id of the token that stands there
   * @param {string} data.name
   */
  update({ rows, least, where, canInstead, token, actual, name }) {
    setText(this.title, t("compare.beside"));
    this.group.setAttribute("aria-label", t("compare.where"));
    for (const choice of this.choices) {
      setText(choice.button, t(`compare.${choice.where}`, { token }));
      choice.button.setAttribute("aria-pressed", String(choice.where === where));
      choice.button.disabled = choice.where === "instead" && !canInstead;
    }
    const drawn = JSON.stringify([rows, least, actual, name, t("compare.this")]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const most = Math.max(
      ...rows
        .flatMap((row) => [row.mine, row.other])
        .filter((value) => !Number.isNaN(value))
        .map(Math.exp),
      1e-9,
    );
    const cells = (/** @type {number} */ logprob, /** @type {"mine" | "other"} */ side) => {
      const p = Math.exp(logprob);
      const known = !Number.isNaN(logprob);
      // Not among a model's ten best: at most as likely as the last of them.
      const text = known ? percent(p) : percent(Math.exp(least[side])).replace(/^<?/, "<");
      const bar = h("i");
      // Style attributes are forbidden on this page; properties are not.
      bar.style.width = `${known ? (100 * p) / most : 0}%`;
      return h(
        "td",
        {},
        h(
          "span",
          { class: `compare-cell compare-${side}` },
          h(
            "span",
            { class: known ? "compare-p" : "compare-p compare-quiet", title: known ? null : t("compare.notBest") },
            text,
          ),
          h("span", { class: "compare-track", "aria-hidden": "true" }, bar),
        ),
      );
    };
    this.table.replaceChildren(
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, t("compare.this")),
          h("th", { scope: "col" }, t("compare.column.token")),
          h("th", { scope: "col", title: name }, name),
        ),
      ),
      h(
        "tbody",
        {},
        ...rows.map(({ id, text, mine, other }) =>
          h(
            "tr",
            { "data-actual": id === actual ? "true" : null },
            cells(mine, "mine"),
            h(
              "th",
              { scope: "row", dir: "auto", title: id === actual ? t("compare.actual") : null },
              showToken(text),
              ...(id === actual
                ? [h("span", { class: "visually-hidden" }, t("compare.actual.aside", { words: t("compare.actual") }))]
                : []),
            ),
            cells(other, "other"),
          ),
        ),
      ),
    );
  }
}

/** The tokens around the selected one as a table. */
export class CompareTable {
  /** @param {Element} root */
  constructor(root) {
    this.summary = h("summary");
    this.table = h("table", { class: "compare-table" });
    this.root = h("details", {}, this.summary, h("div", { class: "compare-scroll" }, this.table));
    root.append(this.root);
    this.root.addEventListener("toggle", () => this.fill());
    /** @type {{ header: string[], rows: string[][] } | null} */
    this.data = null;
  }

  /** @param {{ header: string[], rows: string[][] }} data */
  update(data) {
    setText(this.summary, t("compare.table"));
    this.data = data;
    this.fill();
  }

  /** Nobody pays for a table that is not open. */
  fill() {
    if (!this.data || !this.root.open) return;
    const { header, rows } = this.data;
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, ...header.map((cell) => h("th", { scope: "col" }, cell)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell))))),
    );
  }
}
