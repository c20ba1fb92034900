import { h, setText } from "./dom.js";
import { formatBytes } from "./format.js";
import { t } from "./i18n/index.js";

/** A model on its way: its name, how much is here, and a way out. */
export class ProgressView {
  /** @param {HTMLElement} root @param {{ onCancel: () => void }} options */
  constructor(root, { onCancel }) {
    this.name = h("span");
    this.amount = h("span", { class: "figures" });
    this.bar = h("progress", { max: "1" });
    this.cancel = h("button", { type: "button", class: "quiet", onclick: onCancel });
    this.root = h("div", { class: "progress", hidden: true }, this.name, this.amount, this.cancel, this.bar);
    root.append(this.root);
  }

  /** @param {import("../engine/types.js").Progress | null} progress */
  update(progress) {
    this.root.hidden = !progress;
    if (!progress) return;
    const { name, done, total } = progress;
    setText(this.name, t("load.opening", { name }));
    this.bar.setAttribute("aria-label", t("load.opening", { name }));
    setText(
      this.amount,
      total
        ? t("load.progress", { done: formatBytes(done), total: formatBytes(total) })
        : done
          ? formatBytes(done)
          : "",
    );
    if (total) this.bar.value = Math.min(1, done / total);
    else this.bar.removeAttribute("value");
    setText(this.cancel, t("load.cancel"));
  }
}
