/**
 * Two models on the same text: opens the other one in an engine of its own, and hands both models' figures to the
 * views.
 */

import { h, setText } from "../../../core/dom.js";
import { formatBytes } from "../../../core/format.js";
import { n, registerStrings, t } from "../../../core/i18n/index.js";
import { finePercent, inBits, showToken, signedBits } from "../../label.js";
import { SaveRow, toCsv } from "../../save.js";
import { MOST_BITS } from "../../trail.js";
import { unitsOff } from "../../units.js";
import { CompareControls } from "./controls.js";
import {
  areEqual,
  COMPARE_CSV,
  candidates,
  comparable,
  extremes,
  niceScale,
  pairsOf,
  tableJson,
  tableRows,
  totalsOf,
  usual,
} from "./data.js";
import { CompareBeside, CompareMoves, CompareOff, CompareTable, CompareTotals } from "./lists.js";
import { CompareRun } from "./run.js";
import { CompareStrips } from "./strips.js";
import { compareEn } from "./words.en.js";
import { compareZh } from "./words.zh.js";

registerStrings(compareEn, compareZh);

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Panel} Panel */
/** @typedef {import("./data.js").Pair} Pair */
/** @typedef {import("./run.js").Result} Result */

/**
 * A panel is made anew whenever it opens; what is known of other models stays.
 * @type {WeakMap<InspectContext, Map<string, number>>}
 */
const vocabularies = new WeakMap();
const MOVES = 6;
/** Rows of the table before and after the selected token. */
const TABLE_REACH = 10;

/** @implements {Panel} */
export class ComparePanel {
  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.run = new CompareRun(ctx, () => this.update());
    this.controls = new CompareControls({
      onOpen: (id) => {
        this.chosen = id;
        void this.run.open(id);
      },
      onCancel: () => this.close(),
      onChoose: (id) => (this.chosen = id),
      onGo: (tab) => ctx.goTo(tab),
    });
    const onSelect = (/** @type {number} */ position) => ctx.select(position);
    this.body = h("div", { class: "compare-body" });
    this.off = new CompareOff(this.body, { onRestore: () => ctx.setView({ off: [] }) });
    this.totals = new CompareTotals(this.body);
    this.strips = new CompareStrips(this.body, { onSelect });
    this.legend = h("ul", { class: "compare-legend" });
    this.body.append(this.legend);
    this.beside = new CompareBeside(this.body, {
      onWhere: (where) => {
        this.where = where;
        this.draw();
      },
    });
    this.moves = new CompareMoves(this.body, { onSelect });
    this.table = new CompareTable(this.body);
    this.save = new SaveRow(this.body, {
      name: () => "compare",
      png: () => this.picture(),
      csv: () => toCsv(COMPARE_CSV, this.rows()),
      json: () => this.json(),
    });
    this.root = h("section", { class: "compare-panel" }, this.controls.root, this.body);

    /** Vocabulary sizes of models that were open, by id. @type {Map<string, number>} */
    this.sizes = vocabularies.get(ctx) ?? new Map();
    vocabularies.set(ctx, this.sizes);
    this.chosen = "";
    this.seen = "";
    /** @type {Result | null} */
    this.drawn = null;
    /** @type {"instead" | "following"} */
    this.where = "instead";
    /** @type {Pair[]} */
    this.pairs = [];
    /** @type {{ kind: string, text: string }[]} */
    this.legendWords = [];
  }

  update() {
    this.run.update(this.ctx.subject);
    this.draw();
  }

  close() {
    this.run.close();
    this.strips.close();
    this.seen = "";
    this.drawn = null;
    this.draw();
  }

  name() {
    return this.run.other?.name ?? this.ctx.otherModels().find(({ id }) => id === this.chosen)?.name ?? "";
  }

  draw() {
    const { ctx } = this;
    const { result, other, phase, progress, problem } = this.run;
    if (other?.info) this.sizes.set(this.chosen, other.info.vocabSize);
    const models = comparable(ctx.otherModels(), this.sizes, ctx.subject?.info.vocabSize);
    if (!other && phase !== "opening" && models.find(({ id }) => id === this.chosen)?.differs !== false) {
      // The one that was found not to fit stays chosen while its reason is told.
      const stays = problem?.kind === "vocabulary" && models.some(({ id }) => id === this.chosen);
      if (!stays) this.chosen = models.find(({ differs }) => !differs)?.id ?? models[0]?.id ?? "";
    }
    const name = this.name();
    const bytes = other?.info?.bytes;
    const memory = !other
      ? ""
      : bytes
        ? t("compare.memory", {
            name,
            bytes: formatBytes(bytes.weights + bytes.training + bytes.kv + bytes.temporaries),
          })
        : t("compare.memory.unknown", { name });
    this.controls.update({
      models,
      chosen: this.chosen,
      phase,
      progress,
      name,
      memory,
      empty: ctx.subject === null,
      open: other !== null,
      problem:
        problem?.kind === "vocabulary"
          ? t("compare.vocabulary", { name })
          : problem
            ? t("compare.error", { reason: problem.reason })
            : "",
    });
    this.body.hidden = !result || !ctx.subject;
    if (!result || !ctx.subject) return;
    this.drawResult(result, ctx.subject, name);
  }

  /** @param {Result} result @param {import("../../types.js").Subject} subject @param {string} name */
  drawResult(result, subject, name) {
    // Only what is drawn counts: while the model writes, updates come with every token.
    const { ctx } = this;
    const { done } = this.run.progress;
    const off = unitsOff(ctx.view.off, subject.info);
    const seen = [
      off.heads,
      off.mlps,
      subject.version,
      subject.writing,
      subject.selected,
      this.run.phase,
      done,
      this.where,
      name,
      t("compare.this"),
      getComputedStyle(this.root).color,
    ].join("\n");
    if (this.seen === seen && this.drawn === result) return;
    [this.seen, this.drawn] = [seen, result];
    this.body.classList.toggle("stale", subject.writing || subject.version !== result.subject.version);
    const selected = Math.min(subject.selected, result.labels.length - 1);
    this.pairs = pairsOf(result.mine, result.other, result.kl);
    const { pairs } = this;
    this.off.update({ ...off, name });
    this.totals.update({ totals: totalsOf(pairs, result.kl), equal: areEqual(pairs), name });
    this.drawStrips(result, pairs, selected, name);
    this.drawBeside(result, selected, name);
    const moves = extremes(pairs, MOVES);
    const move = (/** @type {number} */ position) => ({
      position,
      text: result.subject.tokens.texts[position],
      gain: pairs[position].gain,
    });
    this.moves.update({ gained: moves.gained.map(move), lost: moves.lost.map(move), selected });
    this.table.update({ header: this.header(name), rows: this.near(selected) });
    this.save.update();
  }

  /** @param {Result} result @param {Pair[]} pairs @param {number} selected @param {string} name */
  drawStrips({ kl, labels, breaks }, pairs, selected, name) {
    const [klScale, gainScale] = [kl, pairs.map(({ gain }) => gain)].map((nats) => niceScale(inBits(usual(nats))));
    this.strips.update({
      labels,
      breaks,
      pairs,
      selected,
      name,
      klScale: klScale * Math.LN2,
      gainScale: gainScale * Math.LN2,
      lanes: [t("compare.short"), t("compare.otherShort"), t("compare.lane.kl"), t("compare.lane.gain")],
      readout: (position) => this.readout(position),
    });
    const words = [
      ["surprise", t("compare.legend.surprise", { bits: MOST_BITS })],
      ["kl", t("compare.legend.kl", { scale: klScale })],
      ["more", t("compare.legend.more")],
      ["less", t("compare.legend.less", { scale: gainScale })],
    ];
    this.legendWords = words.map(([kind, text]) => ({ kind, text }));
    if (this.legend.children.length === 0)
      this.legend.append(
        ...words.map(([kind]) => h("li", {}, h("i", { "data-kind": kind, "aria-hidden": "true" }), h("span"))),
      );
    words.forEach(([, text], i) => setText(/** @type {Element} */ (this.legend.children[i].lastElementChild), text));
  }

  /** @param {Result} result @param {number} selected @param {string} name */
  drawBeside({ subject, mine, other }, selected, name) {
    const { ids, texts } = subject.tokens;
    const where = selected === 0 ? "following" : this.where;
    const row = where === "instead" ? selected - 1 : selected;
    const actual = row + 1 < ids.length ? { id: ids[row + 1], text: texts[row + 1] } : null;
    this.beside.update({
      ...candidates(mine, other, row, actual),
      where,
      canInstead: selected > 0,
      token: showToken(texts[selected]),
      actual: actual?.id ?? -1,
      name,
    });
  }

  /** @param {number} position */
  readout(position) {
    const pair = this.pairs[position];
    const { result } = this.run;
    if (!pair || !result) return "";
    const token = result.labels[position];
    if (position === 0) return t("compare.readout.first", { number: n(position + 1), token });
    const kl = Number.isNaN(pair.kl) ? "…" : inBits(pair.kl).toFixed(3);
    return t("compare.readout", {
      number: n(position + 1),
      token,
      mine: finePercent(Math.exp(pair.mine)),
      name: this.name(),
      other: finePercent(Math.exp(pair.other)),
      gain: signedBits(pair.gain, 3),
      kl,
    });
  }

  /** @param {string} name */
  header(name) {
    return [
      t("compare.column.number"),
      t("compare.column.token"),
      t("compare.this"),
      name,
      t("compare.column.gain"),
      t("compare.column.kl"),
    ];
  }

  /** @param {number} selected */
  near(selected) {
    const { pairs } = this;
    const labels = this.run.result?.labels ?? [];
    const from = Math.max(0, selected - TABLE_REACH);
    return pairs
      .slice(from, selected + TABLE_REACH + 1)
      .map((pair, i) => [
        n(from + i + 1),
        labels[from + i],
        finePercent(Math.exp(pair.mine)),
        finePercent(Math.exp(pair.other)),
        signedBits(pair.gain, 3),
        Number.isNaN(pair.kl) ? "–" : inBits(pair.kl).toFixed(3),
      ]);
  }

  rows() {
    return this.run.result ? tableRows(this.run.result.subject.tokens, this.pairs) : [];
  }

  picture() {
    return this.strips.picture(`${t("compare.this")} ‖ ${this.name()}`, this.legendWords);
  }

  json() {
    const {
      pairs,
      run: { result },
    } = this;
    return {
      other: this.name(),
      off: this.ctx.view.off,
      totals: result && totalsOf(pairs, result.kl),
      kl: result?.kl,
      tokens: result && tableJson(result.subject.tokens, pairs),
    };
  }
}
