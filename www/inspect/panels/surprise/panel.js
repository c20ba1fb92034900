/** "Surprise": how surprising the text was as a whole, its most surprising words, and all its tokens in a table. */
import { h, setText } from "../../../core/dom.js";
import { n, registerStrings, t } from "../../../core/i18n/index.js";
import { shorten } from "../../label.js";
import { levelOf } from "../../trail.js";
import { summaryOf, topOf, wordsOf } from "./data.js";
import { TokenTable } from "./table.js";
import { surpriseEn } from "./words.en.js";
import { surpriseZh } from "./words.zh.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Panel} Panel */

registerStrings(surpriseEn, surpriseZh);

/** Words that are listed. */
const MOST_WORDS = 10;

/** @implements {Panel} */
export class SurprisePanel {
  /** Colours come window by window in a long text. */
  live = true;

  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.empty = h("p", { class: "hint surprise-hint" });
    this.figures = ["mean", "perplexity"].map((name) => ({ name, term: h("dt"), value: h("dd") }));
    this.summary = h(
      "dl",
      { class: "surprise-summary" },
      ...this.figures.map(({ term, value }) => h("div", {}, term, value)),
    );
    this.hint = h("p", { class: "hint surprise-hint" });
    this.title = h("h2", { class: "surprise-title", id: "surprise-words" });
    this.list = h("ol", { class: "surprise-words", "aria-labelledby": "surprise-words" });
    this.table = new TokenTable({ onSelect: (at) => ctx.choose(at) });
    this.body = h("div", {}, this.summary, this.hint, this.title, this.list, this.table.root);
    this.root = h("div", { class: "surprise-panel" }, this.empty, this.body);
    /** What the list shows. */
    this.drawn = "";
  }

  update() {
    const { subject, trail, view } = this.ctx;
    const known = subject ? summaryOf(trail) : { count: 0, bits: NaN, perplexity: NaN };
    this.empty.hidden = known.count > 0;
    this.body.hidden = known.count === 0;
    setText(this.empty, t("surprise.empty"));
    if (!subject || known.count === 0) return;
    const values = [
      t("surprise.mean.value", { bits: known.bits.toFixed(2) }),
      known.perplexity < 1000 ? known.perplexity.toFixed(1) : n(Math.round(known.perplexity)),
    ];
    this.figures.forEach(({ name, term, value }, at) => {
      setText(term, t(`surprise.${name}`));
      setText(value, values[at]);
    });
    setText(this.hint, t("surprise.hint", { perplexity: values[1] }));
    setText(this.title, t("surprise.title"));
    if (!subject.writing) this.drawWords();
    this.table.update({ trail, selected: subject.hidden + subject.selected, off: view.off });
  }

  drawWords() {
    const words = topOf(wordsOf(this.ctx.trail), MOST_WORDS);
    const drawn = JSON.stringify([words, t("surprise.title")]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const longest = words[0]?.bits ?? 1;
    this.list.replaceChildren(
      ...words.map(({ text, at, bits }) => {
        const bar = h("span", { class: `surprise-bar s${levelOf(bits * Math.LN2)}` });
        bar.style.setProperty("--share", `${(100 * bits) / longest}%`);
        return h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "surprise-row", onclick: () => this.ctx.choose(at) },
            h("span", { class: "surprise-word" }, shorten(text, 24)),
            h("span", { class: "surprise-track" }, bar),
            h("span", { class: "surprise-bits" }, t("label.bits", { x: bits.toFixed(1) })),
          ),
        );
      }),
    );
  }

  close() {
    this.table.root.open = false;
    this.table.fill();
  }
}
