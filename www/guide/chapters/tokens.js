import { n } from "../../core/i18n/index.js";
import { percent, showToken } from "../../inspect/label.js";
import { figure, norm, numbers, wordsIn } from "../maths.js";
import { at, firstOwn, tensor, tokenAt, tokenRow, yesOrNo } from "./common.js";

/** As many tokens and numbers as a line holds. */
const FEW = 5;
const FIRST = 3;

/** @type {import("../types.js").Chapter} */
export const tokens = {
  name: "tokens",
  steps: [
    {
      id: "pieces",
      shows: { tab: "write", panel: "next", surprise: true },
      targets: at(".paper"),
      needs: [],
      code: { file: "src/tokenizer/merge.rs", at: "fn apply_short(", lines: 18 },
      say(facts) {
        const own = facts.count - firstOwn(facts);
        const shown = facts.tokens.texts.slice(firstOwn(facts), firstOwn(facts) + FEW).map(showToken);
        const characters = Array.from(facts.text).length;
        const words = wordsIn(facts.text).length;
        return {
          blanks: {
            vocab: n(facts.info.vocabSize),
            own: n(own),
            characters: n(characters),
            words: n(words),
            ratio: figure(characters / own),
          },
          formula: `${shown.join(" + ")}${own > FEW ? " + …" : ""}`,
          choices: numbers(own, [characters, words], n),
        };
      },
    },
    {
      id: "number",
      shows: { tab: "write", panel: "next" },
      targets: at(".card"),
      needs: [],
      code: { file: "src/tokenizer/bpe.rs", at: "word.extend(piece.bytes()", lines: 7 },
      say(facts) {
        const { selected } = facts;
        const id = facts.tokens.ids[selected];
        const bytes = facts.tokens.bytes[selected] ?? [];
        const token = tokenAt(facts, selected);
        const hex = bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
        return {
          blanks: { token, id: n(id), vocab: n(facts.info.vocabSize), bytes: n(bytes.length), hex },
          formula: `${token} → ${id}`,
          choices: numbers(bytes.length, [bytes.length - 1, bytes.length + 1], n),
        };
      },
    },
    {
      id: "vector",
      shows: { tab: "write", panel: "flow" },
      targets: at("#inspect-panel .flow-line:nth-child(2)"),
      needs: ["outside"],
      code: { file: "shaders/embedding.wgsl", at: "let row = step[2u + t] - ROW0;", lines: 6 },
      say(facts) {
        const { nEmbd, vocabSize, nCtx } = facts.info;
        const row = tokenRow(facts);
        if (!row) return null;
        const some = Array.from(row.slice(0, FIRST), figure).join(", ");
        return {
          blanks: {
            token: tokenAt(facts, facts.selected),
            vocab: n(vocabSize),
            width: n(nEmbd),
            all: n(vocabSize * nEmbd),
          },
          formula: `wte[${facts.tokens.ids[facts.selected]}] = (${some}, …)`,
          choices: numbers(nEmbd, [vocabSize, nCtx], n),
        };
      },
    },
    {
      id: "position",
      shows: { tab: "write", panel: "flow" },
      targets: at("#inspect-panel .flow-line:nth-child(3)"),
      needs: ["outside"],
      code: { file: "shaders/position_embedding.wgsl", at: "let position = step[0] + t % SEQ;", lines: 6 },
      say(facts) {
        const sum = tensor(facts.outside, "embed");
        const row = tokenRow(facts);
        if (!sum || !row) return null;
        const { selected } = facts;
        const [before, after] = [norm(row), norm(sum)];
        return {
          blanks: {
            token: tokenAt(facts, selected),
            position: n(selected + 1),
            before: figure(before),
            after: figure(after),
          },
          formula: `x₁ = wte + wpe[${selected}] = ${figure(row[0])} + ${figure(sum[0] - row[0])} = ${figure(sum[0])}`,
          choices: yesOrNo(after > before),
        };
      },
    },
    {
      id: "window",
      shows: { tab: "write", panel: "next" },
      targets: at(".status-context", ".card"),
      needs: [],
      code: { file: "src/sample/generate.rs", at: "fn slide(", lines: 4 },
      say(facts) {
        const { nCtx } = facts.info;
        const used = Math.min(nCtx, facts.count);
        return {
          blanks: { context: n(nCtx), used: n(used), left: n(nCtx - used) },
          formula: `${n(used)} / ${n(nCtx)} = ${percent(used / nCtx)}`,
          choices: numbers(nCtx - used, [used, nCtx], n),
        };
      },
    },
  ],
};
