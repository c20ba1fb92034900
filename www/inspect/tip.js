import { h, setText } from "../core/dom.js";
import { n, t } from "../core/i18n/index.js";
import { bits, hex, percent, shorten, showToken } from "./label.js";
import { TokenBars } from "./token_bars.js";

/** @typedef {import("./tokens_data.js").TokenFigures} TokenFigures */

/**
 * Where a small card goes: below what it is about, above where there is no room, and never over the window's edge.
 * @param {{ left: number, top: number, bottom: number }} about
 * @param {{ width: number, height: number }} size
 * @param {{ width: number, height: number }} window
 */
export function tipPlace(about, size, window) {
  const gap = 6;
  const below = about.bottom + gap;
  const top = below + size.height <= window.height ? below : Math.max(0, about.top - gap - size.height);
  return { left: Math.max(gap, Math.min(about.left, window.width - size.width - gap)), top };
}

/**
 * What the pointer rests on, in short. The token card says the same and more of the token that is selected, by key too.
 */
export class Tip {
  constructor() {
    this.token = h("strong");
    this.facts = h("span", { class: "tip-quiet" });
    this.figures = h("span");
    this.entropy = h("span", { class: "tip-quiet" });
    this.bars = new TokenBars();
    this.root = h(
      "div",
      { class: "tip", "aria-hidden": "true", hidden: true },
      this.token,
      this.facts,
      this.figures,
      this.entropy,
      this.bars.root,
    );
    document.body.append(this.root);
  }

  /**
   * @param {{ left: number, top: number, bottom: number }} about
   * @param {Pick<TokenFigures, "id" | "text" | "bytes" | "logprob" | "rank" | "entropy"> & { alternatives:
   *   import("./token_bars.js").Alternative[] }} data
   */
  show(about, { id, text, bytes, logprob, rank, entropy, alternatives }) {
    setText(this.token, shorten(showToken(text), 24));
    const facts = [
      t("inspect.card.id", { id }),
      ...(bytes.length ? [t("inspect.card.bytes", { bytes: shorten(hex(bytes), 24) })] : []),
    ];
    setText(this.facts, facts.join(" · "));
    const known = !Number.isNaN(logprob);
    setText(
      this.figures,
      known
        ? [percent(Math.exp(logprob)), t("inspect.tip.rank", { rank: n(rank + 1) }), bits(-logprob)].join(" · ")
        : "",
    );
    setText(this.entropy, Number.isNaN(entropy) ? "" : t("inspect.tip.entropy", { entropy: bits(entropy) }));
    this.bars.update(id, alternatives);
    this.root.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const { left, top } = tipPlace(about, { width, height }, { width: innerWidth, height: innerHeight });
    this.root.style.setProperty("transform", `translate(${left}px, ${top}px)`);
  }

  hide() {
    this.root.hidden = true;
  }
}
