/** Runs that are saved on this device: open, rename, delete. */
import { h, setText } from "../core/dom.js";
import { formatBytes } from "../core/format.js";
import { n, t } from "../core/i18n/index.js";

/** @typedef {import("../engine/types.js").SavedRun} SavedRun */

export class Saved {
  /**
   * @param {{ onOpen: (run: SavedRun) => void, onRename: (run: SavedRun, name: string) => void, onDelete: (run:
   *   SavedRun) => void,
   *   onDownload: (run: SavedRun) => void }} options `onDownload`: of what is left of a run that cannot be opened
   */
  constructor({ onOpen, onRename, onDelete, onDownload }) {
    this.onOpen = onOpen;
    this.onRename = onRename;
    this.onDelete = onDelete;
    this.onDownload = onDownload;
    this.title = h("h2");
    this.list = h("ul", { class: "list" });
    this.root = h("section", { class: "saved" }, this.title, this.list);
    this.drawn = "";
    /** The run whose name is being edited, and the one whose deletion is asked about. */
    this.renaming = "";
    this.deleting = "";
    /** The button to be in focus once the list is drawn anew. */
    this.focusNext = "";
    /** @type {SavedRun[]} */
    this.runs = [];
  }

  /** @param {SavedRun[]} runs @param {string} openId @param {string} lang */
  update(runs, openId, lang) {
    this.runs = runs;
    this.openId = openId;
    this.root.hidden = !runs.length;
    setText(this.title, t("saved.title"));
    const drawn = JSON.stringify([
      runs.map(({ meta, bytes, damage }) => [meta.id, meta.name, meta.step, bytes, damage]),
      openId,
      lang,
      this.renaming,
      this.deleting,
    ]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const { activeElement } = document;
    const held =
      activeElement instanceof HTMLElement && this.list.contains(activeElement) ? (activeElement.dataset.at ?? "") : "";
    this.list.replaceChildren(...runs.map((run) => this.row(run, openId, lang)));
    // The focus stays at the button that was pressed, or at what took its place.
    const next = this.focusNext || held;
    if (next) /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-at="${next}"]`))?.focus();
    this.focusNext = "";
  }

  redraw() {
    this.update(this.runs, this.openId ?? "", document.documentElement.lang);
  }

  /** @param {SavedRun} run @param {string} openId @param {string} lang */
  row(run, openId, lang) {
    const { meta, bytes, damage } = run;
    const opens = damage === "" || damage === "part";
    const act = (/** @type {string} */ key, /** @type {() => void} */ onclick, kind = "quiet") =>
      h(
        "button",
        {
          type: "button",
          class: kind,
          "aria-label": `${t(key)}: ${meta.name}`,
          "data-at": `${key} ${meta.id}`,
          onclick,
        },
        t(key),
      );
    const loss = meta.history.validation.at(-1)?.[1] ?? meta.history.train.at(-1)?.[1];
    const facts = opens
      ? [t(`train.mode.${meta.mode}`), t("saved.step", { step: n(meta.step), steps: n(meta.steps) })]
      : [];
    if (loss !== undefined) facts.push(t("saved.loss", { loss: loss.toFixed(3) }));
    facts.push(formatBytes(bytes));
    if (meta.savedAt) facts.push(new Date(meta.savedAt).toLocaleString(lang.startsWith("zh") ? "zh-CN" : "en"));
    const text = h("div", { class: "row-text" });
    if (this.renaming === meta.id) {
      const input = h("input", { type: "text", value: meta.name, "aria-label": t("saved.name") });
      const done = (/** @type {boolean} */ keep) => {
        if (this.renaming !== meta.id) return;
        this.renaming = "";
        if (document.activeElement === input) this.focusNext = `saved.rename ${meta.id}`;
        if (keep && input.value.trim() && input.value !== meta.name) this.onRename(run, input.value);
        this.redraw();
      };
      input.addEventListener("keydown", (event) => {
        if (event.isComposing) return;
        if (event.key === "Enter") {
          // Else the same press would be the next one of the button that gets the focus.
          event.preventDefault();
          done(true);
        } else if (event.key === "Escape") done(false);
      });
      input.addEventListener("blur", () => done(true));
      queueMicrotask(() => input.select());
      text.append(input);
    } else text.append(h("h3", {}, meta.name));
    text.append(h("p", { class: "facts" }, facts.join(" · ")));
    if (damage) text.append(h("p", { class: "saved-damage" }, t(`saved.damage.${damage}`)));
    const show = (/** @type {"renaming" | "deleting"} */ what, /** @type {string} */ id) => {
      this[what] = id;
      // Of the two that take the place of "Delete", the one that does no harm; after it "Delete" again.
      if (what === "deleting") this.focusNext = `${id ? "saved.keep" : "saved.delete"} ${meta.id}`;
      this.redraw();
    };
    if (this.deleting === meta.id) {
      const remove = () => {
        this.onDelete(run);
        show("deleting", "");
      };
      return h(
        "li",
        {},
        text,
        h("span", { class: "facts" }, t("saved.delete.sure")),
        act("saved.keep", () => show("deleting", "")),
        act("saved.delete", remove, "secondary"),
      );
    }
    const side =
      openId === meta.id
        ? [h("span", { class: "in-use" }, t("models.inUse"))]
        : [
            act("saved.delete", () => show("deleting", meta.id)),
            ...(opens ? [act("models.open", () => this.onOpen(run), "secondary")] : []),
            // Of what could not be read there is nothing to give.
            ...(!opens && damage !== "unread" && bytes
              ? [act("saved.remains", () => this.onDownload(run), "secondary")]
              : []),
          ];
    return h(
      "li",
      {},
      text,
      act("saved.rename", () => show("renaming", meta.id)),
      ...side,
    );
  }
}
