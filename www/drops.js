/** What is dropped on the page goes to the feature that it is for. */
import { n } from "./core/i18n/index.js";
import { folderName } from "./models/disk_names.js";
import { MOST_ENTRIES, modelAmong, textsAmong } from "./models/drop.js";
import { isModelFile } from "./models/file_names.js";

/**
 * On the Train tab texts are to learn from; everything else belongs to a model.
 * @param {import("./models/drop.js").Dropped} dropped
 * @param {import("./page.js").Page} page
 * @param {import("./models/opener.js").Opener} opener
 * @param {() => import("./engine/types.js").Tab} tab the tab that is open
 */
export async function takeDrop({ files, empty, large, unread }, page, opener, tab) {
  /** @type {[string, Record<string, string>?][]} */
  const lines = [
    ...empty.map((name) => /** @type {[string, {}]} */ (["error.emptyFolder", { name }])),
    ...large.map((name) => /** @type {[string, {}]} */ (["error.largeFolder", { name, count: n(MOST_ENTRIES) }])),
  ];
  if (unread.length) lines.push(["error.unreadable", { name: unread.join(", ") }]);
  const before = page.messagesOn(tab()).message;
  const texts = tab() === "train" ? textsAmong(files, isModelFile) : [];
  if (texts.length) await page.train?.take(texts.map(({ file }) => file));
  const model = modelAmong(
    files.filter((file) => !texts.includes(file)),
    isModelFile,
  );
  if ("folders" in model) lines.push(["error.severalModels", { folders: model.folders.join(", ") }]);
  else {
    for (const { file, folder } of files) {
      const own = folderName(folder);
      if (own) opener.archives.set(file, own);
    }
    await opener.takeFiles(model.files);
  }
  if (!lines.length) return;
  // Beside what was said of the files that were taken.
  const view = page.messagesOn(tab());
  const { message } = view;
  view.show(
    message && message !== before ? { ...message, lines: [...message.lines, ...lines] } : { kind: "error", lines },
  );
}
