/**
 * The browser's database, for texts: no page without https has a file system of its own, and other storage ends at a
 * few megabytes.
 */
import { fullDisk, PageError } from "./errors.js";

const NAME = "gpt-playground";
const VERSION = 1;
/** By tab: when it was last saved, and what it is about. */
const TABS = "tabs";
/** By tab and name: what it keeps. */
const KEPT = "kept";
/** A database that has not answered by then is done without. */
const ANSWER_MS = 3000;

/**
 * @typedef {object} TabEntry
 * @property {string} id
 * @property {number} savedAt milliseconds since 1970
 * @property {string} title how its text begins; "" where nothing in it is the user's
 * @property {boolean} [taken] another tab goes on with it
 */
/**
 * One thing that a tab keeps; of two, the one with the higher number is newer.
 * @typedef {{ version: number, data: unknown }} Kept
 */

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Why texts cannot be kept, in the user's words. @param {unknown} error */
export function textError(error) {
  const known = fullDisk(error);
  return known instanceof PageError ? known : new PageError("error.textStore", {}, error);
}

export class Records {
  constructor() {
    /** @type {Promise<IDBDatabase> | null} */
    this.opening = null;
  }

  /** @returns {Promise<IDBDatabase>} */
  open() {
    this.opening ??= this.connect().catch((error) => {
      // The next to ask tries again.
      this.opening = null;
      throw textError(error);
    });
    return this.opening;
  }

  /** @returns {Promise<IDBDatabase>} */
  async connect() {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(TABS, { keyPath: "id" });
      request.result.createObjectStore(KEPT);
    };
    const opened = answer(request);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(reject, ANSWER_MS, new PageError("error.textStore"))));
    try {
      await Promise.race([opened, late]);
    } catch (error) {
      // Whenever it comes, nobody waits for it.
      opened.then(
        (db) => db.close(),
        () => {},
      );
      throw error;
    } finally {
      clearTimeout(timer);
    }
    const db = await opened;
    const forget = () => {
      this.opening = null;
    };
    db.onclose = forget;
    // A later version of the page must not wait for this one.
    db.onversionchange = () => {
      db.close();
      forget();
    };
    return db;
  }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(stores: { tabs: IDBObjectStore, kept: IDBObjectStore }) => Promise<T> | T} work
   * @returns {Promise<T>} when all of it is on the disk; nothing is where it fails
   */
  async run(mode, work) {
    const db = await this.open();
    try {
      const transaction = db.transaction([TABS, KEPT], mode);
      const done = /** @type {Promise<void>} */ (
        new Promise((resolve, reject) => {
          transaction.oncomplete = () => resolve();
          transaction.onerror = transaction.onabort = () => reject(transaction.error);
        })
      );
      // What a request fails with is told by it, too.
      done.catch(() => {});
      try {
        const found = await work({ tabs: transaction.objectStore(TABS), kept: transaction.objectStore(KEPT) });
        await done;
        return found;
      } catch (error) {
        try {
          transaction.abort();
        } catch {
          // It has ended by itself.
        }
        throw error;
      }
    } catch (error) {
      throw textError(error);
    }
  }

  /** All tabs that keep something. @returns {Promise<unknown[]>} */
  tabs() {
    return this.run("readonly", ({ tabs }) => answer(tabs.getAll()));
  }

  /** What a tab keeps, by name. @param {string} id @returns {Promise<Map<string, unknown>>} */
  load(id) {
    return this.run("readonly", async ({ kept }) => {
      const range = IDBKeyRange.bound([id], [id, []]);
      const [keys, values] = await Promise.all([answer(kept.getAllKeys(range)), answer(kept.getAll(range))]);
      return new Map(keys.map((key, at) => [String(/** @type {any[]} */ (key)[1]), values[at]]));
    });
  }

  /**
   * Writes all of it or nothing.
   * @param {string} id the tab's
   * @param {Map<string, unknown>} values what it keeps, by name
   * @param {TabEntry[]} entries what changes in the list
   */
  save(id, values, entries) {
    return this.run("readwrite", ({ tabs, kept }) => {
      for (const [name, value] of values) kept.put(value, [id, name]);
      for (const entry of entries) tabs.put(entry);
      // A page that is being left has no time to wait until the browser finds out that nothing more comes.
      tabs.transaction.commit?.();
    });
  }

  /** @param {string[]} ids */
  remove(ids) {
    return this.run("readwrite", ({ tabs, kept }) => {
      for (const id of ids) {
        tabs.delete(id);
        kept.delete(IDBKeyRange.bound([id], [id, []]));
      }
    });
  }
}
