/** What several chapters point at and say. */
import { t } from "../../core/i18n/index.js";
import { showToken } from "../../inspect/label.js";

/** @typedef {import("../types.js").Facts} Facts */
/** @typedef {import("../types.js").Target} Target */

/** Lines of the Flow panel, by the tensor that they show. @param {string} tensor @returns {Target} */
export const flowLine = (tensor) => ({ css: "#inspect-panel .flow-tensor", text: tensor, up: ".flow-line" });

/** Where a step points, whatever is known: the first of these that can be seen. @param {...(string | Target)} all */
export const at = (...all) => {
  const targets = all.map((one) => (typeof one === "string" ? { css: one } : one));
  return () => targets;
};

/** What the token at a position shows as. @param {Facts} facts @param {number} position */
export const tokenAt = ({ tokens }, position) => showToken(tokens.texts[position] ?? "");

/** The first position of the user's own tokens. @param {Facts} facts */
export const firstOwn = ({ tokens }) => Number(tokens.bos);

/**
 * The probability of the token at a position; NaN where nothing stands before it.
 * @param {Facts} facts @param {number} position
 */
export const probability = ({ logprobs }, position) => (position > 0 ? Math.exp(logprobs[position - 1]) : NaN);

/** The text's tokens of which a probability is known, the least likely first. @param {Facts} facts */
export function bySurprise(facts) {
  const positions = facts.tokens.ids.map((_, position) => position).slice(Math.max(1, firstOwn(facts)));
  return positions
    .filter((position) => !Number.isNaN(probability(facts, position)))
    .sort((one, other) => probability(facts, one) - probability(facts, other));
}

/** The selected token, or where nothing stands before that, the text's last. @param {Facts} facts */
export const known = (facts) => (facts.selected > 0 ? facts.selected : facts.tokens.ids.length - 1);

/** The values of a tensor by its name. @param {Facts["block"]} answer @param {string} name */
export const tensor = (answer, name) => answer?.tensors.find((one) => one.name === name)?.values;

/** The layer that is shown, or the first where the mean of all is. @param {Facts | null} facts */
export const layerOf = (facts) => facts?.layer ?? 0;

/**
 * The selected token's row of the table of tokens; a large table has several parts, of which the last sum counts.
 * @param {Facts} facts
 */
export const tokenRow = ({ outside }) => outside?.tensors.filter(({ name }) => name.startsWith("wte.")).at(-1)?.values;

/** @param {boolean} yes @returns {import("../types.js").Choice[]} */
export const yesOrNo = (yes) => [
  { label: t("guide.yes"), right: yes },
  { label: t("guide.no"), right: !yes },
];

/** How one number stands to another. @param {number} value @param {number} other */
export const sign = (value, other) => (Math.abs(value - other) < 1e-9 ? "same" : value > other ? "more" : "less");
