/** The words and thumbnails of the diagram's lines. Free of the DOM. */
import { n, t } from "../../../core/i18n/index.js";
import { percent, showToken } from "../../label.js";
import { figure, signedStrip, statsOf } from "./data.js";
import { shapeText } from "./graph.js";

/** @typedef {import("./graph.js").Row} Row */
/** @typedef {import("./detail.js").Known} Known */
/** @typedef {import("./diagram.js").Line} Line */

/** A box in plain words. @param {Row} row @param {Known["flow"]} flow */
export function titleOf(row, flow) {
  const { box, block } = row;
  if (block) return t("flow.name.block", { layer: n(block.layer) });
  if (!box) return t(`flow.name.${row.type}`);
  if (box.kind === "add") {
    const branch = box.inputs.map((name) => flow.boxes.get(name)).find((input) => input && input.name !== box.through);
    return t(`flow.name.add.${branch && branch.lane !== "stream" ? branch.lane : "branch"}`);
  }
  return t(`flow.name.${box.kind}`);
}

/** What a box weighs: its shape, and its parameters. @param {Row} row */
function factsOf({ box, block }) {
  if (block) return t("flow.block.closed", { count: n(block.count) });
  if (!box) return "";
  const shape = shapeText(box.shape, n);
  if (box.params.length === 0) return shape;
  return `${shape} · ${box.shared ? t("flow.params.shared", { name: box.params[0].name }) : t("flow.params", { count: n(box.count) })}`;
}

/**
 * Thumbnails are made once for each vector: their scale needs a sort.
 * @type {WeakMap<Float32Array, { strip: import("./detail.js").Strip, norm: number }>}
 */
const thumbs = new WeakMap();

/** @param {Float32Array | undefined} values */
function thumbOf(values) {
  if (!values) return null;
  const known = thumbs.get(values) ?? { strip: signedStrip(values), norm: statsOf(values).norm };
  thumbs.set(values, known);
  return known;
}

/** The likeliest next token. @param {Known["next"]} next */
function best(next) {
  const entry = next?.entries[0];
  return entry ? `${showToken(entry.text)} ${percent(Math.exp(entry.logprob))}` : "";
}

/**
 * @param {Row[]} rows @param {Known} known @param {number} open the open block, -1 for none
 * @param {number} passed how many lines the walk has passed
 * @returns {Line[]}
 */
export function linesOf(rows, known, open, passed) {
  const {
    subject: { tokens, selected },
    tensors,
    flow,
    next,
  } = known;
  return rows.map((row, i) => {
    const { box, block, lane, fork } = row;
    const thumb = thumbOf(tensors.get(box?.name ?? block?.output ?? ""));
    const note = row.type === "sampling" ? best(next) : thumb ? t("flow.norm.short", { norm: figure(thumb.norm) }) : "";
    return {
      key: row.key,
      type: row.type,
      lane,
      fork,
      join: row.join,
      inside: row.layer >= 0,
      open: block ? block.layer === open : null,
      done: i < passed,
      title: titleOf(row, flow),
      tensor: row.type === "input" ? showToken(tokens.texts[selected] ?? "") : (box?.name ?? block?.output ?? ""),
      facts:
        row.type === "input"
          ? t("flow.input.facts", { id: n(tokens.ids[selected] ?? 0), position: n(selected + 1) })
          : factsOf(row),
      laneTitle: fork ? t(`flow.lane.${lane}`) : "",
      strip: thumb?.strip ?? null,
      note,
    };
  });
}
