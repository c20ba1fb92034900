/** The tokens around the selected one as a table, and all of them as files. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { shorten, showToken } from "../../label.js";
import { SaveRow, toCsv } from "../../save.js";
import { figures } from "../../token_card.js";
import { inksOf } from "../../token_strip.js";
import { around, figuresOf, TOKENS_CSV, tokenRows, tokensJson } from "../../tokens_data.js";
import { MOST_BITS } from "../../trail.js";
import { KEYS, sorted } from "./data.js";
import { tokenPicture } from "./picture.js";

/** @typedef {import("../../trail.js").Trail} Trail */
/**
 * `selected`: its position among all tokens of the text.
 * @typedef {{ trail: Trail, selected: number, off: readonly
 *   import("../../types.js").Unit[] }} TokensData
 */
/**
 * A row, which keeps its elements as long as its token is shown. `cells` are those beside the token; `key` tells what
 * is written in them.
 * @typedef {{ root: HTMLTableRowElement, button: HTMLButtonElement, cells: HTMLElement[], key: string }} Row
 */

/** Rows of a table that is sorted by a column. */
const MOST_SORTED = 100;

const COLUMNS = [
  "surprise.table.number",
  "inspect.card.token",
  "surprise.table.id",
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
    /** @type {import("./data.js").Sort} */
    this.sort = { key: "at", down: false };
    this.heads = COLUMNS.map((_, column) => {
      const button = h("button", { type: "button", onclick: () => this.sortBy(KEYS[column]) });
      return { button, cell: h("th", { scope: "col" }, button) };
    });
    /** The positions in the order in which the rows stand. @type {number[]} */
    this.order = [];
    this.body = h("tbody", {});
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.scroll = h(
      "div",
      { class: "tokens-scroll" },
      h(
        "table",
        { class: "tokens-table" },
        h("thead", {}, h("tr", {}, ...this.heads.map(({ cell }) => cell))),
        this.body,
      ),
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
    setText(this.summary, t("surprise.table"));
    this.fill();
  }

  /** Nobody pays for a table that is not open. */
  fill() {
    const { data } = this;
    // What is folded away has no width that it could be scrolled by.
    this.scroll.hidden = !this.root.open;
    if (!data || !this.root.open) {
      this.rows.clear();
      this.order = [];
      this.body.replaceChildren();
      this.revealed = -1;
      return;
    }
    const { trail, selected } = data;
    const order = this.positions(data);
    const inOrder = this.sort.key === "at" && !this.sort.down;
    const counts = { count: n(trail.length), shown: n(order.length) };
    setText(this.words, t(inOrder ? "surprise.table.hint" : "surprise.table.hint.sorted", counts));
    COLUMNS.forEach((name, i) => {
      const { button, cell } = this.heads[i];
      setText(button, t(name));
      button.title = t("surprise.table.sort", { column: t(name) });
      if (KEYS[i] === this.sort.key) cell.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    this.save.update();
    const focused = this.body.contains(document.activeElement);
    const shown = new Set(order);
    for (const at of this.rows.keys()) if (!shown.has(at)) this.rows.delete(at);
    // One row can be reached by Tab; arrow keys lead on from it.
    const stop = shown.has(selected) ? selected : order[0];
    for (const at of order) {
      const row = this.rows.get(at) ?? this.makeRow(at);
      this.write(row, figuresOf(trail, at));
      row.root.setAttribute("aria-current", String(at === selected));
      row.button.tabIndex = at === stop ? 0 : -1;
    }
    if (order.length !== this.order.length || order.some((at, i) => at !== this.order[i])) {
      this.order = order;
      this.body.replaceChildren(...order.map((at) => /** @type {Row} */ (this.rows.get(at)).root));
    }
    if (!shown.has(selected)) return;
    if (selected === this.revealed) return;
    this.revealed = selected;
    if (focused) this.rows.get(selected)?.button.focus({ preventScroll: true });
    this.reveal(/** @type {Row} */ (this.rows.get(selected)).root);
  }

  /** @param {Row} row @param {import("../../tokens_data.js").TokenFigures} token */
  write(row, token) {
    const { at, id, text, logprob, rank, entropy } = token;
    // While the model writes, nearly all rows stay as they are.
    const key = [t("surprise.table.id"), id, text, logprob, rank, entropy].join("\n");
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

  /** @param {(typeof KEYS)[number]} key the same one again turns the order round */
  sortBy(key) {
    const down = key === this.sort.key ? !this.sort.down : key === "surprise" || key === "rank" || key === "entropy";
    this.sort = { key, down };
    this.scroll.scrollTop = 0;
    this.fill();
  }

  /** The tokens that are shown, in their order. @param {TokensData} data */
  positions({ trail, selected }) {
    const { key, down } = this.sort;
    if (key !== "at" || down) return sorted(trail, this.sort).slice(0, MOST_SORTED);
    const [from, to] = around(trail, selected);
    return Array.from({ length: to - from }, (_, i) => from + i);
  }

  /** @param {number} at @returns {Row} */
  makeRow(at) {
    const button = h("button", { type: "button", class: "tokens-token" });
    const cells = COLUMNS.slice(1).map(() => h("td"));
    const onclick = () => this.onSelect(at);
    const root = h("tr", { onclick }, cells[0], h("th", { scope: "row" }, button), ...cells.slice(1));
    const row = { root, button, cells, key: "" };
    this.rows.set(at, row);
    return row;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { data } = this;
    if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
    const inOrder = this.sort.key === "at" && !this.sort.down;
    // In the text's order the arrows lead beyond what is shown.
    const list = inOrder ? data.trail.ids.map((_, at) => at) : this.order;
    const from = list.indexOf(data.selected);
    /** @type {Record<string, number>} */
    const keys = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: list.length - 1 };
    const to = keys[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0 && to < list.length) this.onSelect(list[to]);
  }

  picture() {
    const { trail } = /** @type {TokensData} */ (this.data);
    const legend = t("surprise.legend", { bits: MOST_BITS });
    return tokenPicture(trail, {
      title: t("surprise.picture"),
      legend,
      inks: inksOf(this.root),
    });
  }

  json() {
    const { data } = this;
    if (!data) return null;
    return { text: data.trail.text, off: data.off, tokens: tokensJson(data.trail) };
  }
}
