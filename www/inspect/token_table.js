/** The tokens around the selected one as a table, and all of them as files. */
import { h, setText } from "../core/dom.js";
import { n, t } from "../core/i18n/index.js";
import { shorten, showToken } from "./label.js";
import { SaveRow, toCsv } from "./save.js";
import { figures } from "./token_card.js";
import { tokenPicture } from "./token_picture.js";
import { inksOf } from "./token_strip.js";
import { around, figuresOf, TOKENS_CSV, tokenRows, tokensJson } from "./tokens_data.js";
import { MOST_BITS } from "./trail.js";

/** @typedef {import("./trail.js").Trail} Trail */
/**
 * `selected`: its position among all tokens of the text; `hidden`: tokens that the model no longer sees.
 * @typedef {{ trail: Trail, selected: number, hidden: number, off: readonly
 *   import("./types.js").Unit[] }} TokensData
 */
/**
 * A row, which keeps its elements as long as its token is shown. `cells` are those beside the token; `key` tells what
 * is written in them.
 * @typedef {{ root: HTMLTableRowElement, button: HTMLButtonElement, cells: HTMLElement[], key: string }} Row
 */

const COLUMNS = [
  "inspect.tokens.number",
  "inspect.card.token",
  "inspect.tokens.id",
  "inspect.card.surprise",
  "inspect.card.rank",
  "inspect.card.probability",
  "inspect.card.entropy",
];

export class TokenTable {
  /** @param {{ onSelect: (at: number) => void }} handlers hears a position among all tokens of the text */
  constructor({ onSelect }) {
    this.onSelect = onSelect;
    this.summary = h("summary");
    this.words = h("p", { class: "hint" });
    this.heads = COLUMNS.map(() => h("th", { scope: "col" }));
    this.body = h("tbody", {});
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.scroll = h(
      "div",
      { class: "tokens-scroll" },
      h("table", { class: "tokens-table" }, h("thead", {}, h("tr", {}, ...this.heads)), this.body),
    );
    this.inside = h("div", {}, this.words, this.scroll);
    this.save = new SaveRow(this.inside, {
      name: () => "tokens",
      png: () => this.picture(),
      csv: () => (this.data ? toCsv(TOKENS_CSV, tokenRows(this.data.trail)) : null),
      json: () => this.json(),
    });
    this.root = h("details", { class: "card-tokens", ontoggle: () => this.fill() }, this.summary, this.inside);
    /** @type {TokensData | null} */
    this.data = null;
    /** By position. @type {Map<number, Row>} */
    this.rows = new Map();
    /** The selected token that was brought into view. */
    this.revealed = -1;
  }

  /** @param {TokensData} data */
  update(data) {
    this.data = data;
    setText(this.summary, t("inspect.tokens"));
    this.fill();
  }

  /** Nobody pays for a table that is not open. */
  fill() {
    const { data } = this;
    // What is folded away has no width that it could be scrolled by.
    this.scroll.hidden = !this.root.open;
    if (!data || !this.root.open) {
      this.rows.clear();
      this.body.replaceChildren();
      this.revealed = -1;
      return;
    }
    const { trail, selected, hidden } = data;
    setText(
      this.words,
      t(hidden ? "inspect.tokens.hint.hidden" : "inspect.tokens.hint", {
        count: n(trail.length),
        seen: n(trail.length - hidden),
      }),
    );
    COLUMNS.forEach((name, i) => setText(this.heads[i], t(name)));
    this.save.update();
    const focused = this.body.contains(document.activeElement);
    const [from, to] = around(trail, selected);
    for (const [at, { root }] of this.rows) {
      if (at >= from && at < to) continue;
      root.remove();
      this.rows.delete(at);
    }
    for (let at = to - 1; at >= from; at -= 1) {
      const row = this.rows.get(at) ?? this.addRow(at);
      this.write(row, figuresOf(trail, at));
      row.root.classList.toggle("unseen", at < hidden);
      row.root.setAttribute("aria-current", String(at === selected));
      // One row can be reached by Tab; arrow keys lead on from it.
      row.button.tabIndex = at === selected ? 0 : -1;
    }
    if (selected === this.revealed) return;
    this.revealed = selected;
    if (focused) this.rows.get(selected)?.button.focus({ preventScroll: true });
    this.reveal(/** @type {Row} */ (this.rows.get(selected)).root);
  }

  /** @param {Row} row @param {import("./tokens_data.js").TokenFigures} token */
  write(row, token) {
    const { at, id, text, logprob, rank, entropy } = token;
    // While the model writes, nearly all rows stay as they are.
    const key = [t("inspect.tokens.id"), id, text, logprob, rank, entropy].join("\n");
    if (row.key === key) return;
    row.key = key;
    const written = figures({ logprob, rank, entropy });
    setText(row.button, shorten(showToken(text), 24));
    [n(at + 1), String(id), written.surprise, written.rank, written.probability, written.entropy].forEach((figure, i) =>
      setText(row.cells[i], figure),
    );
  }

  /** Scrolls the table, and nothing else. @param {HTMLElement} row */
  reveal({ offsetTop, offsetHeight }) {
    const { scrollTop, clientHeight } = this.scroll;
    // The heads of the columns stay above the rows.
    if (offsetTop < scrollTop + 2 * offsetHeight || offsetTop + offsetHeight > scrollTop + clientHeight)
      this.scroll.scrollTop = offsetTop - (clientHeight - offsetHeight) / 2;
  }

  /** @param {number} at a row for it is made at its place @returns {Row} */
  addRow(at) {
    const button = h("button", { type: "button", class: "tokens-token" });
    const cells = COLUMNS.slice(1).map(() => h("td"));
    const root = h(
      "tr",
      { onclick: () => this.onSelect(at) },
      cells[0],
      h("th", { scope: "row" }, button),
      ...cells.slice(1),
    );
    // Rows are added from the last to the first.
    this.body.insertBefore(root, this.rows.get(at + 1)?.root ?? null);
    const row = { root, button, cells, key: "" };
    this.rows.set(at, row);
    return row;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { data } = this;
    if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, number>} */
    const keys = { ArrowUp: data.selected - 1, ArrowDown: data.selected + 1, Home: 0, End: data.trail.length - 1 };
    const at = keys[event.key];
    if (at === undefined) return;
    event.preventDefault();
    if (at >= 0 && at < data.trail.length) this.onSelect(at);
  }

  picture() {
    const { trail } = /** @type {TokensData} */ (this.data);
    const legend = t("inspect.tokens.legend", { bits: MOST_BITS });
    return tokenPicture(trail, {
      title: t("inspect.tokens.title"),
      legend,
      inks: inksOf(this.root),
    });
  }

  json() {
    const { data } = this;
    if (!data) return null;
    return { text: data.trail.text, off: data.off, out_of_sight: data.hidden, tokens: tokensJson(data.trail) };
  }
}
