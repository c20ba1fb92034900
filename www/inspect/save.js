/** Takes what a view shows out of the page: pictures, tables, data. */
import { h, saveBlob, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { nameBytes } from "./label.js";

/** @param {string | number} value */
function csvField(value) {
  const text = nameBytes(String(value));
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A table as CSV (RFC 4180): CRLF after every row, quotes only where they are needed and doubled inside.
 * @param {string[]} header @param {(string | number)[][]} rows
 */
export function toCsv(header, rows) {
  return [header, ...rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/**
 * Makes typed arrays plain, which JSON would write as objects, and names bytes, which many readers would refuse.
 * @param {string} _key @param {unknown} value
 */
function plain(_key, value) {
  if (typeof value === "string") return nameBytes(value);
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
    ? Array.from(/** @type {Float32Array} */ (value))
    : value;
}

/**
 * @typedef {object} SaveOptions
 * @property {() => string} name the file's name without its ending
 * @property {() => HTMLCanvasElement} [png]
 * @property {() => string | null | Promise<string | null>} [csv] null where there is nothing to save after all
 * @property {() => unknown} [json] likewise, or a promise
 */

/** A quiet row "Save PNG · CSV · JSON"; each button makes its file when it is pressed. */
export class SaveRow {
  /** @param {Element} root @param {SaveOptions} options */
  constructor(root, { name, png, csv, json }) {
    this.label = h("span", { class: "save-label" });
    /** @type {[HTMLButtonElement, string][]} */
    this.buttons = [];
    this.root = h("p", { class: "save-row" }, this.label);
    const add = (/** @type {string} */ kind, /** @type {() => Promise<Blob | null>} */ make) => {
      const press = async () => {
        const blob = await make();
        if (blob) saveBlob(`${name()}.${kind}`, blob);
      };
      const button = h("button", { type: "button", class: "quiet", onclick: () => void press() }, kind.toUpperCase());
      this.buttons.push([button, kind.toUpperCase()]);
      this.root.append(button);
    };
    if (png) add("png", () => new Promise((resolve) => png().toBlob(resolve, "image/png")));
    if (csv)
      add("csv", async () => {
        const text = await csv();
        return text === null ? null : new Blob([text], { type: "text/csv;charset=utf-8" });
      });
    if (json)
      add("json", async () => {
        const data = await json();
        return data === null ? null : new Blob([JSON.stringify(data, plain)], { type: "application/json" });
      });
    root.append(this.root);
    this.update();
  }

  /** Writes its words anew: the language may have changed. */
  update() {
    setText(this.label, t("inspect.save"));
    for (const [button, kind] of this.buttons) button.setAttribute("aria-label", t("inspect.save.kind", { kind }));
  }
}
