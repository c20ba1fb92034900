/** CRC-32 as in zip archives, four bytes at a time, of bytes that come in pieces. */

/** @type {Uint32Array[]} */
const tables = [];

function makeTables() {
  for (let k = 0; k < 4; k += 1) tables.push(new Uint32Array(256));
  for (let i = 0; i < 256; i += 1) {
    let crc = i;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    tables[0][i] = crc;
  }
  for (let i = 0; i < 256; i += 1) {
    for (let k = 1; k < 4; k += 1) tables[k][i] = tables[0][tables[k - 1][i] & 255] ^ (tables[k - 1][i] >>> 8);
  }
}

/**
 * The checksum of what came before and of a piece more.
 * @param {number} before 0 at the beginning @param {Uint8Array} bytes
 */
export function crc32(before, bytes) {
  if (!tables.length) makeTables();
  const [t0, t1, t2, t3] = tables;
  let crc = ~before;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc = t3[crc & 255] ^ t2[(crc >>> 8) & 255] ^ t1[(crc >>> 16) & 255] ^ t0[crc >>> 24];
  }
  for (; at < bytes.length; at += 1) crc = t0[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
