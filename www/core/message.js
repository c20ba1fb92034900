import { causeOf } from "./cause.js";
import { h } from "./dom.js";
import { explained } from "./errors.js";
import { sentences, t } from "./i18n/index.js";

/**
 * @typedef {object} Message
 * @property {"error" | "info"} kind
 * @property {[key: string, params?: Record<string, string | number>][]} lines what happened, and what it means
 * @property {import("./errors.js").PageError | import("./errors.js").EngineError} [cause]
 * @property {{ key: string, run: () => void }[]} [actions]
 * @property {() => void} [onClose] hears that the user has closed it
 * @property {boolean} [stays] it goes only with what it tells of, and cannot be closed
 */

/**
 * A message about an error.
 * @param {Message["lines"]} lines @param {unknown} error @param {Message["actions"]} [actions]
 * @returns {Message}
 */
export function errorMessage(lines, error, actions) {
  return { kind: "error", lines, cause: explained(error), actions };
}

/** A message at the place of its cause. It stays until it is closed or replaced. */
export class MessageView {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = h("div", { class: "message", hidden: true });
    root.append(this.root);
    /** @type {Message | null} */
    this.message = null;
  }

  /** @param {Message | null} message */
  show(message) {
    this.message = message;
    this.update();
  }

  clear() {
    this.show(null);
  }

  update() {
    const { message } = this;
    this.root.hidden = !message;
    if (!message) return this.root.replaceChildren();
    this.root.dataset.kind = message.kind;
    this.root.setAttribute("role", message.kind === "error" ? "alert" : "status");
    const [first, ...rest] = message.lines.map(([key, params]) => t(key, params));
    const text = h("div", { class: "message-text" }, h("p", {}, h("strong", {}, first)));
    const cause = message.cause && causeOf(message.cause);
    if (cause) text.append(h("p", { class: "message-detail" }, cause.text));
    if (rest.length) text.append(h("p", {}, sentences(...rest)));
    if (cause?.raw)
      text.append(h("details", { class: "message-raw" }, h("summary", {}, t("message.raw")), h("p", {}, cause.raw)));
    const actions = (message.actions ?? []).map(({ key, run }) =>
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          onclick: () => {
            this.clear();
            run();
          },
        },
        t(key),
      ),
    );
    const close = h(
      "button",
      {
        type: "button",
        class: "quiet",
        onclick: () => {
          this.clear();
          message.onClose?.();
        },
      },
      t("message.close"),
    );
    if (!message.stays) actions.push(close);
    this.root.replaceChildren(text, h("div", { class: "message-actions" }, ...actions));
  }
}
