// @ts-check
// The page's modules as a browser loads them: which come together, which come later, and which strings they name and
// bring.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

const www = new URL("../../www/", import.meta.url);
/** What the page starts with; everything that is loaded later is loaded by what was there before. */
export const START = "main.js";

/** A file's code without its comments, in which types are imported. @param {string} name below www */
function codeOf(name) {
  return readFileSync(new URL(name, www), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "");
}

/** @type {Map<string, string>} */
export const modules = new Map(
  readdirSync(www, { recursive: true })
    .map((name) => String(name).replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".js") && !/^(pkg|pkg-train|vendor)\//.test(name))
    .sort()
    .map((name) => [name, codeOf(name)]),
);

/** @param {string} from @param {string} target */
const resolve = (from, target) => posix.normalize(posix.join(posix.dirname(from), target));

/** The modules that come with one. @param {string} name */
export function importsOf(name) {
  const code = modules.get(name) ?? "";
  return [...code.matchAll(/^(?:import|export)\b[^;"()=]*"(\.[^"]+)"/gm)].map(([, target]) => resolve(name, target));
}

/** The modules that one loads later; a name with a hole stands for all that fit. @param {string} name */
export function laterOf(name) {
  const code = modules.get(name) ?? "";
  return [...code.matchAll(/\bimport\(["`](\.[^"`]+)["`]\)/g)].flatMap(([, target]) => {
    const pattern = new RegExp(
      `^${resolve(name, target)
        .replaceAll(".", "\\.")
        .replace(/\$\{\w+\}/g, "\\w+")}$`,
    );
    return [...modules.keys()].filter((one) => pattern.test(one));
  });
}

/** What comes when a module is loaded. @param {string} entry @returns {Set<string>} */
export function loadedWith(entry) {
  const found = new Set([entry]);
  for (const name of found) for (const one of importsOf(name)) found.add(one);
  return found;
}

/** A table of strings in English, which the page names by file. @param {string} name */
export const isTable = (name) => /(^|[./])en\.js$/.test(name);

/**
 * Each module that is loaded by itself, with what comes with it and the tables that are there then: its own, and those
 * that are
 * there whichever way it was loaded.
 * @returns {Map<string, { modules: Set<string>, tables: Set<string> }>}
 */
export function loads() {
  const entries = new Set([START]);
  /** @type {Map<string, Set<string>>} */
  const by = new Map();
  for (const entry of entries) {
    // The page reads the manifest for the panels' names; the inspector alone loads what it names.
    const loading = [...loadedWith(entry)].filter((one) => entry !== START || one !== "inspect/manifest.js");
    for (const one of new Set(loading.flatMap(laterOf))) {
      entries.add(one);
      by.set(one, (by.get(one) ?? new Set()).add(entry));
    }
  }
  const every = [...modules.keys()].filter(isTable);
  const own = (/** @type {string} */ entry) => [...loadedWith(entry)].filter(isTable);
  const found = new Map(
    [...entries].map((entry) => {
      return [entry, { modules: loadedWith(entry), tables: new Set(entry === START ? own(entry) : every) }];
    }),
  );
  // From above: what is not there on some way is taken out, until nothing changes.
  for (let changed = true; changed; ) {
    changed = false;
    for (const [entry, load] of found) {
      const before = [...(by.get(entry) ?? [])].map((one) => found.get(one)?.tables ?? new Set());
      const inherited = every.filter((table) => before.every((one) => one.has(table)));
      const tables = entry === START ? load.tables : new Set([...own(entry), ...inherited]);
      changed ||= tables.size !== load.tables.size;
      load.tables = tables;
    }
  }
  return found;
}

/**
 * The end of a template literal's hole, and the templates within it.
 * @param {string} code
 * @param {number} from behind "${"
 * @param {string[]} found
 */
function endOfHole(code, from, found) {
  for (let at = from, depth = 1; at < code.length; at += 1) {
    if (code[at] === "{") depth += 1;
    else if (code[at] === "}" && (depth -= 1) === 0) return at + 1;
    else if (code[at] === "`") at = endOfTemplate(code, at + 1, found) - 1;
  }
  return code.length;
}

/**
 * @param {string} code
 * @param {number} from behind the template's first mark
 * @param {string[]} found gets the template, holes as NUL
 */
function endOfTemplate(code, from, found) {
  let text = "";
  let at = from;
  while (at < code.length && code[at] !== "`") {
    if (code.startsWith("${", at)) {
      text += "\0";
      at = endOfHole(code, at + 2, found);
    } else {
      if (code[at] === "\\") at += 1;
      text += code[at];
      at += 1;
    }
  }
  found.push(text);
  return at + 1;
}

/** The strings and templates of a module; holes are "\0". @param {string} name */
function literals(name) {
  const code = modules.get(name) ?? "";
  /** @type {string[]} */
  const found = [];
  // A regular expression may hold a quote.
  for (const match of code.matchAll(
    /"(?:[^"\\\n]|\\.)*"|`|(?<=[(,=:[!&|?{};\n]\s*)\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//g,
  )) {
    // A question's slot looks like a string's key.
    if (/\bask\($/.test(code.slice(Math.max(0, match.index - 8), match.index))) continue;
    if (match[0].startsWith('"')) found.push(match[0].slice(1, -1));
    else if (match[0] === "`") endOfTemplate(code, match.index + 1, found);
  }
  return found;
}

/**
 * What a module names of the tables' strings: keys, and patterns of keys that are put together. `prefixes` are the
 * first parts of
 * keys, by which they are known.
 * @param {string} name @param {Set<string>} prefixes
 * @returns {{ keys: string[], patterns: RegExp[] }}
 */
export function namedIn(name, prefixes) {
  const all = literals(name);
  const begins = (/** @type {string} */ text) => prefixes.has(text.split(".")[0]);
  const keys = all.filter((text) => /^[a-z]+(\.[\w-]+)+$/i.test(text) && begins(text));
  const templates = all.filter((text) => text.includes("\0") && /^[\w.\0-]+$/.test(text) && text.includes("."));
  const patterns = templates
    .filter((text) => text.startsWith("\0") || begins(text))
    .map(
      (text) =>
        new RegExp(`^${text.replaceAll(".", "\\.").replaceAll("\0", text.startsWith("\0") ? "[\\w.-]*" : "[\\w-]*")}$`),
    );
  return { keys, patterns };
}
