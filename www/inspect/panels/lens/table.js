/** The logit lens as a map: positions to the right, depth upwards; every cell says a token. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { inkOn, viridis, viridisCss } from "../../color.js";
import { finePercent, inBits, percent, showToken } from "../../label.js";
import { cellShare, moveCursor } from "./data.js";

/** @typedef {import("./data.js").LensColumn} LensColumn */
/** @typedef {import("./data.js").Cursor} Cursor */
/**
 * @typedef {object} LensMap
 * @property {readonly string[]} texts of all tokens
 * @property {number} from the window's first position
 * @property {(LensColumn | null)[]} columns of the window; null where it has not come yet
 * @property {number} levels
 * @property {number} selected
 * @property {Cursor} cursor
 * @property {"own" | "target"} by what colours the cells
 * @property {"answer" | "next"} kind what the target is
 * @property {boolean} stale
 */

/** @param {number} level @param {number} levels */
export function levelName(level, levels) {
  if (level === 0) return t("lens.level.embedding");
  return t(level === levels - 1 ? "lens.level.last" : "lens.level", { layer: level - 1 });
}

/** @param {number} level */
export function levelLabel(level) {
  return level === 0 ? t("lens.emb") : String(level - 1);
}

/**
 * All that is known of a cell, in words.
 * @param {LensMap} map @param {Cursor} cursor
 */
export function describeCell({ texts, from, columns, levels }, { level, position }) {
  const column = columns[position - from];
  if (!column) return t("lens.waiting");
  const at = column.levels[level];
  const words = [
    t("lens.cell", {
      level: levelName(level, levels),
      token: showToken(texts[position] ?? ""),
      top: showToken(at.top[0].text),
      p: percent(Math.exp(at.top[0].logprob)),
    }),
  ];
  words.push(
    column.target
      ? t("lens.cell.target", {
          target: showToken(column.target.text),
          p: finePercent(Math.exp(at.logprob)),
          rank: n(at.rank),
        })
      : t("lens.cell.nothing"),
  );
  words.push(t("lens.cell.entropy", { entropy: inBits(at.entropy).toFixed(2) }));
  // A number and its sign of per cent stay on one line.
  return words.join(" · ").replaceAll(" %", "\u00a0%");
}

export class LensTable {
  /**
   * @param {Element} root
   * @param {{ onCursor: (cursor: Cursor, from: number) => void, onSelect: (position: number) => void, onScroll: (from:
   *   number) => void }} handlers
   */
  constructor(root, handlers) {
    this.handlers = handlers;
    this.earlier = h("button", { type: "button", class: "quiet", onclick: () => this.scroll(-1) }, "‹");
    this.later = h("button", { type: "button", class: "quiet", onclick: () => this.scroll(1) }, "›");
    this.range = h("span");
    this.head = h("thead");
    this.body = h("tbody");
    this.foot = h("tfoot");
    this.table = h(
      "table",
      {
        class: "lens-grid",
        role: "grid",
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
        onpointerover: (/** @type {PointerEvent} */ event) => this.hover(event),
        onpointerleave: () => this.tell(null),
        onclick: (/** @type {MouseEvent} */ event) => this.click(event),
        onfocusin: (/** @type {FocusEvent} */ event) => this.focusin(event),
      },
      this.head,
      this.body,
      this.foot,
    );
    this.readout = h("p", { class: "lens-readout" });
    this.keys = h("p", { class: "hint" });
    const scale = h("span", { class: "lens-scale" });
    scale.style.background = `linear-gradient(90deg, ${Array.from({ length: 9 }, (_, i) => viridisCss(i / 8)).join(", ")})`;
    this.legend = h("p", { class: "lens-legend" }, h("span", {}, "0 %"), scale, h("span", {}, "100 %"), h("span"));
    root.append(
      h("div", { class: "lens-bar" }, this.earlier, this.range, this.later),
      this.table,
      this.readout,
      this.legend,
      this.keys,
    );
    /** @type {LensMap | null} */
    this.map = null;
    /** @type {HTMLTableCellElement[][]} by level, then column */
    this.cells = [];
    this.shape = "";
  }

  /** @param {LensMap} map */
  update(map) {
    const { texts, from, columns, levels, selected, cursor, by, kind, stale } = map;
    this.map = map;
    this.build(levels, columns.length);
    const last = from + columns.length - 1;
    setText(this.range, t("lens.range", { from: from + 1, to: last + 1, count: texts.length }));
    this.earlier.setAttribute("aria-label", t("lens.earlier"));
    this.later.setAttribute("aria-label", t("lens.later"));
    this.earlier.disabled = from === 0;
    this.later.disabled = last >= texts.length - 1;
    this.table.setAttribute("aria-label", t("lens.map"));
    this.table.classList.toggle("stale", stale);
    this.table.setAttribute("aria-busy", String(stale || columns.includes(null)));
    this.head.hidden = kind === "answer";
    setText(this.head.rows[0].cells[0], t("lens.follows"));
    setText(this.foot.rows[0].cells[0], t("lens.after"));
    columns.forEach((column, i) => {
      const chosen = from + i === selected;
      const token = this.foot.rows[0].cells[i + 1];
      setText(token, showToken(texts[from + i] ?? ""));
      token.classList.toggle("lens-chosen", chosen);
      setText(this.head.rows[0].cells[i + 1], column?.target ? showToken(column.target.text) : "–");
      for (let level = 0; level < levels; level += 1)
        this.paint(this.cells[level][i], map, { level, position: from + i }, chosen);
    });
    for (let level = 0; level < levels; level += 1)
      setText(this.body.rows[levels - 1 - level].cells[0], levelLabel(level));
    const inside = Math.min(columns.length - 1, Math.max(0, selected - from));
    const current = this.cells[cursor.level]?.[cursor.position - from] ?? this.cells[levels - 1]?.[inside];
    for (const row of this.cells) for (const cell of row) cell.tabIndex = cell === current ? 0 : -1;
    this.tell(null);
    setText(/** @type {HTMLElement} */ (this.legend.lastElementChild), t(`lens.legend.${by}`));
    setText(this.keys, [t("lens.reading"), t("lens.keys")].join(t("lens.join")));
  }

  /** @param {HTMLTableCellElement} cell @param {LensMap} map @param {Cursor} at @param {boolean} chosen */
  paint(cell, map, at, chosen) {
    const level = map.columns[at.position - map.from]?.levels[at.level];
    cell.classList.toggle("lens-chosen", chosen);
    cell.setAttribute("aria-selected", String(chosen));
    const share = level ? cellShare(level, map.by) : NaN;
    const colour = Number.isNaN(share) ? null : viridis(share);
    cell.style.background = colour ? `rgb(${colour.join(", ")})` : "";
    cell.style.color = colour ? inkOn(colour) : "";
    cell.classList.toggle("lens-right", level?.rank === 1);
    setText(cell, level ? showToken(level.top[0].text) : "");
    cell.setAttribute("aria-label", describeCell(map, at));
  }

  /** @param {number} levels @param {number} columns */
  build(levels, columns) {
    const shape = `${levels} ${columns}`;
    if (shape === this.shape) return;
    this.shape = shape;
    const across = (/** @type {() => HTMLElement} */ cell) => Array.from({ length: columns }, cell);
    this.head.replaceChildren(h("tr", {}, h("th"), ...across(() => h("td"))));
    this.foot.replaceChildren(h("tr", {}, h("th"), ...across(() => h("th", { scope: "col" }))));
    const cells = () =>
      /** @type {HTMLTableCellElement[]} */ (across(() => h("td", { role: "gridcell", tabindex: -1 })));
    this.cells = Array.from({ length: levels }, cells);
    this.body.replaceChildren(
      ...[...this.cells].reverse().map((row) => h("tr", {}, h("th", { scope: "row" }), ...row)),
    );
  }

  /** The position and level of a cell. @param {EventTarget | null} target @returns {Cursor | null} */
  place(target) {
    const cell = target instanceof Element ? target.closest("td") : null;
    if (!cell || !this.map) return null;
    const level = this.cells.findIndex((row) => row.includes(/** @type {HTMLTableCellElement} */ (cell)));
    return level < 0
      ? null
      : { level, position: this.map.from + this.cells[level].indexOf(/** @type {HTMLTableCellElement} */ (cell)) };
  }

  /** @param {number} direction */
  scroll(direction) {
    if (!this.map) return;
    const { from, columns, texts } = this.map;
    this.handlers.onScroll(
      Math.min(texts.length - columns.length, Math.max(0, from + direction * Math.max(1, columns.length - 1))),
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const place = this.place(event.target);
    if (!place || !this.map || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.handlers.onSelect(place.position);
      return;
    }
    const { levels, texts, from, columns } = this.map;
    const moved = moveCursor(event.key, place, { levels, count: texts.length, from, columns: columns.length });
    if (!moved) return;
    event.preventDefault();
    this.handlers.onCursor({ level: moved.level, position: moved.position }, moved.from);
    this.cells[moved.level]?.[moved.position - moved.from]?.focus();
  }

  /** @param {FocusEvent} event */
  focusin(event) {
    const place = this.place(event.target);
    const cursor = this.map?.cursor;
    if (place && this.map && (place.level !== cursor?.level || place.position !== cursor.position))
      this.handlers.onCursor(place, this.map.from);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const place = this.place(event.target);
    if (place) this.handlers.onSelect(place.position);
  }

  /** @param {PointerEvent} event */
  hover(event) {
    this.tell(this.place(event.target));
  }

  /**
   * Says what is known of a cell; of the one that has or had the focus where none is pointed at.
   * @param {Cursor | null} place
   */
  tell(place) {
    if (this.map) setText(this.readout, describeCell(this.map, place ?? this.map.cursor));
  }
}
