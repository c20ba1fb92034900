/** What to do with a tuned model: write with it, compare it with its base, download it. */
import { h, setText } from "../core/dom.js";
import { n, t } from "../core/i18n/index.js";
import { samplePrompt } from "../core/text.js";
import { busy } from "./run_facts.js";

/** @typedef {import("./training.js").Training} Training */

const MEAN_OF = 5;
/** Below this mean loss, in nats, the token that comes next is likelier than all others together. */
const KNOWN = Math.LN2;

/**
 * What is to be said where the part held back became less likely: "heart" where the model knows the rest by heart,
 * "harm" where it only fits it better; "" where there is nothing to say.
 * @param {import("../engine/types.js").LossHistory} history
 * @returns {"" | "heart" | "harm"}
 */
export function verdictOf({ train, validation }) {
  const [first, last] = [validation[0], validation.at(-1)];
  if (!first || !last || last[1] <= first[1] || train.length <= MEAN_OF) return "";
  const mean = train.slice(-MEAN_OF).reduce((sum, [, loss]) => sum + loss, 0) / MEAN_OF;
  return mean >= train[0][1] ? "" : mean < KNOWN ? "heart" : "harm";
}

export class TrainAfter {
  /** @param {() => Training} training */
  constructor(training) {
    this.title = h("h2");
    this.write = h("button", { type: "button", class: "secondary", onclick: () => training().write() });
    this.model = h("button", { type: "button", class: "secondary", onclick: () => void training().download("model") });
    this.adapter = h("button", {
      type: "button",
      class: "secondary",
      onclick: () => void training().download("adapter"),
    });
    this.native = h("p", { class: "hint" });
    this.bestText = h("p", { class: "facts", role: "status" });
    this.bestButton = h("button", {
      type: "button",
      class: "secondary",
      onclick: () => training().useBest(!training().state.best?.inForce),
    });
    this.heart = h("p", { class: "facts train-heart" });
    this.bestRow = h("div", { class: "train-best" }, this.bestText, this.bestButton);
    this.strengthLabel = h("label", { for: "strength" });
    this.strength = h("input", { id: "strength", type: "range", min: "0", max: "2", step: "0.05" });
    this.strength.addEventListener("input", () => training().setStrength(Number(this.strength.value)));
    this.strengthSaid = h("p", { class: "hint train-strength-said", role: "status" });
    this.strengthRow = h("div", { class: "train-strength" }, this.strengthLabel, this.strength);

    this.compareTitle = h("h2");
    this.promptLabel = h("label", { for: "compare-prompt" });
    this.prompt = h("input", {
      id: "compare-prompt",
      type: "text",
      value: "Once upon a time",
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" && !event.isComposing) this.compare.click();
      },
    });
    /** What the prompt was last filled with: what the user wrote is left alone. */
    this.filled = this.prompt.value;
    this.compare = h("button", {
      type: "button",
      class: "secondary",
      onclick: () => void training().compare(this.prompt.value),
    });
    this.sides = /** @type {const} */ (["base", "tuned"]).map((side) => ({
      side,
      name: h("h3"),
      text: h("p", { class: "train-writes" }),
    }));
    this.columns = h(
      "div",
      { class: "compare" },
      ...this.sides.map(({ side, name, text }) => h("div", { "data-side": side }, name, text)),
    );
    this.comparing = h(
      "div",
      {},
      this.compareTitle,
      h("div", { class: "row" }, h("div", { class: "field" }, this.promptLabel, this.prompt), this.compare),
      this.strengthSaid,
      this.columns,
    );
    this.root = h(
      "div",
      { class: "train-after" },
      this.title,
      h("div", { class: "train-done" }, this.write, this.model, this.adapter),
      this.native,
      this.heart,
      this.bestRow,
      this.strengthRow,
      this.comparing,
    );
  }

  /** @param {Training} training @param {import("../engine/types.js").State} state */
  update(training, { info }) {
    const {
      comparison: { texts, busy: compares },
      state: { strength, phase, sample },
    } = training;
    const lora = info?.trained === "lora";
    this.root.hidden = !info?.trained || phase === "starting";
    if (this.root.hidden) return;
    setText(this.title, t(training.origin?.kind === "scratch" ? "train.after.scratch" : "train.after"));
    setText(this.write, t("train.after.write"));
    setText(this.model, t("train.after.model"));
    setText(this.adapter, t("train.after.adapter"));
    this.adapter.hidden = !lora;
    const native = info?.native ?? "";
    this.native.hidden = !native;
    setText(this.native, native === "config" ? t("train.native.config") : native ? t("train.native") : "");
    this.updateBest(training.state);
    this.strengthRow.hidden = !lora;
    setText(this.strengthLabel, t("train.strength", { value: strength.toFixed(2) }));
    if (Number(this.strength.value) !== strength) this.strength.value = String(strength);
    this.strength.style.setProperty("--share", `${50 * strength}%`);
    this.comparing.hidden = !training.origin || training.origin.kind === "scratch";
    const prompt = (sample?.prompt ?? samplePrompt(training.plan.text)).trim();
    if (prompt && this.prompt.value === this.filled && document.activeElement !== this.prompt)
      this.prompt.value = this.filled = prompt;
    setText(this.compareTitle, t("train.compare"));
    setText(this.promptLabel, t("train.compare.prompt"));
    setText(this.compare, t(compares ? "train.compare.busy" : "train.compare.go"));
    this.compare.disabled = compares;
    this.columns.hidden = !texts;
    const other = lora && texts !== null && texts.strength !== strength;
    this.strengthSaid.hidden = !other;
    this.columns.classList.toggle("stale", other);
    if (other) {
      const values = { before: texts.strength.toFixed(2), now: strength.toFixed(2) };
      setText(this.strengthSaid, t("train.compare.strength", values));
    }
    for (const { side, name, text } of this.sides) {
      setText(name, t(`train.compare.${side}`));
      if (texts)
        text.replaceChildren(
          h("span", { class: "ink-user" }, texts.prompt),
          h("span", { class: "ink-model" }, texts[side]),
        );
    }
  }

  /** Which of the best and the last weights are in use, where they differ. @param {Training["state"]} state */
  updateBest(state) {
    const { best, step, phase, history } = state;
    const goes = busy(state);
    const verdict = verdictOf(history);
    this.heart.hidden = goes || Boolean(best?.inForce) || !verdict;
    if (verdict) setText(this.heart, t(`train.best.${verdict}`));
    // Before the first step the weights are the base model's.
    this.bestRow.hidden = !best || goes || best.step === step || (best.step === 0 && !best.inForce);
    if (!best) return;
    const about = { step: n(best.step), loss: best.loss.toFixed(3), last: n(step) };
    const key = !best.inForce ? "train.best.there" : phase === "paused" ? "train.best.paused" : "train.best.inUse";
    setText(this.bestText, t(key, about));
    setText(this.bestButton, t(best.inForce ? "train.best.last" : "train.best.use", about));
  }
}
