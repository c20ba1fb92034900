/** Reads zip archives, such as the page's own downloads: stored or deflated entries, up to 4 GiB. */
import { PageError } from "./errors.js";

const END = 0x06054b50;
const ENTRY = 0x02014b50;

/** @param {Blob} blob @param {number} from @param {number} to */
async function view(blob, from, to) {
  return new DataView(await blob.slice(from, to).arrayBuffer());
}

/**
 * The files in an archive, without their folders. Stored ones are parts of the archive and are not read.
 * @param {File} zip
 * @returns {Promise<File[]>}
 */
export async function filesFromZip(zip) {
  const bad = () => new PageError("error.badZip", { name: zip.name });
  const tailAt = Math.max(0, zip.size - 65_557);
  const tail = await view(zip, tailAt, zip.size);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw bad();
  const count = tail.getUint16(end + 10, true);
  const from = tail.getUint32(end + 16, true);
  const list = await view(zip, from, from + tail.getUint32(end + 12, true));
  const files = [];
  for (let i = 0, at = 0; i < count; i += 1) {
    if (at + 46 > list.byteLength || list.getUint32(at, true) !== ENTRY) throw bad();
    const [method, size] = [list.getUint16(at + 10, true), list.getUint32(at + 20, true)];
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => list.getUint16(at + offset, true));
    const name = new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, nameLength)).split("/").at(-1) ?? "";
    const start = list.getUint32(at + 42, true);
    at += 46 + nameLength + extra + comment;
    if (!name) continue;
    const local = await view(zip, start, start + 30);
    if (local.byteLength < 30) throw bad();
    const data = start + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const stored = zip.slice(data, data + size);
    if (method === 0) files.push(new File([stored], name));
    else if (method === 8) {
      const bytes = await new Response(stored.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
      files.push(new File([bytes], name));
    } else throw bad();
  }
  return files;
}
