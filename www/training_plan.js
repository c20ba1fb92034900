/** What is to be learnt and how: the text, the mode, the numbers, and what the engine says of them. Draws nothing. */
import { storage } from "./dom.js";
import { isAbort } from "./errors.js";
import { t } from "./i18n/index.js";

/** @typedef {import("./types.js").RunMode} RunMode */
/** @typedef {import("./types.js").Planned} Planned */

const PLAN_AFTER_MS = 400;
/** The linear layers of a block, as PEFT names them. */
export const LORA_TARGETS = ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"];
/** A longer text is not kept over a reload before it is trained on. */
const MOST_KEPT_TEXT = 2_000_000;

export class TrainingPlan {
  /** @param {import("./training.js").Training} training */
  constructor(training) {
    this.training = training;
    this.text = storage.getTab("trainText") ?? "";
    /** The file that it is from. */
    this.textName = storage.getTab("trainTextName") ?? "";
    /** @type {RunMode} */
    this.mode = "full";
    /** What the user set, by the name of the option. @type {Record<string, number>} */
    this.given = {};
    /** Layers that get an adapter. @type {string[]} */
    this.targets = [...LORA_TARGETS];
    this.scratch = { preset: "tiny", tokenizer: "char", vocabSize: 512 };
    /** What the engine makes of it. @type {Planned | null} */
    this.planned = null;
    /** @type {unknown} */
    this.error = null;
    this.timer = 0;
    this.number = 0;
  }

  /** @param {string} text @param {string} [name] the file that it is from */
  setText(text, name = "") {
    this.keep(text, name);
    this.soon();
  }

  /** @param {string} text @param {string} name */
  keep(text, name) {
    // As a text field would: with line ends of one kind.
    this.text = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    this.textName = name;
    const kept = this.text.length <= MOST_KEPT_TEXT;
    storage.setTab("trainText", kept ? this.text : "");
    storage.setTab("trainTextName", kept ? name : "");
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
  options() {
    const { lora_rank, lora_alpha, ...plain } = this.given;
    /** @type {Record<string, unknown>} */
    const options = plain;
    if (this.mode === "lora") {
      const rank = lora_rank === undefined ? {} : { rank: lora_rank };
      const alpha = lora_alpha === undefined ? {} : { alpha: lora_alpha };
      options.lora = { ...rank, ...alpha, targets: this.targets };
    }
    return JSON.stringify(options);
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
    return t("train.scratch.name", { preset: t(`train.preset.${preset}.name`), tokenizer: t(`train.tokenizer.${tokenizer}.name`) });
  }

  /** No answer is wanted for now. */
  hold() {
    clearTimeout(this.timer);
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.replan(), PLAN_AFTER_MS);
    this.training.parts.onChange();
  }

  /** Asks the engine what a run would be and need. */
  async replan() {
    const { engine, store, onChange } = this.training.parts;
    if (this.training.locked || !engine.client || !store.state.info) return;
    const number = ++this.number;
    /** @type {Planned | null} */
    let planned = null;
    /** @type {unknown} */
    let failure = null;
    if (this.text.trim()) {
      try {
        planned = this.mode === "scratch"
          ? await (await engine.trainer()).request("scratchPlan", { backend: store.state.info.backend, options: this.scratchOptions(), given: this.options() })
          : await (await engine.trainer()).request("trainPlan", { request: this.request() });
      } catch (error) {
        failure = isAbort(error) ? null : error;
      }
    }
    if (number !== this.number) return;
    this.planned = planned;
    this.error = failure;
    onChange();
  }
}
