/** Joins the parts: state and address, engine, text, page. */
import { Address } from "./core/address.js";
import { saveBlob, storage } from "./core/dom.js";
import { isAbort, part } from "./core/errors.js";
import { loadLanguage, setLanguage } from "./core/i18n/index.js";
import { Kept } from "./core/kept.js";
import { errorMessage } from "./core/message.js";
import { clampSeed, clampSetting, DEFAULT_SETTINGS, randomSeed, SETTING_SPECS } from "./core/settings.js";
import { decodeFragment, encodeFragment, Store } from "./core/state.js";
import { inkedText, titleOf, userText } from "./core/text.js";
import { takeDrop } from "./drops.js";
import { Engine } from "./engine/client.js";
import { Gates } from "./engine/gates.js";
import { listenForDrops } from "./frame/drop_zone.js";
import { askedBackend, BACKENDS, initialState, WIDE } from "./frame/initial.js";
import { PANELS } from "./inspect/manifest.js";
import { followLink, sharedOf } from "./links.js";
import { filesFromDrop } from "./models/drop.js";
import { shippedText } from "./models/network.js";
import { Opener, showError } from "./models/opener.js";
import { Page, TABS } from "./page.js";
import { unsaved } from "./train/run_facts.js";
import { Training } from "./train/training.js";
import { TextKeeping } from "./write/keeping.js";
import { Writer } from "./write/writer.js";
import { nextFrame, Writing } from "./write/writing.js";

/** @typedef {import("./engine/types.js").Backend} Backend */
/** @typedef {import("./engine/types.js").Lang} Lang */
/** @typedef {import("./engine/types.js").Settings} Settings */
/** @typedef {import("./engine/types.js").Theme} Theme */

/** Names of places: see `place`. */
const SHEET = "sheet";
const GUIDE = "guide ";
const GUIDE_START = "tokens.1";
const FIRST_PROMPT = "Once upon a time";
const THEMES = /** @type {Theme[]} */ (["auto", "light", "dark"]);

export class App {
  /** @param {Kept} kept what this tab kept @param {import("./engine/types.js").State} state its language is loaded */
  constructor(kept, state) {
    this.kept = kept;
    this.store = new Store(state);
    setLanguage(this.state.lang);
    this.engine = new Engine(
      (error) => {
        this.writer.interrupt();
        void this.opener.recover(error);
      },
      { onLeave: () => this.training.leave(), onStay: () => this.training.stay() },
    );
    this.writer = new Writer(
      {
        generate: (settings, onEvent) => this.engine.generate(settings, onEvent),
        stop: () => this.engine.stop(),
        nextFrame: (callback) => nextFrame(callback, this.state.view.open, this.writer.rate),
        onChange: () => this.onText(),
      },
      userText(FIRST_PROMPT),
    );
    this.training = new Training({
      store: this.store,
      kept,
      engine: this.engine,
      open: (source, options) => this.opener.open(source, options),
      write: (prompt) => void this.writeWithTuned(prompt),
      onChange: () => this.store.set({}),
      say: (lines, error, actions) => {
        const view = this.page.messagesOn(this.state.tab);
        if (error === undefined) view.show({ kind: "info", lines, actions });
        else showError(view, lines, error, actions);
      },
    });
    this.page = this.buildPage();
    const { writeMessage: message, notice, status } = this.page;
    const { store, engine, writer } = this;
    this.writing = new Writing({ store, engine, writer, message, notice, say: (text) => status.say(text) });
    this.keeping = new TextKeeping(kept, writer);
    this.gates = new Gates(engine, (error) => {
      if (!isAbort(error)) showError(this.page.messagesOn(this.state.tab), [["message.gates"]], error);
    });
    this.opener = new Opener({
      store: this.store,
      engine: this.engine,
      page: this.page,
      onOpened: () => {
        this.writing.opened();
        this.training.opened();
        this.inspector?.opened();
        this.onText();
      },
      onAdapter: (config, weights) => this.training.addAdapter(config, weights),
      onGiveUp: (id) => this.training.giveUp(id),
      openRun: (id, free) => this.training.saves.openNamed(id, free),
      onCrash: () => this.training.crashed(),
      onBackend: (backend) => this.nameBackend(backend),
    });
    this.address = new Address({
      onPlace: (place) => this.goTo(place),
      onLink: () => this.applyFragment(),
    });
    /** @type {import("./inspect/inspector.js").Inspector | null} */
    this.inspector = null;
    this.inspectorAsked = false;
    /** @type {import("./guide/guide.js").Guide | null} */
    this.guide = null;
    /** @type {Promise<import("./guide/guide.js").Guide> | null} */
    this.guideLoading = null;
    /** @type {import("./frame/about.js").About | null} */
    this.about = null;
    this.openText();
    kept.title = () => this.title();
    kept.onChange = () => this.tellKept();
    this.tellKept();
    this.listen();
    this.store.subscribe(() => this.render());
    this.render();
  }

  get state() {
    return this.store.state;
  }

  async start() {
    const asked = askedBackend();
    if (asked && !BACKENDS.some((known) => known === asked)) {
      this.page.writeMessage.show({ kind: "error", lines: [["message.backendIgnored", { value: asked }]] });
    }
    // On a touch screen focus would pull up the keyboard.
    if (matchMedia("(pointer: fine)").matches && this.state.tab === "write") this.page.paper.focusEnd();
    // What is said while a model opens has its place there.
    if (this.state.tab === "train") await this.openTrain();
    await Promise.all([this.opener.start(), this.training.saves.refresh(true)]);
  }

  /** Loads what is on the Train tab when it is first needed. */
  async openTrain() {
    try {
      await this.page.openTrain();
      this.store.set({});
    } catch (error) {
      this.store.set({ tab: "write" });
      showError(this.page.writeMessage, [["train.notLoaded"]], error);
    }
  }

  buildPage() {
    const { writer } = this;
    return new Page({
      header: {
        tabs: TABS,
        onTab: (tab) => this.store.set({ tab }),
        onModel: () => void this.openPicker(),
        onBackend: (backend) => void this.setBackend(backend),
        onAbout: () => void this.openAbout(),
        onGuide: () => this.openGuide(),
        onLang: () => this.setLang(this.state.lang === "en" ? "zh" : "en"),
        onTheme: () => this.setTheme(THEMES[(THEMES.indexOf(this.state.theme) + 1) % THEMES.length]),
      },
      paper: {
        onEdit: (value, caret) => writer.edit(value, caret, performance.now()),
        onCaret: (caret) => writer.moveCaret(caret),
        onUndo: () => writer.undo(),
        onRedo: () => writer.redo(),
        onSee: () => this.setView({ open: !this.state.view.open }),
      },
      actions: {
        onGenerate: () => void this.generate(),
        onStop: () => writer.stop(),
        onUndo: () => writer.undo(),
        onAnother: () => this.tryAnother(),
        onSeed: (value) => this.setSettings({ seed: clampSeed(value) }),
        onDice: () => this.setSettings({ seed: randomSeed() }),
      },
      controls: {
        onChange: (key, value) => {
          const spec = SETTING_SPECS.find((one) => one.key === key);
          this.setSettings({ [key]: spec ? clampSetting(spec, value) : Boolean(value) });
        },
        onReset: () => this.setSettings({ ...DEFAULT_SETTINGS, seed: this.state.settings.seed }),
      },
      models: {
        onShipped: (model) => this.opener.openShipped(model),
        onFiles: (files) => this.opener.takeFiles(files),
        onForget: () => this.store.set({ pending: {} }),
        onUrl: (input) => this.opener.openUrl(input),
      },
      training: () => this.training,
      onCancelLoading: () => this.opener.cancel(),
      onForgetAdapter: () => this.store.set({ adapterId: "" }),
    });
  }

  listen() {
    document.addEventListener("keydown", (event) => {
      if (event.isComposing || event.defaultPrevented) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.state.tab === "write") {
        event.preventDefault();
        void this.generate();
      } else if (event.key === "Escape" && this.writer.phase !== "idle") {
        event.preventDefault();
        this.writer.stop();
      }
    });
    listenForDrops(this.page.dropHint, (data) => {
      const { page, opener } = this;
      void filesFromDrop(data).then((dropped) =>
        takeDrop(
          dropped,
          page,
          opener,
          () => this.state.tab,
          (text) => this.takeText(text),
        ),
      );
    });
    addEventListener("pagehide", () => this.kept.leave());
    addEventListener("beforeunload", (event) => {
      if (!unsaved(this.training.state)) return;
      event.preventDefault();
      // While the browser asks there is time for it.
      this.training.save();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) return;
      void this.kept.save();
      this.training.save();
    });
    const unexpected = (/** @type {unknown} */ error) =>
      showError(this.page.messagesOn(this.state.tab), [["message.unexpected"]], error);
    // That an observer of sizes is told of the rest in the next frame is no error.
    addEventListener(
      "error",
      (event) => event.message.startsWith("ResizeObserver loop") || unexpected(event.error ?? event.message),
    );
    addEventListener("unhandledrejection", (event) => unexpected(event.reason));
  }

  /**
   * @param {{ at: number, run: import("./engine/types.js").Run }} [first] what the text goes on with, see
   *   Writer.generate
   */
  async generate(first) {
    await this.writing.generate(first, () => this.inspector?.writing());
  }

  /**
   * Shows the paper, and puts `prompt` on it where the open model's tokenizer cannot take what stands there.
   * @param {string} prompt
   */
  async writeWithTuned(prompt) {
    this.store.set({ tab: "write" });
    await this.writing.fit(prompt);
  }

  tryAnother() {
    this.writer.undo();
    this.setSettings({ seed: randomSeed() });
    void this.generate();
  }

  /** @param {Partial<Settings>} patch */
  setSettings(patch) {
    this.store.set({ settings: { ...this.state.settings, ...patch } });
  }

  /** What the inspector shows. @param {Partial<import("./inspect/types.js").InspectView>} patch */
  setView(patch) {
    this.store.set({
      view: { ...this.state.view, ...patch },
      openChosen: this.state.openChosen || patch.open !== undefined,
    });
  }

  /** @param {Backend} backend */
  async setBackend(backend) {
    if (backend === this.state.backend) return;
    // The select goes back to what is in use.
    if (!(await this.training.secure(() => void this.setBackend(backend)))) return this.store.set({});
    this.nameBackend(backend);
    this.opener.reopen();
  }

  /** The backend that is asked for from here on, also after a reload. @param {Backend} backend */
  nameBackend(backend) {
    this.store.set({ backend });
    const url = new URL(location.href);
    if (backend === "auto") url.searchParams.delete("backend");
    else url.searchParams.set("backend", backend);
    history.replaceState(history.state, "", url);
  }

  /** @param {Lang} lang */
  async setLang(lang) {
    try {
      await loadLanguage(lang);
    } catch (error) {
      return showError(this.page.messagesOn(this.state.tab), [["message.noLanguage"]], error);
    }
    storage.set("lang", lang);
    setLanguage(lang);
    this.store.set({ lang, langChosen: true });
  }

  /** @param {Theme} theme */
  setTheme(theme) {
    storage.set("theme", theme);
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    this.store.set({ theme });
  }

  /** Where the page is: a chapter of the guide, a tab, or the sheet over it that the inspector is in a narrow window. */
  get place() {
    const { tab, view, guide } = this.state;
    if (guide) return GUIDE + guide.split(".")[0];
    return tab === "write" && view.open && !matchMedia(WIDE).matches ? SHEET : tab;
  }

  /** The user went back or forth. @param {string} place */
  goTo(place) {
    // Which of the chapter's steps it was, the address says.
    const guide = place.startsWith(GUIDE) ? (decodeFragment(location.hash, PANELS).guide ?? "") : "";
    this.store.set({ guide });
    if (guide) return;
    const tab = TABS.find((name) => name === place) ?? "write";
    const narrow = !matchMedia(WIDE).matches;
    if (tab === "write" && narrow) this.setView({ open: place === SHEET });
    this.store.set({ tab });
  }

  /** The address was edited or a link followed within the page. */
  applyFragment() {
    const shared = decodeFragment(location.hash, PANELS);
    if (shared.text !== undefined) this.writer.replace(inkedText(shared.text, shared.inks ?? []));
    this.inspector?.ties.settle();
    if (shared.lang && shared.lang !== this.state.lang) void this.setLang(shared.lang);
    followLink(shared, this.store, this.opener);
  }

  /** Puts on the paper what this tab kept, or a closed one, or a link brought. */
  openText() {
    const { kept } = this;
    const { text, inks = [] } = decodeFragment(location.hash, PANELS);
    const { damaged, back } = this.keeping.open(text === undefined ? undefined : inkedText(text, inks));
    if (damaged || this.training.plan.damaged) this.tellDamaged();
    if (!back || !kept.taken) return;
    const when = new Date(kept.taken.savedAt).toLocaleString(document.documentElement.lang);
    const { undo } = this.writing;
    this.page.writeMessage.show({ kind: "info", lines: [["message.textBack", { when }]], actions: [undo] });
  }

  /** A file's text was dropped: it takes the paper, and what stood there comes back with undo. @param {string} text */
  takeText(text) {
    const had = this.writer.text;
    this.writer.replace(userText(text));
    this.inspector?.ties.settle();
    const { undo } = this.writing;
    if (had && had !== FIRST_PROMPT)
      this.page.writeMessage.show({ kind: "info", lines: [["message.textTaken"]], actions: [undo] });
  }

  /** Says that a part of what this tab kept could not be read; all of it can be had as it lies there, once. */
  tellDamaged() {
    const all = JSON.stringify(Object.fromEntries(this.kept.found));
    const download = { key: "message.keptDamaged.download", run: () => saveBlob("kept.json", new Blob([all])) };
    this.page.notice.show({
      kind: "error",
      lines: [["message.keptDamaged"], ["message.keptDamaged.rest"]],
      actions: [download],
    });
  }

  /** What a tab that goes on with these texts says of them, "" where nothing in them is the user's. */
  title() {
    const {
      writer,
      training: { plan },
    } = this;
    const own =
      writer.text.trim() && writer.text !== FIRST_PROMPT ? writer.text : plan.text === plan.elsewhere ? "" : plan.text;
    return titleOf(own);
  }

  /** Says that texts are not kept for as long as they are not, on every tab. */
  tellKept() {
    const { failure, unread } = this.kept;
    const again = { key: "message.reload", run: () => location.reload() };
    const told = unread
      ? errorMessage([["message.notRead"]], unread, [again])
      : failure && errorMessage([["message.notKept"]], failure);
    this.page.notKept.show(told && { ...told, stays: true });
  }

  onText() {
    this.store.set({});
    this.keeping.keep();
    this.writing.countSoon();
  }

  render() {
    const { inspector } = this;
    // Before anything is written with it.
    this.gates.apply(this.state.view.off, this.state.info);
    this.page.render(this.state, this.writer, this.engine.source, inspector ? inspector.marks() : null);
    this.layOut();
    inspector?.update();
    this.inspect();
    if (this.guide) this.guide.update();
    else if (this.state.guide) void this.loadGuide();
    const { tab, settings } = this.state;
    if (tab === "train" && !this.page.trainOpening) void this.openTrain();
    if (!this.address.write(encodeFragment({ ...this.shared(), tab }), this.place)) return;
    storage.set("settings", encodeFragment({ tab: "write", settings, model: "" }));
  }

  /** What a link reproduces. */
  shared() {
    const { state, inspector } = this;
    return sharedOf(state, inspector ? inspector.linkedToken() : state.view.token);
  }

  /** Loads the guide, once. */
  async loadGuide() {
    this.guideLoading ??= part(import("./guide/guide.js")).then(({ Guide }) => Guide.mount(this, shippedText));
    try {
      this.guide = await this.guideLoading;
      this.store.set({});
    } catch (error) {
      // Said once, however often it was asked for.
      if (!this.guideLoading) return;
      this.guideLoading = null;
      this.store.set({ guide: "" });
      showError(this.page.messagesOn(this.state.tab), [["guide.notLoaded"]], error);
    }
  }

  /** The list of models below the header's model. */
  async openPicker() {
    const { modelPopover } = this.page.header;
    try {
      await this.page.openPicker({
        onShipped: (model) => this.opener.openShipped(model),
        onRun: (run) => void this.training.saves.open(run),
        onElsewhere: (from) => {
          this.store.set({ tab: "models" });
          this.page.models.reveal(from);
        },
        onClose: () => modelPopover.close(),
      });
      this.store.set({});
    } catch (error) {
      modelPopover.close();
      showError(this.page.messagesOn(this.state.tab), [["header.notLoaded"]], error);
    }
  }

  /** What this page is, in a dialog. */
  async openAbout() {
    try {
      const { About } = await part(import("./frame/about.js"));
      this.about ??= new About();
      this.about.show(this.state.shipped[0]);
    } catch (error) {
      showError(this.page.messagesOn(this.state.tab), [["about.notLoaded"]], error);
    }
  }

  /** Opens the guide where it was left; where it is open, the keyboard goes to it. */
  openGuide() {
    if (this.state.guide) this.guide?.focus();
    else this.store.set({ guide: storage.get("guide") || GUIDE_START });
  }

  /** Keeps the inspector's place free from the beginning, so that nothing moves when it comes. */
  layOut() {
    const { tab, view } = this.state;
    const beside = tab === "write" && view.open && matchMedia(WIDE).matches;
    document.body.classList.toggle("inside", beside || Boolean(this.inspector?.shown));
  }

  /** Loads the inspector when it is first needed: when it is open, and where heads are switched off. */
  inspect() {
    const { info, view, tab } = this.state;
    if (this.inspectorAsked || !info || tab !== "write" || !(view.open || view.off.length)) return;
    this.inspectorAsked = true;
    part(import("./inspect/inspector.js")).then(
      async ({ Inspector }) => {
        this.inspector = await Inspector.mount(this);
        this.store.set({});
      },
      (error) => {
        this.inspectorAsked = false;
        this.setView({ open: false });
        showError(this.page.writeMessage, [["inspect.notLoaded"]], error);
      },
    );
  }
}

export async function startApp() {
  const kept = new Kept();
  const { text, view } = decodeFragment(location.hash, PANELS);
  const state = initialState();
  /** @type {unknown} */
  let failure = null;
  const language = loadLanguage(state.lang).catch((error) => {
    failure = error;
    state.lang = "en";
  });
  // What a link shows, it shows in a text of its own.
  await Promise.all([kept.open(text === undefined && view.token === undefined), language]);
  const app = new App(kept, state);
  if (failure) showError(app.page.notice, [["message.noLanguage"]], failure);
  void app.start();
}
