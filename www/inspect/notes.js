/** What the inspector has to say: one message at a time, which goes when what it is about has gone. */

import { MessageView } from "../core/message.js";
import { showError } from "../models/opener.js";

/** @typedef {import("./types.js").InspectView} InspectView */

/**
 * What the page is about. `weights` changes with the model, `read` is whether the text as it stands has been read.
 * @typedef {{ text: string, weights: string, view: InspectView, settings: unknown, read: boolean }} About
 */

/**
 * A message stands as long as this stays the same.
 * @param {"reading" | "panel" | "words" | "example"} kind
 * @param {About} about
 * @returns {unknown[]}
 */
export function groundsOf(kind, { text, weights, view, settings, read }) {
  const off = JSON.stringify(view.off);
  switch (kind) {
    // While a text that cannot be read is being mended, the message stays where it is.
    case "reading":
      return [weights, off, text === "" || read];
    case "panel":
      return [weights, off, text, settings, view.panel, view.token, view.layer, view.head, view.mode];
    case "words":
      return [weights, text, view.panel];
    // It speaks of a picture, and of what happens when its head is off.
    case "example":
      return [weights, text, view.panel, view.layer, view.head, view.mode];
  }
}

export class Notes {
  /** @param {HTMLElement} root @param {() => About} about what the page is about now */
  constructor(root, about) {
    this.about = about;
    this.view = new MessageView(root);
    /** @type {Parameters<typeof groundsOf>[0]} */
    this.kind = "words";
    /** @type {unknown[]} */
    this.grounds = [];
    /**
     * Why the text could not be read: told again once a message that took its place has gone.
     * @type {{ error: unknown, grounds: unknown[] } | null}
     */
    this.unread = null;
  }

  get root() {
    return this.view.root;
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [params]
   * @param {unknown} [error]
   * @param {string} [more] another remark's key
   */
  say(key, params = {}, error, more = "") {
    const failed = error !== undefined || params.reason !== undefined;
    this.stand(key === "inspect.error.read" ? "reading" : failed ? "panel" : "words");
    if (this.kind === "reading") this.unread = { error, grounds: this.grounds };
    if (error === undefined) this.view.show({ kind: "info", lines: more ? [[key, params], [more]] : [[key, params]] });
    else showError(this.view, [[key, params]], error);
  }

  /** Says what is to be seen in an example that was just opened. @param {string} key */
  introduce(key) {
    this.stand("example");
    this.view.show({ kind: "info", lines: [[`inspect.example.${key}`], [`inspect.example.${key}.text`]] });
  }

  /** @param {Parameters<typeof groundsOf>[0]} kind */
  stand(kind) {
    this.kind = kind;
    this.grounds = groundsOf(kind, this.about());
  }

  /** Takes away a message whose text, model or view is no longer there; called for every change of the page. */
  follow() {
    const gone = (/** @type {typeof this.kind} */ kind, /** @type {unknown[]} */ grounds) =>
      groundsOf(kind, this.about()).some((one, index) => one !== grounds[index]);
    if (this.unread && gone("reading", this.unread.grounds)) this.unread = null;
    if (!this.view.message || !gone(this.kind, this.grounds)) return;
    this.view.clear();
    if (this.unread) this.say("inspect.error.read", {}, this.unread.error);
  }

  /** In another language. */
  update() {
    this.view.update();
  }
}
