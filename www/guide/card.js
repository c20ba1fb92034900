/** The card of a step: words, formula, question and code. Takes data and tells what the user does. */
import { h, setText } from "../core/dom.js";
import { sentences, t } from "../core/i18n/index.js";
import { CHAPTERS } from "./chapters.js";
import { excerptOf, repositoryLink } from "./source.js";

/** @typedef {import("./types.js").Said} Said */
/** @typedef {import("./types.js").Step} Step */
/** @typedef {import("./types.js").Place} Place */
/** @typedef {import("./types.js").ChapterName} ChapterName */
/**
 * @typedef {object} CardData
 * @property {Place} place
 * @property {Step} step
 * @property {number} steps of the chapter
 * @property {boolean} first nothing comes before it in the guide
 * @property {boolean} last nothing comes after it
 * @property {Said | null} said
 * @property {string} answer the choice that was made, "" for none
 * @property {{ text: string, action?: string }} waits why there is nothing to say
 */
/**
 * @typedef {object} CardHandlers
 * @property {(chapter: ChapterName) => void} onChapter
 * @property {(by: 1 | -1) => void} onStep
 * @property {() => void} onClose
 * @property {() => void} onShow
 * @property {(label: string) => void} onAnswer
 * @property {() => void} onTake does what the card offers where there is nothing to say
 * @property {(file: string) => Promise<string>} source
 * @property {(file: string, text: string, line: number, lines: number) => void} onSource
 */

const LEAST_CHOICES = 2;

export class GuideCard {
  /** @param {CardHandlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    this.chapter = h("select", { onchange: () => handlers.onChapter(/** @type {ChapterName} */ (this.chapter.value)) });
    for (const { name } of CHAPTERS) this.chapter.append(h("option", { value: name }));
    this.at = h("span", { class: "guide-at" });
    this.close = h("button", { type: "button", class: "quiet guide-close", onclick: handlers.onClose }, "×");
    this.title = h("h2", { id: "guide-title", tabindex: "-1" });
    this.text = h("p", { id: "guide-text" });
    this.note = h("p", { class: "guide-note" });
    this.waits = h("p", { class: "guide-waits", role: "status" });
    this.take = h("button", { type: "button", class: "secondary", onclick: handlers.onTake });
    this.formulaName = h("span", { class: "guide-name" });
    this.formula = h("code");
    this.formulaBox = h("p", { class: "guide-formula" }, this.formulaName, this.formula);
    this.ask = h("legend");
    this.choices = h("div", { class: "guide-choices" });
    this.feedback = h("p", { class: "guide-feedback", role: "status" });
    this.question = h("fieldset", { class: "guide-question" }, this.ask, this.choices, this.feedback);
    this.summary = h("summary");
    this.lines = h("pre", { class: "guide-source", tabindex: "0" });
    this.link = h("a", { class: "guide-link", target: "_blank", rel: "noopener" });
    this.open = h("button", { type: "button", class: "quiet guide-link" });
    this.code = h("details", { class: "guide-code" }, this.summary, this.lines, this.link, this.open);
    this.code.addEventListener("toggle", () => void this.showCode());
    this.show = h("button", { type: "button", class: "quiet", onclick: handlers.onShow });
    this.back = h("button", { type: "button", class: "secondary", onclick: () => handlers.onStep(-1) });
    this.next = h("button", { type: "button", class: "secondary guide-next", onclick: () => handlers.onStep(1) });
    this.keys = h("p", { class: "guide-keys" });
    this.body = h(
      "div",
      { class: "guide-body" },
      this.title,
      this.text,
      this.note,
      this.waits,
      this.take,
      this.formulaBox,
      this.question,
      this.code,
    );
    this.root = h(
      "section",
      {
        class: "guide",
        role: "dialog",
        "aria-labelledby": this.title.id,
        "aria-describedby": this.text.id,
        hidden: true,
      },
      h("div", { class: "guide-head" }, this.chapter, this.at, this.close),
      this.body,
      h("div", { class: "guide-foot" }, this.show, this.back, this.next),
      this.keys,
    );
    this.root.addEventListener("keydown", (event) => this.key(event));
    /** @type {CardData | null} */
    this.data = null;
    /** The choices that are drawn. */
    this.drawn = "";
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // Arrows choose a chapter in the list, and scroll code.
    const own = event.target === this.chapter || event.target === this.lines;
    if (event.key === "Escape") this.handlers.onClose();
    else if (event.key === "ArrowRight" && !own) this.handlers.onStep(1);
    else if (event.key === "ArrowLeft" && !own) this.handlers.onStep(-1);
    else return;
    event.preventDefault();
  }

  /**
   * A string of the step.
   * @param {CardData} data @param {string} part @param {Record<string, string | number>} blanks
   */
  words({ place, step, said }, part, blanks) {
    const { chapter } = place;
    const variant = said?.variant ?? "";
    return step.variants?.[variant]?.includes(part)
      ? t(`guide.${chapter}.${step.id}.${part}.${variant}`, blanks)
      : t(`guide.${chapter}.${step.id}.${part}`, blanks);
  }

  /** @param {CardData} data */
  update(data) {
    const before = this.data;
    this.data = data;
    const { place, step, steps, said, answer, waits } = data;
    this.root.dataset.step = [place.chapter, step.id].join("-");
    this.chapter.setAttribute("aria-label", t("guide.chapter"));
    for (const option of this.chapter.options) setText(option, t(`guide.name.${option.value}`));
    this.chapter.value = place.chapter;
    setText(this.at, t("guide.at", { step: place.step, steps }));
    this.at.setAttribute("aria-label", t("guide.at.said", { step: place.step, steps }));
    this.close.setAttribute("aria-label", t("guide.close"));
    this.close.title = t("guide.close");
    const blanks = said?.blanks ?? {};
    setText(this.title, t(`guide.${place.chapter}.${step.id}.title`));
    for (const part of [this.text, this.formulaBox, this.question]) part.hidden = !said;
    setText(this.text, said ? this.words(data, "text", blanks) : "");
    this.note.hidden = !said?.note;
    setText(this.note, said?.note ? t(said.note, blanks) : "");
    this.waits.hidden = said !== null;
    setText(this.waits, waits.text);
    this.take.hidden = said !== null || !waits.action;
    setText(this.take, waits.action ?? "");
    setText(this.formulaName, t("guide.formula"));
    setText(this.formula, said?.formula ?? "");
    this.formulaBox.hidden = !said?.formula;
    this.drawQuestion(data, said, answer);
    setText(this.summary, t("guide.code"));
    if (before?.step !== step) {
      this.code.open = false;
      this.lines.replaceChildren();
      this.body.scrollTop = 0;
    }
    if (this.code.open) void this.showCode();
    setText(this.show, t("guide.show"));
    this.show.title = t("guide.show.hint");
    setText(this.back, t("guide.back"));
    this.back.disabled = data.first;
    setText(this.next, t(data.last ? "guide.finish" : "guide.next"));
    setText(this.keys, t("guide.keys"));
  }

  /** @param {CardData} data @param {Said | null} said @param {string} answer */
  drawQuestion(data, said, answer) {
    this.question.hidden = !said || said.choices.length < LEAST_CHOICES;
    if (!said) return;
    setText(this.ask, this.words(data, "ask", said.blanks));
    const drawn = JSON.stringify(said.choices.map(({ label }) => label));
    if (drawn !== this.drawn) {
      const focused = [...this.choices.children].indexOf(/** @type {Element} */ (document.activeElement));
      this.drawn = drawn;
      this.choices.replaceChildren(
        ...said.choices.map(({ label }) =>
          h("button", { type: "button", class: "guide-choice", onclick: () => this.handlers.onAnswer(label) }, label),
        ),
      );
      /** @type {HTMLElement | undefined} */ (this.choices.children[focused])?.focus();
    }
    const chosen = said.choices.find(({ label }) => label === answer);
    said.choices.forEach(({ label, right }, at) => {
      const button = /** @type {HTMLElement} */ (this.choices.children[at]);
      button.setAttribute("aria-pressed", String(label === answer));
      button.dataset.verdict = label !== answer ? "" : right ? "right" : "wrong";
    });
    this.feedback.dataset.verdict = chosen ? (chosen.right ? "right" : "wrong") : "";
    setText(
      this.feedback,
      chosen ? sentences(t(chosen.right ? "guide.right" : "guide.wrong"), this.words(data, "why", said.blanks)) : "",
    );
  }

  /** The lines are fetched when somebody wants to see them. */
  async showCode() {
    const { data } = this;
    if (!this.code.open || !data) return;
    const { code } = data.step;
    const { file } = code;
    if (!this.lines.textContent) setText(this.lines, t("guide.code.loading"));
    this.lines.setAttribute("aria-label", file);
    try {
      const text = await this.handlers.source(file);
      if (this.data?.step.code !== code) return;
      const { first, lines } = excerptOf(text, code);
      const rows = lines.map((line) => h("span", {}, `${line}\n`));
      rows.forEach((row, index) => (row.dataset.line = String(first + index)));
      this.lines.replaceChildren(...rows);
      const address = repositoryLink(file, first);
      const words = t("guide.code.open", { file, line: first });
      this.link.hidden = address === "";
      this.open.hidden = address !== "";
      if (address) this.link.href = address;
      setText(this.link, words);
      setText(this.open, words);
      this.open.onclick = () => this.handlers.onSource(file, text, first, code.lines);
    } catch {
      if (this.data?.step.code === code) setText(this.lines, t("guide.code.failed"));
    }
  }
}
