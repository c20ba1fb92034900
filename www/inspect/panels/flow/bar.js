/** The bar over the diagram: whose way it is, and the buttons that walk it. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";

export class FlowBar {
  /** @param {Element} root @param {{ onStep: (by: number) => void }} handlers */
  constructor(root, { onStep }) {
    this.who = h("strong", { class: "flow-who" });
    this.back = h("button", { type: "button", class: "secondary", onclick: () => onStep(-1) });
    this.next = h("button", { type: "button", class: "secondary", onclick: () => onStep(1) });
    this.at = h("span", { class: "flow-at", "aria-live": "polite" });
    this.root = h(
      "div",
      { class: "flow-bar-top" },
      this.who,
      h("div", { class: "flow-walk" }, this.at, this.back, this.next),
    );
    root.append(this.root);
  }

  /** @param {{ who: string, at: number, all: number, title: string }} data `at` from 1; 0 before the walk begins */
  update({ who, at, all, title }) {
    setText(this.who, who);
    setText(this.at, at ? t("flow.step.of", { at, all }) : "");
    this.at.setAttribute("aria-label", at ? `${t("flow.step.of", { at, all })}: ${title}` : "");
    setText(this.back, "◀");
    this.back.setAttribute("aria-label", t("flow.step.back"));
    setText(this.next, `${t("flow.step")} ▶`);
    this.next.setAttribute("aria-label", t("flow.step.next"));
    this.back.disabled = at <= 1;
    this.next.disabled = at === all;
  }
}
