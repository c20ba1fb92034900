import { h, setText } from "../core/dom.js";
import { percent, shorten, showToken } from "./label.js";

/** @typedef {{ id: number, text: string, logprob: number }} Alternative */
/**
 * A line, which keeps its elements when another token takes its place.
 * @typedef {{ root: HTMLLIElement, name: HTMLElement, bar: HTMLElement, value: HTMLElement }} Row
 */

/** What else could have stood at a place, as bars; the token that stands there is marked. */
export class TokenBars {
  constructor() {
    /** @type {Row[]} */
    this.rows = [];
    this.root = h("ol", { class: "card-bars" });
  }

  /** @param {number} own the token that stands there @param {readonly Alternative[]} alternatives best first */
  update(own, alternatives) {
    while (this.rows.length < alternatives.length) this.addRow();
    while (this.rows.length > alternatives.length) this.rows.pop()?.root.remove();
    // Bars are relative to the likeliest: beside a token of 3 % the others are still to be seen.
    const longest = Math.exp(alternatives[0]?.logprob ?? 0);
    for (const [index, { id, text, logprob }] of alternatives.entries()) {
      const row = this.rows[index];
      const p = Math.exp(logprob);
      setText(row.name, shorten(showToken(text), 14));
      setText(row.value, percent(p));
      row.bar.style.setProperty("--share", `${(100 * p) / longest}%`);
      row.root.classList.toggle("own", id === own);
    }
  }

  addRow() {
    const name = h("span", { class: "card-bar-name" });
    const bar = h("span", { class: "card-bar" });
    const value = h("span", { class: "card-bar-value" });
    const row = { root: h("li", { class: "card-row" }, name, bar, value), name, bar, value };
    this.rows.push(row);
    this.root.append(row.root);
  }
}
