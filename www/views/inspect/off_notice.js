import { h, setText } from "../../dom.js";
import { t } from "../../i18n/index.js";

/** Says near the paper that parts of the model are switched off, for that changes what it writes. */
export class OffNotice {
  /** @param {{ onRestore: () => void }} handlers */
  constructor({ onRestore }) {
    this.text = h("span");
    this.button = h("button", { type: "button", class: "quiet", onclick: onRestore });
    this.root = h("p", { class: "off-notice", role: "status", hidden: true }, this.text, this.button);
  }

  /** @param {{ off: readonly import("../../inspect/types.js").Unit[] }} data */
  update({ off }) {
    this.root.hidden = off.length === 0;
    const heads = off.filter((unit) => unit.head >= 0).length;
    const mlps = off.length - heads;
    const key = heads && mlps ? "both" : mlps ? (mlps === 1 ? "mlp" : "mlps") : heads === 1 ? "head" : "heads";
    setText(this.text, off.length ? t(`inspect.off.${key}`, { heads, mlps }) : "");
    setText(this.button, t("inspect.off.restore"));
  }
}
