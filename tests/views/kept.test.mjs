// @ts-check
// What a tab keeps: after a reload, in two tabs, from a closed one, and where the browser does not keep it.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Kept } from "../../www/core/kept.js";

/** The database of one browser, and its tabs. */
class Browser {
  /** @type {Map<string, any>} */
  tabs = new Map();
  /** By tab, by name. @type {Map<string, Map<string, any>>} */
  kept = new Map();
  /** What the database answers instead. @type {Error | null} */
  fails = null;
  saves = 0;
  /** What waits where saves are slow. @type {(() => void)[] | null} */
  slow = null;
  /** @type {Set<Tab>} */
  open = new Set();
  now = 1_000_000;
  records = {
    tabs: async () => this.answer([...this.tabs.values()]),
    load: async (/** @type {string} */ id) => this.answer(new Map(this.kept.get(id))),
    save: async (
      /** @type {string} */ id,
      /** @type {Map<string, unknown>} */ values,
      /** @type {any[]} */ entries,
    ) => {
      this.saves += 1;
      const copy = structuredClone(values);
      if (this.slow) await new Promise((resolve) => this.slow?.push(() => resolve(undefined)));
      this.answer(null);
      this.kept.set(id, new Map([...(this.kept.get(id) ?? []), ...copy]));
      for (const entry of entries) this.tabs.set(entry.id, entry);
    },
    remove: async (/** @type {string[]} */ ids) => {
      for (const id of ids) [this.tabs, this.kept].forEach((all) => all.delete(id));
    },
  };
  /** @template T @param {T} value */
  answer(value) {
    if (this.fails) throw this.fails;
    return value;
  }
}

class Tab {
  /** @type {Map<string, string>} */
  session = new Map();
  /** Whether the tab's own storage has room. */
  room = true;
  /** @param {Browser} browser */
  constructor(browser) {
    this.browser = browser;
  }
  /** Opens the page in this tab, anew. */
  async load(mayTake = true) {
    const { browser, session } = this;
    browser.open.add(this);
    const channel = {
      /** @type {any} */
      onmessage: null,
      postMessage: (/** @type {any} */ data) => {
        for (const tab of browser.open) if (tab !== this) tab.channel?.onmessage?.({ data });
      },
    };
    this.channel = channel;
    this.kept = new Kept({
      records: browser.records,
      channel,
      now: () => browser.now,
      session: {
        getTab: (key) => session.get(key) ?? null,
        setTab: (key, value) => this.room && Boolean(session.set(key, value)),
        removeTab: (key) => void session.delete(key),
      },
    });
    await this.kept.open(mayTake);
    return this.kept;
  }
  /** Writes something, for good. @param {string} text @param {string} [name] */
  async write(text, name = "write") {
    const { kept } = this;
    if (!kept) return assert.fail();
    kept.title = () => text;
    kept.keep(name, () => text);
    await kept.save();
  }
  close() {
    this.browser.open.delete(this);
  }
  /** A second tab with a copy of this one's own storage. */
  duplicate() {
    const copy = new Tab(this.browser);
    copy.session = new Map(this.session);
    return copy;
  }
}

/** @type {Browser} */
let browser;
beforeEach(() => {
  browser = new Browser();
});

test("what was kept is there after a reload, each tab's own", async () => {
  const [one, two] = [new Tab(browser), new Tab(browser)];
  await one.load();
  await two.load();
  await one.write("one");
  await two.write("two");
  await two.write("learn this", "train");
  assert.equal((await one.load()).read("write"), "one");
  const again = await two.load();
  assert.deepEqual(
    [again.read("write"), again.read("train"), again.read("branches"), again.taken],
    ["two", "learn this", undefined, null],
  );
});

test("a new tab goes on with what the last closed one kept, once, and says when that was saved", async () => {
  const [old, newer, open] = [new Tab(browser), new Tab(browser), new Tab(browser)];
  for (const [tab, text] of /** @type {const} */ ([
    [old, "old"],
    [newer, "newer"],
    [open, "open"],
  ])) {
    await tab.load(false);
    browser.now += 1000;
    await tab.write(text);
  }
  old.close();
  newer.close();
  const next = new Tab(browser);
  const kept = await next.load();
  assert.equal(kept.read("write"), "newer", "not that of a tab that is open");
  assert.deepEqual(kept.taken, { savedAt: 1_002_000, title: "newer" });
  next.close();
  // Another one does not get it too; it is here under the name of the tab that took it.
  const last = new Tab(browser);
  assert.equal((await last.load()).read("write"), "newer", "the tab that took it was closed in turn, without a change");
  assert.equal((await new Tab(browser).load()).read("write"), "old");
  assert.equal((await new Tab(browser).load()).read("write"), undefined, "no closed tab is left");
  // A tab that the browser had only put to sleep comes back with its own.
  assert.equal((await newer.load()).read("write"), "newer");
});

test("a tab that shows a link takes nothing, nor does a reload", async () => {
  const one = new Tab(browser);
  await one.load();
  await one.write("one");
  one.close();
  const link = new Tab(browser);
  assert.equal((await link.load(false)).read("write"), undefined);
  assert.equal((await link.load()).read("write"), undefined);
});

test("a tab that was duplicated goes its own way, with all that was kept", async () => {
  const one = new Tab(browser);
  await one.load();
  await one.write("both");
  await one.write("branches of both", "branches");
  const two = one.duplicate();
  const kept = await two.load();
  assert.equal(kept.read("write"), "both");
  assert.notEqual(kept.id, one.kept?.id);
  await two.write("two");
  await one.write("one");
  assert.equal((await one.load()).read("write"), "one");
  const again = await two.load();
  assert.deepEqual([again.read("write"), again.read("branches")], ["two", "branches of both"]);
});

test("a save that fails is told of until one succeeds, and nothing is lost meanwhile", async () => {
  const tab = new Tab(browser);
  const kept = await tab.load();
  /** @type {(string | undefined)[]} */
  const told = [];
  kept.onChange = () => told.push(kept.failure?.key);
  browser.fails = new Error("full");
  await tab.write("first");
  await tab.write("second", "train");
  browser.fails = null;
  await kept.save();
  assert.deepEqual(told, ["error.textStore", "error.textStore", undefined]);
  const again = await tab.load();
  assert.deepEqual([again.read("write"), again.read("train")], ["first", "second"]);
});

test("what changes while a save is under way is saved after it", async () => {
  const tab = new Tab(browser);
  const kept = await tab.load();
  browser.slow = [];
  kept.keep("write", () => "first");
  const saving = kept.save();
  kept.keep("write", () => "second");
  await kept.save();
  assert.equal(browser.saves, 1, "one at a time");
  const [first] = browser.slow;
  browser.slow = null;
  first();
  await saving;
  assert.ok(kept.dirty.has("write"));
  await kept.save();
  assert.equal((await tab.load()).read("write"), "second");
});

test("what is being typed when the page is left is there after a reload, though the database never heard of it", async () => {
  const tab = new Tab(browser);
  await tab.load();
  await tab.write("saved");
  const { kept } = tab;
  kept?.keep("write", (brief) => (brief ? "late, in brief" : "late"));
  browser.slow = [];
  kept?.leave();
  browser.slow = null;
  const again = await tab.load();
  assert.equal(again.read("write"), "late, in brief");
  assert.equal(again.found.get("write"), "saved", "from which its history comes");
  await again.save();
  assert.equal((await tab.load()).late.size, 0, "the database has it now");
  // Where the database did finish, its own counts.
  const { kept: third } = tab;
  third?.keep("write", (brief) => (brief ? "in brief" : "whole"));
  third?.leave();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await tab.load()).read("write"), "whole");
});

test("a text that does not fit the tab's own storage is left to the database", async () => {
  const tab = new Tab(browser);
  const kept = await tab.load();
  tab.room = false;
  kept.keep("write", () => "large");
  kept.leave();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await tab.load()).read("write"), "large");
});

test("what could not be read is not written over", async () => {
  const tab = new Tab(browser);
  await tab.load();
  await tab.write("precious");
  browser.fails = new Error("no answer");
  const blind = await tab.load();
  assert.equal(blind.failure?.key, "error.textStore");
  assert.equal(blind.read("write"), undefined);
  assert.equal(blind.unread, blind.failure, "it is told that the text is there but could not be read");
  browser.fails = null;
  await tab.write("something else");
  assert.equal(blind.failure, null);
  tab.close();
  const found = [...browser.kept.values()].map((all) => all.get("write").data).sort();
  assert.deepEqual(found, ["precious", "something else"]);
});

test("where the database never works, nobody is told that an earlier text is saved in it", async () => {
  const tab = new Tab(browser);
  browser.fails = new Error("no answer");
  const kept = await tab.load();
  assert.equal(kept.unread, null);
  kept.keep("write", () => "typed");
  kept.leave();
  const again = await tab.load();
  browser.fails = null;
  assert.deepEqual([again.read("write"), again.unread], ["typed", null]);
});

test("damaged entries of the database harm neither this tab's nor the others'", async () => {
  const one = new Tab(browser);
  await one.load();
  await one.write("one");
  browser.tabs.set("x", null);
  browser.tabs.set("y", { id: 3 });
  browser.kept.set(
    one.kept?.id ?? "",
    new Map(
      /** @type {[string, any][]} */ ([
        ["write", { version: "x", data: "one" }],
        ["train", 7],
      ]),
    ),
  );
  const again = await one.load();
  assert.deepEqual([again.read("write"), again.failure], ["one", null]);
  one.close();
  assert.equal((await new Tab(browser).load()).read("write"), "one");
});

test("closed tabs go by age and by number, the oldest first; open ones stay", async () => {
  const open = new Tab(browser);
  await open.load();
  await open.write("open");
  browser.now += 200 * 24 * 3600 * 1000;
  for (let at = 0; at < 40; at += 1) {
    browser.now += 1;
    browser.tabs.set(`tab${at}`, { id: `tab${at}`, savedAt: browser.now, title: "a text" });
    browser.kept.set(`tab${at}`, new Map([["write", { version: 1, data: "a text" }]]));
  }
  browser.tabs.set("ancient", { id: "ancient", savedAt: 1, title: "a text" });
  const tidied = new Promise((resolve) => {
    const { remove } = browser.records;
    browser.records.remove = async (ids) => resolve(await remove(ids));
  });
  await new Tab(browser).load(false);
  await tidied;
  assert.ok(browser.kept.has(open.kept?.id ?? ""), "however old");
  assert.deepEqual(
    [browser.tabs.has("ancient"), browser.tabs.has("tab9"), browser.tabs.has("tab10"), browser.tabs.has("tab39")],
    [false, false, true, true],
  );
});
