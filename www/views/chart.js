/** The loss over the steps, drawn by uPlot. */
import { h } from "../dom.js";
import { t } from "../i18n/index.js";

/** @typedef {import("../types.js").LossHistory} LossHistory */

const HEIGHT = 260;

/** @type {Promise<any> | null} */
let loading = null;

/** The library is loaded when the first curve is drawn. */
function library() {
  loading ??= (async () => {
    // Addresses are computed because the files are built, not written: the type check must not look for them.
    document.head.append(h("link", { rel: "stylesheet", href: new URL("../vendor/uPlot.css", import.meta.url).href }));
    return (await import(new URL("../vendor/uPlot.esm.js", import.meta.url).href)).default;
  })();
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

export class LossChart {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = h("div", { class: "chart" });
    root.append(this.root);
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

  /** @param {LossHistory} history @param {number} steps of the whole run @param {string} look changes with language and theme */
  update(history, steps, look) {
    this.history = history;
    this.steps = steps;
    this.look = look;
    this.schedule();
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
    const UPlot = await library();
    const { history } = this;
    if (!history || !this.root.isConnected || !this.root.clientWidth) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const drawn = [this.look, colour("--ink"), colour("--accent")].join();
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.plot?.destroy();
      this.plot = new UPlot(this.options(UPlot, colour), chartData(history), this.root);
    }
    this.plot.setData(chartData(history), false);
    this.plot.setScale("x", { min: 0, max: Math.max(this.steps ?? 1, 1) });
  }

  /** @param {any} UPlot @param {(name: string) => string} colour */
  options(UPlot, colour) {
    const axis = {
      stroke: colour("--ink-2"), font: "12px system-ui", labelFont: "12px system-ui", labelSize: 22,
      grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 },
    };
    const value = (/** @type {unknown} */ _, /** @type {number | null} */ loss) => (loss === null || loss === undefined ? "–" : loss.toFixed(3));
    return {
      width: this.root.clientWidth, height: HEIGHT, pxAlign: 0,
      scales: {
        x: { time: false },
        y: { range: (/** @type {unknown} */ _, /** @type {number} */ min, /** @type {number} */ max) => [Math.max(0, min - 0.05 * (max - min) - 0.05), max + 0.05 * (max - min) + 0.05] },
      },
      axes: [{ ...axis, label: t("train.chart.step"), size: 30 }, { ...axis, label: t("train.chart.loss"), size: 48 }],
      series: [
        { label: t("train.chart.step"), value: (/** @type {unknown} */ _, /** @type {number | null} */ step) => step ?? "–" },
        { label: t("train.chart.train"), stroke: colour("--accent"), width: 1.5, points: { show: false }, spanGaps: true, value },
        { label: t("train.chart.validation"), stroke: colour("--warm"), width: 2, dash: [6, 3], points: { show: true, size: 6, fill: colour("--warm") }, spanGaps: true, value },
      ],
      legend: { live: true },
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
