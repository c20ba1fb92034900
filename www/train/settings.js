/** Keeps what is on the Train tab over a reload: the text, and what was chosen. */
import { list, number, object, oneOf, optional, read, record, text } from "../core/schema.js";

/** @typedef {import("./plan.js").TrainingPlan} TrainingPlan */

/** The linear layers of a block, as PEFT names them. */
export const LORA_TARGETS = ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"];
export const PRESETS = ["tiny", "nanogpt-cpu", "small", "10m"];
export const TOKENIZERS = ["char", "byte", "bpe"];

const NAME = "train";
const named = object({ text: text(), name: text() });
const kept = object({
  text: text(),
  name: text(),
  elsewhere: oneOf([false, true]),
  before: optional(named),
  mode: oneOf(/** @type {const} */ (["full", "lora", "scratch"])),
  given: record(number()),
  targets: optional(list(oneOf(LORA_TARGETS))),
  scratch: object({ preset: oneOf(PRESETS), tokenizer: oneOf(TOKENIZERS), vocabSize: number(512, 1, 1e6) }),
});

/** @param {TrainingPlan} plan */
export function keepPlan(plan) {
  plan.training.parts.kept.keep(NAME, () => {
    const { text: own, textName: name, before, mode, given, targets, scratch } = plan;
    // A text that can be had again is not the user's own.
    return {
      text: own,
      name,
      elsewhere: own !== "" && own === plan.elsewhere,
      before,
      mode,
      given: { ...given },
      targets,
      scratch,
    };
  });
}

/** @param {TrainingPlan} plan @returns {boolean} false where a part of what was kept could not be read */
export function restorePlan(plan) {
  const stored = plan.training.parts.kept.read(NAME);
  if (stored === undefined) return true;
  const { value, wrong } = read(kept, stored);
  const { text: own, name, elsewhere, before, mode, given, targets, scratch } = value;
  Object.assign(plan, {
    text: own,
    textName: name,
    elsewhere: elsewhere ? own : "",
    before: before ?? null,
    mode,
    given,
    targets: targets ?? null,
    scratch,
  });
  return !wrong.length;
}
