/** Copies a link to what the page shows. */
import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { encodeFragment } from "../core/state.js";
import { inksOf } from "../core/text.js";
import { RUN_LINK } from "../models/saved_runs.js";

const COPIED_MS = 2000;

/** @param {string} text @returns {Promise<boolean>} whether the browser let the page copy */
async function copyText(text) {
  // Where the page came over plain http, only the old way is there.
  if (navigator.clipboard)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const { activeElement } = document;
  const field = h("textarea", { class: "visually-hidden", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (activeElement instanceof HTMLElement) activeElement.focus({ preventScroll: true });
  return copied;
}

export class ShareRow {
  /**
   * @param {Element} root
   * @param {import("../app.js").App} app
   * @param {(key: string, params?: Record<string, string>, more?: string) => void} say `more`: the key of another
   *   remark
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
    const fragment = encodeFragment({
      ...app.shared(),
      model: app.state.modelId,
      openChosen: true,
      text: withText ? app.writer.text : undefined,
      inks: inksOf(app.writer.runs),
    });
    return `${location.origin}${location.pathname}${location.search}#${fragment}`;
  }

  /** What the link leaves out, as the key of a remark; "" for nothing. */
  get leavesOut() {
    const {
      state: { info, modelId, adapterId },
      training: {
        state: { run },
      },
    } = this.app;
    const isRun = modelId.startsWith(RUN_LINK);
    // Where the page came over plain http, a model from disk gets no name, nor does a run, which is not saved.
    if (!modelId || (run && !isRun && globalThis.isSecureContext === false)) return "inspect.link.model";
    // Adapters from disk have none where the browser computes no checksums.
    return info?.trained === "lora" && !adapterId && !isRun && !run ? "inspect.link.adapter" : "";
  }

  /** @param {HTMLButtonElement} button @param {boolean} withText */
  async copy(button, withText) {
    const link = this.link(withText);
    const { leavesOut } = this;
    if (!(await copyText(link))) return this.say("inspect.link.here", { link }, leavesOut);
    // Under the shorter word it stays as wide, so that the other button does not move.
    button.style.minWidth = `${button.offsetWidth}px`;
    this.copied = button;
    this.update();
    this.app.page.status.say(t("inspect.link.copied"));
    if (leavesOut) this.say(leavesOut);
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
