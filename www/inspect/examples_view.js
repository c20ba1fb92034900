import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";

/** What a first visitor can look at with one press. */
export class Examples {
  /** @param {{ keys: readonly string[], onOpen: (index: number) => void, open: boolean }} options */
  constructor({ keys, onOpen, open }) {
    this.title = h("summary");
    this.items = keys.map((key, index) => ({
      key,
      button: h("button", { type: "button", class: "example", onclick: () => onOpen(index) }),
    }));
    this.root = h(
      "details",
      { class: "examples", open },
      this.title,
      h("ul", {}, ...this.items.map(({ button }) => h("li", {}, button))),
    );
  }

  open() {
    this.root.open = true;
  }

  close() {
    this.root.open = false;
  }

  /** @param {{ shown: boolean }} data `shown`: the model is the one that the examples are about */
  update({ shown }) {
    this.root.hidden = !shown;
    setText(this.title, t("inspect.examples"));
    for (const { key, button } of this.items) setText(button, t(`inspect.example.${key}`));
  }
}
