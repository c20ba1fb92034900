import { n } from "../../core/i18n/index.js";
import { finePercent, inBits, percent } from "../../inspect/label.js";
import { figure, numbers, oneOf } from "../maths.js";
import { at, known, probability, tokenAt, yesOrNo } from "./common.js";

/** @typedef {import("../types.js").Facts} Facts */

const TRAIN = /** @type {const} */ ({ tab: "train", unfold: ".train-settings" });

/** @type {import("../types.js").Chapter} */
export const learning = {
  name: "learning",
  steps: [
    {
      id: "loss",
      shows: { tab: "write", panel: "surprise" },
      targets: at("#inspect-panel .surprise-summary", "#inspect-panel .surprise-panel"),
      needs: [],
      code: { file: "shaders/loss_report.wgsl", at: "if (targets[i] != IGNORE)", lines: 1 },
      say(facts) {
        const { count, nats } = facts.surprise;
        if (!count) return null;
        const loss = nats / count;
        const perplexity = Math.exp(loss);
        const shown = perplexity < 1000 ? perplexity.toFixed(1) : n(Math.round(perplexity));
        return {
          blanks: {
            loss: figure(loss),
            bits: inBits(loss).toFixed(2),
            perplexity: shown,
            count: n(count),
            vocab: n(facts.info.vocabSize),
          },
          formula: `−(1 / ${n(count)}) Σ ln p = ${figure(loss)} nats = ${inBits(loss).toFixed(2)} bits`,
          choices: oneOf(shown, [n(Math.round(perplexity * 10)), n(facts.info.vocabSize)]),
        };
      },
    },
    {
      id: "gradient",
      shows: { tab: "write", panel: "surprise" },
      targets: at(".card"),
      needs: [],
      code: { file: "shaders/cross_entropy_backward.wgsl", at: "let p = exp(logits[i]", lines: 2 },
      say(facts) {
        const position = known(facts);
        const p = probability(facts, position);
        if (Number.isNaN(p)) return null;
        const right = finePercent(1 - p);
        return {
          blanks: { token: tokenAt(facts, position), p: finePercent(p), missing: right },
          formula: `∂L/∂z(${tokenAt(facts, position)}) = p − 1 = ${figure(p)} − 1`,
          choices: oneOf(right, [finePercent(p), percent(0.5)]),
        };
      },
    },
    {
      id: "batch",
      shows: TRAIN,
      targets: at(".train-memory", "#train-text"),
      needs: [],
      learns: true,
      code: { file: "src/train/data.rs", at: "pub fn batch(&self, step: u32", lines: 12 },
      say({ training: { planned } }) {
        if (!planned) return null;
        const { batch_size: batch, context, grad_accum: times } = planned.options;
        const all = batch * context * times;
        return {
          blanks: { batch: n(batch), context: n(context), all: n(all), tokens: n(planned.tokens) },
          formula: times === 1 ? `B · T = ${n(batch)} · ${n(context)}` : `${n(times)} · B · T`,
          choices: numbers(all, [batch + context, planned.tokens], n),
        };
      },
    },
    {
      id: "step",
      shows: TRAIN,
      targets: at({ css: "#train-lr", up: ".train-setting" }, ".train-settings"),
      needs: [],
      learns: true,
      code: { file: "shaders/adamw.wgsl", at: "let m_new = beta1", lines: 8 },
      say({ training: { planned } }) {
        if (!planned) return null;
        const { steps, lr, batch_size: batch } = planned.options;
        return {
          blanks: { steps: n(steps), rate: lr },
          formula: `w ← w − ${lr} · m̂ / (√v̂ + ε)`,
          choices: numbers(steps, [batch, planned.tokens], n),
        };
      },
    },
    {
      id: "held",
      shows: TRAIN,
      targets: at({ css: "#train-validation", up: ".train-setting" }, ".train-settings"),
      needs: [],
      learns: true,
      code: { file: "src/train/data.rs", at: "pub fn validation_batches(", lines: 10 },
      say({ training: { planned } }) {
        if (!planned) return null;
        const { tokens, validationTokens: held } = planned;
        return {
          blanks: { tokens: n(tokens), held: n(held), share: percent(held / tokens) },
          formula: `${n(tokens - held)} + ${n(held)} = ${n(tokens)}`,
          choices: numbers(held, [tokens, Math.round(tokens / 2)], n),
        };
      },
    },
    {
      id: "run",
      variants: { trained: ["text", "ask", "why"] },
      shows: TRAIN,
      targets: at(".train-curve .chart", ".train-go", ".train-actions"),
      needs: [],
      learns: true,
      code: { file: "src/train/schedule.rs", at: "pub fn learning_rate(", lines: 17 },
      say({ training: { losses, vocabSize } }) {
        const knowsNothing = Math.log(vocabSize);
        const [first, last] = losses ?? [0, 0];
        return {
          blanks: {
            vocab: n(vocabSize),
            nothing: figure(knowsNothing),
            first: figure(first),
            last: figure(last),
          },
          formula: losses ? `L: ${figure(first)} → …` : `−ln(1 / ${n(vocabSize)})`,
          choices: losses ? yesOrNo(last < first) : oneOf(figure(knowsNothing), [figure(1), n(vocabSize)]),
          variant: losses ? "trained" : undefined,
        };
      },
    },
  ],
};
