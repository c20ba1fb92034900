/**
 * The tab that shows where each head looks: all heads as thumbnails, one of them as a map or as lines over the text,
 * and rollout.
 */

import { reasonOf } from "../../../core/cause.js";
import { h, saveBlob, setText } from "../../../core/dom.js";
import { isAbort } from "../../../core/errors.js";
import { registerStrings, t } from "../../../core/i18n/index.js";
import { watchTheme } from "../../canvas.js";
import { percent } from "../../label.js";
import { revealNear } from "../../reveal.js";
import { SaveRow } from "../../save.js";
import { AttentionControls, MODES } from "./controls.js";
import { clampUnit } from "./data.js";
import { attentionJson, matrixCsv, matrixCsvParts, tokenCsv, WHOLE_SIZE } from "./export.js";
import { AttentionGrid } from "./grid.js";
import { AttentionLines } from "./lines.js";
import { AttentionLists } from "./lists.js";
import { AttentionMap } from "./map.js";
import { attentionEn } from "./words.en.js";
import { attentionZh } from "./words.zh.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("../../types.js").AttentionAnswer} AttentionAnswer */
/** @typedef {import("../../types.js").HeadsAnswer} HeadsAnswer */
/** @typedef {import("./data.js").Look} Look */
/** @typedef {import("./controls.js").Mode} Mode */
/** @typedef {import("./map.js").MapData} MapData */
/**
 * What was asked for; a question is asked once.
 * @typedef {{ version: number, mode: Mode, layer: number, head: number }} Wanted
 */

registerStrings(attentionEn, attentionZh);

/** Cells of a thumbnail across. */
const THUMB_SIZE = 32;
/** A whole matrix is written in tasks this long. */
const TASK_MS = 12;

/** @typedef {import("../../types.js").Panel} Panel */

/** @implements {Panel} */
export class AttentionPanel {
  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    /** @type {Look} */
    this.look = { scale: "sqrt", ignoreFirst: false };
    this.empty = h("p", { class: "attention-empty" });
    this.about = h("p", { class: "attention-about" });
    this.title = h("h2", { class: "attention-title" });
    this.note = h("p", { class: "attention-about" });
    this.error = h("p", { class: "attention-error", role: "alert" });
    const head = h("div", { class: "attention-head" }, this.title);
    this.head = head;
    const views = h("div", { class: "attention-views" });
    this.body = h("div", { class: "attention-body" });
    this.root = h("div", { class: "attention" }, this.empty, this.body);

    const select = (/** @type {number} */ position) => ctx.select(position);
    // Where there is room, the grid and the head that is chosen in it stand side by side.
    const pair = h("div", { class: "attention-pair" });
    this.body.append(pair);
    this.grid = new AttentionGrid(pair, { onChoose: (layer, one, pointed) => this.choose(layer, one, pointed) });
    this.grid.side.prepend(this.about);
    const one = h("div", { class: "attention-one" }, head, this.note, this.error, views);
    pair.append(one);
    this.views = views;
    this.map = new AttentionMap(views, { onSelect: select });
    this.lines = new AttentionLines(views, { onSelect: select });
    this.controls = new AttentionControls(head, one, {
      onMode: (mode) => ctx.setView({ mode }),
      onLook: (look) => {
        this.look = look;
        this.show();
      },
    });
    this.sink = h("p", { class: "attention-about" });
    this.body.append(this.sink);
    this.lists = new AttentionLists(this.body, { onSelect: select });
    this.caution = h("p", { class: "attention-about" });
    this.save = new SaveRow(this.body, {
      name: () => this.fileName(),
      png: () => this.png(),
      csv: () => this.csv(),
      json: () => this.json(),
    });
    this.whole = h("button", { type: "button", class: "quiet attention-whole", onclick: () => void this.saveWhole() });
    this.body.append(this.whole, this.caution);
    /** @type {(() => void) | null} */
    this.unwatch = null;
    /** @type {HeadsAnswer | null} */
    this.heads = null;
    /** The version that was asked for, and that of the answer. @type {number} */
    this.headsVersion = -1;
    this.headsGot = -1;
    /** How far the heads have come. */
    this.progress = "";
    /** @type {Wanted | null} */
    this.wanted = null;
    /**
     * What is shown: an answer, and the tokens it is about.
     * @type {(Wanted & { matrix: AttentionAnswer, texts: string[] }) | null}
     */
    this.got = null;
  }

  /** Lets go of all that was asked for. */
  forget() {
    this.heads = this.wanted = this.got = null;
    this.headsVersion = -1;
  }

  update() {
    const { subject } = this.ctx;
    this.unwatch ??= watchTheme(() => this.show());
    if (!subject) this.forget();
    // What is being written is not asked about: the last state stays.
    else if (!subject.writing) this.ask(subject);
    this.show();
  }

  close() {
    this.forget();
    this.unwatch?.();
    this.unwatch = null;
    this.grid.update(null);
    this.map.update(null);
    this.lines.update(null);
    this.lists.update(null);
  }

  /** @returns {Mode} */
  get mode() {
    return MODES.find((mode) => mode === this.ctx.view.mode) ?? "map";
  }

  /** @param {number} layer @param {number} head @param {boolean} pointed by a pointer */
  choose(layer, head, pointed) {
    this.ctx.setView({ layer, head });
    const scroller = this.root.closest(".inspect-scroll");
    // Whoever goes by keys goes on from the thumbnail.
    const keep = pointed ? null : this.grid.cursor.cell;
    if (scroller && this.got) requestAnimationFrame(() => revealNear(scroller, this.head, this.views, keep));
  }

  /** Asks for what the view needs and has not. @param {Subject} subject */
  ask(subject) {
    const { version, info, tokens } = subject;
    const { layer, head } = clampUnit(this.ctx.view, info);
    const { mode } = this;
    const rollout = mode === "rollout";
    const same =
      this.wanted &&
      this.wanted.version === version &&
      this.wanted.layer === layer &&
      (this.wanted.mode === "rollout") === rollout &&
      (rollout || this.wanted.head === head);
    if (!same) {
      const wanted = { version, mode, layer, head };
      this.wanted = wanted;
      // All heads of a large model take a while: they wait for the one that is wanted now, and are asked for anew after
      // it.
      if (this.headsVersion === version && this.headsGot !== version) this.headsVersion = -1;
      const answer = rollout
        ? this.ctx.ask("attention.map", { what: "rollout", ids: tokens.ids, layer })
        : this.ctx.ask("attention.map", { what: "attention", ids: tokens.ids, layer, head });
      this.fetchFrom(answer, (matrix) => {
        if (this.wanted === wanted) this.got = { ...wanted, matrix, texts: tokens.texts };
      });
    }
    // After the one head, which comes sooner: all heads of a large model take a while.
    if (this.headsVersion !== version) this.askHeads(subject);
  }

  /** @param {Subject} subject */
  askHeads({ version, tokens }) {
    this.headsVersion = version;
    this.progress = "";
    const request = { what: /** @type {const} */ ("heads"), ids: tokens.ids, size: THUMB_SIZE };
    const answer = this.ctx.ask("attention.heads", request, ({ done, total }) => {
      if (this.headsVersion !== version) return;
      this.progress = t("attention.progress", { done, total });
      if (!this.heads) this.show();
    });
    this.fetchFrom(answer, (heads) => {
      if (this.headsVersion === version) [this.heads, this.headsGot] = [heads, version];
    });
  }

  /**
   * @template T
   * @param {Promise<T>} answer @param {(value: T) => void} take
   */
  fetchFrom(answer, take) {
    setText(this.error, "");
    answer.then(
      (value) => {
        take(value);
        this.show();
      },
      (error) => {
        // A question that was withdrawn has been replaced by another, or nobody is looking.
        if (isAbort(error)) return;
        setText(this.error, t("attention.error", { message: reasonOf(error) }));
        this.show();
      },
    );
  }

  /** Draws what is there. */
  show() {
    const { subject } = this.ctx;
    const { got, mode } = this;
    setText(this.empty, t("attention.empty"));
    this.empty.hidden = Boolean(subject);
    this.body.hidden = !subject;
    if (!subject) return;
    const rollout = mode === "rollout";
    const { layer, head } = clampUnit(this.ctx.view, subject.info);
    setText(this.about, t("attention.about"));
    setText(this.title, this.titleOf({ mode, layer, head }));
    setText(
      this.note,
      rollout ? t("attention.about.rollout", { layer }) : head < 0 ? t("attention.about.mean", { layer }) : "",
    );
    setText(this.caution, t("attention.caution"));
    this.note.hidden = !rollout && head >= 0;
    this.error.hidden = !this.error.textContent;
    this.controls.update({ mode, look: this.look });
    this.grid.update(
      this.heads && { answer: this.heads, layer, head, wholeRow: rollout, look: this.look },
      this.progress || t("attention.waiting"),
    );
    this.grid.scroll.classList.toggle("stale", subject.writing || this.headsGot !== this.headsVersion);

    const data = this.data();
    const stale = subject.writing || !got || got !== this.current();
    this.views.classList.toggle("stale", stale);
    this.views.setAttribute("aria-busy", String(stale));
    this.map.update(mode === "lines" ? null : data);
    this.lines.update(mode === "lines" ? data : null);
    this.lists.update(data);
    const first = data ? data.matrix.values[data.selected * data.matrix.size] : 0;
    setText(this.sink, this.look.ignoreFirst && data ? t("attention.ignored", { share: percent(first) }) : "");
    this.sink.hidden = !this.sink.textContent;
    this.save.update();
    this.save.root.hidden = !data;
    setText(this.whole, t("attention.whole"));
    this.whole.hidden = !data || data.matrix.size <= WHOLE_SIZE;
  }

  /** What the views show. @returns {MapData | null} */
  data() {
    const { got, look } = this;
    return got && { matrix: got.matrix, texts: got.texts, selected: this.selected(), look, title: this.titleOf(got) };
  }

  /** What is shown, if it is what was asked for last. */
  current() {
    const { got, wanted } = this;
    return got &&
      wanted &&
      got.version === wanted.version &&
      got.layer === wanted.layer &&
      got.head === wanted.head &&
      (got.mode === "rollout") === (wanted.mode === "rollout")
      ? got
      : null;
  }

  /** @param {{ mode: Mode, layer: number, head: number }} what */
  titleOf({ mode, layer, head }) {
    if (mode === "rollout") return t("attention.unit.rollout", { layer });
    return head < 0 ? t("attention.unit.mean", { layer }) : t("attention.unit", { layer, head });
  }

  /** The selected token, as far as the answer reaches. */
  selected() {
    return Math.min(this.ctx.subject?.selected ?? 0, (this.got?.matrix.size ?? 1) - 1);
  }

  fileName() {
    const { got } = this;
    if (!got) return "attention";
    if (got.mode === "rollout") return `rollout-layer-${got.layer}`;
    return got.head < 0 ? `attention-layer-${got.layer}-mean` : `attention-layer-${got.layer}-head-${got.head}`;
  }

  png() {
    const data = this.data();
    return data ? AttentionMap.save(data) : h("canvas");
  }

  csv() {
    const { got } = this;
    if (!got) return "";
    const { matrix, texts } = got;
    const { ignoreFirst } = this.look;
    return matrix.size <= WHOLE_SIZE
      ? matrixCsv(matrix, texts, ignoreFirst)
      : tokenCsv(matrix, texts, this.selected(), ignoreFirst);
  }

  json() {
    const { got } = this;
    if (!got) return {};
    const { mode, layer, head } = got;
    const kind = mode === "rollout" ? "rollout" : "attention";
    return attentionJson(got.matrix, got.texts, this.selected(), {
      kind,
      layer,
      head,
      ignoreFirst: this.look.ignoreFirst,
    });
  }

  /** A large matrix as CSV, written in pieces so that the page goes on. */
  async saveWhole() {
    const { got } = this;
    if (!got) return;
    this.whole.setAttribute("aria-disabled", "true");
    const parts = [];
    const encoder = new TextEncoder();
    let since = performance.now();
    for (const part of matrixCsvParts(got.matrix, got.texts, this.look.ignoreFirst)) {
      // Bytes at once: one long text would be turned into bytes in one long task.
      parts.push(encoder.encode(part));
      if (performance.now() - since < TASK_MS) continue;
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
    this.whole.removeAttribute("aria-disabled");
    saveBlob(`${this.fileName()}-matrix.csv`, new Blob(parts, { type: "text/csv;charset=utf-8" }));
  }
}
