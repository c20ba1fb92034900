/**
 * Models that adapters belong to and that are nowhere else, such as one trained from scratch: kept in the browser's
 * private file system
 * under the fingerprint of what they hold, once however many runs need them. The worker writes; the page reads and
 * removes.
 */
import { crc32 } from "../core/crc32.js";
import { fullDisk, PageError } from "../core/errors.js";
import { fingerprint } from "../core/fingerprint.js";
import { fileSource } from "./files.js";
import { put, rootFolder } from "./storage.js";

/** @typedef {{ config: File, tokenizer: File, weights: File }} BaseFiles */

const FOLDER = "bases";
/** The weights are written last: without them the others count for nothing. @type {Record<keyof BaseFiles, string>} */
const NAMES = { config: "config.json", tokenizer: "tokenizer.json", weights: "model.safetensors" };
/** The checksums of these files, by role, written before the weights; models that were kept earlier have none. */
const SUMS = "sums.json";
/** A model that no run names may be for one of another tab that has not come to its first save. */
const UNNAMED_MS = 24 * 3600 * 1000;
/** So much is read and written at once. */
const PIECE_BYTES = 4 << 20;

/** A model's folder: a colon is not for every file system. @param {string} id */
const folderName = (id) => id.replace(":", "-");

/** @param {boolean} [create] */
async function folder(create = false) {
  return (await rootFolder()).getDirectoryHandle(FOLDER, { create });
}

/** @param {FileSystemDirectoryHandle} base @returns {Promise<BaseFiles>} */
async function filesOf(base) {
  const [config, tokenizer, weights] = await Promise.all(
    Object.values(NAMES).map(async (name) => (await base.getFileHandle(name)).getFile()),
  );
  return { config, tokenizer, weights };
}

/** @param {string} id @returns {Promise<BaseFiles | null>} null where it is not there, or not whole */
async function whole(id) {
  try {
    const files = await filesOf(await (await folder()).getDirectoryHandle(folderName(id)));
    return (await fingerprint(files.weights, files.config)) === id ? files : null;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return null;
    throw error;
  }
}

/** A part of a file, and its place, one after another. @param {Blob} file */
async function* pieces(file) {
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    yield { at, bytes: new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()) };
  }
}

/** @param {Blob} file */
async function checksum(file) {
  let sum = 0;
  for await (const { bytes } of pieces(file)) sum = crc32(sum, bytes);
  return sum;
}

/** @typedef {Partial<Record<keyof BaseFiles, number>>} Sums */

/**
 * The checksums of a kept model.
 * @param {string} id
 * @returns {Promise<Sums>} nothing of one that was kept before there were any
 */
async function sumsOf(id) {
  const base = await (await folder()).getDirectoryHandle(folderName(id));
  /** @type {File} */
  let file;
  try {
    file = await (await base.getFileHandle(SUMS)).getFile();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return {};
    throw error;
  }
  const sums = Object(
    await file
      .text()
      .then(JSON.parse)
      .catch(() => null),
  );
  if (!Object.keys(NAMES).every((role) => role in sums)) throw new PageError("error.baseGone");
  return sums;
}

/**
 * The parts of a file, and an error instead of its end where they are not those that were written.
 * @param {import("./sources.js").Parts} parts
 * @param {number} sum
 */
async function* checked(parts, sum) {
  let found = 0;
  for await (const part of parts) {
    found = crc32(found, part);
    yield part;
  }
  if (found !== sum) throw new PageError("error.baseGone");
}

/**
 * A model as it is loaded. The weights are compared with their checksum as they come: a model in which something has
 * changed is not
 * opened, but nothing is read twice.
 * @param {string} id @param {string} name @param {AbortSignal} signal
 * @returns {Promise<import("./sources.js").ModelFiles>}
 */
export async function openBase(id, name, signal) {
  const files = await whole(id);
  if (!files) throw new PageError("error.baseGone");
  const sums = await sumsOf(id);
  for (const role of /** @type {const} */ (["config", "tokenizer"])) {
    if (sums[role] !== undefined && (await checksum(files[role])) !== sums[role]) throw new PageError("error.baseGone");
  }
  const opened = await fileSource(files, name).open(signal);
  const { weights: sum } = sums;
  if (sum === undefined) return opened;
  const open = opened.weights.map((each) => async (/** @type {AbortSignal} */ later) => {
    const { parts, bytes } = await each(later);
    return { parts: checked(parts, sum), bytes };
  });
  return { ...opened, weights: open };
}

/**
 * Writes a model, unless it is kept already. For the worker: only there can a file be flushed.
 * @param {string} id its fingerprint @param {BaseFiles} files
 */
export async function writeBase(id, files) {
  if (await whole(id)) return;
  try {
    const base = await (await folder(true)).getDirectoryHandle(folderName(id), { create: true });
    /** @type {Sums} */
    const sums = {};
    for (const role of /** @type {(keyof BaseFiles)[]} */ (Object.keys(NAMES)))
      sums[role] = await checksum(files[role]);
    const { config, tokenizer, weights } = files;
    const written = {
      [NAMES.config]: config,
      [NAMES.tokenizer]: tokenizer,
      [SUMS]: new Blob([JSON.stringify(sums)]),
      [NAMES.weights]: weights,
    };
    for (const [name, file] of Object.entries(written)) {
      const handle = await /** @type {any} */ (
        await base.getFileHandle(name, { create: true })
      ).createSyncAccessHandle();
      try {
        handle.truncate(0);
        for await (const { at, bytes } of pieces(file)) put(handle, bytes, at);
        handle.flush();
      } finally {
        handle.close();
      }
    }
  } catch (error) {
    // What is there of it takes room, and is of no use.
    await remove(folderName(id)).catch(() => {});
    throw fullDisk(error);
  }
}

/** @param {string} name */
async function remove(name) {
  await (await folder()).removeEntry(name, { recursive: true });
}

/**
 * Removes the models that no run needs any more, such as one that was kept for a run that never came to a save.
 * @param {Set<string>} needed
 * @param {string} [freed] the model of a run that was deleted just now, which need not be old
 */
export async function sweepBases(needed, freed = "") {
  const names = new Set([...needed].map(folderName));
  for await (const [name, base] of /** @type {any} */ (await folder(true)).entries()) {
    if (names.has(name)) continue;
    const newest = await newestFile(base).catch(() => Date.now());
    // What cannot be read or removed keeps nothing else from going.
    if (name === folderName(freed) || Date.now() - newest > UNNAMED_MS) await remove(name).catch(() => {});
  }
}

/** When a model's folder was last written to. @param {any} base */
async function newestFile(base) {
  let newest = 0;
  for await (const file of base.values()) newest = Math.max(newest, (await file.getFile()).lastModified);
  return newest;
}

/** How much room a model takes, in bytes, whole or not. @param {string} id */
export async function baseBytes(id) {
  const files = await folder()
    .then((all) => all.getDirectoryHandle(folderName(id)))
    .then(filesOf)
    .catch(() => null);
  return files ? Object.values(files).reduce((sum, { size }) => sum + size, 0) : 0;
}
