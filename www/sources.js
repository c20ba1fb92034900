/** Where a model's files come from: shipped with the page, a URL, or the user's disk. Runs on the main thread. */
import { PageError, isAbort, part } from "./errors.js";

/** @typedef {import("./types.js").SmallFiles} SmallFiles */
/** @typedef {import("./types.js").ShippedModel} ShippedModel */

/** A file's parts, in order; each owns its buffer. @typedef {AsyncIterable<Uint8Array<ArrayBuffer>>} Parts */

/** A weights file, and its length, 0 when the server does not say. @typedef {{ parts: Parts, bytes: number }} Weights */

/**
 * @typedef {object} ModelFiles
 * @property {SmallFiles} files
 * @property {((signal: AbortSignal) => Promise<Weights>)[]} weights the weights files, in order; each may be opened more than once
 * @property {number} weightBytes of all of them; 0 when the server does not say
 */

/**
 * @typedef {object} ModelSource
 * @property {"shipped" | "url" | "files" | "kept" | "scratch" | "run"} kind
 * @property {string} id what the URL's fragment calls it; "" where a link cannot name it
 * @property {string} name
 * @property {(signal: AbortSignal) => Promise<ModelFiles>} open may be called again, to load the model anew
 * @property {import("./types.js").ScratchOptions} [scratch] for a model with random weights, which has no files
 * @property {{ id: string, base: ModelSource | null, origin: ModelSource | null }} [run] for a saved run: the model that must be
 *   loaded first, for adapters, and the model that it began from
 */

/**
 * Whether two names are of one model. Names alone do not say: nearly every file is called model.safetensors.
 * @param {{ kind: string, id: string }} a @param {{ kind: string, id: string }} b
 */
export function isSame(a, b) {
  return a === b || (a.kind === b.kind && a.id !== "" && a.id === b.id);
}

/** Network parts are small; fewer and larger messages are cheaper for the worker. */
const PART_BYTES = 4 << 20;
/** Lists the files of weights that come in several. */
const SHARD_INDEX = "model.safetensors.index.json";

/** The largest models of all come in some 200 files. */
const MOST_SHARDS = 1000;
/** A weights file's header is not longer: what claims to be so is refused by its first bytes. */
const MOST_HEADER = 16 << 20;

/** How many MiB a file may have that is read as a whole: what is larger is none of a model's. @param {string} name or address */
export function mostMiB(name) {
  return /(config|index)\.json$/i.test(name) ? 16 : 64;
}

/**
 * Joins small parts. What it yields never shares its buffer, so it can be transferred.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {(error: unknown) => unknown} [told] what an error while it is read is told as
 * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>>}
 */
export async function* parts(stream, told = (error) => error) {
  const reader = stream.getReader();
  /** @type {Uint8Array[]} */
  let held = [];
  let size = 0;
  const join = () => {
    const joined = new Uint8Array(size);
    let at = 0;
    for (const part of held) {
      joined.set(part, at);
      at += part.byteLength;
    }
    held = [];
    size = 0;
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
      if (size >= PART_BYTES) yield join();
    }
    if (size) yield join();
  } finally {
    // Also reached when the reader's user stops early: the download must not go on.
    await reader.cancel().catch(() => {});
  }
}

/** What it means that an answer breaks off. @param {string} url @returns {(error: unknown) => unknown} */
const interrupted = (url) => (error) => (isAbort(error) ? error : new PageError("error.interrupted", { url }, error));
/** What it means that a file of the user's cannot be read. @param {string} name @returns {(error: unknown) => unknown} */
const unreadable = (name) => (error) => new PageError("error.unreadable", { name }, error);

/**
 * A small file. Its bytes are counted as they come: a server may send few that become many.
 * @param {ReadableStream<Uint8Array>} stream @param {string} name or address
 * @param {(error: unknown) => unknown} [told] what an error while it is read is told as
 */
async function whole(stream, name, told) {
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

/**
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Response | null>} null where the server has no such file
 */
async function request(url, signal) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new PageError("error.network", { url }, error);
  }
  if (response.status === 404) return null;
  if (response.status === 401 || response.status === 403) throw new PageError("error.forbidden", { url });
  if (!response.ok) throw new PageError("error.http", { url, status: response.status });
  return response;
}

/** @param {string} url @param {AbortSignal} signal */
async function optional(url, signal) {
  const response = await request(url, signal);
  return response && whole(response.body ?? new Blob().stream(), url, interrupted(url));
}

/** @param {string} url @param {AbortSignal} signal */
async function required(url, signal) {
  const bytes = await optional(url, signal);
  if (!bytes) throw new PageError("error.missingFile", { url });
  return bytes;
}

/** @param {ReadableStream<Uint8Array>} body @param {Response} response @param {string} url @returns {Weights} */
function weightsOf(body, { headers }, url) {
  // A compressed answer's length is not the file's.
  const bytes = headers.has("content-encoding") ? 0 : Number(headers.get("content-length")) || 0;
  return { parts: parts(body, interrupted(url)), bytes };
}

/**
 * @param {(file: string) => string} urlOf
 * @param {AbortSignal} signal
 * @param {number} [knownBytes]
 * @returns {Promise<ModelFiles>}
 */
async function openUrls(urlOf, signal, knownBytes) {
  /** @type {SmallFiles} */
  const files = { "config.json": await required(urlOf("config.json"), signal) };
  const json = await optional(urlOf("tokenizer.json"), signal);
  if (json) files["tokenizer.json"] = json;
  else {
    files["vocab.json"] = await required(urlOf("vocab.json"), signal);
    files["merges.txt"] = await required(urlOf("merges.txt"), signal);
  }
  const url = urlOf("model.safetensors");
  const response = await request(url, signal);
  if (response?.body) {
    const single = weightsOf(response.body, response, url);
    return { files, weights: [async () => single], weightBytes: knownBytes ?? single.bytes };
  }
  const index = await optional(urlOf(SHARD_INDEX), signal);
  if (!index) throw new PageError("error.noSafetensors", { url });
  files[SHARD_INDEX] = index;
  const { names, bytes } = readShardIndex(index, urlOf(SHARD_INDEX));
  const weights = names.map((name) => async (/** @type {AbortSignal} */ later) => {
    const shard = await request(urlOf(name), later);
    if (!shard?.body) throw new PageError("error.missingFile", { url: urlOf(name) });
    return weightsOf(shard.body, shard, urlOf(name));
  });
  return { files, weights, weightBytes: bytes };
}

/**
 * The names of the weights files, sorted, and their total size in bytes.
 * @param {Uint8Array} bytes
 * @param {string} url for the message
 */
export function readShardIndex(bytes, url) {
  /** @type {unknown} */
  let map;
  let size = 0;
  try {
    const index = JSON.parse(new TextDecoder().decode(bytes));
    map = index.weight_map;
    size = Number(index.metadata?.total_size) || 0;
  } catch {
    map = null;
  }
  const names = map && typeof map === "object" ? [...new Set(Object.values(map))].sort() : [];
  // A name is a file beside the index, never a way to another place.
  if (!names.length || names.length > MOST_SHARDS || !names.every((name) => typeof name === "string" && /^[\w.-]+\.safetensors$/.test(name))) {
    throw new PageError("error.badShardIndex", { url });
  }
  return { names: /** @type {string[]} */ (names), bytes: size };
}

/**
 * @param {ShippedModel} model
 * @param {URL} indexUrl the address of models/index.json, which paths are relative to
 * @returns {ModelSource}
 */
export function shippedSource(model, indexUrl) {
  const base = new URL(`${model.path.replace(/\/+$/, "")}/`, indexUrl);
  const weights = model.files.find((file) => file.name === "model.safetensors");
  return {
    kind: "shipped",
    id: model.id,
    name: model.name,
    open: (signal) => openUrls((file) => new URL(file, base).href, signal, weights?.bytes),
  };
}

/**
 * A Hugging Face repository ("openai-community/gpt2"), its page's address, or the address of a folder on any server.
 * @param {string} input
 * @returns {ModelSource}
 */
export function urlSource(input) {
  const text = input.trim();
  const hub = /^(?:https:\/\/huggingface\.co\/)?([\w.-]+(?:\/[\w.-]+)?)(?:\/(?:tree|resolve|blob)\/([^/?#]+))?\/?$/.exec(text);
  if (hub) {
    const [, repo, revision = "main"] = hub;
    const base = `https://huggingface.co/${repo}/resolve/${revision}/`;
    const id = revision === "main" ? repo : `https://huggingface.co/${repo}/tree/${revision}`;
    return { kind: "url", id, name: repo, open: (signal) => openUrls((file) => base + file, signal) };
  }
  /** @type {URL} */
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new PageError("error.badUrl", { input: text });
  }
  if (url.protocol !== "https:" && url.origin !== location.origin) throw new PageError("error.notHttps", { input: text });
  const base = new URL(url.pathname.endsWith("/") ? url : `${url.origin}${url.pathname}/`);
  const name = base.pathname.split("/").filter(Boolean).at(-1) ?? base.host;
  return { kind: "url", id: url.href, name, open: (signal) => openUrls((file) => new URL(file, base).href, signal) };
}

/** A model's name as that of a file. @param {string} name */
export function fileName(name) {
  return name.replace(/[^\p{L}\p{N}._]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80);
}

/** @typedef {"config" | "tokenizer" | "vocab" | "merges" | "weights"} FileRole */

/**
 * What a file is, by its name; browsers add " (1)" to a second download.
 * @param {string} name
 * @returns {FileRole | null}
 */
export function roleOf(name) {
  const plain = name.toLowerCase().replace(/ ?\(\d+\)(?=\.)/, "");
  if (plain.endsWith(".safetensors")) return "weights";
  if (plain === "config.json") return "config";
  if (plain === "tokenizer.json") return "tokenizer";
  if (plain === "vocab.json") return "vocab";
  if (plain === "merges.txt") return "merges";
  return null;
}

/** Whether a file is a LoRA adapter's, by its name. @param {string} name */
export function isAdapterFile(name) {
  return /^adapter_(config.*\.json|model.*\.safetensors)$/i.test(name);
}

/** Whether a file belongs to a model, by its name. @param {string} name */
export function isModelFile(name) {
  return roleOf(name) !== null || isAdapterFile(name);
}

/**
 * Which files are still needed before a model can be opened.
 * @param {Partial<Record<FileRole, unknown>>} files
 * @returns {string[]}
 */
export function missingFiles(files) {
  const missing = [];
  if (!files.config) missing.push("config.json");
  if (!files.tokenizer && !(files.vocab && files.merges)) {
    if (files.vocab) missing.push("merges.txt");
    else if (files.merges) missing.push("vocab.json");
    else missing.push("tokenizer.json");
  }
  if (!files.weights) missing.push("model.safetensors");
  return missing;
}

/**
 * @param {Partial<Record<FileRole, File>>} files as many as `missingFiles` asks for
 * @param {string} [name] of the archive that they came in
 * @returns {ModelSource}
 */
export function fileSource(files, name) {
  const { config, tokenizer, vocab, merges, weights } = files;
  if (!config || !weights) throw new PageError("error.filesMissing", { files: missingFiles(files).join(", ") });
  return {
    kind: "files",
    id: "",
    name: name || weights.name,
    async open() {
      /** @type {SmallFiles} */
      const small = { "config.json": await readSmall(config) };
      if (tokenizer) small["tokenizer.json"] = await readSmall(tokenizer);
      else if (vocab && merges) {
        small["vocab.json"] = await readSmall(vocab);
        small["merges.txt"] = await readSmall(merges);
      }
      const open = async () => ({ parts: parts(weights.stream(), unreadable(weights.name)), bytes: weights.size });
      return { files: small, weights: [open], weightBytes: weights.size };
    },
  };
}

/**
 * The list of models that came with the page.
 * @param {URL} indexUrl
 * @returns {Promise<ShippedModel[]>}
 */
export async function fetchShippedModels(indexUrl) {
  const url = indexUrl.href;
  const list = new TextDecoder().decode(await required(url, new AbortController().signal));
  try {
    return JSON.parse(list);
  } catch (error) {
    throw new PageError("error.badAnswer", { url }, error);
  }
}

/** A source without files. @returns {Promise<ModelFiles>} */
async function noFiles() {
  throw new PageError("error.noBase");
}

/** @param {import("./types.js").ScratchOptions} scratch @param {string} name @returns {ModelSource} */
export function scratchSource(scratch, name) {
  return { kind: "scratch", id: "", name, scratch, open: noFiles };
}

/**
 * A model that is kept on this device because nothing else has it.
 * @param {string} id @param {string} name @returns {ModelSource}
 */
export function keptSource(id, name) {
  /** @param {AbortSignal} signal */
  const open = async (signal) => {
    return (await part(import("./bases.js"))).openBase(id, name, signal);
  };
  return { kind: "kept", id, name, open };
}

/**
 * A saved run.
 * @param {Pick<import("./types.js").RunMeta, "id" | "name" | "mode" | "source">} meta
 * @param {ModelSource | null} origin the model that it began from, where it can be had
 * @returns {ModelSource}
 */
export function runSource(meta, origin) {
  const base = meta.mode === "lora" ? origin : null;
  if (meta.mode === "lora" && !base) {
    const { kind, id, name } = meta.source;
    throw new PageError("error.baseNeeded", { name: kind === "files" && id ? `${name} (${id})` : name });
  }
  return { kind: "run", id: "", name: meta.name, run: { id: meta.id, base, origin }, open: noFiles };
}
