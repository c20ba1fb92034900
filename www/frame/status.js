import { h, setText } from "../core/dom.js";
import { formatBytes, formatRate } from "../core/format.js";
import { n, t } from "../core/i18n/index.js";

/** How often, at most, the status is read out. */
const SPEAK_EVERY_MS = 2000;

/** The line at the bottom: figures for the eye, and a quieter live region for the ear. */
export class Status {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.training = h("span", { class: "status-training" });
    this.rate = h("span");
    this.context = h("span");
    this.meter = h("span", { class: "meter", "aria-hidden": "true" });
    this.memory = h("span");
    this.live = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    root.append(
      h(
        "div",
        { class: "status" },
        this.training,
        this.rate,
        h("span", { class: "status-context" }, this.context, this.meter),
        this.memory,
      ),
      this.live,
    );
    this.spoken = -Infinity;
    this.timer = 0;
  }

  /**
   * Says something politely, not more often than a listener can bear; the last word wins.
   * @param {string} text
   */
  say(text) {
    clearTimeout(this.timer);
    const wait = Math.max(0, this.spoken + SPEAK_EVERY_MS - performance.now());
    this.timer = window.setTimeout(() => {
      this.spoken = performance.now();
      setText(this.live, text);
    }, wait);
  }

  /**
   * @param {{ info: import("../engine/types.js").Info | null, rate: number, contextUsed: number,
   *   prefill: { done: number, total: number } | null, run: { step: number, steps: number } | null }} data `run`: the
   *   one going on
   */
  update({ info, rate, contextUsed, prefill, run }) {
    this.root.setAttribute("aria-label", t("status.label"));
    setText(this.training, run ? t("status.training", { step: n(run.step), steps: n(run.steps) }) : "");
    this.training.title = t("status.training.hint");
    setText(
      this.rate,
      !info
        ? ""
        : prefill?.total
          ? t("status.prefill", { done: n(prefill.done), total: n(prefill.total) })
          : rate
            ? t("status.rate", { rate: formatRate(rate) })
            : "",
    );
    setText(this.context, info ? t("status.context", { used: n(contextUsed), total: n(info.nCtx) }) : "");
    this.context.title = t("status.context.hint");
    this.meter.hidden = !info;
    if (!info) {
      setText(this.memory, "");
      return;
    }
    const share = Math.min(1, contextUsed / info.nCtx);
    this.meter.style.setProperty("--share", `${share * 100}%`);
    this.meter.classList.toggle("full", share >= 1);
    const { weights, training = 0, kv, temporaries } = info.bytes;
    setText(this.memory, t("status.memory", { bytes: formatBytes(weights + training + kv + temporaries) }));
    this.memory.title = t("status.memory.hint", {
      weights: formatBytes(weights),
      training: formatBytes(training),
      kv: formatBytes(kv),
      temporaries: formatBytes(temporaries),
    });
  }
}
