/** A shipped source as a whole, at a line: where the page names no repository. */
import { h } from "../core/dom.js";
import { t } from "../core/i18n/index.js";

/** @param {string} file @param {string} text @param {number} line from 1 @param {number} lines that are marked */
export function showSource(file, text, line, lines) {
  const close = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("guide.viewer.close"));
  const marked = (/** @type {number} */ index) => index + 1 >= line && index + 1 < line + lines;
  const rows = text
    .split("\n")
    .map((row, index) => h("span", { class: marked(index) ? "guide-marked" : null }, `${row}\n`));
  rows.forEach((row, index) => (row.dataset.line = String(index + 1)));
  const code = h("pre", { class: "guide-source", tabindex: "0", "aria-label": file }, ...rows);
  const dialog = h(
    "dialog",
    { class: "guide-viewer", "aria-labelledby": "guide-file" },
    h("div", { class: "guide-viewer-head" }, h("h2", { id: "guide-file" }, file), close),
    code,
  );
  dialog.addEventListener("close", () => dialog.remove());
  // The page's Escape ends what the model writes; here it closes the file.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
  rows[Math.max(0, line - 1)]?.scrollIntoView({ block: "center" });
}
