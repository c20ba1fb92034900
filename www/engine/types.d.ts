// Types shared by the page, the worker and the WebAssembly module's JavaScript interface.

export type Backend = "auto" | "cpu" | "webgpu";
export type Tab = "write" | "train" | "models";
export type Theme = "auto" | "light" | "dark";
export type Lang = "en" | "zh";

/** What the engine says: its English words, and a code and parameters by which the page says the same. */
export interface Said {
  code: string;
  text: string;
  params: Record<string, string | Said>;
}

export interface Alternative {
  id: number;
  text: string;
  logprob: number;
}

/** One generated token. `text` is the streamed piece: "" while a UTF-8 character is incomplete. */
export interface Token {
  id: number;
  text: string;
  /** Natural logarithm, before temperature. */
  logprob: number;
  entropy: number;
  /** 0 is the most probable token. */
  rank: number;
  top: Alternative[];
}

export type Finished = null | undefined | "length" | "end" | "stopped";

export type Step =
  | { phase: "prefill"; done: number; total: number }
  | { phase: "tokens"; tokens: Token[]; contextUsed: number; finished: Finished };

export interface Info {
  backend: "cpu" | "webgpu";
  backendReason: Said;
  adapter: string;
  nParams: number;
  nCtx: number;
  vocabSize: number;
  nLayer: number;
  nHead: number;
  nEmbd: number;
  bytes: { weights: number; training: number; kv: number; temporaries: number };
  /** What is set up for training; "" for nothing. */
  trained: "" | "full" | "lora";
  /** What of its files Hugging Face's libraries cannot load; "" for nothing. */
  native: "" | "config" | "tokenizer";
}

/** A run that could be started, or goes on. */
export interface Planned {
  options: TrainOptions;
  /** What to know about the text, in sentences. */
  notes: Said[];
  bytes: {
    weights: number;
    training: number;
    state: number;
    temporaries: number;
    best: number;
    total: number;
    limit: number;
  };
  tokens: number;
  validationTokens: number;
  step: number;
  /**
   * The model has adapters and the run would train others: they have to be merged into the weights before it can start.
   */
  replaces: boolean;
}

/** All options of a run, by the names of the command line. */
export interface TrainOptions {
  steps: number;
  batch_size: number;
  context: number;
  lr: number;
  min_lr?: number;
  schedule: "constant" | "cosine";
  warmup: number;
  weight_decay: number;
  beta1: number;
  beta2: number;
  eps: number;
  grad_clip: number;
  grad_accum: number;
  dropout: number;
  validation: number;
  eval_every: number;
  seed: number;
  lora?: LoraOptions;
}

export interface LoraOptions {
  rank: number;
  alpha: number;
  dropout: number;
  targets: string[];
}

/** Options that are given; the rest follow from model and text. */
export type GivenOptions = Omit<Partial<TrainOptions>, "lora"> & { lora?: Partial<LoraOptions> };

export interface TrainRequest {
  text: string;
  lora: boolean;
  options: GivenOptions;
}

export interface ScratchOptions {
  preset: string;
  tokenizer: string;
  vocabSize: number;
  text: string;
  seed: number;
}

export type TrainEvent =
  | { type: "step"; step: number; loss: number; lr: number; gradNorm: number; tokensPerSecond: number }
  | { type: "evaluated"; step: number; loss: number; best: boolean }
  | { type: "finished" };

/** What the worker tells of a run. */
export type RunEvent =
  | { type: "progress"; events: TrainEvent[]; elapsedMs: number }
  | { type: "sample"; step: number; prompt: string; text: string }
  | { type: "saved"; step: number }
  | { type: "notSaved"; error: WireError };

/**
 * The lowest validation loss, the step it was measured at, and whether the model now holds the weights of that step.
 */
export interface BestWeights {
  loss: number;
  step: number;
  inForce: boolean;
}

export type RunMode = "full" | "lora" | "scratch";

/** The loss over the steps; step and loss in turn. */
export interface LossHistory {
  train: [number, number][];
  validation: [number, number][];
}

/** What a saved run tells about itself. */
export interface RunMeta {
  version: 1;
  id: string;
  name: string;
  mode: RunMode;
  step: number;
  steps: number;
  savedAt: number;
  elapsedMs: number;
  /** The model it began from. */
  source: { kind: string; id: string; name: string };
  nParams: number;
  /** Runs of earlier versions do not say. */
  vocabSize?: number;
  history: LossHistory;
  sample: { step: number; prompt: string; text: string } | null;
  /** What it wrote on its way, from the first to the last. */
  samples?: { step: number; prompt: string; text: string }[];
  /** How strongly adapters act when the model writes, where it was changed. */
  strength?: number;
}

/** A run in the list of what is saved. */
export interface SavedRun {
  meta: RunMeta;
  bytes: number;
  /**
   * What is wrong with it: nothing; a part of its description, and it opens all the same; the whole, and it does not;
   * its first save was
   * never finished; or it could not be read now.
   */
  damage: "" | "part" | "whole" | "unfinished" | "unread";
  /** Fields of `meta` that are stand-ins. */
  lost: string[];
  /** Why it could not be read. */
  failure?: unknown;
}

/** What the worker says of a run that it opened. */
export interface Restored {
  meta: RunMeta;
  text: string;
  planned: Planned;
  readOnly: boolean;
  info: Info;
  best: BestWeights | null;
}

export interface Settings {
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  repetitionPenalty: number;
  /** An unsigned 32-bit integer. */
  seed: number;
  maxNewTokens: number;
  stopAtEnd: boolean;
}

/**
 * A model's small files by name: config.json, tokenizer.json or vocab.json and merges.txt, and for weights in several
 * files model.safetensors.index.json.
 */
export type SmallFiles = Record<string, Uint8Array>;

/** A text's tokens, and the text of each. */
export interface Tokenized {
  ids: number[];
  pieces: string[];
}

/** A generation that has begun. */
export interface Started {
  promptTokens: number;
  contextUsed: number;
}

/** The WebAssembly session; asynchronous calls on one session must never overlap. */
export interface WasmSession {
  loadChunk(bytes: Uint8Array): void;
  /** Ends one weights file; needed after each where there are several. */
  endFile(): void;
  finishLoading(): Promise<Info>;
  info(): Info;
  tokenize(text: string): Tokenized;
  start(options: Settings & { prompt: string }): Promise<Started>;
  /** `null` when there is nothing to do. */
  next(budgetMs: number): Promise<Step | null>;
  /** The next `next` ends the generation and says "stopped". */
  stop(): void;
  /** `between` runs between slices of work; resolving to true ends it with the error "cancelled". */
  inspect(
    request: import("../inspect/types.js").InspectRequest,
    between: (progress: import("../inspect/types.js").InspectProgress | null) => Promise<boolean>,
  ): Promise<unknown>;
  /** For each layer a row of `[head 0, …, MLP]`; 0 is off. Nothing given switches all on. */
  setGates(gates?: Float32Array): void;
  trainPlan(request: TrainRequest): Planned;
  trainStart(request: TrainRequest): Promise<Planned>;
  /** `null` when there is no run. */
  trainNext(budgetMs: number): Promise<{ events: TrainEvent[] } | null>;
  /** Breaks off the step under way, which is done again later. */
  trainDrain(): Promise<{ events: TrainEvent[] }>;
  trainStop(): void;
  /** `piece` gets one file, a piece at a time. */
  saveState(piece: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void>;
  restoreState(file: Blob, text: string): Promise<Planned>;
  /** Nothing where none are kept. */
  bestWeights(): BestWeights | undefined;
  /** Puts the best weights into the model, or those of the last step back. */
  useBest(best: boolean): Promise<BestWeights | undefined>;
  modelFiles(): { name: string; bytes: Uint8Array<ArrayBuffer> }[];
  exportZip(kind: "model" | "adapter"): Promise<Uint8Array<ArrayBuffer>[]>;
  addAdapter(config: Uint8Array, weights: Blob): Promise<void>;
  setLoraStrength(strength: number): void;
  /** Whether the device has failed for good. */
  lost(): boolean;
  free(): void;
}

export interface WasmModule {
  default(): Promise<unknown>;
  Session: {
    /**
     * `heads`: the first bytes of each weights file, with its header; `lengths`: of these files, 0 where they are not
     * known.
     */
    open(
      options: { backend: Backend },
      files: SmallFiles,
      heads: Uint8Array[],
      lengths: number[],
    ): Promise<WasmSession>;
    /** Allocates the model of a run that is trained as a whole; `state` is what `saveState` wrote. */
    openRun(options: { backend: Backend }, files: SmallFiles, state: Blob): Promise<WasmSession>;
    openScratch(options: ScratchOptions & { backend: Backend }): Promise<WasmSession>;
    scratchPlan(options: ScratchOptions & { backend: Backend }, given: GivenOptions): Planned;
  };
}

/** A stretch of the text: the user's, or one token that the model wrote. Never changed once made. */
export interface Run {
  readonly text: string;
  readonly source: "user" | "model";
  readonly token?: Token;
}

export interface ShippedModel {
  id: string;
  name: string;
  path: string;
  files: { name: string; bytes: number; sha256?: string }[];
  n_params?: number;
  n_ctx?: number;
  vocab_size?: number;
  description?: string;
  description_zh?: string;
  /** What it writes, as language tags. */
  languages?: string[];
  /** In its folder, what the guide says of it. */
  guide?: string;
  license?: string;
}

/**
 * What the worker is asked; `ping` and `live` at any time, without an answer of their own. `chunk` carries the
 * safetensors file in order.
 */
export type Request =
  | { id: number; cmd: "open"; backend: Backend; files: SmallFiles; heads: Uint8Array[]; lengths: number[] }
  | { id: number; cmd: "chunk"; bytes: Uint8Array }
  | { id: number; cmd: "endFile" }
  | { id: number; cmd: "finish" }
  | { id: number; cmd: "tokenize"; text: string }
  | { id: number; cmd: "generate"; options: Settings & { prompt: string }; whole?: boolean }
  | { id: number; cmd: "openScratch"; backend: Backend; options: ScratchOptions }
  | { id: number; cmd: "scratchPlan"; backend: Backend; options: ScratchOptions; given: GivenOptions }
  | { id: number; cmd: "trainPlan"; request: TrainRequest }
  | {
      id: number;
      cmd: "trainStart";
      request: TrainRequest;
      meta: Pick<RunMeta, "id" | "name" | "mode" | "source" | "nParams">;
    }
  | { id: number; cmd: "train" }
  | { id: number; cmd: "pause" }
  | { id: number; cmd: "save" }
  | { id: number; cmd: "release" }
  | { id: number; cmd: "reclaim" }
  | { id: number; cmd: "best" }
  | { id: number; cmd: "useBest"; best: boolean }
  | { id: number; cmd: "sample" }
  | { id: number; cmd: "restore"; backend: Backend; run: string; baseLoaded: boolean; look: boolean }
  | { id: number; cmd: "exportZip"; kind: "model" | "adapter" }
  | { id: number; cmd: "keepBase"; base: string; files: import("../models/bases.js").BaseFiles }
  | { id: number; cmd: "addAdapter"; config: Uint8Array; weights: Blob }
  | { id: number; cmd: "strength"; value: number }
  | { id: number; cmd: "inspect"; request: import("../inspect/types.js").InspectRequest }
  | { id: number; cmd: "inspectCancel"; target: number }
  | { id: number; cmd: "gates"; gates?: Float32Array }
  | { id: number; cmd: "ping" }
  | { id: number; cmd: "live"; lock: string }
  | { id: number; cmd: "stop" };

export type GenerationEvent =
  | { type: "started"; promptTokens: number; contextUsed: number }
  | { type: "prefill"; done: number; total: number }
  | { type: "tokens"; tokens: Token[]; contextUsed: number; ms: number };

export interface GenerationResult {
  finished: NonNullable<Finished>;
  promptTokens: number;
  tokens: number;
  ms: number;
  contextUsed: number;
}

/**
 * An error between worker and page. `message` is the engine's words, unless `key` names a sentence of the page; `raw`
 * is what the
 * browser said. `fatal` means that the WebAssembly instance must not be used again.
 */
export type WireError = { fatal: boolean } & (
  | { said: Said }
  | { key: string; params: Record<string, string | number>; raw: string }
);

/** What the worker answers. `pulse` answers a `ping`: how far the worker is; `lives`: it holds the lock of its life. */
export type Reply =
  | { id: number; value: unknown }
  | { id: number; event: GenerationEvent | RunEvent | import("../inspect/types.js").InspectProgress }
  | { id: number; error: WireError }
  | { pulse: number }
  | { lives: true }
  | { fatal: WireError };

export interface Progress {
  name: string;
  done: number;
  total: number;
}

/** What the page knows, apart from the text. */
export interface State {
  tab: Tab;
  lang: Lang;
  /** The user or a link chose the language. */
  langChosen: boolean;
  theme: Theme;
  /** The backend asked for; `info` tells which one runs. */
  backend: Backend;
  settings: Settings;
  /** The open model's name in the address. */
  modelId: string;
  /** The fingerprint of the adapter from disk that is on the model, or that a link asks for; "" for none. */
  adapterId: string;
  info: Info | null;
  loading: Progress | null;
  shipped: ShippedModel[];
  /** Files of a model that is not complete yet. */
  pending: Partial<Record<"config" | "tokenizer" | "vocab" | "merges" | "weights", File>>;
  view: import("../inspect/types.js").InspectView;
  /** The user or a link opened or closed the inspector. */
  openChosen: boolean;
  /** The place in the guide, as the address holds it: "attention.3"; "" where it is closed. */
  guide: string;
}
