/** What is to be learnt and how: the text, the mode, the numbers, and what the engine says of them. Draws nothing. */
import { explained, isAbort } from "../core/errors.js";
import { t } from "../core/i18n/index.js";
import { keepPlan, keptPlan } from "./settings.js";

/** @typedef {import("../engine/types.js").RunMode} RunMode */
/** @typedef {import("../engine/types.js").Planned} Planned */

const PLAN_AFTER_MS = 400;

/** Without what is not given. @template {object} T @param {T} values @returns {Partial<T>} */
function defined(values) {
  return /** @type {Partial<T>} */ (
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
  );
}

export class TrainingPlan {
  /**
   * @param {object} parts
   * @param {import("../core/kept.js").Kept} parts.kept
   * @param {() => Promise<import("../engine/client.js").WorkerClient>} parts.trainer the engine's worker that can train
   * @param {() => import("../engine/types.js").Backend} parts.backend
   * @param {() => boolean} parts.free whether a model is open, and no run has the text and the numbers
   * @param {() => void} parts.onChange
   */
  constructor(parts) {
    this.parts = parts;
    this.text = "";
    /** The file that it is from. */
    this.textName = "";
    /** What the text was when it came from where it can be had again: a sample, or a saved run. */
    this.elsewhere = "";
    /** The user's own text that another took the place of. @type {{ text: string, name: string } | null} */
    this.before = null;
    /** @type {RunMode} */
    this.mode = "full";
    /** What the user set, by the name of the option. @type {Record<string, number>} */
    this.given = {};
    /** Layers that get an adapter, where the user chose them. @type {string[] | null} */
    this.targets = null;
    this.scratch = { preset: "tiny", tokenizer: "char", vocabSize: 512 };
    /** What the engine makes of it. @type {Planned | null} */
    this.planned = null;
    /**
     * The last answer that was no error, and to what.
     * @type {{ planned: Planned, text: string, mode: RunMode } | null}
     */
    this.last = null;
    /** An answer that counts tokens before there is a vocabulary. @type {Planned | null} */
    this.guess = null;
    /** @type {unknown} */
    this.error = null;
    this.timer = 0;
    this.number = 0;
    const found = keptPlan(parts.kept);
    /** A part of what was kept could not be read. */
    this.damaged = found?.damaged ?? false;
    Object.assign(this, found?.plan);
  }

  /** @param {string} text @param {string} [name] the file that it is from */
  setText(text, name = "") {
    this.put(text, name);
    this.soon();
  }

  /** The user types. @param {string} text */
  edit(text) {
    // What is begun anew in an empty field was not put in another's place.
    if (!this.text) this.before = null;
    this.setText(text, text ? this.textName : "");
  }

  /**
   * Another text in the place of the user's own, which can be brought back.
   * @param {string} text
   * @param {string} [name]
   * @param {boolean} [elsewhere] whether it can be had again
   */
  replace(text, name = "", elsewhere = false) {
    this.keep(text, name, elsewhere);
    this.soon();
  }

  /** No text, in the place of whatever text there is, which can be brought back. */
  clear() {
    this.elsewhere = "";
    this.replace("");
  }

  /** The two change places. */
  bringBack() {
    const { before } = this;
    if (!before) return;
    this.before = null;
    this.replace(before.text, before.name);
  }

  /**
   * As `replace`, of a text that the engine has already.
   * @param {string} text
   * @param {string} name
   * @param {boolean} [elsewhere]
   */
  keep(text, name, elsewhere = true) {
    if (this.text.trim() && this.text !== this.elsewhere) this.before = { text: this.text, name: this.textName };
    this.put(text, name);
    this.elsewhere = elsewhere ? this.text : "";
    if (this.before?.text === this.text) this.before = null;
  }

  /** @param {string} text @param {string} name */
  put(text, name) {
    // As a text field would: with line ends of one kind.
    this.text = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    this.textName = name;
    keepPlan(this.parts.kept, this);
  }

  /**
   * What a run learns takes the plan's place.
   * @param {{ mode: RunMode, text: string, planned: Planned }} run
   */
  adopt({ mode, text, planned }) {
    this.hold();
    this.mode = mode;
    if (text !== this.text) this.keep(text, "");
    this.planned = planned;
    this.error = null;
  }

  /** @param {RunMode} mode */
  setMode(mode) {
    this.mode = mode;
    this.soon();
  }

  /** @param {string} name @param {string} value empty for the default */
  setOption(name, value) {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) delete this.given[name];
    else this.given[name] = number;
    this.soon();
  }

  /** Which layers get an adapter. @param {string[]} targets */
  setTargets(targets) {
    this.targets = targets;
    this.soon();
  }

  /** @param {Partial<TrainingPlan["scratch"]>} patch */
  setScratch(patch) {
    this.scratch = { ...this.scratch, ...patch };
    this.soon();
  }

  /** The options that differ from the defaults, as the engine takes them. */
  options(given = this.given) {
    const { lora_rank: rank, lora_alpha: alpha, lora_dropout: dropout, ...plain } = given;
    const lora = defined({ rank, alpha, dropout, targets: this.targets ?? undefined });
    return this.mode === "lora" ? { ...plain, lora } : plain;
  }

  request() {
    return { text: this.text, lora: this.mode === "lora", options: this.options() };
  }

  scratchOptions() {
    return { ...this.scratch, text: this.text, seed: this.given.seed ?? 1337 };
  }

  /** A name for a model with random weights. */
  scratchName() {
    const { preset, tokenizer } = this.scratch;
    return t("train.scratch.name", {
      preset: t(`train.preset.${preset}.name`),
      tokenizer: t(`train.tokenizer.${tokenizer}.name`),
    });
  }

  /** No answer is wanted for now. */
  hold() {
    clearTimeout(this.timer);
  }

  soon() {
    keepPlan(this.parts.kept, this);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.replan(), PLAN_AFTER_MS);
    this.parts.onChange();
  }

  /** @param {import("../engine/types.js").GivenOptions} options @returns {Promise<Planned>} */
  async ask(options) {
    const backend = this.parts.backend();
    const trainer = await this.parts.trainer();
    return this.mode === "scratch"
      ? trainer.request("scratchPlan", { backend, options: this.scratchOptions(), given: options })
      : trainer.request("trainPlan", { request: { ...this.request(), options } });
  }

  /** Asks the engine what a run would be and need. */
  async replan() {
    const { free, onChange } = this.parts;
    if (!free()) return;
    const number = ++this.number;
    const { text, mode } = this;
    /** @type {Planned | null} */
    let planned = null;
    /** @type {Planned | null} */
    let bare = null;
    /** @type {unknown} */
    let failure = null;
    if (this.text.trim()) {
      try {
        planned = await this.ask(this.options());
      } catch (error) {
        failure = isAbort(error) ? null : explained(error);
      }
      // What the other numbers would be, where one is wrong.
      if (failure) bare = await this.ask(this.options({})).catch(() => null);
    }
    if (number !== this.number) return;
    this.planned = planned;
    this.error = failure;
    const known = planned ?? bare;
    if (known) this.last = { planned: known, text, mode };
    this.guess = this.mode === "scratch" && this.scratch.tokenizer === "bpe" ? planned : null;
    onChange();
  }
}
