import { h, setText } from "../core/dom.js";
import { formatBytes, formatCount, formatRate } from "../core/format.js";
import { engineWords, n, t } from "../core/i18n/index.js";

/** How often, at most, the status is read out. */
const SPEAK_EVERY_MS = 2000;

/** The engine's reasons for its backend, and their names here. @type {Record<string, string>} */
const REASONS = {
  "device.asked_cpu": "status.why.chosen",
  "device.asked_gpu": "status.why.chosen",
  "device.found": "status.why.gpu",
  "device.software": "status.why.software",
};

/**
 * Why this backend runs, in a few words of the page's language.
 * @param {import("../engine/types.js").Info} info
 */
export function backendReason({ backend, backendReason: reason }) {
  const known = REASONS[reason.code];
  if (!known && backend === "cpu" && globalThis.isSecureContext === false) return t("error.insecureGpu");
  if (known) return t(known);
  // The engine says at length which adapters it has asked for in vain.
  return backend === "cpu" ? t("status.why.noGpu") : "";
}

/** The line at the bottom: figures for the eye, and a quieter live region for the ear. */
export class Status {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.model = h("span", { class: "status-model" });
    this.training = h("span", { class: "status-training" });
    this.rate = h("span");
    this.context = h("span");
    this.meter = h("span", { class: "meter", "aria-hidden": "true" });
    this.memory = h("span");
    this.details = h("p", { class: "status-details", id: "status-details", hidden: true });
    this.backend = h("button", {
      type: "button",
      class: "status-backend",
      "aria-controls": this.details.id,
      "aria-expanded": "false",
      onclick: () => this.unfold(Boolean(this.details.hidden)),
    });
    this.live = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    root.append(
      h(
        "div",
        { class: "status" },
        this.model,
        this.training,
        this.rate,
        h("span", { class: "status-context" }, this.context, this.meter),
        this.memory,
        this.backend,
      ),
      this.details,
      this.live,
    );
    this.spoken = -Infinity;
    this.timer = 0;
  }

  /** Shows what the device says of itself. @param {boolean} open */
  unfold(open) {
    this.details.hidden = !open;
    this.backend.setAttribute("aria-expanded", String(open));
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
   * @param {{ info: import("../engine/types.js").Info | null, name: string, rate: number, contextUsed: number,
   *   prefill: { done: number, total: number } | null, run: { step: number, steps: number } | null }} data `run`: the
   *   one going on
   */
  update({ info, name, rate, contextUsed, prefill, run }) {
    this.root.setAttribute("aria-label", t("status.label"));
    setText(this.model, info ? `${name} · ${t("status.parameters", { count: formatCount(info.nParams) })}` : "");
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
      setText(this.backend, "");
      this.unfold(false);
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
    const backend = t(`status.backend.${info.backend}`);
    const reason = backendReason(info);
    setText(this.backend, reason ? t("status.backend.why", { backend, reason }) : backend);
    this.backend.title = t("status.backend.hint");
    setText(
      this.details,
      [engineWords(info.backendReason) ?? info.backendReason.text, info.adapter].filter(Boolean).join(" · "),
    );
  }
}
