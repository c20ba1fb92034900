/**
 * Saved runs in the browser's private file system (OPFS). Each run has two slots that are written in turn, so that a
 * write
 * that is torn never takes the save before it along: a slot's header, with its checksum, is written last.
 *
 * A slot: 64 bytes of header (magic, sequence, length of the description, length of the parts, SHA-256), the parts one
 * after
 * another, the description as JSON; parts of one name are the pieces of one file. Neither writing nor reading holds
 * more than a
 * part in memory: that of a large model's run fits in there but once. The worker writes and opens; the page lists,
 * renames and
 * deletes.
 */
import { fullDisk, PageError } from "../core/errors.js";
import { isLocked, isTaken, LOCK_WAIT_MS, lockName } from "./locks.js";
import { readMeta, unknownMeta } from "./run_meta.js";

/** @typedef {import("../engine/types.js").RunMeta} RunMeta */
/** What the type library has for workers only. @typedef {{ truncate(size: number): void, flush(): void, close(): void,
  write(bytes: BufferSource, options: { at: number }): number }} SyncHandle */
/**
 * Writes a part, or the next piece of the one before.
 * @typedef {(name: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>} AddPart
 */

const FOLDER = "runs";
const SLOTS = ["a.run", "b.run"];
const NAME_FILE = "name.txt";
const MAGIC = 0x32_4e_55_52;
/** Of a slot as it was at first, with the description before the parts. */
const OLD_MAGIC = 0x31_4e_55_52;
const HEADER = 64;
/** Bytes of a name that are read. */
const MOST_NAME = 4000;
/** A description longer than this is damaged. */
const MOST_JSON = 16 << 20;

export function storageSupported() {
  return typeof navigator !== "undefined" && Boolean(navigator.storage?.getDirectory);
}

/** The browser's private file system: all of the page goes through here. */
export const rootFolder = () => navigator.storage.getDirectory();

/** @param {boolean} [create] */
async function folder(create = false) {
  return (await rootFolder()).getDirectoryHandle(FOLDER, { create });
}

/** @param {unknown} error */
const isMissing = (error) => error instanceof DOMException && error.name === "NotFoundError";

/** @param {Uint8Array<ArrayBuffer>} bytes */
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** One checksum over several pieces: that of their checksums. @param {Uint8Array[]} sums */
async function checksum(sums) {
  const all = new Uint8Array(32 * sums.length);
  for (const [at, sum] of sums.entries()) all.set(sum, 32 * at);
  return sha256(all);
}

/**
 * @param {File} file
 * @returns {Promise<{ sequence: number, json: [number, number], parts: number, partBytes: number, sum: Uint8Array } |
 *   null>} `parts`: where they begin
 */
async function header(file) {
  if (file.size < HEADER) return null;
  const view = new DataView(await file.slice(0, HEADER).arrayBuffer());
  const magic = view.getUint32(0, true);
  const jsonBytes = view.getUint32(12, true);
  const partBytes = view.getFloat64(16, true);
  const old = magic === OLD_MAGIC;
  if (!(old || magic === MAGIC) || jsonBytes > MOST_JSON || file.size !== HEADER + jsonBytes + partBytes) return null;
  const from = old ? HEADER : HEADER + partBytes;
  const sum = new Uint8Array(view.buffer.slice(24, 56));
  return {
    sequence: view.getFloat64(4, true) | 0,
    json: [from, from + jsonBytes],
    parts: old ? HEADER + jsonBytes : HEADER,
    partBytes,
    sum,
  };
}

/** @typedef {{ name: string, file: File, head: NonNullable<Awaited<ReturnType<typeof header>>> }} Slot */

/**
 * The slots of a run that look whole, the newest first.
 * @param {FileSystemDirectoryHandle} run @param {boolean} [strict] whether to throw where one could not be read
 */
async function slots(run, strict = false) {
  /** @type {Slot[]} */
  const found = [];
  for (const name of SLOTS) {
    try {
      const file = await (await run.getFileHandle(name)).getFile();
      const head = await header(file);
      if (head) found.push({ name, file, head });
    } catch (error) {
      // Not written yet.
      if (strict && !isMissing(error)) throw error;
    }
  }
  return found.sort((a, b) => b.head.sequence - a.head.sequence);
}

/** By name; read when they are asked for. @typedef {Map<string, Blob>} Parts */

/** @typedef {{ name: string, bytes: number }} Part */

/**
 * What a slot tells about itself, as it was written; `about` is undefined where that is no JSON.
 * @param {Slot} slot
 * @returns {Promise<{ json: Uint8Array<ArrayBuffer>, about: any }>}
 */
async function description({ file, head }) {
  const json = new Uint8Array(await file.slice(...head.json).arrayBuffer());
  try {
    return { json, about: JSON.parse(new TextDecoder().decode(json)) };
  } catch {
    return { json, about: undefined };
  }
}

/**
 * The parts that a description lists, `null` where they are not those of its slot.
 * @param {any} about
 * @param {Slot} slot
 * @returns {Part[] | null}
 */
function partsOf(about, { head }) {
  const size = (/** @type {number} */ sum, /** @type {Part} */ part) =>
    Number.isInteger(part?.bytes) && part.bytes >= 0 ? sum + part.bytes : NaN;
  return Array.isArray(about?.parts) && about.parts.reduce(size, 0) === head.partBytes ? about.parts : null;
}

/**
 * What a slot holds, verified by its checksum; `null` where it is damaged.
 * @param {Slot} slot
 * @returns {Promise<{ meta: RunMeta, parts: Parts } | null>}
 */
async function contents(slot) {
  const { head } = slot;
  const { json, about } = await description(slot);
  const listed = partsOf(about, slot);
  if (!listed) return null;
  /** @type {Uint8Array[]} */
  const sums = [];
  for (const [, piece] of cut(slot, listed)) sums.push(await sha256(new Uint8Array(await piece.arrayBuffer())));
  sums.splice(head.parts === HEADER ? sums.length : 0, 0, await sha256(json));
  const sum = await checksum(sums);
  if (!sum.every((byte, index) => byte === head.sum[index])) return null;
  return { meta: readMeta(about).meta, parts: join(cut(slot, listed)) };
}

/** @param {Slot} slot @param {Part[]} listed @returns {[string, Blob][]} */
function cut({ file, head }, listed) {
  let at = head.parts;
  return listed.map(({ name, bytes }) => [name, file.slice(at, (at += bytes))]);
}

/** @param {[string, Blob][]} pieces of files, by name @returns {Parts} */
function join(pieces) {
  /** @type {Map<string, Blob[]>} */
  const files = new Map();
  for (const [name, piece] of pieces) files.set(name, [...(files.get(name) ?? []), piece]);
  return new Map(Array.from(files, ([name, all]) => [name, new Blob(all)]));
}

/** Of each run, the checksum of the slot that this page has read or written whole. @type {Map<string, Uint8Array>} */
const verified = new Map();

/**
 * The save that must survive the next write: the newest that is really whole. A slot that this page knows to be whole
 * is not
 * read again.
 * @param {string} id @param {Slot[]} found the newest first
 */
async function slotToKeep(id, found) {
  const known = verified.get(id);
  for (const slot of found) {
    if (known && slot.head.sum.every((byte, index) => byte === known[index])) return slot;
    // One that could not be read now, for want of memory say, is not known to be damaged.
    if (!(await contents(slot).catch(() => true))) continue;
    verified.set(id, slot.head.sum);
    return slot;
  }
  return null;
}

/**
 * Writes bytes, all of them or with an error.
 * @param {SyncHandle} handle
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} at
 */
export function put(handle, bytes, at) {
  if (handle.write(bytes, { at }) !== bytes.byteLength) throw new DOMException("short write", "QuotaExceededError");
}

/**
 * Writes a save over the slot that is older, or damaged. For the worker: only there can a file be flushed.
 * @param {string} id
 * @param {RunMeta} meta
 * @param {(add: AddPart) => Promise<void>} fill adds the parts; what it fails with, this fails with
 * @returns {Promise<number>} its size in bytes
 */
export async function writeRun(id, meta, fill) {
  /** Whether a save is there that a failure must not take along. */
  let any = true;
  try {
    const run = await (await folder(true)).getDirectoryHandle(id, { create: true });
    const found = await slots(run, true);
    any = found.length > 0;
    const kept = await slotToKeep(id, found);
    const name = kept?.name === SLOTS[0] ? SLOTS[1] : SLOTS[0];
    const file = /** @type {any} */ (await run.getFileHandle(name, { create: true }));
    /** @type {SyncHandle} */
    const handle = await file.createSyncAccessHandle();
    try {
      // From here to the last write the slot has no header, and does not count.
      handle.truncate(0);
      handle.flush();
      /** @type {{ name: string, bytes: number }[]} */
      const parts = [];
      /** @type {Uint8Array[]} */
      const sums = [];
      let at = HEADER;
      await fill(async (name, bytes) => {
        put(handle, bytes, at);
        at += bytes.byteLength;
        parts.push({ name, bytes: bytes.byteLength });
        sums.push(await sha256(bytes));
      });
      const json = new TextEncoder().encode(JSON.stringify({ ...meta, parts }));
      put(handle, json, at);
      handle.flush();
      const sum = await checksum([...sums, await sha256(json)]);
      const head = new DataView(new ArrayBuffer(HEADER));
      head.setUint32(0, MAGIC, true);
      head.setFloat64(4, (found[0]?.head.sequence ?? 0) + 1, true);
      head.setUint32(12, json.byteLength, true);
      head.setFloat64(16, at - HEADER, true);
      new Uint8Array(head.buffer).set(sum, 24);
      handle.write(head, { at: 0 });
      handle.flush();
      verified.set(id, sum);
      return at + json.byteLength;
    } finally {
      handle.close();
    }
  } catch (error) {
    // What is there of a first save takes room, and is of no use.
    if (!any)
      await folder()
        .then((all) => all.removeEntry(id, { recursive: true }))
        .catch(() => {});
    throw fullDisk(error);
  }
}

/**
 * The newest save of a run that is whole: its checksum is verified, and the one before it is taken if it fails.
 * @param {string} id
 * @returns {Promise<{ meta: RunMeta, parts: Parts }>}
 */
export async function readRun(id) {
  const run = await (await folder()).getDirectoryHandle(id);
  /** @type {unknown} */
  let unread = null;
  for (const slot of await slots(run)) {
    const whole = await contents(slot).catch((error) => void (unread ??= error));
    if (!whole) continue;
    verified.set(id, slot.head.sum);
    return { ...whole, meta: { ...whole.meta, id } };
  }
  if (unread) throw unread;
  throw new PageError("error.runDamaged");
}

/** @param {FileSystemDirectoryHandle} run */
async function givenName(run) {
  const file = await run
    .getFileHandle(NAME_FILE)
    .then((handle) => handle.getFile())
    .catch(() => null);
  return file
    ? (
        await file
          .slice(0, MOST_NAME)
          .text()
          .catch(() => "")
      ).trim()
    : "";
}

/**
 * One run of the list, whatever is wrong with it.
 * @param {string} id @param {FileSystemDirectoryHandle} run
 * @returns {Promise<import("../engine/types.js").SavedRun | null>} null for one that is just being written for the
 *   first time
 */
async function listed(id, run) {
  const name = await givenName(run);
  const found = await slots(run, true);
  const bytes = found.reduce((sum, { file }) => sum + file.size, 0);
  for (const slot of found) {
    const { about } = await description(slot);
    // One that cannot be read belongs to a save that cannot be opened; the one before it may do.
    if (about === undefined) continue;
    const { meta, lost, opens } = readMeta(about);
    const savedAt = lost.includes("savedAt") ? slot.file.lastModified : meta.savedAt;
    const whole = opens && partsOf(about, slot) !== null;
    return {
      meta: { ...meta, id, savedAt, name: name || meta.name || id },
      bytes,
      damage: whole ? (lost.length ? "part" : "") : "whole",
      lost,
    };
  }
  if (!found.length && (await isLocked(id))) return null;
  const files = await filesOf(run);
  const newest = Math.max(0, ...files.map(({ lastModified }) => lastModified));
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return {
    meta: unknownMeta(id, name || id, newest),
    bytes: size,
    damage: found.length ? "whole" : "unfinished",
    lost: found.length ? ["source"] : [],
  };
}

/** The slots' files, whole or not. @param {FileSystemDirectoryHandle} run @returns {Promise<File[]>} */
async function filesOf(run) {
  const files = await Promise.all(
    SLOTS.map((name) =>
      run
        .getFileHandle(name)
        .then((handle) => handle.getFile())
        .catch(() => null),
    ),
  );
  return files.flatMap((file) => (file ? [file] : []));
}

/**
 * What is saved, the newest first. What is wrong with one run hides no other.
 * @returns {Promise<import("../engine/types.js").SavedRun[]>}
 */
export async function listRuns() {
  if (!storageSupported()) return [];
  const all = await folder().catch((error) => {
    // Nothing was ever saved.
    if (isMissing(error)) return null;
    throw error;
  });
  /** @type {import("../engine/types.js").SavedRun[]} */
  const runs = [];
  if (!all) return runs;
  for await (const [id, run] of /** @type {any} */ (all).entries()) {
    if (run.kind !== "directory") continue;
    const one = await listed(id, run).catch((failure) => ({
      meta: unknownMeta(id, id, 0),
      bytes: 0,
      damage: /** @type {const} */ ("unread"),
      lost: [],
      failure,
    }));
    if (one) runs.push(one);
  }
  return runs.sort((a, b) => b.meta.savedAt - a.meta.savedAt);
}

/**
 * What can still be read of a run that cannot be opened: the files of its newest save that are listed, else its saves
 * as they lie there.
 * Nothing is verified.
 * @param {string} id @returns {Promise<Parts>} by name
 */
export async function remains(id) {
  const run = await (await folder()).getDirectoryHandle(id);
  for (const slot of await slots(run)) {
    const found = await description(slot).catch(() => null);
    const parts = partsOf(found?.about, slot);
    if (parts?.every(({ name }) => typeof name === "string")) return join(cut(slot, parts));
  }
  return new Map((await filesOf(run)).map((file) => [file.name, file]));
}

/** @param {string} id @param {string} name */
export async function renameRun(id, name) {
  try {
    const run = await (await folder()).getDirectoryHandle(id);
    const stream = await (await run.getFileHandle(NAME_FILE, { create: true })).createWritable();
    await stream.write(name);
    await stream.close();
  } catch (error) {
    throw fullDisk(error);
  }
}

/** Whether no save is newer than the one that this worker wrote or read last. @param {string} id */
export async function isNewest(id) {
  const known = verified.get(id);
  // Nothing of it was ever saved.
  if (!known) return true;
  const run = await folder()
    .then((all) => all.getDirectoryHandle(id))
    .catch(() => null);
  const newest = run && (await slotToKeep(id, await slots(run)));
  return newest?.head.sum.every((byte, index) => byte === known[index]);
}

/**
 * Deletes a run that no tab has open: one that trains would only write it anew, without its name.
 * @param {string} id
 */
export async function deleteRun(id) {
  const remove = async () => {
    verified.delete(id);
    await (await folder()).removeEntry(id, { recursive: true });
  };
  if (!navigator.locks) return remove();
  let free = false;
  await navigator.locks
    .request(lockName(id), { signal: AbortSignal.timeout(LOCK_WAIT_MS) }, () => {
      free = true;
      return remove();
    })
    .catch((error) => {
      if (free) throw error;
      if (isTaken(error)) throw new PageError("error.runOpen");
      return remove();
    });
}
