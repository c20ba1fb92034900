/** The Train tab: the text on the left, the run on the right. */

import { reasonOf } from "../core/cause.js";
import { h, setText } from "../core/dom.js";
import { EngineError, says } from "../core/errors.js";
import { formatBytes, formatRate } from "../core/format.js";
import { engineWords, n, registerStrings, sentences, t } from "../core/i18n/index.js";
import { MessageView } from "../core/message.js";
import { ProgressView } from "../core/progress.js";
import { TrainAfter } from "./after_view.js";
import { LossChart } from "./chart.js";
import { busy, canGoOn, locked, remainingMs } from "./run_facts.js";
import { TrainSettings } from "./settings_view.js";
import { TrainText } from "./text_view.js";
import { trainEn } from "./words.en.js";
import { trainZh } from "./words.zh.js";

registerStrings(trainEn, trainZh);

/** @typedef {import("./training.js").Training} Training */
/** @typedef {import("../engine/types.js").State} State */

const MODES = /** @type {const} */ (["full", "lora", "scratch"]);

/** A time as people say it: 1:05, 1:02:05. @param {number} ms */
export function formatTime(ms) {
  if (!Number.isFinite(ms)) return "–";
  const s = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60), s % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** Behind what it answers to, the Train button; brought into view where that is out of sight. */
class TrainMessage extends MessageView {
  /** @override @param {import("../core/message.js").Message | null} message */
  show(message) {
    // What was dropped here may have been meant to be learnt.
    const files = message?.lines[0][0] === "error.unknownFiles";
    super.show(message && files ? { ...message, lines: [...message.lines, ["train.file.kinds"]] } : message);
    if (message) reveal(this.root);
  }
}

/** Scrolls no further than to see all of it. @param {HTMLElement} element */
function reveal(element) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  requestAnimationFrame(() => element.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" }));
}

/**
 * Whether the engine has said that such a run cannot be; where it could not be asked, as where it did not come,
 * pressing Train asks it again.
 * @param {unknown} error
 */
const refuses = (error) => error instanceof EngineError && !error.fatal;

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
    const said = h("div", { class: "train-said" });
    this.message = new TrainMessage(said);

    this.text = new TrainText(training, () => this.message.clear());
    this.counts = h("p", { class: "facts", role: "status" });

    this.modeInputs = MODES.map((mode) =>
      h("input", {
        type: "radio",
        name: "mode",
        value: mode,
        id: `mode-${mode}`,
        onchange: () => training().plan.setMode(mode),
      }),
    );
    this.modeLabels = MODES.map((mode) => h("label", { for: `mode-${mode}` }));
    this.modeLegend = h("legend", { class: "visually-hidden" });
    this.modeHint = h("p", { class: "hint" });
    const modes = h(
      "fieldset",
      { class: "modes" },
      this.modeLegend,
      ...MODES.flatMap((_, at) => [this.modeInputs[at], this.modeLabels[at]]),
    );

    this.train = h("button", { type: "button", class: "train-go", onclick: () => training().start() });
    this.pause = h("button", {
      type: "button",
      class: "secondary",
      onclick: () => (canGoOn(training().state) ? training().resume() : training().pause()),
    });
    this.stop = h("button", { type: "button", class: "quiet", onclick: () => training().stop() });
    this.memory = h("p", { class: "facts train-memory", role: "status" });
    this.notKept = h("p", { class: "hint train-not-kept" });
    this.furtherText = h("span");
    this.afresh = h("button", { type: "button", class: "quiet", onclick: () => training().start(true) });
    this.further = h("p", { class: "hint train-further" }, this.furtherText, " ", this.afresh);
    this.settings = new TrainSettings(training);
    const left = h(
      "section",
      { class: "train-left" },
      ...this.text.parts,
      this.counts,
      modes,
      this.modeHint,
      this.settings.scratch,
      h("div", { class: "actions train-actions" }, this.train, this.pause, this.stop),
      said,
      this.memory,
      this.notKept,
      this.further,
      this.settings.root,
    );

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
    this.finished = h("p", { class: "train-finished", role: "status" });
    this.writesTitle = h("h2");
    /** The steps of which there are texts. */
    this.timeline = h("div", { class: "train-timeline", role: "group" });
    /** The step whose text was chosen; null follows the newest. @type {number | null} */
    this.writesAt = null;
    this.timed = "";
    this.writes = h("p", { class: "train-writes" });
    this.writesBox = h("div", { class: "train-sample" }, this.writesTitle, this.timeline, this.writes);
    this.after = new TrainAfter(training);
    this.right = h(
      "section",
      { class: "train-right" },
      this.empty,
      this.curve,
      this.bar,
      this.finished,
      this.figures,
      this.writesBox,
      this.after.root,
    );
    this.columns = h("div", { class: "train" }, left, this.right);
    root.append(messages, this.columns);
    this.offered = "";
    /** The opening of the run whose texts are shown. */
    this.writesOf = 0;
    this.phase = "";
    this.buttons = [this.train, this.pause, this.stop];
  }

  /** What took the focused button's place has the focus. */
  keepFocus() {
    const gone = this.buttons.find((button) => button === document.activeElement);
    if (gone && !gone.hidden && !gone.disabled) return;
    this.buttons.find((button) => !button.hidden && !button.disabled)?.focus({ preventScroll: true });
  }

  /** Text files, one after another. @param {File[]} files */
  take(files) {
    return this.text.take(files);
  }

  /** @param {State} state */
  update(state) {
    const training = this.training();
    const { plan, state: now } = training;
    const { planned, mode, text, error } = plan;
    const { phase, run } = now;
    const held = locked(now);
    const inFocus = this.buttons.some((button) => button === document.activeElement);
    // What was said of the last attempt.
    if (phase === "starting" && this.phase !== phase) this.message.clear();
    this.phase = phase;
    this.columns.classList.toggle("locked", held);
    this.progress.update(state.loading);
    this.text.update();
    setText(this.counts, this.countText(plan));

    setText(this.modeLegend, t("train.mode"));
    MODES.forEach((one, at) => {
      setText(this.modeLabels[at], t(`train.mode.${one}`));
      this.modeInputs[at].checked = one === mode;
      this.modeInputs[at].disabled = held;
    });
    setText(this.modeHint, t(`train.mode.${mode}.hint`));
    this.settings.update(training, state.info);

    const over = planned !== null && planned.bytes.total > planned.bytes.limit;
    setText(this.train, t(phase === "starting" ? "train.starting" : "train.go"));
    this.train.hidden = phase === "running" || phase === "pausing" || phase === "paused";
    // A button that is disabled under the finger or in focus would lose both.
    const starting = phase === "starting";
    this.train.setAttribute("aria-disabled", String(starting));
    this.train.disabled = !starting && (busy(now) || !state.info || over || !text.trim() || refuses(error));
    // A run that was stopped can still go on.
    const { further, instead } = training;
    const resumes = canGoOn(now);
    this.pause.hidden = !(phase === "running" || phase === "pausing" || resumes);
    this.pause.setAttribute("aria-disabled", String(phase === "pausing"));
    this.pause.disabled = now.holder === "elsewhere";
    this.further.hidden = !further || this.train.hidden || this.train.disabled;
    this.afresh.hidden = !instead;
    setText(this.furtherText, t("train.further"));
    setText(this.afresh, t("train.further.instead", { name: instead }));
    setText(
      this.pause,
      t(
        resumes
          ? "train.resume"
          : phase === "pausing"
            ? training.writing
              ? "train.pausing.writing"
              : "train.pausing"
            : "train.pause",
      ),
    );
    this.stop.hidden = !this.train.hidden;
    setText(this.stop, t("train.stop"));
    this.memory.classList.toggle("bad", over || error !== null);
    setText(this.memory, this.memoryText(training, over, state));
    this.notKept.hidden = now.keeps;
    setText(this.notKept, sentences(t("error.noStorage"), t("train.notKept")));
    if (inFocus) this.keepFocus();

    const started = run !== null;
    if (started && phase === "running" && this.curve.hidden) reveal(this.curve);
    this.empty.hidden = started;
    setText(this.empty, t("train.empty"));
    for (const part of [this.curve, this.bar, this.figures]) part.hidden = !started;
    if (started) {
      this.chart.update(now.history, run.steps, `${state.lang} ${state.theme}`);
      this.bar.max = run.steps;
      this.bar.value = now.step;
      this.bar.setAttribute("aria-label", t("train.figure.step"));
      const validation = now.history.validation.at(-1)?.[1];
      const figures = {
        step: `${n(now.step)} / ${n(run.steps)}`,
        loss: Number.isFinite(now.loss) ? now.loss.toFixed(3) : "–",
        validation: validation === undefined ? "–" : validation.toFixed(3),
        rate: now.rate ? `${formatRate(now.rate)} tok/s` : "–",
        elapsed: formatTime(now.elapsedMs),
        remaining: phase === "finished" ? "0:00" : formatTime(remainingMs(now)),
        memory: formatBytes(run.planned.bytes.total),
        saved: now.savedStep < 0 ? "–" : t("train.figure.saved.step", { step: n(now.savedStep) }),
      };
      for (const [key, value] of Object.entries(figures)) {
        const [name, cell] = /** @type {[HTMLElement, HTMLElement]} */ (this.cells.get(key));
        setText(name, t(`train.figure.${key}`));
        setText(cell, value);
      }
    }
    setText(this.finished, this.finishedText(now));
    this.finished.hidden = !this.finished.textContent;
    if (now.key !== this.writesOf) this.writesAt = null;
    this.writesOf = now.key;
    this.updateTimeline(now.samples);
    const sample = now.samples.find(({ step }) => step === this.writesAt) ?? now.sample;
    this.writesBox.hidden = !started || !sample;
    if (sample) {
      setText(this.writesTitle, t("train.writes", { step: n(sample.step) }));
      this.writes.replaceChildren(
        h("span", { class: "ink-user" }, sample.prompt),
        h("span", { class: "ink-model" }, sample.text),
      );
    }
    this.after.update(training, state);
    this.updateOffer(training, state.lang);
  }

  /** What is said of a run that has come to its end. @param {Training["state"]} state */
  finishedText({ phase, early, run, step, elapsedMs, history: { train } }) {
    if (!run || busy({ ...this.training().state, phase })) return "";
    if (early && phase === "stopped") return t("train.finished.early", { step: n(step) });
    if (phase !== "finished" || !train.length) return "";
    const [first, last] = [train[0][1].toFixed(2), train[train.length - 1][1].toFixed(2)];
    return t("train.finished", { steps: n(run.steps), time: formatTime(elapsedMs), first, last });
  }

  /** A button for each step of which there is a text. @param {Training["state"]["samples"]} samples */
  updateTimeline(samples) {
    this.timeline.hidden = samples.length < 2;
    this.timeline.setAttribute("aria-label", t("train.timeline"));
    const chosen = samples.some(({ step }) => step === this.writesAt) ? this.writesAt : samples.at(-1)?.step;
    const timed = JSON.stringify([samples.map(({ step }) => step), chosen, t("train.timeline")]);
    if (timed === this.timed) return;
    this.timed = timed;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.step : undefined;
    const newest = samples.at(-1)?.step;
    this.timeline.replaceChildren(
      ...samples.map(({ step }) =>
        h(
          "button",
          {
            type: "button",
            class: "quiet",
            "data-step": step,
            "aria-pressed": String(step === chosen),
            onclick: () => {
              this.writesAt = step === newest ? null : step;
              this.training().changed();
            },
          },
          n(step),
        ),
      ),
    );
    if (focused) /** @type {HTMLElement | null} */ (this.timeline.querySelector(`[data-step="${focused}"]`))?.focus();
  }

  /** How long the text is, and what follows from that. @param {Training["plan"]} plan */
  countText({ planned, last, text, guess }) {
    const found = planned ?? (last?.text === text ? last.planned : null);
    if (!found) return "";
    const about = guess !== null && guess === found;
    const count = t(about ? "train.tokens.about" : found.tokens === 1 ? "train.tokens.one" : "train.tokens", {
      count: n(found.tokens),
    });
    // The number was just told.
    const notes = found.notes.map((note) =>
      note.code === "text.too_short_to_hold_back" ? t("train.tokens.few") : (engineWords(note) ?? note.text),
    );
    return sentences(count, ...notes);
  }

  /**
   * How long a run that was not begun may take, "" where nothing tells.
   * @param {Record<string, any>} options
   * @param {Training} training
   * @param {State} state
   */
  timeText(options, { plan: { planned, mode, scratch }, state: now }, { info }) {
    if (locked(now) || !planned || !info) return "";
    const { work, backend } = now.speed;
    const tokens = options.steps * options.batch_size * options.context * options.grad_accum;
    if (work && backend === info.backend)
      return t("train.memory.time", { time: formatTime((tokens * planned.bytes.weights) / work) });
    return mode === "scratch" && scratch.preset === "10m" && info.backend === "cpu" ? t("train.memory.days") : "";
  }

  /**
   * What the run needs, or why there can be none.
   * @param {Training} training
   * @param {boolean} over
   * @param {State} state
   */
  memoryText(training, over, state) {
    const { planned, guess, error, text, mode, scratch } = training.plan;
    const advice = t(
      mode === "full"
        ? "train.memory.less"
        : mode === "lora" || scratch.preset === "tiny"
          ? "train.memory.less.lora"
          : "train.memory.less.scratch",
    );
    if (!text.trim()) return locked(training.state) ? "" : t("train.memory.noText");
    if (error) {
      return says(error, "memory.temporaries", "plan.binding", "plan.tensor")
        ? t("train.memory.tooLarge", { advice })
        : reasonOf(error);
    }
    if (!planned) return "";
    const { total, limit } = planned.bytes;
    if (over) return t("train.memory.over", { total: formatBytes(total), limit: formatBytes(limit), advice });
    const { options } = planned;
    const key = options.steps === 1 ? "train.memory.one" : guess === planned ? "train.memory.about" : "train.memory";
    const needs = t(key, {
      total: formatBytes(total),
      steps: n(options.steps),
      batch: options.batch_size,
      context: options.context,
    });
    return sentences(needs, this.timeText(options, training, state));
  }

  /** @param {Training} training @param {string} lang */
  updateOffer({ saves: { offer, taken } }, lang) {
    const drawn = offer ? `${taken} ${offer.meta.id} ${offer.meta.step} ${offer.meta.name} ${lang}` : "";
    if (drawn === this.offered) return;
    this.offered = drawn;
    this.offer.hidden = !offer;
    if (!offer) return this.offer.replaceChildren();
    const { name, step, steps } = offer.meta;
    const resume = h(
      "button",
      { type: "button", class: "quiet", onclick: () => void this.training().saves.open(offer, true) },
      t("train.offer.resume", { step: n(step) }),
    );
    const dismiss = h(
      "button",
      {
        type: "button",
        class: "quiet",
        onclick: () => this.training().saves.dismiss(),
      },
      t("message.close"),
    );
    this.offer.replaceChildren(
      h(
        "div",
        { class: "message-text" },
        h(
          "p",
          {},
          h("strong", {}, t(taken ? "train.offer.taken" : "train.offer", { name, step: n(step), steps: n(steps) })),
        ),
      ),
      h("div", { class: "message-actions" }, ...(taken ? [dismiss] : [resume, dismiss])),
    );
  }
}
