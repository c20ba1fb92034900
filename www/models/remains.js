/** What is left of a saved run that cannot be opened, as a zip: its files as they are, without compression. */
import { crc32 } from "../core/crc32.js";
import { saveBlob } from "../core/dom.js";
import { fileName } from "./file_names.js";
import { remains } from "./storage.js";

/** So much is read at once. */
const PIECE_BYTES = 4 << 20;
/** As the command line calls them. @type {Record<string, string>} */
const NAMES = { state: "training_state.safetensors", text: "text.txt" };

/** The checksum of a file, read in pieces. @param {Blob} blob */
async function checksum(blob) {
  let crc = 0;
  for (let at = 0; at < blob.size; at += PIECE_BYTES)
    crc = crc32(crc, new Uint8Array(await blob.slice(at, at + PIECE_BYTES).arrayBuffer()));
  return crc;
}

/** @param {number} size @param {[offset: number, value: number, bytes: 2 | 4][]} fields */
function header(size, fields) {
  const view = new DataView(new ArrayBuffer(size));
  for (const [offset, value, bytes] of fields) {
    if (bytes === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  return view;
}

/** An archive of files, stored as they are; 4 GiB at most in all. @param {Map<string, Blob>} files by name */
export async function zipOf(files) {
  /** @type {(BlobPart)[]} */
  const body = [];
  /** @type {(BlobPart)[]} */
  const list = [];
  let at = 0;
  let listBytes = 0;
  for (const [name, blob] of files) {
    const encoded = new TextEncoder().encode(name);
    const crc = await checksum(blob);
    // Both headers have these fields; bit 11 says that names are UTF-8.
    const about = (/** @type {number} */ from) =>
      /** @type {[number, number, 2 | 4][]} */ ([
        [from, 20, 2],
        [from + 2, 1 << 11, 2],
        [from + 6, 0x21 << 16, 4],
        [from + 10, crc, 4],
        [from + 14, blob.size, 4],
        [from + 18, blob.size, 4],
        [from + 22, encoded.length, 2],
      ]);
    body.push(header(30, [[0, 0x04034b50, 4], ...about(4)]), encoded, blob);
    list.push(header(46, [[0, 0x02014b50, 4], [4, 20, 2], ...about(6), [42, at, 4]]), encoded);
    at += 30 + encoded.length + blob.size;
    listBytes += 46 + encoded.length;
  }
  const { size: count } = files;
  const end = header(22, [
    [0, 0x06054b50, 4],
    [8, count, 2],
    [10, count, 2],
    [12, listBytes, 4],
    [16, at, 4],
  ]);
  return new Blob([...body, ...list, end], { type: "application/zip" });
}

/** @param {string} id of a run @param {string} name what the file is called */
export async function downloadRemains(id, name) {
  const files = Array.from(
    await remains(id),
    ([part, blob]) => /** @type {[string, Blob]} */ ([NAMES[part] ?? part, blob]),
  );
  saveBlob(`${fileName(name) || "run"}-damaged.zip`, await zipOf(new Map(files)));
}
