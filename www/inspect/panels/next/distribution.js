/** What could stand at a place of the text: its context, the settings, what they leave, and the bars. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { bits, finePercent, percent, shorten, showToken } from "../../label.js";
import { SaveRow, toCsv } from "../../save.js";
import { NextBars } from "./bars.js";
import {
  answerJson,
  axisEnd,
  CSV_HEADER,
  contextOf,
  csvRows,
  cutLineAt,
  cutOff,
  cutters,
  followingId,
  foundKey,
  NEUTRAL,
  QUESTIONS,
  rowsOf,
  SHAPING,
  writesFrom,
} from "./data.js";
import { nextPicture, pageColours } from "./picture.js";
import { SamplingSliders } from "./sampling.js";

/** @typedef {import("../../types.js").NextAnswer} NextAnswer */
/** @typedef {import("../../types.js").Sampling} Sampling */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("./data.js").Row} Row */

/** Characters of the text that stand before the selected token in the heading. */
const CONTEXT = 36;
/** Rows at first, and when more are asked for. */
export const FEW = 20;
export const MANY = 100;
/** As many as a search gives at most. */
const MOST_FOUND = 20;

/**
 * What the view shows. `answer` is about `shown` under `applied`; `settings` may already be further.
 * @typedef {object} Shown
 * @property {Subject} shown its selected token is the one that the answer comes after
 * @property {import("./data.js").Question} question
 * @property {NextAnswer} answer
 * @property {Sampling} applied
 * @property {string} query "" where nothing is looked for
 * @property {boolean} stale the text or the selection is another by now
 * @property {boolean} writing
 * @property {boolean} many
 * @property {boolean} live it is what the model recorded of the token that it wrote last; what is drawn is not known
 */

export class Distribution {
  /**
   * @param {HTMLElement} root
   * @param {{ settingsOpen: boolean, onSettingsOpen: (open: boolean) => void, onSettings: (patch: Partial<Sampling>) =>
   *   void, onQuestion: (question: import("./data.js").Question) => void,
   *   onSearch: (query: string) => void, onChoose: (row: Row) => void, onMany: (many: boolean) => void }} options
   */
  constructor(root, { settingsOpen, onSettingsOpen, onSettings, onQuestion, onSearch, onChoose, onMany }) {
    /** @type {Shown | null} */
    this.data = null;
    this.empty = h("p", { class: "next-empty" });
    this.legend = h("legend", { class: "visually-hidden" });
    this.questions = QUESTIONS.map((name) => {
      const input = h("input", {
        type: "radio",
        name: "next-question",
        id: `next-${name}`,
        onchange: () => onQuestion(name),
      });
      return { name, input, label: h("label", { for: input.id }) };
    });
    this.switch = h(
      "fieldset",
      { class: "modes next-questions" },
      this.legend,
      ...this.questions.flatMap(({ input, label }) => [input, label]),
    );
    /** Said where nothing stands before the token. */
    this.nothing = h("p", { class: "next-empty" });
    this.before = h("span");
    this.token = h("mark", { class: "next-selected" });
    this.gap = h("span", { class: "next-gap" });
    this.context = h("p", { class: "next-context" }, this.before, this.token, this.gap);
    this.window = h("p", { class: "hint next-window" });
    /** The settings that shape it. Their sliders are beside the paper; in a sheet, which covers those, below here. */
    this.settingsLine = h("span", { class: "next-settings-line" });
    this.settingsTitle = h("summary");
    this.settingsPlace = h("details", { class: "next-settings", open: settingsOpen }, this.settingsTitle);
    let wasOpen = settingsOpen;
    this.settingsPlace.addEventListener("toggle", () => {
      // The event comes also where it was open from the beginning.
      if (this.settingsPlace.open === wasOpen) return;
      wasOpen = this.settingsPlace.open;
      onSettingsOpen(wasOpen);
    });
    /** One line for all that can be explained: the setting in use, the row that is pointed at. */
    this.hint = h("p", { class: "hint next-hint", id: "next-hint" });
    this.sliders = new SamplingSliders(this.settingsPlace, {
      onChange: onSettings,
      onExplain: (key) => this.explain(key && t(`setting.${key}.hint`)),
      hintId: "next-hint",
    });
    this.entropy = h("dd");
    this.drawn = h("dd");
    this.terms = [h("dt"), h("dt")];
    this.facts = h(
      "dl",
      { class: "next-facts" },
      ...[this.entropy, this.drawn].map((dd, i) => h("div", {}, this.terms[i], dd)),
    );
    this.search = h("input", {
      type: "text",
      id: "next-search",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
    });
    this.search.addEventListener("input", () => onSearch(this.search.value));
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.search.value) return;
      // Escape also stops the writing: here it only empties the field.
      event.preventDefault();
      event.stopPropagation();
      this.search.value = "";
      onSearch("");
    });
    this.searchLabel = h("label", { for: "next-search" });
    this.found = h("p", { class: "hint", role: "status" });
    this.chartPlace = h("div");
    this.bars = new NextBars(this.chartPlace, { onChoose, onExplain: (words) => this.explain(words) });
    this.more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => onMany(!this.data?.many) });
    this.tableTitle = h("summary");
    this.table = h("table");
    this.tableBox = h(
      "details",
      { class: "next-table" },
      this.tableTitle,
      h("div", { class: "next-table-scroll" }, this.table),
    );
    this.tableBox.addEventListener("toggle", () => this.fillTable());
    this.feet = h("div");
    this.save = new SaveRow(this.feet, {
      name: () => `next-${this.data ? this.data.shown.selected + 1 : 0}`,
      png: () => this.picture(),
      csv: () => toCsv(CSV_HEADER, this.data ? csvRows(this.rows()) : []),
      json: () => this.json(),
    });
    this.body = h(
      "div",
      {},
      this.context,
      this.window,
      this.facts,
      this.settingsPlace,
      h("p", { class: "next-presets" }, this.settingsLine, this.sliders.neutral, this.sliders.defaults),
      h("p", { class: "next-search" }, this.searchLabel, this.search),
      this.found,
      // The line of explanation stays in sight while the bars scroll past.
      h("div", {}, this.chartPlace, this.hint),
      h("p", { class: "next-more" }, this.more),
      this.tableBox,
      this.feet,
    );
    root.append(this.empty, this.switch, this.nothing, this.body);
  }

  /** @returns {Row[]} */
  rows() {
    const { data } = this;
    return data ? rowsOf(data.answer, data.query !== "", followingId(data.shown)) : [];
  }

  /** @param {string | null} words null for what there is to do */
  explain(words) {
    setText(this.hint, words ?? t(this.data?.live ? "next.live" : `next.choose.${this.data?.question ?? "after"}`));
  }

  /**
   * @param {{ settings: Sampling, empty: boolean, question: import("./data.js").Question, nothing: boolean, data: Shown |
   *   null }} state `nothing`: nothing stands before the token that is asked about
   */
  update({ settings, empty, question, nothing, data }) {
    this.data = data;
    this.empty.hidden = !empty;
    this.switch.hidden = empty;
    this.nothing.hidden = !nothing;
    this.body.hidden = empty || nothing;
    if (empty) return setText(this.empty, t("next.empty"));
    setText(this.legend, t("next.question"));
    for (const { name, input, label } of this.questions) {
      input.checked = name === (data?.live ? "instead" : question);
      setText(label, t(`next.question.${name}`));
    }
    if (nothing) return setText(this.nothing, t("next.nothing"));
    this.sliders.update(settings, data?.answer.vocabSize);
    const most = data?.answer.vocabSize ?? Infinity;
    const shownSettings = { ...settings, topK: Math.min(settings.topK, most) };
    setText(this.settingsLine, this.settingsText(shownSettings));
    setText(this.settingsTitle, t("settings.title"));
    // Before the first answer there is nothing to show more of, nor to save.
    this.tableBox.hidden = this.feet.hidden = !data;
    setText(this.searchLabel, t("next.search"));
    this.search.placeholder = t("next.search.placeholder");
    ["next.entropy", data?.live ? "next.written" : "next.drawn"].forEach((name, i) => {
      setText(this.terms[i], t(name));
      /** @type {HTMLElement} */ (this.terms[i].parentElement).title = t(`${name}.hint`);
    });
    this.save.update();
    setText(this.tableTitle, t("next.table"));
    if (data) this.fill(data);
  }

  /** @param {Shown} data */
  fill(data) {
    const { shown, answer, query, stale, writing, many, live } = data;
    for (const part of [this.context, this.facts, this.bars.root])
      part.classList.toggle("stale", stale || (writing && !live));
    this.body.classList.toggle("next-live", live);
    const { before, token, gap } = this.heading(data);
    // One line, however the text is broken.
    setText(this.before, before.replaceAll("\n", "⏎"));
    setText(this.token, token);
    setText(this.gap, gap);
    const from = live ? null : writesFrom(shown);
    this.window.hidden = from === null;
    setText(this.window, from === null ? "" : t("next.window", { count: n(from) }));
    setText(this.entropy, this.entropyText(answer));
    const rows = this.rows();
    setText(this.drawn, live ? this.writtenText(rows) : this.drawnText(answer));
    const searching = query !== "";
    const label = t(searching ? "next.chart.found" : `next.chart.${data.question}`, { query });
    // An axis that changes with every token could not be read.
    this.bars.update({
      rows,
      end: live ? 1 : axisEnd(answer),
      cutAt: cutLineAt(rows),
      cutText: this.cutText(data),
      label,
      fine: searching,
    });
    // The engine gives the likeliest of what it finds.
    const noId = { count: n(answer.vocabSize), last: n(answer.vocabSize - 1) };
    const key = searching ? foundKey(query, rows.length, MOST_FOUND) : "";
    this.found.hidden = key === "";
    setText(this.found, key && t(key, { query, ...(key === "next.found.noId" ? noId : { count: rows.length }) }));
    this.more.hidden = searching || live || answer.vocabSize <= FEW;
    setText(
      this.more,
      t(many ? "next.fewer" : "next.more", { count: n(Math.min(many ? FEW : MANY, answer.vocabSize)) }),
    );
    this.fillTable();
  }

  /**
   * The text around the place that is asked about: the selected token is marked, and the place shows what stands there
   * or "?".
   * @param {Shown} data
   */
  heading({ shown, answer, question, live }) {
    const { before, token, first } = contextOf(shown, CONTEXT);
    const text = first ? t("next.beginning") : showToken(token);
    if (live) return { before, token: text, gap: showToken(answer.found[0].text) };
    if (question === "after") return { before, token: text, gap: "?" };
    const stands = contextOf({ ...shown, selected: shown.selected + 1 }, CONTEXT);
    return { before: stands.before || text, token: showToken(stands.token), gap: "" };
  }

  /** The settings in a line. @param {Sampling} settings */
  settingsText(settings) {
    const names = SHAPING.filter((key) => key === "temperature" || settings[key] !== NEUTRAL[key]);
    return names
      .map((key) => `${t(key === "repetitionPenalty" ? "next.penalty" : `setting.${key}`)} ${settings[key]}`)
      .join(" · ");
  }

  /** The token that was written, and how likely it was. @param {readonly Row[]} rows */
  writtenText(rows) {
    const row = rows.find(({ follows }) => follows);
    return row ? `${shorten(showToken(row.entry.text), 14)} · ${percent(row.p)}` : "";
  }

  /** @param {NextAnswer} answer */
  entropyText({ entropy, adjustedEntropy }) {
    return Number.isNaN(adjustedEntropy)
      ? bits(entropy)
      : `${bits(entropy).replace(/ .*/, "")} → ${bits(adjustedEntropy)}`;
  }

  /** @param {NextAnswer} answer */
  drawnText({ kept, vocabSize }) {
    return t("next.drawn.value", { kept: n(kept), all: n(vocabSize) });
  }

  /** @param {Shown} data */
  cutText({ answer, applied, query }) {
    const lost = cutOff(answer);
    if (query || !lost.count) return "";
    const by = cutters(applied, answer.vocabSize)
      .map((key) => t(`setting.${key}`))
      .join(t("next.and"));
    return t("next.cutLine", { count: n(lost.count), mass: percent(lost.mass), by });
  }

  picture() {
    const { data } = this;
    if (!data) return document.createElement("canvas");
    const { answer } = data;
    const rows = this.rows();
    const { before, token, gap } = this.heading(data);
    return nextPicture({
      rows,
      end: axisEnd(answer),
      cutAt: cutLineAt(rows),
      cutText: this.cutText(data),
      title: `${before}${token} ${gap}`,
      facts: `${t("next.entropy")} ${this.entropyText(answer)} · ${t("next.drawn")} ${this.drawnText(answer)}`,
      names: [t("next.head.raw"), t("next.head.adjusted")],
      cut: t("next.cut"),
      colours: pageColours(this.body),
    });
  }

  /** The chart in numbers; made only while it is open. */
  fillTable() {
    if (!this.tableBox.open) return this.table.replaceChildren();
    const cells = (/** @type {"th" | "td"} */ tag, /** @type {(string | number)[]} */ texts) =>
      h("tr", {}, ...texts.map((text) => h(tag, tag === "th" ? { scope: "col" } : {}, String(text))));
    const names = ["rank", "id", "token", "p", "adjusted", "surprise"].map((name) => t(`next.column.${name}`));
    this.table.replaceChildren(
      h("thead", {}, cells("th", names)),
      h(
        "tbody",
        {},
        ...this.rows().map(({ entry, p }) =>
          cells("td", [
            n(entry.rank + 1),
            entry.id,
            showToken(entry.text),
            finePercent(p),
            entry.kept ? finePercent(entry.adjusted) : t("next.cut"),
            (-entry.logprob / Math.LN2).toFixed(2),
          ]),
        ),
      ),
    );
  }

  json() {
    const { data } = this;
    if (!data) return null;
    const { shown, answer, applied } = data;
    return {
      text: shown.text.slice(0, shown.tokens.ends[shown.selected]),
      position_from_1: shown.selected + 1,
      from_last_tokens: writesFrom(shown),
      settings: applied,
      ...answerJson(answer),
    };
  }
}
