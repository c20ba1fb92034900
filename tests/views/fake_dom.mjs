// @ts-check
// As much of a document as views need to be tested without a browser: elements, attributes, text, listeners, focus.

class FakeNode {
  constructor() {
    /** @type {FakeElement | null} */
    this.parentElement = null;
  }

  get nextSibling() {
    const siblings = this.parentElement?.childNodes ?? [];
    return siblings[siblings.indexOf(this) + 1] ?? null;
  }

  remove() {
    const siblings = this.parentElement?.childNodes;
    siblings?.splice(siblings.indexOf(this), 1);
    this.parentElement = null;
  }
}

class FakeText extends FakeNode {
  /** @param {string} text */
  constructor(text) {
    super();
    this.textContent = text;
  }
}

class FakeStyle {
  /** @param {string} name @param {string} value */
  setProperty(name, value) {
    Object.assign(this, { [name]: value });
  }
}

class FakeElement extends FakeNode {
  /** @param {string} tag */
  constructor(tag) {
    super();
    this.tag = tag;
    /** @type {FakeNode[]} */
    this.childNodes = [];
    /** @type {Map<string, string>} */
    this.attributes = new Map();
    /** @type {Map<string, ((event: any) => void)[]>} */
    this.listeners = new Map();
    this.style = new FakeStyle();
    this.value = "";
    this.hidden = false;
    this.disabled = false;
    this.open = false;
    this.title = "";
    this.className = "";
    const names = () => new Set(this.className.split(" ").filter(Boolean));
    this.classList = {
      contains: (/** @type {string} */ name) => names().has(name),
      toggle: (/** @type {string} */ name, /** @type {boolean} */ on) => {
        const all = names();
        if (on) all.add(name);
        else all.delete(name);
        this.className = [...all].join(" ");
      },
    };
  }

  /** @param {string} name */
  removeAttribute(name) {
    this.attributes.delete(name);
  }

  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    this.attributes.set(name, value);
    if (name === "class") this.className = value;
    else if (name === "value") this.value = value;
    else if (name === "hidden" || name === "disabled" || name === "open") this[name] = true;
  }

  /** @param {string} name */
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  /** @returns {string} */
  get textContent() {
    return this.childNodes.map((node) => /** @type {FakeText} */ (node).textContent).join("");
  }

  set textContent(text) {
    this.replaceChildren(...(text === "" ? [] : [text]));
  }

  get children() {
    return /** @type {FakeElement[]} */ (this.childNodes.filter((node) => node instanceof FakeElement));
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  /** @param {...(FakeNode | string)} nodes */
  append(...nodes) {
    for (const node of nodes) this.insertBefore(typeof node === "string" ? new FakeText(node) : node, null);
  }

  /** @param {FakeNode} node @param {FakeNode | null} before */
  insertBefore(node, before) {
    if (node.parentElement) node.remove();
    const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    if (at < 0) throw new Error("what it is to stand before is not a child");
    this.childNodes.splice(at, 0, node);
    node.parentElement = this;
  }

  /** @param {...(FakeNode | string)} nodes */
  replaceChildren(...nodes) {
    for (const node of [...this.childNodes]) node.remove();
    this.append(...nodes);
  }

  /** @param {FakeNode | null} node */
  contains(node) {
    for (let at = node; at; at = at.parentElement) if (at === this) return true;
    return false;
  }

  /** Everything inside with a class. @param {string} name @returns {FakeElement[]} */
  all(name) {
    return this.children.flatMap((child) => [...(child.classList.contains(name) ? [child] : []), ...child.all(name)]);
  }

  /** Only ".class". @param {string} selector */
  querySelector(selector) {
    return this.all(selector.slice(1))[0] ?? null;
  }

  /** @param {string} type @param {(event: any) => void} listener */
  addEventListener(type, listener) {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  /** Calls the listeners here and above. @param {string} type @param {object} [fields] */
  fire(type, fields = {}) {
    let stopped = false;
    const event = {
      type,
      target: this,
      defaultPrevented: false,
      ...fields,
      preventDefault: () => (event.defaultPrevented = true),
      stopPropagation: () => (stopped = true),
    };
    for (let at = /** @type {FakeElement | null} */ (this); at && !stopped; at = at.parentElement) {
      for (const listener of at.listeners.get(type) ?? []) listener(event);
    }
    return event;
  }

  focus() {
    const document = /** @type {any} */ (globalThis.document);
    if (document.activeElement === this) return;
    document.activeElement?.fire("blur");
    document.activeElement = this;
    this.fire("focus");
  }

  click() {
    if (!this.disabled) this.fire("click");
  }

  select() {}

  scrollIntoView() {}
}

/** Puts a fresh document into the place of the browser's. */
export function fakeDocument() {
  const document = {
    /** @type {FakeElement | null} */
    activeElement: null,
    createElement: (/** @type {string} */ tag) => new FakeElement(tag),
  };
  Object.assign(globalThis, { document, HTMLInputElement: class {} });
  return document;
}

/** For looking into what a view made. @param {unknown} element @returns {FakeElement} */
export const fake = (element) => /** @type {FakeElement} */ (element);
