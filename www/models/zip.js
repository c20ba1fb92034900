/**
 * Reads zip archives, such as the page's own downloads: stored or deflated entries, up to 4 GiB. What an archive says
 * of itself
 * is compared with what it holds, and no more is unpacked than it said.
 */
import { crc32 } from "../core/crc32.js";
import { PageError } from "../core/errors.js";
import { registerStrings } from "../core/i18n/index.js";
import { mostMiB, parts } from "./reading.js";
import { zipEn } from "./zip.en.js";
import { zipZh } from "./zip.zh.js";

registerStrings(zipEn, zipZh);

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
/** Stands for a method that is not read. */
const ENCRYPTED = -1;
/** The longest end of an archive: its record and a comment. */
const TAIL_BYTES = 65_557;
/** A list of 65,535 entries with names of usual length is shorter. */
const MOST_LIST = 16 << 20;
/** No model has as many files; an archive of more is something else. */
const MOST_FILES = 100;
/** Weights become smaller by much less than this. What becomes so small is meant to fill the memory. */
const MOST_RATIO = 100;

/**
 * What the list says of an entry.
 * @typedef {{ path: string, method: number, crc: number, packed: number, size: number, start: number }} Entry
 */

/** @param {Blob} blob @param {number} from @param {number} to */
async function view(blob, from, to) {
  return new DataView(await blob.slice(from, to).arrayBuffer());
}

/** @param {DataView} from @param {number} at @param {number} length */
const textAt = (from, at, length) => new TextDecoder().decode(new Uint8Array(from.buffer, at, length));

/** @param {string} path */
const nameOf = (path) => path.split("/").at(-1) ?? "";

/**
 * The list of an archive's entries; nothing where it is damaged or none.
 * @param {File} zip
 * @returns {Promise<Entry[] | null>}
 */
async function listOf(zip) {
  const tail = await view(zip, Math.max(0, zip.size - TAIL_BYTES), zip.size);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
  if (end < 0) return null;
  const count = tail.getUint16(end + 10, true);
  const [bytes, from] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (bytes > MOST_LIST || from + bytes > zip.size) return null;
  const list = await view(zip, from, from + bytes);
  /** @type {Entry[]} */
  const entries = [];
  for (let i = 0, at = 0; i < count; i += 1) {
    if (at + 46 > list.byteLength || list.getUint32(at, true) !== ENTRY) return null;
    const [crc, packed, size] = [16, 20, 24].map((offset) => list.getUint32(at + offset, true));
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => list.getUint16(at + offset, true));
    if (at + 46 + nameLength > list.byteLength) return null;
    const [flags, method] = [list.getUint16(at + 8, true), list.getUint16(at + 10, true)];
    const start = list.getUint32(at + 42, true);
    entries.push({
      path: textAt(list, at + 46, nameLength),
      method: flags & 1 ? ENCRYPTED : method,
      crc,
      packed,
      size,
      start,
    });
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}

/** Where an entry's data lies; nothing where it does not lie there. @param {File} zip @param {Entry} entry */
async function dataOf(zip, { path, packed, start }) {
  const local = await view(zip, start, start + 30);
  if (local.byteLength < 30 || local.getUint32(0, true) !== LOCAL) return null;
  const [nameLength, extra] = [local.getUint16(26, true), local.getUint16(28, true)];
  const named = await view(zip, start + 30, start + 30 + nameLength);
  const from = start + 30 + nameLength + extra;
  if (textAt(named, 0, named.byteLength) !== path || from + packed > zip.size) return null;
  return zip.slice(from, from + packed);
}

/**
 * The files in an archive that are wanted, without their folders. Stored ones are parts of the archive, read once for
 * their checksum.
 * @param {File} zip
 * @param {(name: string) => boolean} wanted
 * @param {{ signal?: AbortSignal, onProgress?: (done: number, total: number) => void }} [options] progress in bytes
 * @returns {Promise<File[]>} at least one
 */
export async function filesFromZip(zip, wanted, { signal, onProgress } = {}) {
  const { name: archive } = zip;
  const list = await listOf(zip);
  if (!list) throw new PageError("error.badZip", { name: archive });
  const entries = list.filter(({ path }) => wanted(nameOf(path)));
  if (!entries.length) {
    const names = list
      .map(({ path }) => nameOf(path))
      .filter(Boolean)
      .slice(0, 5);
    throw new PageError("error.unknownFiles", { files: names.join(", ") || archive });
  }
  if (entries.length > MOST_FILES) throw new PageError("error.zipMany", { name: archive, count: entries.length });
  for (const entry of entries) check(entry, archive);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const files = [];
  for (const entry of entries) {
    const { path, method, crc, size } = entry;
    const damaged = (/** @type {unknown} */ cause = undefined) =>
      new PageError("error.zipDamaged", { name: archive, file: path }, cause);
    const data = await dataOf(zip, entry);
    if (!data) throw damaged();
    const stream =
      method === STORED ? data.stream() : data.stream().pipeThrough(new DecompressionStream("deflate-raw"));
    /** @type {Blob[]} */
    const held = [];
    let [sum, bytes] = [0, 0];
    try {
      for await (const part of parts(stream)) {
        bytes += part.length;
        if (bytes > size) break;
        sum = crc32(sum, part);
        if (method !== STORED) held.push(new Blob([part]));
        onProgress?.((done += part.length), total);
        signal?.throwIfAborted();
      }
    } catch (error) {
      // What cannot be unpacked ends with an error of the browser.
      throw signal?.aborted ? error : damaged(error);
    }
    if (bytes !== size || sum !== crc) throw damaged();
    files.push(new File(method === STORED ? [data] : held, nameOf(path)));
  }
  return files;
}

/** Refuses what cannot or need not be unpacked, before any of it is. @param {Entry} entry @param {string} archive */
function check({ path, method, packed, size }, archive) {
  if (method !== STORED && method !== DEFLATED) throw new PageError("error.badZip", { name: archive });
  const file = nameOf(path);
  if (/\.safetensors$/i.test(file)) {
    if (size > MOST_RATIO * packed + (1 << 20)) throw new PageError("error.zipBomb", { name: archive, file: path });
  } else if (size > mostMiB(file) << 20) {
    throw new PageError("error.tooLarge", { name: `${archive}/${path}`, most: mostMiB(file) });
  }
}
