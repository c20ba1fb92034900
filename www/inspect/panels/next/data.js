/** What comes next, as numbers to draw: rows, axis, what was cut off. Free of the DOM and of the engine. */
import { DEFAULT_SETTINGS } from "../../../core/settings.js";
import { digits } from "../../label.js";

/** @typedef {import("../../../engine/types.js").Settings} Settings */
/** @typedef {import("../../types.js").NextAnswer} NextAnswer */
/** @typedef {import("../../types.js").NextEntry} NextEntry */
/** @typedef {import("../../types.js").Sampling} Sampling */
/** @typedef {import("../../types.js").Subject} Subject */
/** @typedef {Extract<import("../../types.js").InspectRequest, { what: "next" }>} NextRequest */

/**
 * The settings that shape the distribution, in the order in which they are shown.
 * @type {readonly (keyof Sampling)[]}
 */
export const SHAPING = ["temperature", "topK", "topP", "minP", "repetitionPenalty"];
/** With these every token is drawn as often as the model says. @type {Readonly<Sampling>} */
export const NEUTRAL = Object.freeze({ temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 });
/** What the page begins with. @type {Readonly<Sampling>} */
export const DEFAULTS = Object.freeze(samplingOf(DEFAULT_SETTINGS));

/** @param {Settings} settings @returns {Sampling} */
export function samplingOf({ temperature, topK, topP, minP, repetitionPenalty }) {
  return { temperature, topK, topP, minP, repetitionPenalty };
}

/** @param {Sampling} one @param {Sampling} other */
export function sameSampling(one, other) {
  return SHAPING.every((key) => one[key] === other[key]);
}

/** What the panel answers: what could stand in the selected token's place, or what comes after it. */
export const QUESTIONS = /** @type {const} */ (["instead", "after"]);
/** @typedef {(typeof QUESTIONS)[number]} Question */

/**
 * The question that is shown: the user's own choice; else, for a token of the text, what could have stood instead, and
 * at the end of the text, where nothing was chosen, what comes next.
 * @param {Question | null} chosen @param {Subject} subject @param {number | null} token that was chosen
 * @returns {Question}
 */
export function questionOf(chosen, { selected, tokens }, token) {
  return chosen ?? (token === null && selected === tokens.ids.length - 1 ? "after" : "instead");
}

/**
 * The subject whose selected token is the one that the question's answer comes after.
 * @param {Subject} subject @param {Question} question
 * @returns {Subject | null} null where nothing stands before the token that is asked about
 */
export function askedAbout(subject, question) {
  if (question === "after") return subject;
  return subject.selected > 0 ? { ...subject, selected: subject.selected - 1 } : null;
}

/** The token that stands in the text after the selected one, or null at its end. @param {Subject} subject */
export function followingId({ tokens, selected }) {
  return selected + 1 < tokens.ids.length ? tokens.ids[selected + 1] : null;
}

/**
 * How many tokens the model writes on from where the text is longer than its context: it keeps half of it, so that
 * there is room.
 * @param {Subject} subject
 * @returns {number | null} null where that is not asked about
 */
export function writesFrom({ tokens, hidden, selected, info }) {
  return hidden > 0 && selected === tokens.ids.length - 1 ? Math.max(1, info.nCtx >> 1) : null;
}

/**
 * @param {Subject} subject @param {Settings} settings @param {number} limit
 * @param {string} query what to look for; where it is empty the token that stands next in the text is, which may be far
 *   down
 * @returns {NextRequest}
 */
export function requestOf(subject, settings, limit, query) {
  const end = subject.selected + 1;
  const following = followingId(subject);
  return {
    what: "next",
    // Further back than its context the model sees nothing.
    ids: subject.tokens.ids.slice(Math.max(0, end - (writesFrom(subject) ?? subject.info.nCtx)), end),
    settings: samplingOf(settings),
    limit,
    query: query || (following === null ? "" : `#${following}`),
  };
}

/** Changes whenever the answer to the request would. @param {Subject} subject @param {NextRequest} request */
export function keyOf(subject, { settings, limit, query }) {
  return JSON.stringify([subject.version, subject.selected, SHAPING.map((key) => settings[key]), limit, query]);
}

/**
 * Which settings take tokens away, by name: "temperature" where it is 0, which leaves only the likeliest.
 * @param {Sampling} settings @param {number} vocabSize
 * @returns {(keyof Sampling)[]}
 */
export function cutters({ temperature, topK, topP, minP }, vocabSize) {
  if (temperature === 0) return ["temperature"];
  /** @type {(keyof Sampling)[]} */
  const by = [];
  if (topK > 0 && topK < vocabSize) by.push("topK");
  if (topP < 1) by.push("topP");
  if (minP > 0) by.push("minP");
  return by;
}

/**
 * What cannot be drawn.
 * @param {NextAnswer} answer
 * @returns {{ count: number, mass: number }} how many tokens, and their share of the model's own probability
 */
export function cutOff({ vocabSize, kept, keptMass }) {
  const count = Math.max(0, vocabSize - kept);
  // Sums of many small numbers end a little beside 1.
  return { count, mass: count ? Math.min(1, Math.max(0, 1 - keptMass)) : 0 };
}

/**
 * A row of the chart. `follows`: the token stands there in the text now. `apart`: tokens between it and the row above
 * are left out.
 * @typedef {{ entry: NextEntry, p: number, follows: boolean, apart: boolean }} Row
 */

/** @param {NextAnswer} answer @param {boolean} searching @param {number | null} following @returns {Row[]} */
export function rowsOf(answer, searching, following) {
  const shown = searching ? answer.found : answer.entries;
  const rows = shown.map((entry) => rowOf(entry, following, false));
  if (searching || following === null || shown.some(({ id }) => id === following)) return rows;
  const below = answer.found.find(({ id }) => id === following);
  return below ? [...rows, rowOf(below, following, true)] : rows;
}

/** @param {NextEntry} entry @param {number | null} following @param {boolean} apart @returns {Row} */
function rowOf(entry, following, apart) {
  return { entry, p: Math.exp(entry.logprob), follows: entry.id === following, apart };
}

/**
 * Before which row the line stands that says what is cut off: where all that is kept stands above all that is cut, or
 * else below
 * the rows. (With a repetition penalty what is cut may stand between; each such row says so itself.)
 * @param {readonly Row[]} rows
 */
export function cutLineAt(rows) {
  const first = rows.findIndex(({ entry }) => !entry.kept);
  const parted = first > 0 && rows.slice(first).every(({ entry, apart }) => !entry.kept && !apart);
  return parted ? first : rows.length;
}

/**
 * What the model itself recorded when it wrote the newest token: what it had expected there, and what came. Nobody has
 * asked what
 * the settings make of it: `adjusted` is NaN.
 * @param {Subject} subject
 * @returns {{ shown: Subject, answer: NextAnswer } | null} null where there is no such record; `shown` has the token
 *   before selected
 */
export function newestOf(subject) {
  const { newest, tokens, info } = subject;
  const selected = tokens.ids.length - 2;
  if (!newest || selected < 0 || !newest.top.length) return null;
  const entryOf = (
    /** @type {import("../../../engine/types.js").Alternative} */ { id, text, logprob },
    /** @type {number} */ rank,
  ) => ({ id, text, logprob, rank, adjusted: NaN, kept: true });
  const answer = {
    // Not the record's own text, which is empty while the token completes no character.
    entries: newest.top.map(entryOf),
    found: [entryOf({ ...newest, text: tokens.texts[selected + 1] }, newest.rank)],
    vocabSize: info.vocabSize,
    entropy: newest.entropy,
    adjustedEntropy: NaN,
    kept: info.vocabSize,
    keptMass: 1,
  };
  return { shown: { ...subject, selected }, answer };
}

/** Ends of the axis. Few, so that it stays while a slider moves. */
const AXIS_ENDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1];

/**
 * From 0 to a round number that holds every bar: of the likeliest tokens, also while others are looked for.
 * @param {NextAnswer} answer
 */
export function axisEnd({ entries }) {
  const longest = entries.reduce((most, { logprob, adjusted }) => Math.max(most, Math.exp(logprob), adjusted), 0);
  return AXIS_ENDS.find((end) => longest <= end * 1.0001) ?? 1;
}

/**
 * What to say of a search: "" for nothing.
 * @param {string} query @param {number} count of what was found @param {number} most that a search gives
 */
export function foundKey(query, count, most) {
  if (count > 1) return count < most ? "next.found" : "next.found.most";
  if (/^#\d+$/.test(query)) return count ? "" : "next.found.noId";
  if (count === 1) return "next.found.one";
  // A tokenizer over bytes has every character, if only in parts: what is not found as a whole is no longer word.
  const [character, ...others] = new Intl.Segmenter().segment(query);
  return others.length === 0 && /[^\0-\x7f]/.test(character.segment) ? "next.found.bytes" : "next.found.none";
}

/**
 * How many times likelier the settings make a token; null where it cannot be drawn or nobody knows.
 * @param {NextEntry} entry
 */
export function factor({ adjusted, kept, logprob }) {
  const p = Math.exp(logprob);
  return kept && p > 0 && !Number.isNaN(adjusted) ? adjusted / p : null;
}

export const CSV_HEADER = ["rank_from_1", "id", "token", "probability", "adjusted", "drawable", "logprob_nats"];

/** @param {readonly Row[]} rows @returns {(string | number)[][]} */
export function csvRows(rows) {
  return rows.map(({ entry, p }) => [
    entry.rank + 1,
    entry.id,
    entry.text,
    digits(p),
    digits(entry.adjusted),
    entry.kept ? "yes" : "no",
    digits(entry.logprob),
  ]);
}

/** What the engine said, for a file: with ranks as the page shows them. @param {NextAnswer} answer */
export function answerJson(answer) {
  const list = (/** @type {readonly NextEntry[]} */ entries) =>
    entries.map(({ rank, ...entry }) => ({ rank_from_1: rank + 1, ...entry }));
  return { ...answer, entries: list(answer.entries), found: list(answer.found) };
}

/**
 * The text before and the selected token itself, for a heading.
 * @param {Subject} subject @param {number} length of what is shown before it, in characters
 * @returns {{ before: string, token: string, first: boolean }} `first`: the selected token stands before the text
 */
export function contextOf({ text, tokens, selected }, length) {
  const end = tokens.ends[selected] ?? text.length;
  // Where the model sees only the end of a text, the first token that it sees has text before it.
  const start = selected > 0 ? tokens.ends[selected - 1] : Math.max(0, end - (tokens.texts[0]?.length ?? 0));
  const before = Array.from(text.slice(Math.max(0, start - 2 * length), start));
  const cut = start > 2 * length || before.length > length;
  const shown = before.slice(-length).join("");
  // A token that completes no character adds nothing to the text, and shows as what it is.
  const token = text.slice(start, end) || tokens.texts[selected];
  return { before: cut ? `…${shown}` : shown, token, first: tokens.bos && selected === 0 };
}
