/** Switching heads and MLPs off: what changes, and which of them matter for a token. */
import { h, setText } from "../../../core/dom.js";
import { registerStrings, t } from "../../../core/i18n/index.js";
import { isDark, watchTheme } from "../../canvas.js";
import { SaveRow } from "../../save.js";
import {
  ablationCsv,
  LAYER,
  layerToggled,
  Memory,
  meanLoss,
  offKey,
  positionAt,
  sideBySide,
  toggled,
  topAfter,
} from "./data.js";
import { HeadsEffect, unitList } from "./effect.js";
import { HeadsGrid } from "./grid.js";
import { headsPicture } from "./picture.js";
import { Ranker } from "./ranker.js";
import { HeadsRanking } from "./ranking.js";
import { headsEn } from "./words.en.js";
import { headsZh } from "./words.zh.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Panel} Panel */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("../../types.js").Unit} Unit */
/** @typedef {import("./ranker.js").Ranked} Ranked */

registerStrings(headsEn, headsZh);

/** A panel is made anew whenever it opens; what was measured stays. @type {WeakMap<InspectContext, Memory<Ranked>>} */
const memories = new WeakMap();
const PREDICTIONS = 8;
/** While it measures, the page is drawn no more often than an eye needs. */
const DRAW_EVERY_MS = 250;
/** More of the text would not fit on a picture. */
const MOST_LETTERS = 400;
/** The subject is gone for a moment whenever it is read anew: no reason to clear the panel, and to lose the focus. */
const GONE_MS = 600;

/** @implements {Panel} */
export class HeadsPanel {
  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    /** @type {Memory<Ranked>} */
    this.memory = memories.get(ctx) ?? new Memory();
    memories.set(ctx, this.memory);
    this.ranker = new Ranker(ctx, this.memory, () => this.progressed());
    this.resumed = false;
    /** Whether the subject's scores belong to what is off. */
    this.fresh = false;
    /** What is switched off again once everything was measured on. @type {Unit[] | null} */
    this.returnTo = null;
    /** What was begun by "write on", and what was written from there. */
    this.start = "";
    /** @type {{ off: Unit[], began: boolean } | null} */
    this.writing = null;
    /** @type {{ off: Unit[], text: string }[]} */
    this.written = [];
    /** Of the model, also while its text is read anew. */
    this.size = { layers: 0, heads: 0 };
    /** What the grid shows. @type {Parameters<HeadsGrid["update"]>[0] | null} */
    this.shownGrid = null;
    this.width = 0;
    this.fitting = 0;
    this.drawing = 0;
    this.gone = 0;
    this.observed = false;
    this.unwatch = () => {};

    this.what = h("p", { class: "hint heads-what" });
    this.empty = h("p", { class: "heads-empty" });
    this.body = h("div", { class: "heads-body" });
    const onkeydown = (/** @type {KeyboardEvent} */ event) => this.key(event);
    this.root = h("div", { class: "heads", onkeydown }, this.what, this.empty, this.body);
    const toggle = (/** @type {Unit} */ unit) => this.toggle(unit);
    this.grid = new HeadsGrid(this.body, { onToggle: toggle, onReset: () => this.setOff([]) });
    this.ranking = new HeadsRanking({
      onTarget: (id) => this.choose(id),
      onRank: () => this.rank(),
      onCancel: () => this.cancel(),
      onToggle: toggle,
    });
    this.body.append(this.ranking.controls);
    this.effect = new HeadsEffect(this.body, {
      onMeasure: () => this.measure(),
      onWrite: (fromSelected) => this.write(fromSelected),
    });
    this.grid.bar.after(this.effect.lossRoot);
    this.body.append(this.ranking.root);
    this.save = new SaveRow(this.ranking.root, {
      name: () => "heads",
      png: () => this.picture(),
      csv: () => ablationCsv(this.shown()?.effects ?? [], { text: this.shown()?.target ?? "" }),
      json: () => ({ what: "single units switched off, on top of `off`", model: this.size, ...this.shown() }),
    });
    // Drawn a frame later: what is drawn here has a size of its own, which the observer would be told of within its own
    // round.
    this.resize = new ResizeObserver(() => {
      this.fitting ||= requestAnimationFrame(() => this.fit());
    });
  }

  /** Called for every change of the context. */
  update() {
    const { subject } = this.ctx;
    if (!this.observed) {
      this.resize.observe(this.root);
      this.unwatch = watchTheme(() => this.render());
    }
    this.observed = true;
    setText(this.what, t("heads.what"));
    setText(this.empty, t("heads.empty"));
    clearTimeout(this.gone);
    if (!subject) {
      // A switch answers at once.
      if (this.shownGrid) this.grid.update({ ...this.shownGrid, off: this.off });
      if (!this.body.hidden && this.width) this.gone = window.setTimeout(() => this.hide(), GONE_MS);
      else this.hide();
      return;
    }
    this.size = { layers: subject.info.nLayer, heads: subject.info.nHead };
    this.empty.hidden = true;
    this.body.hidden = false;
    this.body.classList.toggle("stale", subject.writing);
    this.follow(subject);
    if (!subject.writing) this.learn(subject);
    this.render();
  }

  /** The panel is closed: nothing is observed, asked for or awaited. */
  close() {
    this.resize.disconnect();
    this.unwatch();
    this.observed = false;
    cancelAnimationFrame(this.fitting);
    this.fitting = 0;
    clearTimeout(this.gone);
    clearTimeout(this.drawing);
    this.drawing = 0;
    const { returnTo } = this;
    this.returnTo = null;
    if (returnTo) queueMicrotask(() => this.ctx.setView({ off: returnTo }));
  }

  hide() {
    this.empty.hidden = false;
    this.body.hidden = true;
  }

  fit() {
    this.fitting = 0;
    if (this.observed && this.root.clientWidth !== this.width && this.ctx.subject) this.render();
  }

  /** Those of this model. A link may speak of another. @returns {Unit[]} */
  get off() {
    const { layers, heads } = this.size;
    return this.ctx.view.off.filter(({ layer, head }) => layer < layers && head < heads);
  }

  /** Keeps the numbers with everything on. @param {Subject} subject */
  learn(subject) {
    const off = offKey(this.off);
    const { memory } = this;
    if (!this.resumed) memory.resume(subject.version);
    this.resumed = true;
    const { fresh, modelChanged } = memory.watch.see(subject, off);
    this.fresh = fresh;
    if (modelChanged) this.ranker.forget();
    if (off === "" && fresh && subject.scores) memory.baselines.set(subject.text, subject.scores);
    const { returnTo } = this;
    if (!returnTo || (off === "" && !memory.baselines.get(subject.text))) return;
    this.returnTo = null;
    // Not from inside an update: this changes the context again.
    if (off === "") queueMicrotask(() => this.ctx.setView({ off: returnTo }));
  }

  /** Hears when what was begun here has been written. @param {Subject} subject */
  follow(subject) {
    if (!this.writing) return;
    if (subject.writing) this.writing.began = true;
    else if (this.writing.began) {
      const { off } = this.writing;
      this.writing = null;
      if (!subject.text.startsWith(this.start) || subject.text.length === this.start.length) return;
      const text = subject.text.slice(this.start.length);
      this.written = [{ off, text }, ...this.written.filter((one) => offKey(one.off) !== offKey(off))].slice(0, 3);
    }
  }

  /** @param {Unit[]} off */
  setOff(off) {
    this.returnTo = null;
    this.ctx.setView({ off });
  }

  /** @param {Unit} unit */
  toggle(unit) {
    this.setOff(unit.head === LAYER ? layerToggled(this.off, unit.layer, this.size.heads) : toggled(this.off, unit));
  }

  /** Everything on for a moment, to know what it was like. */
  measure() {
    this.returnTo = this.off;
    this.ctx.setView({ off: [] });
  }

  /** @param {boolean} fromSelected */
  write(fromSelected) {
    const { subject } = this.ctx;
    if (!subject || subject.writing) return;
    const { ends, ids } = subject.tokens;
    const again = this.again(subject) ? positionAt(ends, this.start.length) : -1;
    const position = fromSelected ? subject.selected : again;
    const start = position < 0 ? subject.text : subject.text.slice(0, ends[position]);
    if (start !== this.start) this.written = [];
    this.start = start;
    this.writing = { off: this.off, began: false };
    this.ctx.generate(position < 0 || position === ids.length - 1 ? undefined : position);
  }

  /** Whether the text is what was last written here. @param {Subject} subject */
  again(subject) {
    return (
      this.written.some(({ text }) => subject.text === this.start + text) &&
      positionAt(subject.tokens.ends, this.start.length) >= 0
    );
  }

  /** @param {number} id */
  choose(id) {
    const { subject } = this.ctx;
    if (subject) this.ranker.choose(subject, this.fresh, id);
    this.render();
  }

  rank() {
    const { subject } = this.ctx;
    const target = subject && this.ranker.targets(subject, this.fresh).target;
    if (!subject || subject.writing || !target) return;
    void this.ranker.rank(subject, target, this.off);
    this.render();
  }

  cancel() {
    this.ranker.cancel();
    this.render();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== "Escape" || !this.ranker.running) return;
    event.preventDefault();
    event.stopPropagation();
    this.cancel();
  }

  /** The measuring goes on, or is at its end. */
  progressed() {
    if (!this.observed) return;
    if (!this.ranker.running) this.render();
    else
      this.drawing ||= window.setTimeout(() => {
        this.drawing = 0;
        if (this.ctx.subject) this.render();
      }, DRAW_EVERY_MS);
  }

  /** @returns {import("./ranker.js").Ranked | null} */
  shown() {
    const { subject } = this.ctx;
    return subject && this.ranker.shown(subject, this.ranker.targets(subject, this.fresh).target, this.off);
  }

  render() {
    const { subject } = this.ctx;
    if (!subject) return;
    const { off } = this;
    const { selected, tokens, writing } = subject;
    const { choices, target } = this.ranker.targets(subject, this.fresh);
    const ranked = this.ranker.shown(subject, target, off);
    const stale = ranked !== null && offKey(ranked.off) !== offKey(off);
    this.width = this.root.clientWidth;
    this.shownGrid = {
      ...this.size,
      off,
      effects: ranked?.effects ?? [],
      target: ranked?.target ?? "",
      width: this.width,
    };
    this.grid.update(this.shownGrid);
    this.tellEffect(subject);
    this.ranking.update({
      token: tokens.texts[selected] ?? "",
      choices,
      target: target?.id ?? -1,
      off,
      ranked,
      stale,
      running: this.ranker.running,
      busy: writing,
    });
    this.save.update();
  }

  /** @param {Subject} subject */
  tellEffect(subject) {
    const { off } = this;
    const { selected, tokens, writing, text } = subject;
    const baseline = this.memory.baselines.get(text) ?? null;
    const current = writing || !this.fresh ? null : subject.scores;
    const rows = sideBySide(
      baseline ? topAfter(baseline, selected) : [],
      current ? topAfter(current, selected) : [],
      PREDICTIONS,
    );
    this.effect.update({
      off: off.length,
      before: baseline && { loss: meanLoss(baseline), predictions: rows.before },
      after: current && { loss: meanLoss(current), predictions: rows.after },
      token: tokens.texts[selected] ?? "",
      measuring: this.returnTo !== null,
      again: this.again(subject),
      from: selected < tokens.ids.length - 1 ? (tokens.texts[selected] ?? null) : null,
      written: this.written,
      busy: writing,
    });
  }

  /** The text up to the selected token, whose end a long one is known by. */
  before() {
    const { subject } = this.ctx;
    if (!subject) return "";
    const { ends } = subject.tokens;
    return subject.text.slice(0, ends[subject.selected]).slice(-MOST_LETTERS);
  }

  picture() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const ranked = this.shown();
    return headsPicture({
      ...this.size,
      effects: ranked?.effects ?? [],
      text: this.before(),
      title: t(ranked?.off.length ? "heads.picture.ontop" : "heads.picture", {
        target: HeadsRanking.named(ranked?.target ?? ""),
        token: HeadsRanking.named(ranked?.token ?? ""),
        units: unitList(ranked?.off ?? []),
      }),
      layerWord: t("heads.layer"),
      mlpWord: t("heads.mlp"),
      unit: t("heads.legend.unit"),
      paper: colour("--sheet"),
      ink: colour("--ink"),
      line: colour("--line"),
      dark: isDark(),
    });
  }
}
