/** Fetches the graph and one token's values, what is looked at first, and keeps them. Free of the DOM. */

import { reasonOf } from "../../../core/cause.js";
import { isAbort } from "../../../core/errors.js";
import { readFlow } from "./graph.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("../../types.js").NextAnswer} NextAnswer */
/** @typedef {import("./graph.js").Flow} Flow */

/** Where one block's values took longer than this, the other blocks' are fetched only when they are opened. */
const PATIENCE_MS = 300;
const BEST = 20;

export class FlowSource {
  /** @param {Pick<InspectContext, "ask" | "settings">} ctx @param {() => void} onChange */
  constructor(ctx, onChange) {
    this.ctx = ctx;
    this.onChange = onChange;
    /** @type {Flow | null} */
    this.flow = null;
    this.flowVersion = -1;
    /** @type {Subject | null} what is being fetched, or was last */
    this.wanted = null;
    /** @type {Subject | null} what the values below are of; they stay until the first of another token's come */
    this.subject = null;
    /** The block that is looked at; -1 for none. */
    this.open = -1;
    this.problem = "";
    this.turn = 0;
    this.forget();
  }

  forget() {
    /** @type {Map<string, Float32Array>} */
    this.tensors = new Map();
    /** @type {Map<number, NonNullable<import("../../types.js").ValuesAnswer["attention"]>>} by layer */
    this.attention = new Map();
    /** @type {Set<number>} layers whose values are there; -1 for before and after */
    this.layers = new Set();
    /** @type {NextAnswer | null} */
    this.next = null;
    this.nextSettings = "";
    this.slow = false;
  }

  /** What is shown is of another token or text than what is wanted. */
  get stale() {
    return this.wanted?.version !== this.subject?.version || this.wanted?.selected !== this.subject?.selected;
  }

  /**
   * Fetches what is missing for a token, with one block looked at.
   * @param {Subject} subject @param {number} open
   */
  update(subject, open) {
    const same = this.wanted?.version === subject.version && this.wanted.selected === subject.selected;
    this.wanted = subject;
    if (!same) this.problem = "";
    const opened = open >= 0 && open !== this.open && !this.layers.has(open);
    this.open = open;
    if (!same || opened) void this.load(subject);
    else if (!this.stale && this.nextSettings !== this.settingsKey()) void this.loadNext(subject);
  }

  /** Nothing more is fetched; what is there is kept. */
  close() {
    this.turn += 1;
    this.wanted = null;
  }

  /** @param {Subject} subject */
  async load(subject) {
    this.turn += 1;
    const { turn, ctx } = this;
    const ids = subject.tokens.ids.slice(0, subject.selected + 1);
    try {
      if (this.flowVersion !== subject.version) {
        const answer = await ctx.ask("flow", { what: "flow" });
        if (this.turn !== turn) return;
        this.flow = readFlow(answer);
        this.flowVersion = subject.version;
      }
      for (let layer = this.missing(); layer !== null; layer = this.missing()) {
        const from = performance.now();
        const answer = await ctx.ask("flow.values", { what: "values", ids, layer });
        if (this.turn !== turn) return;
        if (this.stale) this.forget();
        this.subject = subject;
        for (const { name, values } of answer.tensors) this.tensors.set(name, values);
        if (answer.attention) this.attention.set(layer, answer.attention);
        this.layers.add(layer);
        this.slow = performance.now() - from > PATIENCE_MS;
        this.onChange();
      }
      if (this.nextSettings !== this.settingsKey()) await this.loadNext(subject);
    } catch (error) {
      if (this.turn === turn) this.fail(error);
    }
  }

  /** The layer to fetch next: the one looked at, then what stands outside, then the rest where that is fast. */
  missing() {
    const blocks = this.flow?.blocks.map(({ layer }) => layer) ?? [];
    const have = (/** @type {number} */ layer) => !this.stale && this.layers.has(layer);
    const first = [...(blocks.includes(this.open) ? [this.open] : []), -1];
    return [...first, ...(this.slow ? [] : blocks)].find((layer) => !have(layer)) ?? null;
  }

  settingsKey() {
    const { temperature, topK, topP, minP, repetitionPenalty } = this.ctx.settings;
    return JSON.stringify({ temperature, topK, topP, minP, repetitionPenalty });
  }

  /** @param {Subject} subject */
  async loadNext(subject) {
    const key = this.settingsKey();
    this.nextSettings = key;
    const { turn } = this;
    try {
      const ids = subject.tokens.ids.slice(0, subject.selected + 1);
      const answer = await this.ctx.ask("flow.next", {
        what: "next",
        ids,
        settings: JSON.parse(key),
        limit: BEST,
        query: "",
      });
      if (this.turn !== turn || this.nextSettings !== key) return;
      this.next = answer;
      this.onChange();
    } catch (error) {
      if (this.turn !== turn || this.nextSettings !== key) return;
      this.nextSettings = "";
      this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (isAbort(error)) return;
    this.problem = reasonOf(error);
    this.onChange();
  }
}
