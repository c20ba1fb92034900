/** The logit lens: what the model would say after every layer. */

import { reasonOf } from "../../../core/cause.js";
import { h, setText } from "../../../core/dom.js";
import { isAbort } from "../../../core/errors.js";
import { n, registerStrings, t } from "../../../core/i18n/index.js";
import { finePercent, percent, showToken } from "../../label.js";
import { SaveRow } from "../../save.js";
import { Choice } from "./choice.js";
import { LensColumnView } from "./column.js";
import { columnsFor, columnsOf, lensCsv, lensJson, missingSpan, windowFrom } from "./data.js";
import { lensPicture } from "./picture.js";
import { LensTable, levelName } from "./table.js";
import { lensEn } from "./words.en.js";
import { lensZh } from "./words.zh.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Panel} Panel */
/** @typedef {import("./data.js").LensColumn} LensColumn */
/** @typedef {import("./data.js").Cursor} Cursor */

registerStrings(lensEn, lensZh);

/** Positions that are read at once for a file: the page goes on in between. */
const PIECE = 32;

/** @implements {Panel} */
export class LensPanel {
  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    /** @type {"answer" | "next"} */
    this.kind = "answer";
    /** @type {"own" | "target"} */
    this.by = "own";
    /** What the columns belong to. */
    this.key = "";
    /** @type {Map<number, LensColumn>} */
    this.columns = new Map();
    /**
     * Shown until the new ones have come, so that nothing flickers while someone types.
     * @type {Map<number, LensColumn>}
     */
    this.stale = new Map();
    this.selected = -1;
    /** @type {number | null} */
    this.from = null;
    /** @type {Cursor} */
    this.cursor = { level: Infinity, position: -1 };
    this.width = 0;
    /** The window that is being asked for. */
    this.asked = "";

    this.what = h("p", { class: "hint lens-what" });
    this.empty = h("p", { class: "lens-empty" });
    this.body = h("div", { class: "lens-body" });
    this.root = h("div", { class: "lens" }, this.what, this.empty, this.body);
    const switches = h("div", { class: "lens-switches" });
    this.kindChoice = new Choice(switches, {
      values: /** @type {const} */ (["answer", "next"]),
      onChange: (kind) => this.change({ kind }),
    });
    this.byChoice = new Choice(switches, {
      values: /** @type {const} */ (["own", "target"]),
      onChange: (by) => this.change({ by }),
    });
    this.body.append(switches);
    this.table = new LensTable(this.body, {
      onCursor: (cursor, from) => this.moveTo(cursor, from),
      onSelect: (position) => ctx.select(position),
      onScroll: (from) => this.scrollTo(from),
    });
    this.detail = new LensColumnView(this.body, {
      onLevel: (level) => this.moveTo({ level, position: this.selected }, this.from ?? 0),
    });
    this.summary = h("summary");
    this.textTable = h("table", { class: "lens-text" });
    this.details = h(
      "details",
      { ontoggle: () => this.writeTable() },
      this.summary,
      h("div", { class: "lens-scroll" }, this.textTable),
    );
    this.body.append(this.details);
    this.save = new SaveRow(this.body, {
      name: () => "logit-lens",
      png: () => this.picture(),
      csv: async () => {
        const columns = await this.whole();
        return columns && lensCsv(columns, this.texts(), this.names());
      },
      json: async () => {
        const columns = await this.whole();
        return columns && lensJson(columns, this.texts(), this.names(), this.kind);
      },
    });
    this.note = h("p", { class: "hint", role: "status" });
    this.body.append(this.note);
    /**
     * The columns of the whole text are on their way; how many have come.
     * @type {{ all: Promise<LensColumn[] | null>, done: number } | null}
     */
    this.saving = null;
    this.resize = new ResizeObserver(() => this.fit());
    this.observed = false;
  }

  /** Called for every change of the context. */
  update() {
    const { subject } = this.ctx;
    if (!this.observed) this.resize.observe(this.root);
    this.observed = true;
    setText(this.what, t("lens.what"));
    setText(this.empty, t("lens.empty"));
    this.empty.hidden = subject !== null;
    this.body.hidden = subject === null;
    this.body.classList.toggle("stale", subject?.writing ?? false);
    if (!subject || subject.writing) return;
    const key = `${subject.version} ${this.kind}`;
    if (key !== this.key) {
      this.key = key;
      if (this.columns.size) this.stale = this.columns;
      this.columns = new Map();
      this.asked = "";
    }
    if (subject.selected !== this.selected) {
      this.selected = subject.selected;
      this.cursor = { level: this.cursor.level, position: subject.selected };
      this.from = windowFrom(this.from, subject.selected, subject.tokens.ids.length, this.fitting());
    }
    this.render();
    void this.load();
  }

  /** The panel is closed: nothing is observed or kept. */
  close() {
    this.resize.disconnect();
    this.observed = false;
    this.columns.clear();
    this.stale.clear();
    this.key = "";
  }

  /** @param {{ kind?: "answer" | "next", by?: "own" | "target" }} patch */
  change({ kind = this.kind, by = this.by }) {
    this.kind = kind;
    this.by = by;
    this.update();
  }

  fitting() {
    return columnsFor(this.width || 350);
  }

  /** The window, brought inside the text. */
  window() {
    const count = this.ctx.subject?.tokens.ids.length ?? 0;
    const columns = Math.min(this.fitting(), count);
    const from = Math.min(this.from ?? 0, count - columns);
    return { from, to: from + columns, count };
  }

  fit() {
    const width = this.root.clientWidth;
    if (width === this.width) return;
    const columns = this.fitting();
    this.width = width;
    const { subject } = this.ctx;
    if (!subject) return;
    if (this.fitting() !== columns)
      this.from = windowFrom(this.from, subject.selected, subject.tokens.ids.length, this.fitting());
    if (!subject.writing) this.update();
  }

  /** @param {number} from */
  scrollTo(from) {
    const { to } = this.window();
    const columns = to - this.window().from;
    this.from = from;
    const position = Math.min(from + columns - 1, Math.max(from, this.cursor.position));
    this.cursor = { level: this.cursor.level, position };
    this.update();
  }

  /** @param {Cursor} cursor @param {number} from */
  moveTo(cursor, from) {
    if (this.ctx.subject?.writing) return;
    this.cursor = cursor;
    this.from = from;
    this.render();
    void this.load();
  }

  /** Asks for what the window lacks. */
  async load() {
    const { subject } = this.ctx;
    if (!subject) return;
    const { from, to } = this.window();
    const key = this.key;
    const have = (/** @type {number} */ row) => this.columns.has(row);
    // The selected position is shown below the map even where the window has left it.
    const span = missingSpan(have, from, to) ?? missingSpan(have, subject.selected, subject.selected + 1);
    if (!span || this.asked === `${key} ${span}`) return;
    this.asked = `${key} ${span}`;
    try {
      const answer = await this.ctx.ask("lens", {
        what: "lens",
        ids: subject.tokens.ids,
        from: span[0],
        to: span[1],
        target: this.kind,
      });
      if (key !== this.key) return;
      for (const column of columnsOf(answer)) this.columns.set(column.row, column);
      this.render();
      void this.load();
    } catch (error) {
      if (!isAbort(error)) this.ctx.say("lens.error", { reason: reasonOf(error) });
    }
  }

  render() {
    const { subject } = this.ctx;
    if (!subject) return;
    const { from, to, count } = this.window();
    const rows = Array.from({ length: to - from }, (_, i) => from + i);
    const stale = rows.some((row) => !this.columns.has(row) && this.stale.has(row));
    const columns = rows.map((row) => this.columns.get(row) ?? this.stale.get(row) ?? null);
    const levels = columns.find((column) => column)?.levels.length ?? subject.info.nLayer + 1;
    const cursor = {
      level: Math.min(levels - 1, this.cursor.level),
      position: Math.min(to - 1, Math.max(from, this.cursor.position)),
    };
    this.kindChoice.update(this.kind, t("lens.target"), (kind) => t(`lens.target.${kind}`));
    this.byChoice.update(this.by, t("lens.colour"), (by) => t(`lens.colour.${by}`));
    this.table.update({
      texts: subject.tokens.texts,
      from,
      columns,
      levels,
      selected: subject.selected,
      cursor,
      by: this.by,
      kind: this.kind,
      stale,
    });
    const column = this.columns.get(subject.selected) ?? this.stale.get(subject.selected) ?? null;
    this.detail.update({
      column,
      token: subject.tokens.texts[subject.selected],
      kind: this.kind,
      level: cursor.level,
      width: Math.min(this.width || 350, 640),
      lang: document.documentElement.lang,
      vocabSize: subject.info.vocabSize,
    });
    setText(this.summary, t("lens.table"));
    this.writeTable();
    this.save.update();
    this.save.root.hidden = this.note.hidden = !this.shown().length;
    setText(
      this.note,
      this.saving
        ? t("lens.saving", { done: n(this.saving.done), count: n(count) })
        : from === 0 && to === count
          ? ""
          : t("lens.files", { from: n(from + 1), to: n(to), count: n(count) }),
    );
  }

  /**
   * The columns of the whole text; null where it changes before they have come.
   * @returns {Promise<LensColumn[] | null>}
   */
  whole() {
    this.saving ??= { all: this.readWhole(), done: this.columns.size };
    return this.saving.all;
  }

  async readWhole() {
    const { subject } = this.ctx;
    const { key } = this;
    try {
      // From here on `saving` is there.
      await null;
      while (subject && key === this.key) {
        const { ids } = subject.tokens;
        const span = missingSpan((row) => this.columns.has(row), 0, ids.length);
        if (!span) return [...this.columns.values()].sort((a, b) => a.row - b.row);
        const [from, to] = [span[0], Math.min(span[1], span[0] + PIECE)];
        this.render();
        const answer = await this.ctx.ask("lens.whole", { what: "lens", ids, from, to, target: this.kind });
        if (key !== this.key) break;
        for (const column of columnsOf(answer)) this.columns.set(column.row, column);
        if (this.saving) this.saving.done = this.columns.size;
      }
    } catch (error) {
      if (!isAbort(error)) this.ctx.say("lens.error", { reason: reasonOf(error) });
    } finally {
      this.saving = null;
      this.render();
    }
    return null;
  }

  /** The map in words, only while it is unfolded. */
  writeTable() {
    if (!this.details.open) return;
    const columns = this.shown();
    const texts = this.texts();
    const head = h(
      "tr",
      {},
      h("th"),
      ...columns.map(({ row }) => h("th", { scope: "col" }, showToken(texts[row] ?? ""))),
    );
    const rows = this.names().map((name, level) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        ...columns.map(({ target, levels }) => {
          const { top, logprob, rank } = levels[level];
          const says = t("lens.table.cell", { top: showToken(top[0].text), p: percent(Math.exp(top[0].logprob)) });
          const aim = target
            ? t("lens.cell.target", {
                target: showToken(target.text),
                p: finePercent(Math.exp(logprob)),
                rank: n(rank),
              })
            : "–";
          return h("td", {}, says, h("br"), aim);
        }),
      ),
    );
    this.textTable.replaceChildren(head, ...rows.reverse());
  }

  /** The columns that the window shows and that are not out of date. */
  shown() {
    const { from, to } = this.window();
    return [...this.columns.values()].filter(({ row }) => row >= from && row < to).sort((a, b) => a.row - b.row);
  }

  texts() {
    return this.ctx.subject?.tokens.texts ?? [];
  }

  names() {
    const levels = this.shown()[0]?.levels.length ?? 0;
    return Array.from({ length: levels }, (_, level) => levelName(level, levels));
  }

  picture() {
    const style = getComputedStyle(document.documentElement);
    return lensPicture({
      columns: this.shown(),
      texts: this.texts(),
      names: this.names().map((_, level) =>
        level === 0 ? t("lens.level.embedding") : t("lens.level", { layer: level - 1 }),
      ),
      by: this.by,
      title: t("lens.map"),
      after: t("lens.after"),
      legend: t(`lens.legend.${this.by}`),
      paper: style.getPropertyValue("--sheet").trim(),
      ink: style.getPropertyValue("--ink").trim(),
    });
  }
}
