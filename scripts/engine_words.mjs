// Writes www/core/i18n/engine.en.js: the English sentence of each of the engine's codes, as its sources have them.
// Run it after a `message!` was added or changed: node scripts/engine_words.mjs
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TABLE = join(root, "www/core/i18n/engine.en.js");

/** The Rust files below `src`, less comments and unit tests. @returns {{ file: string, code: string }[]} */
export function sources() {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).map((name) =>
    name.replaceAll("\\", "/"),
  );
  return files
    .filter((name) => name.endsWith(".rs") && !/(^|\/)tests(\/|\.rs$)/.test(name))
    .sort()
    .map((name) => ({
      file: name,
      code: readFileSync(join(root, "src", name), "utf8")
        .split("#[cfg(test)]\nmod tests {")[0]
        .replace(/^\s*\/\/.*$/gm, ""),
    }));
}

/** Every `message!` of the engine: its code and its sentence. @returns {[code: string, english: string][]} */
export function messages() {
  const one = /\bmessage!\(\s*"([^"]+)",\s*"((?:[^"\\]|\\[\s\S])*)"/g;
  return sources().flatMap(({ code }) =>
    [...code.matchAll(one)].map(
      ([, name, text]) =>
        /** @type {[string, string]} */ ([name, text.replace(/\\\n\s*/g, "").replace(/\\(["\\])/g, "$1")]),
    ),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = [...new Map(messages())]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.map((one) => JSON.stringify(one)));
  const head = `/**
 * What the engine says, in English, by its codes. Made by \`scripts/engine_words.mjs\` from the engine's sources, where the
 * sentences stand; not to be changed by hand.
 * @type {Record<string, string>}
 */
export const engineEn = {
`;
  writeFileSync(TABLE, `${head}${lines.map(([code, text]) => `  ${code}: ${text},\n`).join("")}};\n`);
}
