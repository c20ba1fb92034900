/**
 * Makes an element. Keys that begin with "on" are listeners, `class` sets the class, anything else is an attribute;
 * `null` and `false` leave an attribute out. Children are nodes or text: nothing is ever parsed as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element with the id "${id}"`);
  return element;
}

/**
 * Writes only what changed, so that an unchanged text node costs no layout.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The browser has read a saved file's address by then. */
const KEEP_ADDRESS_MS = 60_000;

/**
 * Hands the user a file.
 * @param {string} name @param {Blob} blob
 */
export function saveBlob(name, blob) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_ADDRESS_MS);
}

/** `localStorage` and `sessionStorage` throw where a browser forbids them; here they only forget. */
export const storage = {
  /** @param {string} key */
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  /** @param {string} key @param {string} value */
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Remembering is a convenience: without storage the page works the same.
    }
  },
  /** For this tab only. @param {string} key */
  getTab(key) {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null;
    }
  },
  /**
   * For this tab only.
   * @param {string} key
   * @param {string} value
   * @returns {boolean} whether there was room, and the browser allows it
   */
  setTab(key, value) {
    try {
      sessionStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  },
  /** For this tab only. @param {string} key */
  removeTab(key) {
    try {
      sessionStorage.removeItem(key);
    } catch {
      // Nothing is there.
    }
  },
};
