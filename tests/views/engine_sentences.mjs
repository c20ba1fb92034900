// @ts-check
// The sentences of the engine, read from its sources: what stands in the list of translations, and what has to.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Parts of the engine whose sentences tell of a fault of its own, in the words of its own tensors and ops. The few that
 * a
 * large model or batch can meet give advice, and only these have to be translated.
 */
const INNER = ["src/graph/", "src/ops/", "src/cpu/"];
const ADVICE = /\buse a\b/;

/** Files that say nothing on the page. @type {Record<string, string>} */
export const SILENT_FILES = {
  "src/inspect/eval.rs": "scores a text for the command line",
  "src/model/checkpoint/write.rs": "the page writes the model's own tensors, each once and as F32",
  "src/train/presets.rs: description": "the command line's list; the page names the presets itself",
  "src/train/replay.rs": "reads recorded batches for the command line",
};

/** Sentences that never stand on the page, or not by themselves. @type {Record<string, string>} */
export const SILENT = {
  "Hugging Face's GPT-2 cannot express this model: {}. It can be saved and loaded here only.":
    "said on the command line's export",
  'it normalises after the residual add (norm_position "post")': "a part of that",
  "its layers have no biases (bias false)": "a part of that",
  "its head has a bias (lm_head_bias true)": "a part of that",
  "it has no final LayerNorm (final_layer_norm false)": "a part of that",
  "LoRA cannot adapt '{}'; choose among c_attn, attn.c_proj, c_fc and mlp.c_proj{}": "of an option of the command line",
  " (there are two c_proj: say which)": "a part of that",
  'the special token {} is a single character or shorter, or given twice: use one like "<|endoftext|>"':
    "the page asks for no special tokens",
  "the replay file has {} batches, but batch {} is wanted": "of an option of the command line",
  "install a Vulkan driver (on Debian and Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1), or use the CPU backend":
    "not in the browser",
  "the GPU did not finish ({}); use the CPU backend": "not in the browser",
  "This model has no parameter '{}'.": "of weights that are in memory as a whole, which the page reads as a stream",
  "Rows {} of '{}' {} do not fit a destination of {} values.": "of weights that are in memory as a whole",
  "a map of tensors": "stands within a sentence of serde_json",
  "the name {} appears twice": "stands within a sentence of serde_json",
  "tensor {}: {}": "stands within a sentence of serde_json",
  "open: {}": "serde's words, where page and engine do not fit together",
  "start: {}": "serde's words, where page and engine do not fit together",
  "openScratch: {}": "serde's words, where page and engine do not fit together",
  "openRun: {}": "serde's words, where page and engine do not fit together",
  "scratchPlan: {}": "serde's words, where page and engine do not fit together",
  "temporary {}": "a label of the GPU",
  'index.html has no element with the id "{}"': "without its elements there is no page to say it",
  "basic render": "a part of a driver's name",
  "WebGPU adapter": "a name",
};

/**
 * @typedef {{ file: string, text: string, said: boolean, forms: string[] }} Sentence `said`: it looks like words for a
 *   person
 */

/**
 * A sentence as it is compared: the brackets of a list may be written in the translations, or be left to the value.
 * @param {string} text
 */
export function plain(text) {
  return text.replaceAll("[{}]", "{}");
}

/** Two words, or a value and a word. @param {string} text */
function hasWords(text) {
  return /[A-Za-z][,:;)]? [A-Za-z{(]|\} [a-z]/.test(text);
}

/** What stands before a string where nobody is shown it. */
const UNSAID =
  /(\bexpect\(|\blabel: Some\(|\breason = )\s*$|\b(assert|assert_eq|assert_ne|debug_assert|debug_assert_eq|panic|unreachable)!\([^;]*$/;

/** Tells a string from what only looks like one: comments, characters, raw strings and bytes come first. */
const RUST =
  /\/\/.*|\bb?r#+"[\s\S]*?"#+|\bb?r"[^"]*"|\bb"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\.)'|"((?:[^"\\]|\\[\s\S])*)"/g;

/** @param {string} file @returns {Sentence[]} */
function ofRust(file) {
  const [code] = readFileSync(join(root, file), "utf8").split(/#\[cfg\(test\)\]\s*mod \w+ \{/);
  /**
   * Constants may be names of files, by which a sentence is known better than by a hole.
   * @type {Map<string, string>}
   */
  const names = new Map([...code.matchAll(/const (\w+): &str = "([^"\\]*)"/g)].map(([, name, value]) => [name, value]));
  const found = [];
  for (const match of code.matchAll(RUST)) {
    if (match[1] === undefined) continue;
    const text = match[1].replace(/\\\n\s*/g, "").replace(/\\"/g, '"');
    const named = text.replace(/\{(\w+)\}/g, (hole, name) => names.get(name) ?? hole);
    const forms = [text, named].map((form) => plain(form.replace(/\{[^{}]*\}/g, "{}")));
    const before = code.slice(Math.max(0, match.index - 200), match.index);
    found.push({
      file: /\bdescription: $/.test(before) ? `${file}: description` : file,
      text: forms[0],
      forms,
      said: forms.some(hasWords) && !UNSAID.test(before),
    });
  }
  return found;
}

/**
 * What a script of the page throws in English, and not as a key of the page's own tables.
 * @param {string} file
 * @returns {Sentence[]}
 */
function ofScript(file) {
  const code = readFileSync(join(root, file), "utf8");
  const said = /(?:\bnew (?:Engine)?Error\(\s*|\|\| )(?:"([^"\\]*)"|`([^`\\]*)`)/g;
  return [...code.matchAll(said)].map(([, words, template]) => {
    const text = words ?? template.replace(/\$\{[^{}]*\}/g, "{}");
    return { file, text, forms: [text], said: hasWords(text) };
  });
}

/** @param {string} folder @param {string} ending */
function filesIn(folder, ending) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return files
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(ending))
    .sort();
}

/** Every string in the sources of the engine, and the errors that the page's scripts make. */
export function sentences() {
  const rust = filesIn("src", ".rs").filter((file) => !file.startsWith("src/bin/") && !file.endsWith("/tests.rs"));
  const scripts = filesIn("www", ".js").filter((file) => !/^www\/(pkg|pkg-train|vendor|core\/i18n)\//.test(file));
  return [...rust.flatMap(ofRust), ...scripts.flatMap(ofScript)];
}

/** Whether a sentence must be in the list. @param {Sentence} sentence */
export function isShown({ file, text, said }) {
  if (!said || Object.hasOwn(SILENT_FILES, file) || Object.hasOwn(SILENT, text)) return false;
  return ADVICE.test(text) || !INNER.some((folder) => file.startsWith(folder));
}
