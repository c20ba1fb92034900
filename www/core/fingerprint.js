/** Names a model from disk, so that a link can ask for the very file again. */

const FIRST_BYTES = 1 << 20;
const BLOCK_BYTES = 64 << 10;
const BLOCKS = 63;
/** Digits of the checksum that a link carries. */
const DIGITS = 16;

/**
 * SHA-256 over the weights' size, their first MB, 63 evenly spaced blocks of 64 kB up to their end, and the
 * configuration: 5 MB to
 * read however large the file is, and any change of training touches some of it.
 * @param {Blob} weights @param {Blob} config
 * @returns {Promise<string>} "sha256:" and 16 hexadecimal digits; "" where the browser computes no checksums
 */
export async function fingerprint(weights, config) {
  // Only over https and on this machine itself.
  if (!globalThis.crypto?.subtle) return "";
  const size = new DataView(new ArrayBuffer(8));
  size.setBigUint64(0, BigInt(weights.size), true);
  const parts = [size.buffer, weights.slice(0, FIRST_BYTES)];
  const last = weights.size - BLOCK_BYTES;
  for (let block = 1; block <= BLOCKS && last > 0; block += 1) {
    const from = Math.floor((last * block) / BLOCKS);
    parts.push(weights.slice(from, from + BLOCK_BYTES));
  }
  parts.push(config);
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
  const hex = Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `sha256:${hex.slice(0, DIGITS)}`;
}
