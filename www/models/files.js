/** A model whose files are at hand, on the user's disk or in an archive. */
import { PageError } from "../core/errors.js";
import { missingFiles } from "./file_names.js";
import { parts, readSmall, unreadable } from "./reading.js";

/** @typedef {import("../engine/types.js").SmallFiles} SmallFiles */
/** @typedef {import("./file_names.js").FileRole} FileRole */
/** @typedef {import("./sources.js").ModelSource} ModelSource */

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
