/**
 * What a tab keeps over a reload: its texts, its branches. Each tab has its own; a new one goes on with what the last
 * closed one kept.
 * A save that fails is told of until one succeeds. Draws nothing.
 */
import { storage } from "./dom.js";
import { Records, textError } from "./records.js";
import { count, list, number, object, oneOf, optional, read, text } from "./schema.js";
import { newId } from "./settings.js";

/** @typedef {import("./records.js").TabEntry} TabEntry */
/** Gives what is to be kept; in `brief` only what must not be lost. @typedef {(brief: boolean) => unknown} Make */

/** How soon after a change it is saved. */
const SAVE_AFTER_MS = 400;
/** Saving may take this part of the time: a text of many megabytes is saved less often. */
const SHARE = 1 / 10;
const RETRY_MS = 10_000;
/** So long other tabs have time to say that they are there. */
const ASK_MS = 150;
/** Of tabs that are closed, so many are kept, and so long. */
const MOST_TABS = 30;
const OLDEST_MS = 90 * 24 * 3600 * 1000;

/** The name under which a tab's own name stands in `sessionStorage`, which a reload keeps. */
const TAB_KEY = "tab";
/** The name that it had when what it kept could not be read. */
const UNREAD_KEY = "unreadTab";
/** What a page that was left could not bring to the disk any more stands there, too. */
const LATE_KEY = "late.";
/** What a tab keeps. */
const NAMES = ["write", "train", "branches"];
const ID = /^[a-z\d]{16}$/;

const tabEntry = object({
  id: text(),
  savedAt: number(0, 0),
  title: text("", 1000),
  taken: optional(oneOf([false, true])),
});
const keptValue = object({ version: count(), data: (value) => value });

/** A tab's name, as `ID` has it. */
const newTab = () => newId(8);

/** Texts of a tab that was closed. @typedef {{ savedAt: number, title: string }} Taken */

/**
 * What stands between this and the browser; tests have their own.
 * @typedef {object} KeptParts
 * @property {Pick<Records, "tabs" | "load" | "save" | "remove">} records
 * @property {Pick<typeof storage, "getTab" | "setTab" | "removeTab">} session
 * @property {Pick<BroadcastChannel, "postMessage" | "onmessage"> | null} channel by which tabs hear of each other
 * @property {() => number} now milliseconds since 1970
 */

/** @returns {KeptParts} */
function browserParts() {
  const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("gpt-playground") : null;
  return { records: new Records(), session: storage, channel, now: () => Date.now() };
}

export class Kept {
  /** @param {KeptParts} [parts] */
  constructor(parts = browserParts()) {
    this.parts = parts;
    this.id = "";
    /** What was found in the database, by name. @type {Map<string, unknown>} */
    this.found = new Map();
    /**
     * What is newer than that: a page that was left could bring it no further than to the tab's own storage.
     * @type {Map<string, unknown>}
     */
    this.late = new Map();
    /** The closed tab whose texts these are. @type {Taken | null} */
    this.taken = null;
    /** Why the last save failed, or why nothing can be saved. @type {import("./errors.js").PageError | null} */
    this.failure = null;
    /** Why what was kept could not be read. It is still there. @type {import("./errors.js").PageError | null} */
    this.unread = null;
    this.onChange = () => {};
    /** How this tab's text begins, for the tab that goes on with it. */
    this.title = () => "";
    /** @type {Map<string, Make>} */
    this.makers = new Map();
    /** @type {Map<string, number>} */
    this.versions = new Map();
    /** What is not saved yet. @type {Set<string>} */
    this.dirty = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.saving = false;
    this.wait = SAVE_AFTER_MS;
    /** Other tabs that are open. @type {Set<string>} */
    this.others = new Set();
    this.opened = false;
    /** Another tab has the same name: this one was duplicated from it. */
    this.twin = false;
  }

  /**
   * Reads what this tab kept.
   * @param {boolean} mayTake whether a new tab may go on with what a closed one kept
   */
  async open(mayTake) {
    const { session, records, channel } = this.parts;
    const known = session.getTab(TAB_KEY) ?? "";
    this.rename(ID.test(known) ? known : newTab());
    if (channel) {
      channel.onmessage = ({ data }) => this.hear(data);
      channel.postMessage({ ask: this.id });
    }
    const answers = new Promise((resolve) => setTimeout(resolve, ASK_MS));
    try {
      const [own, entries] = await Promise.all([records.load(this.id), records.tabs()]);
      this.receive(own);
      const all = read(list(tabEntry), entries).value;
      const tabs = all.filter(({ id }) => id !== this.id);
      void answers.then(() => this.tidy(tabs)).catch(() => {});
      const left = tabs.filter(({ title, taken }) => title && !taken).sort((a, b) => b.savedAt - a.savedAt);
      if (mayTake && known === "" && left.length) {
        await answers;
        await this.take(left.find(({ id }) => !this.others.has(id)));
      }
      await this.takeUnread(all);
    } catch (error) {
      this.failure = textError(error);
      // What could not be read must not be written over, and is read later.
      if (known && !session.getTab(UNREAD_KEY)) session.setTab(UNREAD_KEY, known);
      this.rename(newTab());
    }
    for (const name of NAMES) this.readLate(name, known);
    // Where the database never worked, the tab's own storage has the text.
    if (this.failure && known && !this.late.has("write")) this.unread = this.failure;
    this.opened = true;
    if (this.twin) this.part();
  }

  /** @param {string} name */
  read(name) {
    return this.late.get(name) ?? this.found.get(name);
  }

  /** @param {string} id */
  rename(id) {
    this.id = id;
    this.parts.session.setTab(TAB_KEY, id);
  }

  /** @param {Map<string, unknown>} values as they stand in the database */
  receive(values) {
    for (const [name, value] of values) {
      const { version, data } = read(keptValue, value).value;
      this.versions.set(name, version);
      this.found.set(name, data);
    }
  }

  /**
   * What came too late for the database stands in the tab's own storage.
   * @param {string} name
   * @param {string} id the tab's, as it was
   */
  readLate(name, id) {
    const late = this.parts.session.getTab(LATE_KEY + name);
    if (!late) return;
    try {
      const { id: of, version, data } = JSON.parse(late);
      if (of !== id || !(version > (this.versions.get(name) ?? 0))) return;
      this.versions.set(name, version);
      this.late.set(name, data);
      this.keep(name, () => data);
    } catch {
      // The browser was closed while it wrote this: what is in the database is the newest that is whole.
    }
  }

  /** @param {any} message of another tab */
  hear(message) {
    if (typeof message?.ask === "string") this.parts.channel?.postMessage({ here: this.id });
    if (typeof message?.here !== "string") return;
    this.others.add(message.here);
    if (message.here !== this.id) return;
    this.twin = true;
    if (this.opened) this.part();
  }

  /** A tab was duplicated: from here on the two keep their own. */
  part() {
    this.rename(newTab());
    for (const [name, data] of this.found) if (!this.makers.has(name)) this.makers.set(name, () => data);
    for (const name of this.makers.keys()) this.touch(name);
  }

  /** Goes on with what a closed tab kept. @param {TabEntry | undefined} tab */
  async take(tab) {
    if (!tab) return;
    const { records, now } = this.parts;
    const values = await records.load(tab.id);
    await records.save(this.id, values, [
      { ...tab, id: this.id, savedAt: now() },
      { ...tab, taken: true },
    ]);
    this.receive(values);
    this.taken = { savedAt: tab.savedAt, title: tab.title };
  }

  /**
   * Goes on with what this tab kept and could not read before, unless the user has begun another text since: then a new
   * tab goes on with it.
   * @param {TabEntry[]} tabs
   */
  async takeUnread(tabs) {
    const { session } = this.parts;
    const unread = session.getTab(UNREAD_KEY);
    if (!unread) return;
    if (!tabs.find(({ id }) => id === this.id)?.title) await this.take(tabs.find(({ id }) => id === unread));
    session.removeTab(UNREAD_KEY);
  }

  /** What nobody will come back for goes. @param {TabEntry[]} tabs */
  async tidy(tabs) {
    const { records, now } = this.parts;
    const closed = tabs.filter(({ id }) => !this.others.has(id)).sort((a, b) => b.savedAt - a.savedAt);
    const old = closed.filter(({ savedAt }, at) => at >= MOST_TABS || savedAt < now() - OLDEST_MS);
    if (old.length) await records.remove(old.map(({ id }) => id));
  }

  /** Something has changed that is to be kept. @param {string} name @param {Make} make */
  keep(name, make) {
    this.makers.set(name, make);
    this.touch(name);
  }

  /** @param {string} name */
  touch(name) {
    this.versions.set(name, (this.versions.get(name) ?? 0) + 1);
    this.dirty.add(name);
    this.soon(this.wait);
  }

  /** @param {number} ms */
  soon(ms) {
    // What changes all the time, as while the model writes, is saved in between.
    this.timer ??= setTimeout(() => void this.save(), ms);
  }

  /** Writes what has changed. */
  async save() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.dirty.size) return;
    if (this.saving) return this.soon(this.wait);
    this.saving = true;
    const from = performance.now();
    try {
      await this.write();
      this.failure = null;
      this.wait = Math.max(SAVE_AFTER_MS, (performance.now() - from) / SHARE);
    } catch (error) {
      this.failure = textError(error);
    }
    this.saving = false;
    if (this.dirty.size) this.soon(this.failure ? RETRY_MS : this.wait);
    this.onChange();
  }

  async write() {
    const { records, session, now } = this.parts;
    const versions = new Map([...this.dirty].map((name) => [name, this.versions.get(name) ?? 0]));
    const values = new Map(
      Array.from(versions, ([name, version]) => [name, { version, data: this.makers.get(name)?.(false) }]),
    );
    await records.save(this.id, values, [{ id: this.id, savedAt: now(), title: this.title() }]);
    for (const [name, version] of versions) {
      if (this.versions.get(name) === version) this.dirty.delete(name);
      session.removeTab(LATE_KEY + name);
    }
  }

  /**
   * The page is being left. The database may finish what it was given, or not: what fits stands in the tab's own
   * storage as well.
   */
  leave() {
    const { session } = this.parts;
    if (!this.dirty.size) return;
    for (const name of this.dirty) {
      const late = { id: this.id, version: this.versions.get(name), data: this.makers.get(name)?.(true) };
      session.setTab(LATE_KEY + name, JSON.stringify(late));
    }
    void this.write().catch(() => {});
  }
}
