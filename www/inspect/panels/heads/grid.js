/** Every head and MLP as a switch, a row a layer; coloured by what a ranking found. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { isDark } from "../../canvas.js";
import { diverging, divergingCss, inkOn } from "../../color.js";
import { percent, showToken, signedBits } from "../../label.js";
import { cellSize, isOff, LAYER, layerUnits, MLP, moveUnit, scaleOf, shade, unitKey } from "./data.js";

/** @typedef {import("../../types.js").Unit} Unit */
/** @typedef {import("./data.js").Effect} Effect */
/**
 * @typedef {{ layers: number, heads: number, off: readonly Unit[], effects: readonly Effect[], target: string, width:
 *   number }} GridData
 */

const GAP_PX = 2;
/** The MLPs stand a little apart. */
const MLP_GAP_PX = 6;
/** The numbers of the layers; narrower where the grid is. */
const LABEL_PX = { wide: 40, narrow: 28, narrowBelow: 400 };
/** Cells this wide hold a number. */
const NUMBER_PX = 38;

/** @param {Unit} unit */
export function unitName({ layer, head }) {
  if (head === LAYER) return t("heads.all", { layer });
  return head === MLP ? t("heads.unit.mlp", { layer }) : t("heads.unit", { layer, head });
}

/** @param {Unit} unit */
export function unitShort({ layer, head }) {
  return head === MLP ? t("heads.unit.short.mlp", { layer }) : t("heads.unit.short", { layer, head });
}

/**
 * Sizes of the grid in a column of `width` pixels.
 * @param {number} width @param {number} heads
 */
export function gridSizes(width, heads) {
  const label = width < LABEL_PX.narrowBelow ? LABEL_PX.narrow : LABEL_PX.wide;
  // Columns: the labels, the heads, the MLP; and a gap before, between and after them.
  const fixed = label + MLP_GAP_PX + GAP_PX * (heads + 3);
  const cell = cellSize(width - fixed, heads + 1);
  return { label, cell, width: fixed + cell * (heads + 1) };
}

export class HeadsGrid {
  /**
   * @param {Element} root
   * @param {{ onToggle: (unit: Unit) => void, onReset: () => void }} handlers a whole layer is the head `LAYER`
   */
  constructor(root, { onToggle, onReset }) {
    this.onToggle = onToggle;
    this.count = h("span", { class: "heads-count", "aria-live": "polite" });
    this.reset = h("button", { type: "button", class: "quiet", onclick: onReset });
    this.head = h("thead");
    this.body = h("tbody");
    this.table = h(
      "table",
      {
        class: "heads-grid",
        role: "grid",
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
        onclick: (/** @type {MouseEvent} */ event) => this.press(event),
        onfocusin: (/** @type {FocusEvent} */ event) => this.focusin(event),
        onpointerover: (/** @type {PointerEvent} */ event) => this.tell(this.unitOf(event.target)),
        onpointerleave: () => this.tell(null),
      },
      this.head,
      this.body,
    );
    this.readout = h("p", { class: "heads-readout" });
    this.scale = h("div", { class: "heads-scale" });
    this.ends = [h("span"), h("span"), h("span"), h("span"), h("span")];
    this.legendWords = [h("span"), h("span")];
    this.legendUnit = h("p", { class: "hint" });
    this.legend = h(
      "div",
      { class: "heads-legend" },
      h("div", { class: "heads-legend-words" }, ...this.legendWords),
      this.scale,
      h("div", { class: "heads-ticks" }, ...this.ends),
      this.legendUnit,
    );
    this.keys = h("p", { class: "hint" });
    this.bar = h("div", { class: "heads-bar" }, this.count, this.reset);
    this.scroll = h("div", { class: "heads-scroll" }, this.table);
    this.scroll.addEventListener("scroll", () => this.look(), { passive: true });
    root.append(this.bar, this.scroll, this.readout, this.legend, this.keys);
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    /** @type {Unit} */
    this.cursor = { layer: 0, head: 0 };
    this.shape = "";
    this.dark = false;
    /** What was drawn of each cell: only what changes is drawn again. @type {Map<string, string>} */
    this.painted = new Map();
    /** @type {GridData | null} */
    this.data = null;
    /** @type {Map<string, Effect>} */
    this.effects = new Map();
  }

  /** @param {GridData} data */
  update(data) {
    const { layers, heads, off, effects, width } = data;
    this.data = data;
    this.effects = new Map(effects.map((effect) => [unitKey(effect), effect]));
    this.build(layers, heads);
    this.dark = isDark();
    const gradient = `linear-gradient(90deg, ${Array.from({ length: 13 }, (_, i) => divergingCss(i / 6 - 1, this.dark)).join(", ")})`;
    this.once("scale", gradient, () => (this.scale.style.background = gradient));
    const { label, cell } = gridSizes(width, heads);
    this.once("cell", `${label} ${cell}`, () => {
      this.table.style.setProperty("--cell", `${cell}px`);
      this.table.style.setProperty("--label", `${label}px`);
      this.look();
    });
    this.table.setAttribute("aria-label", t("heads.grid"));
    setText(
      this.count,
      off.length ? t("heads.count", { count: off.length, total: layers * (heads + 1) }) : t("heads.none"),
    );
    setText(this.reset, t("heads.reset"));
    this.reset.hidden = !off.length;
    const scale = scaleOf(effects);
    for (let layer = 0; layer < layers; layer += 1) {
      const all = layerUnits(layer, heads).every((unit) => isOff(off, unit));
      this.paint({ layer, head: LAYER }, all, null);
      for (const unit of layerUnits(layer, heads)) {
        const effect = this.effects.get(unitKey(unit));
        const number = effect && cell >= NUMBER_PX && !isOff(off, unit) ? signedBits(effect.delta) : "";
        this.paint(unit, isOff(off, unit), effect ? shade(effect.delta, scale) : null, number);
      }
    }
    setText(this.head.rows[0].cells[0], t("heads.layer"));
    setText(/** @type {HTMLElement} */ (this.head.rows[0].lastElementChild), t("heads.mlp"));
    this.legend.hidden = !effects.length;
    [-scale, -scale / 4, 0, scale / 4, scale].forEach((value, i) =>
      setText(this.ends[i], signedBits(value, scale < 0.1 ? 3 : 2)),
    );
    setText(this.legendWords[0], t("heads.legend.less"));
    setText(this.legendWords[1], t("heads.legend.more"));
    setText(this.legendUnit, t("heads.legend.unit"));
    setText(this.keys, t("heads.keys"));
    this.tell(null);
  }

  /** @param {number} layers @param {number} heads */
  build(layers, heads) {
    const shape = `${layers} ${heads}`;
    if (shape === this.shape) return;
    this.shape = shape;
    this.buttons.clear();
    this.painted.clear();
    this.cursor = { layer: 0, head: 0 };
    const columns = Array.from({ length: heads }, (_, head) => h("th", { scope: "col" }, String(head)));
    this.head.replaceChildren(h("tr", {}, h("th"), ...columns, h("th", { scope: "col" })));
    const button = (/** @type {Unit} */ unit, /** @type {string} */ text) => {
      const made = h("button", { type: "button", tabindex: -1, "data-unit": unitKey(unit) }, text);
      this.buttons.set(unitKey(unit), made);
      return made;
    };
    this.body.replaceChildren(
      ...Array.from({ length: layers }, (_, layer) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, button({ layer, head: LAYER }, String(layer))),
          ...layerUnits(layer, heads).map((unit) =>
            h("td", { role: "gridcell", class: unit.head === MLP ? "heads-mlp" : null }, button(unit, "")),
          ),
        ),
      ),
    );
    this.roam();
  }

  /** Says whether more columns are than can be seen: the edge fades there. */
  look() {
    const { scrollLeft, scrollWidth, clientWidth, classList } = this.scroll;
    classList.toggle("more-after", scrollWidth - clientWidth - scrollLeft > MLP_GAP_PX);
  }

  /**
   * Does something only where what it depends on has changed.
   * @param {string} name
   * @param {string} value
   * @param {() => void} draw
   */
  once(name, value, draw) {
    if (this.painted.get(name) === value) return;
    this.painted.set(name, value);
    draw();
  }

  /** @param {Unit} unit @param {boolean} off @param {number | null} shown @param {string} [number] */
  paint(unit, off, shown, number) {
    const key = unitKey(unit);
    const button = this.buttons.get(key);
    if (!button) return;
    const colour = off || shown === null ? null : diverging(shown, this.dark);
    const words = this.words(unit, off);
    this.once(`colour ${key}`, String(colour), () => {
      button.style.background = colour ? `rgb(${colour.join(", ")})` : "";
      button.style.color = colour ? inkOn(colour) : "";
    });
    this.once(`words ${key}`, words, () => button.setAttribute("aria-label", words));
    this.once(`off ${key}`, String(off), () => button.setAttribute("aria-pressed", String(off)));
    if (number !== undefined) setText(button, number);
  }

  /** @param {Unit} unit @param {boolean} off */
  words(unit, off) {
    const whole = unit.head === LAYER;
    const state = t(whole ? (off ? "heads.all.on" : "heads.all.off") : off ? "heads.off" : "heads.on");
    const effect = whole ? undefined : this.effects.get(unitKey(unit));
    const words = t("heads.readout", { unit: unitName(unit), state });
    if (!effect) return words;
    const { delta, before, after, lossDelta } = effect;
    const told = t(off ? "heads.readout.effect.off" : "heads.readout.effect", {
      delta: signedBits(delta),
      target: showToken(this.data?.target ?? ""),
      before: percent(before),
      after: percent(after),
      loss: signedBits(lossDelta, 3),
    });
    // A number and its sign of per cent stay on one line.
    return `${words} · ${told.replaceAll(" %", "\u00a0%")}`;
  }

  /** Of the grid's buttons one takes part in the order of Tab. */
  roam() {
    for (const button of this.buttons.values()) button.tabIndex = -1;
    const current = this.buttons.get(unitKey(this.cursor));
    if (current) current.tabIndex = 0;
  }

  /** @param {EventTarget | null} target @returns {Unit | null} */
  unitOf(target) {
    const key = target instanceof Element ? target.closest("button")?.getAttribute("data-unit") : null;
    if (!key) return null;
    const [layer, head] = key.split(".").map(Number);
    return { layer, head };
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const unit = this.unitOf(event.target);
    if (!unit || !this.data || event.ctrlKey || event.metaKey || event.altKey) return;
    const moved = moveUnit(event.key, unit, this.data.layers, this.data.heads);
    if (!moved) return;
    event.preventDefault();
    this.buttons.get(unitKey(moved))?.focus();
  }

  /** @param {FocusEvent} event */
  focusin(event) {
    const unit = this.unitOf(event.target);
    if (!unit) return;
    this.cursor = unit;
    this.roam();
    this.tell(unit);
  }

  /** @param {MouseEvent} event */
  press(event) {
    const unit = this.unitOf(event.target);
    if (unit) this.onToggle(unit);
  }

  /**
   * Says what is known of a unit; of the one that has or had the focus where none is pointed at.
   * @param {Unit | null} unit
   */
  tell(unit) {
    const about = unit ?? this.cursor;
    setText(this.readout, this.buttons.get(unitKey(about))?.getAttribute("aria-label") ?? "");
  }
}
