/** What an archive is blamed for, in English. */
export const zipEn = {
  "error.badZip": "{name} is not a zip archive that can be read here. Unpack it and drop the files.",
  "error.zipDamaged": "{file} in {name} is damaged: it is not what was packed. Make or download the archive again.",
  "error.zipBomb":
    "{file} in {name} would become more than a hundred times as large, as no weights do. It was not unpacked.",
  "error.zipMany": "{name} holds {count} files that could belong to a model. Unpack it and drop those of one model.",
};
