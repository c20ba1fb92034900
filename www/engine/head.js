/** The beginning of a weights file, which says what it holds. */

/** @typedef {import("../models/sources.js").Parts} Parts */

/** A weights file's header is not longer: what claims to be so is refused by its first bytes. */
const MOST_HEADER = 16 << 20;

/**
 * The first bytes of weights, up to the end of their header where that is one; then all their parts, or none of them.
 * @param {Parts} parts
 */
export async function withHead(parts) {
  const iterator = parts[Symbol.asyncIterator]();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const first = [];
  let head = new Uint8Array();
  let need = 8;
  while (head.length < need && need <= MOST_HEADER) {
    const { done, value } = await iterator.next();
    if (done) break;
    first.push(value);
    head = new Uint8Array(await new Blob(first).arrayBuffer());
    if (head.length >= 8) need = 8 + Number(new DataView(head.buffer).getBigUint64(0, true));
  }
  async function* all() {
    yield* first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head: head.slice(0, Math.max(64, need)), all, end: async () => void (await iterator.return?.()) };
}
