import { h, setText } from "../core/dom.js";
import { n, t } from "../core/i18n/index.js";

/** @typedef {import("../engine/types.js").Tab} Tab */
/** @typedef {import("../engine/types.js").Backend} Backend */

/** The name, the tabs, and what applies to the whole page. */
export class Header {
  /**
   * @param {HTMLElement} root
   * @param {{ tabs: Tab[], onTab: (tab: Tab) => void, onBackend: (backend: Backend) => void, onGuide: () => void,
   *   onLang: () => void, onTheme: () => void }} options
   */
  constructor(root, { tabs, onTab, onBackend, onGuide, onLang, onTheme }) {
    this.title = h("h1", { class: "brand" });
    /** @type {Map<Tab, HTMLButtonElement>} */
    this.tabs = new Map(
      tabs.map((tab) => [tab, h("button", { type: "button", class: "tab", onclick: () => onTab(tab) }, h("span"))]),
    );
    // Read out from the status line; the tab keeps its name.
    this.run = h("span", { class: "tab-run", "aria-hidden": "true", hidden: true });
    this.tabs.get("train")?.append(this.run);
    this.nav = h("nav", { class: "tabs" }, ...this.tabs.values());
    this.backendLabel = h("span", { class: "backend-label" });
    /** @type {HTMLSelectElement} */
    this.backend = h("select", { onchange: () => onBackend(/** @type {Backend} */ (this.backend.value)) });
    for (const value of ["auto", "cpu", "webgpu"]) this.backend.append(h("option", { value }));
    this.guide = h("button", { type: "button", class: "quiet guide-button", onclick: onGuide });
    this.lang = h("button", { type: "button", class: "quiet", onclick: onLang });
    this.theme = h("button", { type: "button", class: "quiet theme", onclick: onTheme });
    root.append(
      this.title,
      this.nav,
      h("label", { class: "backend" }, this.backendLabel, this.backend),
      this.guide,
      h("div", { class: "switches" }, this.lang, this.theme),
    );
  }

  /**
   * @param {{ tab: Tab, backend: Backend, theme: string, lang: string, guided: boolean, run: { step: number, steps:
   *   number } | null }} data `run`: the one going on
   */
  update({ tab, backend, theme, lang, guided, run }) {
    setText(this.title, t("app.title"));
    this.nav.setAttribute("aria-label", t("nav.label"));
    for (const [name, button] of this.tabs) {
      setText(/** @type {Element} */ (button.firstElementChild), t(`tab.${name}`));
      if (name === tab) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    this.run.hidden = !run;
    if (run) setText(this.run, n(run.step));
    setText(this.backendLabel, t("backend.label"));
    // The visible label is left out on small screens.
    this.backend.setAttribute("aria-label", t("backend.label"));
    for (const option of this.backend.options) setText(option, t(`backend.${option.value}`));
    this.backend.value = backend;
    setText(this.guide, t("guide.open"));
    this.guide.title = t("guide.open.hint");
    this.guide.setAttribute("aria-expanded", String(guided));
    setText(this.lang, t("lang.switch"));
    this.lang.lang = lang === "en" ? "zh" : "en";
    this.lang.setAttribute("title", t("lang.label"));
    setText(this.theme, t(`theme.${theme}`));
    this.theme.dataset.icon = theme;
    this.theme.setAttribute("title", t("theme.label", { theme: t(`theme.${theme}`) }));
  }
}
