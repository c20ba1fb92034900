// @ts-check
// What crosses between page and engine has the same fields and types in Rust and in `types.d.ts`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const read = (/** @type {string} */ name) => readFileSync(join(root, name), "utf8");

/** Structs of Rust that cross, by file: the struct, and what TypeScript calls it. @type {[string, [string, string][]][]} */
const CROSS = [
  [
    "src/web/messages.rs",
    [
      ["StartOptions", "Settings"],
      ["Bytes", "Info.bytes"],
      ["Info", "Info"],
      ["Alternative", "Alternative"],
      ["Token", "Token"],
      ["Started", "Started"],
      ["Tokenized", "Tokenized"],
    ],
  ],
  [
    "src/web/train/messages.rs",
    [
      ["TrainRequest", "TrainRequest"],
      ["ScratchOptions", "ScratchOptions"],
      ["PreflightBytes", "Planned.bytes"],
      ["Planned", "Planned"],
      ["BestMessage", "BestWeights"],
    ],
  ],
  ["src/train/options.rs", [["TrainOptions", "TrainOptions"]]],
  ["src/model/lora.rs", [["LoraOptions", "LoraOptions"]]],
];

/** Fields that `session.js` adds to what the page gives it. */
const ADDED = ["ScratchOptions.backend", "StartOptions.prompt"];

/** @typedef {Map<string, { type: string, optional: boolean }>} Fields */

/** @param {string} file @param {string} name @returns {Fields} */
function rust(file, name) {
  const found = new RegExp(`((?:#\\[[^\\n]*\\]\\n)*)pub(?:\\(super\\))? struct ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(
    read(file),
  );
  assert.ok(found, `${file} has no struct ${name}`);
  const [, attributes, body] = found;
  const camel = attributes.includes("camelCase");
  const key = (/** @type {string} */ snake) =>
    camel ? snake.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()) : snake;
  return new Map(
    [...body.matchAll(/^ {4}pub(?:\(super\))? (\w+): (.*),$/gm)].map(([, field, type]) => {
      const option = /^Option<(.*)>$/.exec(type);
      return [key(field), { type: option?.[1] ?? type, optional: option !== null }];
    }),
  );
}

const types = read("www/engine/types.d.ts").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

/** What stands between the brace at a place and the one that closes it. @param {string} text @param {number} at */
function braced(text, at) {
  let depth = 0;
  for (let end = at; end < text.length; end++) {
    if (text[end] === "{") depth += 1;
    if (text[end] === "}" && --depth === 0) return text.slice(at + 1, end);
  }
  throw new Error("a brace is not closed");
}

/** @param {string} path an interface, or a field of one that is an object @returns {Fields} */
function script(path) {
  const [name, field] = path.split(".");
  const at = types.indexOf(`export interface ${name} {`);
  assert.ok(at >= 0, `types.d.ts has no interface ${name}`);
  let body = braced(types, types.indexOf("{", at));
  if (field) body = braced(body, body.indexOf("{", body.indexOf(`${field}: {`)));
  /** @type {Fields} */
  const fields = new Map();
  for (let rest = body; ; ) {
    const next = /(\w+)(\??): /.exec(rest);
    if (!next) return fields;
    rest = rest.slice(next.index + next[0].length);
    const text = rest[0] === "{" ? `{${braced(rest, 0)}}` : rest.slice(0, rest.search(/;|$/)).trim();
    rest = rest.slice(text.length);
    const type = text.replace(/ \| (null|undefined)\b/g, "");
    fields.set(next[1], { type, optional: type !== text || next[2] === "?" });
  }
}

/** Structs whose name is another in TypeScript. @type {Record<string, string>} */
const CALLED = { Message: "Said", Value: "GivenOptions", PreflightBytes: "{", Bytes: "{", Vec: "" };

/** Whether a type of Rust is this one of TypeScript's. @param {string} type @param {string} script @returns {boolean} */
function same(type, script) {
  if (/^(u\d+|i\d+|usize|f32|f64)$/.test(type)) return script === "number";
  if (type === "bool") return script === "boolean";
  // A text that is one of a few is known better in TypeScript.
  if (/^(String|&'static str)$/.test(type)) return script === "string" || /^("[^"]*"( \| )?)+$/.test(script);
  const list = /^Vec<(.*)>$/.exec(type);
  if (list) return script.endsWith("[]") && same(list[1], script.slice(0, -2));
  if (type === "Schedule") return script === '"constant" | "cosine"';
  if (type === "LoraTarget") return script === "string";
  return script.startsWith(CALLED[type] ?? type);
}

for (const [file, structs] of CROSS) {
  for (const [name, path] of structs) {
    test(`${name} in ${file} is ${path} in types.d.ts`, () => {
      const [ours, theirs] = [rust(file, name), script(path)];
      assert.ok(ours.size > 0);
      for (const field of ADDED) if (field.startsWith(`${name}.`)) ours.delete(field.slice(name.length + 1));
      assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
      for (const [field, { type, optional }] of ours) {
        const other = theirs.get(field);
        assert.ok(other && same(type, other.type), `${field}: ${type} in Rust, ${other?.type} in TypeScript`);
        if (optional) assert.ok(other.optional, `${field} may be missing`);
      }
    });
  }
}
