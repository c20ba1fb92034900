import { n, t } from "../../core/i18n/index.js";
import { finePercent, percent, showToken } from "../../inspect/label.js";
import { figure, norm, numbers, oneOf, spread } from "../maths.js";
import { at, flowLine, layerOf, tensor, tokenAt } from "./common.js";

/** @typedef {import("../types.js").Facts} Facts */

const FLOW = /** @type {const} */ ({ tab: "write", panel: "flow" });
const LENS = /** @type {const} */ ({ tab: "write", panel: "lens" });
const NO_TOKEN = 0xffffffff;

/** What a level of the lens is called: 0 is the embedding, then come the layers. @param {number} level */
const levelName = (level) => (level === 0 ? t("guide.level.embedding") : t("guide.level", { layer: n(level - 1) }));

/** The final answer at each level: its probability and rank (0 is the likeliest). @param {Facts} facts */
function climb({ lens }) {
  if (!lens || lens.targets[0] === NO_TOKEN) return null;
  const [id] = lens.targets;
  const levels = Array.from({ length: lens.levels }, (_, level) => ({
    p: Math.exp(lens.logprob[level * lens.rows]),
    rank: lens.rank[level * lens.rows],
  }));
  const text = lens.texts.find(([one]) => one === id)?.[1] ?? `#${id}`;
  return { answer: showToken(text), levels };
}

/** @type {import("../types.js").Chapter} */
export const layers = {
  name: "layers",
  steps: [
    {
      id: "stream",
      shows: FLOW,
      targets: (facts) => [flowLine(`h.${layerOf(facts)}.mid`), { css: "#inspect-panel .flow-line:nth-child(4)" }],
      needs: ["block"],
      code: { file: "src/model/gpt.rs", at: "NormPosition::Pre => {", lines: 8 },
      say(facts) {
        const { layer } = facts;
        const [mid, out, attended, thought] = ["mid", "", "attn.proj", "mlp.proj"].map((name) =>
          tensor(facts.block, name ? `h.${layer}.${name}` : `h.${layer}`),
        );
        if (!mid || !out || !attended || !thought) return null;
        const [a, m] = [norm(attended), norm(thought)];
        const names = [t("guide.attention"), t("guide.mlp")];
        return {
          blanks: { token: tokenAt(facts, facts.selected), layer: n(layer), a: figure(a), m: figure(m) },
          formula: `x ← x + attention(x), x ← x + MLP(x): ‖x‖ = ${figure(norm(mid))}, ${figure(norm(out))}`,
          choices: oneOf(names[a > m ? 0 : 1], names),
        };
      },
    },
    {
      id: "norm",
      shows: FLOW,
      targets: (facts) => [flowLine(`h.${layerOf(facts)}.ln_2`), { css: "#inspect-panel .flow-line:nth-child(4)" }],
      needs: ["block"],
      code: { file: "shaders/layer_norm.wgsl", at: "let mean = row_mean(start, local.x);", lines: 7 },
      say(facts) {
        const before = tensor(facts.block, `h.${facts.layer}.mid`);
        if (!before) return null;
        const { mean, deviation } = spread(before);
        const d = figure(deviation);
        return {
          blanks: { layer: n(facts.layer), mean: figure(mean), deviation: d },
          formula: `(x − ${figure(mean)}) / σ · γ + β`,
          choices: oneOf(
            d,
            [figure(1), figure(deviation * 10)].filter((one) => one !== d),
          ),
        };
      },
    },
    {
      id: "mlp",
      shows: FLOW,
      targets: (facts) => [flowLine(`h.${layerOf(facts)}.mlp.act`), { css: "#inspect-panel .flow-line:nth-child(4)" }],
      needs: ["block"],
      code: { file: "shaders/common/activation.wgsl", at: "fn activate4(", lines: 6 },
      say(facts) {
        const units = tensor(facts.block, `h.${facts.layer}.mlp.act`);
        if (!units) return null;
        const active = units.reduce((count, unit) => count + Number(unit > 0), 0);
        const [width, inner] = [facts.info.nEmbd, units.length];
        return {
          blanks: {
            token: tokenAt(facts, facts.selected),
            layer: n(facts.layer),
            width: n(width),
            inner: n(inner),
            active: n(active),
            share: percent(active / inner),
          },
          formula: `${n(width)} → ${n(inner)} → ${n(width)}`,
          choices: numbers(active, [inner, inner >> 1], n),
        };
      },
    },
    {
      id: "lens",
      shows: LENS,
      targets: at("#inspect-panel .lens-words", "#inspect-panel .lens-grid"),
      needs: ["lens"],
      code: { file: "src/model/gpt.rs", at: "fn head(&mut self, mut x: TensorId", lines: 8 },
      say(facts) {
        const found = climb(facts);
        if (!found) return null;
        const { answer, levels } = found;
        const last = levels.length - 1;
        let settled = last;
        while (settled > 0 && levels[settled - 1].rank === 0) settled -= 1;
        const others = [0, last, last - 1, 1].filter((level) => level >= 0 && level !== settled).slice(0, 2);
        return {
          blanks: { token: tokenAt(facts, facts.selected), answer, level: levelName(settled), layers: n(last) },
          formula: `softmax(LN(x) · Wᵀ): p(${answer}) = ${percent(levels[0].p)} … ${percent(levels[last].p)}`,
          choices: [settled, ...others]
            .sort((one, other) => one - other)
            .map((level) => ({ label: levelName(level), right: level === settled })),
        };
      },
    },
    {
      id: "rise",
      shows: LENS,
      targets: at("#inspect-panel .lens-chart", "#inspect-panel .lens-grid"),
      needs: ["lens"],
      code: { file: "shaders/add.wgsl", at: "if (i < LEN)", lines: 1 },
      say(facts) {
        const found = climb(facts);
        if (!found) return null;
        const { answer, levels } = found;
        const rises = levels.slice(1).map(({ p }, before) => p - levels[before].p);
        const most = rises.indexOf(Math.max(...rises)) + 1;
        const others = [1, levels.length - 1, 2].filter((level) => level < levels.length && level !== most).slice(0, 2);
        return {
          blanks: {
            answer,
            level: levelName(most),
            from: percent(levels[most - 1].p),
            to: percent(levels[most].p),
          },
          formula: `Δp = p(x + Δx) − p(x), p(x₀) = ${finePercent(levels[0].p)}`,
          choices: [most, ...others]
            .sort((one, other) => one - other)
            .map((level) => ({ label: levelName(level), right: level === most })),
        };
      },
    },
  ],
};
