/** Attention as files. Free of the DOM. */

import { toCsv } from "../../save.js";
import { columnStrongest, rowStrongest, share, shownRow } from "./data.js";

/** @typedef {import("./data.js").Matrix} Matrix */

/** Larger matrices are saved row by row, not at once: writing a million numbers would hold up the page. */
export const WHOLE_SIZE = 256;

/** Six digits are what 32 bits carry. @param {number} value */
const digits = (value) => (value === 0 ? 0 : Number(value.toPrecision(6)));

/**
 * Position, from 1 as on the page, and text, so that equal tokens stay apart.
 * @param {string[]} texts
 * @param {number} at
 */
const heading = (texts, at) => `${at + 1} ${texts[at] ?? ""}`;

/**
 * The whole matrix as CSV, one row a query.
 * @param {Matrix} matrix @param {string[]} texts @param {boolean} ignoreFirst
 */
export function matrixCsv(matrix, texts, ignoreFirst) {
  return [...matrixCsvParts(matrix, texts, ignoreFirst)].join("");
}

/**
 * The same in parts, so that the page can do other things in between.
 * @param {Matrix} matrix @param {string[]} texts @param {boolean} ignoreFirst
 */
export function* matrixCsvParts(matrix, texts, ignoreFirst) {
  yield toCsv(["query_from_1 \\ key_from_1", ...Array.from({ length: matrix.size }, (_, k) => heading(texts, k))], []);
  for (let q = 0; q < matrix.size; q += 1) {
    const row = shownRow(matrix, q, ignoreFirst);
    yield toCsv(
      [heading(texts, q), ...Array.from({ length: matrix.size }, (_, k) => (k <= q ? String(digits(row[k])) : "0"))],
      [],
    );
  }
}

/**
 * One token's row and column as CSV.
 * @param {Matrix} matrix @param {string[]} texts @param {number} at @param {boolean} ignoreFirst
 */
export function tokenCsv(matrix, texts, at, ignoreFirst) {
  const row = shownRow(matrix, at, ignoreFirst);
  return toCsv(
    ["position_from_1", "token", "looks at", "is looked at by"],
    Array.from({ length: matrix.size }, (_, other) => [
      other + 1,
      texts[other] ?? "",
      other <= at ? digits(row[other]) : 0,
      other >= at ? digits(share(matrix, other, at, ignoreFirst)) : 0,
    ]),
  );
}

/**
 * @param {Matrix} matrix @param {string[]} texts @param {number} at the selected token
 * @param {{ kind: string, layer: number, head: number, ignoreFirst: boolean }} about
 */
export function attentionJson(matrix, texts, at, about) {
  const { ignoreFirst } = about;
  const whole = matrix.size <= WHOLE_SIZE;
  const strongest = (/** @type {{ position: number, value: number }[]} */ list) =>
    list.map(({ position, value }) => ({ position_from_1: position + 1, share: digits(value) }));
  return {
    ...about,
    tokens: texts.slice(0, matrix.size),
    selected: {
      position_from_1: at + 1,
      looksAt: strongest(rowStrongest(matrix, at, matrix.size, ignoreFirst)),
      isLookedAtBy: strongest(columnStrongest(matrix, at, matrix.size, ignoreFirst)),
    },
    // Row q has keys 0 to q: the rest is zero.
    matrix: whole
      ? Array.from({ length: matrix.size }, (_, q) => Array.from(shownRow(matrix, q, ignoreFirst), digits))
      : null,
  };
}
