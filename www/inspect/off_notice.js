import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { unitsOff } from "./units.js";

/** @param {number} heads @param {number} mlps that are off */
export function offText(heads, mlps) {
  const words = (/** @type {string} */ name, /** @type {number} */ count) =>
    t(`inspect.off.${count === 1 ? name : `${name}s`}`, { count });
  const parts = [heads ? words("head", heads) : "", mlps ? words("mlp", mlps) : ""].filter(Boolean);
  const off = parts.length === 2 ? t("inspect.off.both", { heads: parts[0], mlps: parts[1] }) : parts[0];
  return t(heads + mlps === 1 ? "inspect.off.one" : "inspect.off.more", { off });
}

/** Says near the paper that parts of the model are switched off, for that changes what it writes. */
export class OffNotice {
  /** @param {{ onRestore: () => void }} handlers */
  constructor({ onRestore }) {
    this.text = h("span");
    this.button = h("button", { type: "button", class: "quiet", onclick: onRestore });
    this.root = h("p", { class: "off-notice", role: "status", hidden: true }, this.text, this.button);
  }

  /** @param {{ off: readonly import("./types.js").Unit[], info: import("../engine/types.js").Info | null }} data */
  update({ off, info }) {
    const { heads, mlps } = info ? unitsOff(off, info) : { heads: 0, mlps: 0 };
    this.root.hidden = heads + mlps === 0;
    setText(this.text, heads + mlps ? offText(heads, mlps) : "");
    setText(this.button, t("inspect.off.restore"));
  }
}
