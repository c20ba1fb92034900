/** Ranking heads for a target: which target, the measuring, what was found. Free of the DOM. */

import { reasonOf } from "../../../core/cause.js";
import { isAbort } from "../../../core/errors.js";
import { defaultTarget, Memory, offKey, Pace, ranking, topAfter } from "./data.js";

/** @typedef {import("../../types.js").InspectContext} InspectContext */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {import("../../types.js").Unit} Unit */
/** @typedef {import("../../types.js").AblateAnswer} AblateAnswer */
/** @typedef {import("./data.js").Effect} Effect */
/** @typedef {{ id: number, text: string, follows: boolean }} Target */
/**
 * A ranking, or the part of it that is done.
 * @typedef {object} Ranked
 * @property {readonly Effect[]} effects
 * @property {readonly Unit[]} off what was off before any of them
 * @property {string} target
 * @property {string} token after which it was measured
 * @property {number} done
 * @property {number} total
 */

/** The text up to the selected token, which is all that what follows depends on. @param {Subject} subject */
function placeOf({ tokens, selected }) {
  return tokens.ids.slice(0, selected + 1).join();
}

export class Ranker {
  /**
   * @param {Pick<InspectContext, "ask" | "say">} ctx
   * @param {Memory<Ranked>} memory
   * @param {() => void} onProgress something new was found
   */
  constructor(ctx, memory, onProgress) {
    this.ctx = ctx;
    this.memory = memory;
    this.onProgress = onProgress;
    /** @type {Pace | null} */
    this.running = null;
    /**
     * A target other than the usual one, and the place it was chosen for.
     * @type {(Target & { place: string }) | null}
     */
    this.chosen = null;
    /**
     * The usual one of a place: it stays the same while heads go off and on.
     * @type {(Target & { place: string }) | null}
     */
    this.usual = null;
  }

  /** The model has changed: what was likeliest need not be now. */
  forget() {
    this.memory.clear();
    this.usual = null;
  }

  /**
   * Tokens to rank for, the usual one first, and the one that is chosen.
   * @param {Subject} subject @param {boolean} fresh whether its scores belong to what is off
   * @returns {{ choices: Target[], target: Target | null }}
   */
  targets(subject, fresh) {
    const place = placeOf(subject);
    const scores = this.memory.baselines.get(subject.text) ?? (fresh ? subject.scores : null);
    const best = scores ? topAfter(scores, subject.selected) : [];
    const now = defaultTarget(subject.tokens, subject.selected, best);
    const usual = this.usual?.place === place && !now?.follows && !this.usual.follows ? this.usual : now;
    this.usual = usual && { ...usual, place };
    const chosen = this.chosen?.place === place ? this.chosen : usual;
    /** @type {Map<number, Target>} */
    const choices = new Map(usual ? [[usual.id, { id: usual.id, text: usual.text, follows: usual.follows }]] : []);
    for (const { id, text } of best) if (!choices.has(id)) choices.set(id, { id, text, follows: false });
    if (chosen && !choices.has(chosen.id))
      choices.set(chosen.id, { id: chosen.id, text: chosen.text, follows: chosen.follows });
    return { choices: [...choices.values()], target: chosen };
  }

  /** @param {Subject} subject @param {boolean} fresh @param {number} id */
  choose(subject, fresh, id) {
    const choice = this.targets(subject, fresh).choices.find((one) => one.id === id);
    if (choice) this.chosen = { ...choice, place: placeOf(subject) };
  }

  /**
   * What is known for a target: with the same things off, else with others, which `off` tells.
   * @param {Subject} subject @param {Target | null} target @param {readonly Unit[]} off
   */
  shown(subject, target, off) {
    if (!target) return null;
    const where = `${placeOf(subject)} ${target.id}`;
    return this.memory.results.get(`${where} ${offKey(off)}`) ?? this.memory.latest.get(where) ?? null;
  }

  /**
   * Measures every unit. Ends early when the question is withdrawn; what was found by then is kept.
   * @param {Subject} subject @param {Target} target @param {Unit[]} off
   */
  async rank(subject, target, off) {
    const where = `${placeOf(subject)} ${target.id}`;
    const { nLayer, nHead } = subject.info;
    const run = new Pace(nLayer * (nHead + 1), performance.now());
    this.running = run;
    const keep = (/** @type {AblateAnswer} */ answer, /** @type {number} */ done, /** @type {number} */ total) => {
      const ranked = {
        effects: ranking(answer, off),
        off,
        target: target.text,
        token: subject.tokens.texts[subject.selected],
        done,
        total,
      };
      this.memory.results.set(`${where} ${offKey(off)}`, ranked);
      this.memory.latest.set(where, ranked);
    };
    const ids = subject.tokens.ids.slice(0, subject.selected + 1);
    try {
      const answer = await this.ctx.ask(
        "rank",
        { what: "ablate", ids, target: target.id },
        ({ done, total, partial }) => {
          if (this.running !== run) return;
          run.see({ done, total }, performance.now());
          if (partial) keep(partial, partial.units.length, run.units);
          this.onProgress();
        },
      );
      keep(answer, answer.units.length, answer.units.length);
    } catch (error) {
      if (!isAbort(error)) this.ctx.say("heads.error", { reason: reasonOf(error) });
    }
    if (this.running !== run) return;
    this.running = null;
    this.onProgress();
  }

  /** Ends the measuring; what was found so far stays. */
  cancel() {
    if (!this.running) return;
    this.running = null;
    // A question that costs nothing takes the slot, which ends the one that was in it.
    this.ctx.ask("rank", { what: "tokens", text: "" }).catch(() => {});
  }
}
