/** Points at an element of the page: a ring around it, and the card beside it, or below the page where it fits beside nothing. */
import { h } from "../core/dom.js";
import { beside, overlap } from "./place.js";

/** @typedef {import("./types.js").Target} Target */

/** Where the inspector is a sheet, the card is a part of the page's lower end. */
const NARROW = "(max-width: 999px)";

/** @param {Target} target @returns {HTMLElement | null} the first that can be seen */
function find({ css, text, up }) {
  for (const element of document.querySelectorAll(css)) {
    if (text !== undefined && element.textContent?.trim() !== text) continue;
    const found = /** @type {HTMLElement | null} */ (up ? element.closest(up) : element);
    if (found?.getClientRects().length && getComputedStyle(found).visibility !== "hidden") return found;
  }
  return null;
}

/** The part of an element that its scrolling parents show. @param {HTMLElement} element @param {Element[]} frames */
function seen(element, frames) {
  /** @type {import("./place.js").Box | null} */
  let box = element.getBoundingClientRect();
  for (const frame of frames) box = box && overlap(box, frame.getBoundingClientRect());
  return box && overlap(box, { left: 0, top: 0, right: innerWidth, bottom: innerHeight });
}

/** The parents that cut off what does not fit into them. @param {Element} element */
function framesOf(element) {
  const frames = [];
  for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
    if (getComputedStyle(at).overflowY !== "visible") frames.push(at);
  return frames;
}

export class Spotlight {
  /**
   * @param {HTMLElement} card
   * @param {() => void} onTarget something else is pointed at: a part of the page has come or gone
   */
  constructor(card, onTarget) {
    this.card = card;
    this.onTarget = onTarget;
    this.ring = h("div", { class: "guide-ring", "aria-hidden": "true", hidden: true });
    document.body.append(this.ring);
    /** @type {Target[]} */
    this.targets = [];
    /** @type {HTMLElement | null} */
    this.target = null;
    /** @type {Element[]} */
    this.frames = [];
    /** It is brought into view, until the user does something on the page. */
    this.fresh = false;
    const touched = (/** @type {Event} */ { target }) => {
      if (target instanceof Node && !card.contains(target)) this.fresh = false;
    };
    for (const type of ["wheel", "pointerdown", "keydown"])
      document.addEventListener(type, touched, { passive: true, capture: true });
    /** `<details>` that are to be unfolded when they are there. */
    this.folded = "";
    /** @type {((target: HTMLElement) => void) | null} */
    this.onFound = null;
    this.narrow = matchMedia(NARROW);
    /** In a wide window too the card goes below the page, where it fits beside nothing: for as long as the step is shown. */
    this.below = false;
    this.frame = 0;
    this.drawn = "";
  }

  /** @param {Target[]} targets the first that can be seen counts @param {boolean} fresh it is brought into view */
  point(targets, fresh) {
    this.targets = targets;
    if (fresh) {
      this.fresh = true;
      this.below = false;
    }
    this.frame ||= requestAnimationFrame(() => this.follow());
  }

  /** @param {string} css of `<details>` */
  unfold(css) {
    this.folded = css;
  }

  /** @param {(target: HTMLElement) => void} call once, when the target is there */
  whenFound(call) {
    this.onFound = call;
  }

  /** Panels are drawn anew, texts grow, parts scroll: each frame looks where the target is. */
  follow() {
    this.frame = requestAnimationFrame(() => this.follow());
    this.open();
    const target = this.targets.map(find).find((one) => one !== null) ?? null;
    if (target !== this.target) {
      this.take(target);
      this.onTarget();
    }
    this.dock();
    if (target && this.fresh) this.reveal(target);
    if (target && this.onFound) {
      this.onFound(target);
      this.onFound = null;
    }
    this.draw(target && seen(target, this.frames));
  }

  /** What comes late above it pushes it out of view again. @param {HTMLElement} target */
  reveal(target) {
    const whole = target.getBoundingClientRect();
    const box = seen(target, this.frames);
    const cut = !box || box.bottom - box.top < whole.height - 1 || box.right - box.left < whole.width - 1;
    if (cut) target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  open() {
    if (!this.folded) return;
    const details = [...document.querySelectorAll(this.folded)].filter((one) => one instanceof HTMLDetailsElement);
    if (!details.length) return;
    this.folded = "";
    for (const one of details) one.open = true;
  }

  /** @param {HTMLElement | null} target */
  take(target) {
    this.target?.removeAttribute("data-guided");
    this.target = target;
    target?.setAttribute("data-guided", "");
    this.frames = target ? framesOf(target) : [];
  }

  get docked() {
    return this.narrow.matches || this.below;
  }

  /** Makes room for a card below the page. */
  dock() {
    const { classList, style, dataset } = document.body;
    classList.toggle("guide-docked", this.docked);
    // Up to a whole pixel: what it points at ends above it.
    const room = this.docked ? `${Math.ceil(this.card.getBoundingClientRect().height)}px` : "";
    if (style.getPropertyValue("--guide-room") !== room) style.setProperty("--guide-room", room);
    const place = this.target?.closest("#inspector") ? "inspector" : this.target?.closest("#desk") ? "desk" : "";
    if (dataset.guideOn !== place) dataset.guideOn = place;
  }

  /** @param {import("./place.js").Box | null} box */
  draw(box) {
    const { card, ring } = this;
    const size = { width: card.offsetWidth, height: card.offsetHeight };
    const view = { width: innerWidth, height: innerHeight };
    let at = null;
    if (!this.docked) {
      at = box ? beside(box, size, view) : { left: view.width - size.width - 24, top: view.height - size.height - 24 };
      // Beside nothing: below the page from now on, which the next frame makes room for.
      if (!at) this.below = true;
    }
    const drawn = JSON.stringify([box, at]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    ring.hidden = !box;
    if (box) {
      Object.assign(ring.style, {
        left: `${box.left}px`,
        top: `${box.top}px`,
        width: `${box.right - box.left}px`,
        height: `${box.bottom - box.top}px`,
      });
    }
    card.style.left = at ? `${at.left}px` : "";
    card.style.top = at ? `${at.top}px` : "";
  }

  off() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.take(null);
    this.targets = [];
    this.onFound = null;
    this.ring.hidden = true;
    this.drawn = "";
    document.body.classList.remove("guide-docked");
    document.body.style.removeProperty("--guide-room");
    delete document.body.dataset.guideOn;
  }
}
