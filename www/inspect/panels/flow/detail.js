/** What an opened box of the diagram shows, as parts that a view only has to draw. Free of the DOM. */
import { n, t } from "../../../core/i18n/index.js";
import { showToken } from "../../label.js";
import { activationOf } from "./data.js";
import {
  activeFigures,
  addParts,
  attentionParts,
  blockParts,
  branchInto,
  figures,
  inputParts,
  listPart,
  logitParts,
  normParts,
  picture,
  qkvParts,
  samplingParts,
  unitBars,
} from "./kinds.js";

/** @typedef {import("./graph.js").Row} Row */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("./data.js").Strip} Strip */
/**
 * @typedef {{ type: "text", text: string }
 *   | { type: "figures", items: [label: string, value: string][] }
 *   | { type: "picture", label: string, strip: Strip, note: string }
 *   | { type: "heads", label: string, columns: string[], rows: { label: string, strips: Strip[], note: string }[],
 *   remark: string,
 *       picked: number, note: string }
 *   | { type: "bars", label: string, items: { label: string, share: number, second?: number, value: string }[], note:
 *   string }
 *   | { type: "table", label: string, header: string[], rows: string[][] }
 *   | { type: "link", label: string, panel: import("../../types.js").PanelName }} Part
 */
/**
 * @typedef {object} Known all that has come from the engine for the selected token
 * @property {Subject} subject
 * @property {import("./graph.js").Flow} flow
 * @property {ReadonlyMap<string, Float32Array>} tensors
 * @property {ReadonlyMap<number, NonNullable<import("../../types.js").ValuesAnswer["attention"]>>} attention by layer
 * @property {import("../../types.js").NextAnswer | null} next
 * @property {import("../../../engine/types.js").Settings} settings
 * @property {readonly import("../../types.js").Unit[]} off
 * @property {number} head the head that is looked at; -1 for none in particular
 */

/**
 * The words that explain a line: the same for all boxes of a kind, with this model's sizes.
 * @param {Row} row @param {Known} known
 */
export function explain(row, known) {
  const { info, tokens, selected } = known.subject;
  const { nEmbd: width, nHead: heads, vocabSize: vocabulary } = info;
  const box = row.box;
  const sizes = {
    width: n(width),
    heads: n(heads),
    headWidth: n(width / heads),
    vocabulary: n(vocabulary),
    position: n(selected + 1),
    seen: n(selected + 1),
    token: showToken(tokens.texts[selected] ?? ""),
    id: n(tokens.ids[selected] ?? 0),
    outputs: n(box?.shape.at(-1) ?? 0),
    inputs: n(widthOf(box?.inputs[0], known) || width),
    layer: n(row.block?.layer ?? 0),
    blocks: n(known.flow.blocks.length),
    temperature: known.settings.temperature,
  };
  if (row.type !== "box" || !box) return t(`flow.explain.${row.type}`, sizes);
  if (box.kind === "activation") {
    return t(
      `flow.explain.activation.${activationOf(known.tensors.get(box.inputs[0]), known.tensors.get(box.name))}`,
      sizes,
    );
  }
  if (box.kind === "add") {
    const lane = branchInto(box, known)?.lane;
    return t(`flow.explain.add.${lane && lane !== "stream" ? lane : "branch"}`, sizes);
  }
  return t(`flow.explain.${box.kind}`, sizes);
}

/** @param {string | undefined} name @param {Known} known */
function widthOf(name, { flow }) {
  return flow.boxes.get(name ?? "")?.shape.at(-1) ?? 0;
}

/** @param {Row} row @param {Known} known @returns {Part[]} */
export function partsOf(row, known) {
  const { tensors } = known;
  if (row.type === "input") return inputParts(known);
  if (row.type === "sampling") return samplingParts(known);
  if (row.type === "block" && row.block) return blockParts(row.block, known);
  const box = row.box;
  const values = box && tensors.get(box.name);
  if (!box || !values) return [];
  const table = listPart(values);
  switch (box.kind) {
    case "norm":
    case "finalNorm":
      return [...normParts(box, values, known), table];
    case "qkv":
      return [...qkvParts(values, known), table];
    case "lora":
      return /\.attn\.qkv$/.test(box.name)
        ? [...qkvParts(values, known), table]
        : [picture(values), figures(values), table];
    case "attention":
      return [...attentionParts(box, values, known)];
    case "activation":
      return [picture(values), activeFigures(values), unitBars(values), table];
    case "add":
      return [...addParts(box, values, known), table];
    case "logits":
      return logitParts(values, known);
    default:
      return [picture(values), figures(values), table];
  }
}
