// @ts-check
// Zip archives, made here so that anything about them can be wrong.
import { deflateRawSync } from "node:zlib";

/**
 * @typedef {object} Packed
 * @property {string} name
 * @property {Uint8Array} bytes
 * @property {boolean} [deflate]
 * @property {number} [claims] the size that the archive says it has
 */

const table = Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32, byte by byte. @param {Uint8Array} bytes */
export function crcOf(bytes) {
  let crc = ~0;
  for (let at = 0; at < bytes.length; at += 1) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]) & 255];
  return ~crc >>> 0;
}

/** @param {Packed[]} files @returns {Uint8Array<ArrayBuffer>} */
export function zipOf(files) {
  const encoder = new TextEncoder();
  /** @type {Uint8Array[]} */
  const all = [];
  /** @type {Uint8Array[]} */
  const list = [];
  let at = 0;
  for (const { name, bytes, deflate = false, claims = bytes.length } of files) {
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const path = encoder.encode(name);
    const shared = new DataView(new ArrayBuffer(26));
    const values = [20, 0, deflate ? 8 : 0, 0, 33];
    for (const [i, value] of values.entries()) shared.setUint16(2 * i, value, true);
    for (const [i, value] of [crcOf(bytes), packed.length, claims].entries()) shared.setUint32(10 + 4 * i, value, true);
    shared.setUint16(22, path.length, true);
    const same = new Uint8Array(shared.buffer);
    const head = [Uint8Array.of(0x50, 0x4b, 3, 4), same, path];
    const rest = new DataView(new ArrayBuffer(14));
    rest.setUint32(10, at, true);
    list.push(Uint8Array.of(0x50, 0x4b, 1, 2, 20, 3), same, new Uint8Array(rest.buffer), path);
    all.push(...head, packed);
    at += 30 + path.length + packed.length;
  }
  const listBytes = list.reduce((sum, part) => sum + part.length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, listBytes, true);
  end.setUint32(16, at, true);
  return new Uint8Array(Buffer.concat([...all, ...list, new Uint8Array(end.buffer)]));
}
