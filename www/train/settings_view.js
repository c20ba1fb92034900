/** The numbers of a run, folded: each with its default and one sentence. */
import { reasonOf } from "../core/cause.js";
import { h, setText } from "../core/dom.js";
import { EngineError } from "../core/errors.js";
import { t } from "../core/i18n/index.js";
import { locked } from "./run_facts.js";
import { LORA_TARGETS, PRESETS, TOKENIZERS } from "./settings.js";

/** @typedef {import("./training.js").Training} Training */

const U32 = 4_294_967_295;
/** Name of the option, lowest, highest, step; the engine's ranges. `lora` for adapters only. */
const FIELDS = /** @type {const} */ ([
  ["steps", 1, 10_000_000, 1],
  ["batch_size", 1, 4096, 1],
  ["context", 1, 4096, 1],
  ["lr", 0, 1, "any"],
  ["lora_rank", 1, 4096, 1],
  ["lora_alpha", 0, 10_000, "any"],
  ["lora_dropout", 0, 0.9, "any"],
  ["warmup", 0, U32, 1],
  ["weight_decay", 0, 10, "any"],
  ["grad_clip", 0, 1_000_000, "any"],
  ["dropout", 0, 0.9, "any"],
  ["grad_accum", 1, 65_536, 1],
  ["eval_every", 0, U32, 1],
  ["validation", 0, 0.5, "any"],
  ["seed", 0, U32, 1],
]);

/** The option that an error of the engine's is about, "" for none. @param {unknown} error */
export function wrongOption(error) {
  if (!(error instanceof EngineError)) return "";
  const { code, params } = error.said;
  // Of a range it tells the option's name; a range of LoRA's has a code of its own.
  const about =
    typeof params.name === "object" ? params.name.code.replace("option.", "") : code.replace("lora.", "lora_");
  return FIELDS.find(([name]) => name === about)?.[0] ?? "";
}

const VOCABULARIES = [257, 512, 1024, 2048, 4096, 8192];

export class TrainSettings {
  /** @param {() => Training} training */
  constructor(training) {
    this.title = h("span");
    this.rows = FIELDS.map(([name, min, max, step]) => {
      const id = `train-${name}`;
      const input = h("input", {
        id,
        type: "number",
        min: String(min),
        max: String(max),
        step: String(step),
        "aria-describedby": `${id}-wrong ${id}-hint`,
      });
      input.addEventListener("change", () => training().plan.setOption(name, input.value));
      const label = h("label", { for: id });
      const hint = h("p", { class: "hint", id: `${id}-hint` });
      const wrong = h("p", { class: "train-wrong", id: `${id}-wrong`, hidden: true });
      return { name, input, label, hint, wrong, root: h("div", { class: "train-setting" }, label, input, wrong, hint) };
    });
    this.legend = h("legend");
    this.boxes = LORA_TARGETS.map((name) => {
      const box = h("input", {
        type: "checkbox",
        checked: true,
        onchange: () => training().plan.setTargets(this.chosen()),
      });
      return { name, box, root: h("label", { class: "train-target" }, box, ` ${name}`) };
    });
    this.targets = h("fieldset", { class: "train-targets" }, this.legend, ...this.boxes.map(({ root }) => root));
    this.root = h(
      "details",
      { class: "train-settings" },
      h("summary", {}, this.title),
      this.targets,
      ...this.rows.map(({ root }) => root),
    );

    const choice = (
      /** @type {string} */ id,
      /** @type {(string | number)[]} */ values,
      /** @type {(value: string) => void} */ onChange,
    ) => {
      const select = h(
        "select",
        { id: `train-${id}`, onchange: () => onChange(select.value) },
        ...values.map((value) => h("option", { value })),
      );
      const label = h("label", { for: `train-${id}` });
      return { select, label, root: h("div", { class: "field" }, label, select) };
    };
    this.preset = choice("preset", PRESETS, (preset) => training().plan.setScratch({ preset }));
    this.tokenizer = choice("tokenizer", TOKENIZERS, (tokenizer) => training().plan.setScratch({ tokenizer }));
    this.vocabulary = choice("vocabulary", VOCABULARIES, (size) =>
      training().plan.setScratch({ vocabSize: Number(size) }),
    );
    this.native = h("p", { class: "hint" });
    this.scratch = h(
      "div",
      { class: "train-scratch" },
      h("div", { class: "row" }, this.preset.root, this.tokenizer.root, this.vocabulary.root),
      this.native,
    );
  }

  /** The layers ticked. */
  chosen() {
    return this.boxes.filter(({ box }) => box.checked).map(({ name }) => name);
  }

  /** @param {Training} training @param {import("../engine/types.js").Info | null} info */
  update({ state, plan: { mode, planned, last, given, targets, scratch, error } }, info) {
    const held = locked(state);
    this.targets.hidden = mode !== "lora";
    setText(this.legend, t("train.targets"));
    setText(this.title, t("settings.title"));
    /** @type {import("../engine/types.js").GivenOptions} */
    const options = /** @type {any} */ ((planned ?? (last?.mode === mode ? last.planned : null))?.options ?? {});
    const defaults = {
      ...options,
      lora_rank: options.lora?.rank,
      lora_alpha: options.lora?.alpha,
      lora_dropout: options.lora?.dropout,
    };
    const adapted = targets ?? options.lora?.targets ?? LORA_TARGETS;
    for (const { name, box } of this.boxes) {
      box.checked = adapted.includes(name);
      box.disabled = held;
    }
    const bad = wrongOption(error);
    for (const { name, input, label, hint, wrong, root } of this.rows) {
      root.hidden = name.startsWith("lora") && mode !== "lora";
      setText(label, t(`train.option.${name}`));
      setText(hint, t(`train.option.${name}.hint`));
      const value = given[name];
      // A default is shown as what it is: it changes with the text and the model.
      const usual = defaults[/** @type {keyof typeof defaults} */ (name)];
      const isBad = name === bad;
      wrong.hidden = !isBad;
      setText(wrong, isBad ? reasonOf(error) : "");
      if (isBad) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      input.placeholder = usual === undefined || usual === null ? "" : String(usual);
      if (name === "context") input.max = String((mode !== "scratch" && info?.nCtx) || 4096);
      if (name === "lora_rank" && info) input.max = String(info.nEmbd);
      if (document.activeElement !== input) input.value = value === undefined ? "" : String(value);
      input.disabled = held;
    }
    this.scratch.hidden = mode !== "scratch";
    for (const [{ select, label }, name] of /** @type {const} */ ([
      [this.preset, "preset"],
      [this.tokenizer, "tokenizer"],
      [this.vocabulary, "vocabulary"],
    ])) {
      setText(label, t(`train.${name}`));
      select.disabled = held;
      for (const option of select.options)
        setText(option, name === "vocabulary" ? option.value : t(`train.${name}.${option.value}`));
    }
    this.preset.select.value = scratch.preset;
    this.tokenizer.select.value = scratch.tokenizer;
    this.vocabulary.select.value = String(scratch.vocabSize);
    this.vocabulary.root.hidden = scratch.tokenizer !== "bpe";
    setText(this.native, scratch.tokenizer === "bpe" ? "" : t("train.native"));
  }
}
