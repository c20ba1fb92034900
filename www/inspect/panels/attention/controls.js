/** How attention is shown: map, lines or rollout; the scale; with or without the first token. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { SCALES } from "./data.js";
import { legendGradient, legendMarks } from "./draw.js";
import { blend } from "./lines_data.js";

/** @typedef {import("./data.js").Look} Look */

export const MODES = /** @type {const} */ (["map", "lines", "rollout"]);
/** @typedef {typeof MODES[number]} Mode */

export class AttentionControls {
  /**
   * @param {HTMLElement} modeRoot
   * @param {HTMLElement} lookRoot where the choice of the picture and that of its colours go
   * @param {{ onMode: (mode: Mode) => void, onLook: (look: Look) => void }} handlers
   */
  constructor(modeRoot, lookRoot, { onMode, onLook }) {
    this.modes = MODES.map((mode) => {
      const input = h("input", {
        type: "radio",
        name: "attention-mode",
        value: mode,
        id: `attention-mode-${mode}`,
        onchange: () => onMode(mode),
      });
      return { mode, input, label: h("label", { for: input.id }) };
    });
    this.legend = h("legend", { class: "visually-hidden" });
    this.modeSet = h(
      "fieldset",
      { class: "modes attention-modes" },
      this.legend,
      ...this.modes.flatMap(({ input, label }) => [input, label]),
    );
    modeRoot.append(this.modeSet);

    const scales = SCALES.map((scale) => h("option", { value: scale }));
    this.scale = h("select", { id: "attention-scale", onchange: () => onLook(this.chosen()) }, ...scales);
    this.scaleLabel = h("label", { for: "attention-scale" });
    this.ignore = h("input", { type: "checkbox", id: "attention-ignore", onchange: () => onLook(this.chosen()) });
    this.ignoreLabel = h("label", { for: "attention-ignore" });
    this.bar = h("div", { class: "attention-bar" });
    this.ticks = h("div", { class: "attention-ticks" });
    this.colours = h("div", { class: "attention-legend", role: "img" }, this.bar, this.ticks);
    lookRoot.append(
      h(
        "div",
        { class: "attention-look" },
        this.colours,
        h("span", { class: "attention-choice" }, this.scaleLabel, this.scale),
        h("span", { class: "attention-choice" }, this.ignore, this.ignoreLabel),
      ),
    );
  }

  /** @returns {Look} */
  chosen() {
    return { scale: this.scale.value === "linear" ? "linear" : "sqrt", ignoreFirst: this.ignore.checked };
  }

  /** @param {{ mode: Mode, look: Look }} data */
  update({ mode, look }) {
    setText(this.legend, t("attention.mode"));
    for (const { mode: one, input, label } of this.modes) {
      input.checked = one === mode;
      setText(label, t(`attention.mode.${one}`));
    }
    setText(this.scaleLabel, t("attention.scale"));
    [...this.scale.options].forEach((option) => setText(option, t(`attention.scale.${option.value}`)));
    this.scale.value = look.scale;
    setText(this.ignoreLabel, t("attention.ignore"));
    this.ignore.checked = look.ignoreFirst;
    const sheet = getComputedStyle(this.bar).getPropertyValue("--sheet");
    // Over words the colours are mixed with the sheet below them.
    this.bar.style.backgroundImage =
      mode === "lines" ? legendGradient((share) => `rgb(${blend(share, sheet).join(" ")})`) : legendGradient();
    this.colours.setAttribute("aria-label", t(`attention.legend.${look.scale}`));
    this.ticks.replaceChildren(
      ...legendMarks(look.scale).map(({ at, text }) => {
        const mark = h("span", {}, text);
        mark.style.left = `${100 * at}%`;
        return mark;
      }),
    );
  }
}
