// @ts-check
// As much of IndexedDB as the page needs, in memory: transactions that hold as a whole or not at all, requests that
// fail with them.

/** @typedef {(kind: string) => void} Call throws where the call is to fail */

/** @param {any} key */
const text = (key) => JSON.stringify(key);

class Request {
  result = /** @type {any} */ (undefined);
  error = /** @type {unknown} */ (null);
  onsuccess = () => {};
  onerror = () => {};
  onupgradeneeded = () => {};
}

class Transaction {
  oncomplete = () => {};
  onabort = () => {};
  onerror = () => {};
  error = /** @type {unknown} */ (null);
  /** Requests that are not answered yet. */
  open = 0;
  ended = false;
  /** @type {(() => void)[]} */
  writes = [];
  /** @param {FakeDatabase} database */
  constructor(database) {
    this.database = database;
    queueMicrotask(() => this.end());
  }
  /** @param {string} name */
  objectStore(name) {
    return new Store(this, name);
  }
  commit() {}
  abort() {
    if (this.ended) throw new DOMException("it has ended", "InvalidStateError");
    this.ended = true;
    this.writes = [];
    queueMicrotask(() => this.onabort());
  }
  /** Ends when nothing more is asked of it, as a browser finds out a moment later. */
  end() {
    setTimeout(() => {
      if (this.open || this.ended) return;
      this.ended = true;
      for (const write of this.writes) write();
      this.oncomplete();
    });
  }
}

class Store {
  /** @param {Transaction} transaction @param {string} name */
  constructor(transaction, name) {
    this.transaction = transaction;
    this.name = name;
  }
  /** @param {string} kind @param {(all: Map<string, { key: any, value: any }>) => any} act */
  ask(kind, act) {
    const { transaction } = this;
    const request = new Request();
    transaction.open += 1;
    queueMicrotask(() => {
      transaction.open -= 1;
      if (transaction.ended) return;
      try {
        transaction.database.call(`idb.${kind} ${this.name}`);
        request.result = act(/** @type {any} */ (transaction.database.stores.get(this.name)));
        request.onsuccess();
      } catch (error) {
        request.error = transaction.error = error;
        request.onerror();
        if (!transaction.ended) transaction.abort();
      }
      transaction.end();
    });
    return request;
  }
  /** @param {any} value @param {any} [key] */
  put(value, key = value.id) {
    const copy = structuredClone(value);
    return this.ask("put", (all) => void this.transaction.writes.push(() => all.set(text(key), { key, value: copy })));
  }
  /** @param {any} range */
  getAll(range) {
    return this.ask("getAll", (all) => this.within(all, range).map(({ value }) => structuredClone(value)));
  }
  /** @param {any} range */
  getAllKeys(range) {
    return this.ask("getAllKeys", (all) => this.within(all, range).map(({ key }) => key));
  }
  /** @param {any} range */
  delete(range) {
    return this.ask(
      "delete",
      (all) =>
        void this.transaction.writes.push(() => {
          for (const { key } of this.within(all, range)) all.delete(text(key));
        }),
    );
  }
  /** A range here is that of one tab. @param {Map<string, { key: any, value: any }>} all @param {any} range */
  within(all, range) {
    return [...all.values()].filter(
      ({ key }) => range === undefined || (range.tab ? key[0] === range.tab : key === range),
    );
  }
}

export class FakeDatabase {
  /** @type {Map<string, Map<string, { key: any, value: any }>>} */
  stores = new Map();
  /** @param {Call} call */
  constructor(call) {
    this.call = call;
  }
  /** What stands for the browser's `indexedDB`. */
  get factory() {
    const connection = {
      close() {},
      createObjectStore: (/** @type {string} */ name) => this.stores.set(name, new Map()),
      transaction: () => {
        this.call("idb.transaction");
        return new Transaction(this);
      },
    };
    return {
      open: () => {
        const request = new Request();
        queueMicrotask(() => {
          try {
            this.call("idb.open");
            request.result = connection;
            if (!this.stores.size) request.onupgradeneeded();
            request.onsuccess();
          } catch (error) {
            request.error = error;
            request.onerror();
          }
        });
        return request;
      },
    };
  }
}

/** What stands for the browser's `IDBKeyRange`. */
export const FakeKeyRange = { bound: (/** @type {any[]} */ [tab]) => ({ tab }) };
