/** A panel that a button folds out below itself: closed by Escape, by a press elsewhere, and when the focus leaves it. */

export class Popover {
  /**
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} panel stands beside the button in an element of their own
   * @param {() => void} [onOpen]
   */
  constructor(button, panel, onOpen = () => {}) {
    this.button = button;
    this.panel = panel;
    this.onOpen = onOpen;
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", panel.id);
    button.addEventListener("click", () => (this.open ? this.close() : this.show()));
    const inside = (/** @type {EventTarget | null} */ target) =>
      target instanceof Node && (panel.contains(target) || button.contains(target));
    document.addEventListener("pointerdown", (event) => this.open && !inside(event.target) && this.close());
    panel.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !inside(relatedTarget) && this.close());
    for (const part of [button, panel])
      part.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !this.open) return;
        // Else it would stop the writing as well.
        event.preventDefault();
        this.close();
        button.focus();
      });
  }

  get open() {
    return !this.panel.hidden;
  }

  show() {
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.onOpen();
  }

  close() {
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }
}
