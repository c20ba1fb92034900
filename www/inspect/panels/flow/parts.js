/** The inside of an opened box: explanation, pictures, figures, bars, tables. */
import { h } from "../../../core/dom.js";
import { stripCanvas, stripGrid } from "./strip.js";

/** @typedef {import("./detail.js").Part} Part */
/**
 * @typedef {{ onHead: (head: number) => void, onPanel: (panel: import("../../types.js").PanelName) => void }} Handlers
 */

/**
 * Style attributes are forbidden on this page; properties are not.
 * @param {HTMLElement} element @param {string} name @param {string} value
 */
function styled(element, name, value) {
  element.style.setProperty(name, value);
  return element;
}

export class FlowParts {
  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    this.root = h("div", { class: "flow-detail" });
    /** Tables that were opened stay open from step to step. */
    this.tableOpen = false;
    this.drawn = "";
    /** @type {Part[] | null} */
    this.parts = null;
  }

  /** @param {{ explain: string, parts: Part[], waiting: string }} data */
  update({ explain, parts, waiting }) {
    const drawn = `${explain}\n${waiting}`;
    if (parts === this.parts && drawn === this.drawn) return;
    this.parts = parts;
    this.drawn = drawn;
    const focus =
      document.activeElement instanceof HTMLElement && this.root.contains(document.activeElement)
        ? document.activeElement.dataset.focus
        : undefined;
    this.root.replaceChildren(
      h("p", { class: "flow-explain" }, explain),
      ...parts.map((part) => this.part(part)),
      ...(waiting ? [h("p", { class: "flow-quiet" }, waiting)] : []),
    );
    if (focus)
      /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-focus="${focus}"]`))?.focus({
        preventScroll: true,
      });
  }

  /** @param {Part} part @returns {HTMLElement} */
  part(part) {
    switch (part.type) {
      case "text":
        return h("p", { class: "flow-quiet" }, part.text);
      case "figures":
        return h(
          "dl",
          { class: "flow-figures" },
          ...part.items.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
        );
      case "picture":
        return this.picture(part);
      case "heads":
        return this.heads(part);
      case "bars":
        return this.bars(part);
      case "table":
        return this.table(part);
      case "link":
        return h(
          "button",
          { type: "button", class: "quiet flow-link", onclick: () => this.handlers.onPanel(part.panel) },
          part.label,
        );
    }
  }

  /** @param {Extract<Part, { type: "picture" }>} part */
  picture({ label, strip, note }) {
    const grid = stripGrid(strip.values.length);
    const canvas = stripCanvas(strip, { class: "flow-picture", role: "img", "aria-label": `${label}. ${note}` }, grid);
    // Square cells where there is room, but a single row is tall enough to be seen.
    canvas.style.aspectRatio = `${grid.columns} / ${Math.max(grid.rows, grid.columns / 24)}`;
    return h(
      "figure",
      { class: "flow-part" },
      h("figcaption", {}, label),
      canvas,
      h("p", { class: "flow-quiet" }, note),
    );
  }

  /** @param {Extract<Part, { type: "heads" }>} part */
  heads({ label, columns, rows, remark: remarkTitle, picked, note }) {
    const pickable = picked >= 0;
    const line = (
      /** @type {(typeof rows)[number]} */ { label: name, strips, note: remark },
      /** @type {number} */ head,
    ) => {
      const cells = strips.map((strip) =>
        h(
          "span",
          { class: "flow-cell" },
          stripCanvas(strip, { "aria-hidden": "true" }, { columns: strip.values.length, rows: 1 }),
        ),
      );
      const inside = [
        h("span", { class: "flow-head" }, name),
        ...cells,
        ...(remark ? [h("span", { class: "flow-remark" }, remark)] : []),
      ];
      const shape = { class: "flow-heads-row", "data-remark": String(remark !== "") };
      const row = pickable
        ? h(
            "button",
            {
              ...shape,
              type: "button",
              "aria-pressed": String(head === picked),
              "data-focus": `head-${head}`,
              onclick: () => this.handlers.onHead(head),
            },
            ...inside,
          )
        : h("div", shape, ...inside);
      return styled(row, "--cells", String(strips.length));
    };
    const titles = styled(
      h(
        "div",
        { class: "flow-heads-row flow-heads-titles", "data-remark": String(rows.some((row) => row.note !== "")) },
        h("span", { class: "flow-head" }),
        ...columns.map((column) => h("span", {}, column)),
        ...(remarkTitle ? [h("span", {}, remarkTitle)] : []),
      ),
      "--cells",
      String(columns.length),
    );
    return h(
      "figure",
      { class: "flow-part" },
      h("figcaption", {}, label),
      h("div", { class: "flow-heads" }, titles, ...rows.map(line)),
      h("p", { class: "flow-quiet" }, note),
    );
  }

  /** @param {Extract<Part, { type: "bars" }>} part */
  bars({ label, items, note }) {
    const bar = (/** @type {{ label: string, share: number, second?: number, value: string }} */ item) => {
      const mark =
        item.second === undefined ? [] : [styled(h("i", { class: "flow-bar-mark" }), "left", `${100 * item.second}%`)];
      return h(
        "li",
        {},
        h("span", { class: "flow-bar-label", dir: "auto" }, item.label),
        h(
          "span",
          { class: "flow-bar", "aria-hidden": "true" },
          styled(h("i"), "width", `${100 * Math.max(0, Math.min(1, item.share))}%`),
          ...mark,
        ),
        h("span", { class: "flow-bar-value" }, item.value),
      );
    };
    return h(
      "figure",
      { class: "flow-part" },
      h("figcaption", {}, label),
      h("ul", { class: "flow-bars" }, ...items.map(bar)),
      ...(note ? [h("p", { class: "flow-quiet" }, note)] : []),
    );
  }

  /** @param {Extract<Part, { type: "table" }>} part */
  table({ label, header, rows }) {
    const body = rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell))));
    const table = h(
      "table",
      { class: "flow-table" },
      h("thead", {}, h("tr", {}, ...header.map((cell) => h("th", { scope: "col" }, cell)))),
      h("tbody", {}, ...body),
    );
    const details = h("details", { open: this.tableOpen }, h("summary", { "data-focus": "table" }, label), table);
    details.addEventListener("toggle", () => (this.tableOpen = details.open));
    return details;
  }
}
