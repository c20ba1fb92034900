/** The text to learn from: typed, pasted, dropped, or a sample. A long one is shown by its beginning. */
import { h, setText } from "../core/dom.js";
import { formatBytes } from "../core/format.js";
import { n, t } from "../core/i18n/index.js";
import { asset } from "../core/site.js";
import { decode } from "../core/text.js";
import { busy, locked } from "./run_facts.js";

/** @typedef {import("./training.js").Training} Training */

const SAMPLES = [
  { key: "train.sample.shakespeare", file: "shakespeare.txt" },
  { key: "train.sample.alice", file: "alice.txt" },
  { key: "train.sample.tang", file: "tang.txt" },
];
/** The field holds no more than this of a text that comes at once: a browser takes seconds to lay out a megabyte. */
export const MOST_EDITED = 100_000;
/** What comes bit by bit stays in the field, which was laid out already. */
const MOST_TYPED = 10_000;
/** What is shown of a longer one. */
export const EXCERPT = 2_000;
/** The field gets no more than this even when asked to. */
const MOST_EDITABLE = 2_000_000;

/**
 * The field's text after `inserted` took the place of what was selected. Where the field shows an excerpt, all of it
 * selected
 * means the whole text, anything else its end.
 * @param {{ text: string, value: string, start: number, end: number, excerpt: boolean }} field
 * @param {string} inserted
 */
export function withInserted({ text, value, start, end, excerpt }, inserted) {
  if (!excerpt) return value.slice(0, start) + inserted + value.slice(end);
  return end - start >= value.length ? inserted : `${text.trimEnd()}\n\n${inserted}`;
}

/** The beginning of a long text, cut between characters. @param {string} text */
export function excerptOf(text) {
  const cut = /[\uD800-\uDBFF]/.test(text[EXCERPT - 1]) ? EXCERPT - 1 : EXCERPT;
  return `${text.slice(0, cut)}…`;
}

export class TrainText {
  /**
   * @param {() => Training} training
   * @param {() => void} onTake called before files are read: what was said of others is past
   */
  constructor(training, onTake) {
    this.training = training;
    this.onTake = onTake;
    this.label = h("label", { for: "train-text" });
    this.field = h("textarea", {
      id: "train-text",
      class: "train-text",
      spellcheck: "false",
      "aria-describedby": "train-text-about",
    });
    this.field.addEventListener("input", () => {
      this.edited = this.field.value;
      training().plan.edit(this.edited);
    });
    this.field.addEventListener("paste", (event) => this.insert(event, event.clipboardData?.getData("text/plain")));
    // A text that is dragged here.
    this.field.addEventListener("beforeinput", (event) => {
      if (event.inputType !== "insertFromPaste")
        this.insert(event, event.data ?? event.dataTransfer?.getData("text/plain"));
    });
    this.about = h("span", { class: "facts", id: "train-text-about" });
    const act = (/** @type {() => void} */ onclick) => h("button", { type: "button", class: "quiet", onclick });
    this.edit = act(() => {
      this.edited = training().plan.text;
      training().changed();
      this.field.focus();
    });
    this.clear = act(() => {
      training().plan.clear();
      this.field.focus();
    });
    this.back = act(() => {
      training().plan.bringBack();
      this.field.focus();
    });
    this.long = h("div", { class: "train-sources" }, this.about, this.edit, this.clear, this.back);

    this.pick = h("input", {
      type: "file",
      multiple: true,
      accept: ".txt,.md,text/plain",
      class: "visually-hidden",
      tabindex: "-1",
      "aria-hidden": "true",
    });
    this.pick.addEventListener("change", () => void this.take([...(this.pick.files ?? [])]));
    this.choose = act(() => this.pick.click());
    this.samples = SAMPLES.map(({ file }) => act(() => void this.fetchSample(file)));
    this.sampleLabel = h("span", { class: "facts" });
    this.sources = h("div", { class: "train-sources" }, this.choose, this.pick, this.sampleLabel, ...this.samples);
    this.parts = [this.label, this.field, this.long, this.sources];
    /** A text that stays in the field however long, because it was written there. */
    this.edited = "";
    /** The text whose size is known. */
    this.measured = "";
    this.bytes = 0;
  }

  /** Whether the field shows the beginning only. */
  get excerpt() {
    const { text } = this.training().plan;
    return text.length > MOST_EDITED && text !== this.edited;
  }

  /**
   * Takes an insertion from the browser if the field could not hold its outcome; else the browser does it, and can undo
   * it.
   * @param {Event} event @param {string | null} [inserted]
   */
  insert(event, inserted) {
    const training = this.training();
    const { excerpt, field } = this;
    if (!inserted || locked(training.state)) return;
    if (!excerpt && (inserted.length <= MOST_TYPED || field.value.length + inserted.length <= MOST_EDITED)) return;
    event.preventDefault();
    const { value, selectionStart: start, selectionEnd: end } = field;
    const text = withInserted({ text: training.plan.text, value, start, end, excerpt }, inserted);
    if (start === end) training.plan.setText(text);
    else training.plan.replace(text);
  }

  /** Text files, one after another. @param {File[]} files */
  async take(files) {
    this.pick.value = "";
    this.onTake();
    const training = this.training();
    if (busy(training.state)) return training.say([["train.text.busy"]]);
    /** @type {[string, string][]} */
    const texts = [];
    const gone = [];
    const unread = [];
    const empty = [];
    for (const file of files) {
      const bytes = await file.arrayBuffer().catch(() => null);
      const text = bytes && decode(bytes);
      if (!bytes) gone.push(file.name);
      else if (text === null) unread.push(file.name);
      else if (!text.trim()) empty.push(file.name);
      else texts.push([file.name, text.trim()]);
    }
    /** @type {[string, Record<string, string>][]} */
    const lines = [];
    if (gone.length) lines.push(["error.unreadable", { name: gone.join(", ") }]);
    if (unread.length) lines.push(["train.file.unread", { files: unread.join(", ") }]);
    if (empty.length) lines.push(["train.file.empty", { files: empty.join(", ") }]);
    if (lines.length) training.say(lines);
    if (!texts.length) return;
    const text = texts.map(([, one]) => one).join("\n\n");
    const fresh = !training.plan.text.trim();
    training.plan.setText(
      fresh ? `${text}\n` : `${training.plan.text.trimEnd()}\n\n${text}\n`,
      fresh ? texts.map(([name]) => name).join(", ") : "",
    );
  }

  /** @param {string} file */
  async fetchSample(file) {
    const response = await fetch(asset(`samples/${file}`)).catch(() => null);
    const text = response?.ok ? await response.text().catch(() => null) : null;
    const training = this.training();
    if (text === null) training.say([["train.sample.failed"]]);
    else if (!locked(training.state)) training.plan.replace(text, file, true);
  }

  update() {
    const {
      plan: { text, textName, before },
      state,
    } = this.training();
    const held = locked(state);
    const { excerpt, field } = this;
    setText(this.label, t("train.text"));
    field.placeholder = t("train.text.placeholder");
    const shown = excerpt ? excerptOf(text) : text;
    if (field.value !== shown) field.value = shown;
    field.readOnly = held || excerpt;

    this.back.hidden = !before;
    this.back.disabled = held;
    this.long.hidden = !excerpt && this.back.hidden;
    this.edit.hidden = held || !excerpt || text.length > MOST_EDITABLE;
    this.clear.hidden = held || !excerpt;
    this.about.hidden = !excerpt;
    setText(
      this.about,
      excerpt
        ? t(textName ? "train.text.long.named" : "train.text.long", {
            size: this.size(text),
            name: textName,
            count: n(EXCERPT),
          })
        : "",
    );
    setText(this.edit, t("train.text.edit"));
    setText(this.clear, t("train.text.clear"));
    setText(this.back, t("train.text.back"));

    setText(this.choose, t("train.choose"));
    setText(this.sampleLabel, t("train.samples"));
    this.samples.forEach((button, at) => setText(button, t(SAMPLES[at].key)));
    // They keep their place: what is below would jump, and another button come under the pointer.
    for (const button of [this.choose, ...this.samples]) button.disabled = held;
  }

  /** The size as a file. @param {string} text */
  size(text) {
    if (text !== this.measured) {
      this.measured = text;
      this.bytes = new Blob([text]).size;
    }
    return formatBytes(this.bytes);
  }
}
