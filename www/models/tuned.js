/** A tuned model as a model of its own. */
import { fingerprint } from "../core/fingerprint.js";
import { isModelFile, roleOf } from "./file_names.js";
import { fileSource } from "./files.js";
import { keptSource } from "./sources.js";
import { rootFolder, storageSupported } from "./storage.js";
import { filesFromZip } from "./zip.js";

/** @typedef {import("./sources.js").ModelSource} ModelSource */

/**
 * What tuning has made of the open model, as a model of its own, with its adapters merged into it: what is trained
 * otherwise begins from it.
 * @param {import("../engine/client.js").Engine} engine @param {string} name what it is called from now on
 * @param {boolean} alone whether what is made of it can do without it: then it need not be kept where there is no room
 * @returns {Promise<ModelSource>}
 */
export async function tunedSource(engine, name, alone) {
  const client = await engine.trainer();
  const zip = await client.request("exportZip", { kind: "model" });
  /** @type {Partial<Record<import("./file_names.js").FileRole, File>>} */
  const files = {};
  for (const file of await filesFromZip(new File([zip], name), isModelFile)) {
    const role = roleOf(file.name);
    if (role) files[role] = file;
  }
  const source = fileSource(files, name);
  const { config, tokenizer, weights } = files;
  if (!config || !tokenizer || !weights) return source;
  source.id = await fingerprint(weights, config);
  if (!source.id || !storageSupported()) return source;
  try {
    await client.request("keepBase", { base: source.id, files: { config, tokenizer, weights } });
  } catch (error) {
    // Where the browser lets nothing be kept, no run is saved either.
    const refused = await rootFolder().then(
      () => false,
      () => true,
    );
    if (!alone && !refused) throw error;
    return source;
  }
  return keptSource(source.id, name);
}
