/** Copies a link to what the page shows. */
import { h, setText } from "../dom.js";
import { t } from "../i18n/index.js";
import { RUN_LINK } from "../saved_runs.js";
import { encodeFragment } from "../state.js";

const COPIED_MS = 2000;

export class ShareRow {
  /**
   * @param {Element} root
   * @param {import("../app.js").App} app
   * @param {(key: string, params?: Record<string, string>) => void} say
   */
  constructor(root, app, say) {
    this.app = app;
    this.say = say;
    const make = (/** @type {string} */ key, /** @type {boolean} */ withText) => {
      const button = h("button", { type: "button", class: "quiet", onclick: () => void this.copy(button, withText) });
      return { key, button };
    };
    this.buttons = [make("inspect.link", false), make("inspect.link.text", true)];
    /** The button that has just copied. @type {HTMLButtonElement | null} */
    this.copied = null;
    root.append(h("span", { class: "inspect-share" }, ...this.buttons.map(({ button }) => button)));
  }

  /** @param {boolean} withText */
  link(withText) {
    const { app } = this;
    // The model is named also where it opens by itself: there another may be open, or become the first.
    const fragment = encodeFragment({ ...app.shared(), model: app.state.modelId, openChosen: true, text: withText ? app.writer.text : undefined });
    return `${location.origin}${location.pathname}${location.search}#${fragment}`;
  }

  /** Whether the open model has adapters from disk that nothing names: where the browser computes no checksums. */
  get leavesOut() {
    const { state, training } = this.app;
    return state.info?.trained === "lora" && !state.adapterId && !state.modelId.startsWith(RUN_LINK) && !training.run;
  }

  /** @param {HTMLButtonElement} button @param {boolean} withText */
  async copy(button, withText) {
    const link = this.link(withText);
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      return this.say("inspect.link.here", { link });
    }
    this.copied = button;
    this.update();
    this.app.page.status.say(t("inspect.link.copied"));
    if (this.leavesOut) this.say("inspect.link.adapter");
    setTimeout(() => {
      if (this.copied !== button) return;
      this.copied = null;
      this.update();
    }, COPIED_MS);
  }

  update() {
    for (const { key, button } of this.buttons) {
      setText(button, t(button === this.copied ? "inspect.link.copied" : key));
      button.title = t(`${key}.hint`);
    }
  }
}
