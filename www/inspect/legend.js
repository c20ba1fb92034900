import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { MOST_BITS, MOST_LEVEL } from "./trail.js";

/** The scale of surprise under the paper, and its switch. */
export class SurpriseLegend {
  /**
   * @param {Element} root
   * @param {{ onToggle: (on: boolean) => void }} options
   */
  constructor(root, { onToggle }) {
    this.box = h("input", { type: "checkbox", id: "surprise" });
    this.box.addEventListener("change", () => onToggle(this.box.checked));
    this.label = h("label", { for: "surprise" });
    const cells = Array.from({ length: MOST_LEVEL + 1 }, (_, level) => h("span", { class: `tint s${level}` }));
    this.from = h("span");
    this.to = h("span");
    this.part = h("span", { class: "surprise-part" });
    this.scale = h(
      "span",
      { class: "scale" },
      this.from,
      h("span", { class: "scale-cells", "aria-hidden": "true" }, ...cells),
      this.to,
      this.part,
    );
    this.root = h("div", { class: "surprise" }, this.box, this.label, this.scale);
    root.append(this.root);
  }

  /** @param {{ on: boolean, coloured: number }} data `coloured`: the share of the text that has colours */
  update({ on, coloured }) {
    const part = coloured < 1 ? t("inspect.surprise.part", { share: Math.floor(100 * coloured) }) : "";
    setText(this.part, part);
    this.box.checked = on;
    setText(this.label, t("inspect.surprise"));
    this.label.title = t("inspect.surprise.hint");
    setText(this.from, "0");
    setText(this.to, t("inspect.surprise.to", { bits: MOST_BITS }));
    this.scale.hidden = !on;
  }
}
