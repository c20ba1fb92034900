import { h, setText } from "../core/dom.js";

/**
 * Where the arrow keys lead in a row of tabs.
 * @param {string} key @param {number} at @param {number} count
 * @returns {number} -1 for keys that lead nowhere
 */
export function tabAfter(key, at, count) {
  switch (key) {
    case "ArrowRight":
      return (at + 1) % count;
    case "ArrowLeft":
      return (at + count - 1) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return -1;
  }
}

/**
 * A row of tabs as the ARIA practices describe it: one stop for the Tab key, arrows between them.
 * @template {string} Name
 */
export class Tabs {
  /** @param {{ names: readonly Name[], panelId: string, onSelect: (name: Name) => void }} options */
  constructor({ names, panelId, onSelect }) {
    this.names = names;
    /** @type {Map<Name, HTMLButtonElement>} */
    this.buttons = new Map(
      names.map((name) => [
        name,
        h("button", {
          type: "button",
          role: "tab",
          id: `${panelId}-tab-${name}`,
          class: "inspect-tab",
          "aria-controls": panelId,
          onclick: () => onSelect(name),
        }),
      ]),
    );
    this.root = h("div", { class: "inspect-tabs", role: "tablist" }, ...this.buttons.values());
    this.root.addEventListener("scroll", () => this.look(), { passive: true });
    new ResizeObserver(() => this.look()).observe(this.root);
    this.root.addEventListener("keydown", (event) => {
      const at = names.findIndex((name) => this.buttons.get(name) === event.target);
      const next = tabAfter(event.key, at, names.length);
      if (at < 0 || next < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      onSelect(names[next]);
      this.buttons.get(names[next])?.focus();
    });
  }

  /** Says where more tabs are than can be seen: the row's edge fades there. */
  look() {
    const { scrollLeft, scrollWidth, clientWidth, classList } = this.root;
    classList.toggle("more-before", scrollLeft > 1);
    classList.toggle("more-after", scrollWidth - clientWidth - scrollLeft > 1);
  }

  focus() {
    /** @type {HTMLElement | null} */ (this.root.querySelector("[aria-selected=true]"))?.focus();
  }

  /** @param {{ label: string, selected: Name, text: (name: Name) => string }} data */
  update({ label, selected, text }) {
    // In another language the tabs have another width.
    if (this.root.getAttribute("aria-label") !== label) requestAnimationFrame(() => this.look());
    this.root.setAttribute("aria-label", label);
    for (const [name, button] of this.buttons) {
      setText(button, text(name));
      const on = String(name === selected);
      if (button.getAttribute("aria-selected") === on) continue;
      button.setAttribute("aria-selected", on);
      button.tabIndex = name === selected ? 0 : -1;
      // In a narrow column the row scrolls.
      if (name === selected && this.root.scrollWidth > this.root.clientWidth) {
        this.root.scrollTo({ left: button.offsetLeft - (this.root.clientWidth - button.offsetWidth) / 2 });
      }
    }
  }
}
