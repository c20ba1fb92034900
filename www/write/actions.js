import { h, setText } from "../core/dom.js";
import { t } from "../core/i18n/index.js";
import { MAX_SEED } from "../core/settings.js";

const KEY = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵";

/** Generate or stop, take back, try another, and the seed. */
export class Actions {
  /**
   * @param {HTMLElement} root
   * @param {{ onGenerate: () => void, onStop: () => void, onUndo: () => void, onAnother: () => void,
   *   onSeed: (value: string) => void, onDice: () => void }} options
   */
  constructor(root, { onGenerate, onStop, onUndo, onAnother, onSeed, onDice }) {
    this.busy = false;
    this.shownSeed = NaN;
    this.label = h("span");
    this.key = h("kbd", { "aria-hidden": "true" });
    this.main = h(
      "button",
      { type: "button", class: "primary", onclick: () => (this.busy ? onStop() : onGenerate()) },
      this.label,
      this.key,
    );
    this.another = h("button", { type: "button", class: "quiet", onclick: onAnother });
    this.undo = h("button", { type: "button", class: "quiet", onclick: onUndo });
    this.seedLabel = h("label", { for: "seed" });
    this.seed = h("input", {
      id: "seed",
      type: "number",
      inputmode: "numeric",
      min: "0",
      max: String(MAX_SEED),
      step: "1",
    });
    this.seed.addEventListener("change", () => {
      this.shownSeed = NaN;
      onSeed(this.seed.value);
    });
    this.dice = h("button", { type: "button", class: "quiet", onclick: onDice });
    root.append(
      h(
        "div",
        { class: "actions" },
        this.main,
        this.another,
        this.undo,
        h("div", { class: "seed" }, this.seedLabel, this.seed, this.dice),
      ),
    );
  }

  /**
   * @param {{ phase: import("./writer.js").Phase, ready: boolean, loading: boolean, hasTail: boolean, canUndo: boolean,
   *   canRetry: boolean, seed: number }} data
   */
  update({ phase, ready, loading, hasTail, canUndo, canRetry, seed }) {
    this.busy = phase !== "idle";
    const label =
      phase === "stopping"
        ? "action.stopping"
        : this.busy
          ? "action.stop"
          : !ready
            ? loading
              ? "action.loading"
              : "action.noModel"
            : hasTail
              ? "action.continueHere"
              : "action.generate";
    setText(this.label, t(label));
    setText(this.key, this.busy ? "Esc" : KEY);
    this.main.classList.toggle("busy", this.busy);
    this.main.disabled = phase === "stopping" || (!this.busy && !ready);
    this.main.title = this.busy ? t("action.stop.hint") : t("action.generate.hint", { key: KEY });
    setText(this.another, t("action.another"));
    this.another.title = t("action.another.hint");
    this.another.hidden = this.busy || !canRetry || !ready;
    setText(this.undo, t("action.undo"));
    this.undo.title = t("action.undo.hint");
    this.undo.hidden = !canUndo;
    setText(this.seedLabel, t("seed.label"));
    this.seed.title = t("seed.hint");
    // What is being typed counts when it is finished, and must not be written over before.
    if (document.activeElement !== this.seed || seed !== this.shownSeed) this.seed.value = String(seed);
    this.shownSeed = seed;
    setText(this.dice, t("seed.dice"));
    this.dice.title = t("seed.dice.hint");
  }
}
