/** The tree of branches as rows to draw and to walk. Free of the DOM. */

/** @typedef {import("../../branch_tree.js").TreeNode} TreeNode */

/** With more branches than this, only the upper levels are open at first. */
const MANY_BRANCHES = 60;
const OPEN_LEVELS = 2;
/** Longest beginning of a word that is shown before the place where branches part within it. */
const LEAD = 24;

/**
 * A node that can be seen. `lead`: how the word begins that the node goes on with.
 * @typedef {{ node: TreeNode, parent: string | null, level: number, open: boolean, lead: string, place: number,
 *   siblings: number }} TreeRow
 */

/**
 * @param {TreeNode | null} tree
 * @param {ReadonlyMap<string, boolean>} folds what the user opened (true) and closed
 * @param {string | null} [first] id of the beginning that comes first; the others keep their order
 * @returns {TreeRow[]} from the top down; a root without text is left out
 */
export function treeRows(tree, folds, first = null) {
  /** @type {TreeRow[]} */
  const rows = [];
  if (!tree) return rows;
  const few = tree.branches <= MANY_BRANCHES;
  /** @type {(nodes: TreeNode[], above: TreeNode | null, level: number) => void} */
  const visit = (nodes, above, level) =>
    nodes.forEach((node, index) => {
      const open = node.children.length > 0 && (folds.get(node.id) ?? (few || level <= OPEN_LEVELS));
      rows.push({
        node,
        parent: above?.id ?? null,
        level,
        open,
        lead: leadOf(above?.text ?? "", node.text),
        place: index + 1,
        siblings: nodes.length,
      });
      if (open) visit(node.children, node, level + 1);
    });
  const roots = rootsOf(tree);
  visit([...roots.filter(({ id }) => id === first), ...roots.filter(({ id }) => id !== first)], null, 1);
  return rows;
}

/** The different beginnings of all branches. @param {TreeNode | null} tree */
export function rootsOf(tree) {
  return !tree ? [] : tree.text ? [tree] : tree.children;
}

/**
 * The beginning that the paper's text has too, or null.
 * @param {TreeNode | null} tree @param {string} text
 */
export function rootOf(tree, text) {
  const found =
    text === "" ? undefined : rootsOf(tree).find((root) => text.startsWith(root.text) || root.text.startsWith(text));
  return found?.id ?? null;
}

/**
 * The branch that stands on the paper: the one that has its text, or, while the model writes, the one that it goes on
 * from.
 * @param {Iterable<import("../../branch_tree.js").Branch>} branches
 * @param {string | null} last the one that was recorded last
 * @param {{ text: string, writing: boolean } | null} paper
 * @returns {string | null}
 */
export function onPaper(branches, last, paper) {
  if (!paper) return null;
  const { text, writing } = paper;
  let found = null;
  for (const branch of branches) {
    const here = branch.text === text || (writing && branch.id === last && text.startsWith(branch.text));
    if (here && (found === null || branch.id === last)) found = branch.id;
  }
  return found;
}

/**
 * Branches with their numbers: many begin with the same word.
 * @param {ReadonlyMap<string, string>} names
 * @returns {Map<string, string>}
 */
export function numbered(names) {
  return new Map([...names].map(([id, name], at) => [id, `${at + 1} · ${name}`]));
}

/** A shorter piece says too little of its branch. */
const ENOUGH = 12;
/** So much of what stands before it is then said too. */
const CONTEXT = 24;

/**
 * What a branch is called by: how its own part begins, and where that is short, what it stands after.
 * @param {string} text of the whole branch @param {string} own its own part, at the end @param {number} most characters
 */
export function pieceName(text, own, most) {
  const piece = oneLine(own);
  const start = text.length - own.length;
  // Without the first word, of which a part may be missing.
  const rest = text.slice(Math.max(0, start - CONTEXT), start);
  const before =
    start > CONTEXT ? rest.replace(/^[\p{L}\p{N}\p{M}'’-]+/u, (word) => (NO_SPACES.test(word) ? word : "")) : rest;
  const lead = leadOf(text.slice(0, start), own);
  if (Array.from(piece).length >= ENOUGH || start === 0) return shortenWords(`${lead}${lead ? own : piece}`, most);
  return `${start > CONTEXT ? "…" : ""}${shortenWords(oneLine(`${before}${own}`), most)}`;
}

/** A letter, a digit or what stands inside of words, in scripts that put spaces between words. */
const IN_WORD = /[\p{L}\p{N}\p{M}'’-]/u;
const NO_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
/** A word longer than this may be cut. */
const LONG_WORD = 20;

/** @param {string | undefined} character */
function inWord(character) {
  return character !== undefined && IN_WORD.test(character) && !NO_SPACES.test(character);
}

/**
 * The nearest place, not after `at`, that is not inside of a word.
 * @param {readonly string[]} characters @param {number} at
 */
function before(characters, at) {
  let end = at;
  while (end > 0 && at - end < LONG_WORD && inWord(characters[end - 1]) && inWord(characters[end])) end -= 1;
  return end > 0 && at - end < LONG_WORD ? end : at;
}

/**
 * At most `most` characters of a text and "…" where something was left out; no word is cut, but for one that is very
 * long.
 * @param {string} text @param {number} most
 */
export function shortenWords(text, most) {
  const characters = Array.from(text.slice(0, 2 * most + 2));
  if (characters.length <= most) return text;
  return `${characters
    .slice(0, before(characters, most - 1))
    .join("")
    .trimEnd()}…`;
}

/**
 * The beginning of a word that branches share, where they part within it. Scripts that put no spaces between words have
 * none.
 * @param {string} before @param {string} after
 */
export function leadOf(before, after) {
  if (!/^[\p{L}\p{N}\p{M}'’-]/u.test(after)) return "";
  const word = /[\p{L}\p{N}\p{M}'’-]+$/u.exec(before.slice(-LEAD))?.[0] ?? "";
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(word) ? "" : word;
}

/**
 * What a key does in a tree, as the ARIA practices have it.
 * @param {readonly TreeRow[]} rows @param {string} id of the row with the focus @param {string} key
 * @returns {{ focus?: string, fold?: [id: string, open: boolean] } | null} null where the key does nothing
 */
export function walkTree(rows, id, key) {
  const at = rows.findIndex(({ node }) => node.id === id);
  if (at < 0) return null;
  const { node, parent, open } = rows[at];
  const to = (/** @type {number} */ index) => ({ focus: rows[Math.min(rows.length - 1, Math.max(0, index))].node.id });
  switch (key) {
    case "ArrowDown":
      return to(at + 1);
    case "ArrowUp":
      return to(at - 1);
    case "Home":
      return to(0);
    case "End":
      return to(rows.length - 1);
    case "ArrowRight":
      if (!node.children.length) return null;
      return open ? to(at + 1) : { fold: [id, true] };
    case "ArrowLeft":
      if (open) return { fold: [id, false] };
      return parent === null ? null : { focus: parent };
    default:
      return null;
  }
}

/**
 * A text in one line.
 * @param {string} text
 */
export function oneLine(text) {
  return text
    .replace(/\s*\n\s*/g, " ⏎ ")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * The beginning of a long text and its end, where branches part.
 * @param {string} text @param {number} head @param {number} tail in characters
 */
export function headAndTail(text, head, tail) {
  const characters = Array.from(oneLine(text));
  if (characters.length <= head + tail + 3) return characters.join("");
  let from = characters.length - tail;
  const latest = Math.min(characters.length - 1, from + LONG_WORD);
  while (from < latest && inWord(characters[from - 1]) && inWord(characters[from])) from += 1;
  if (from === latest) from = characters.length - tail;
  return `${characters.slice(0, before(characters, head)).join("").trimEnd()} … ${characters.slice(from).join("").trimStart()}`;
}

/**
 * Every branch's own part: what it does not share.
 * @param {TreeNode | null} tree
 * @returns {Map<string, { lead: string, text: string }>}
 */
export function ownParts(tree) {
  /** @type {Map<string, { lead: string, text: string }>} */
  const parts = new Map();
  const visit = (/** @type {TreeNode} */ node, /** @type {string} */ before) => {
    if (node.branch) parts.set(node.branch, { lead: leadOf(before, node.text), text: node.text });
    for (const child of node.children) visit(child, node.text);
  };
  if (tree) visit(tree, "");
  return parts;
}

/**
 * The node that a branch ends with.
 * @param {TreeNode | null} tree
 * @param {string | null} branch
 * @returns {TreeNode | null}
 */
export function nodeOf(tree, branch) {
  if (!tree || branch === null) return null;
  if (tree.branch === branch) return tree;
  for (const child of tree.children) {
    const found = nodeOf(child, branch);
    if (found) return found;
  }
  return null;
}

export const TREE_CSV = ["branch", "name", "created", "text", "tokens_by_model", "mean_logprob_nats"];
