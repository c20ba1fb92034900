/** One of a few, side by side: radio buttons that look like the words they stand for. */
import { h, setText } from "../../../core/dom.js";

let made = 0;

/** @template {string} V */
export class Choice {
  /**
   * @param {Element} root
   * @param {{ values: readonly V[], onChange: (value: V) => void }} options
   */
  constructor(root, { values, onChange }) {
    made += 1;
    const name = `choice-${made}`;
    this.legend = h("legend");
    this.options = values.map((value) => {
      const input = h("input", { type: "radio", name, value, onchange: () => onChange(value) });
      const words = h("span");
      return { value, input, words, root: h("label", {}, input, words) };
    });
    this.root = h("fieldset", { class: "choice" }, this.legend, ...this.options.map((option) => option.root));
    root.append(this.root);
  }

  /** @param {V} value @param {string} legend @param {(value: V) => string} words */
  update(value, legend, words) {
    setText(this.legend, legend);
    for (const option of this.options) {
      option.input.checked = option.value === value;
      setText(option.words, words(option.value));
    }
  }
}
