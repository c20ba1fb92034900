/** Browsers take only so many addresses in a time. */
const WRITE_EVERY_MS = 250;

/**
 * The page's address, written after what the page shows. Each place that the user goes to is an entry of the browser's
 * history, so that Back leads there again; what changes at a place is written into its entry.
 */
export class Address {
  /**
   * @param {object} hooks
   * @param {(place: string) => void} hooks.onPlace the user went back or forth to a place of the page
   * @param {() => void} hooks.onLink the address was edited, or a link followed within the page
   */
  constructor({ onPlace, onLink }) {
    /** What it says now, or will in a moment. @type {string | null} */
    this.fragment = null;
    /** Where the page is; null before it has shown anything. @type {string | null} */
    this.place = null;
    this.timer = 0;
    this.written = -Infinity;
    addEventListener("popstate", ({ state }) => {
      if (typeof state?.place !== "string") return;
      // What was to be written was for the entry that is left.
      this.forget();
      this.place = state.place;
      onPlace(state.place);
    });
    addEventListener("hashchange", () => {
      // An entry of the page's own keeps what is set now, whatever was set when it was made.
      if (typeof history.state?.place === "string") return;
      this.forget();
      onLink();
    });
  }

  /**
   * @param {string} fragment
   * @param {string} place
   * @returns {boolean} whether the fragment is another one than before
   */
  write(fragment, place) {
    const changed = fragment !== this.fragment;
    if (!changed && place === this.place) return false;
    const goes = this.place !== null && place !== this.place;
    if (goes && this.timer) this.flush();
    this.fragment = fragment;
    this.place = place;
    clearTimeout(this.timer);
    if (goes) {
      history.pushState({ place }, "", this.url);
      this.timer = 0;
    } else {
      this.timer = window.setTimeout(
        () => this.flush(),
        Math.max(0, this.written + WRITE_EVERY_MS - performance.now()),
      );
    }
    return changed;
  }

  /** Writes what is to be written. */
  flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.written = performance.now();
    history.replaceState({ place: this.place }, "", this.url);
  }

  get url() {
    return `${location.pathname}${location.search}${this.fragment ? `#${this.fragment}` : ""}`;
  }

  /** It was changed from outside: what was to be written no longer counts. */
  forget() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.fragment = null;
  }
}
