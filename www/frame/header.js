import { h, setText } from "../core/dom.js";
import { formatCount } from "../core/format.js";
import { engineWords, n, t } from "../core/i18n/index.js";
import { Popover } from "./popover.js";

/** @typedef {import("../engine/types.js").Tab} Tab */
/** @typedef {import("../engine/types.js").Backend} Backend */
/** @typedef {import("../engine/types.js").Info} Info */

/** The engine's reasons for its backend, and their names here. @type {Record<string, string>} */
const REASONS = {
  "device.asked_cpu": "backend.why.chosen",
  "device.asked_gpu": "backend.why.chosen",
  "device.found": "backend.why.gpu",
  "device.software": "backend.why.software",
};

/**
 * Why this backend runs, in a few words of the page's language.
 * @param {Pick<Info, "backend" | "backendReason">} info
 */
export function backendReason({ backend, backendReason: reason }) {
  const known = REASONS[reason.code];
  if (!known && backend === "cpu" && globalThis.isSecureContext === false) return t("error.insecureGpu");
  if (known) return t(known);
  // The engine says at length which adapters it has asked for in vain.
  return backend === "cpu" ? t("backend.why.noGpu") : "";
}

/**
 * The open model in the header: its name, with the adapter on it and how strongly that acts.
 * @param {string} name @param {Pick<Info, "trained"> | null} info @param {number} strength of the adapter
 */
export function modelName(name, info, strength) {
  if (!info) return t("header.none");
  return info.trained === "lora" ? t("header.adapter", { name, strength: strength.toFixed(2) }) : name;
}

/** The name, the tabs, the open model and where it runs, and what applies to the whole page. */
export class Header {
  /**
   * @param {HTMLElement} root
   * @param {{ tabs: Tab[], onTab: (tab: Tab) => void, onModel: () => void, onBackend: (backend: Backend) => void,
   *   onGuide: () => void, onAbout: () => void, onLang: () => void, onTheme: () => void }} options `onModel`: the list
   *   of models was folded out
   */
  constructor(root, { tabs, onTab, onModel, onBackend, onGuide, onAbout, onLang, onTheme }) {
    this.title = h("h1", { class: "brand" });
    /** @type {Map<Tab, HTMLButtonElement>} */
    this.tabs = new Map(
      tabs.map((tab) => [
        tab,
        h("button", { type: "button", class: "tab", "data-tab": tab, onclick: () => onTab(tab) }, h("span")),
      ]),
    );
    // Read out from the status line; the tab keeps its name.
    this.run = h("span", { class: "tab-run", "aria-hidden": "true", hidden: true });
    this.tabs.get("train")?.append(this.run);
    this.nav = h("nav", { class: "tabs" }, ...this.tabs.values());

    this.modelLabel = h("span", { class: "visually-hidden" });
    this.modelName = h("span", { class: "model-name" });
    this.modelSize = h("span", { class: "model-size" });
    this.model = h(
      "button",
      { type: "button", class: "quiet folds model-button", id: "model-button" },
      this.modelLabel,
      this.modelName,
      " ",
      this.modelSize,
    );
    /** Filled when it is first folded out. */
    this.modelPanel = h("div", { class: "popover model-panel", id: "model-panel" });
    this.modelPopover = new Popover(this.model, this.modelPanel, onModel);

    this.backendButton = h("button", { type: "button", class: "quiet folds backend-button", id: "backend-button" });
    this.backendWhy = h("p", { class: "backend-why" });
    this.backendLabel = h("label", { for: "backend" });
    /** @type {HTMLSelectElement} */
    this.backend = h("select", {
      id: "backend",
      onchange: () => {
        // What is said of it must not lie below.
        this.backendPopover.close();
        onBackend(/** @type {Backend} */ (this.backend.value));
      },
    });
    for (const value of ["auto", "cpu", "webgpu"]) this.backend.append(h("option", { value }));
    this.backendDetails = h("p", { class: "hint backend-details" });
    const backendPanel = h(
      "div",
      { class: "popover backend-panel", id: "backend-panel" },
      h("div", { class: "backend" }, this.backendLabel, this.backend),
      this.backendWhy,
      this.backendDetails,
    );
    this.backendPopover = new Popover(this.backendButton, backendPanel);

    this.guide = h("button", { type: "button", class: "quiet guide-button", onclick: onGuide });
    this.lang = h("button", { type: "button", class: "quiet", onclick: onLang });
    this.themeName = h("span");
    this.theme = h("button", { type: "button", class: "quiet theme", onclick: onTheme }, this.themeName);
    this.tagline = h("span");
    this.taglineMore = h("span", { class: "tagline-more" });
    this.about = h("button", { type: "button", class: "quiet about-button", onclick: onAbout });
    root.append(
      this.title,
      this.nav,
      h("div", { class: "model" }, this.model, this.modelPanel),
      h("div", { class: "runs-on" }, this.backendButton, backendPanel),
      h("div", { class: "switches" }, this.guide, this.lang, this.theme),
      h("p", { class: "tagline" }, this.tagline, " ", this.taglineMore, " ", this.about),
    );
  }

  /**
   * @param {{ tab: Tab, backend: Backend, theme: string, lang: string, guided: boolean, run: { step: number, steps:
   *   number } | null, info: Info | null, name: string, strength: number }} data `run`: the one going on; `name` of the
   *   open model, `strength` of the adapter on it
   */
  update({ tab, backend, theme, lang, guided, run, info, name, strength }) {
    setText(this.title, t("app.title"));
    setText(this.tagline, t("app.tagline"));
    setText(this.taglineMore, t("app.tagline.more"));
    setText(this.about, t("about.open"));
    this.nav.setAttribute("aria-label", t("nav.label"));
    for (const [one, button] of this.tabs) {
      setText(/** @type {Element} */ (button.firstElementChild), t(`tab.${one}`));
      if (one === tab) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    this.run.hidden = !run;
    if (run) setText(this.run, n(run.step));

    const shown = modelName(name, info, strength);
    setText(this.modelName, shown);
    setText(this.modelLabel, t("header.label"));
    setText(this.modelSize, info ? formatCount(info.nParams) : "");
    this.model.title = t("header.hint");
    this.modelPanel.setAttribute("aria-label", t("header.choose"));

    const runsOn = info ? t(`backend.${info.backend}`) : t("backend.label");
    setText(this.backendButton, runsOn);
    this.backendButton.title = t("backend.hint");
    this.backendButton.setAttribute("aria-label", info ? `${t("backend.label")} ${runsOn}` : runsOn);
    setText(this.backendLabel, t("backend.label"));
    for (const option of this.backend.options) setText(option, t(`backend.${option.value}`));
    this.backend.value = backend;
    const reason = info ? backendReason(info) : "";
    setText(this.backendWhy, info ? (reason ? t("backend.why", { backend: runsOn, reason }) : runsOn) : "");
    setText(
      this.backendDetails,
      info
        ? [engineWords(info.backendReason) ?? info.backendReason.text, info.adapter].filter(Boolean).join(" · ")
        : "",
    );

    setText(this.guide, t("guide.open"));
    this.guide.title = t("guide.open.hint");
    this.guide.setAttribute("aria-expanded", String(guided));
    setText(this.lang, t("lang.switch"));
    this.lang.lang = lang === "en" ? "zh" : "en";
    this.lang.setAttribute("title", t("lang.label"));
    setText(this.themeName, t(`theme.${theme}`));
    this.theme.dataset.icon = theme;
    this.theme.setAttribute("title", t("theme.label", { theme: t(`theme.${theme}`) }));
  }
}
