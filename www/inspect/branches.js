/** All continuations of a text: what was written stays, whichever way one went. Knows no DOM. */
import { PageError } from "../core/errors.js";
import { textOf } from "../core/text.js";
import { readBranches, writeBranches } from "./branch_file.js";
import { figuresOf, sliceRuns, treeOf } from "./branch_tree.js";

/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("./branch_tree.js").Branch} Branch */
/** @typedef {import("./branch_tree.js").TreeNode} TreeNode */

/** Longer names are cut. */
export const NAME_LENGTH = 80;
/** So many deleted texts are remembered over a reload: only what can still come back onto the paper matters. */
const MOST_REMOVED = 100;

export class Branches {
  constructor() {
    /** @type {Map<string, Branch>} */
    this.leaves = new Map();
    /** The branch that was recorded last: growing from its end makes it longer. @type {string | null} */
    this.current = null;
    /**
     * Texts that were deleted: recording them again, while they still stand on the paper, does not bring them back.
     * @type {Set<string>}
     */
    this.removed = new Set();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.made = 0;
  }

  /** How many branches there are. */
  get size() {
    return this.leaves.size;
  }

  /**
   * Calls `listener` after every change.
   * @param {() => void} listener
   * @returns {() => void} ends that
   */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed() {
    for (const listener of [...this.listeners]) listener();
  }

  /** @returns {Branch[]} oldest first */
  list() {
    return [...this.leaves.values()];
  }

  /** @param {string} id @returns {readonly Run[] | null} */
  get(id) {
    return this.leaves.get(id)?.runs ?? null;
  }

  /** @returns {TreeNode | null} null without branches */
  tree() {
    return treeOf(this.list());
  }

  /**
   * Keeps the text as it is now: to be called when a generation has ended and before a text gives way to another. A
   * text that
   * is here already, or that a longer one contains, makes no new branch; one that only went on from the end of a branch
   * (the
   * present one first) makes that branch longer.
   * @param {readonly Run[]} runs
   * @returns {string | null} the branch, or null where there is none of its own
   */
  record(runs) {
    const text = textOf(runs);
    if (text.trim() === "" || this.removed.has(text)) return this.setCurrent(null);
    const here = this.current === null ? undefined : this.leaves.get(this.current);
    const others = this.list()
      .filter((leaf) => leaf !== here)
      .sort((a, b) => b.text.length - a.text.length);
    const known = here ? [here, ...others] : others;
    const same = known.find((leaf) => leaf.text === text);
    if (same) {
      if (figuresOf(runs).tokens > figuresOf(same.runs).tokens) this.leaves.set(same.id, { ...same, runs });
      return this.setCurrent(same.id);
    }
    if (known.some((leaf) => leaf.text.startsWith(text))) return this.setCurrent(null);
    const shorter = known.find((leaf) => text.startsWith(leaf.text));
    if (shorter) this.leaves.set(shorter.id, { ...shorter, runs: grown(shorter, runs), text });
    const id = shorter ? shorter.id : this.add({ id: "", name: "", created: Date.now(), runs, text });
    this.current = id;
    this.changed();
    return id;
  }

  /** @param {string | null} id */
  setCurrent(id) {
    if (id !== this.current) {
      this.current = id;
      this.changed();
    }
    return id;
  }

  /** Under its own id if that is free. @param {Branch} branch */
  add(branch) {
    let { id } = branch;
    while (!id || this.leaves.has(id)) id = `b${++this.made}`;
    this.leaves.set(id, { ...branch, id });
    return id;
  }

  /** @param {string} id @param {string} name "" for none */
  rename(id, name) {
    const leaf = this.leaves.get(id);
    const short = Array.from(name.trim().replace(/\s+/g, " ")).slice(0, NAME_LENGTH).join("");
    if (!leaf || leaf.name === short) return;
    this.leaves.set(id, { ...leaf, name: short });
    this.changed();
  }

  /**
   * Takes a branch out of the tree. What stands on the paper stays there.
   * @param {string} id
   * @returns {() => void} puts it back where it was
   */
  remove(id) {
    const leaf = this.leaves.get(id);
    if (!leaf) return () => {};
    const before = [...this.leaves.keys()];
    const wasCurrent = this.current === id;
    this.leaves.delete(id);
    this.removed.add(leaf.text);
    if (wasCurrent) this.current = null;
    this.changed();
    return () => {
      if (!this.removed.delete(leaf.text)) return;
      const present = this.leaves;
      if ([...present.values()].some(({ text }) => text === leaf.text)) return this.changed();
      present.set(id, leaf);
      // The order in which branches were made is the order in which they show.
      const order = [
        ...before.filter((key) => present.has(key)),
        ...[...present.keys()].filter((key) => !before.includes(key)),
      ];
      this.leaves = new Map(order.map((key) => [key, /** @type {Branch} */ (present.get(key))]));
      if (wasCurrent && this.current === null) this.current = id;
      this.changed();
    };
  }

  /** Everything, for a file. */
  toFile() {
    return writeBranches(this.list(), this.current);
  }

  /** For keeping it over a reload: a deleted branch whose text comes back with the paper stays deleted. */
  toJSON() {
    return { ...this.toFile(), removed: [...this.removed].slice(-MOST_REMOVED) };
  }

  /**
   * Adds the branches of a file. One whose text is here already gives it its name and tokens, where those are missing.
   * @param {unknown} data what `toFile` or `toJSON` gave, read back by JSON.parse
   * @returns {number} how many are new
   * @throws {PageError} where it is something else, or damaged; nothing is added then
   */
  fromJSON(data) {
    const read = readBranches(data);
    if (!read || read.unread) throw new PageError("inspect.badBranches");
    return this.addAll(read);
  }

  /**
   * Adds what was kept over a reload.
   * @param {unknown} data
   * @returns {boolean} false where not all of it could be read
   */
  restore(data) {
    const read = readBranches(data);
    if (read) this.addAll(read);
    return read?.unread === 0;
  }

  /** @param {NonNullable<ReturnType<typeof readBranches>>} read */
  addAll(read) {
    const empty = this.size === 0;
    const byText = new Map(this.list().map((leaf) => [leaf.text, leaf]));
    for (const text of read.removed) if (!byText.has(text)) this.removed.add(text);
    let added = 0;
    for (const branch of read.branches) {
      const same = byText.get(branch.text);
      this.removed.delete(branch.text);
      if (!same) {
        const id = this.add(branch);
        byText.set(branch.text, { ...branch, id });
        if (empty && branch.id === read.current) this.current = id;
        added += 1;
      } else {
        const runs = figuresOf(branch.runs).tokens > figuresOf(same.runs).tokens ? branch.runs : same.runs;
        this.leaves.set(same.id, { ...same, name: same.name || branch.name, runs });
      }
    }
    this.changed();
    return added;
  }
}

/**
 * A branch that became longer. Where the text was restored without its tokens, those that the branch knows stay.
 * @param {Branch} branch @param {readonly Run[]} runs
 */
function grown(branch, runs) {
  const before = sliceRuns(runs, 0, branch.text.length);
  if (figuresOf(before).tokens >= figuresOf(branch.runs).tokens) return runs;
  return [...branch.runs, ...sliceRuns(runs, branch.text.length)];
}
