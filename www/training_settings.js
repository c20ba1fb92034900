/** Keeps what was chosen on the Train tab over a reload, for this tab only. */
import { storage } from "./dom.js";

/** @typedef {import("./training_plan.js").TrainingPlan} TrainingPlan */

/** The linear layers of a block, as PEFT names them. */
export const LORA_TARGETS = ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"];

const KEY = "trainSettings";

/** @param {TrainingPlan} plan */
export function keepSettings({ mode, given, targets, scratch }) {
  storage.setTab(KEY, JSON.stringify({ mode, given, targets, scratch }));
}

/** Anything of another form than was kept is left alone. @param {TrainingPlan} plan */
export function restoreSettings(plan) {
  /** @type {any} */
  let kept;
  try {
    kept = JSON.parse(storage.getTab(KEY) ?? "{}");
  } catch {
    return;
  }
  if (["full", "lora", "scratch"].includes(kept?.mode)) plan.mode = kept.mode;
  for (const [name, value] of Object.entries(kept?.given ?? {})) if (typeof value === "number") plan.given[name] = value;
  if (Array.isArray(kept?.targets)) plan.targets = LORA_TARGETS.filter((one) => kept.targets.includes(one));
  for (const name of /** @type {const} */ (["preset", "tokenizer", "vocabSize"])) {
    const value = kept?.scratch?.[name];
    if (typeof value === typeof plan.scratch[name]) plan.scratch = { ...plan.scratch, [name]: value };
  }
}
