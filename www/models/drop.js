/** What was dropped on the page: the files, also those in folders, and where each comes from. */

/** More than this is not a model's folder, or one with texts: a whole disk, say. */
export const MOST_ENTRIES = 2000;

/**
 * @typedef {object} Dropped
 * @property {{ file: File, folder: string }[]} files a folder's own before those of the folders in it, each by name;
 *   `folder` is the
 *   path of the folder that a file lies in, "" for a file that was dropped itself
 * @property {string[]} empty dropped folders without any file
 * @property {string[]} large dropped folders with more than `MOST_ENTRIES` files and folders; of these nothing is taken
 * @property {string[]} unread what could not be read
 */

/**
 * Begins to read a drop. Call it in the event itself: a drop's data is gone afterwards.
 * @param {DataTransfer} data
 * @returns {Promise<Dropped>}
 */
export function filesFromDrop(data) {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  // A script's own drop, and an old browser, have files without entries.
  if (!entries.some((entry) => entry?.isDirectory)) return readEntries([], [...data.files]);
  return readEntries(
    entries.filter((entry) => entry !== null),
    [],
  );
}

/** @param {FileSystemEntry[]} entries @param {File[]} plain @returns {Promise<Dropped>} */
async function readEntries(entries, plain) {
  /** @type {Dropped} */
  const dropped = { files: plain.map((file) => ({ file, folder: "" })), empty: [], large: [], unread: [] };
  for (const entry of entries) {
    if (isFolder(entry)) await readTree(entry, dropped);
    else await readFile(entry, "", dropped.files, dropped);
  }
  return dropped;
}

/** Reads a dropped folder and all in it. @param {FileSystemDirectoryEntry} top @param {Dropped} dropped */
async function readTree(top, dropped) {
  /** @type {Dropped["files"]} */
  const files = [];
  const unread = dropped.unread.length;
  const folders = [{ folder: top, path: top.name }];
  let count = 0;
  for (let at = 0; at < folders.length; at += 1) {
    const { folder, path } = folders[at];
    /** @type {FileSystemEntry[] | null} */
    const inside = await list(folder).catch(() => null);
    if (!inside) {
      dropped.unread.push(path);
      continue;
    }
    count += inside.length;
    if (count > MOST_ENTRIES) return void dropped.large.push(top.name);
    // The order in which a disk has them means nothing.
    inside.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of inside) {
      if (isFolder(entry)) folders.push({ folder: entry, path: `${path}/${entry.name}` });
      else await readFile(entry, path, files, dropped);
    }
  }
  if (!files.length && dropped.unread.length === unread) dropped.empty.push(top.name);
  dropped.files.push(...files);
}

/** @param {FileSystemEntry} entry @param {string} folder @param {Dropped["files"]} files @param {Dropped} dropped */
async function readFile(entry, folder, files, dropped) {
  try {
    const file = await /** @type {Promise<File>} */ (
      new Promise((resolve, reject) => {
        /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject);
      })
    );
    files.push({ file, folder });
  } catch {
    dropped.unread.push(folder ? `${folder}/${entry.name}` : entry.name);
  }
}

/** @param {FileSystemEntry} entry @returns {entry is FileSystemDirectoryEntry} */
function isFolder(entry) {
  return entry.isDirectory;
}

/**
 * All that is in a folder: a reader gives some at a time, Chromium 100, and nothing at the end.
 * @param {FileSystemDirectoryEntry} folder
 */
async function list(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    const some = await /** @type {Promise<FileSystemEntry[]>} */ (
      new Promise((resolve, reject) => {
        reader.readEntries(resolve, reject);
      })
    );
    if (!some.length) return all;
    all.push(...some);
    if (all.length > MOST_ENTRIES) return all;
  }
}

/**
 * The files of one model among those of a drop: those that were dropped themselves and, of the folders, those of the
 * outermost that
 * holds any. A run's folder has earlier saves of the same model in folders of its own.
 * @param {Dropped["files"]} files
 * @param {(name: string) => boolean} belongs whether a file of this name belongs to a model
 * @returns {{ files: File[] } | { folders: string[] }} `folders`: there are several such, and one cannot tell which is
 *   meant
 */
export function modelAmong(files, belongs) {
  const depth = (/** @type {string} */ folder) => folder.split("/").length;
  const folders = [
    ...new Set(files.filter(({ file, folder }) => folder && belongs(file.name)).map(({ folder }) => folder)),
  ];
  const outermost = folders.filter((folder) => depth(folder) === Math.min(...folders.map(depth)));
  if (outermost.length > 1) return { folders: outermost };
  const chosen = outermost[0];
  // Where no folder holds a model, what there is instead can be said.
  const taken = files.filter(({ folder }) => folder === "" || chosen === undefined || folder === chosen);
  return { files: taken.map(({ file }) => file) };
}

/**
 * The texts to learn from among the files of a drop. What lies beside a model's files, such as its README, is not one.
 * @param {Dropped["files"]} files
 * @param {(name: string) => boolean} belongs whether a file of this name belongs to a model
 */
export function textsAmong(files, belongs) {
  const models = new Set(files.filter(({ file, folder }) => folder && belongs(file.name)).map(({ folder }) => folder));
  return files.filter(
    ({ file, folder }) => /\.(txt|md)$/i.test(file.name) && !belongs(file.name) && !models.has(folder),
  );
}
