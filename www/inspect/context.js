/** What panels speak about and what they can do: ties the inspector to the page. Draws nothing. */

import { PageError } from "../core/errors.js";
import { Engine } from "../engine/client.js";
import { shippedSource } from "../models/network.js";
import { canOpen } from "../models/saved_runs.js";
import { runSource } from "../models/sources.js";
import { Asker } from "./asker.js";
import { Branches } from "./branches.js";
import { isWhole } from "./label.js";
import { SubjectKeeper } from "./subject.js";

/** @typedef {import("./types.js").InspectContext} InspectContext */
/** @typedef {import("./types.js").InspectView} InspectView */
/** @typedef {import("./types.js").InspectRequest} InspectRequest */
/** @typedef {import("./types.js").InspectProgress} InspectProgress */
/** @typedef {import("./types.js").Answers} Answers */
/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("../engine/types.js").Settings} Settings */
/** @typedef {import("../models/sources.js").ModelSource} ModelSource */

/** What branches are kept as over a reload. */
const BRANCHES = "branches";

/** @implements {InspectContext} */
export class Context {
  /**
   * @param {import("../app.js").App} app
   * @param {object} hooks
   * @param {() => void} hooks.onChange
   * @param {(key: string, params?: Record<string, string | number>, error?: unknown) => void} hooks.say
   * @param {() => void} [hooks.onReading] the text is being read, further than before, or no more
   */
  constructor(app, { onChange, say, onReading = () => {} }) {
    this.app = app;
    this.sayTo = say;
    this.onReading = onReading;
    /** How far the text is read, as a share of it; NaN where that is not known yet. @type {{ share: number } | null} */
    this.reading = null;
    /** For panels. */
    this.asker = new Asker({
      inspect: (request, options) => app.engine.inspect(request, options),
      worker: () => app.engine.client,
    });
    /** For the text itself, whatever panel is open. */
    this.own = new Asker(this.asker.engine);
    /** Of the engines that panels opened. @type {Set<Asker>} */
    this.others = new Set();
    this.keeper = new SubjectKeeper({
      tokens: (text) => this.own.ask("tokens", { what: "tokens", text }),
      score: (ids) => this.score(ids),
      onChange,
      onVersion: () => {
        this.own.abort();
        this.abort();
      },
      onError: (error) => say("inspect.error.read", {}, error),
      wait: (callback, ms) => window.setTimeout(callback, ms),
      cancel: (timer) => clearTimeout(timer),
    });
    /** Selects a token of the whole text and shows it; given by who knows the paper. @type {(at: number) => void} */
    this.choose = () => {};
    this.branches = new Branches();
    this.restoreBranches();
    this.branches.onChange(() => {
      app.kept.keep(BRANCHES, () => this.branches.toJSON());
      onChange();
    });
  }

  /** @param {number[]} ids */
  async score(ids) {
    const reading = { share: NaN };
    this.reading = reading;
    this.onReading();
    try {
      return await this.own.ask("score", { what: "score", ids }, ({ done, total }) => {
        reading.share = done / total;
        this.onReading();
      });
    } finally {
      if (this.reading === reading) this.reading = null;
      this.onReading();
    }
  }

  get trail() {
    return this.keeper.trail;
  }

  get view() {
    return this.app.state.view;
  }

  get settings() {
    return this.app.state.settings;
  }

  get subject() {
    return this.keeper.subject(this.view.token, this.app.writer.caret);
  }

  /** What is known of the selected token. */
  card() {
    return this.keeper.card(this.view.token, this.app.writer.caret);
  }

  /**
   * @template {keyof Answers} W
   * @param {string} slot
   * @param {Extract<InspectRequest, { what: W }>} request
   * @param {(progress: InspectProgress) => void} [onProgress]
   * @returns {Promise<Answers[W]>}
   */
  ask(slot, request, onProgress) {
    return this.asker.ask(slot, request, onProgress);
  }

  /** Ends what panels have asked. */
  abort() {
    this.asker.abort();
    for (const other of this.others) other.abort();
  }

  /** @param {Partial<InspectView>} patch */
  setView(patch) {
    this.app.setView(patch);
  }

  /** @param {number} position */
  select(position) {
    const { subject } = this;
    if (!subject) return;
    const token = Math.min(subject.tokens.ids.length - 1, Math.max(0, position));
    if (subject.hidden === this.keeper.offset) this.app.setView({ token });
    else this.choose(subject.hidden + token);
  }

  /** @param {Partial<Settings>} patch */
  setSettings(patch) {
    this.app.setSettings(patch);
  }

  /** @param {number} position @param {number} id @param {string} text */
  continueWith(position, id, text) {
    const { subject } = this;
    if (!subject || position < 1) return;
    // Bytes that are no whole character cannot stand on the paper.
    if (!isWhole(text)) return this.say("inspect.notWhole");
    const at = position <= subject.tokens.ids.length ? subject.tokens.ends[position - 1] : subject.text.length;
    const token = this.keeper.alternative(subject.hidden + position - 1, id, text);
    this.record();
    this.go(this.app.generate({ at, run: token ? { text, source: "model", token } : { text, source: "model" } }));
  }

  /** @param {number} [position] */
  generate(position) {
    const { subject, app } = this;
    this.record();
    const end = position === undefined || !subject ? undefined : subject.tokens.ends[position];
    app.writer.moveCaret(end ?? app.writer.text.length);
    this.go(app.generate());
  }

  /** @param {Promise<void>} done */
  go(done) {
    if (this.view.token !== null) this.setView({ token: null });
    void done;
  }

  /** Keeps the text in the tree. */
  record() {
    this.branches.record(this.app.writer.runs);
  }

  /** @param {string} id */
  openBranch(id) {
    const runs = this.branches.get(id);
    const { writer } = this.app;
    if (!runs) return;
    this.record();
    if (writer.runs !== runs) writer.replace(runs);
    this.branches.record(runs);
    this.setView({ token: null });
  }

  restoreBranches() {
    const kept = this.app.kept.read(BRANCHES);
    if (kept !== undefined && !this.branches.restore(kept)) this.app.tellDamaged();
  }

  /** @returns {{ id: string, name: string, vocabSize?: number, source: ModelSource }[]} */
  sources() {
    const { engine, training, state } = this.app;
    const list = [];
    const { origin } = training;
    const tuned = engine.source?.run !== undefined || Boolean(state.info?.trained);
    if (tuned && origin) list.push({ id: "base", name: origin.name, source: origin });
    for (const model of state.shipped) {
      const inUse = engine.source?.id === model.id || (tuned && origin?.id === model.id);
      if (!inUse)
        list.push({
          id: `shipped:${model.id}`,
          name: model.name,
          vocabSize: model.vocab_size,
          source: shippedSource(model),
        });
    }
    for (const { meta } of training.saves.list.filter(canOpen)) {
      if (meta.id === training.state.run?.id && tuned) continue;
      try {
        list.push({
          id: `run:${meta.id}`,
          name: meta.name,
          vocabSize: meta.vocabSize,
          source: runSource(meta, training.saves.sourceOf(meta)),
        });
      } catch {
        // Adapters whose model is not here.
      }
    }
    return list;
  }

  /** @param {import("../engine/types.js").Tab} tab */
  goTo(tab) {
    this.app.store.set({ tab });
  }

  otherModels() {
    return this.sources().map(({ id, name, vocabSize }) => ({ id, name, vocabSize }));
  }

  /**
   * @param {string} id @param {AbortSignal} signal @param {(done: number, total: number) => void} [onProgress]
   * @param {(error: unknown) => void} [onLost] called when the engine that was opened is lost
   * @returns {Promise<{ ask: InspectContext["ask"], close(): void, name: string, info:
   *   import("../engine/types.js").Info }>}
   */
  async openOther(id, signal, onProgress = () => {}, onLost = () => {}) {
    const found = this.sources().find((one) => one.id === id);
    if (!found) throw new PageError("error.noModel");
    const engine = new Engine((error) => {
      close();
      onLost(error);
    });
    const asker = new Asker({
      inspect: (request, options) => engine.inspect(request, options),
      worker: () => engine.client,
    });
    const close = () => {
      this.others.delete(asker);
      asker.abort();
      engine.close();
    };
    const info = await engine.load(found.source, this.app.state.info?.backend ?? "cpu", {
      signal,
      onProgress,
      look: true,
    });
    if (signal.aborted) {
      close();
      signal.throwIfAborted();
    }
    this.others.add(asker);
    return { ask: (slot, request, onProgress) => asker.ask(slot, request, onProgress), close, name: found.name, info };
  }

  /** @param {string} key @param {Record<string, string | number>} [params] */
  say(key, params) {
    this.sayTo(key, params);
  }
}
