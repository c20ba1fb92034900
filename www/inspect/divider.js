/** The line between paper and inspector: dragged, or moved by the arrow keys, it shares the width out anew. */
import { h, storage } from "../core/dom.js";
import { t } from "../core/i18n/index.js";

/** What the inspector may take of the width, in per cent; the style sheet also keeps both readable. */
const [LEAST, MOST] = [25, 75];
const STEP = 2;
const KEPT_AS = "inspectShare";

/**
 * Where a key moves the line.
 * @param {string} key @param {number} share of the inspector, in per cent
 * @returns {number} NaN for keys that move nothing
 */
export function shareAfter(key, share) {
  const to = { ArrowLeft: share + STEP, ArrowRight: share - STEP, Home: MOST, End: LEAST }[key];
  return to === undefined ? NaN : Math.min(MOST, Math.max(LEAST, to));
}

export class Divider {
  /** @param {HTMLElement} stage what is shared out @param {HTMLElement} inspector */
  constructor(stage, inspector) {
    this.stage = stage;
    this.inspector = inspector;
    this.root = h("div", {
      class: "inspect-divider",
      role: "separator",
      tabindex: "0",
      "aria-orientation": "vertical",
      "aria-controls": inspector.id,
      "aria-valuemin": LEAST,
      "aria-valuemax": MOST,
    });
    const kept = Number(storage.get(KEPT_AS));
    if (kept >= LEAST && kept <= MOST) this.set(kept);
    this.root.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.root.setPointerCapture(event.pointerId);
      this.root.focus();
    });
    this.root.addEventListener("pointermove", (event) => {
      if (!this.root.hasPointerCapture(event.pointerId)) return;
      const { right, width } = stage.getBoundingClientRect();
      this.move((100 * (right - event.clientX)) / width);
    });
    this.root.addEventListener("keydown", (event) => {
      const share = event.altKey || event.ctrlKey || event.metaKey ? NaN : shareAfter(event.key, this.share);
      if (Number.isNaN(share)) return;
      event.preventDefault();
      this.move(share);
    });
    this.root.addEventListener("dblclick", () => {
      storage.set(KEPT_AS, "");
      stage.style.removeProperty("--inspect-share");
      this.update();
    });
  }

  /** The inspector's part of the width as it is, in per cent. */
  get share() {
    return Math.round((100 * this.inspector.offsetWidth) / this.stage.offsetWidth) || LEAST;
  }

  /** @param {number} share in per cent */
  set(share) {
    this.stage.style.setProperty("--inspect-share", `${share}%`);
  }

  /** @param {number} share as the user wants it */
  move(share) {
    const to = Math.round(Math.min(MOST, Math.max(LEAST, share)));
    this.set(to);
    storage.set(KEPT_AS, String(to));
    this.update();
  }

  update() {
    this.root.setAttribute("aria-label", t("inspect.divider"));
    this.root.title = t("inspect.divider.hint");
    this.root.setAttribute("aria-valuenow", String(Math.min(MOST, Math.max(LEAST, this.share))));
  }
}
