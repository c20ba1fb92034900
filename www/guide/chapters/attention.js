import { n } from "../../core/i18n/index.js";
import { percent } from "../../inspect/label.js";
import { figure, habit, numbers, oneOf, share, strongestHead } from "../maths.js";
import { at, known, tokenAt } from "./common.js";

/** @typedef {import("../types.js").Facts} Facts */
/** @typedef {import("../types.js").HeadKind} HeadKind */

const SHOWN = /** @type {const} */ ({ tab: "write", panel: "attention", mode: "map" });

/**
 * A token with its number, since a text has the same token more than once.
 * @param {Facts} facts @param {number} position
 */
const numbered = (facts, position) => `${tokenAt(facts, position)} (${n(position + 1)})`;

/**
 * The head that a chapter looks at: the model's own example, or the one that the text shows.
 * @param {Facts} facts @param {HeadKind} kind
 */
export function headFor({ claims, heads }, kind) {
  if (claims) return claims.heads[kind];
  return heads ? strongestHead(heads, kind) : null;
}

/**
 * What is said of the head that is shown, and whether it was checked or found: nothing of one that the user chose.
 * @param {Facts} facts @param {HeadKind} kind
 */
function noteOn(facts, kind) {
  const { claims, layer, head } = facts;
  const example = headFor(facts, kind);
  if (example?.layer !== layer || example.head !== head) return undefined;
  return claims ? `guide.attention.${kind}.checked` : `guide.attention.${kind}.found`;
}

/**
 * One of the two habits of heads, in the head that is shown.
 * @param {Facts} facts @param {HeadKind} kind
 * @returns {import("../types.js").Said | null}
 */
function sayHabit(facts, kind) {
  const { attention, info, layer, head, claims } = facts;
  if (!attention || attention.size < 2) return null;
  const position = Math.min(known(facts), attention.size - 1);
  const key = kind === "first" ? 0 : position - 1;
  const value = share(attention, position, key);
  const others = [
    share(attention, position, position),
    share(attention, position, kind === "first" ? position - 1 : 0),
  ];
  const mean = habit(attention, kind);
  const counted = Math.max(0, attention.size - 2);
  return {
    blanks: {
      token: numbered(facts, position),
      key: numbered(facts, key),
      value: percent(value),
      mean: percent(mean),
      layer: n(layer),
      head: n(head),
      all: n(info.nLayer * info.nHead),
      least: percent(claims?.heads[kind].atLeast ?? 0),
    },
    formula: counted ? `(1 / ${n(counted)}) Σ a(t, ${kind === "first" ? "1" : "t − 1"}) = ${percent(mean)}` : "",
    choices: oneOf(percent(value), [...others.map(percent), percent(1 / info.nHead)].slice(0, 3)),
    note: noteOn(facts, kind),
  };
}

/** @type {import("../types.js").Chapter} */
export const attention = {
  name: "attention",
  steps: [
    {
      id: "heads",
      shows: SHOWN,
      targets: at("#inspect-panel .attention-grid .attention-stack", "#inspect-panel .attention-grid"),
      needs: [],
      code: { file: "src/model/gpt.rs", at: "fn attention(&mut self, layer: usize", lines: 4 },
      say({ info }) {
        const { nLayer, nHead, nEmbd } = info;
        return {
          blanks: { layers: n(nLayer), heads: n(nHead), all: n(nLayer * nHead), width: n(nEmbd / nHead) },
          formula: `${n(nEmbd)} / ${n(nHead)} = ${n(nEmbd / nHead)}`,
          choices: numbers(nLayer * nHead, [nLayer + nHead, nLayer * (nHead + 1)], n),
        };
      },
    },
    {
      id: "scores",
      shows: { ...SHOWN, head: "previous" },
      targets: at("#inspect-panel .attention-lists"),
      needs: ["attention", "block"],
      code: { file: "shaders/attention_probs.wgsl", at: "fn score(head: u32", lines: 5 },
      say(facts) {
        const { attention: matrix, block, info, layer, head } = facts;
        if (!matrix || !block?.attention) return null;
        const position = Math.min(facts.selected, matrix.size - 1);
        const row = Array.from({ length: position + 1 }, (_, key) => ({ key, value: share(matrix, position, key) }));
        row.sort((one, other) => other.value - one.value);
        const [top] = row;
        const { keys, scores } = block.attention;
        const q = head < 0 ? "" : `q·k / √${n(info.nEmbd / info.nHead)} = ${figure(scores[head * keys + top.key])} → `;
        const labels = row.slice(1, 3).map(({ key }) => numbered(facts, key));
        // Alone, the first token can look at itself only.
        if (!labels.length) labels.push("–");
        return {
          blanks: {
            token: tokenAt(facts, position),
            top: numbered(facts, top.key),
            p: percent(top.value),
            layer: n(layer),
            head: head < 0 ? "–" : n(head),
          },
          formula: `${q}softmax = ${percent(top.value)}`,
          choices: oneOf(numbered(facts, top.key), labels),
        };
      },
    },
    {
      id: "past",
      shows: SHOWN,
      targets: at("#inspect-panel .attention-views"),
      needs: [],
      code: { file: "shaders/attention_probs.wgsl", at: "let seen = select(0u, t + 1u, valid);", lines: 1 },
      say(facts) {
        const count = facts.tokens.ids.length;
        const seen = facts.selected + 1;
        return {
          blanks: {
            token: tokenAt(facts, facts.selected),
            seen: n(seen),
            before: n(seen - 1),
            later: n(count - seen),
            count: n(count),
          },
          formula: `${n(count)} · (${n(count)} + 1) / 2 = ${n((count * (count + 1)) / 2)}`,
          choices: numbers(seen, [seen - 1, count - seen, count], n),
        };
      },
    },
    {
      id: "previous",
      shows: { ...SHOWN, head: "previous" },
      targets: at("#inspect-panel .attention-views"),
      needs: ["attention", "heads"],
      code: { file: "shaders/attention_probs.wgsl", at: "let s = score(head, t, j);", lines: 3 },
      say: (facts) => sayHabit(facts, "previous"),
    },
    {
      id: "first",
      shows: { ...SHOWN, head: "first" },
      targets: at({ css: "#attention-ignore", up: ".attention-choice" }, "#inspect-panel .attention-views"),
      needs: ["attention", "heads"],
      code: { file: "shaders/attention.wgsl", at: "acc[i] = acc[i] * correction", lines: 3 },
      say: (facts) => sayHabit(facts, "first"),
    },
  ],
};
