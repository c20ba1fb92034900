/** What the steps need to know: asked of the engine once for each text, token, layer and head, and kept. Free of the DOM. */
import { isAbort } from "../core/errors.js";

/** @typedef {import("./types.js").Facts} Facts */
/** @typedef {import("./types.js").Need} Need */
/** @typedef {import("../inspect/types.js").InspectRequest} InspectRequest */
/**
 * What questions are about. `after` is the token that the Next panel asks about.
 * @typedef {Pick<Facts, "tokens" | "selected" | "layer" | "head" | "settings"> & { version: number, after: number }} About
 */

/** Heads are told apart on the beginning of a text: more tokens would be averaged to cells. */
const HEAD_TOKENS = 32;
const GUESSES = 20;

/** @typedef {(slot: string, request: any) => Promise<any>} Ask */

/** @type {Record<Need, { key: (about: About) => unknown, ask: (ask: Ask, about: About) => Promise<unknown> }>} */
const NEEDS = {
  next: {
    key: ({ after, settings }) => [after, settings],
    async ask(ask, { tokens, after, settings }) {
      const ids = tokens.ids.slice(0, after + 1);
      const next = await ask("guide.next", { what: "next", ids, settings, limit: GUESSES, query: "" });
      const values = await ask("guide.logits", { what: "values", ids, layer: -1 });
      const logits = values.tensors.find((/** @type {{ name: string }} */ { name }) => name === "logits").values;
      return { ...next, before: tokens.texts[after], logits };
    },
  },
  outside: {
    key: ({ selected }) => selected,
    ask: (ask, { tokens, selected }) =>
      ask("guide.outside", { what: "values", ids: tokens.ids.slice(0, selected + 1), layer: -1 }),
  },
  block: {
    key: ({ selected, layer }) => [selected, layer],
    ask: (ask, { tokens, selected, layer }) =>
      ask("guide.block", { what: "values", ids: tokens.ids.slice(0, selected + 1), layer }),
  },
  attention: {
    key: ({ layer, head }) => [layer, head],
    ask: (ask, { tokens, layer, head }) => ask("guide.attention", { what: "attention", ids: tokens.ids, layer, head }),
  },
  heads: {
    key: () => "",
    ask: (ask, { tokens }) =>
      ask("guide.heads", { what: "heads", ids: tokens.ids.slice(0, HEAD_TOKENS), size: HEAD_TOKENS }),
  },
  lens: {
    key: ({ selected }) => selected,
    ask: (ask, { tokens, selected }) =>
      ask("guide.lens", { what: "lens", ids: tokens.ids, from: selected, to: selected + 1, target: "answer" }),
  },
};

export class FactSource {
  /** @param {Ask} ask @param {() => void} onChange */
  constructor(ask, onChange) {
    this.ask = ask;
    this.onChange = onChange;
    /**
     * Per need, what was asked last and what came of it.
     * @type {Map<Need, { key: string, value?: unknown, error?: unknown }>}
     */
    this.known = new Map();
  }

  /**
   * What is known of these needs now. What is not there is asked for, and told of when it comes.
   * @param {readonly Need[]} needs @param {About} about
   * @returns {{ found: Partial<Pick<Facts, Need>>, complete: boolean, error: unknown }}
   */
  get(needs, about) {
    /** @type {Record<string, unknown>} */
    const found = {};
    let complete = true;
    /** @type {unknown} */
    let error = null;
    for (const need of needs) {
      const key = JSON.stringify([about.version, NEEDS[need].key(about)]);
      let entry = this.known.get(need);
      if (entry?.key !== key) entry = this.start(need, key, about);
      if (entry.value !== undefined) found[need] = entry.value;
      else complete = false;
      error ??= entry.error ?? null;
    }
    return { found, complete, error };
  }

  /** @param {Need} need @param {string} key @param {About} about */
  start(need, key, about) {
    /** @type {{ key: string, value?: unknown, error?: unknown }} */
    const entry = { key };
    this.known.set(need, entry);
    NEEDS[need].ask(this.ask, about).then(
      (value) => {
        entry.value = value;
        this.onChange();
      },
      (error) => {
        // Withdrawn: whoever wants it asks again.
        if (isAbort(error)) {
          if (this.known.get(need) === entry) this.known.delete(need);
          return;
        }
        entry.error = error;
        this.onChange();
      },
    );
    return entry;
  }

  /** It can be asked again. */
  forget() {
    this.known.clear();
  }
}

/** Steps that speak of training need no text on the paper. */
const NO_TOKENS = { ids: [], texts: [], bytes: [], ends: [], bos: false };

/**
 * What is known without asking.
 * @param {object} page
 * @param {import("../engine/types.js").Info} page.info
 * @param {import("../engine/types.js").Settings} page.settings
 * @param {Pick<import("../inspect/types.js").InspectView, "layer" | "head">} page.view
 * @param {Pick<import("../inspect/types.js").Subject, "text" | "tokens" | "scores" | "selected"> | null} page.subject
 * @param {Pick<import("../inspect/trail.js").Trail, "length" | "logprob"> | null} page.trail
 * @param {import("./types.js").Claims | null} page.claims
 * @param {Pick<import("../train/plan.js").TrainingPlan, "planned" | "text">} page.plan
 * @param {Pick<import("../train/run_facts.js").RunState, "run" | "history">} page.run
 * @returns {Facts}
 */
export function factsOf({ info, settings, view, subject, trail, claims, plan, run }) {
  const { temperature, topK, topP, minP, repetitionPenalty } = settings;
  const losses = run.run ? run.history.train : [];
  const empty = plan.text.trim() === "";
  const within = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
    Math.min(most, Math.max(least, value));
  return {
    info,
    text: subject?.text ?? "",
    tokens: subject?.tokens ?? NO_TOKENS,
    count: trail?.length ?? 0,
    selected: subject?.selected ?? 0,
    logprobs: subject?.scores?.logprob.subarray(0, subject.tokens.ids.length - 1) ?? [],
    surprise: surpriseOf(trail),
    settings: { temperature, topK, topP, minP, repetitionPenalty },
    layer: within(view.layer, 0, info.nLayer - 1),
    head: within(view.head, -1, info.nHead - 1),
    claims,
    training: {
      planned: empty ? null : plan.planned,
      empty,
      losses: losses.length > 1 ? [losses[0][1], losses[losses.length - 1][1]] : null,
      vocabSize: info.vocabSize,
    },
  };
}

/** @param {Pick<import("../inspect/trail.js").Trail, "length" | "logprob"> | null} trail */
function surpriseOf(trail) {
  const sum = { count: 0, nats: 0 };
  for (let row = 0; trail && row + 1 < trail.length; row += 1) {
    if (Number.isNaN(trail.logprob[row])) continue;
    sum.count += 1;
    sum.nats -= trail.logprob[row];
  }
  return sum;
}
