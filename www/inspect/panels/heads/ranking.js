/** Which heads matter for one token: choosing it, the measuring, the ranked list. */
import { h, setText } from "../../../core/dom.js";
import { n, t } from "../../../core/i18n/index.js";
import { isDark } from "../../canvas.js";
import { divergingCss } from "../../color.js";
import { finePercent, percent, shorten, showToken, signedBits } from "../../label.js";
import { isOff, scaleOf, shade } from "./data.js";
import { unitList } from "./effect.js";
import { unitName } from "./grid.js";

/** @typedef {import("../../types.js").Unit} Unit */
/** @typedef {import("./data.js").Effect} Effect */
/** @typedef {import("./ranker.js").Ranked} Ranked */
/**
 * @typedef {object} RankingData
 * @property {string} token the selected one
 * @property {{ id: number, text: string, follows: boolean }[]} choices of a target
 * @property {number} target the chosen one's id
 * @property {readonly Unit[]} off
 * @property {Ranked | null} ranked
 * @property {boolean} stale something else is off by now
 * @property {Pick<import("./data.js").Pace, "share" | "passes" | "done" | "units" | "left"> | null} running
 * @property {boolean} busy
 */

const FEW = 12;
/** A wait that is shorter needs no announcement. */
const LONG_SECONDS = 4;
/** A longer wait is told in minutes. */
const MINUTES_FROM = 90;

/**
 * How far the measuring is, and how long it still takes.
 * @param {NonNullable<RankingData["running"]>} running
 */
export function progressText({ passes, done, units, left }) {
  const words = [passes < 1 ? t("heads.progress.first") : t("heads.progress", { done: n(done), total: n(units) })];
  if (left !== null && left > MINUTES_FROM) words.push(t("heads.left.minutes", { count: n(Math.round(left / 60)) }));
  else if (left !== null && left > LONG_SECONDS)
    words.push(t("heads.left.seconds", { count: n(5 * Math.ceil(left / 5)) }));
  return words.join(" · ");
}

/**
 * The ranked units that are listed: an MLP does most, and would leave the heads no room. @param {readonly
 * Effect[]} effects @param {boolean} headsOnly
 */
export const listed = (effects, headsOnly) => effects.filter(({ head }) => !headsOnly || head >= 0);

export class HeadsRanking {
  /**
   * @param {{ onTarget: (id: number) => void, onRank: () => void, onCancel: () => void, onToggle: (unit: Unit) => void
   *   }} handlers
   */
  constructor({ onTarget, onRank, onCancel, onToggle }) {
    this.onToggle = onToggle;
    this.title = h("h3");
    this.what = h("p", { class: "hint" });
    this.select = h("select", { id: "heads-target", onchange: () => onTarget(Number(this.select.value)) });
    this.label = h("label", { for: "heads-target" });
    this.running = false;
    // One button for both, so that the focus stays where it is.
    this.go = h("button", {
      type: "button",
      class: "secondary",
      onclick: () => (this.running ? onCancel() : onRank()),
    });
    this.bar = h("progress");
    this.figures = h("span", { class: "figures" });
    this.progress = h("div", { class: "heads-progress" }, this.bar, this.figures);
    this.note = h("p", { class: "heads-note" });
    this.headsOnly = h("input", { type: "checkbox", id: "heads-only", onchange: () => this.fill() });
    this.headsOnlyLabel = h("label", { for: "heads-only" });
    this.filter = h("div", { class: "check heads-only" }, this.headsOnly, this.headsOnlyLabel);
    this.list = h("ol", { class: "heads-list" });
    this.all = h("button", { type: "button", class: "quiet", onclick: () => this.showAll() });
    this.summary = h("summary");
    this.table = h("table", { class: "heads-table" });
    this.details = h(
      "details",
      { ontoggle: () => this.writeTable() },
      this.summary,
      h("div", { class: "heads-scroll" }, this.table),
    );
    /** What is chosen stands by the grid, which it colours; the list takes more room. */
    this.controls = h(
      "section",
      { class: "heads-controls" },
      this.title,
      this.what,
      h("div", { class: "heads-choose" }, h("span", { class: "heads-field" }, this.label, this.select), this.go),
      this.progress,
    );
    this.listTitle = h("h3");
    this.root = h(
      "section",
      { class: "heads-ranking" },
      this.listTitle,
      this.note,
      this.filter,
      this.list,
      this.all,
      this.details,
    );
    this.whole = false;
    this.drawnChoices = "";
    /** What the list was made of. @type {unknown[]} */
    this.drawn = [];
    /** @type {RankingData | null} */
    this.data = null;
  }

  /** @param {RankingData} data */
  update(data) {
    const { token, target, off, ranked, stale, running, busy } = data;
    this.data = data;
    this.running = running !== null;
    setText(this.title, t("heads.rank.title"));
    setText(this.listTitle, t("heads.rank.list"));
    const ontop = off.length ? [t("heads.rank.ontop")] : [];
    setText(this.what, [t("heads.rank.what", { token: showToken(token) }), ...ontop].join(t("heads.join")));
    setText(this.label, t("heads.target"));
    this.choices(data);
    this.select.value = String(target);
    setText(this.go, t(running ? "heads.cancel" : "heads.rank"));
    this.go.disabled = !running && (busy || !data.choices.length);
    this.select.disabled = running !== null || busy;
    this.progress.hidden = !running;
    if (running) {
      this.bar.value = running.share;
      this.bar.setAttribute("aria-label", t("heads.rank"));
      setText(this.figures, progressText(running));
    }
    this.tell(ranked, stale, running !== null);
    this.fill();
  }

  /** @param {RankingData} data */
  choices({ choices }) {
    const drawn = JSON.stringify([document.documentElement.lang, choices]);
    if (drawn === this.drawnChoices) return;
    this.drawnChoices = drawn;
    this.select.replaceChildren(
      ...choices.map(({ id, text, follows }) =>
        h("option", { value: id }, follows ? t("heads.target.follows", { token: showToken(text) }) : showToken(text)),
      ),
    );
  }

  /** @param {Ranked | null} ranked @param {boolean} stale @param {boolean} running */
  tell(ranked, stale, running) {
    this.root.hidden = !ranked;
    if (!ranked) return;
    const { off, target, token, done, total } = ranked;
    const words = { target: showToken(target), token: showToken(token), units: unitList(off) };
    const sentences = [t(off.length ? "heads.result.ontop" : "heads.result", words)];
    if (done < total && !running) sentences.push(t("heads.partial", { done, total }));
    if (stale) sentences.push(t("heads.result.stale"));
    setText(this.note, sentences.join(t("heads.join")));
  }

  /** The list and the table, made anew only when there is something new in them. */
  fill() {
    if (!this.data) return;
    const { ranked, off } = this.data;
    const ranking = ranked?.effects ?? [];
    const effects = listed(ranking, this.headsOnly.checked);
    this.filter.hidden = this.list.hidden = this.details.hidden = !ranking.length;
    setText(this.headsOnlyLabel, t("heads.only"));
    this.all.hidden = this.whole || effects.length <= FEW;
    setText(this.all, t("heads.all.show", { count: effects.length }));
    setText(this.summary, t("heads.table"));
    const now = [ranking, this.headsOnly.checked, off, this.whole, document.documentElement.lang, isDark()];
    if (now.every((part, i) => part === this.drawn[i])) return;
    const focused = this.list.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-unit")
      : null;
    this.drawn = now;
    const scale = scaleOf(effects);
    this.list.replaceChildren(
      ...effects.slice(0, this.whole ? effects.length : FEW).map((effect) => this.entry(effect, scale, off)),
    );
    if (focused) /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-unit="${focused}"]`))?.focus();
    this.writeTable();
  }

  /** @param {Effect} effect @param {number} scale @param {readonly Unit[]} off */
  entry(effect, scale, off) {
    const { layer, head, delta, before, after } = effect;
    const x = shade(delta, scale);
    const isOut = isOff(off, effect);
    const share = 50 * Math.abs(x);
    const bar = h("span");
    Object.assign(bar.style, {
      left: `${x < 0 ? 50 - share : 50}%`,
      width: `${share}%`,
      background: divergingCss(x < 0 ? Math.min(x, -0.55) : Math.max(x, 0.55), isDark()),
    });
    const silent = (/** @type {string} */ words) => h("span", { class: "visually-hidden" }, ` ${words} `);
    const onclick = () => this.onToggle({ layer, head });
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "aria-pressed": String(isOut), "data-unit": `${layer}.${head}`, onclick },
        h("span", { class: "heads-name" }, unitName(effect)),
        silent(t(isOut ? "heads.off" : "heads.on")),
        h("span", { class: "heads-bar-track" }, bar),
        h("span", { class: "heads-delta" }, signedBits(delta), silent(t("heads.bits"))),
        h("span", { class: "heads-p" }, `${percent(before)} → ${percent(after)}`),
      ),
    );
  }

  showAll() {
    this.whole = true;
    this.fill();
    /** @type {HTMLElement | null} */ (this.list.children[FEW]?.firstElementChild)?.focus();
  }

  /** Only while it is unfolded. */
  writeTable() {
    const effects = listed(this.data?.ranked?.effects ?? [], this.headsOnly.checked);
    if (!this.details.open) return;
    const head = h(
      "tr",
      {},
      ...["unit", "delta", "before", "after", "loss"].map((key) => h("th", { scope: "col" }, t(`heads.table.${key}`))),
    );
    const rows = effects.map((effect) => {
      const cells = [
        signedBits(effect.delta, 3),
        finePercent(effect.before),
        finePercent(effect.after),
        signedBits(effect.lossDelta, 3),
      ];
      return h("tr", {}, h("th", { scope: "row" }, unitName(effect)), ...cells.map((text) => h("td", {}, text)));
    });
    this.table.replaceChildren(h("thead", {}, head), h("tbody", {}, ...rows));
  }

  /** The name of a token for a title. @param {string} text */
  static named(text) {
    return shorten(showToken(text), 24);
  }
}
