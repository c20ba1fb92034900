/** What this page is, in a dialog: loaded when it is asked for. */
import { h, setText } from "../core/dom.js";
import { registerStrings, t } from "../core/i18n/index.js";
import { REPOSITORY } from "../core/site.js";
import { frameEn } from "./words.en.js";
import { frameZh } from "./words.zh.js";

registerStrings(frameEn, frameZh);

/** Its parts: a title where it has one, and a text; what the model is, its list says. */
const PARTS = [
  ["", "about.what"],
  ["about.model", ""],
  ["about.privacy", "about.privacy.text"],
  ["about.licence", "about.licence.text"],
];

export class About {
  constructor() {
    this.title = h("h2", { id: "about-title" });
    this.parts = PARTS.map(([title, text]) => ({
      title,
      text,
      heading: h("h3", { hidden: !title }),
      paragraph: h("p"),
    }));
    // One address, which the build may leave out.
    this.source = h("a", { href: REPOSITORY || null, hidden: !REPOSITORY, rel: "noopener", target: "_blank" });
    this.close = h("button", { type: "button", class: "secondary", onclick: () => this.root.close() });
    this.root = h(
      "dialog",
      {
        class: "about",
        "aria-labelledby": this.title.id,
        // A press beside it.
        onclick: (/** @type {MouseEvent} */ event) => event.target === this.root && this.root.close(),
      },
      h(
        "div",
        { class: "about-text" },
        this.title,
        ...this.parts.flatMap(({ heading, paragraph }) => [heading, paragraph]),
        h("p", { class: "about-foot" }, this.source, this.close),
      ),
    );
    document.body.append(this.root);
  }

  /** @param {import("../engine/types.js").ShippedModel | undefined} model that comes with the page */
  show(model) {
    const zh = document.documentElement.lang.startsWith("zh");
    const card = (zh && model?.description_zh) || model?.description || "";
    setText(this.title, t("about.title"));
    for (const { title, text, heading, paragraph } of this.parts) {
      if (title) setText(heading, t(title));
      setText(paragraph, text ? t(text) : card);
      if (!text) heading.hidden = paragraph.hidden = !card;
    }
    setText(this.source, t("about.source"));
    setText(this.close, t("about.close"));
    if (!this.root.open) this.root.showModal();
  }
}
