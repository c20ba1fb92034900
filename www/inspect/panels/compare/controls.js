/** Which model to compare with, how far opening and comparing are, and what it takes. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";

/**
 * @typedef {object} ControlsData
 * @property {{ id: string, name: string, differs: boolean }[]} models those that differ in their vocabulary cannot be
 *   chosen
 * @property {string} chosen
 * @property {"idle" | "opening" | "scoring" | "kl" | "ready"} phase
 * @property {{ done: number, total: number }} progress
 * @property {string} name of the chosen model
 * @property {string} memory @property {string} problem
 * @property {boolean} empty there is no text @property {boolean} open the other model is open
 */

export class CompareControls {
  /**
   * @param {{ onOpen: (id: string) => void, onCancel: () => void, onChoose: (id: string) => void, onGo: (tab: "train" |
   *   "models") => void }} handlers `onGo`: to where a model to compare with comes from
   */
  constructor({ onOpen, onCancel, onChoose, onGo }) {
    this.intro = h("p", { class: "compare-quiet" });
    this.label = h("label", { for: "compare-model" });
    this.select = h("select", { id: "compare-model", onchange: () => onChoose(this.select.value) });
    this.go = h("button", { type: "button", class: "secondary", onclick: () => onOpen(this.select.value) });
    this.cancel = h("button", { type: "button", class: "quiet", onclick: onCancel });
    this.row = h("div", { class: "compare-controls" }, this.label, this.select, this.go, this.cancel);
    this.ways = /** @type {const} */ (["train", "models"]).map((tab) => ({
      tab,
      button: h("button", { type: "button", class: "secondary", onclick: () => onGo(tab) }),
    }));
    this.waysRow = h("div", { class: "compare-ways" }, ...this.ways.map(({ button }) => button));
    this.bar = h("progress", {});
    this.status = h("p", { class: "compare-quiet", role: "status" });
    this.memory = h("p", { class: "compare-quiet" });
    this.problem = h("p", { class: "compare-problem", role: "alert" });
    this.root = h(
      "div",
      { class: "compare-head" },
      this.intro,
      this.waysRow,
      this.row,
      this.bar,
      this.status,
      this.problem,
      this.memory,
    );
    this.listed = "";
  }

  /** @param {ControlsData} data */
  update({ models, chosen, phase, progress, name, memory, problem, empty, open }) {
    const usable = !empty && models.length > 0;
    setText(this.intro, t(empty ? "compare.empty" : models.length === 0 ? "compare.none" : "compare.intro"));
    this.row.hidden = !usable && !open;
    this.waysRow.hidden = empty || models.length > 0 || open;
    for (const { tab, button } of this.ways) setText(button, t(`compare.way.${tab}`));
    setText(this.label, t("compare.choose"));
    setText(this.go, t("compare.go"));
    setText(this.cancel, t(phase === "opening" ? "compare.cancel" : "compare.end"));
    const listed = JSON.stringify([models, t("compare.differs")]);
    if (listed !== this.listed) {
      this.listed = listed;
      this.select.replaceChildren(
        ...models.map((model) =>
          h(
            "option",
            { value: model.id, disabled: model.differs },
            model.differs ? t("compare.differs", { name: model.name }) : model.name,
          ),
        ),
      );
    }
    if (this.select.value !== chosen) this.select.value = chosen;
    const busy = phase === "opening" || phase === "scoring" || phase === "kl";
    this.select.disabled = phase === "opening" || open;
    this.go.disabled = models.find(({ id }) => id === chosen)?.differs === true;
    this.go.hidden = phase === "opening" || open;
    this.cancel.hidden = phase !== "opening" && !open;
    this.bar.hidden = !busy;
    if (progress.total > 0 && phase !== "scoring") {
      this.bar.max = progress.total;
      this.bar.value = progress.done;
    } else this.bar.removeAttribute("value");
    const words = {
      idle: "",
      ready: "",
      opening: t("compare.opening", { name }),
      scoring: t("compare.scoring", { name }),
      kl: t("compare.kl", { done: n(progress.done), total: n(progress.total) }),
    };
    setText(this.status, words[phase]);
    this.bar.setAttribute("aria-label", words[phase]);
    this.status.hidden = !busy;
    setText(this.memory, memory);
    this.memory.hidden = memory === "";
    setText(this.problem, problem);
    this.problem.hidden = problem === "";
  }
}
