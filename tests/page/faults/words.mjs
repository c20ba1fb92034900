// @ts-check
// What no sentence on the page may hold: a browser's own words, an injected error's, a key of the tables.
import { MARK } from "./injector.mjs";

const RAW = [
  new RegExp(MARK, "i"),
  /Failed to (fetch|execute|load)|NetworkError|Load failed|network error/i,
  /\b(TypeError|RangeError|DOMException|\w+Error):/,
  /\b(Quota|NotAllowed|NotFound|NotReadable|InvalidState|Operation|Security|DataClone|Abort|Unknown)\w*Error\b/,
  /\bundefined\b|\bNaN\b|\[object |is not a function|is not defined|null \(/,
  /dynamically imported module/i,
  // A key stands where its table is not there.
  /\b(error|message|train|saved|action|load|models|inspect|live|status)\.[a-zA-Z]+/,
];

/** The first of it in a message, "" where there is none. @param {string} text */
export const rawWords = (text) => RAW.map((pattern) => pattern.exec(text)?.[0]).find(Boolean) ?? "";
