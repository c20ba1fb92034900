/** The loss over the steps, drawn by uPlot. */
import { h, setText } from "../core/dom.js";
import { part } from "../core/errors.js";
import { n, t } from "../core/i18n/index.js";
import { asset } from "../core/site.js";

/** @typedef {import("../engine/types.js").LossHistory} LossHistory */

const HEIGHT = 260;
/** Rows of the table. */
const MOST_ROWS = 12;

/** @type {Promise<any> | null} */
let loading = null;

/** The library is loaded when the first curve is drawn. */
function library() {
  loading ??= (async () => {
    // Addresses are computed because the files are built, not written: the type check must not look for them.
    document.head.append(h("link", { rel: "stylesheet", href: asset("vendor/uPlot.css").href }));
    return (await part(import(asset("vendor/uPlot.esm.js").href))).default;
  })();
  loading.catch(() => (loading = null));
  return loading;
}

/**
 * One row per step, with a gap where a curve has no value there.
 * @param {LossHistory} history
 * @returns {[number[], (number | null)[], (number | null)[]]}
 */
export function chartData({ train, validation }) {
  /** @type {Map<number, [number | null, number | null]>} */
  const rows = new Map();
  for (const [step, loss] of train) rows.set(step, [loss, null]);
  for (const [step, loss] of validation) rows.set(step, [rows.get(step)?.[0] ?? null, loss]);
  const steps = [...rows.keys()].sort((a, b) => a - b);
  return [steps, steps.map((step) => rows.get(step)?.[0] ?? null), steps.map((step) => rows.get(step)?.[1] ?? null)];
}

/**
 * The points that a table shows: the last of those with both losses where there are some, else of all.
 * @param {ReturnType<typeof chartData>} data
 */
export function tableRows([steps, train, validation]) {
  const all = steps.map((_, at) => at);
  const both = all.filter((at) => validation[at] !== null);
  return (both.length > 1 ? both : all)
    .slice(-MOST_ROWS)
    .map((at) => /** @type {const} */ ([steps[at], train[at], validation[at]]));
}

/** @param {number | null | undefined} loss */
const figure = (loss) => (loss === null || loss === undefined ? "–" : loss.toFixed(3));

export class LossChart {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = h("div", {
      class: "chart",
      role: "img",
      tabindex: "0",
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.said = h("p", { class: "visually-hidden", role: "status" });
    this.tableTitle = h("summary");
    this.rows = h("tbody");
    this.heads = [h("th", { scope: "col" }), h("th", { scope: "col" }), h("th", { scope: "col" })];
    this.table = h(
      "details",
      { class: "chart-table", ontoggle: () => this.fillTable() },
      this.tableTitle,
      h("table", {}, h("thead", {}, h("tr", {}, ...this.heads)), this.rows),
    );
    /** In the curve's place, where the library did not come or does not work here. */
    this.missing = h("p", { class: "facts", role: "status", hidden: true });
    addEventListener("online", () => this.schedule());
    root.append(this.root, this.missing, this.said, this.table);
    /** The point that the keys are at, -1 for none. */
    this.at = -1;
    /** @type {any} */
    this.plot = null;
    /** Language and colours of what is drawn. */
    this.drawn = "";
    this.size = "";
    /** @type {LossHistory | null} */
    this.history = null;
    this.pending = false;
    new ResizeObserver(() => this.fit()).observe(this.root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.schedule());
  }

  /**
   * @param {LossHistory} history
   * @param {number} steps of the whole run
   * @param {string} look changes with language and theme
   */
  update(history, steps, look) {
    this.history = history;
    this.steps = steps;
    this.look = look;
    const { train, validation } = history;
    const label = t("train.chart.label", {
      step: n(train.at(-1)?.[0] ?? 0),
      steps: n(steps),
      train: figure(train.at(-1)?.[1]),
      validation: figure(validation.at(-1)?.[1]),
    });
    if (this.root.getAttribute("aria-label") !== label) this.root.setAttribute("aria-label", label);
    setText(this.tableTitle, t("train.chart.table"));
    setText(this.missing, t("train.chart.notLoaded"));
    this.fillTable();
    if (this.missing.hidden) this.schedule();
  }

  fillTable() {
    if (!this.table.open || !this.history) return;
    ["step", "train", "validation"].forEach((name, at) => setText(this.heads[at], t(`train.chart.${name}`)));
    const rows = tableRows(chartData(this.history));
    this.rows.replaceChildren(
      ...rows.map(([step, train, validation]) =>
        h("tr", {}, h("th", { scope: "row" }, n(step)), h("td", {}, figure(train)), h("td", {}, figure(validation))),
      ),
    );
  }

  /** The arrow keys go from point to point, and tell it. @param {KeyboardEvent} event */
  key(event) {
    const { plot, history } = this;
    if (!plot || !history || event.ctrlKey || event.altKey || event.metaKey) return;
    const [steps, train, validation] = chartData(history);
    const last = steps.length - 1;
    const from = this.at < 0 ? last + 1 : this.at;
    /** @type {Record<string, number>} */
    const to = {
      ArrowLeft: from - 1,
      ArrowRight: this.at < 0 ? 0 : from + 1,
      PageUp: from - 10,
      PageDown: from + 10,
      Home: 0,
      End: last,
    };
    if (!(event.key in to) || last < 0) return;
    event.preventDefault();
    this.at = Math.min(last, Math.max(0, to[event.key]));
    const { at } = this;
    plot.setCursor({ left: plot.valToPos(steps[at], "x"), top: plot.valToPos(train[at] ?? validation[at] ?? 0, "y") });
    setText(
      this.said,
      t("train.chart.at", { step: n(steps[at]), train: figure(train[at]), validation: figure(validation[at]) }),
    );
  }

  schedule() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      void this.draw();
    });
  }

  async draw() {
    let drawn = true;
    try {
      this.plotWith(await library());
    } catch (error) {
      console.error(error);
      drawn = false;
    }
    if (!drawn && this.missing.hidden) this.table.open = true;
    this.root.hidden = !drawn;
    this.missing.hidden = drawn;
  }

  /** @param {any} UPlot */
  plotWith(UPlot) {
    const { history } = this;
    if (!history || !this.root.isConnected || !this.root.clientWidth) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const drawn = [this.look, colour("--ink"), colour("--accent")].join();
    if (drawn !== this.drawn) {
      this.plot?.destroy();
      this.plot = new UPlot(this.options(colour), chartData(history), this.root);
      this.drawn = drawn;
    }
    this.plot.setData(chartData(history), false);
    this.plot.setScale("x", { min: 0, max: Math.max(this.steps ?? 1, 1) });
  }

  /** @param {(name: string) => string} colour */
  options(colour) {
    const axis = {
      stroke: colour("--ink-2"),
      font: "12px system-ui",
      labelFont: "12px system-ui",
      labelSize: 22,
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { stroke: colour("--line"), width: 1 },
    };
    const inks = ["transparent", colour("--accent"), colour("--warm")];
    const value = (/** @type {unknown} */ _, /** @type {number | null} */ loss) => figure(loss);
    return {
      width: this.root.clientWidth,
      height: HEIGHT,
      pxAlign: 0,
      scales: {
        x: { time: false },
        y: {
          range: (/** @type {unknown} */ _, /** @type {number} */ min, /** @type {number} */ max) => [
            Math.max(0, min - 0.05 * (max - min) - 0.05),
            max + 0.05 * (max - min) + 0.05,
          ],
        },
      },
      axes: [
        { ...axis, label: t("train.chart.step"), size: 30 },
        { ...axis, label: t("train.chart.loss"), size: 48 },
      ],
      series: [
        {
          label: t("train.chart.step"),
          value: (/** @type {unknown} */ _, /** @type {number | null} */ step) => step ?? "–",
        },
        {
          label: t("train.chart.train"),
          stroke: inks[1],
          width: 1.5,
          points: { show: false },
          spanGaps: true,
          value,
        },
        {
          label: t("train.chart.validation"),
          stroke: inks[2],
          width: 2,
          dash: [6, 3],
          points: { show: true, size: 6, fill: inks[2] },
          spanGaps: true,
          value,
        },
      ],
      // In the lines' colours: hollow boxes look like checkboxes.
      legend: {
        live: true,
        markers: { width: 0, fill: (/** @type {unknown} */ _, /** @type {number} */ at) => inks[at] },
      },
      cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    };
  }

  fit() {
    const width = this.root.clientWidth;
    if (!width) return;
    if (this.plot && this.plot.width !== width) this.plot.setSize({ width, height: HEIGHT });
    else if (!this.plot) this.schedule();
  }
}
