// @ts-check
// The engine's answers about one token of the shipped model, as the way of the data takes them.
import { readFileSync } from "node:fs";
import { registerStrings } from "../../www/core/i18n/index.js";
import { DEFAULT_SETTINGS } from "../../www/core/settings.js";
import { readFlow } from "../../www/inspect/panels/flow/graph.js";
import { flowEn } from "../../www/inspect/panels/flow/words.en.js";
import { flowZh } from "../../www/inspect/panels/flow/words.zh.js";

registerStrings(flowEn, flowZh);
export const recorded = JSON.parse(readFileSync(new URL("recorded/flow.json", import.meta.url), "utf8"));

/** Everything known of the recorded token. @returns {import("../../www/inspect/panels/flow/detail.js").Known} */
export function known() {
  const floats = (/** @type {number[]} */ values) => Float32Array.from(values);
  const tensors = new Map(
    [...recorded.outside.tensors, ...recorded.values.tensors].map((/** @type {any} */ { name, values }) => [
      name,
      floats(values),
    ]),
  );
  const { heads, keys, scores, probs } = recorded.values.attention;
  return /** @type {any} */ ({
    subject: {
      version: 1,
      selected: recorded.ids.length - 1,
      tokens: recorded.tokens,
      info: { nEmbd: 160, nHead: 5, nLayer: 5, nCtx: 256, vocabSize: 2048 },
    },
    flow: readFlow(recorded.flow),
    tensors,
    attention: new Map([[2, { heads, keys, scores: floats(scores), probs: floats(probs) }]]),
    next: recorded.next,
    settings: DEFAULT_SETTINGS,
    off: [],
    head: -1,
  });
}
