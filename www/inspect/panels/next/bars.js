/** Probabilities as bars: the model's own in grey, under the settings in the accent colour. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { bits, finePercent, percent, showToken } from "../../label.js";
import { factor } from "./data.js";

/** @typedef {import("./data.js").Row} Row */

/** One token: a button with its two bars. */
class BarRow {
  /** @param {(row: Row) => void} onChoose @param {(row: BarRow | null) => void} onPoint */
  constructor(onChoose, onPoint) {
    /** @type {Row | null} */
    this.row = null;
    this.rank = h("span", { class: "next-rank" });
    this.token = h("span", { class: "next-token" });
    this.raw = h("span", { class: "next-raw" });
    this.adjusted = h("span", { class: "next-adjusted" });
    this.before = h("span", { class: "next-p" });
    this.after = h("span", { class: "next-p next-after" });
    /** What the columns say to who sees them, for who hears the row. */
    this.said = [0, 1, 2, 3].map(() => h("span", { class: "visually-hidden" }));
    const [rank, raw, drawn, follows] = this.said;
    this.button = h(
      "button",
      { type: "button", class: "next-row", tabindex: -1 },
      rank,
      this.rank,
      this.token,
      h("span", { class: "next-track" }, this.raw, this.adjusted),
      this.before,
      raw,
      this.after,
      drawn,
      follows,
    );
    this.root = h("li", {}, this.button);
    this.button.addEventListener("click", () => this.row && onChoose(this.row));
    this.button.addEventListener("pointerenter", () => onPoint(this));
    for (const type of ["pointerleave", "focus", "blur"]) this.button.addEventListener(type, () => onPoint(null));
  }

  /**
   * @param {Row} row
   * @param {number} end of the axis
   * @param {boolean} fine it was asked for: the number counts, however small
   */
  update(row, end, fine) {
    this.row = row;
    const { entry, p } = row;
    const number = fine || row.follows ? finePercent : percent;
    setText(this.rank, n(entry.rank + 1));
    setText(this.token, showToken(entry.text));
    setText(this.before, number(p));
    const drawn = entry.kept && !Number.isNaN(entry.adjusted);
    setText(this.after, drawn ? number(entry.adjusted) : entry.kept ? "" : t("next.cut"));
    this.raw.style.transform = `scaleX(${Math.min(1, p / end)})`;
    this.adjusted.style.transform = `scaleX(${Math.min(1, (entry.adjusted || 0) / end)})`;
    this.button.classList.toggle("next-is-cut", !entry.kept);
    this.button.classList.toggle("next-follows", row.follows);
    this.root.classList.toggle("next-apart", row.apart);
    const words = [
      t("next.said.rank"),
      t("next.head.raw"),
      drawn ? t("next.head.adjusted") : "",
      row.follows ? t("next.said.follows") : "",
    ];
    words.forEach((word, i) => setText(this.said[i], word && ` ${word} `));
  }
}

/** The list of tokens. Up and Down walk it, Enter chooses. */
export class NextBars {
  /**
   * @param {Element} root
   * @param {{ onChoose: (row: Row) => void, onExplain: (words: string | null) => void }} handlers `onExplain`: more
   *   about the row
   *   that is pointed at, null where none is
   */
  constructor(root, { onChoose, onExplain }) {
    this.onChoose = onChoose;
    this.onExplain = onExplain;
    /** @type {BarRow[]} */
    this.rows = [];
    /** Which row Tab comes to. */
    this.at = 0;
    /** The one under the pointer. @type {BarRow | null} */
    this.pointed = null;
    this.axisStart = h("span");
    this.axisEnd = h("span");
    this.raw = h("span", { class: "next-key next-key-raw" });
    this.adjusted = h("span", { class: "next-key next-key-adjusted" });
    this.head = h(
      "li",
      { class: "next-head", "aria-hidden": "true" },
      h("span", { class: "next-axis" }, this.axisStart, this.axisEnd),
      this.raw,
      this.adjusted,
    );
    this.cutLine = h("li", { class: "next-cut-line" });
    this.list = h("ol", { class: "next-list", role: "list" }, this.head);
    this.root = h("div", { class: "next-chart" }, this.list);
    this.list.addEventListener("keydown", (event) => this.walk(event));
    root.append(this.root);
  }

  /** @param {KeyboardEvent} event */
  walk(event) {
    const last = this.rows.length - 1;
    const to = {
      ArrowDown: this.at + 1,
      ArrowUp: this.at - 1,
      Home: 0,
      End: last,
      PageDown: this.at + 10,
      PageUp: this.at - 10,
    }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.setAt(Math.min(last, Math.max(0, to)));
    this.rows[this.at]?.button.focus();
  }

  /** @param {number} at */
  setAt(at) {
    this.rows[this.at]?.button.setAttribute("tabindex", "-1");
    this.at = at;
    this.rows[at]?.button.setAttribute("tabindex", "0");
  }

  /** Tells more about the row under the pointer, else about the one with the focus. */
  explain() {
    const about = (this.pointed ?? this.rows.find(({ button }) => button === document.activeElement))?.row;
    if (!about) return this.onExplain(null);
    const { entry, p } = about;
    const times = factor(entry);
    const parts = [`#${entry.id}`, t("next.detail.rank", { rank: n(entry.rank + 1) })];
    parts.push(Number.isNaN(entry.adjusted) ? finePercent(p) : `${finePercent(p)} → ${finePercent(entry.adjusted)}`);
    if (times !== null) parts.push(`×${times < 10 ? times.toFixed(2) : n(Math.round(times))}`);
    parts.push(t("next.detail.surprise", { bits: bits(-entry.logprob) }));
    this.onExplain(parts.join(" · "));
  }

  /**
   * @param {{ rows: readonly Row[], end: number, cutAt: number, cutText: string, label: string, fine?: boolean }} data
   *   `cutText`: "" for no line
   */
  update({ rows, end, cutAt, cutText, label, fine = false }) {
    setText(this.raw, t("next.head.raw"));
    setText(this.adjusted, t("next.head.adjusted"));
    setText(this.axisStart, "0");
    setText(this.axisEnd, `${Number((100 * end).toPrecision(3))} %`);
    this.list.setAttribute("aria-label", label);
    while (this.rows.length < rows.length) {
      const row = new BarRow(
        (chosen) => this.onChoose(chosen),
        (pointed) => {
          this.pointed = pointed;
          this.explain();
        },
      );
      row.button.addEventListener("focus", () => this.setAt(this.rows.indexOf(row)));
      this.rows.push(row);
      this.list.append(row.root);
    }
    for (const gone of this.rows.splice(rows.length)) {
      if (this.pointed === gone) this.pointed = null;
      gone.root.remove();
    }
    rows.forEach((row, i) => this.rows[i].update(row, end, fine));
    setText(this.cutLine, cutText);
    if (!cutText) this.cutLine.remove();
    else if (
      this.cutLine.parentElement !== this.list ||
      this.cutLine.nextSibling !== (this.rows[cutAt]?.root ?? null)
    ) {
      this.list.insertBefore(this.cutLine, this.rows[cutAt]?.root ?? null);
    }
    this.setAt(Math.min(this.at, Math.max(0, rows.length - 1)));
    this.explain();
  }
}
