import { h, setText } from "../core/dom.js";
import { n, t } from "../core/i18n/index.js";
import { bits, finePercent, hex, percent, shorten, showToken } from "./label.js";

/**
 * @typedef {object} TokenCardData
 * @property {number} position among all tokens of the text
 * @property {number} count of those tokens
 * @property {{ from: number, to: number }} window the tokens that the model sees together with it
 * @property {number} id
 * @property {string} text
 * @property {number[]} bytes empty where they are not known
 * @property {boolean} first nothing stands before it
 * @property {boolean} [bos] the model puts it before every text
 * @property {number} vocabSize
 * @property {number} logprob natural; NaN where it is not known
 * @property {number} rank 0 is the likeliest
 * @property {number} entropy in nats, of what was expected there; NaN where it is not known
 * @property {{ logprob: number, rank: number } | null} written what the model had given it when it wrote it, where that
 *   was otherwise
 */

/** Figures of a token, in their order; the line has all but the last. */
const FIGURES = /** @type {const} */ (["surprise", "rank", "probability", "entropy"]);

/**
 * The figures as they are written.
 * @param {Pick<TokenCardData, "logprob" | "rank" | "entropy">} data
 * @returns {Record<(typeof FIGURES)[number], string>}
 */
export function figures({ logprob, rank, entropy }) {
  const known = !Number.isNaN(logprob);
  return {
    probability: known ? finePercent(Math.exp(logprob)) : "–",
    rank: known ? n(rank + 1) : "–",
    surprise: known ? bits(-logprob) : "–",
    entropy: bits(entropy),
  };
}

/**
 * What must be known to read the figures rightly, where the model does not see the whole text; "" where it does.
 * @param {TokenCardData} data
 */
export function sightOf({ count, window, written }) {
  if (window.to - window.from === count) return "";
  const lines = [t("inspect.card.window", { from: n(window.from + 1), to: n(window.to), all: n(count) })];
  if (written)
    lines.push(
      t("inspect.card.written", { probability: percent(Math.exp(written.logprob)), rank: n(written.rank + 1) }),
    );
  return lines.join(t("inspect.join"));
}

/** The selected token in one line: what it is and how surprising; what else is known of it folds out below. */
export class TokenCard {
  /**
   * @param {Element} root
   * @param {{ onStep: (by: number) => void, open: boolean, onToggle: (open: boolean) => void }} options `open`: the
   *   details are folded out; `onToggle`: the user folds them out or in
   */
  constructor(root, { onStep, open, onToggle }) {
    this.token = h("span", { class: "card-token" });
    this.back = h("button", { type: "button", class: "quiet card-step", onclick: () => onStep(-1) }, "‹");
    this.on = h("button", { type: "button", class: "quiet card-step card-on", onclick: () => onStep(1) }, "›");
    this.figures = FIGURES.map((name) => ({ name, term: h("dt"), value: h("dd") }));
    const pairs = this.figures.map(({ name, term, value }) => h("div", { class: `card-${name}` }, term, value));
    this.numbers = h("dl", { class: "card-figures" }, ...pairs.slice(0, -1));
    this.readingText = h("span");
    this.readingShare = h("span", { "aria-hidden": "true" });
    this.readingBar = h("progress", { max: 1 });
    this.reading = h(
      "p",
      { class: "card-reading", role: "status", hidden: true },
      this.readingText,
      this.readingShare,
      this.readingBar,
    );
    this.more = h("button", {
      type: "button",
      class: "quiet card-more",
      "aria-controls": "card-details",
      onclick: () => {
        const unfolded = this.more.getAttribute("aria-expanded") !== "true";
        this.unfold(unfolded);
        onToggle(unfolded);
      },
    });
    this.facts = h("p", { class: "card-facts" });
    this.first = h("p", { class: "hint card-first" });
    this.sight = h("p", { class: "hint card-sight" });
    /** For each figure: its name, its value where the line has none, what it means. */
    this.terms = h("dl", { class: "card-terms" });
    this.uncertainty = pairs.slice(-1)[0];
    this.details = h(
      "div",
      { class: "card-details", id: "card-details" },
      h("div", { class: "card-known" }, this.facts, h("dl", { class: "card-figures" }, this.uncertainty)),
      this.terms,
    );
    this.line = h(
      "div",
      { class: "card-line" },
      // Before the token, whose width changes: they stay under the pointer.
      this.back,
      this.on,
      h("h2", { class: "card-name" }, this.token),
      h("div", { class: "card-state" }, this.numbers, this.reading),
      this.more,
    );
    this.root = h("section", { class: "card" }, this.line, this.first, this.sight, this.details);
    root.append(this.root);
    this.unfold(open);
  }

  /**
   * Says in the place of the figures how far the text is read: a large model takes its time.
   * @param {number | null} share NaN where it is not known; null where nothing is to be waited for
   */
  read(share) {
    this.reading.hidden = share === null;
    this.numbers.classList.toggle("card-awaited", share !== null);
    if (share === null) return;
    setText(this.readingText, t("inspect.reading"));
    this.readingBar.setAttribute("aria-label", t("inspect.reading"));
    setText(this.readingShare, Number.isNaN(share) ? "" : ` ${n(Math.floor(100 * share))} %`);
    if (Number.isNaN(share)) this.readingBar.removeAttribute("value");
    else this.readingBar.value = share;
  }

  /** Folds the details out or in. @param {boolean} open */
  unfold(open) {
    this.details.hidden = !open;
    this.more.setAttribute("aria-expanded", String(open));
  }

  /** @param {TokenCardData} data */
  update(data) {
    const { text, id, bytes, first, bos, position, count, vocabSize } = data;
    this.root.setAttribute("aria-label", t("inspect.card.label"));
    const shown = showToken(text);
    setText(this.token, shorten(shown, 24));
    this.token.title = shown;
    const place = { position: n(position + 1), count: n(count) };
    const facts = [t("inspect.card.position", place), t("inspect.card.id", { id })];
    if (bytes.length) facts.push(t("inspect.card.bytes", { bytes: shorten(hex(bytes), 95) }));
    setText(this.facts, facts.join(" · "));
    for (const [button, key] of /** @type {const} */ ([
      [this.back, "inspect.card.back"],
      [this.on, "inspect.card.on"],
      [this.more, "inspect.card.details"],
    ])) {
      button.setAttribute("aria-label", t(key));
      button.title = t(key);
    }
    this.back.disabled = position <= 0;
    this.on.disabled = position >= count - 1;
    const written = figures(data);
    for (const { name, term, value } of this.figures) {
      setText(term, t(`inspect.card.${name}`));
      setText(value, written[name]);
      /** @type {HTMLElement} */ (term.parentElement).title = t(`inspect.card.${name}`);
    }
    this.numbers.hidden = this.uncertainty.hidden = first;
    this.first.hidden = !first;
    setText(this.first, t(bos ? "inspect.card.bos" : "inspect.card.first"));
    const sight = sightOf(data);
    this.sight.hidden = sight === "";
    setText(this.sight, sight);
    const lines = [...FIGURES, "token"].flatMap((name) => [
      t(`inspect.card.${name}`),
      t(`inspect.card.${name}.hint`, { size: n(vocabSize) }),
    ]);
    if (this.terms.childElementCount) lines.forEach((line, at) => setText(this.terms.children[at], line));
    else this.terms.append(...lines.map((line, at) => h(at % 2 ? "dd" : "dt", {}, line)));
  }
}
