/** On a phone the inspector is a sheet over the page's lower part, which is pulled down or closed by a key. */
import { h } from "../core/dom.js";

/** Moved further than this, it closes. */
const PULL_PX = 40;
/** Where the inspector is a sheet; as in css/shell.css. */
const SHEET = "(max-width: 999px)";

export class Sheet {
  /**
   * @param {HTMLElement} root
   * @param {{ onClose: () => void, onArrange: (sheet: boolean) => void, mayClose: () => boolean }} options `onArrange`:
   *   it becomes
   *   a sheet, or ceases to be one; `mayClose`: Escape has nothing more urgent to end
   */
  constructor(root, { onClose, onArrange, mayClose }) {
    this.media = matchMedia(SHEET);
    this.media.addEventListener("change", () => onArrange(this.on));
    this.grip = h("button", { type: "button", class: "inspect-grip", onclick: onClose });
    this.grip.addEventListener("pointerdown", (event) => {
      const from = event.clientY;
      this.grip.setPointerCapture(event.pointerId);
      const end = (/** @type {PointerEvent} */ up) => {
        if (up.clientY - from > PULL_PX) onClose();
      };
      this.grip.addEventListener("pointerup", end, { once: true });
    });
    // Escape closes it where it covers the page.
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || !this.on || !mayClose()) return;
      event.preventDefault();
      onClose();
    });
  }

  /** Whether it covers the page's lower part. */
  get on() {
    return this.media.matches;
  }
}
