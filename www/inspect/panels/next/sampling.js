/** The settings that shape a distribution, small enough to stand beside it. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { clampSetting, SETTING_SPECS } from "../../../core/settings.js";
import { DEFAULTS, NEUTRAL, SHAPING, sameSampling } from "./data.js";

/** @typedef {import("../../types.js").Sampling} Sampling */

/**
 * Sliders bound to the page's own settings, and two ways back. `onExplain` is told which one is in use, null for none.
 */
export class SamplingSliders {
  /**
   * @param {Element} root
   * @param {{ onChange: (patch: Partial<Sampling>) => void, onExplain: (key: keyof Sampling | null) => void, hintId:
   *   string }} options
   */
  constructor(root, { onChange, onExplain, hintId }) {
    this.vocabSize = Infinity;
    this.controls = SHAPING.map((key) => {
      const spec = /** @type {import("../../../core/settings.js").SettingSpec} */ (
        SETTING_SPECS.find((each) => each.key === key)
      );
      const id = `next-${key}`;
      const range = { min: spec.min, step: spec.step, "aria-describedby": hintId };
      const label = h("label", { for: id });
      const number = h("input", { id, type: "number", max: spec.limit ?? spec.max, ...range });
      const slider = h("input", { type: "range", max: spec.max, ...range });
      const change = (/** @type {string} */ value) =>
        onChange({ [key]: Math.min(clampSetting(spec, value), this.most(key)) });
      number.addEventListener("change", () => {
        control.value = NaN;
        change(number.value);
      });
      slider.addEventListener("input", () => change(slider.value));
      const row = h("div", { class: "control" }, label, number, slider);
      for (const type of ["focusin", "pointerenter"]) row.addEventListener(type, () => onExplain(key));
      for (const type of ["focusout", "pointerleave"]) row.addEventListener(type, () => onExplain(null));
      // `value`: what the fields were last set to.
      const control = { key, spec, label, number, slider, row, value: NaN };
      return control;
    });
    /** The two ways back: placed by whoever owns this. */
    this.neutral = h("button", { type: "button", class: "quiet", onclick: () => onChange(NEUTRAL) });
    this.defaults = h("button", { type: "button", class: "quiet", onclick: () => onChange(DEFAULTS) });
    this.root = h("div", { class: "next-controls" }, ...this.controls.map(({ row }) => row));
    root.append(this.root);
  }

  /** No more tokens can be chosen among than there are. @param {keyof Sampling} key */
  most(key) {
    return key === "topK" ? this.vocabSize : Infinity;
  }

  /** @param {Sampling} settings @param {number} [vocabSize] */
  update(settings, vocabSize = this.vocabSize) {
    this.vocabSize = vocabSize;
    for (const control of this.controls) {
      const { key, spec, label, number, slider } = control;
      const value = Math.min(settings[key], this.most(key));
      const name = t(`setting.${key}`);
      setText(label, key === "repetitionPenalty" ? t("next.penalty") : name);
      label.title = name;
      slider.setAttribute("aria-label", name);
      // What is being typed counts when it is finished, and must not be written over before.
      if (document.activeElement !== number || value !== control.value) number.value = String(value);
      control.value = value;
      if (Number(slider.value) !== value) slider.value = String(value);
      const share = Math.min(1, Math.max(0, (value - spec.min) / (spec.max - spec.min)));
      slider.style.setProperty("--share", `${share * 100}%`);
    }
    setText(this.neutral, t("next.neutral"));
    this.neutral.title = t("next.neutral.hint");
    this.neutral.disabled = sameSampling(settings, NEUTRAL);
    setText(this.defaults, t("next.defaults"));
    this.defaults.title = t("next.defaults.hint");
    this.defaults.disabled = sameSampling(settings, DEFAULTS);
  }
}
