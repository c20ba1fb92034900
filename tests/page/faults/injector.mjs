// @ts-check
// Runs inside the page and inside its workers, before their own code: counts the calls by which the page reaches what
// may fail, and
// fails the one that is asked for, with the error that such a call has in reality.

/**
 * One call: the `nth` of its kind in one realm ("page 1", the page as it was opened first, "page 2" after a reload,
 * "worker 1", …).
 * @typedef {{ realm: string, kind: string, nth: number }} Call
 */
/** `lasting`: from that call on all of its kind fail, in every realm. @typedef {Call & { lasting: boolean }} Fault */
/** @typedef {{ realm: string, fault: Fault | null, fired: boolean }} Plan */

/** So many calls of a kind are told apart in each realm; those after them are like them. */
export const MOST_OF_KIND = 20;

/** Written into every injected error, so that none can be mistaken for the page's own words. */
export const MARK = "injected fault";

/**
 * Wraps the realm that it runs in. Must not refer to anything outside: its source is sent. The plan stands in
 * `globalThis.faultPlan`.
 * @param {string} mark @param {number} most so many calls of a kind are told of in each realm
 */
export function inject(mark, most) {
  const scope = /** @type {any} */ (globalThis);
  const inPage = typeof document !== "undefined";
  const plan = () => /** @type {Plan} */ (scope.faultPlan);
  const channel = new BroadcastChannel("faults");
  const report = (/** @type {any} */ told) => (inPage ? scope.reportFault(told) : channel.postMessage(told));
  channel.onmessage = ({ data }) => {
    if (data.fired) plan().fired = true;
    if (inPage) scope.reportFault(data);
  };
  /** @type {Map<string, number>} */
  const counts = new Map();

  /** Counts a call; whether it is to fail. @param {string} kind */
  const fails = (kind) => {
    const nth = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, nth);
    const { realm, fault, fired } = plan();
    // Training alone makes thousands.
    if (nth <= most) report({ realm, kind, nth });
    if (!fault || fault.kind !== kind) return false;
    if (fired) return fault.lasting;
    if (fault.realm !== realm || fault.nth !== nth) return false;
    plan().fired = true;
    if (inPage) channel.postMessage({ fired: true });
    report({ fired: true });
    return true;
  };
  const domError = (/** @type {string} */ name) => new DOMException(mark, name);

  /**
   * @param {any} owner
   * @param {string} method
   * @param {string | ((self: any, all: any[]) => string)} kind "" for one that is not counted
   * @param {(self: any, all: any[], plain: Function) => any} fail
   */
  const wrap = (owner, method, kind, fail) => {
    const plain = owner?.[method];
    if (!plain) return;
    /** @this {any} @param {any[]} all */
    const value = function (...all) {
      const named = typeof kind === "string" ? kind : kind(this, all);
      return named && fails(named) ? fail(this, all, plain) : plain.apply(this, all);
    };
    Object.defineProperty(owner, method, { configurable: true, writable: true, value });
  };
  const rejects = (/** @type {string} */ name) => () => Promise.reject(domError(name));
  const throws = (/** @type {string} */ name) => () => {
    throw domError(name);
  };

  if (inPage) {
    // What stands in the browser's simple storage.
    wrap(
      Storage.prototype,
      "getItem",
      (self, [key]) => `${self === localStorage ? "local" : "session"}.get ${key}`,
      throws("SecurityError"),
    );
    wrap(
      Storage.prototype,
      "setItem",
      (self, [key]) => `${self === localStorage ? "local" : "session"}.set ${key}`,
      throws("QuotaExceededError"),
    );
    wrap(Storage.prototype, "removeItem", "session.remove", throws("SecurityError"));
    wrap(URL, "createObjectURL", "objectUrl", () => {
      throw new TypeError(mark);
    });
    // A download that breaks off.
    const { fetch } = scope;
    scope.fetch = async (/** @type {any[]} */ ...all) => {
      const response = await fetch(...all);
      if (!response.ok || !fails(`body ${new URL(response.url).pathname}`)) return response;
      const reader = response.body.getReader();
      let parts = 0;
      const body = new ReadableStream({
        async pull(controller) {
          const { value, done } = await reader.read();
          if (done || parts++ > 0) controller.error(new TypeError(mark));
          else controller.enqueue(value.subarray(0, Math.ceil(value.length / 2)));
        },
      });
      return new Response(body, { status: response.status, headers: response.headers });
    };
  }

  // The database. A request fails together with its transaction.
  wrap(IDBFactory.prototype, "open", "idb.open", throws("SecurityError"));
  for (const method of ["put", "get", "getAll", "getAllKeys", "delete"]) {
    wrap(
      IDBObjectStore.prototype,
      method,
      (self) => `idb.${method} ${self.name}`,
      (self, all, plain) => {
        const asked = plain.apply(self, all);
        const { transaction } = self;
        Object.defineProperty(transaction, "error", {
          value: domError(method === "put" ? "QuotaExceededError" : "UnknownError"),
        });
        transaction.abort();
        return asked;
      },
    );
  }
  wrap(IDBDatabase.prototype, "transaction", "idb.transaction", throws("InvalidStateError"));

  // The private file system.
  wrap(scope.StorageManager?.prototype, "getDirectory", "opfs.root", rejects("SecurityError"));
  const folders = scope.FileSystemDirectoryHandle?.prototype;
  wrap(folders, "getDirectoryHandle", "opfs.folder", rejects("NotAllowedError"));
  wrap(folders, "getFileHandle", (_, [name]) => `opfs.file ${name}`, rejects("InvalidStateError"));
  wrap(folders, "removeEntry", "opfs.remove", rejects("NoModificationAllowedError"));
  wrap(folders, "entries", "opfs.entries", () => ({
    [Symbol.asyncIterator]: () => ({ next: rejects("UnknownError") }),
  }));
  const files = scope.FileSystemFileHandle?.prototype;
  wrap(files, "getFile", (self) => `opfs.getFile ${self.name}`, rejects("NotReadableError"));
  wrap(files, "createWritable", "opfs.writable", rejects("QuotaExceededError"));
  wrap(files, "createSyncAccessHandle", "opfs.handle", rejects("NoModificationAllowedError"));
  const handles = scope.FileSystemSyncAccessHandle?.prototype;
  wrap(handles, "write", "opfs.write", throws("QuotaExceededError"));
  wrap(handles, "truncate", "opfs.truncate", throws("InvalidStateError"));
  wrap(handles, "flush", "opfs.flush", throws("InvalidStateError"));
  wrap(Blob.prototype, "arrayBuffer", "blob.read", rejects("NotReadableError"));
  wrap(scope.SubtleCrypto?.prototype, "digest", "digest", rejects("OperationError"));

  wrap(
    scope.LockManager?.prototype,
    "request",
    (_, [name]) => `locks.request ${String(name).split(":")[0]}`,
    rejects("InvalidStateError"),
  );
  wrap(scope.LockManager?.prototype, "query", "locks.query", rejects("InvalidStateError"));

  // The GPU.
  wrap(scope.GPU?.prototype, "requestAdapter", "gpu.adapter", () => Promise.resolve(null));
  wrap(scope.GPUAdapter?.prototype, "requestDevice", "gpu.device", rejects("OperationError"));
  wrap(scope.GPUDevice?.prototype, "createBuffer", "gpu.buffer", () => {
    throw new RangeError(mark);
  });
  wrap(scope.GPUQueue?.prototype, "submit", "gpu.submit", throws("OperationError"));
  wrap(scope.GPUQueue?.prototype, "writeBuffer", "gpu.writeBuffer", throws("OperationError"));
  wrap(scope.GPUBuffer?.prototype, "mapAsync", "gpu.map", rejects("OperationError"));

  // What page and worker say to each other: it cannot be copied where it is sent, or cannot be made out where it
  // arrives.
  const QUIET = ["ping", "pulse"];
  /** What a request asked for, by its number. @param {Map<number, string>} asked @param {any} message */
  const replyKind = (asked, message) => {
    if ("pulse" in message) return "";
    if ("fatal" in message || "lives" in message) return Object.keys(message)[0];
    const cmd = asked.get(message.id);
    return `${"event" in message ? "event" : "error" in message ? "failure" : "value"} ${cmd}`;
  };
  /** @param {EventTarget} target @param {(message: any) => string} kindOf */
  const deliver = (target, kindOf) => {
    target.addEventListener("message", (event) => {
      const kind = kindOf(/** @type {MessageEvent} */ (event).data);
      if (!kind || !fails(kind)) return;
      event.stopImmediatePropagation();
      target.dispatchEvent(new MessageEvent("messageerror"));
    });
  };
  if (inPage) {
    const Plain = scope.Worker;
    scope.Worker = class extends Plain {
      /** @param {any} url @param {any} options */
      constructor(url, options) {
        super(url, options);
        this.asked = new Map();
        deliver(/** @type {any} */ (this), (message) => {
          const kind = replyKind(this.asked, message);
          return kind && `arrives ${kind}`;
        });
      }

      /** @param {any} message @param {any} [transfer] */
      postMessage(message, transfer) {
        if (message.id) this.asked.set(message.id, message.cmd);
        if (!QUIET.includes(message.cmd) && fails(`send ${message.cmd}`)) throw domError("DataCloneError");
        super.postMessage(message, transfer);
      }
    };
  } else {
    /** @type {Map<number, string>} */
    const asked = new Map();
    deliver(scope, (message) => {
      if (message.id) asked.set(message.id, message.cmd);
      return QUIET.includes(message.cmd) ? "" : `arrives ${message.cmd}`;
    });
    wrap(
      scope,
      "postMessage",
      (_, [message]) => {
        const kind = replyKind(asked, message);
        return kind && `send ${kind}`;
      },
      throws("DataCloneError"),
    );
  }
}
