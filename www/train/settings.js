/** Keeps what is on the Train tab over a reload: the text, and what was chosen. */
import { list, number, object, oneOf, optional, read, record, text } from "../core/schema.js";

/** @typedef {import("./plan.js").TrainingPlan} TrainingPlan */
/** @typedef {import("../core/kept.js").Kept} Kept */

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

/** @param {Kept} store @param {TrainingPlan} plan */
export function keepPlan(store, plan) {
  store.keep(NAME, () => {
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

/**
 * What was kept, null for nothing.
 * @param {Kept} store
 * @returns {{ plan: Partial<TrainingPlan>, damaged: boolean } | null} `damaged`: a part of it could not be read
 */
export function keptPlan(store) {
  const stored = store.read(NAME);
  if (stored === undefined) return null;
  const { value, wrong } = read(kept, stored);
  const { text: own, name, elsewhere, before, mode, given, targets, scratch } = value;
  const plan = {
    text: own,
    textName: name,
    elsewhere: elsewhere ? own : "",
    before: before ?? null,
    mode,
    given,
    targets: targets ?? null,
    scratch,
  };
  return { plan, damaged: wrong.length > 0 };
}
