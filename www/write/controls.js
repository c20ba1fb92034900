import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { SETTING_SPECS } from "../core/settings.js";

/** @typedef {import("../engine/types.js").Settings} Settings */
/** @typedef {import("../core/settings.js").SettingSpec} SettingSpec */

/** One number: a name, a field, a slider, and a sentence that shows while either has focus or the pointer is on it. */
class Control {
  /** @param {SettingSpec} spec @param {(key: keyof Settings, value: string) => void} onChange */
  constructor(spec, onChange) {
    this.spec = spec;
    const id = `setting-${spec.key}`;
    const range = { min: String(spec.min), step: String(spec.step) };
    this.label = h("label", { for: id });
    this.number = h("input", {
      id,
      type: "number",
      max: String(spec.limit ?? spec.max),
      ...range,
      "aria-describedby": "setting-hint",
    });
    this.slider = h("input", { type: "range", max: String(spec.max), ...range, "aria-describedby": "setting-hint" });
    this.number.addEventListener("change", () => {
      this.value = NaN;
      onChange(spec.key, this.number.value);
    });
    this.slider.addEventListener("input", () => onChange(spec.key, this.slider.value));
    this.root = h("div", { class: "control" }, this.label, this.number, this.slider);
    /** What the fields were last set to. */
    this.value = NaN;
  }

  /** @param {number} value @param {number} sliderMax */
  update(value, sliderMax) {
    const { spec } = this;
    const name = t(`setting.${spec.key}`);
    setText(this.label, name);
    this.root.title = t(`setting.${spec.key}.hint`);
    this.slider.max = String(sliderMax);
    this.slider.setAttribute("aria-label", name);
    // What is being typed counts when it is finished, and must not be written over before.
    if (document.activeElement !== this.number || value !== this.value) this.number.value = String(value);
    this.value = value;
    if (Number(this.slider.value) !== value) this.slider.value = String(value);
    const share = Math.min(1, Math.max(0, (value - spec.min) / (sliderMax - spec.min || 1)));
    this.slider.style.setProperty("--share", `${share * 100}%`);
  }
}

/** The sampling settings, folded on small screens. */
export class Controls {
  /**
   * @param {HTMLElement} root
   * @param {{ open: boolean, onChange: (key: keyof Settings, value: string | boolean) => void, onReset: () => void,
   *   onToggle: (open: boolean) => void }} options
   */
  constructor(root, { open, onChange, onReset, onToggle }) {
    this.title = h("span");
    this.controls = SETTING_SPECS.map((spec) => new Control(spec, onChange));
    this.end = h("input", { type: "checkbox", id: "setting-stopAtEnd", "aria-describedby": "setting-hint" });
    this.end.addEventListener("change", () => onChange("stopAtEnd", this.end.checked));
    this.endLabel = h("label", { for: "setting-stopAtEnd" });
    this.endRow = h("div", { class: "check" }, this.end, this.endLabel);
    this.reset = h("button", { type: "button", class: "quiet", onclick: onReset });
    this.hint = h("p", { class: "hint", id: "setting-hint" });
    this.grid = h("div", { class: "controls" }, ...this.controls.map((control) => control.root));
    this.details = h(
      "details",
      { class: "settings", open },
      h("summary", {}, this.title),
      this.grid,
      h("div", { class: "settings-foot" }, this.endRow, this.reset),
      this.hint,
    );
    this.details.addEventListener("toggle", () => onToggle(this.details.open));
    root.append(this.details);
    /** The setting whose sentence is shown. @type {string} */
    this.explained = "";
    for (const type of ["focusin", "pointerover"])
      this.details.addEventListener(type, (event) => this.explain(event.target));
  }

  /** @param {EventTarget | null} target */
  explain(target) {
    const row = target instanceof Element ? target.closest(".control, .check") : null;
    if (!row) return;
    const control = this.controls.find(({ root }) => root === row);
    this.explained = control ? control.spec.key : "stopAtEnd";
    setText(this.hint, t(`setting.${this.explained}.hint`));
  }

  /** @param {{ settings: Settings, changed: boolean, nCtx: number | null }} data */
  update({ settings, changed, nCtx }) {
    setText(this.title, t("settings.title"));
    for (const control of this.controls) {
      const { key, max } = control.spec;
      control.update(Number(settings[key]), key === "maxNewTokens" && nCtx ? nCtx : max);
    }
    this.end.checked = settings.stopAtEnd;
    setText(this.endLabel, t("setting.stopAtEnd"));
    this.endRow.title = t("setting.stopAtEnd.hint");
    setText(this.reset, t("settings.reset"));
    this.reset.title = t("settings.reset.hint");
    this.reset.disabled = !changed;
    setText(this.hint, t(`setting.${this.explained || "temperature"}.hint`));
  }
}
