/** What is dropped on the page goes to the feature that it is for. */
import { n } from "./core/i18n/index.js";
import { decode } from "./core/text.js";
import { folderName } from "./models/disk_names.js";
import { MOST_ENTRIES, modelAmong, textsAmong } from "./models/drop.js";
import { isModelFile } from "./models/file_names.js";

/** The paper takes no more characters of a file than this: a browser lays out what is longer for seconds. */
const MOST_ON_PAPER = 100_000;

/**
 * Texts on the Train tab are to learn from, on the Write tab to be continued; everything else belongs to a model.
 * @param {import("./models/drop.js").Dropped} dropped
 * @param {import("./page.js").Page} page
 * @param {import("./models/opener.js").Opener} opener
 * @param {() => import("./engine/types.js").Tab} tab the tab that is open
 * @param {(text: string) => void} onText a text is to stand on the paper
 */
export async function takeDrop({ files, empty, large, unread }, page, opener, tab, onText) {
  /** @type {[string, Record<string, string>?][]} */
  const lines = [
    ...empty.map((name) => /** @type {[string, {}]} */ (["error.emptyFolder", { name }])),
    ...large.map((name) => /** @type {[string, {}]} */ (["error.largeFolder", { name, count: n(MOST_ENTRIES) }])),
  ];
  if (unread.length) lines.push(["error.unreadable", { name: unread.join(", ") }]);
  const before = page.messagesOn(tab()).message;
  const texts = tab() === "models" ? [] : textsAmong(files, isModelFile);
  if (texts.length && tab() === "train") await page.train?.take(texts.map(({ file }) => file));
  else if (texts.length)
    lines.push(
      ...(await toPaper(
        texts.map(({ file }) => file),
        onText,
      )),
    );
  const model = modelAmong(
    files.filter((file) => !texts.includes(file)),
    isModelFile,
  );
  if ("folders" in model) lines.push(["error.severalModels", { folders: model.folders.join(", ") }]);
  else if (model.files.length || !texts.length) {
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

/**
 * Puts texts on the paper, one after another.
 * @param {File[]} files @param {(text: string) => void} onText
 * @returns {Promise<[string, Record<string, string>?][]>} what was not taken, and why
 */
async function toPaper(files, onText) {
  /** @type {[string, Record<string, string>?][]} */
  const lines = [];
  /** @type {string[]} */
  const texts = [];
  for (const file of files) {
    const bytes = await file.arrayBuffer().catch(() => null);
    const text = bytes && decode(bytes);
    if (text) texts.push(text);
    else lines.push([bytes ? "message.notText" : "error.unreadable", { name: file.name }]);
  }
  const text = texts.join("\n\n");
  if (!text) return lines;
  const end = text.length > MOST_ON_PAPER ? text.lastIndexOf("\n", MOST_ON_PAPER) : -1;
  const shown = text.length > MOST_ON_PAPER ? text.slice(0, end > MOST_ON_PAPER / 2 ? end : MOST_ON_PAPER) : text;
  if (shown !== text) lines.push(["message.textCut", { shown: n(shown.length), all: n(text.length) }]);
  onText(shown);
  return lines;
}
