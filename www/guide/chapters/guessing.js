import { n, t } from "../../core/i18n/index.js";
import { bits, percent, showToken } from "../../inspect/label.js";
import { figure, logSumExp, numbers, oneOf, softmax } from "../maths.js";
import { at, bySurprise, known, probability, sign, tokenAt } from "./common.js";

/** @typedef {import("../types.js").Facts} Facts */

const WAYS = /** @type {const} */ (["more", "less", "same"]);

/**
 * The guesses for one place, best first, with what they were computed from; null while that is not there.
 * @param {Facts} facts
 */
function guesses({ next }) {
  if (!next || next.entries.length < 2) return null;
  const { logits } = next;
  const [top, second, third] = next.entries;
  return { next, logits, top, second, third, before: showToken(next.before), name: showToken(top.text) };
}

/** @type {import("../types.js").Chapter} */
export const guessing = {
  name: "guessing",
  steps: [
    {
      id: "odds",
      shows: { tab: "write", panel: "next" },
      targets: at("#inspect-panel .next-list"),
      needs: ["next"],
      code: { file: "shaders/score.wgsl", at: "let d = logits[start + i] - largest;", lines: 4 },
      say(facts) {
        const found = guesses(facts);
        if (!found) return null;
        const { logits, top, second, third, before, name } = found;
        const { claims } = facts;
        const [z, sum] = [logits[top.id], logSumExp(logits)];
        return {
          blanks: {
            before,
            top: name,
            p: percent(Math.exp(top.logprob)),
            second: showToken(second.text),
            p2: percent(Math.exp(second.logprob)),
            vocab: n(facts.info.vocabSize),
            after: claims?.guess.after ?? "",
            token: showToken(claims?.guess.token ?? ""),
            least: percent(claims?.guess.atLeast ?? 0),
          },
          formula: `p(${name}) = e^z / Σ e^z = e^(${figure(z)} − ${figure(sum)}) = ${percent(Math.exp(top.logprob))}`,
          choices: oneOf(
            name,
            [second, third].flatMap((entry) => (entry ? [showToken(entry.text)] : [])),
          ),
          note: claims ? "guide.guessing.odds.checked" : undefined,
        };
      },
    },
    {
      id: "surprise",
      variants: { one: ["ask", "why"] },
      shows: { tab: "write", panel: "surprise", surprise: true },
      targets: at(".card"),
      needs: [],
      code: { file: "shaders/score.wgsl", at: "let asked = select(", lines: 3 },
      say(facts) {
        const order = bySurprise(facts);
        const position = known(facts);
        const p = probability(facts, position);
        if (!order.length || Number.isNaN(p)) return null;
        const [most] = order;
        const others = [order[order.length >> 1], order[order.length - 1]];
        const pMost = probability(facts, most);
        return {
          blanks: {
            token: tokenAt(facts, position),
            most: tokenAt(facts, most),
            p: percent(pMost),
            bits: bits(-Math.log(pMost)),
          },
          formula: `−log₂ p(${tokenAt(facts, position)}) = −log₂ ${percent(p)} = ${bits(-Math.log(p))}`,
          // One token has no other to be told from.
          ...(order.length > 1
            ? {
                choices: oneOf(
                  tokenAt(facts, most),
                  others.map((other) => tokenAt(facts, other)),
                ),
              }
            : { choices: oneOf(bits(-Math.log(p)), [bits(-2 * Math.log(p)), bits(1)]), variant: "one" }),
        };
      },
    },
    {
      id: "temperature",
      shows: { tab: "write", panel: "next", unfold: ".desk .settings" },
      targets: at({ css: "#setting-temperature", up: ".control" }, ".next-settings", ".next-presets"),
      needs: ["next"],
      code: { file: "shaders/sample.wgsl", at: "// Penalty and temperature.", lines: 5 },
      say(facts) {
        const found = guesses(facts);
        if (!found) return null;
        const { logits, top, name } = found;
        const { temperature } = facts.settings;
        const half = temperature / 2;
        const [raw, now, later] = [1, temperature, half].map((one) => softmax(logits, one)[top.id]);
        const right = sign(later, now);
        return {
          blanks: { top: name, now: percent(now), halved: percent(later), temperature, half },
          formula: `p(${name}) ∝ e^(z / ${temperature}): ${percent(raw)} → ${percent(now)}`,
          choices: WAYS.map((way) => ({ label: t(`guide.way.${way}`), right: way === right })),
        };
      },
    },
    {
      id: "cut",
      shows: { tab: "write", panel: "next" },
      targets: at("#inspect-panel .next-facts"),
      needs: ["next"],
      code: { file: "shaders/sample.wgsl", at: "// Cut-offs.", lines: 12 },
      say(facts) {
        const found = guesses(facts);
        if (!found) return null;
        const { kept, keptMass, vocabSize } = found.next;
        return {
          blanks: { kept: n(kept), vocab: n(vocabSize), mass: percent(Math.min(1, keptMass)) },
          formula: `Σ p = ${percent(Math.min(1, keptMass))}`,
          choices: numbers(kept, [vocabSize, Math.round(vocabSize / 2)], n),
        };
      },
    },
    {
      id: "draw",
      shows: { tab: "write", panel: "next" },
      targets: at(".desk .primary"),
      needs: ["next"],
      code: { file: "shaders/sample.wgsl", at: "// The Gumbel-max trick.", lines: 12 },
      say(facts) {
        const found = guesses(facts);
        if (!found) return null;
        const { top, second, name, next, logits } = found;
        const { temperature } = facts.settings;
        const z = (/** @type {number} */ id) => figure(logits[id] / (temperature || 1));
        const chance = temperature ? " + g" : "";
        const raw = Math.exp(top.logprob);
        const drawn = percent(top.adjusted);
        return {
          blanks: { top: name, raw: percent(raw), drawn },
          formula: `argmax: ${name} ${z(top.id)}${chance}, ${showToken(second.text)} ${z(second.id)}${chance}, …`,
          choices: oneOf(drawn, [percent(raw), percent(1 / (next.kept + 1))]),
        };
      },
    },
  ],
};
