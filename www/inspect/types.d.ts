// Types of the inspector: what it asks of the engine, and what its panels are given.
import type { Info, Settings, Token } from "../engine/types.js";

/** A head (`head` >= 0) or the MLP (`head` = -1) of a layer. */
export interface Unit {
  layer: number;
  head: number;
}

/**
 * Positions count from 0 over `ids`, which begin with the model's first-of-document token where it has one. Row r of
 * anything is about position r: for distributions, what the model expects AFTER the tokens 0..=r.
 * All logarithms are natural, all probabilities before temperature unless "adjusted".
 */
export type InspectRequest =
  /** Never waits; answered also while the model writes. */
  | { what: "tokens"; text: string }
  /** Every row's ten best and how well it predicted the next token. */
  | { what: "score"; ids: number[] }
  /** What comes after the last of `ids`. The logits are kept: asking again with other settings runs no model. */
  | { what: "next"; ids: number[]; settings: Sampling; limit: number; query: string }
  /** One head's probabilities; `head` -1 for the mean over the layer's heads. */
  | { what: "attention"; ids: number[]; layer: number; head: number }
  /** Attention rollout (Abnar and Zuidema 2020) from the embeddings to the output of `layer`. */
  | { what: "rollout"; ids: number[]; layer: number }
  /** All heads, reduced to at most `size` x `size` cells each (attention summed over keys, averaged over queries). */
  | { what: "heads"; ids: number[]; size: number }
  /** The logit lens (nostalgebraist 2020) for rows `from..to`. */
  | { what: "lens"; ids: number[]; from: number; to: number; target: "answer" | "next" }
  /**
   * Each head and MLP switched off in turn, on top of what is off already: effect on `target` after the last of `ids`.
   * Reports progress.
   */
  | { what: "ablate"; ids: number[]; target: number }
  /** The forward pass as a graph. */
  | { what: "flow" }
  /** Real values at the last of `ids`: of one block, or with `layer` -1 of what stands before and after the blocks. */
  | { what: "values"; ids: number[]; layer: number }
  /** Logits of rows `from..to`, for `compare`. */
  | { what: "logits"; ids: number[]; from: number; to: number }
  /** This model beside another one's logits of the same rows. Both need the same vocabulary. */
  | { what: "compare"; ids: number[]; from: number; to: number; other: Float32Array };

export type Sampling = Pick<Settings, "temperature" | "topK" | "topP" | "minP" | "repetitionPenalty">;

export interface TokensAnswer {
  ids: number[];
  /** What each token shows as, alone; a byte that is a part of a character is the lone surrogate 0xDC00 + byte. */
  texts: string[];
  bytes: number[][];
  /**
   * Where each token's characters end in the text, in UTF-16 units; a token that completes no character ends where the
   * one before it ends.
   */
  ends: number[];
  /** Whether ids[0] was put before the text. */
  bos: boolean;
}

export interface ScoreAnswer {
  rows: number;
  /** Log-probability of the token that follows row r; 0 in the last row, after which nothing follows. */
  logprob: Float32Array;
  entropy: Float32Array;
  /** 0 is the likeliest; 0 in the last row. */
  rank: Uint32Array;
  /** Per row, ten each (fewer where the vocabulary is smaller: see `top`). */
  top: number;
  topIds: Uint32Array;
  topLogprobs: Float32Array;
  /** Text of every id in `topIds`, for showing. */
  texts: [number, string][];
}

export interface NextEntry {
  id: number;
  text: string;
  logprob: number;
  rank: number;
  /** Probability with which it is drawn under the settings; 0 if cut off. */
  adjusted: number;
  kept: boolean;
}
export interface NextAnswer {
  /** The `limit` likeliest, best first. */
  entries: NextEntry[];
  /** Tokens whose text contains `query`, best first, at most 20. */
  found: NextEntry[];
  vocabSize: number;
  entropy: number;
  adjustedEntropy: number;
  /** Tokens that can be drawn, and the raw probability they have together. */
  kept: number;
  keptMass: number;
}

/** `values[q * size + k]`: how much query q attends to key k; 0 for k > q. */
export interface AttentionAnswer {
  size: number;
  values: Float32Array;
}

/**
 * `values[((layer * heads + head) * size + q) * size + k]`. `size` is the number of tokens if that is less than asked
 * for.
 */
export interface HeadsAnswer {
  layers: number;
  heads: number;
  size: number;
  values: Float32Array;
}

/** Level 0 is the embedding, level l the output of block l - 1; the last level is the model's own answer. */
export interface LensAnswer {
  levels: number;
  from: number;
  rows: number;
  top: number;
  /** [(level * rows + row - from) * top + i] */
  topIds: Uint32Array;
  topLogprobs: Float32Array;
  /** [level * rows + row - from]: of `targets[row - from]`. */
  logprob: Float32Array;
  rank: Uint32Array;
  entropy: Float32Array;
  /**
   * Per row: the model's own likeliest token ("answer") or the token that follows ("next"; 0xffffffff in the last row).
   */
  targets: Uint32Array;
  texts: [number, string][];
}

export interface AblateAnswer {
  /** Log-probability of the target, and mean loss over the text, with nothing more switched off. */
  logprob: number;
  loss: number;
  units: (Unit & { logprob: number; loss: number })[];
}
/** What `ablate` tells on its way: the units done so far are in `units`. */
export interface InspectProgress {
  done: number;
  total: number;
  partial?: AblateAnswer;
}

export interface FlowNode {
  /** Name of the tensor it makes, `h.0.attn.qkv` for example; names are those of `values`. */
  name: string;
  /** Kind of op: embedding, layer_norm, matmul, attention, activation, add, ... */
  op: string;
  /** Names of the tensors it reads, without parameters. */
  inputs: string[];
  params: { name: string; shape: number[] }[];
  /** For T tokens: `null` stands for T. */
  shape: (number | null)[];
  /** The block it belongs to, or -1. */
  layer: number;
}
export interface FlowAnswer {
  nodes: FlowNode[];
  nParams: number;
}

export interface ValuesAnswer {
  /** One token's values of every tensor of the block, in the order of `flow`. */
  tensors: { name: string; shape: number[]; values: Float32Array }[];
  /** Scaled scores q·k/sqrt(D) and probabilities (heads, keys 0..=position); null with `layer` -1. */
  attention: { heads: number; keys: number; scores: Float32Array; probs: Float32Array } | null;
}

export interface LogitsAnswer {
  rows: number;
  vocabSize: number;
  values: Float32Array;
}

export interface CompareAnswer {
  from: number;
  rows: number;
  /** KL(this model || the other), in nats. */
  kl: Float32Array;
}

export interface Answers {
  tokens: TokensAnswer;
  score: ScoreAnswer;
  next: NextAnswer;
  attention: AttentionAnswer;
  rollout: AttentionAnswer;
  heads: HeadsAnswer;
  lens: LensAnswer;
  ablate: AblateAnswer;
  flow: FlowAnswer;
  values: ValuesAnswer;
  logits: LogitsAnswer;
  compare: CompareAnswer;
}

export type PanelName = "next" | "surprise" | "tree" | "attention" | "lens" | "heads" | "flow" | "compare";

/** What of the inspector a link reproduces. */
export interface InspectView {
  open: boolean;
  panel: PanelName;
  /** Position of the selected token in `ids`; null follows the caret and the newest token. */
  token: number | null;
  layer: number;
  /** -1: mean over heads. */
  head: number;
  /** Attention: "map", "lines", "rollout". */
  mode: string;
  /** Heads and MLPs that are switched off. */
  off: Unit[];
  /** Colours the paper's tokens by surprise. */
  surprise: boolean;
}

/** What all panels speak about. Replaced, never changed. */
export interface Subject {
  /** Changes whenever model, text or what is switched off changes: data fetched under another version is stale. */
  version: number;
  text: string;
  info: Info;
  tokens: TokensAnswer;
  /** Tokens of the text before `tokens`, which the model no longer sees. */
  hidden: number;
  /** null until it has come. */
  scores: ScoreAnswer | null;
  /** The selected token's position in `tokens.ids`. */
  selected: number;
  /** The model is writing: `tokens` is not up to date, and requests would wait. */
  writing: boolean;
  /**
   * While the model writes, its own record of the last of `tokens`, made before it was drawn; null before the first
   * one.
   */
  newest: Token | null;
}

/** What a panel can use. */
export interface InspectContext {
  /** All tokens of the text with what is known of them, which may come window by window. */
  readonly trail: import("./trail.js").Trail;
  /** Selects a token by its position among all tokens of the text, and brings it into view. */
  choose(at: number): void;
  /** null while no model is open or the text is empty of tokens. */
  readonly subject: Subject | null;
  readonly view: InspectView;
  readonly settings: Settings;
  /**
   * Asks the engine. A later call with the same slot ends an earlier one, which then rejects with an AbortError (see
   * `isAbort`
   * in errors.js); so does a change of the subject's version, and closing the panel. While the engine has no time it
   * goes on waiting.
   */
  ask<W extends keyof Answers>(
    slot: string,
    request: Extract<InspectRequest, { what: W }>,
    onProgress?: (progress: InspectProgress) => void,
  ): Promise<Answers[W]>;
  setView(patch: Partial<InspectView>): void;
  select(position: number): void;
  setSettings(patch: Partial<Settings>): void;
  /**
   * Replaces everything after position `position` - 1 by token `id`, and goes on writing from there; the old
   * continuation stays in the tree.
   */
  continueWith(position: number, id: number, text: string): void;
  /** Writes on from the end of the text (or, with `position`, from after that token). */
  generate(position?: number): void;
  readonly branches: import("./branches.js").Branches;
  /** Puts a branch's text on the paper. */
  openBranch(id: string): void;
  /** Shows another part of the page. */
  goTo(tab: import("../engine/types.js").Tab): void;
  /** Models to compare with: the base of a tuned model first. */
  otherModels(): { id: string; name: string; vocabSize?: number }[];
  /** An engine with that model; closed by the caller. `onLost` hears where it is lost before. */
  openOther(
    id: string,
    signal: AbortSignal,
    onProgress?: (done: number, total: number) => void,
    onLost?: (error: unknown) => void,
  ): Promise<{ ask: InspectContext["ask"]; close(): void; name: string; info?: Info }>;
  /** Shows a message where the panels are. */
  say(key: string, params?: Record<string, string | number>): void;
}

export interface Panel {
  readonly root: HTMLElement;
  /** It shows something of every token that is written: `update` is called then too, about ten times a second. */
  readonly live?: boolean;
  /** The context changed, or the panel was opened. Must be cheap when nothing it shows changed. */
  update(): void;
  /** The panel was closed: let go of what it holds. */
  close(): void;
}
