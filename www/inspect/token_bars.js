import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { percent, shorten, showToken } from "./label.js";

/** @typedef {{ id: number, text: string, logprob: number }} Alternative */
/**
 * A line, which keeps its elements when another token takes its place.
 * @typedef {{ root: HTMLLIElement, line: HTMLElement, name: HTMLElement, bar: HTMLElement, value: HTMLElement, id:
 *   number, text: string }} Row
 */

/** What else could have stood at a place, as bars; the token that stands there is marked. */
export class TokenBars {
  /**
   * @param {{ labelledBy?: string, onChoose?: (id: number, text: string) => void }} [options] `onChoose`: each bar but
   *   that of the token
   *   that stands there is a button
   */
  constructor({ labelledBy, onChoose } = {}) {
    this.onChoose = onChoose;
    /** @type {Row[]} */
    this.rows = [];
    this.root = h("ol", { class: "card-bars", "aria-labelledby": labelledBy });
  }

  /** @param {number} own the token that stands there @param {readonly Alternative[]} alternatives best first */
  update(own, alternatives) {
    while (this.rows.length < alternatives.length) this.addRow();
    while (this.rows.length > alternatives.length) this.rows.pop()?.root.remove();
    // Bars are relative to the likeliest: beside a token of 3 % the others are still to be seen.
    const longest = Math.exp(alternatives[0]?.logprob ?? 0);
    for (const [index, { id, text, logprob }] of alternatives.entries()) {
      const row = this.rows[index];
      Object.assign(row, { id, text });
      const p = Math.exp(logprob);
      const shown = showToken(text);
      setText(row.name, shorten(shown, 14));
      setText(row.value, percent(p));
      row.bar.style.setProperty("--share", `${(100 * p) / longest}%`);
      const isOwn = id === own;
      row.root.classList.toggle("own", isOwn);
      if (!this.onChoose) continue;
      /** @type {HTMLButtonElement} */ (row.line).disabled = isOwn;
      row.line.title = t(isOwn ? "inspect.card.own" : "inspect.card.continue", { token: shown });
    }
  }

  addRow() {
    const { onChoose } = this;
    const name = h("span", { class: "card-bar-name" });
    const bar = h("span", { class: "card-bar" });
    const value = h("span", { class: "card-bar-value" });
    const onclick = () => onChoose?.(row.id, row.text);
    const line = onChoose
      ? h("button", { type: "button", class: "card-row", onclick }, name, bar, value)
      : h("span", { class: "card-row" }, name, bar, value);
    const row = { root: h("li", {}, line), line, name, bar, value, id: -1, text: "" };
    this.rows.push(row);
    this.root.append(row.root);
  }
}
