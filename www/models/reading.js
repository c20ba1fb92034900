/** Reads files part by part, and small ones as a whole, up to a limit. */
import { PageError } from "../core/errors.js";

/** Network parts are small; fewer and larger messages are cheaper for the worker. */
const PART_BYTES = 4 << 20;
/** On a slow line a part is handed on sooner, so that whoever waits sees how far it is. */
const PART_MS = 250;
/**
 * How many MiB a file may have that is read as a whole: what is larger is none of a model's.
 * @param {string} name or address
 */
export function mostMiB(name) {
  return /(config|index)\.json$/i.test(name) ? 16 : 64;
}

/**
 * Joins small parts. What it yields never shares its buffer, so it can be transferred.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {(error: unknown) => unknown} [told] what an error while it is read is told as
 * @param {() => number} [clock] in milliseconds
 * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>>}
 */
export async function* parts(stream, told = (error) => error, clock = () => performance.now()) {
  const reader = stream.getReader();
  /** @type {Uint8Array[]} */
  let held = [];
  let size = 0;
  let from = clock();
  const join = () => {
    const joined = new Uint8Array(size);
    let at = 0;
    for (const part of held) {
      joined.set(part, at);
      at += part.byteLength;
    }
    held = [];
    size = 0;
    from = clock();
    return joined;
  };
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        throw told(error);
      });
      if (done) break;
      held.push(value);
      size += value.byteLength;
      if (size >= PART_BYTES || (size && clock() - from >= PART_MS)) yield join();
    }
    if (size) yield join();
  } finally {
    // Also reached when the reader's user stops early: the download must not go on.
    await reader.cancel().catch(() => {});
  }
}

/**
 * What it means that a file of the user's cannot be read.
 * @param {string} name
 * @returns {(error: unknown) => unknown}
 */
export const unreadable = (name) => (error) => new PageError("error.unreadable", { name }, error);

/**
 * A small file. Its bytes are counted as they come: a server may send few that become many.
 * @param {ReadableStream<Uint8Array>} stream @param {string} name or address
 * @param {(error: unknown) => unknown} [told] what an error while it is read is told as
 */
export async function whole(stream, name, told) {
  const most = mostMiB(name);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const held = [];
  let size = 0;
  for await (const bytes of parts(stream, told)) {
    size += bytes.byteLength;
    if (size > most << 20) throw new PageError("error.tooLarge", { name, most });
    held.push(bytes);
  }
  return new Uint8Array(await new Blob(held).arrayBuffer());
}

/** A small file from disk. @param {File} file */
export async function readSmall(file) {
  try {
    return await whole(file.stream(), file.name);
  } catch (error) {
    throw error instanceof PageError ? error : unreadable(file.name)(error);
  }
}
