/** The shell of the inspector: tabs, the selected token, one of the panels below it, and its ties to the paper. */
import { byId, h, setText, storage } from "../core/dom.js";
import { isAbort } from "../core/errors.js";
import { registerStrings, t } from "../core/i18n/index.js";
import { DEFAULT_VIEW } from "../core/state.js";
import { loadStyle } from "../core/style.js";
import { userText } from "../core/text.js";
import { Context } from "./context.js";
import { Divider } from "./divider.js";
import { EXAMPLES, EXAMPLES_MODEL } from "./examples.js";
import { Examples } from "./examples_view.js";
import { SurpriseLegend } from "./legend.js";
import { MANIFEST, PANELS } from "./manifest.js";
import { ModelWatch } from "./model_watch.js";
import { Notes } from "./notes.js";
import { OffNotice } from "./off_notice.js";
import { PaperTies } from "./paper_ties.js";
import { revealPicture, revealTop } from "./reveal.js";
import { ShareRow } from "./share.js";
import { Sheet } from "./sheet.js";
import { Tabs } from "./tabs.js";
import { TokenCard } from "./token_card.js";
import { inspectEn } from "./words.en.js";
import { inspectZh } from "./words.zh.js";

/** @typedef {import("./types.js").Panel} Panel */
/** @typedef {import("./manifest.js").PanelEntry} PanelEntry */
/** @typedef {import("./types.js").PanelName} PanelName */
/** @typedef {import("./types.js").Subject} Subject */

registerStrings(inspectEn, inspectZh);

/** While the model writes, the card follows no more often than figures can be read. */
const CARD_EVERY_MS = 100;
/** A text that is read sooner needs no sign that it is being read. */
const LONG_MS = 400;
const PANEL_ID = "inspect-panel";
/** Under this name it is remembered whether the details of the token are folded out. */
const DETAILS = "tokenDetails";

/** A later one wins. */
const STYLES = ["inspect/shell.css", "inspect/surprise.css", ...MANIFEST.map(({ style }) => style)];

export class Inspector {
  /** Loads what it needs and takes its place on the page. @param {import("../app.js").App} app */
  static async mount(app) {
    await Promise.all(STYLES.map(loadStyle));
    return new Inspector(app);
  }

  /** @param {import("../app.js").App} app */
  constructor(app) {
    this.app = app;
    const change = () => app.store.set({});
    this.context = new Context(app, {
      onChange: change,
      say: (key, params, error) => this.notes.say(key, params, error),
      onReading: () => this.tellReading(),
    });
    const { context } = this;

    this.root = byId("inspector");
    this.sheet = new Sheet(this.root, {
      onClose: () => context.setView({ open: false }),
      onArrange: (sheet) => this.arrange(sheet),
      mayClose: () => app.writer.phase === "idle",
    });
    this.scroll = h("div", { class: "inspect-scroll" });
    /** The examples are for who has not tried anything yet. */
    this.introducing = storage.get("tried") === null && !app.writer.canUndo;
    /** Nothing stands on the paper. */
    this.blank = app.writer.text === "";
    // A link to another tab means that tab.
    const open = this.blank || (this.introducing && app.state.view.panel === PANELS[0]);
    this.examples = new Examples({
      keys: EXAMPLES.map(({ key }) => key),
      open,
      onOpen: (index) => void this.openExample(index),
    });
    this.card = new TokenCard(this.scroll, {
      onStep: (by) => this.ties.step(by),
      open: storage.get(DETAILS) === "1",
      onToggle: (unfolded) => storage.set(DETAILS, unfolded ? "1" : "0"),
    });
    this.model = new ModelWatch(app);
    this.notes = new Notes(this.scroll, () => ({
      text: app.writer.text,
      weights: this.model.weights(),
      view: app.state.view,
      settings: app.state.settings,
      read: Boolean(context.subject?.scores),
    }));
    this.tabs = new Tabs({ names: PANELS, panelId: PANEL_ID, onSelect: (panel) => context.setView({ panel }) });
    this.place = h("div", { class: "inspect-panel", id: PANEL_ID, role: "tabpanel", tabindex: "-1" });
    this.scroll.append(this.place);
    if (this.sheet.on && !this.blank) this.examples.close();
    this.arrange(this.sheet.on);
    this.keys = h("span", { class: "inspect-keys" });
    this.foot = h("div", { class: "inspect-foot" }, this.keys);
    this.share = new ShareRow(this.foot, app, (key, params, more) => this.notes.say(key, params, undefined, more));
    this.divider = new Divider(byId("tab-write"), this.root);
    this.root.append(this.divider.root, this.sheet.grip, this.tabs.root, this.scroll, this.foot);

    const { paper, writeMessage } = app.page;
    this.legend = new SurpriseLegend(paper.foot, {
      onToggle: (surprise) => context.setView({ surprise }),
    });
    this.notice = new OffNotice({ onRestore: () => context.setView({ off: [] }) });
    writeMessage.root.before(this.notice.root);
    this.ties = new PaperTies(app, context);
    context.choose = (at) => this.ties.choose(at);

    /** @type {Panel | null} */
    this.panel = null;
    /** The panel that is shown, or on its way. @type {PanelName | null} */
    this.panelName = null;
    /** What the panel saw last. @type {unknown[]} */
    this.seen = [];
    this.cardAt = -Infinity;
    this.cardTimer = 0;
    /** What the card shows. @type {unknown[]} */
    this.carded = [];
    this.wasWriting = false;
    /** The text has been read for so long that it is said. */
    this.readsLong = false;
    this.readingTimer = 0;
    this.wasShown = false;
    /** A link to a head, a picture or a layer means that picture. */
    this.aimed = /** @type {const} */ (["layer", "head", "mode"]).some(
      (key) => app.state.view[key] !== DEFAULT_VIEW[key],
    );
    this.recordHistory();
    this.update();
  }

  /** Somebody has written something, or opened an example: the examples make room. */
  introduced() {
    this.introducing = false;
    storage.set("tried", "1");
    if (!this.blank) this.examples.close();
  }

  /** @param {boolean} sheet */
  arrange(sheet) {
    // The examples stand first for who has not tried anything yet, where there is room; below the panel's words on an
    // empty paper.
    if (this.introducing && !sheet && !this.blank) this.scroll.prepend(this.examples.root);
    else if (sheet || this.blank || !this.examples.root.parentElement) this.scroll.append(this.examples.root);
    this.root.classList.toggle("inspect-blank", this.blank);
  }

  /** Where there is nothing to look into, there is something to begin with. */
  followBlank() {
    const blank = this.app.writer.text === "";
    if (blank === this.blank) return;
    this.blank = blank;
    if (blank) this.examples.open();
    else if (!this.introducing) this.examples.close();
    this.arrange(this.sheet.on);
  }

  /** Another model is in use. */
  opened() {
    this.model.opened();
  }

  /** The model begins to write: the selection goes with it, and what stands there now stays in the tree. */
  writing() {
    this.context.record();
    if (this.app.state.view.token !== null) this.context.setView({ token: null });
  }

  /** What was written before the tree was there is in it too, as far as it can be undone. */
  recordHistory() {
    const { history, runs } = this.app.writer;
    for (const state of [...history.past, ...history.future, { runs }]) {
      if (state.runs.at(-1)?.source === "model") this.context.branches.record(state.runs);
    }
  }

  /** Whether anything of it can be seen. */
  get shown() {
    const { tab, view, info } = this.app.state;
    return tab === "write" && view.open && info !== null;
  }

  /** The paper's colours and its outlined token. Called for every drawing of the page. */
  marks() {
    const { app, context } = this;
    const { writer, state } = app;
    if (!this.shown) return null;
    context.keeper.follow({
      runs: writer.runs,
      text: writer.text,
      writing: writer.phase !== "idle",
      info: state.info,
      stamp: this.model.stamp(),
    });
    context.keeper.look(state.view.token, writer.caret);
    return context.keeper.marks(state.view.surprise, state.view.token, writer.caret);
  }

  /** What a link says of the selection: the token, but for the last one, which is selected anyway. */
  linkedToken() {
    const { token } = this.app.state.view;
    const subject = token === null && this.shown ? this.context.subject : null;
    // An earlier window has no place in an address.
    if (subject && subject.hidden !== this.context.keeper.offset) return null;
    return subject && !subject.writing && subject.selected < subject.tokens.ids.length - 1 ? subject.selected : token;
  }

  /** The state of the page, or what is known of the text, has changed. */
  update() {
    const { app, context, shown } = this;
    const { view, settings, lang } = app.state;
    const writing = app.writer.phase !== "idle";
    if (this.wasWriting && !writing) context.record();
    this.wasWriting = writing;
    const leaves = !shown && this.root.contains(document.activeElement);
    this.root.hidden = !shown;
    this.notice.update({ off: view.off, info: app.state.info });
    this.legend.root.hidden = !shown;
    this.ties.update(shown);
    this.notes.follow();
    const opened = shown && !this.wasShown;
    this.wasShown = shown;
    if (!shown) {
      // Focus goes back to the button that opens it.
      if (leaves) app.page.paper.see.focus();
      context.keeper.rest();
      return this.closePanel();
    }
    const { subject } = context;
    this.root.setAttribute("aria-label", t("inspect.label"));
    this.sheet.grip.setAttribute("aria-label", t("inspect.close"));
    this.card.root.hidden = subject === null;
    this.examples.update({ shown: app.engine.source?.id === EXAMPLES_MODEL && !app.state.info?.trained });
    this.tabs.update({ label: t("inspect.tabs"), selected: view.panel, text: (name) => t(`inspect.tab.${name}`) });
    // The button that opened a sheet is behind it.
    if (opened && this.sheet.on && document.activeElement === app.page.paper.see) this.tabs.focus();
    this.place.setAttribute("aria-labelledby", `${PANEL_ID}-tab-${view.panel}`);
    setText(this.keys, t(/Mac|iPhone|iPad/.test(navigator.platform) ? "inspect.keys.mac" : "inspect.keys"));
    this.legend.update({ on: view.surprise, coloured: context.keeper.coloured });
    this.share.update();
    this.divider.update();
    if (this.introducing && app.writer.canUndo) this.introduced();
    this.followBlank();
    if (subject) this.updateCard(subject);
    this.tellReading();
    if (view.panel !== this.panelName) return void this.openPanel(view.panel);
    // While the model writes, a panel that follows is drawn together with the card.
    const seen = [subject?.writing ? this.panel?.live && this.carded : subject, view, settings, lang];
    if (!this.panel || seen.every((one, index) => one === this.seen[index])) return;
    if (this.seen[3] !== lang) this.notes.update();
    this.seen = seen;
    this.panel.update();
  }

  /** Says that the text is being read, where that takes long. */
  tellReading() {
    const { subject, reading } = this.context;
    if (reading && this.shown && subject && !subject.writing && !subject.scores) {
      if (this.readsLong) this.card.read(reading.share);
      else
        this.readingTimer ||= window.setTimeout(() => {
          this.readsLong = true;
          this.tellReading();
        }, LONG_MS);
      return;
    }
    clearTimeout(this.readingTimer);
    this.readingTimer = 0;
    this.readsLong = false;
    this.card.read(null);
  }

  /** @param {Subject} subject */
  updateCard(subject) {
    const { context } = this;
    const { keeper } = context;
    const { state, writer } = this.app;
    const key = [subject, keeper.grown, keeper.selected(state.view.token, writer.caret), state.lang];
    if (key.every((one, index) => one === this.carded[index])) return;
    clearTimeout(this.cardTimer);
    const wait = subject.writing ? this.cardAt + CARD_EVERY_MS - performance.now() : 0;
    if (wait > 0) {
      this.cardTimer = window.setTimeout(() => this.update(), wait);
      return;
    }
    this.cardAt = performance.now();
    this.carded = key;
    this.card.update(context.card());
  }

  /** @param {PanelName} name */
  async openPanel(name) {
    // Who goes on to another tab needs its room.
    if (this.panelName !== null && !this.blank) this.examples.close();
    this.closePanel();
    this.panelName = name;
    try {
      const Panel = await /** @type {PanelEntry} */ (MANIFEST.find((entry) => entry.name === name)).load();
      if (this.panelName !== name) return;
      /** @type {Panel} */
      const panel = new Panel(this.context);
      this.panel = panel;
      this.seen = [];
      this.place.replaceChildren(panel.root);
      this.update();
      revealTop(this.scroll, this.place);
      if (this.aimed) void revealPicture(this.scroll, this.place, this.place);
      this.aimed = false;
    } catch (error) {
      if (this.panelName === name && !isAbort(error)) this.notes.say("inspect.error.panel", {}, error);
    }
  }

  /** A panel that is not seen costs nothing. */
  closePanel() {
    this.panel?.close();
    this.panel = null;
    this.panelName = null;
    this.place.replaceChildren();
    this.context.abort();
  }

  /** @param {number} index */
  async openExample(index) {
    const { key, text, view } = EXAMPLES[index];
    const { writer } = this.app;
    this.context.record();
    if (writer.text !== text) writer.replace(userText(text));
    this.ties.settle();
    this.context.setView({ off: [], ...view });
    this.notes.introduce(key);
    this.introduced();
    await revealPicture(this.scroll, this.notes.root, this.place);
  }
}
