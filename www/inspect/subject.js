/**
 * Keeps the tokens of the paper's text and their scores up to date: while the user types, while the model writes, and
 * after.
 */
import { isAbort } from "../core/errors.js";
import { NO_LEVEL } from "../core/pieces.js";
import { alternativeOf, cardOf } from "./card_data.js";
import { scoreEarlier } from "./earlier.js";
import { marksOf, runAt, sharedEnds } from "./marks.js";
import { Trail } from "./trail.js";

/** @typedef {import("./types.js").TokensAnswer} TokensAnswer */
/** @typedef {import("./types.js").ScoreAnswer} ScoreAnswer */
/** @typedef {import("./types.js").Subject} Subject */
/** @typedef {import("../engine/types.js").Info} Info */
/** @typedef {import("../engine/types.js").Run} Run */
/** @typedef {import("../engine/types.js").Token} Token */
/** @typedef {import("../core/pieces.js").Marks} Marks */

/** How long the user must pause before the text is read. */
export const TYPING_PAUSE_MS = 150;
/**
 * Nobody types so many characters between two drawings of the page: a text that was pasted or put there is read at
 * once.
 */
const MOST_TYPED = 16;

/**
 * @typedef {object} KeeperHooks
 * @property {(text: string) => Promise<TokensAnswer>} tokens
 * @property {(ids: number[]) => Promise<ScoreAnswer>} score
 * @property {() => void} onChange something new is known
 * @property {(error: unknown) => void} onError
 * @property {() => void} onVersion what was asked about the text before is stale
 * @property {(callback: () => void, ms: number) => number} wait
 * @property {(timer: number) => void} cancel
 */

/**
 * What the page says now. `stamp` changes whenever the model computes something else.
 * @typedef {{ runs: readonly Run[], text: string, writing: boolean, info: Info | null, stamp: string }} Now
 */

export class SubjectKeeper {
  /** @param {KeeperHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.trail = new Trail();
    this.version = 0;
    /** @type {Now} */
    this.now = { runs: [], text: "", writing: false, info: null, stamp: "" };
    /** The answer for the text as it stands. @type {ScoreAnswer | null} */
    this.scores = null;
    /**
     * The answer for an earlier window of a text longer than the context: the one that the selected token stands in.
     * @type {{ from: number, scores: ScoreAnswer | null } | null}
     */
    this.early = null;
    /** Whether the trail's tokens are those of the text as it stands. */
    this.settled = false;
    /** The trail's figures are those of the model as it was before; they are shown until the new ones have come. */
    this.outdated = false;
    /** What the model wrote last, while it writes. @type {Token | null} */
    this.newest = null;
    /** Numbers the readings of the text: only the latest counts. */
    this.reading = 0;
    this.timer = 0;
    /**
     * The run that the trail took last, and how many runs stood on the paper then.
     * @type {{ run: Run | null, count: number }}
     */
    this.taken = { run: null, count: 0 };
    /** The text whose tokens were asked for while the model writes. */
    this.askedFor = "";
    /** @type {Subject | null} */
    this.last = null;
    /** @type {{ marks: Marks, key: unknown[] } | null} */
    this.drawn = null;
    this.grown = 0;
  }

  /** Hears what the page says; cheap when nothing has changed. @param {Now} now */
  follow(now) {
    const before = this.now;
    this.now = now;
    if (now.stamp !== before.stamp || (now.info === null) !== (before.info === null)) {
      // The same model with other heads on reads the same tokens.
      const sameTokens =
        this.settled && !now.writing && !before.writing && now.info === before.info && now.text === before.text;
      this.renew();
      if (sameTokens) {
        this.settled = this.outdated = true;
        return this.readSoon(0);
      }
      this.outdated = false;
      this.trail = new Trail();
      this.taken = { run: null, count: 0 };
      if (!now.info) return;
      if (now.writing) this.write();
      else this.readSoon(0);
      return;
    }
    if (!now.info) return;
    if (now.writing) {
      if (!before.writing) {
        this.renew();
        // What was shown before goes on being true of the text before.
        this.trail = this.outdated ? this.trail.bare() : this.trail.copy(this.trail.length);
        this.outdated = false;
      }
      if (now.runs !== before.runs || !before.writing) this.write();
    } else if (before.writing) {
      this.readSoon(0);
    } else if (now.text !== before.text) {
      this.settled = false;
      this.scores = this.early = null;
      this.readSoon(Math.abs(now.text.length - before.text.length) > MOST_TYPED ? 0 : TYPING_PAUSE_MS);
    }
  }

  /** Everything that was asked is about something else. */
  renew() {
    this.version += 1;
    this.reading += 1;
    this.hooks.cancel(this.timer);
    this.settled = false;
    this.scores = this.early = null;
    this.askedFor = "";
    this.newest = null;
    this.hooks.onVersion();
  }

  /** Nobody looks: what is under way ends, and begins anew when somebody does. */
  rest() {
    if (this.now.stamp === "" || (this.settled && this.scores && !this.now.writing)) return;
    this.renew();
    this.now = { ...this.now, stamp: "" };
  }

  /** @param {number} ms */
  readSoon(ms) {
    this.reading += 1;
    this.hooks.cancel(this.timer);
    if (ms) this.timer = this.hooks.wait(() => void this.read(), ms);
    else void this.read();
  }

  /** Asks for the tokens of the text, then for what the model thinks of them. */
  async read() {
    const reading = ++this.reading;
    const { text, info } = this.now;
    if (!info) return;
    try {
      const trail = this.settled && this.outdated ? this.trail.bare() : await this.readTokens(reading, text);
      if (!trail || trail.length === 0 || text === "") return;
      const { offset } = this;
      const scores = await this.hooks.score(trail.ids.slice(offset));
      if (reading !== this.reading) return;
      trail.score(scores, offset);
      this.trail = trail;
      this.outdated = false;
      this.scores = scores;
      this.changed();
      await this.readRest(reading);
    } catch (error) {
      // What is withdrawn is so for another reading, or for another model, which is read when it is heard of.
      if (reading === this.reading && !isAbort(error)) this.hooks.onError(error);
    }
  }

  /** Colours what stands before the context. @param {number} reading */
  async readRest(reading) {
    const { trail, offset, now } = this;
    if (!offset || !now.info) return;
    const score = async (/** @type {number[]} */ ids) => {
      const earlier = await this.hooks.score(ids);
      return reading === this.reading ? earlier : null;
    };
    await scoreEarlier(trail, offset, now.info.nCtx, score, () => this.changed());
  }

  /**
   * The tokens that the model sees together with one of the text: the last that fit its context; for an earlier token a
   * window in which at least half a context stands before it, and the one that follows is in it.
   * @param {number} at
   * @returns {{ from: number, to: number }}
   */
  windowOf(at) {
    const { offset, trail } = this;
    if (at >= offset) return { from: offset, to: trail.length };
    const nCtx = this.now.info?.nCtx ?? trail.length;
    const half = Math.max(1, nCtx >> 1);
    const from = Math.max(0, (Math.floor((at + 1) / half) - 1) * half);
    return { from, to: Math.min(trail.length, from + nCtx) };
  }

  /**
   * Hears what is selected: the model's window follows it.
   * @param {number | null} token @param {number} caret
   */
  look(token, caret) {
    if (!this.settled || !this.scores || this.now.writing) return;
    const { from, to } = this.windowOf(this.selected(token, caret));
    if (from === (this.early?.from ?? this.offset)) return;
    this.early = from === this.offset ? null : { from, scores: null };
    this.version += 1;
    this.hooks.onVersion();
    void this.readEarly(from, to);
  }

  /** @param {number} from @param {number} to the window */
  async readEarly(from, to) {
    const reading = ++this.reading;
    const { trail, offset } = this;
    try {
      if (this.early) {
        const scores = await this.hooks.score(trail.ids.slice(from, to));
        if (reading !== this.reading) return;
        this.early = { from, scores };
        const first = from && from + ((to - from) >> 1) - 1;
        trail.score(scores, from, first, Math.min(to - 1, offset));
        this.changed();
      }
      await this.readRest(reading);
    } catch (error) {
      if (reading === this.reading && !isAbort(error)) this.hooks.onError(error);
    }
  }

  /**
   * @param {number} reading @param {string} text
   * @returns {Promise<Trail | null>} null where the text is another by now
   */
  async readTokens(reading, text) {
    const tokens = await this.hooks.tokens(text);
    if (reading !== this.reading) return null;
    this.version += 1;
    this.hooks.onVersion();
    const trail = Trail.of(tokens, text);
    if (!this.outdated) trail.carry(this.trail);
    this.outdated = false;
    this.trail = trail;
    this.taken = { run: this.now.runs.at(-1) ?? null, count: this.now.runs.length };
    this.settled = true;
    this.scores = this.early = null;
    this.newest = null;
    this.changed();
    return trail;
  }

  /** Tokens of the text that the model no longer sees. */
  get offset() {
    return Math.max(0, this.trail.length - (this.now.info?.nCtx ?? Infinity));
  }

  /** How much of a text longer than the context has its colours: a share of its tokens; 1 where all have. */
  get coloured() {
    const { trail } = this;
    if (!this.offset || !this.scores) return 1;
    let known = 0;
    for (let at = 1; at < trail.length; at += 1) if (trail.levels[at] !== NO_LEVEL) known += 1;
    return known / Math.max(1, trail.length - 1);
  }

  /** Takes what the model has written since, from its own records: no question to the engine. */
  write() {
    const { runs, text } = this.now;
    const { taken } = this;
    let next = taken.count;
    if (!(next > 0 && next <= runs.length && runs[next - 1] === taken.run && this.trail.text.length <= text.length)) {
      const { head } = sharedEnds(this.trail.text, text);
      let known = this.trail.length;
      while (known > 0 && this.trail.ends[known - 1] > head) known -= 1;
      this.trail = this.trail.copy(known);
      next = runAt(runs, this.trail.text.length);
      if (next < 0 || this.trail.length === 0) return void this.readPrompt();
    }
    for (; next < runs.length; next += 1) {
      const run = runs[next];
      if (!run.token) return void this.readPrompt();
      this.trail.append(run.token, run.text);
      this.newest = run.token;
    }
    this.taken = { run: runs.at(-1) ?? null, count: runs.length };
    this.grown += 1;
  }

  /** The model writes after a text whose tokens are not known: they come without waiting for it. */
  async readPrompt() {
    const { runs, info } = this.now;
    let first = runs.length;
    while (first > 0 && runs[first - 1].token) first -= 1;
    const prompt = runs
      .slice(0, first)
      .map((run) => run.text)
      .join("");
    if (!info || this.askedFor === prompt) return;
    this.askedFor = prompt;
    const reading = ++this.reading;
    try {
      const tokens = await this.hooks.tokens(prompt);
      if (reading !== this.reading || !this.now.writing) return;
      const trail = Trail.of(tokens, prompt);
      trail.carry(this.trail);
      this.trail = trail;
      this.taken = { run: runs[first - 1] ?? null, count: first };
      if (this.now.runs[first - 1] === (runs[first - 1] ?? undefined)) this.write();
      this.changed();
    } catch (error) {
      if (reading === this.reading && !isAbort(error)) this.hooks.onError(error);
    }
  }

  changed() {
    this.grown += 1;
    this.hooks.onChange();
  }

  /**
   * The position in the trail of the selected token: the one that was chosen, else the one before the caret, even where
   * the model
   * no longer sees it.
   * @param {number | null} token among those that the model sees
   * @param {number} caret
   */
  selected(token, caret) {
    const { offset, trail } = this;
    if (token !== null && offset + token < trail.length) return offset + token;
    // While tokens are behind the text, the caret may stand behind characters that have none yet.
    return trail.before(caret);
  }

  /**
   * A token that the model proposed after a row of the whole text, as one that it wrote; null where nothing is known of
   * it.
   * @param {number} row @param {number} id @param {string} text
   * @returns {import("../engine/types.js").Token | null}
   */
  alternative(row, id, text) {
    return this.outdated ? null : alternativeOf(this.trail, row, id, text);
  }

  /**
   * What the panels speak about; the same object as long as nothing has changed.
   * @param {number | null} token @param {number} caret
   * @returns {Subject | null}
   */
  subject(token, caret) {
    const { trail, now, last, version } = this;
    if (!now.info || trail.length === 0 || trail.text === "") return (this.last = null);
    const chosen = this.selected(token, caret);
    const writing = now.writing || (!this.settled && last?.writing === true);
    // Until the window of an earlier token is known, panels speak of where the model would write on.
    const { from, to } = this.windowOf(this.early && !writing ? chosen : trail.length - 1);
    const selected = (chosen < from || chosen >= to ? to - 1 : chosen) - from;
    const scores = writing ? null : this.early ? this.early.scores : this.scores;
    const newest = writing ? this.newest : null;
    if (
      last &&
      last.version === version &&
      last.selected === selected &&
      last.writing === writing &&
      last.scores === scores &&
      last.newest === newest &&
      last.text === trail.text &&
      last.info === now.info
    )
      return last;
    const tokens = trail.tokens(from, to);
    return (this.last = {
      version,
      text: trail.text,
      info: now.info,
      tokens,
      hidden: from,
      scores,
      selected,
      writing,
      newest,
    });
  }

  /**
   * What is known of the selected token, as the token card shows it.
   * @param {number | null} token @param {number} caret
   */
  card(token, caret) {
    const { trail, now } = this;
    const runs = !now.writing && trail.text === now.text ? now.runs : null;
    const at = this.selected(token, caret);
    return cardOf(trail, at, { window: this.windowOf(at), vocabSize: now.info?.vocabSize ?? 0, runs });
  }

  /**
   * What to draw on the paper; the same object as long as nothing has changed.
   * @param {boolean} surprise @param {number | null} token @param {number} caret
   * @returns {Marks | null}
   */
  marks(surprise, token, caret) {
    const { trail, now } = this;
    if (!now.info || trail.length === 0) return null;
    const selected = trail.shownBy(this.selected(token, caret));
    const key = [trail, this.grown, now.text, surprise, selected];
    if (this.drawn?.key.every((part, index) => part === key[index])) return this.drawn.marks;
    const marks = marksOf(trail, now.text, { surprise, selected });
    this.drawn = { marks, key };
    return marks;
  }
}
