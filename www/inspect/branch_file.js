/** Branches as JSON and back. What is read comes from anywhere, and is checked. */
import { normalizeNewlines, textOf } from "../core/text.js";

/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("../engine/types.js").Token} Token */
/** @typedef {import("./branch_tree.js").Branch} Branch */

const FORMAT = "gpt-playground-branches";
/** In version 1 a token's rank counted from 0 and was called `rank`. */
const VERSION = 2;
/** More than this does not come from the page. */
const MOST_BRANCHES = 10_000;
/**
 * A file that is loaded may have so many branches, and so many runs and UTF-16 units in all of them together: each is
 * compared with many.
 */
export const MOST_LOADED = 2000;
const MOST_RUNS = 1_000_000;
const MOST_TEXT = 50_000_000;

/**
 * What the file keeps of a token: not the alternatives, which the model finds again. 1 is the rank of the likeliest, as
 * on the page.
 * @typedef {Omit<Token, "top" | "rank"> & { rank_from_1: number }} FileToken
 */
/**
 * Whether a file holds more than can be shown as a tree. A run stands in it once, however many branches have it.
 * @param {unknown} data
 */
export function isTooLarge(data) {
  const { runs, branches } = /** @type {any} */ (data ?? {});
  if (!Array.isArray(runs) || !Array.isArray(branches)) return false;
  let [count, text] = [0, 0];
  for (const row of branches) {
    const own = Array.isArray(row?.runs) ? row.runs : [];
    count += own.length;
    if (count > MOST_RUNS) return true;
    for (const place of own) text += String(runs[place]?.text ?? "").length;
    if (text > MOST_TEXT) return true;
  }
  return branches.length > MOST_LOADED;
}

/**
 * Every run once, as branches share them; a branch lists its runs by their place in `runs`, and has its text for who
 * reads the
 * file without the page.
 * @typedef {object} BranchFile
 * @property {string} format
 * @property {number} version
 * @property {string | null} current
 * @property {{ text: string, source: "user" | "model", token?: FileToken }[]} runs
 * @property {{ id: string, name: string, created: string, text: string, runs: number[] }[]} branches
 */

/** @param {readonly Branch[]} branches @param {string | null} current @returns {BranchFile} */
export function writeBranches(branches, current) {
  /** @type {Map<Run, number>} */
  const places = new Map();
  const place = (/** @type {Run} */ run) => {
    const known = places.get(run) ?? places.size;
    places.set(run, known);
    return known;
  };
  const rows = branches.map(({ id, name, created, runs, text }) => ({
    id,
    name,
    created: new Date(created).toISOString(),
    text,
    runs: runs.map(place),
  }));
  return { format: FORMAT, version: VERSION, current, runs: Array.from(places.keys(), writeRun), branches: rows };
}

/** @param {Run} run */
function writeRun({ text, source, token }) {
  if (!token) return { text, source };
  const { id, text: own, logprob, entropy, rank } = token;
  return { text, source, token: { id, text: own, logprob, entropy, rank_from_1: rank + 1 } };
}

/**
 * @param {unknown} data
 * @returns {{ branches: Branch[], current: string | null, removed: string[], unread: number } | null} `removed`: texts
 *   that were deleted;
 *   `unread`: how many branches are damaged; null where it is no such file
 */
export function readBranches(data) {
  const file = /** @type {any} */ (data);
  if (file?.format !== FORMAT || !(file.version >= 1 && file.version <= VERSION)) return null;
  if (!Array.isArray(file.runs) || !Array.isArray(file.branches) || file.branches.length > MOST_BRANCHES) return null;
  /** @type {(Run | null)[]} */
  const runs = file.runs.map(readRun);
  /** @type {Branch[]} */
  const branches = [];
  let unread = 0;
  for (const row of file.branches) {
    const own = Array.isArray(row?.runs) ? row.runs.map((/** @type {unknown} */ place) => runs[Number(place)]) : [null];
    if (own.some((/** @type {Run | null | undefined} */ run) => !run)) {
      unread += 1;
      continue;
    }
    const created = Date.parse(row.created);
    const text = textOf(own);
    if (text.trim() === "") continue;
    branches.push({
      id: typeof row.id === "string" && /^b\d{1,9}$/.test(row.id) ? row.id : "",
      name: typeof row.name === "string" ? row.name.slice(0, 200) : "",
      created: Number.isFinite(created) ? created : Date.now(),
      runs: own,
      text,
    });
  }
  const removed = (Array.isArray(file.removed) ? file.removed : []).filter(
    (/** @type {unknown} */ text) => typeof text === "string",
  );
  return { branches, current: typeof file.current === "string" ? file.current : null, removed, unread };
}

/** @param {any} run @returns {Run | null} */
function readRun(run) {
  if (typeof run?.text !== "string" || (run.source !== "user" && run.source !== "model")) return null;
  const text = normalizeNewlines(run.text);
  const token = readToken(run.token);
  return token ? { text, source: run.source, token } : { text, source: run.source };
}

/** @param {any} token @returns {Token | null} */
function readToken(token) {
  if (!isId(token?.id) || typeof token.text !== "string" || !Number.isFinite(token.logprob)) return null;
  return {
    id: token.id,
    text: token.text,
    logprob: token.logprob,
    entropy: Number.isFinite(token.entropy) ? token.entropy : 0,
    rank: rankOf(token),
    top: [],
  };
}

/** @param {any} token */
function rankOf({ rank_from_1: rank, rank: old }) {
  if (isId(rank)) return Math.max(0, rank - 1);
  return isId(old) ? old : 0;
}

/** @param {unknown} value */
function isId(value) {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;
}
