/** What models from the user's disk are called, also after a reload: nearly every file is called model.safetensors. */
import { storage } from "../core/dom.js";
import { list, read, text, tuple } from "../core/schema.js";

const KEY = "diskNames";
/** Those that were opened last. */
const MOST = 20;

const NAMES = list(tuple([text(), text()]));

/** @returns {[id: string, name: string][]} */
function known() {
  try {
    return /** @type {[string, string][]} */ (read(NAMES, JSON.parse(storage.get(KEY) ?? "[]")).value);
  } catch {
    return [];
  }
}

/** What the model of this fingerprint was called when it was open, "" where that is not known. @param {string} id */
export const diskName = (id) => known().find(([one]) => one === id)?.[1] ?? "";

/** @param {string} id @param {string} name */
export function keepDiskName(id, name) {
  const others = known().filter(([one]) => one !== id);
  storage.set(KEY, JSON.stringify([[id, name], ...others].slice(0, MOST)));
}

/** What a folder is called: in the hub's cache, the repository, not the commit. @param {string} path */
export function folderName(path) {
  const parts = path.split("/").filter((part) => part && part !== "snapshots" && !/^[\da-f]{7,40}$/.test(part));
  return (parts.at(-1) ?? "").replace(/^models--/, "").replaceAll("--", "/");
}

/**
 * A name that says something: the archive's or the folder's, else the one in the configuration, else the file's where
 * it is no general one; "" where nothing says anything.
 * @param {{ folder?: string, config: string, weights: string }} about `config`: its text; `weights`: their file's name
 */
export function nameAmong({ folder, config, weights }) {
  if (folder) return folder;
  /** @type {unknown} */
  let path;
  try {
    path = JSON.parse(config)?._name_or_path;
  } catch {
    // It is told of when the model is opened.
  }
  const named =
    typeof path === "string"
      ? (path
          .split(/[/\\]/)
          .filter((part) => /\w/.test(part))
          .at(-1) ?? "")
      : "";
  const stem = weights.replace(/\.safetensors$/i, "");
  return (named || (/^(pytorch_)?model([-_]\d.*)?$/i.test(stem) ? "" : stem)).slice(0, 80);
}
