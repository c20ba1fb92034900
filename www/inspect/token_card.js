import { h, setText } from "../core/dom.js";
import { n, t } from "../core/i18n/index.js";
import { bits, finePercent, hex, percent, shorten, showToken } from "./label.js";
import { TokenBars } from "./token_bars.js";

/**
 * @typedef {object} TokenCardData
 * @property {number} position among the tokens that the model sees; below 0 where it does not see it
 * @property {number} count of those tokens
 * @property {number} hidden tokens before those, which it does not see
 * @property {number} id
 * @property {string} text
 * @property {number[]} bytes empty where they are not known
 * @property {boolean} first nothing stands before it
 * @property {boolean} [bos] the model puts it before every text
 * @property {number} vocabSize
 * @property {number} logprob natural; NaN where it is not known
 * @property {number} rank 0 is the likeliest
 * @property {number} entropy in nats, of what was expected there; NaN where it is not known
 * @property {{ id: number, text: string, logprob: number }[]} alternatives best first
 * @property {{ logprob: number, rank: number } | null} written what the model had given it when it wrote it, where that
 *   was otherwise
 */

/** Figures of the card, in their order. */
const FIGURES = /** @type {const} */ (["probability", "rank", "surprise", "entropy"]);

/**
 * The figures as they are written.
 * @param {Pick<TokenCardData, "logprob" | "rank" | "entropy" | "vocabSize">} data
 * @returns {Record<(typeof FIGURES)[number], string>}
 */
export function figures({ logprob, rank, entropy, vocabSize }) {
  const known = !Number.isNaN(logprob);
  return {
    probability: known ? finePercent(Math.exp(logprob)) : "–",
    rank: known ? t("inspect.card.rankOf", { rank: n(rank + 1), size: n(vocabSize) }) : "–",
    surprise: known ? bits(-logprob) : "–",
    entropy: bits(entropy),
  };
}

/**
 * What must be known to read the figures rightly, where the model does not see the whole text; "" where it does.
 * @param {TokenCardData} data
 */
export function sightOf({ position, count, hidden, written }) {
  if (!hidden) return "";
  const seen = n(count);
  const lines = [
    position < 0
      ? t("inspect.card.unseen", { count: seen })
      : t("inspect.card.window", { count: seen, all: n(count + hidden) }),
  ];
  if (written)
    lines.push(
      t("inspect.card.written", { probability: percent(Math.exp(written.logprob)), rank: n(written.rank + 1) }),
    );
  return lines.join(t("inspect.join"));
}

/** The selected token: what it is, how likely it was, and what else could have stood there. */
export class TokenCard {
  /**
   * @param {Element} root
   * @param {{ onAlternative: (position: number, id: number, text: string) => void, onStep: (by: number) => void,
   *   onToggle: (open: boolean) => void
   *   }} options `onToggle`: the user shows or folds the alternatives
   */
  constructor(root, { onAlternative, onStep, onToggle }) {
    /** Of the token that is shown, which while the model writes is not always the newest. */
    this.position = -1;
    this.token = h("span", { class: "card-token" });
    this.facts = h("span", { class: "card-facts" });
    this.back = h("button", { type: "button", class: "quiet card-step", onclick: () => onStep(-1) }, "‹");
    this.on = h("button", { type: "button", class: "quiet card-step", onclick: () => onStep(1) }, "›");
    const list = FIGURES.map((name) => ({ name, term: h("dt"), value: h("dd") }));
    this.figures = list;
    this.numbers = h("dl", { class: "card-figures" }, ...list.map(({ term, value }) => h("div", {}, term, value)));
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
    this.first = h("p", { class: "hint card-first" });
    this.sight = h("p", { class: "hint card-sight" });
    this.title = h("summary", { id: "card-alternatives" });
    this.bars = new TokenBars({
      labelledBy: "card-alternatives",
      onChoose: (id, text) => onAlternative(this.position, id, text),
    });
    /** As the alternatives were folded last. */
    this.unfolded = false;
    const ontoggle = () => {
      if (this.alternatives.open === this.unfolded) return;
      this.unfolded = this.alternatives.open;
      onToggle(this.unfolded);
    };
    this.alternatives = h("details", { class: "card-more", ontoggle }, this.title, this.bars.root);
    this.termsTitle = h("summary");
    this.terms = h("dl");
    this.help = h("details", { class: "card-terms", ontoggle: () => this.drawTerms() }, this.termsTitle, this.terms);
    this.root = h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { class: "card-name" }, this.token),
        this.facts,
        h("span", { class: "card-steps" }, this.back, this.on),
      ),
      h("div", { class: "card-state" }, this.numbers, this.reading),
      this.first,
      this.sight,
    );
    /** What can be folded away; stands at the end of the card, or where the shell puts it. */
    this.folds = h("div", { class: "card-folds" }, this.alternatives, this.help);
    this.root.append(this.folds);
    root.append(this.root);
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

  /** Shows or folds the alternatives. @param {boolean} open */
  unfold(open) {
    this.unfolded = open;
    if (this.alternatives.open !== open) this.alternatives.open = open;
  }

  /** @param {TokenCardData} data */
  update(data) {
    const { text, id, bytes, first, bos, position, count, hidden, alternatives } = data;
    this.position = position;
    this.root.setAttribute("aria-label", t("inspect.card.label"));
    const shown = showToken(text);
    setText(this.token, shorten(shown, 24));
    this.token.title = shown;
    const place =
      position < 0
        ? { position: n(hidden + position + 1), count: n(hidden + count) }
        : { position: n(position + 1), count: n(count) };
    const facts = [t("inspect.card.position", place), t("inspect.card.id", { id })];
    if (bytes.length) facts.push(t("inspect.card.bytes", { bytes: shorten(hex(bytes), 95) }));
    setText(this.facts, facts.join(" · "));
    for (const [button, key] of /** @type {const} */ ([
      [this.back, "inspect.card.back"],
      [this.on, "inspect.card.on"],
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
    }
    this.numbers.hidden = first;
    this.first.hidden = !first;
    setText(this.first, t(bos ? "inspect.card.bos" : "inspect.card.first"));
    const sight = sightOf(data);
    this.sight.hidden = sight === "";
    setText(this.sight, sight);
    this.alternatives.hidden = first || alternatives.length === 0;
    setText(this.title, t("inspect.card.alternatives"));
    this.bars.update(id, alternatives);
    setText(this.termsTitle, t("inspect.card.terms"));
    this.drawTerms();
  }

  drawTerms() {
    if (this.help.open)
      this.terms.replaceChildren(
        ...[...FIGURES, "token"].flatMap((name) => [
          h("dt", {}, t(`inspect.card.${name}`)),
          h("dd", {}, t(`inspect.card.${name}.hint`)),
        ]),
      );
  }
}
