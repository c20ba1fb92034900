// @ts-check
// A file system in memory, as the browser's private one, that can break off at any point.

export const disk = {
  /** Operations until the tab "dies"; infinite for never. */
  left: Infinity,
  /** How often a file was read to its end. */
  wholeReads: 0,
  /** Bytes that still fit. */
  room: Infinity,
};
function operation() {
  if (disk.left-- <= 0) throw new Error("the tab died");
}

export class FakeFile {
  kind = "file";
  bytes = new Uint8Array(0);
  unreadable = false;
  lastModified = Date.now();
  async getFile() {
    const file = new File([this.bytes.slice()], "file", { lastModified: this.lastModified });
    const { unreadable } = this;
    const slice = (/** @type {number} */ from, /** @type {number} */ to) => {
      const part = File.prototype.slice.call(file, from, to);
      return Object.assign(part, {
        arrayBuffer: async () => {
          disk.wholeReads += Number(from > 0 && to === file.size);
          // What stands at its beginning may be known all the same.
          if (unreadable && from > 0) throw new DOMException("no memory", "NotReadableError");
          return Blob.prototype.arrayBuffer.call(part);
        },
      });
    };
    return Object.assign(file, { slice });
  }
  async createWritable() {
    return {
      write: async (/** @type {string} */ text) => {
        this.bytes = new TextEncoder().encode(text);
      },
      close: async () => {},
    };
  }
  async createSyncAccessHandle() {
    operation();
    return {
      truncate: (/** @type {number} */ size) => {
        operation();
        this.bytes = this.bytes.slice(0, size);
      },
      write: (/** @type {ArrayBufferView} */ data, /** @type {{ at: number }} */ { at }) => {
        operation();
        const from = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        const written = Math.min(from.length, Math.max(0, disk.room - at));
        const grown = new Uint8Array(Math.max(this.bytes.length, at + written));
        grown.set(this.bytes);
        // Dying in the middle of a write leaves a part of it.
        const part = disk.left === 0 ? written >> 1 : written;
        grown.set(from.subarray(0, part), at);
        this.bytes = grown;
        return part;
      },
      flush: operation,
      close() {},
    };
  }
}

export class FakeFolder {
  kind = "directory";
  /** @type {Map<string, any>} */
  all = new Map();
  async getDirectoryHandle(/** @type {string} */ name, { create = false } = {}) {
    if (!this.all.has(name) && !create) throw new DOMException(name, "NotFoundError");
    if (!this.all.has(name)) this.all.set(name, new FakeFolder());
    return this.all.get(name);
  }
  async getFileHandle(/** @type {string} */ name, { create = false } = {}) {
    if (!this.all.has(name) && !create) throw new DOMException(name, "NotFoundError");
    if (!this.all.has(name)) this.all.set(name, new FakeFile());
    return this.all.get(name);
  }
  async removeEntry(/** @type {string} */ name) {
    this.all.delete(name);
  }
  async *entries() {
    yield* [...this.all];
  }
  async *values() {
    yield* [...this.all.values()];
  }
}
