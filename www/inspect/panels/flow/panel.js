/** The way of one token through the model: asks for the graph and the values, walks, and hands both to the views. */
import { h, setText } from "../../../core/dom.js";
import { formatCount } from "../../../core/format.js";
import { n, registerStrings, t } from "../../../core/i18n/index.js";
import { isDark, watchTheme } from "../../canvas.js";
import { showToken } from "../../label.js";
import { SaveRow, toCsv } from "../../save.js";
import { FlowBar } from "./bar.js";
import { valueRows } from "./data.js";
import { explain, partsOf } from "./detail.js";
import { FlowDiagram } from "./diagram.js";
import { rowsOf, stepKey } from "./graph.js";
import { linesOf, titleOf } from "./lines.js";
import { flowPicture } from "./picture.js";
import { FlowSource } from "./source.js";
import { flowEn } from "./words.en.js";
import { flowZh } from "./words.zh.js";

registerStrings(flowEn, flowZh);

/** @typedef {import("../../types.js").InspectContext} InspectContext */

/** @typedef {import("../../types.js").Panel} Panel */

/** @implements {Panel} */
export class FlowPanel {
  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.intro = h("p", { class: "flow-intro" });
    this.size = h("p", { class: "flow-quiet" });
    const top = h("div", { class: "flow-top" });
    const diagram = h("div", {});
    this.error = h("p", { class: "flow-error", role: "status", hidden: true });
    this.legend = h(
      "p",
      { class: "flow-legend" },
      h("i", { class: "flow-less" }),
      h("span"),
      h("i", { class: "flow-more" }),
      h("span"),
      h("span"),
    );
    this.body = h("div", {}, this.size, top, diagram, this.legend);
    this.root = h("section", { class: "flow" }, this.intro, this.error, this.body);
    const onStep = (/** @type {number} */ by) => this.step(by);
    this.bar = new FlowBar(top, { onStep });
    this.diagram = new FlowDiagram(diagram, {
      onStep,
      onPick: (key) => this.pick(key),
      onJump: (by) => this.jump(by),
      onHead: (head) => ctx.setView({ head }),
      onPanel: (panel) => ctx.setView({ panel }),
    });
    this.save = new SaveRow(this.body, {
      name: () => "forward-pass",
      png: () => this.picture(),
      csv: () => this.csv(),
      json: () => this.json(),
    });

    this.current = "input";
    this.expanded = false;
    this.started = false;
    /** The open block; -1 for none. */
    this.open = Math.max(0, ctx.view.layer);
    this.viewLayer = ctx.view.layer;
    this.source = new FlowSource(ctx, () => this.draw());
    this.dimmed = false;
    /** @type {{ key: string, tensors: unknown, next: unknown, parts: import("./detail.js").Part[] } | null} */
    this.detailOf = null;
    /** @type {import("./diagram.js").Line[]} */
    this.lines = [];
    this.title = "";
    /** @type {(() => void) | null} */
    this.unwatch = null;
  }

  update() {
    this.unwatch ??= watchTheme(() => this.draw());
    const { subject, view } = this.ctx;
    if (subject && !subject.writing) {
      if (view.layer !== this.viewLayer) {
        this.viewLayer = view.layer;
        if (view.layer >= 0 && view.layer !== this.open) this.openBlock(view.layer);
      }
      this.source.update(subject, this.open);
    }
    // While the model writes nothing changes here but that it is dimmed.
    if (subject?.writing && this.dimmed) return;
    this.draw();
  }

  close() {
    this.unwatch?.();
    this.unwatch = null;
    this.source.close();
  }

  rows() {
    return this.source.flow ? rowsOf(this.source.flow, this.open, this.ctx.view.off) : [];
  }

  /** @param {number} by */
  step(by) {
    if (this.started) this.current = stepKey(this.rows(), this.current, by);
    this.go();
  }

  /** To the next block, or the one before. @param {number} by */
  jump(by) {
    const rows = this.rows();
    const at = rows.findIndex(({ key }) => key === this.current);
    const stops = rows.flatMap(({ type }, i) => (type === "block" || i === 0 || i === rows.length - 1 ? [i] : []));
    const stop = by > 0 ? stops.find((i) => i > at) : stops.filter((i) => i < at).at(-1);
    if (stop !== undefined) this.current = rows[stop].key;
    this.go();
  }

  go() {
    this.started = true;
    this.expanded = true;
    this.draw();
    this.diagram.reveal();
  }

  /** Opens a line, or closes it again; a block's line opens the block. @param {string} key */
  pick(key) {
    const block = this.rows().find((row) => row.key === key)?.block;
    const again = this.started && key === this.current && this.expanded;
    this.current = key;
    this.started = true;
    this.expanded = !again;
    if (block && (block.layer !== this.open || again)) {
      this.expanded = block.layer !== this.open;
      this.openBlock(block.layer === this.open ? -1 : block.layer);
    }
    this.draw();
  }

  /** @param {number} layer -1 for none */
  openBlock(layer) {
    const inside = this.rows().find(({ key }) => key === this.current)?.layer ?? -1;
    // The same box in another block, where the walk is inside of one.
    if (inside >= 0) {
      const other = this.current.replace(`h.${inside}`, `h.${layer}`);
      this.current = layer >= 0 && this.source.flow?.boxes.has(other) ? other : `block.${inside}`;
    }
    this.open = layer;
    if (layer >= 0) {
      this.viewLayer = layer;
      if (this.ctx.view.layer !== layer) this.ctx.setView({ layer });
      if (this.source.wanted) this.source.update(this.source.wanted, layer);
    }
  }

  draw() {
    const { source } = this;
    const { subject, flow } = source;
    const ready = subject !== null && flow !== null && this.ctx.subject !== null;
    setText(this.intro, t(ready ? "flow.intro" : this.ctx.subject && !source.problem ? "flow.loading" : "flow.empty"));
    this.body.hidden = !ready;
    this.error.hidden = source.problem === "";
    setText(this.error, source.problem && t("flow.error", { reason: source.problem }));
    if (!ready) return;
    if (this.open >= flow.blocks.length) {
      // Another model, with fewer blocks.
      this.open = 0;
      if (source.wanted) source.update(source.wanted, 0);
    }
    const rows = this.rows();
    const found = rows.findIndex(({ key }) => key === this.current);
    const at = Math.max(0, found);
    const row = rows[at];
    this.current = row.key;
    const { tensors, attention, next } = source;
    const { settings, view } = this.ctx;
    /** @type {import("./detail.js").Known} */
    const known = { subject, flow, tensors, attention, next, settings, off: view.off, head: view.head };
    this.lines = linesOf(rows, known, this.open, this.started ? at + 1 : 0);
    const { texts } = subject.tokens;
    setText(
      this.size,
      t(subject.selected ? "flow.tokens" : "flow.tokens.one", {
        count: n(subject.selected + 1),
        params: formatCount(flow.nParams),
      }),
    );
    this.title = t("flow.of.token", {
      number: n(subject.selected + 1),
      token: showToken(texts[subject.selected] ?? ""),
    });
    this.bar.update({ who: this.title, at: this.started ? at + 1 : 0, all: rows.length, title: titleOf(row, flow) });
    const dim = this.ctx.subject?.writing === true || source.stale;
    this.dimmed = dim;
    this.diagram.update({
      lines: this.lines,
      current: row.key,
      expanded: this.expanded,
      detail: this.detail(row, known),
      dim,
      label: t("flow.label"),
      keys: t("flow.step.keys"),
    });
    const [, less, , more, note] = this.legend.children;
    setText(less, t("flow.legend.less"));
    setText(more, t("flow.legend.more"));
    setText(note, t("flow.legend.note"));
    this.save.update();
  }

  /**
   * Parts are made anew only when something that they show has changed.
   * @param {import("./graph.js").Row} row @param {import("./detail.js").Known} known
   */
  detail(row, known) {
    const words = explain(row, known);
    const { tensors, next, head, subject } = known;
    const key = [row.key, subject.version, subject.selected, tensors.size, head, words, this.expanded, isDark()].join(
      "\n",
    );
    if (this.detailOf?.tensors !== tensors || this.detailOf.next !== next || this.detailOf.key !== key) {
      this.detailOf = { key, tensors, next, parts: this.expanded ? partsOf(row, known) : [] };
    }
    const { parts } = this.detailOf;
    return {
      explain: words,
      parts,
      waiting: parts.length === 0 && this.source.problem === "" ? t("flow.loading") : "",
    };
  }

  picture() {
    const style = getComputedStyle(this.root);
    return flowPicture(this.lines, this.title, (name) => style.getPropertyValue(name).trim());
  }

  csv() {
    return toCsv(["tensor", "index_from_0", "value"], valueRows(this.source.tensors));
  }

  json() {
    const { subject, flow, tensors, attention } = this.source;
    return {
      token: subject && {
        position_from_1: subject.selected + 1,
        id: subject.tokens.ids[subject.selected],
        text: subject.tokens.texts[subject.selected],
      },
      nodes:
        flow &&
        [...flow.boxes.values()].map(({ name, op, inputs, shape, params, layer }) => ({
          name,
          op,
          inputs,
          shape,
          params,
          layer,
        })),
      tensors: Object.fromEntries(tensors),
      attention: Object.fromEntries(attention),
    };
  }
}
