/** What the model does with everything on, and with some of it off: loss, predictions, text. */
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n/index.js";
import { inBits, percent, shorten, showToken, signedBits } from "../../label.js";
import { unitShort } from "./grid.js";

/** @typedef {import("../../types.js").Unit} Unit */
/** @typedef {import("./data.js").Prediction} Prediction */
/** @typedef {{ loss: number | null, predictions: Prediction[] }} Measured */
/** @typedef {{ off: readonly Unit[], text: string }} Written */
/**
 * @typedef {object} EffectData
 * @property {number} off how many are off
 * @property {Measured | null} before with everything on
 * @property {Measured | null} after as it is; null until it is known
 * @property {string} token the selected one
 * @property {boolean} measuring
 * @property {boolean} again the text was written here, and would be written anew from the same place
 * @property {string | null} from the selected token's text, where writing could begin behind it
 * @property {readonly Written[]} written
 * @property {boolean} busy
 */

/** Names of some units, the rest as a number. @param {readonly Unit[]} units */
export function unitList(units) {
  const names = units.slice(0, 8).map(unitShort).join(" ");
  return units.length > 8 ? `${names} +${units.length - 8}` : names;
}

export class HeadsEffect {
  /** @param {Element} root @param {{ onMeasure: () => void, onWrite: (fromSelected: boolean) => void }} handlers */
  constructor(root, { onMeasure, onWrite }) {
    this.title = h("h3");
    this.lossName = h("dt");
    this.loss = h("dd");
    /** Stands by the switches, where it is seen at once. */
    this.lossRoot = h("dl", { class: "heads-loss" }, this.lossName, this.loss);
    this.columns = [this.column(), this.column()];
    this.predictions = h("h4");
    this.missing = h("p", { class: "hint" });
    this.measure = h("button", { type: "button", class: "quiet", onclick: onMeasure });
    this.missingRow = h("p", { class: "heads-missing" }, this.missing, this.measure);
    this.write = h("button", { type: "button", class: "secondary", onclick: () => onWrite(false) });
    this.writeFrom = h("button", { type: "button", class: "quiet", onclick: () => onWrite(true) });
    this.writeHint = h("p", { class: "hint" });
    this.writtenTitle = h("h4");
    this.written = h("div", { class: "heads-written" });
    root.append(
      h(
        "section",
        { class: "heads-effect" },
        this.title,
        this.missingRow,
        this.predictions,
        h("div", { class: "heads-columns" }, ...this.columns.map(({ root: column }) => column)),
        h("div", { class: "heads-actions" }, this.write, this.writeFrom),
        this.writeHint,
        this.writtenTitle,
        this.written,
      ),
    );
    this.drawn = "";
  }

  column() {
    const caption = h("caption");
    const body = h("tbody");
    const head = h("thead", { class: "visually-hidden" });
    return { root: h("table", { class: "heads-predictions" }, caption, head, body), caption, head, body, drawn: "" };
  }

  /** @param {EffectData} data */
  update(data) {
    const { off, before, after, token, measuring, again, from, written, busy } = data;
    setText(this.title, t("heads.effect"));
    setText(this.lossName, t("heads.loss"));
    // Nothing new is known: what was known stays, dimmed.
    if (after || !this.loss.textContent) setText(this.loss, this.lossWords(data));
    this.lossRoot.classList.toggle("stale", after === null);
    this.missingRow.hidden = !measuring && (!off || before !== null || busy);
    setText(this.missing, t(measuring ? "heads.measuring" : "heads.noBaseline"));
    this.measure.hidden = measuring;
    setText(this.measure, t("heads.measure"));
    setText(this.predictions, t("heads.predictions", { token: showToken(token) }));
    const [left, right] = this.columns;
    const split = off > 0 && before !== null;
    left.root.hidden = !split;
    if (split) this.list(left, t("heads.before"), before.predictions, false);
    this.list(
      right,
      off ? t(split ? "heads.after.change" : "heads.after", { count: off }) : t("heads.before"),
      after?.predictions ?? [],
      split,
    );
    right.root.classList.toggle("stale", after === null);
    setText(this.write, t(again ? "heads.write.again" : "heads.write"));
    this.writeFrom.hidden = from === null;
    setText(this.writeFrom, t("heads.write.from", { token: shorten(showToken(from ?? ""), 12) }));
    this.write.disabled = this.writeFrom.disabled = busy;
    setText(this.writeHint, t(again ? "heads.write.again.hint" : "heads.write.hint"));
    this.tellWritten(written);
  }

  /** @param {EffectData} data */
  lossWords({ off, before, after }) {
    if (!after) return t("heads.waiting");
    if (after.loss === null) return t("heads.loss.short");
    const unit = t("heads.loss.unit");
    if (!off || !before || before.loss === null) return `${inBits(after.loss).toFixed(3)} ${unit}`;
    const numbers = {
      before: inBits(before.loss).toFixed(3),
      after: inBits(after.loss).toFixed(3),
      change: signedBits(after.loss - before.loss, 3),
    };
    return t("heads.loss.change", { ...numbers, unit });
  }

  /**
   * @param {ReturnType<HeadsEffect["column"]>} column
   * @param {string} caption
   * @param {readonly Prediction[]} predictions
   * @param {boolean} changes whether each token's change is told
   */
  list(column, caption, predictions, changes) {
    const { caption: title, head, body } = column;
    setText(title, caption);
    // Nothing new is known: what was known stays, dimmed.
    if (!predictions.length && body.rows.length) return;
    const drawn = JSON.stringify([document.documentElement.lang, predictions, changes]);
    if (drawn === column.drawn) return;
    column.drawn = drawn;
    head.replaceChildren(
      h("tr", {}, ...["token", "p"].map((key) => h("th", { scope: "col" }, t(`heads.predictions.${key}`)))),
    );
    body.replaceChildren(
      ...predictions.map(({ text, p, change }) => {
        const row = h(
          "tr",
          {},
          h("th", { scope: "row" }, showToken(text)),
          h(
            "td",
            {},
            percent(p),
            ...(changes && change !== null ? [" ", h("span", { class: "heads-change" }, signedBits(change))] : []),
          ),
        );
        row.style.setProperty("--share", `${(100 * p).toFixed(2)}%`);
        return row;
      }),
    );
  }

  /** @param {readonly Written[]} written */
  tellWritten(written) {
    const lang = document.documentElement.lang;
    const drawn = JSON.stringify([lang, written]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    setText(this.writtenTitle, t("heads.written"));
    this.writtenTitle.hidden = !written.length;
    this.written.replaceChildren(
      ...written.map(({ off, text }) =>
        h(
          "figure",
          {},
          h("figcaption", {}, off.length ? t("heads.written.off", { units: unitList(off) }) : t("heads.written.on")),
          h("p", {}, shorten(text, 600)),
        ),
      ),
    );
  }
}
