/** One position through all levels: how the target rises, and what stood above it. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { finePercent, percent, showToken } from "../../label.js";
import { chartOf, settledAt } from "./data.js";
import { levelLabel, levelName } from "./table.js";

/** @typedef {import("./data.js").LensColumn} LensColumn */

/** So many of a level's likeliest tokens are listed. */
const LISTED = 5;
const HEIGHT = 228;
const BANDS = {
  left: 56,
  probability: /** @type {[number, number]} */ ([20, 88]),
  rank: /** @type {[number, number]} */ ([126, 190]),
};

/**
 * @param {string} tag @param {Record<string, string | number>} attributes @param {string} [text]
 * @returns {SVGElement}
 */
function svg(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

export class LensColumnView {
  /** @param {Element} root @param {{ onLevel: (level: number) => void }} handlers a level is pointed at */
  constructor(root, { onLevel }) {
    this.onLevel = onLevel;
    this.title = h("h3");
    this.words = h("p", { class: "lens-words" });
    this.chart = h("div", {
      class: "lens-chart",
      onpointermove: (/** @type {PointerEvent} */ event) => this.point(event),
    });
    this.head = h("tr");
    this.body = h("tbody");
    this.table = h("table", { class: "lens-list" }, h("thead", {}, this.head), this.body);
    this.root = h("section", { class: "lens-column" }, this.title, this.words, this.chart, this.table);
    root.append(this.root);
    /** @type {number[]} */
    this.xs = [];
    this.drawn = "";
    /** @type {LensColumn | null} */
    this.column = null;
  }

  /**
   * @param {{ column: LensColumn | null, token: string, kind: "answer" | "next", level: number, width: number, lang:
   *   string,
   *   vocabSize: number }} data
   *   `level` is the one to mark
   */
  update({ column, token, kind, level, width, lang, vocabSize }) {
    this.root.hidden = !column;
    if (!column) return;
    if (column !== this.column || this.drawn !== `${width} ${kind} ${lang}`) {
      this.column = column;
      this.drawn = `${width} ${kind} ${lang}`;
      setText(this.title, t("lens.column", { token: showToken(token) }));
      setText(this.words, this.sentence(column, kind));
      this.list(column);
      this.draw(column, width, vocabSize);
    }
    this.mark(level);
  }

  /** @param {LensColumn} column @param {"answer" | "next"} kind */
  sentence(column, kind) {
    if (!column.target) return t("lens.column.none");
    const settled = settledAt(column);
    const end =
      settled < 0
        ? t("lens.column.unsettled")
        : settled === 0
          ? t("lens.column.settled.embedding")
          : t("lens.column.settled", { layer: settled - 1 });
    return [t(`lens.column.${kind}`, { target: showToken(column.target.text) }), end].join(t("lens.join"));
  }

  /** @param {LensColumn} column */
  list(column) {
    const heads = ["level", "target", "rank", "top"].map((key) => h("th", { scope: "col" }, t(`lens.head.${key}`)));
    this.head.replaceChildren(...heads);
    const rows = column.levels.map((at, level) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", "aria-label": levelName(level, column.levels.length) }, levelLabel(level)),
        h("td", {}, column.target ? finePercent(Math.exp(at.logprob)) : "–"),
        h("td", {}, column.target ? n(at.rank) : "–"),
        h(
          "td",
          {},
          h(
            "ol",
            {},
            ...at.top
              .slice(0, LISTED)
              .map(({ id, text, logprob }) =>
                h(
                  "li",
                  { class: id === column.target?.id ? "lens-target" : null },
                  h("span", { class: "lens-token" }, showToken(text)),
                  ` ${percent(Math.exp(logprob))}`,
                ),
              ),
          ),
        ),
      ),
    );
    this.body.replaceChildren(...rows.reverse());
  }

  /** @param {LensColumn} column @param {number} width @param {number} vocabSize */
  draw(column, width, vocabSize) {
    this.chart.hidden = !column.target;
    this.marks = null;
    if (!column.target || width < 120) return;
    const { left, probability, rank } = BANDS;
    const right = width - 16;
    const chart = chartOf(column, { left, right, probability, rank }, vocabSize);
    this.xs = chart.x;
    const share = (/** @type {number} */ level) => percent(Math.exp(column.levels[level].logprob));
    const label = t("lens.chart", {
      target: showToken(column.target.text),
      first: share(0),
      last: share(column.levels.length - 1),
    });
    const picture = svg("svg", {
      width,
      height: HEIGHT,
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: "img",
      "aria-label": label,
    });
    const grid = (/** @type {number} */ y, /** @type {string} */ label) =>
      picture.append(
        svg("line", { x1: left - 8, x2: right + 8, y1: y, y2: y, class: "lens-rule" }),
        svg("text", { x: left - 14, y: y + 4, "text-anchor": "end" }, label),
      );
    for (const { value, y } of chart.shareTicks) grid(y, `${+(100 * value).toPrecision(3)} %`);
    const last = chart.rankTicks.length - 1;
    const every = Math.ceil(chart.rankTicks.length / 4);
    chart.rankTicks.forEach(({ value, y }, i) => grid(y, i % every && i < last ? "" : n(value)));
    picture.append(
      svg("text", { x: left - 8, y: probability[0] - 8, class: "lens-band" }, t("lens.chart.probability")),
      svg("text", { x: left - 8, y: rank[0] - 8, class: "lens-band" }, t("lens.chart.rank")),
    );
    for (const level of chart.levelTicks) {
      picture.append(svg("text", { x: chart.x[level], y: rank[1] + 18, "text-anchor": "middle" }, levelLabel(level)));
    }
    picture.append(
      svg("text", { x: right, y: HEIGHT - 4, "text-anchor": "end", class: "lens-band" }, t("lens.chart.axis")),
    );
    const line = (/** @type {number[]} */ ys) => {
      picture.append(
        svg("polyline", { points: ys.map((y, level) => `${chart.x[level]},${y}`).join(" "), class: "lens-line" }),
      );
      for (const [level, y] of ys.entries())
        picture.append(svg("circle", { cx: chart.x[level], cy: y, r: 2.5, class: "lens-dot" }));
    };
    line(chart.probability);
    line(chart.rank);
    const rule = svg("line", { y1: probability[0], y2: rank[1], class: "lens-mark" });
    const dots = [chart.probability, chart.rank].map((ys) => ({
      ys,
      dot: svg("circle", { r: 4.5, class: "lens-dot" }),
      label: svg("text", { class: "lens-value" }),
    }));
    picture.prepend(rule);
    picture.append(...dots.flatMap(({ dot, label }) => [dot, label]));
    this.marks = { rule, dots, right };
    this.chart.replaceChildren(picture);
  }

  /** Marks a level in the chart and in the list. @param {number} level */
  mark(level) {
    const { column, marks } = this;
    if (!column) return;
    const rows = [...this.body.rows];
    rows.forEach((row, i) => row.classList.toggle("lens-at", rows.length - 1 - i === level));
    const at = column.levels[level];
    if (!marks || !at) return;
    const x = this.xs[level];
    marks.rule.setAttribute("x1", String(x));
    marks.rule.setAttribute("x2", String(x));
    const values = [finePercent(Math.exp(at.logprob)), n(at.rank)];
    // The label keeps to the chart, and out of the line's way where the curve rises.
    const before = x > marks.right - 56;
    marks.dots.forEach(({ ys, dot, label }, i) => {
      dot.setAttribute("cx", String(x));
      dot.setAttribute("cy", String(ys[level]));
      label.setAttribute("x", String(before ? x - 9 : x + 9));
      label.setAttribute("y", String(ys[level] + (before ? -6 : 12)));
      label.setAttribute("text-anchor", before ? "end" : "start");
      setText(label, values[i]);
    });
  }

  /** @param {PointerEvent} event */
  point(event) {
    const x = event.clientX - this.chart.getBoundingClientRect().left;
    let best = 0;
    for (const [level, at] of this.xs.entries()) if (Math.abs(at - x) < Math.abs(this.xs[best] - x)) best = level;
    this.onLevel(best);
  }
}
