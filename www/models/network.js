/** Models on a server: shipped with the page, in a Hugging Face repository, or in any folder. */
import { isAbort, PageError } from "../core/errors.js";
import { asset } from "../core/site.js";
import { parts, whole } from "./reading.js";

/** @typedef {import("../engine/types.js").SmallFiles} SmallFiles */
/** @typedef {import("../engine/types.js").ShippedModel} ShippedModel */
/** @typedef {import("./sources.js").ModelFiles} ModelFiles */
/** @typedef {import("./sources.js").ModelSource} ModelSource */
/** @typedef {import("./sources.js").Weights} Weights */

/** Lists the files of weights that come in several. */
const SHARD_INDEX = "model.safetensors.index.json";

/** The largest models of all come in some 200 files. */
const MOST_SHARDS = 1000;
/** What it means that an answer breaks off. @param {string} url @returns {(error: unknown) => unknown} */
const interrupted = (url) => (error) => (isAbort(error) ? error : new PageError("error.interrupted", { url }, error));

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
  if (
    !names.length ||
    names.length > MOST_SHARDS ||
    !names.every((name) => typeof name === "string" && /^[\w.-]+\.safetensors$/.test(name))
  ) {
    throw new PageError("error.badShardIndex", { url });
  }
  return { names: /** @type {string[]} */ (names), bytes: size };
}

/** The list of models that came with the page; the paths in it are relative to it. */
const MODELS_INDEX = asset("models/index.json");

/** @param {ShippedModel} model @returns {ModelSource} */
export function shippedSource(model) {
  const base = new URL(`${model.path.replace(/\/+$/, "")}/`, MODELS_INDEX);
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
  const hub =
    /^(?:https:\/\/huggingface\.co\/)?([\w.-]+(?:\/[\w.-]+)?)(?:\/(?:tree|resolve|blob)\/([^/?#]+))?\/?$/.exec(text);
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
  if (url.protocol !== "https:" && url.origin !== location.origin)
    throw new PageError("error.notHttps", { input: text });
  const base = new URL(url.pathname.endsWith("/") ? url : `${url.origin}${url.pathname}/`);
  const name = base.pathname.split("/").filter(Boolean).at(-1) ?? base.host;
  return { kind: "url", id: url.href, name, open: (signal) => openUrls((file) => new URL(file, base).href, signal) };
}

/** A text that came with the page. @param {string} path below `www/` */
export async function shippedText(path) {
  return new TextDecoder().decode(await required(asset(path).href, new AbortController().signal));
}

/** @returns {Promise<ShippedModel[]>} */
export async function fetchShippedModels() {
  const url = MODELS_INDEX.href;
  const list = new TextDecoder().decode(await required(url, new AbortController().signal));
  try {
    return JSON.parse(list);
  } catch (error) {
    throw new PageError("error.badAnswer", { url }, error);
  }
}
