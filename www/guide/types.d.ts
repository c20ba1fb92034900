// Types of the guide: chapters of steps, and what a step says from the model's own numbers.
import type { Info, Tab } from "../engine/types.js";
import type {
  HeadsAnswer,
  LensAnswer,
  NextAnswer,
  PanelName,
  Sampling,
  TokensAnswer,
  ValuesAnswer,
} from "../inspect/types.js";

export type ChapterName = "tokens" | "guessing" | "attention" | "layers" | "learning";

/** What is true of one shipped model: `guide.json` in its folder. tests/page/guide_claims.test.mjs checks it. */
export interface Claims {
  /** A text that shows what the chapters speak of. */
  text: string;
  /** The likeliest token after a text, and a probability that it has at least. */
  guess: { after: string; token: string; atLeast: number };
  /** The heads that do this most on `text`, and a mean that they reach there. */
  heads: Record<HeadKind, { layer: number; head: number; atLeast: number }>;
}
/** What a head may look at: the token just before, or the first of all. */
export type HeadKind = "previous" | "first";

/** What the engine is asked for a step. `block` and `attention` are about the layer and the head that are shown. */
export type Need = "next" | "outside" | "block" | "attention" | "heads" | "lens";

/** What is known of the text, as far as the steps use it. Positions count within `tokens`. */
export interface Facts {
  info: Info;
  /** The whole text. */
  text: string;
  tokens: TokensAnswer;
  /** Tokens of the whole text, those that the model no longer sees and the first-of-document token included. */
  count: number;
  selected: number;
  /** Per row the log-probability of the token after it; empty where it is not known yet. */
  logprobs: ArrayLike<number>;
  /** Of the whole text, as far as it is known: tokens, and the sum of their surprise. */
  surprise: { count: number; nats: number };
  settings: Sampling;
  layer: number;
  /** -1: the mean of the layer's heads. */
  head: number;
  claims: Claims | null;
  /** What comes after the token `before`, which is the one that the Next panel asks about, and its logits. */
  next?: NextAnswer & { before: string; logits: ArrayLike<number> };
  outside?: ValuesAnswer;
  block?: ValuesAnswer;
  attention?: { size: number; values: Float32Array };
  heads?: HeadsAnswer;
  lens?: LensAnswer;
  training: {
    /** Of the text on the Train tab; null where there is none, or it is not known yet. */
    planned: {
      tokens: number;
      validationTokens: number;
      options: { steps: number; batch_size: number; context: number; grad_accum: number; lr: number };
    } | null;
    empty: boolean;
    /** First and last loss of a run that has made steps. */
    losses: [number, number] | null;
    vocabSize: number;
  };
}

export interface Choice {
  label: string;
  right: boolean;
}
export interface Said {
  /** For all strings of the step. */
  blanks: Record<string, string | number>;
  formula: string;
  choices: Choice[];
  /** The key of one more sentence. */
  note?: string;
  /** Another question than the usual: the ending of its strings' keys. */
  variant?: string;
}

/** What is pointed at: the first of these that can be seen. `up`: not what is found but what it stands in. */
export type Target = { css: string; text?: string; up?: string };

export interface Shown {
  tab: Tab;
  panel?: PanelName;
  mode?: string;
  /** The paper's tokens are coloured. */
  surprise?: true;
  /** A head that does this is chosen. */
  head?: HeadKind;
  /** `<details>` that hold the target are unfolded. */
  unfold?: string;
}

export interface Step {
  id: string;
  shows: Shown;
  targets: (facts: Facts | null) => Target[];
  needs: Need[];
  /** The lines that compute it: from the line that holds `at`, which is in the file once. */
  code: { file: string; at: string; lines: number };
  /** null while something that it needs is not there. */
  say: (facts: Facts) => Said | null;
  /** The parts that have words of their own in a variant. */
  variants?: Record<string, string[]>;
  /** It speaks of the text on the Train tab. */
  learns?: boolean;
}
export interface Chapter {
  name: ChapterName;
  steps: Step[];
}

/** A place in the guide; steps count from 1. */
export interface Place {
  chapter: ChapterName;
  step: number;
}
