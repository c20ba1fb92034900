/** The models that can be opened, below the header's model: those that came with the page, the user's, and the way to others. */
import { h } from "../core/dom.js";
import { formatBytes, formatCount } from "../core/format.js";
import { n, registerStrings, t } from "../core/i18n/index.js";
import { fitRemark } from "../models/view.js";
import { frameEn } from "./words.en.js";
import { frameZh } from "./words.zh.js";

registerStrings(frameEn, frameZh);

/** @typedef {import("../engine/types.js").ShippedModel} ShippedModel */
/** @typedef {import("../engine/types.js").SavedRun} SavedRun */
/** @typedef {import("../engine/types.js").Info} Info */
/** @typedef {{ name: string, facts: string[], current: boolean, run: (() => void) | null }} Row */

/**
 * @typedef {object} PickerData
 * @property {ShippedModel[]} shipped
 * @property {SavedRun[]} runs that are saved on this device
 * @property {{ id: string, name: string, kind: string } | null} open
 * @property {string} openRun the id of the run that is open, "" for none
 * @property {Info | null} info of the open model
 * @property {number | undefined} deviceMemory in GB, as far as the browser tells
 */

/**
 * What the list shows: its groups with their rows.
 * @param {PickerData} data
 * @param {{ onShipped: (model: ShippedModel) => void, onRun: (run: SavedRun) => void }} handlers
 * @returns {{ title: string, rows: Row[] }[]}
 */
export function groupsOf({ shipped, runs, open, openRun, info, deviceMemory }, { onShipped, onRun }) {
  const included = shipped.map((model) => {
    const facts = [];
    if (model.n_params) facts.push(t("models.facts.params", { count: formatCount(model.n_params) }));
    if (model.languages) facts.push(model.languages.map((tag) => t(`picker.lang.${tag}`)).join(t("picker.and")));
    facts.push(formatBytes(model.files.reduce((sum, file) => sum + file.bytes, 0)));
    const remark = model.n_params ? fitRemark(4 * model.n_params, info?.backend ?? "", deviceMemory) : "";
    facts.push(t(remark || "picker.fits"));
    return { name: model.name, facts, current: open?.id === model.id, run: () => onShipped(model) };
  });
  const saved = runs
    .filter(({ damage }) => damage === "" || damage === "part")
    .map((one) => ({
      name: one.meta.name,
      facts: [
        t(`train.mode.${one.meta.mode}`),
        t("saved.step", { step: n(one.meta.step), steps: n(one.meta.steps) }),
        formatBytes(one.bytes),
      ],
      current: openRun === one.meta.id,
      run: () => onRun(one),
    }));
  // A run that is not saved, or a model from elsewhere.
  const known = [...included, ...saved].some(({ current }) => current);
  if (open && info && !known)
    saved.unshift({
      name: open.name,
      facts: [t("models.facts.params", { count: formatCount(info.nParams) }), t("picker.fits")],
      current: true,
      run: () => {},
    });
  return [
    { title: t("picker.included"), rows: included },
    { title: t("picker.mine"), rows: saved },
  ].filter(({ rows }) => rows.length);
}

export class Picker {
  /**
   * @param {HTMLElement} root
   * @param {{ onShipped: (model: ShippedModel) => void, onRun: (run: SavedRun) => void, onElsewhere: (from: "web" |
   *   "disk") => void, onClose: () => void }} handlers `onElsewhere`: the user goes where others are opened; `onClose`:
   *   something was chosen
   */
  constructor(root, handlers) {
    this.root = root;
    this.handlers = handlers;
    this.drawn = "";
  }

  /** @param {PickerData} data */
  update(data) {
    const { handlers } = this;
    const groups = groupsOf(data, handlers);
    const drawn = JSON.stringify([groups, t("picker.web"), data.info?.backend]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const held = /** @type {(Element | null)[]} */ ([...this.root.querySelectorAll("button")]).indexOf(
      document.activeElement,
    );
    const chosen = (/** @type {() => void} */ run) => () => {
      handlers.onClose();
      run();
    };
    const row = (/** @type {Row} */ { name, facts, current, run }) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: "picker-row",
            "aria-current": current && "true",
            onclick: chosen(current || !run ? () => {} : run),
          },
          h("span", { class: "picker-name" }, name),
          h("span", { class: "facts" }, facts.join(" · ")),
        ),
      );
    const more = (/** @type {"web" | "disk"} */ from) =>
      h(
        "button",
        { type: "button", class: "picker-more", onclick: chosen(() => handlers.onElsewhere(from)) },
        t(`picker.${from}`),
      );
    this.root.replaceChildren(
      ...groups.flatMap(({ title, rows }) => [h("h2", {}, title), h("ul", { class: "picker-list" }, ...rows.map(row))]),
      h("div", { class: "picker-others" }, more("web"), more("disk")),
    );
    this.root.querySelectorAll("button")[held]?.focus();
  }
}
