/** What a model's files are called. Pure functions. */

/** A model's name as that of a file. @param {string} name */
export function fileName(name) {
  return name
    .replace(/[^\p{L}\p{N}._]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, 80);
}

/** @typedef {"config" | "tokenizer" | "vocab" | "merges" | "weights"} FileRole */

/**
 * What a file is, by its name; browsers add " (1)" to a second download.
 * @param {string} name
 * @returns {FileRole | null}
 */
export function roleOf(name) {
  const plain = name.toLowerCase().replace(/ ?\(\d+\)(?=\.)/, "");
  if (plain.endsWith(".safetensors")) return "weights";
  if (plain === "config.json") return "config";
  if (plain === "tokenizer.json") return "tokenizer";
  if (plain === "vocab.json") return "vocab";
  if (plain === "merges.txt") return "merges";
  return null;
}

/** Whether a file is a LoRA adapter's, by its name. @param {string} name */
export function isAdapterFile(name) {
  return /^adapter_(config.*\.json|model.*\.safetensors)$/i.test(name);
}

/** Whether a file belongs to a model, by its name. @param {string} name */
export function isModelFile(name) {
  return roleOf(name) !== null || isAdapterFile(name);
}

/**
 * Which files are still needed before a model can be opened.
 * @param {Partial<Record<FileRole, unknown>>} files
 * @returns {string[]}
 */
export function missingFiles(files) {
  const missing = [];
  if (!files.config) missing.push("config.json");
  if (!files.tokenizer && !(files.vocab && files.merges)) {
    if (files.vocab) missing.push("merges.txt");
    else if (files.merges) missing.push("vocab.json");
    else missing.push("tokenizer.json");
  }
  if (!files.weights) missing.push("model.safetensors");
  return missing;
}
