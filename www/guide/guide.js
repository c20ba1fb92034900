/**
 * The guide: a card that leads over the real page, step by step. Its own, since it needs a card that is fed by the model,
 * a place that nothing is covered at, and an address; a library for tours (driver.js) brings none of these.
 */
import { reasonOf } from "../core/cause.js";
import { storage } from "../core/dom.js";
import { registerStrings, t } from "../core/i18n/index.js";
import { loadStyle } from "../core/style.js";
import { userText } from "../core/text.js";
import { Asker } from "../inspect/asker.js";
import { GuideCard } from "./card.js";
import { headFor } from "./chapters/attention.js";
import { chapterAt, moved, nameOf, placeOf, stepAt } from "./chapters.js";
import { FactSource, factsOf } from "./facts.js";
import { sources } from "./source.js";
import { Spotlight } from "./spotlight.js";
import { showSource } from "./viewer.js";
import { guideEn } from "./words.en.js";
import { guideZh } from "./words.zh.js";

/** @typedef {import("./types.js").Claims} Claims */
/** @typedef {import("./types.js").Facts} Facts */
/** @typedef {import("./types.js").Place} Place */
/** @typedef {import("./types.js").Said} Said */

registerStrings(guideEn, guideZh);

/** Under this name the place that was left is remembered. */
const LEFT_AT = "guide";
const EXAMPLE = "Once upon a time";
const CAN_FOCUS = "button, input, select, textarea, summary, a[href], [tabindex]";

export class Guide {
  /**
   * Loads what it needs.
   * @param {import("../app.js").App} app @param {(path: string) => Promise<string>} fetchText of a file below `www/`
   */
  static async mount(app, fetchText) {
    await loadStyle("guide/style.css");
    return new Guide(app, fetchText);
  }

  /** @param {import("../app.js").App} app @param {(path: string) => Promise<string>} fetchText */
  constructor(app, fetchText) {
    this.app = app;
    this.fetchText = fetchText;
    const asker = new Asker({
      inspect: (request, options) => app.engine.inspect(request, options),
      worker: () => app.engine.client,
    });
    this.source = new FactSource(
      (slot, request) => asker.ask(slot, request),
      () => this.update(),
    );
    this.card = new GuideCard({
      onChapter: (chapter) => this.go({ chapter, step: 1 }),
      onStep: (by) => this.step(by),
      onClose: () => this.close(),
      onShow: () => this.show(),
      onAnswer: (label) => this.answer(label),
      onTake: () => this.take(),
      source: sources(fetchText),
      onSource: showSource,
    });
    // Behind the header, as it is opened from there: whoever goes by keys comes to it first.
    app.page.header.nav.parentElement?.after(this.card.root);
    this.light = new Spotlight(this.card.root, () => this.update());
    // What a panel is asked is the panel's own affair.
    document.addEventListener("change", () => this.place && this.update());
    /** The place that is shown. @type {Place | null} */
    this.place = null;
    /** The choices that were made, by step. @type {Map<string, string>} */
    this.answers = new Map();
    /** Of the model in `claimsOf`; undefined while they are on their way. @type {Claims | null | undefined} */
    this.claims = null;
    this.claimsOf = "";
    /** A head is to be chosen as soon as it is known which. */
    this.wantsHead = false;
    /** What is shown stays while the model writes. @type {{ step: unknown, said: Said | null }} */
    this.last = { step: null, said: null };
  }

  /** The state of the page, or what is known of the text, has changed. */
  update() {
    const { guide } = this.app.state;
    if (guide === "") {
      if (this.place) this.leave();
      return;
    }
    const place = placeOf(guide);
    // An address names any.
    if (nameOf(place) !== guide) this.go(place);
    if (!this.place || nameOf(place) !== nameOf(this.place)) this.enter(place);
    this.followClaims();
    this.render();
  }

  get current() {
    return stepAt(/** @type {Place} */ (this.place));
  }

  /** @param {Place} place */
  enter(place) {
    const opened = this.place === null;
    this.place = place;
    storage.set(LEFT_AT, nameOf(place));
    this.card.root.hidden = false;
    this.arrange();
    this.light.point(this.current.targets(this.facts()), true);
    // A step that is opened is read out from its title; what somebody is typing is not interrupted.
    const { activeElement } = document;
    if (opened || this.card.root.contains(activeElement) || activeElement === document.body)
      queueMicrotask(() => this.card.title.focus({ preventScroll: true }));
  }

  /** Shows the part of the page that the step is about. */
  arrange() {
    const { app } = this;
    const { shows } = this.current;
    if (app.state.tab !== shows.tab) app.store.set({ tab: shows.tab });
    const { view } = app.state;
    if (shows.tab === "write") {
      const { panel = view.panel, mode = view.mode } = shows;
      const { surprise = view.surprise } = shows;
      if (!view.open || view.panel !== panel || view.mode !== mode || view.surprise !== surprise)
        app.setView({ open: true, panel, mode, surprise });
    }
    this.wantsHead = shows.head !== undefined;
    this.light.unfold(shows.unfold ?? "");
  }

  /** The step again, and the keyboard at what it points at. */
  show() {
    this.arrange();
    this.light.point(this.current.targets(this.facts()), true);
    // On a touch screen focus would pull up the keyboard.
    if (!matchMedia("(pointer: fine)").matches) return;
    this.light.whenFound((target) => {
      const inner = target.matches(CAN_FOCUS) ? target : target.querySelector(CAN_FOCUS);
      /** @type {HTMLElement | null} */ (inner)?.focus({ preventScroll: true });
    });
  }

  /** @param {Place} place */
  go(place) {
    this.app.store.set({ guide: nameOf(place) });
  }

  /** @param {1 | -1} by */
  step(by) {
    const next = moved(/** @type {Place} */ (this.place), by);
    if (next) this.go(next);
    else if (by > 0) this.close(true);
  }

  /** @param {boolean} [finished] it begins anew the next time */
  close(finished = false) {
    if (finished) storage.set(LEFT_AT, "");
    this.app.store.set({ guide: "" });
  }

  /** The address says that it is closed. */
  leave() {
    const had = this.card.root.contains(document.activeElement);
    this.place = null;
    this.card.root.hidden = true;
    this.light.off();
    if (had) this.app.page.header.guide.focus();
  }

  focus() {
    this.card.title.focus({ preventScroll: true });
  }

  /** @param {string} label */
  answer(label) {
    this.answers.set(this.answerKey, label);
    this.render();
  }

  get answerKey() {
    return [/** @type {Place} */ (this.place).chapter, this.current.id].join("-");
  }

  /** Does what the card offers where there is nothing to speak about. */
  take() {
    const { app } = this;
    if (this.current.learns) app.training.plan.replace(app.writer.text || this.example);
    else app.writer.replace(userText(this.example));
    this.card.title.focus({ preventScroll: true });
  }

  get example() {
    return this.claims?.text ?? EXAMPLE;
  }

  /** Fetches what is true of the open model, where it came with the page and nothing was trained. */
  followClaims() {
    const { engine, state } = this.app;
    const model = state.info?.trained ? undefined : state.shipped.find(({ id }) => id === engine.source?.id);
    const name = model?.guide ? model.id : "";
    if (name === this.claimsOf) return;
    this.claimsOf = name;
    this.claims = name ? undefined : null;
    // Another model has other heads that do this.
    this.wantsHead = this.current.shows.head !== undefined;
    if (!model?.guide) return;
    this.fetchText(`models/${model.path}/${model.guide}`)
      .then(JSON.parse)
      // Without them the steps show what they find themselves, and say so.
      .catch(() => null)
      .then((claims) => {
        if (this.claimsOf !== name) return;
        this.claims = claims;
        this.update();
      });
  }

  /** What is known without asking; null while no model is open. @returns {Facts | null} */
  facts() {
    const { inspector, state, training } = this.app;
    const { info, settings, view } = state;
    if (!info) return null;
    const { subject = null, trail = null } = inspector?.context ?? {};
    const claims = this.claims ?? null;
    return factsOf({ info, settings, view, subject, trail, claims, plan: training.plan, run: training.state });
  }

  /** What the step says now, or why it says nothing. @returns {Pick<import("./card.js").CardData, "said" | "waits">} */
  say() {
    const { app } = this;
    const step = this.current;
    const facts = this.facts();
    const reading = { said: null, waits: { text: t("guide.reading") } };
    if (!facts)
      return app.state.loading || !app.state.shipped.length
        ? reading
        : { said: null, waits: { text: t("guide.noModel") } };
    if (step.learns) {
      const said = step.say(facts);
      if (said) return { said, waits: { text: "" } };
      const take = { text: t("guide.noPlan"), action: t("guide.noPlan.take") };
      return facts.training.empty ? { said: null, waits: take } : reading;
    }
    const subject = app.inspector?.context.subject ?? null;
    if (subject?.writing) return this.last.step === step ? { said: this.last.said, waits: reading.waits } : reading;
    if (app.writer.text === "")
      return { said: null, waits: { text: t("guide.noText"), action: t("guide.noText.take") } };
    if (!subject || this.claims === undefined) return reading;
    // What is not on the page is not read; what was said of it stays.
    if (!app.inspector?.shown)
      return this.last.step === step ? { said: this.last.said, waits: reading.waits } : reading;
    const about = { ...facts, version: subject.version, after: this.askedAbout(subject.selected) };
    const needs = step.needs.filter((need) => need !== "heads" || !facts.claims);
    const { found, complete, error } = this.source.get(needs, about);
    if (error) return { said: null, waits: { text: t("guide.failed", { reason: reasonOf(error) }) } };
    const whole = { ...facts, ...found };
    this.chooseHead(whole);
    const said = complete ? step.say(whole) : null;
    return said ? { said, waits: { text: "" } } : reading;
  }

  /** The token that the Next panel asks about: what comes after the selected one, or what else could stand in its place. */
  askedAbout(/** @type {number} */ selected) {
    const instead = /** @type {HTMLInputElement | null} */ (document.getElementById("next-instead"));
    return instead?.checked ? Math.max(0, selected - 1) : selected;
  }

  /** Chooses the head that the step is about, once; from then on the user does. @param {Facts} facts */
  chooseHead(facts) {
    const { head: kind } = this.current.shows;
    const found = this.wantsHead && kind ? headFor(facts, kind) : null;
    if (!found) return;
    this.wantsHead = false;
    const { layer, head } = found;
    if (layer !== facts.layer || head !== facts.head) this.app.setView({ layer, head });
  }

  render() {
    const { place } = this;
    if (!place) return;
    const { said, waits } = this.say();
    const step = this.current;
    if (said) this.last = { step, said };
    this.card.update({
      place,
      step,
      steps: chapterAt(place).steps.length,
      first: moved(place, -1) === null,
      last: moved(place, 1) === null,
      said,
      answer: this.answers.get(this.answerKey) ?? "",
      waits,
    });
    this.light.point(step.targets(this.facts()), false);
  }
}
