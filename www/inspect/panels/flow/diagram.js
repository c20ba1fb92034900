/** The forward pass as a vertical line, the residual stream, with the branches that leave it and come back. */
import { h, setText } from "../../../core/dom.js";
import { isDark } from "../../canvas.js";
import { FlowParts } from "./parts.js";
import { drawStrip } from "./strip.js";

/** @typedef {import("./detail.js").Part} Part */
/** @typedef {import("./detail.js").Strip} Strip */
/**
 * @typedef {object} Line what a line of the diagram shows
 * @property {string} key
 * @property {"input" | "box" | "block" | "sampling"} type
 * @property {"stream" | "attention" | "mlp" | "branch"} lane
 * @property {boolean} fork
 * @property {boolean} join
 * @property {boolean} inside it stands in the open block
 * @property {boolean | null} open for a block: whether it is the open one; else null
 * @property {boolean} done the walk has passed it
 * @property {string} title
 * @property {string} tensor
 * @property {string} facts
 * @property {string} laneTitle over the first box of a branch
 * @property {Strip | null} strip
 * @property {string} note
 */
/**
 * @typedef {object} DiagramData
 * @property {Line[]} lines
 * @property {string} current key of the line that the walk is at
 * @property {boolean} expanded whether it is open
 * @property {{ explain: string, parts: Part[], waiting: string }} detail of the current line
 * @property {boolean} dim what is shown is about to be replaced
 * @property {string} label @property {string} keys
 */
/**
 * @typedef {object} Handlers
 * @property {(key: string) => void} onPick a line was chosen
 * @property {(by: number) => void} onStep
 * @property {(by: number) => void} onJump by whole blocks
 * @property {(head: number) => void} onHead
 * @property {(panel: import("../../types.js").PanelName) => void} onPanel
 */

const SVG = "http://www.w3.org/2000/svg";
/** Where stream and branch run, and the height at which a line's dot sits; the style sheet uses the same. */
export const RAIL = { width: 56, stream: 16, branch: 40, dot: 24, turn: 24 };

/** @param {string} tag @param {Record<string, string | number>} attributes */
function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** One line; it is kept as long as its key is on the diagram. */
class LineView {
  /** @param {Line} line @param {FlowDiagram} diagram */
  constructor(line, diagram) {
    this.key = line.key;
    this.lane = h("span", { class: "flow-lane" });
    this.title = h("span", { class: "flow-title" });
    this.tensor = h("code", { class: "flow-tensor" });
    this.facts = h("span", { class: "flow-facts" });
    this.canvas = h("canvas", { class: "flow-thumb", "aria-hidden": "true" });
    this.note = h("span", { class: "flow-note" });
    this.button = h(
      "button",
      { type: "button", class: "flow-box", tabindex: "-1", onclick: () => diagram.handlers.onPick(this.key) },
      h("span", { class: "flow-words" }, this.title, h("span", { class: "flow-sub" }, this.tensor, this.facts)),
      h("span", { class: "flow-side" }, this.canvas, this.note),
    );
    this.rail = h("span", { class: "flow-rail", "aria-hidden": "true" });
    this.content = h("div", { class: "flow-content" }, this.lane, this.button);
    this.root = h("li", { class: "flow-line" }, this.rail, this.content);
    /** @type {Strip | null} */
    this.strip = null;
    this.dark = false;
    this.shape = "";
  }

  /** @param {Line} line @param {boolean} current @param {boolean} expanded */
  update(line, current, expanded) {
    setText(this.lane, line.laneTitle);
    this.lane.hidden = line.laneTitle === "";
    setText(this.title, line.title);
    setText(this.tensor, line.tensor);
    setText(this.facts, line.facts);
    setText(this.note, line.note);
    const { dataset } = this.root;
    [dataset.type, dataset.lane, dataset.done] = [line.type, line.lane, String(line.done)];
    dataset.inside = String(line.inside || line.open === true);
    dataset.current = String(current);
    this.button.tabIndex = current ? 0 : -1;
    this.button.setAttribute("aria-expanded", String(current && expanded));
    if (current) this.button.setAttribute("aria-current", "step");
    else this.button.removeAttribute("aria-current");
    this.drawRail(line);
    this.canvas.hidden = !line.strip;
    const dark = isDark();
    if (line.strip && (line.strip.values !== this.strip?.values || dark !== this.dark))
      drawStrip(this.canvas, line.strip);
    this.strip = line.strip;
    this.dark = dark;
  }

  /** @param {Line} line */
  drawRail({ lane, fork, join, type, open }) {
    const shape = [lane, fork, join, type, open].join();
    if (shape === this.shape) return;
    this.shape = shape;
    const { width, stream, branch, dot, turn } = RAIL;
    const top = fork ? turn : 0;
    const picture = svg("svg", { width, height: top + 2 * dot, class: "flow-wires" });
    const curve = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ end) =>
      svg("path", {
        d: `M${from} 0 C${from} ${end * 0.6} ${to} ${end * 0.4} ${to} ${end}`,
        class: "flow-wire",
      });
    if (fork) picture.append(curve(stream, branch, turn));
    if (join) picture.append(curve(branch, stream, dot - 6));
    const x = lane === "stream" ? stream : branch;
    const y = top + dot;
    if (type === "block") {
      picture.append(
        svg("rect", { x: x - 8, y: y - 8, width: 16, height: 16, rx: 4, class: "flow-dot" }),
        svg("path", {
          d: open
            ? `M${x - 3.5} ${y - 1.5} L${x} ${y + 2} L${x + 3.5} ${y - 1.5}`
            : `M${x - 1.5} ${y - 3.5} L${x + 2} ${y} L${x - 1.5} ${y + 3.5}`,
          class: "flow-sign",
        }),
      );
    } else if (join) {
      picture.append(
        svg("circle", { cx: x, cy: y, r: 8, class: "flow-dot" }),
        svg("path", { d: `M${x - 4} ${y} H${x + 4} M${x} ${y - 4} V${y + 4}`, class: "flow-sign" }),
      );
    } else picture.append(svg("circle", { cx: x, cy: y, r: lane === "stream" ? 6 : 4.5, class: "flow-dot" }));
    this.rail.dataset.fork = String(fork);
    this.rail.replaceChildren(picture);
  }
}

export class FlowDiagram {
  /** @param {Element} root @param {Handlers} handlers */
  constructor(root, handlers) {
    this.handlers = handlers;
    this.list = h("ol", { class: "flow-list", onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event) });
    this.detail = new FlowParts(handlers);
    this.hint = h("p", { class: "flow-quiet flow-hint" });
    root.append(this.list, this.hint);
    /** @type {Map<string, LineView>} */
    this.lines = new Map();
    this.current = "";
  }

  /** @param {DiagramData} data */
  update({ lines, current, expanded, detail, dim, label, keys }) {
    this.list.setAttribute("aria-label", label);
    this.list.classList.toggle("stale", dim);
    setText(this.hint, keys);
    const focused =
      this.list.contains(document.activeElement) && document.activeElement?.classList.contains("flow-box");
    const views = lines.map((line) => this.lines.get(line.key) ?? new LineView(line, this));
    this.lines = new Map(views.map((view) => [view.key, view]));
    lines.forEach((line, i) => views[i].update(line, line.key === current, expanded));
    // Only what changed is moved: an element that is moved loses the focus.
    views.forEach((view, i) => {
      if (this.list.children[i] !== view.root) this.list.insertBefore(view.root, this.list.children[i] ?? null);
    });
    while (this.list.children.length > views.length) this.list.lastElementChild?.remove();
    const at = this.lines.get(current);
    if (expanded && at) {
      this.detail.update(detail);
      if (this.detail.root.parentElement !== at.content) at.content.append(this.detail.root);
    } else this.detail.root.remove();
    if (focused && !at?.button.matches(":focus")) at?.button.focus({ preventScroll: true });
    this.current = current;
  }

  /** Brings the current line to where it can be read. */
  reveal() {
    this.lines.get(this.current)?.root.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (
      !(event.target instanceof HTMLElement) ||
      !event.target.classList.contains("flow-box") ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    const { onStep, onJump } = this.handlers;
    const steps = this.lines.size;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => onStep(1),
      ArrowRight: () => onStep(1),
      ArrowUp: () => onStep(-1),
      ArrowLeft: () => onStep(-1),
      Home: () => onStep(-steps),
      End: () => onStep(steps),
      PageDown: () => onJump(1),
      PageUp: () => onJump(-1),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
}
