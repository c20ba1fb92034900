import { h, setText } from "../../dom.js";
import { bits, percent, shorten, showToken } from "../../inspect/label.js";
import { n, t } from "../../i18n/index.js";

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

/** What the pointer rests on, in few words. The token card says the same and more of the token that is selected, by key too. */
export class Tip {
  constructor() {
    this.token = h("strong");
    this.figures = h("span");
    this.others = h("span", { class: "tip-others" });
    this.root = h("div", { class: "tip", "aria-hidden": "true", hidden: true }, this.token, this.figures, this.others);
    document.body.append(this.root);
  }

  /**
   * @param {{ left: number, top: number, bottom: number }} about
   * @param {{ text: string, id: number, logprob: number, rank: number, alternatives: { id: number, text: string, logprob: number }[] }} data
   */
  show(about, { text, id, logprob, rank, alternatives }) {
    setText(this.token, shorten(showToken(text), 24));
    const known = !Number.isNaN(logprob);
    setText(this.figures, known ? [percent(Math.exp(logprob)), t("inspect.tip.rank", { rank: n(rank + 1) }), bits(-logprob)].join(" · ") : "");
    const others = alternatives.filter((one) => one.id !== id).slice(0, 3);
    const list = others.map((one) => `${shorten(showToken(one.text), 14)} ${percent(Math.exp(one.logprob))}`);
    setText(this.others, known && list.length ? t("inspect.tip.others", { list: list.join(", ") }) : "");
    this.root.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const { left, top } = tipPlace(about, { width, height }, { width: innerWidth, height: innerHeight });
    this.root.style.setProperty("transform", `translate(${left}px, ${top}px)`);
  }

  hide() {
    this.root.hidden = true;
  }
}
