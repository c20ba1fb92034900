/** "Next": what the model expects after the selected token, and what the settings make of it. */

import { reasonOf } from "../../../core/cause.js";
import { h, storage } from "../../../core/dom.js";
import { isAbort } from "../../../core/errors.js";
import { registerStrings } from "../../../core/i18n/index.js";
import { keyOf, newestOf, requestOf, samplingOf } from "./data.js";
import { Distribution, FEW, MANY } from "./distribution.js";
import { nextEn } from "./words.en.js";
import { nextZh } from "./words.zh.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").NextAnswer} NextAnswer */
/** @typedef {import("../../types.js").Panel} Panel */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("./data.js").NextRequest} NextRequest */
/** @typedef {import("./data.js").Row} Row */
/**
 * A question to the engine and what it is about.
 * @typedef {{ key: string, request: NextRequest, subject: Subject, query: string, many: boolean }} Asked
 */

registerStrings(nextEn, nextZh);

/** Where the settings and the bars both have room. */
const ROOMY = "(min-width: 1000px) and (min-height: 860px)";

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
    const open = storage.get("nextSettingsOpen") ?? (globalThis.matchMedia?.(ROOMY).matches ? "1" : "0");
    this.view = new Distribution(this.root, {
      settingsOpen: open === "1",
      onSettingsOpen: (now) => {
        storage.set("nextSettingsOpen", now ? "1" : "0");
        this.render();
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
    if (subject && !subject.writing) {
      const request = requestOf(subject, settings, this.many ? MANY : FEW, this.query);
      const key = keyOf(subject, request);
      if (key !== this.key) {
        this.key = key;
        this.wanted = { key, request, subject, query: this.query, many: this.many };
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

  /** What is shown is about the text and the token as they are. */
  get fresh() {
    const { subject } = this.ctx;
    const about = this.shown?.subject;
    return Boolean(subject && about && about.version === subject.version && about.selected === subject.selected);
  }

  render() {
    const { subject, settings } = this.ctx;
    const { shown, newest } = this;
    const writing = subject?.writing ?? false;
    this.view.update({
      settings,
      empty: !subject,
      data: newest
        ? { ...newest, applied: samplingOf(settings), query: "", many: this.many, stale: !writing, writing, live: true }
        : shown && {
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
    const { subject } = this.ctx;
    // The text is on its way to be another: the token would stand at the wrong place.
    if (!subject || subject.writing || !this.fresh) return;
    this.ctx.continueWith(subject.selected + 1, entry.id, entry.text);
  }

  close() {
    this.wanted = null;
    this.newest = null;
    this.key = "";
  }
}
