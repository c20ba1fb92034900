/** Browsers take only so many addresses in a time. */
const WRITE_EVERY_MS = 250;

/** The fragment of the page's address, written after what the page shows. */
export class Address {
  constructor() {
    /** What it says now, or will in a moment. @type {string | null} */
    this.fragment = null;
    this.timer = 0;
    this.written = -Infinity;
  }

  /** @param {string} fragment @returns {boolean} whether it is another one than before */
  write(fragment) {
    if (fragment === this.fragment) return false;
    this.fragment = fragment;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(
      () => {
        this.written = performance.now();
        history.replaceState(
          null,
          "",
          `${location.pathname}${location.search}${this.fragment ? `#${this.fragment}` : ""}`,
        );
      },
      Math.max(0, this.written + WRITE_EVERY_MS - performance.now()),
    );
    return true;
  }

  /** It was changed from outside: what was to be written no longer counts. */
  forget() {
    clearTimeout(this.timer);
    this.fragment = null;
  }
}
