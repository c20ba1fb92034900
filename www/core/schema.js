/**
 * Checks what was stored: it comes from another day, another version of the page, or a damaged disk. A check gives a
 * value that can be
 * used in any case, with a stand-in for each part that is wrong, and names those parts: one bad part takes nothing else
 * along.
 */

/**
 * Hears of a part that is wrong: its path, such as "history.train.3"; "" for the whole.
 * @typedef {(path: string) => void} Wrong
 */
/** @template T @typedef {(value: any, wrong: Wrong) => T} Check */

/** @template T @param {T} instead @param {(value: any) => boolean} fits @returns {Check<T>} */
const plain = (instead, fits) => (value, wrong) => {
  if (fits(value)) return value;
  wrong("");
  return instead;
};

/** A text of at most so many UTF-16 units. @param {string} [instead] @param {number} [most] */
export const text = (instead = "", most = Infinity) =>
  plain(instead, (value) => typeof value === "string" && value.length <= most);

/** A finite number. @param {number} [instead] @param {number} [least] @param {number} [most] */
export const number = (instead = 0, least = -Infinity, most = Infinity) =>
  plain(instead, (value) => Number.isFinite(value) && value >= least && value <= most);

/** A whole number that is not negative. @param {number} [most] */
export const count = (most = Number.MAX_SAFE_INTEGER) =>
  plain(0, (value) => Number.isInteger(value) && value >= 0 && value <= most);

/**
 * @template {string | number | boolean} T
 * @param {readonly T[]} values the first stands in for anything else
 * @returns {Check<T>}
 */
export const oneOf = (values) => plain(values[0], (value) => values.includes(value));

/** What may be missing, or null. @template T @param {Check<T>} check @returns {Check<T | undefined>} */
export const optional = (check) => (value, wrong) =>
  value === undefined || value === null ? undefined : sound(check, value, wrong);

/** A list; items that are wrong are left out. @template T @param {Check<T>} check @returns {Check<T[]>} */
export const list = (check) => (value, wrong) => {
  if (!Array.isArray(value)) {
    wrong("");
    return [];
  }
  return value.flatMap((item, at) => {
    const found = sound(check, item, (path) => wrong(join(String(at), path)));
    return found === undefined ? [] : [found];
  });
};

/** A list of fixed length. @template {any[]} T @param {{ [K in keyof T]: Check<T[K]> }} checks @returns {Check<T>} */
export const tuple = (checks) => (value, wrong) => {
  const given = Array.isArray(value) && value.length === checks.length ? value : [];
  return /** @type {any} */ (
    checks.map((/** @type {Check<any>} */ check, /** @type {number} */ at) =>
      check(given[at], (path) => wrong(join(String(at), path))),
    )
  );
};

/** An object; what it has besides these fields is left out. @template {Record<string, Check<any>>} F @param {F} fields
 * @returns {Check<{ [K in keyof F]: ReturnType<F[K]> }>} */
export const object = (fields) => (value, wrong) => {
  const given = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  const all = Object.entries(fields).map(([name, check]) => [
    name,
    check(given[name], (path) => wrong(join(name, path))),
  ]);
  return Object.fromEntries(all.filter(([, found]) => found !== undefined));
};

/**
 * An object with any names; entries that are wrong are left out.
 * @template T
 * @param {Check<T>} check
 * @returns {Check<Record<string, T>>}
 */
export const record = (check) => (value, wrong) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    wrong("");
    return {};
  }
  const all = Object.entries(value).map(([name, one]) => [name, sound(check, one, (path) => wrong(join(name, path)))]);
  return Object.fromEntries(all.filter(([, found]) => found !== undefined));
};

/** @template T @param {Check<T>} check @param {unknown} value @returns {{ value: T, wrong: string[] }} */
export function read(check, value) {
  /** @type {string[]} */
  const wrong = [];
  return { value: check(value, (path) => wrong.push(path)), wrong };
}

/**
 * The value where all of it is right, else undefined.
 * @template T
 * @param {Check<T>} check
 * @param {unknown} value
 * @param {Wrong} wrong
 */
function sound(check, value, wrong) {
  const found = read(check, value);
  found.wrong.forEach(wrong);
  return found.wrong.length ? undefined : found.value;
}

/** @param {string} path @param {string} rest */
const join = (path, rest) => (rest ? `${path}.${rest}` : path);
