/** What each kind of box shows of its values. Free of the DOM. */
import { n, t } from "../../../core/i18n/index.js";
import { percent, shorten, showToken } from "../../label.js";
import {
  beyond,
  cosine,
  figure,
  headRow,
  logSoftmax,
  scaleOf,
  signedStrip,
  splitHeads,
  statsOf,
  strongest,
} from "./data.js";

/** @typedef {import("./graph.js").Box} Box */
/** @typedef {import("./detail.js").Known} Known */
/** @typedef {import("./detail.js").Part} Part */
/** @typedef {import("./data.js").Strip} Strip */

const LISTED = 20;
const BARS = 10;
const HEAD_BARS = 8;

/** The box whose output is added to the stream here. @param {Box} box @param {Known} known */
export function branchInto(box, { flow }) {
  const name = box.inputs.find((input) => input !== box.through);
  return name === undefined ? undefined : flow.boxes.get(name);
}

/** @param {ArrayLike<number>} values @param {string} [label] @returns {Part} */
export function picture(values, label = t("flow.values", { count: n(values.length) })) {
  const strip = signedStrip(values);
  const out = beyond(values, strip.scale);
  const range = t("flow.scale", { scale: figure(strip.scale) });
  return { type: "picture", label, strip, note: out ? `${range} ${t("flow.scale.beyond", { count: n(out) })}` : range };
}

/** @param {ArrayLike<number>} values @returns {Part} */
export function figures(values) {
  const { min, max, mean, norm } = statsOf(values);
  return {
    type: "figures",
    items: [
      [t("flow.min"), figure(min)],
      [t("flow.max"), figure(max)],
      [t("flow.mean"), figure(mean)],
      [t("flow.norm"), figure(norm)],
    ],
  };
}

/** @param {ArrayLike<number>} values @returns {Part} */
export function listPart(values) {
  const rows = strongest(values, LISTED, true).map((i) => [n(i), figure(values[i])]);
  return {
    type: "table",
    label: t("flow.table", { count: n(rows.length) }),
    header: [t("flow.place"), t("flow.value")],
    rows,
  };
}

/** @param {Known} known @returns {Part[]} */
export function inputParts({ subject: { tokens, selected, info } }) {
  const bytes = (tokens.bytes[selected] ?? [])
    .map((byte) => byte.toString(16).toUpperCase().padStart(2, "0"))
    .join(" ");
  /** @type {[string, string][]} */
  const items = [
    [t("flow.token"), showToken(tokens.texts[selected] ?? "")],
    [t("flow.id"), n(tokens.ids[selected] ?? 0)],
    [t("flow.bytes"), bytes || "–"],
    [t("flow.position"), t("flow.position.of", { position: n(selected + 1), context: n(info.nCtx) })],
  ];
  /** @type {Part[]} */
  const parts = [{ type: "figures", items }];
  if (selected === 0 && tokens.bos) parts.push({ type: "text", text: t("flow.bos") });
  return parts;
}

/** @param {Box} box @param {Float32Array} values @param {Known} known @returns {Part[]} */
export function normParts(box, values, { tensors }) {
  const before = tensors.get(box.inputs[0]);
  const after = statsOf(values);
  /** @type {[string, string][]} */
  const items = before
    ? [
        [t("flow.norm.meanBefore"), figure(statsOf(before).mean)],
        [t("flow.norm.deviationBefore"), figure(statsOf(before).deviation)],
      ]
    : [];
  items.push([t("flow.norm.meanAfter"), figure(after.mean)], [t("flow.norm.deviationAfter"), figure(after.deviation)]);
  return [
    ...(before ? [picture(before, t("flow.before"))] : []),
    picture(values, t("flow.after")),
    { type: "figures", items },
  ];
}

/** @param {Float32Array} values @param {Known} known @returns {Part[]} */
export function qkvParts(values, { subject }) {
  const split = splitHeads(values, 3, subject.info.nHead);
  if (!split) return [picture(values), figures(values)];
  const scales = split.map((part) => scaleOf(part.flatMap((head) => Array.from(head))));
  const rows = split[0].map((_, head) => ({
    label: t("flow.head", { head: n(head) }),
    note: "",
    strips: split.map((part, i) => ({
      values: part[head],
      colours: /** @type {const} */ ("signed"),
      scale: scales[i],
    })),
  }));
  const note = t("flow.qkv.scale", { q: figure(scales[0]), k: figure(scales[1]), v: figure(scales[2]) });
  return [
    {
      type: "heads",
      label: t("flow.qkv.heads"),
      columns: [t("flow.query"), t("flow.key"), t("flow.keyValue")],
      rows,
      remark: "",
      picked: -1,
      note,
    },
  ];
}

/**
 * Scores from the lowest to the highest: softmax sees only how they differ, and all may lie far on one side of 0.
 * @param {Float32Array} scores
 * @returns {Strip}
 */
function rising(scores) {
  const { min, max } = statsOf(scores);
  return { values: scores.map((score) => score - min), colours: "share", scale: max - min || 1 };
}

/** @param {Box} box @param {Float32Array} values @param {Known} known @returns {Part[]} */
export function attentionParts(box, values, known) {
  const {
    subject: { tokens, selected, info },
    head: wanted,
  } = known;
  const attention = known.attention.get(box.layer);
  /** @type {Part[]} */
  const parts = [];
  if (attention) {
    const picked = Math.min(Math.max(0, wanted), attention.heads - 1);
    const name = (/** @type {number} */ key) => showToken(tokens.texts[key] ?? "");
    const rows = Array.from({ length: attention.heads }, (_, head) => {
      const { scores, probs } = headRow(attention, head);
      const best = strongest(probs, 1)[0];
      return {
        label: t("flow.head", { head: n(head) }),
        note: best === undefined ? "" : `${percent(probs[best])} ${shorten(name(best), 12)}`,
        strips: [
          rising(scores),
          { values: probs, colours: /** @type {const} */ ("share"), scale: Math.max(...probs) || 1 },
        ],
      };
    });
    parts.push({
      type: "heads",
      label: t("flow.attention.heads", { count: n(attention.keys) }),
      columns: [t("flow.scores"), t("flow.softmax")],
      rows,
      remark: t("flow.strongest"),
      picked,
      note: t("flow.attention.note"),
    });
    const { scores, probs } = headRow(attention, picked);
    const order = strongest(probs, LISTED);
    const where = (/** @type {number} */ key) =>
      key === selected ? t("flow.self") : t("flow.back", { count: n(selected - key) });
    parts.push({
      type: "bars",
      label: t("flow.attention.picked", { head: n(picked) }),
      note: "",
      items: order.slice(0, HEAD_BARS).map((key) => ({
        label: `${shorten(name(key), 12)} ${where(key)}`,
        share: probs[key],
        value: percent(probs[key]),
      })),
    });
    parts.push({
      type: "table",
      label: t("flow.attention.table", { head: n(picked), count: n(order.length) }),
      header: [t("flow.position"), t("flow.token"), t("flow.score"), t("flow.softmax")],
      rows: order.map((key) => [n(key + 1), name(key), figure(scores[key]), percent(probs[key])]),
    });
  }
  const out = splitHeads(values, 1, info.nHead);
  if (out) {
    const scale = scaleOf(values);
    parts.push({
      type: "heads",
      label: t("flow.attention.out"),
      columns: [t("flow.out")],
      remark: t("flow.norm"),
      picked: -1,
      note: t("flow.scale", { scale: figure(scale) }),
      rows: out[0].map((part, head) => ({
        label: t("flow.head", { head: n(head) }),
        strips: [{ values: part, colours: "signed", scale }],
        note: figure(statsOf(part).norm),
      })),
    });
  } else parts.push(picture(values));
  return parts;
}

/** @param {Float32Array} values @returns {Part} */
export function activeFigures(values) {
  const { n: all, active, max, norm } = statsOf(values);
  return {
    type: "figures",
    items: [
      [t("flow.active"), t("flow.active.of", { count: n(active), all: n(all), share: percent(active / all) })],
      [t("flow.max"), figure(max)],
      [t("flow.norm"), figure(norm)],
    ],
  };
}

/** @param {Float32Array} values @returns {Part} */
export function unitBars(values) {
  const best = strongest(values, BARS).filter((i) => values[i] > 0);
  const top = values[best[0]] || 1;
  return {
    type: "bars",
    label: t("flow.units"),
    note: "",
    items: best.map((i) => ({
      label: t("flow.unit", { unit: n(i) }),
      share: values[i] / top,
      value: figure(values[i]),
    })),
  };
}

/**
 * What a branch adds to the stream.
 * @param {ArrayLike<number>} before @param {ArrayLike<number>} added @param {ArrayLike<number>} after
 * @returns {Part[]}
 */
function sumParts(before, added, after) {
  const [was, change, is] = [before, added, after].map((values) => statsOf(values).norm);
  const top = Math.max(was, change, is) || 1;
  const item = (/** @type {string} */ label, /** @type {number} */ norm) => ({
    label,
    share: norm / top,
    value: figure(norm),
  });
  return [
    {
      type: "bars",
      label: t("flow.add.norms"),
      items: [item(t("flow.add.before"), was), item(t("flow.add.branch"), change), item(t("flow.add.after"), is)],
      note: t("flow.add.cosine", { cosine: cosine(before, added).toFixed(2).replace("-", "−") }),
    },
  ];
}

/** @param {Box} box @param {Float32Array} values @param {Known} known @returns {Part[]} */
export function addParts(box, values, known) {
  const before = known.tensors.get(box.through);
  const added = known.tensors.get(branchInto(box, known)?.name ?? "");
  const sums = before && added ? sumParts(before, added, values) : [];
  return [...sums, picture(values), figures(values)];
}

/** @param {import("./graph.js").Block} block @param {Known} known @returns {Part[]} */
export function blockParts(block, { flow, tensors }) {
  const out = tensors.get(block.output);
  if (!out) return [];
  const first = block.boxes.find((box) => box.lane === "stream" && box.through !== "");
  const before = first && flow.boxes.get(first.through)?.layer !== block.layer ? tensors.get(first.through) : undefined;
  const change = before && Float32Array.from(out, (value, i) => value - before[i]);
  return [...(before && change ? sumParts(before, change, out) : []), picture(out, t("flow.block.out")), figures(out)];
}

/** @param {Float32Array} values @param {Known} known @returns {Part[]} */
export function logitParts(values, { next }) {
  const logprobs = logSoftmax(values);
  const texts = new Map((next?.entries ?? []).map(({ id, text }) => [id, text]));
  const best = strongest(values, LISTED);
  const name = (/** @type {number} */ id) =>
    texts.has(id) ? showToken(texts.get(id) ?? "") : t("flow.tokenNumber", { id: n(id) });
  /** @type {Part} */
  const bars = {
    type: "bars",
    label: t("flow.logits.best"),
    note: t("flow.logits.note"),
    items: best.slice(0, BARS).map((id) => ({
      label: name(id),
      share: Math.exp(logprobs[id]),
      value: `${figure(values[id])}  ${percent(Math.exp(logprobs[id]))}`,
    })),
  };
  return [
    bars,
    picture(values, t("flow.logits.picture", { count: n(values.length) })),
    figures(values),
    {
      type: "table",
      label: t("flow.logits.table", { count: n(best.length) }),
      header: [t("flow.token"), t("flow.id"), t("flow.logit"), t("flow.probability")],
      rows: best.map((id) => [name(id), n(id), figure(values[id]), percent(Math.exp(logprobs[id]))]),
    },
  ];
}

/** @param {Known} known @returns {Part[]} */
export function samplingParts({ next, settings }) {
  if (!next) return [];
  const { temperature, topK, topP, minP, repetitionPenalty } = settings;
  return [
    {
      type: "bars",
      label: t("flow.sampling.bars"),
      note: t("flow.sampling.note", { kept: n(next.kept), mass: percent(next.keptMass) }),
      items: next.entries.slice(0, BARS).map(({ text, logprob, adjusted, kept }) => ({
        label: showToken(text),
        share: adjusted,
        second: Math.exp(logprob),
        value: kept ? percent(adjusted) : t("flow.sampling.cut"),
      })),
    },
    {
      type: "figures",
      items: [
        [t("setting.temperature"), String(temperature)],
        [t("setting.topK"), String(topK)],
        [t("setting.topP"), String(topP)],
        [t("setting.minP"), String(minP)],
        [t("setting.repetitionPenalty"), String(repetitionPenalty)],
      ],
    },
    { type: "link", label: t("flow.sampling.more"), panel: "next" },
  ];
}
