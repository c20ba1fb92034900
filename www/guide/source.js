/** Lines of the program's own sources, which ship as text, and where the whole file can be read. */
import { REPOSITORY } from "../core/site.js";

/** @typedef {import("./types.js").Step["code"]} Code */
/** @typedef {{ first: number, lines: string[] }} Excerpt `first` counts from 1 */

/**
 * The lines that a marker begins. It stands for the place, not a number: code moves.
 * @param {string} text @param {Pick<Code, "at" | "lines">} code
 * @returns {Excerpt} without lines where the marker is not there, or more than once
 */
export function excerptOf(text, { at, lines }) {
  const all = text.split("\n");
  const found = all.flatMap((line, index) => (line.includes(at) ? [index] : []));
  if (found.length !== 1) return { first: 0, lines: [] };
  const cut = all.slice(found[0], found[0] + lines);
  const indent = Math.min(...cut.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length));
  return { first: found[0] + 1, lines: cut.map((line) => line.slice(indent)) };
}

/** The address of a line in the repository; "" where the page was built without its address. */
export function repositoryLink(/** @type {string} */ file, /** @type {number} */ line, repository = REPOSITORY) {
  return repository ? `${repository.replace(/\/+$/, "")}/blob/HEAD/${file}#L${line}` : "";
}

/**
 * Fetches shipped sources, each once.
 * @param {(path: string) => Promise<string>} fetchText of a file that came with the page, by its path below `www/`
 * @returns {(file: string) => Promise<string>} by its path from the repository's root
 */
export function sources(fetchText) {
  /** @type {Map<string, Promise<string>>} */
  const texts = new Map();
  return (file) => {
    const known = texts.get(file);
    if (known) return known;
    const text = fetchText(`../${file}`);
    // It can be tried again.
    text.catch(() => texts.delete(file));
    texts.set(file, text);
    return text;
  };
}
