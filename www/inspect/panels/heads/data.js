/** Switching off as plain data: the units, the ranking, before and after, the files. Free of the DOM. */
import { toCsv } from "../../save.js";

/** @typedef {import("../../types.js").Unit} Unit */
/** @typedef {import("../../types.js").AblateAnswer} AblateAnswer */
/** @typedef {import("../../types.js").ScoreAnswer} ScoreAnswer */
/** @typedef {{ id: number, text: string, logprob: number }} Choice */
/**
 * What switching one unit off does. `delta` and `lossDelta` are in nats; below zero `delta` means that the target
 * became less
 * likely: the unit helps it.
 * @typedef {Unit & { delta: number, before: number, after: number, lossDelta: number }} Effect
 */
/**
 * @typedef {{ id: number, text: string, p: number, change: number | null }} Prediction `change` in nats, null where the
 *   other list lacks it
 */

/** The number that stands for a layer's MLP among its heads. */
export const MLP = -1;
/** In the grid alone: the button of a whole layer, before its heads. */
export const LAYER = -2;
/** Differences below this are rounding, and get no colour of their own. */
const LEAST_SCALE = 0.01;
/** What a finger can hit, with the gap beside it. */
const CELL_PX = { least: 22, most: 40 };

/** @param {Unit} unit */
export function unitKey({ layer, head }) {
  return `${layer}.${head}`;
}

/**
 * In one order, heads before the MLP and none twice, so that equal choices look equal.
 * @param {readonly Unit[]} units
 */
export function normalized(units) {
  const order = (/** @type {Unit} */ { layer, head }) => layer * 65536 + (head === MLP ? 65535 : head);
  return [...new Map(units.map((unit) => [unitKey(unit), { layer: unit.layer, head: unit.head }])).values()].sort(
    (a, b) => order(a) - order(b),
  );
}

/** @param {readonly Unit[]} off @param {Unit} unit */
export function isOff(off, unit) {
  return off.some(({ layer, head }) => layer === unit.layer && head === unit.head);
}

/** @param {readonly Unit[]} off @param {Unit} unit */
export function toggled(off, unit) {
  return isOff(off, unit)
    ? normalized(off.filter((other) => unitKey(other) !== unitKey(unit)))
    : normalized([...off, unit]);
}

/** All of a layer: its heads, then its MLP. @param {number} layer @param {number} heads @returns {Unit[]} */
export function layerUnits(layer, heads) {
  return [...Array.from({ length: heads }, (_, head) => ({ layer, head })), { layer, head: MLP }];
}

/**
 * Switches a whole layer off, or on again where all of it is off.
 * @param {readonly Unit[]} off @param {number} layer @param {number} heads
 */
export function layerToggled(off, layer, heads) {
  const others = off.filter((unit) => unit.layer !== layer);
  return layerUnits(layer, heads).every((unit) => isOff(off, unit))
    ? normalized(others)
    : normalized([...others, ...layerUnits(layer, heads)]);
}

/** @param {readonly Unit[]} off */
export function offKey(off) {
  return normalized(off).map(unitKey).join(" ");
}

/**
 * Mean negative log-probability of the tokens that follow, in nats a token; null for a single token, which nothing
 * follows.
 * @param {ScoreAnswer} scores
 */
export function meanLoss({ rows, logprob }) {
  if (rows < 2) return null;
  let sum = 0;
  for (let row = 0; row < rows - 1; row += 1) sum -= logprob[row];
  return sum / (rows - 1);
}

/**
 * The likeliest tokens after a position.
 * @param {ScoreAnswer} scores @param {number} row
 * @returns {Choice[]}
 */
export function topAfter({ top, topIds, topLogprobs, texts, rows }, row) {
  if (row < 0 || row >= rows) return [];
  const textOf = new Map(texts);
  return Array.from({ length: top }, (_, i) => {
    const id = topIds[row * top + i];
    return { id, text: textOf.get(id) ?? `#${id}`, logprob: topLogprobs[row * top + i] };
  });
}

/**
 * The tokens before and after side by side, each with its change where the other list has it too.
 * @param {readonly Choice[]} before @param {readonly Choice[]} after @param {number} count
 * @returns {{ before: Prediction[], after: Prediction[] }}
 */
export function sideBySide(before, after, count) {
  const was = new Map(before.map(({ id, logprob }) => [id, logprob]));
  const is = new Map(after.map(({ id, logprob }) => [id, logprob]));
  const change = (/** @type {number} */ id) => {
    const [from, to] = [was.get(id), is.get(id)];
    return from === undefined || to === undefined ? null : to - from;
  };
  const plain = (/** @type {Choice} */ { id, text, logprob }) => ({
    id,
    text,
    p: Math.exp(logprob),
    change: change(id),
  });
  return { before: before.slice(0, count).map(plain), after: after.slice(0, count).map(plain) };
}

/**
 * The token whose probability is followed unless another is chosen: the one that really follows, or at the text's end
 * the
 * model's likeliest.
 * @param {{ ids: readonly number[], texts: readonly string[] }} tokens
 * @param {number} selected
 * @param {readonly Choice[]} best the model's likeliest after the selected token
 * @returns {{ id: number, text: string, follows: boolean } | null}
 */
export function defaultTarget({ ids, texts }, selected, best) {
  if (selected + 1 < ids.length) return { id: ids[selected + 1], text: texts[selected + 1], follows: true };
  return best.length ? { id: best[0].id, text: best[0].text, follows: false } : null;
}

/**
 * Every unit's effect, the strongest first; equal ones in the model's order.
 * @param {AblateAnswer} answer
 * @param {readonly Unit[]} off what was off already: these units cannot have an effect, and are left out
 * @returns {Effect[]}
 */
export function ranking(answer, off) {
  return answer.units
    .filter((unit) => !isOff(off, unit))
    .map(({ layer, head, logprob, loss }) => ({
      layer,
      head,
      delta: logprob - answer.logprob,
      before: Math.exp(answer.logprob),
      after: Math.exp(logprob),
      lossDelta: loss - answer.loss,
    }))
    .sort(
      (a, b) =>
        Math.abs(b.delta) - Math.abs(a.delta) ||
        a.layer - b.layer ||
        (a.head === MLP ? 1 : b.head === MLP ? -1 : a.head - b.head),
    );
}

/** What the ends of the colour scale stand for, in nats. @param {readonly Effect[]} effects */
export function scaleOf(effects) {
  return effects.reduce((most, { delta }) => Math.max(most, Math.abs(delta)), LEAST_SCALE);
}

/**
 * Where a change lies on the colour scale, from -1 to 1. By its square root: one MLP often outweighs all heads, and
 * they must
 * still be told apart.
 * @param {number} delta @param {number} scale
 */
export function shade(delta, scale) {
  return Math.sign(delta) * Math.sqrt(Math.min(1, Math.abs(delta) / scale));
}

/**
 * Width of a cell so that all heads and the MLP fit; where they would be too small to hit, the grid scrolls instead.
 * @param {number} width @param {number} columns
 */
export function cellSize(width, columns) {
  return Math.min(CELL_PX.most, Math.max(CELL_PX.least, Math.floor(width / columns)));
}

/**
 * Where a key leads in the grid: the layer's own button, its heads, the MLP. Null for keys that mean nothing here.
 * @param {string} key @param {Unit} unit @param {number} layers @param {number} heads
 * @returns {Unit | null}
 */
export function moveUnit(key, unit, layers, heads) {
  let { layer } = unit;
  let column = unit.head === MLP ? heads : unit.head === LAYER ? -1 : unit.head;
  if (key === "ArrowUp") layer -= 1;
  else if (key === "ArrowDown") layer += 1;
  else if (key === "ArrowLeft") column -= 1;
  else if (key === "ArrowRight") column += 1;
  else if (key === "Home") column = 0;
  else if (key === "End") column = heads;
  else if (key === "PageUp") layer = 0;
  else if (key === "PageDown") layer = layers - 1;
  else return null;
  column = Math.min(heads, Math.max(-1, column));
  return {
    layer: Math.min(layers - 1, Math.max(0, layer)),
    head: column === heads ? MLP : column < 0 ? LAYER : column,
  };
}

/** The last few of what was measured, by what it was measured on. @template V */
export class Recent {
  /** @param {number} limit */
  constructor(limit) {
    this.limit = limit;
    /** @type {Map<string, V>} */
    this.map = new Map();
  }

  /** @param {string} key */
  get(key) {
    return this.map.get(key);
  }

  /** @param {string} key @param {V} value */
  set(key, value) {
    this.map.delete(key);
    this.map.set(key, value);
    const [oldest] = this.map.keys();
    if (this.map.size > this.limit) this.map.delete(oldest);
  }

  clear() {
    this.map.clear();
  }
}

/**
 * Tells which scores belong to what is switched off, and when the model itself has changed. The choice may change
 * before the
 * engine's numbers do: until the subject's version moves on, its scores are still the old ones.
 */
export class OffWatch {
  constructor() {
    this.off = "";
    this.version = -1;
    this.text = "";
    /** @type {unknown} */
    this.model = null;
    this.stale = -1;
  }

  /**
   * @param {{ version: number, text: string, info: unknown }} subject
   * @param {string} off `offKey` of what is switched off
   * @returns {{ fresh: boolean, modelChanged: boolean }}
   */
  see({ version, text, info }, off) {
    const first = this.version < 0;
    if (off !== this.off) this.stale = !first && version === this.version ? version : -1;
    const late = this.stale >= 0 && version !== this.stale;
    const modelChanged =
      !first && (info !== this.model || (version !== this.version && text === this.text && off === this.off && !late));
    if (late) this.stale = -1;
    Object.assign(this, { off, version, text, model: info });
    return { fresh: version !== this.stale, modelChanged };
  }
}

/**
 * What the panel has measured, kept while it is closed: scores with everything on by text, and rankings by what they
 * were
 * measured on; `latest` whatever was off.
 * @template R
 */
export class Memory {
  constructor() {
    this.watch = new OffWatch();
    /** @type {Recent<ScoreAnswer>} */
    this.baselines = new Recent(8);
    /** @type {Recent<R>} */
    this.results = new Recent(12);
    /** @type {Recent<R>} */
    this.latest = new Recent(12);
  }

  /**
   * The panel opens again. What happened meanwhile was not seen, so that nothing may have happened.
   * @param {number} version
   */
  resume(version) {
    if (this.watch.version === version) return;
    this.watch = new OffWatch();
    this.clear();
  }

  clear() {
    for (const recent of [this.baselines, this.results, this.latest]) recent.clear();
  }
}

/**
 * After which token a text began to be written: the first that ends where the given beginning ends; -1 where no token
 * does,
 * because the tokens were cut differently.
 * @param {readonly number[]} ends of the tokens @param {number} length of the beginning
 */
export function positionAt(ends, length) {
  return ends.indexOf(length);
}

/** A pass that is less far than this says little of how long passes take. */
const TELLING = 0.25;

/**
 * How far a measuring is: a pass over the text with nothing more switched off, then one for each unit.
 */
export class Pace {
  /** @param {number} units @param {number} now in milliseconds */
  constructor(units, now) {
    this.units = units;
    /** Passes that are done, the last in part. */
    this.passes = 0;
    this.began = this.now = now;
    /** When the first pass was over. @type {{ passes: number, at: number } | null} */
    this.first = null;
  }

  /**
   * @param {{ done: number, total: number }} progress in parts of a pass, or in units, which leaves out the first pass
   * @param {number} now
   */
  see({ done, total }, now) {
    const { units } = this;
    const passes = total > units ? (done * (units + 1)) / total : done && done + 1;
    this.passes = Math.max(this.passes, Math.min(units + 1, passes));
    this.now = now;
    if (this.passes >= 1) this.first ??= { passes: this.passes, at: now };
  }

  /** Of the whole, from 0 to 1. */
  get share() {
    return this.passes / (this.units + 1);
  }

  /** Units that are done. */
  get done() {
    return Math.max(0, Math.floor(this.passes + 1e-6) - 1);
  }

  /** Seconds until the end; null while nobody can tell. */
  get left() {
    const { first, passes, now, began } = this;
    if (!first) return null;
    const since = passes - first.passes;
    // The first pass is the slowest, and counts only until there is a better measure.
    const each = since >= TELLING ? (now - first.at) / since : (first.at - began) / first.passes;
    return ((this.units + 1 - passes) * each) / 1000;
  }
}

/**
 * @param {readonly Effect[]} effects
 * @param {{ text: string }} target
 */
export function ablationCsv(effects, target) {
  const header = [
    "rank_from_1",
    "layer",
    "unit",
    "head",
    "target",
    "change_nats",
    "probability_before",
    "probability_after",
    "loss_change_nats_per_token",
  ];
  return toCsv(
    header,
    effects.map(({ layer, head, delta, before, after, lossDelta }, i) => [
      i + 1,
      layer,
      head === MLP ? "mlp" : "head",
      head === MLP ? "" : head,
      target.text,
      delta,
      before,
      after,
      lossDelta,
    ]),
  );
}
