/** The Train tab: the text on the left, the run on the right. */
import { h, setText } from "../dom.js";
import { formatBytes, formatRate } from "../format.js";
import { engineWords, n, t } from "../i18n/index.js";
import { LossChart } from "./chart.js";
import { MessageView } from "./message.js";
import { ProgressView } from "./progress.js";
import { TrainAfter } from "./train_after.js";
import { TrainSettings } from "./train_settings.js";
import { TrainText } from "./train_text.js";

/** @typedef {import("../training.js").Training} Training */
/** @typedef {import("../types.js").State} State */

const MODES = /** @type {const} */ (["full", "lora", "scratch"]);

/** A time as people say it: 1:05, 1:02:05. @param {number} ms */
export function formatTime(ms) {
  if (!Number.isFinite(ms)) return "–";
  const s = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60), s % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

export class TrainView {
  /**
   * @param {HTMLElement} root
   * @param {{ training: () => Training, onCancel: () => void }} options
   */
  constructor(root, { training, onCancel }) {
    this.training = training;
    root.classList.add("train-page");
    const messages = h("div", { class: "train-messages" });
    this.progress = new ProgressView(messages, { onCancel });
    this.offer = h("div", { class: "message", hidden: true, "data-kind": "info", role: "status" });
    messages.append(this.offer);
    this.message = new MessageView(messages);

    this.text = new TrainText(training);
    this.counts = h("p", { class: "facts", role: "status" });

    this.modeInputs = MODES.map((mode) => h("input", { type: "radio", name: "mode", value: mode, id: `mode-${mode}`, onchange: () => training().plan.setMode(mode) }));
    this.modeLabels = MODES.map((mode) => h("label", { for: `mode-${mode}` }));
    this.modeLegend = h("legend", { class: "visually-hidden" });
    this.modeHint = h("p", { class: "hint" });
    const modes = h("fieldset", { class: "modes" }, this.modeLegend, ...MODES.flatMap((_, at) => [this.modeInputs[at], this.modeLabels[at]]));

    this.train = h("button", { type: "button", class: "train-go", onclick: () => void training().start() });
    this.pause = h("button", { type: "button", class: "secondary", onclick: () => (training().phase === "paused" ? training().resume() : training().pause()) });
    this.stop = h("button", { type: "button", class: "quiet", onclick: () => training().stop() });
    this.memory = h("p", { class: "facts train-memory" });
    this.settings = new TrainSettings(training);
    const left = h("section", { class: "train-left" }, ...this.text.parts, this.counts, modes, this.modeHint, this.settings.scratch,
      h("div", { class: "actions train-actions" }, this.train, this.pause, this.stop), this.memory, this.settings.root);

    this.empty = h("p", { class: "train-empty" });
    this.curve = h("div", { class: "train-curve" });
    this.chart = new LossChart(this.curve);
    this.bar = h("progress", { max: "1", value: "0" });
    this.figures = h("dl", { class: "train-figures" });
    /** @type {Map<string, [HTMLElement, HTMLElement]>} */
    this.cells = new Map();
    for (const key of ["step", "loss", "validation", "rate", "elapsed", "remaining", "memory", "saved"]) {
      const cell = /** @type {[HTMLElement, HTMLElement]} */ ([h("dt"), h("dd")]);
      this.cells.set(key, cell);
      this.figures.append(h("div", {}, ...cell));
    }
    this.writesTitle = h("h2");
    this.writes = h("p", { class: "train-writes" });
    this.writesBox = h("div", { class: "train-sample" }, this.writesTitle, this.writes);
    this.after = new TrainAfter(training);
    this.right = h("section", { class: "train-right" }, this.empty, this.curve, this.bar, this.figures, this.writesBox, this.after.root);
    this.columns = h("div", { class: "train" }, left, this.right);
    root.append(messages, this.columns);
    this.offered = "";
  }

  /** Text files, one after another. @param {File[]} files */
  take(files) {
    return this.text.take(files);
  }

  /** @param {State} state */
  update(state) {
    const training = this.training();
    const { phase, busy, locked, plan: { planned, mode, text, error }, run } = training;
    this.columns.classList.toggle("locked", locked);
    this.progress.update(state.loading);
    this.text.update();
    setText(this.counts, [planned ? t(planned.tokens === 1 ? "train.tokens.one" : "train.tokens", { count: n(planned.tokens) }) : "", ...(planned?.notes ?? []).map(engineWords)].filter(Boolean).join(" "));

    setText(this.modeLegend, t("train.mode"));
    MODES.forEach((one, at) => {
      setText(this.modeLabels[at], t(`train.mode.${one}`));
      this.modeInputs[at].checked = one === mode;
      this.modeInputs[at].disabled = locked;
    });
    setText(this.modeHint, t(`train.mode.${mode}.hint`));
    this.settings.update(training, state.info?.nCtx ?? null);

    const over = planned !== null && planned.bytes.total > planned.bytes.limit;
    setText(this.train, t(phase === "starting" ? "train.starting" : "train.go"));
    this.train.hidden = phase === "running" || phase === "pausing" || phase === "paused";
    this.train.disabled = busy || !state.info || over || !text.trim() || error !== null;
    this.pause.hidden = !(phase === "running" || phase === "pausing" || phase === "paused");
    this.pause.disabled = phase === "pausing" || training.readOnly;
    setText(this.pause, t(phase === "paused" ? "train.resume" : phase === "pausing" ? (training.writing ? "train.pausing.writing" : "train.pausing") : "train.pause"));
    this.stop.hidden = this.pause.hidden;
    setText(this.stop, t("train.stop"));
    this.memory.classList.toggle("bad", over || error !== null);
    setText(this.memory, this.memoryText(training.plan, over));
    this.memory.hidden = busy || phase === "paused";

    const started = run !== null;
    this.empty.hidden = started;
    setText(this.empty, t("train.empty"));
    for (const part of [this.curve, this.bar, this.figures]) part.hidden = !started;
    if (started) {
      this.chart.update(training.history, run.steps, `${state.lang} ${state.theme}`);
      this.bar.max = run.steps;
      this.bar.value = training.step;
      this.bar.setAttribute("aria-label", t("train.figure.step"));
      const validation = training.history.validation.at(-1)?.[1];
      const figures = {
        step: `${n(training.step)} / ${n(run.steps)}`, loss: Number.isFinite(training.loss) ? training.loss.toFixed(3) : "–",
        validation: validation === undefined ? "–" : validation.toFixed(3), rate: training.rate ? `${formatRate(training.rate)} tok/s` : "–",
        elapsed: formatTime(training.elapsedMs), remaining: phase === "finished" ? "0:00" : formatTime(training.remainingMs),
        memory: formatBytes(run.bytes.total), saved: training.savedStep < 0 ? "–" : t("train.figure.saved.step", { step: n(training.savedStep) }),
      };
      for (const [key, value] of Object.entries(figures)) {
        const [name, cell] = /** @type {[HTMLElement, HTMLElement]} */ (this.cells.get(key));
        setText(name, t(`train.figure.${key}`));
        setText(cell, value);
      }
    }
    const { sample } = training;
    this.writesBox.hidden = !started || !sample;
    if (sample) {
      setText(this.writesTitle, t("train.writes", { step: n(sample.step) }));
      this.writes.replaceChildren(h("span", { class: "ink-user" }, sample.prompt), h("span", { class: "ink-model" }, sample.text));
    }
    this.after.update(training, state);
    this.updateOffer(training, state.lang);
  }

  /** @param {Training["plan"]} plan @param {boolean} over */
  memoryText({ planned, error, text }, over) {
    if (error) {
      const message = error instanceof Error ? error.message : String(error);
      return /MiB allowed|of one binding/.test(message) ? t("train.memory.tooLarge") : engineWords(message);
    }
    if (!planned || !text.trim()) return "";
    const { total, limit } = planned.bytes;
    if (over) return t("train.memory.over", { total: formatBytes(total), limit: formatBytes(limit) });
    const options = JSON.parse(planned.options);
    return t(options.steps === 1 ? "train.memory.one" : "train.memory", { total: formatBytes(total), steps: n(options.steps), batch: options.batch_size, context: options.context });
  }

  /** @param {Training} training @param {string} lang */
  updateOffer({ saves: { offer } }, lang) {
    const drawn = offer ? `${offer.meta.id} ${offer.meta.step} ${offer.meta.name} ${lang}` : "";
    if (drawn === this.offered) return;
    this.offered = drawn;
    this.offer.hidden = !offer;
    if (!offer) return this.offer.replaceChildren();
    const { name, step, steps } = offer.meta;
    const resume = h("button", { type: "button", class: "quiet", onclick: () => void this.training().saves.open(offer, true) }, t("train.offer.resume", { step: n(step) }));
    const dismiss = h("button", { type: "button", class: "quiet", onclick: () => {
      this.training().saves.offer = null;
      this.training().parts.onChange();
    } }, t("message.close"));
    this.offer.replaceChildren(
      h("div", { class: "message-text" }, h("p", {}, h("strong", {}, t("train.offer", { name, step: n(step), steps: n(steps) })))),
      h("div", { class: "message-actions" }, resume, dismiss));
  }
}
