/** The way of one token through the model: asks for the graph and the values, walks, and hands both to the views. */
import { h, setText } from "../../dom.js";
import { isAbort } from "../../errors.js";
import { formatCount } from "../../format.js";
import { flowEn } from "../../i18n/flow.en.js";
import { flowZh } from "../../i18n/flow.zh.js";
import { n, registerStrings, t } from "../../i18n/index.js";
import { FlowBar } from "../../views/inspect/flow_bar.js";
import { FlowDiagram } from "../../views/inspect/flow_diagram.js";
import { valueRows } from "../flow_data.js";
import { explain, partsOf } from "../flow_detail.js";
import { readFlow, rowsOf, stepKey } from "../flow_graph.js";
import { linesOf, titleOf } from "../flow_lines.js";
import { flowPicture } from "../flow_picture.js";
import { showToken } from "../label.js";
import { SaveRow, toCsv } from "../save.js";

registerStrings(flowEn, flowZh);

/** @typedef {import("../types.js").InspectContext} InspectContext */
/** @typedef {import("../types.js").Subject} Subject */
/** @typedef {import("../flow_graph.js").Flow} Flow */

/** Where one block's values took longer than this, the other blocks' are fetched only when they are opened. */
const PATIENCE_MS = 300;
const BEST = 20;

/** @typedef {import("../types.js").Panel} Panel */

/** @implements {Panel} */
export class FlowPanel {
  /** @param {InspectContext} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.intro = h("p", { class: "flow-intro" });
    const top = h("div", { class: "flow-top" });
    const diagram = h("div", {});
    this.error = h("p", { class: "flow-error", role: "status", hidden: true });
    this.legend = h("p", { class: "flow-legend" }, h("i", { class: "flow-less" }), h("span"), h("i", { class: "flow-more" }), h("span"), h("span"));
    this.body = h("div", {}, top, this.error, diagram, this.legend);
    this.root = h("section", { class: "flow" }, this.intro, this.body);
    const onStep = (/** @type {number} */ by) => this.step(by);
    this.bar = new FlowBar(top, { onStep });
    this.diagram = new FlowDiagram(diagram, {
      onStep, onPick: (key) => this.pick(key), onJump: (by) => this.jump(by), onHead: (head) => ctx.setView({ head }), onPanel: (panel) => ctx.setView({ panel }),
    });
    this.save = new SaveRow(this.body, { name: () => "forward-pass", png: () => this.picture(), csv: () => this.csv(), json: () => this.json() });

    this.current = "input";
    this.expanded = false;
    this.started = false;
    /** The open block; -1 for none. */
    this.open = Math.max(0, ctx.view.layer);
    this.viewLayer = ctx.view.layer;
    /** @type {Flow | null} */
    this.flow = null;
    this.flowVersion = -1;
    /** @type {Subject | null} what the values below are of */
    this.subject = null;
    this.forget();
    this.closed = false;
    /** What is shown is of another token or text, until values of this one come. */
    this.stale = false;
    this.dimmed = false;
    this.problem = "";
    /** @type {{ key: string, tensors: Map<string, Float32Array>, next: unknown, parts: import("../flow_detail.js").Part[] } | null} */
    this.detailOf = null;
    /** @type {import("../../views/inspect/flow_diagram.js").Line[]} */
    this.lines = [];
    this.title = "";
  }

  forget() {
    /** @type {Map<string, Float32Array>} */
    this.tensors = new Map();
    /** @type {Map<number, NonNullable<import("../types.js").ValuesAnswer["attention"]>>} */
    this.attention = new Map();
    /** @type {Set<number>} layers whose values are there; -1 for before and after */
    this.layers = new Set();
    /** @type {import("../types.js").NextAnswer | null} */
    this.next = null;
    this.nextSettings = "";
    this.slow = false;
  }

  update() {
    const { subject, view } = this.ctx;
    this.closed = false;
    if (subject && !subject.writing) {
      if (subject.version !== this.subject?.version || subject.selected !== this.subject?.selected) {
        // The last values stay on the screen until the first new ones are there.
        this.subject = subject;
        this.stale = true;
        this.problem = "";
        void this.load();
      } else {
        // The same text and token: only what is beside them may have changed.
        this.subject = subject;
        if (this.nextSettings !== this.settingsKey()) void this.loadNext();
      }
      if (view.layer !== this.viewLayer) {
        this.viewLayer = view.layer;
        if (view.layer >= 0 && view.layer !== this.open) this.openBlock(view.layer);
      }
    }
    // While the model writes nothing changes here but that it is dimmed.
    if (subject?.writing && this.dimmed) return;
    this.draw();
  }

  close() {
    this.closed = true;
    // Requests end with the panel; without this mark they would not be made again.
    this.subject = null;
  }

  /** Asks for everything that is missing, what is looked at first. */
  async load() {
    const { subject } = this;
    if (!subject) return;
    const same = () => !this.closed && this.subject?.version === subject.version && this.subject.selected === subject.selected;
    const ids = subject.tokens.ids.slice(0, subject.selected + 1);
    try {
      if (this.flowVersion !== subject.version) {
        const answer = await this.ctx.ask("flow", { what: "flow" });
        if (!same()) return;
        this.flow = readFlow(answer);
        this.flowVersion = subject.version;
        if (this.open >= this.flow.blocks.length) this.open = 0;
      }
      const flow = /** @type {Flow} */ (this.flow);
      const wanted = () => {
        const order = [this.open, -1, ...flow.blocks.map(({ layer }) => layer)];
        return order.find((layer, i) => layer >= (i === 0 ? 0 : -1) && (this.stale || !this.layers.has(layer)) && (i < 2 || !this.slow));
      };
      for (let layer = wanted(); layer !== undefined; layer = wanted()) {
        const from = performance.now();
        const answer = await this.ctx.ask("flow.values", { what: "values", ids, layer });
        if (!same()) return;
        if (this.stale) this.forget();
        this.stale = false;
        for (const { name, values } of answer.tensors) this.tensors.set(name, values);
        if (answer.attention) this.attention.set(layer, answer.attention);
        this.layers.add(layer);
        this.slow = performance.now() - from > PATIENCE_MS;
        this.draw();
      }
      if (this.nextSettings !== this.settingsKey()) await this.loadNext();
    } catch (error) {
      this.fail(error);
    }
  }

  settingsKey() {
    const { temperature, topK, topP, minP, repetitionPenalty } = this.ctx.settings;
    return JSON.stringify({ temperature, topK, topP, minP, repetitionPenalty });
  }

  async loadNext() {
    const { subject } = this;
    if (!subject || this.stale) return;
    const key = this.settingsKey();
    this.nextSettings = key;
    try {
      const ids = subject.tokens.ids.slice(0, subject.selected + 1);
      const answer = await this.ctx.ask("flow.next", { what: "next", ids, settings: JSON.parse(key), limit: BEST, query: "" });
      if (this.closed || this.subject !== subject && this.subject?.selected !== subject.selected) return;
      this.next = answer;
      this.draw();
    } catch (error) {
      this.nextSettings = "";
      this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (isAbort(error) || this.closed) return;
    this.problem = error instanceof Error ? error.message : String(error);
    this.draw();
  }

  rows() {
    return this.flow ? rowsOf(this.flow, this.open, this.ctx.view.off) : [];
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
      this.current = layer >= 0 && this.flow?.boxes.has(other) ? other : `block.${inside}`;
    }
    this.open = layer;
    if (layer >= 0) {
      this.viewLayer = layer;
      if (this.ctx.view.layer !== layer) this.ctx.setView({ layer });
      if (!this.layers.has(layer)) void this.load();
    }
  }

  draw() {
    const { subject, flow } = this;
    const ready = subject !== null && flow !== null && this.ctx.subject !== null;
    setText(this.intro, ready ? t("flow.intro") : t("flow.empty"));
    this.body.hidden = !ready;
    if (!ready) return;
    const rows = this.rows();
    const at = Math.max(0, rows.findIndex(({ key }) => key === this.current));
    const row = rows[at];
    this.current = row.key;
    /** @type {import("../flow_detail.js").Known} */
    const known = { subject, flow, tensors: this.tensors, attention: this.attention, next: this.next, settings: this.ctx.settings, off: this.ctx.view.off, head: this.ctx.view.head };
    this.lines = linesOf(rows, known, this.open, this.started ? at + 1 : 0);
    const { texts } = subject.tokens;
    this.title = t("flow.of.token", { number: n(subject.selected + 1), token: showToken(texts[subject.selected] ?? "") });
    this.bar.update({ who: this.title, size: t("flow.tokens", { count: n(subject.selected + 1), params: formatCount(flow.nParams) }), at: this.started ? at + 1 : 0, all: rows.length, title: titleOf(row, flow) });
    const dim = this.ctx.subject?.writing === true || this.stale;
    this.dimmed = dim;
    this.diagram.update({ lines: this.lines, current: row.key, expanded: this.expanded, detail: this.detail(row, known), dim, label: t("flow.label"), keys: t("flow.step.keys") });
    this.error.hidden = this.problem === "";
    setText(this.error, this.problem && t("flow.error", { reason: this.problem }));
    const [, less, , more, note] = this.legend.children;
    setText(less, t("flow.legend.less"));
    setText(more, t("flow.legend.more"));
    setText(note, t("flow.legend.note"));
    this.save.update();
  }

  /** Parts are made anew only when something that they show has changed. @param {import("../flow_graph.js").Row} row @param {import("../flow_detail.js").Known} known */
  detail(row, known) {
    const words = explain(row, known);
    const key = [row.key, subjectKey(known.subject), this.tensors.size, this.layers.size, known.head, words, t("flow.min")];
    if (this.detailOf?.tensors !== this.tensors || this.detailOf.next !== this.next || this.detailOf.key !== key.join("\n")) {
      this.detailOf = { key: key.join("\n"), tensors: this.tensors, next: this.next, parts: this.expanded ? partsOf(row, known) : [] };
      if (!this.expanded) this.detailOf.key = "";
    }
    const waiting = this.detailOf.parts.length === 0 && this.problem === "" ? t("flow.loading") : "";
    return { explain: words, parts: this.detailOf.parts, waiting };
  }

  picture() {
    const style = getComputedStyle(this.root);
    return flowPicture(this.lines, this.title, (name) => style.getPropertyValue(name).trim());
  }

  csv() {
    return toCsv(["tensor", "index", "value"], valueRows(this.tensors));
  }

  json() {
    const { subject, flow } = this;
    return {
      token: subject && { position: subject.selected, id: subject.tokens.ids[subject.selected], text: subject.tokens.texts[subject.selected] },
      nodes: flow && [...flow.boxes.values()].map(({ name, op, inputs, shape, params, layer }) => ({ name, op, inputs, shape, params, layer })),
      tensors: Object.fromEntries(this.tensors), attention: Object.fromEntries(this.attention),
    };
  }
}

/** @param {Subject} subject */
function subjectKey({ version, selected }) {
  return `${version}.${selected}`;
}
