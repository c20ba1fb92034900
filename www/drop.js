/**
 * The files of a drop; a dropped folder gives the files directly in it.
 * @param {DataTransfer} data read before the first await: a drop's data is gone afterwards
 * @returns {Promise<File[]>}
 */
export async function filesFromDrop(data) {
  const plain = [...data.files];
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const folders = entries.filter((entry) => entry?.isDirectory);
  if (!folders.length) return plain;
  /** @type {File[]} */
  const files = [];
  for (const entry of entries) {
    if (entry?.isFile) files.push(await fileOf(/** @type {FileSystemFileEntry} */ (entry)));
    if (!entry?.isDirectory) continue;
    for (const inner of await listFolder(/** @type {FileSystemDirectoryEntry} */ (entry))) {
      if (inner.isFile) files.push(await fileOf(/** @type {FileSystemFileEntry} */ (inner)));
    }
  }
  return files;
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} */
function listFolder(folder) {
  return new Promise((resolve, reject) => folder.createReader().readEntries(resolve, reject));
}
