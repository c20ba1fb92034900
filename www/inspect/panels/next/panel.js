/** "Next": what could stand instead of the selected token, or after it, and what the settings make of that. */

import { reasonOf } from "../../../core/cause.js";
import { h, storage } from "../../../core/dom.js";
import { isAbort } from "../../../core/errors.js";
import { registerStrings } from "../../../core/i18n/index.js";
import { askedAbout, keyOf, newestOf, QUESTIONS, questionOf, requestOf, samplingOf } from "./data.js";
import { Distribution, FEW, MANY } from "./distribution.js";
import { nextEn } from "./words.en.js";
import { nextZh } from "./words.zh.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").NextAnswer} NextAnswer */
/** @typedef {import("../../types.js").Panel} Panel */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("./data.js").NextRequest} NextRequest */
/** @typedef {import("./data.js").Question} Question */
/** @typedef {import("./data.js").Row} Row */
/**
 * A question to the engine and what it is about.
 * @typedef {{ key: string, request: NextRequest, subject: Subject, question: Question, query: string, many: boolean
 *   }} Asked
 */

registerStrings(nextEn, nextZh);

/** Under this name the user's choice of the question is remembered. */
const QUESTION = "nextQuestion";

/** @implements {Panel} */
export class NextPanel {
  live = true;

  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.root = h("div", { class: "next" });
    this.query = "";
    this.many = false;
    /** What was asked for last. */
    this.key = "";
    /**
     * Waits until the engine has answered: the last value of a slider counts, not each on its way.
     * @type {Asked | null}
     */
    this.wanted = null;
    this.asking = false;
    /** What is shown. @type {(Asked & { answer: NextAnswer }) | null} */
    this.shown = null;
    /**
     * What the model wrote last, shown until the first answer about what it wrote.
     * @type {ReturnType<typeof newestOf>}
     */
    this.newest = null;
    /** What the user wants to know; null as long as the page chooses. @type {Question | null} */
    this.chosen = QUESTIONS.find((question) => question === storage.get(QUESTION)) ?? null;
    this.view = new Distribution(this.root, {
      settingsOpen: storage.get("nextSettingsOpen") === "1",
      onSettingsOpen: (now) => {
        storage.set("nextSettingsOpen", now ? "1" : "0");
        this.render();
      },
      onQuestion: (question) => {
        this.chosen = question;
        storage.set(QUESTION, question);
        this.update();
      },
      onSettings: (patch) => ctx.setSettings(patch),
      onSearch: (query) => {
        this.query = query;
        this.update();
      },
      onChoose: (row) => this.choose(row),
      onMany: (many) => {
        this.many = many;
        this.update();
      },
    });
  }

  update() {
    const { subject, settings } = this.ctx;
    if (subject?.writing) this.newest = newestOf(subject) ?? this.newest;
    const { question, about } = this;
    if (about && !about.writing) {
      const request = requestOf(about, settings, this.many ? MANY : FEW, this.query);
      const key = `${question} ${keyOf(about, request)}`;
      if (key !== this.key) {
        this.key = key;
        this.wanted = { key, request, subject: about, question, query: this.query, many: this.many };
        if (!this.asking) void this.answer();
      }
    }
    this.render();
  }

  /** Asks, one question at a time, until nothing newer is wanted. */
  async answer() {
    this.asking = true;
    while (this.wanted) {
      const asked = this.wanted;
      this.wanted = null;
      try {
        this.shown = { ...asked, answer: await this.ctx.ask("next", asked.request) };
        if (!this.ctx.subject?.writing) this.newest = null;
        this.render();
      } catch (error) {
        if (!isAbort(error)) this.ctx.say("next.failed", { reason: reasonOf(error) });
      }
    }
    this.asking = false;
  }

  /** @returns {Question} */
  get question() {
    const { subject, view } = this.ctx;
    return subject ? questionOf(this.chosen, subject, view.token) : "after";
  }

  /** The text up to the token that the question's answer comes after; null where there is none. */
  get about() {
    const { subject } = this.ctx;
    return subject && askedAbout(subject, this.question);
  }

  /** What is shown is about the text and the token as they are. */
  get fresh() {
    const { about } = this;
    const shown = this.shown?.subject;
    return Boolean(about && shown && shown.version === about.version && shown.selected === about.selected);
  }

  render() {
    const { subject, settings } = this.ctx;
    const { shown, newest } = this;
    const writing = subject?.writing ?? false;
    this.view.update({
      settings,
      empty: !subject,
      question: this.question,
      nothing: subject !== null && this.about === null && !newest,
      data: newest
        ? {
            ...newest,
            question: "instead",
            applied: samplingOf(settings),
            query: "",
            many: this.many,
            stale: !writing,
            writing,
            live: true,
          }
        : shown && {
            question: shown.question,
            shown: shown.subject,
            answer: shown.answer,
            applied: shown.request.settings,
            query: shown.query,
            many: shown.many,
            stale: !this.fresh,
            writing,
            live: false,
          },
    });
  }

  /** @param {Row} row */
  choose({ entry }) {
    const { about } = this;
    // The text is on its way to be another: the token would stand at the wrong place.
    if (!about || about.writing || !this.fresh) return;
    this.ctx.continueWith(about.selected + 1, entry.id, entry.text);
  }

  close() {
    this.wanted = null;
    this.newest = null;
    this.key = "";
  }
}
