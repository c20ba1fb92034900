/** Joins the parts: state and address, engine, text, page. */
import { Address } from "./core/address.js";
import { saveBlob, storage } from "./core/dom.js";
import { EngineError, isAbort, isFatal, part } from "./core/errors.js";
import { n, preferredLanguage, setLanguage, t } from "./core/i18n/index.js";
import { Kept } from "./core/kept.js";
import { errorMessage } from "./core/message.js";
import { clampSeed, clampSetting, DEFAULT_SETTINGS, randomSeed, SETTING_SPECS } from "./core/settings.js";
import { DEFAULT_VIEW, decodeFragment, encodeFragment, Store } from "./core/state.js";
import { titleOf, userText } from "./core/text.js";
import { Engine } from "./engine/client.js";
import { filesFromDrop, MOST_ENTRIES, modelAmong, textsAmong } from "./models/drop.js";
import { isModelFile } from "./models/file_names.js";
import { Opener, showError } from "./models/opener.js";
import { RUN_LINK } from "./models/saved_runs.js";
import { Page, TABS } from "./page.js";
import { unsaved } from "./train/run_facts.js";
import { Training } from "./train/training.js";
import { packText, unpackText } from "./write/text_record.js";
import { Writer } from "./write/writer.js";

/** @typedef {import("./engine/types.js").Backend} Backend */
/** @typedef {import("./engine/types.js").Lang} Lang */
/** @typedef {import("./engine/types.js").Settings} Settings */
/** @typedef {import("./engine/types.js").State} State */
/** @typedef {import("./engine/types.js").Theme} Theme */

const FIRST_PROMPT = "Once upon a time";
const BACKENDS = /** @type {Backend[]} */ (["auto", "cpu", "webgpu"]);
const THEMES = /** @type {Theme[]} */ (["auto", "light", "dark"]);
/** The message that the model no longer sees the text's beginning. */
const SLID = "message.contextSlid";
const COUNT_AFTER_MS = 400;
/** Tokens a second from which on what is written is drawn less often. */
const QUICK_RATE = 100;
const QUICK_WAIT_MS = 40;
/** From this width on the inspector stands beside the paper, and is open by itself. */
const WIDE = "(min-width: 1000px)";

/** @returns {State} what the link says, else what was remembered, else the defaults */
function initialState() {
  const shared = decodeFragment(location.hash);
  const savedLang = storage.get("lang");
  const lang = shared.lang ?? (savedLang === "en" || savedLang === "zh" ? savedLang : null);
  const savedTheme = storage.get("theme");
  const backend = new URLSearchParams(location.search).get("backend");
  // A link to a view shows what its sender saw: settings that it does not name are the defaults, not this reader's own.
  const linked =
    shared.model !== undefined ||
    shared.adapter !== undefined ||
    Object.keys(shared.settings).length > 0 ||
    Object.keys(shared.view).length > 0;
  // Settings are remembered in the same form as in a link.
  const remembered = linked ? {} : decodeFragment(storage.get("settings") ?? "").settings;
  return {
    tab: shared.tab && TABS.includes(shared.tab) ? shared.tab : "write",
    lang: lang ?? preferredLanguage(),
    langChosen: lang !== null,
    theme: savedTheme === "light" || savedTheme === "dark" ? savedTheme : "auto",
    backend: BACKENDS.find((known) => known === backend) ?? "auto",
    settings: { ...DEFAULT_SETTINGS, ...remembered, ...shared.settings },
    modelId: shared.model ?? "",
    adapterId: shared.adapter ?? "",
    info: null,
    loading: null,
    shipped: [],
    pending: {},
    view: { ...DEFAULT_VIEW, open: matchMedia(WIDE).matches, ...shared.view },
    openChosen: shared.view.open !== undefined,
  };
}

/** The text that a link carries, to be taken once. */
function sharedText() {
  return decodeFragment(location.hash).text;
}

export class App {
  /** @param {Kept} kept what this tab kept */
  constructor(kept) {
    this.kept = kept;
    this.store = new Store(initialState());
    setLanguage(this.state.lang);
    this.engine = new Engine((error) => {
      this.writer.interrupt();
      void this.opener.recover(error);
    });
    this.writer = new Writer(
      {
        generate: (settings, onEvent) => this.engine.generate(settings, onEvent),
        stop: () => this.engine.stop(),
        nextFrame: (callback) => {
          // A hidden page draws no frames, but its text must go on.
          if (document.hidden) setTimeout(callback, 100);
          // Where tokens come faster than eyes can follow, drawing each frame with the inspector open would only slow
          // the model.
          else if (this.state.view.open && this.writer.rate > QUICK_RATE) {
            setTimeout(() => (document.hidden ? callback() : requestAnimationFrame(callback)), QUICK_WAIT_MS);
          } else requestAnimationFrame(callback);
        },
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
    this.opener = new Opener({
      store: this.store,
      engine: this.engine,
      page: this.page,
      onOpened: () => {
        this.writer.interrupt();
        // They were the speed and the context of the model before.
        this.writer.rate = 0;
        this.contextFits();
        this.counted = "";
        this.training.opened();
        this.inspector?.opened();
        this.onText();
      },
      onAdapter: (config, weights) => this.training.addAdapter(config, weights),
      onGiveUp: (id) => this.training.giveUp(id),
      openRun: (id, free) => this.training.saves.openNamed(id, free),
      onCrash: () => this.training.crashed(),
    });
    this.countTimer = 0;
    /**
     * The runs and the number of steps back and forth that are kept; null until they are read.
     * @type {unknown[] | null}
     */
    this.keptText = null;
    /** The text whose tokens the status line shows. */
    this.counted = "";
    this.address = new Address();
    /**
     * What the engine was told to switch off, and which worker.
     * @type {{ client: unknown, off: State["view"]["off"] }}
     */
    this.gated = { client: null, off: [] };
    /** @type {import("./inspect/inspector.js").Inspector | null} */
    this.inspector = null;
    this.inspectorAsked = false;
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
    const asked = new URLSearchParams(location.search).get("backend");
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
        onBackend: (backend) => void this.setBackend(backend),
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
    const { dropHint } = this.page;
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      dropHint.hidden = false;
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) dropHint.hidden = true;
    });
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      dropHint.hidden = true;
      void filesFromDrop(event.dataTransfer).then((dropped) => this.takeDrop(dropped));
    });
    addEventListener("hashchange", () => this.applyFragment());
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
   * On the Train tab texts are to learn from; everything else belongs to a model.
   * @param {import("./models/drop.js").Dropped} dropped
   */
  async takeDrop({ files, empty, large, unread }) {
    /** @type {[string, Record<string, string>?][]} */
    const lines = [
      ...empty.map((name) => /** @type {[string, {}]} */ (["error.emptyFolder", { name }])),
      ...large.map((name) => /** @type {[string, {}]} */ (["error.largeFolder", { name, count: n(MOST_ENTRIES) }])),
    ];
    if (unread.length) lines.push(["error.unreadable", { name: unread.join(", ") }]);
    const before = this.page.messagesOn(this.state.tab).message;
    const texts = this.state.tab === "train" ? textsAmong(files, isModelFile) : [];
    if (texts.length) await this.page.train?.take(texts.map(({ file }) => file));
    const model = modelAmong(
      files.filter((file) => !texts.includes(file)),
      isModelFile,
    );
    if ("folders" in model) lines.push(["error.severalModels", { folders: model.folders.join(", ") }]);
    else await this.opener.takeFiles(model.files);
    if (!lines.length) return;
    // Beside what was said of the files that were taken.
    const view = this.page.messagesOn(this.state.tab);
    const { message } = view;
    view.show(
      message && message !== before ? { ...message, lines: [...message.lines, ...lines] } : { kind: "error", lines },
    );
  }

  /**
   * @param {{ at: number, run: import("./engine/types.js").Run }} [first] what the text goes on with, see
   *   Writer.generate
   */
  async generate(first) {
    const { info, settings } = this.state;
    const { phase } = this.writer;
    if (!info || (!first && (phase === "writing" || phase === "prefill"))) return;
    const { writeMessage, status, notice } = this.page;
    writeMessage.clear();
    // That the engine was started again is past; what one can do about something is not.
    if (!notice.message?.actions?.length) notice.clear();
    const replaced = !first && this.writer.hasTail;
    status.say(t("live.writing"));
    try {
      this.inspector?.writing();
      const result = await this.writer.generate(settings, first);
      if (!result) return;
      const [one, more] =
        result.finished === "stopped" ? ["live.stopped.one", "live.stopped"] : ["live.done.one", "live.done"];
      status.say(t(result.tokens === 1 ? one : more, { tokens: n(result.tokens) }));
      if (result.promptTokens + result.tokens > info.nCtx) {
        writeMessage.show({ kind: "info", lines: [[SLID, { total: n(info.nCtx) }]] });
      } else if (replaced) {
        const undo = { key: "action.undo", run: () => this.writer.undo() };
        writeMessage.show({ kind: "info", lines: [["message.tailReplaced"]], actions: [undo] });
      }
    } catch (error) {
      // A fatal error ends the worker, and the opener speaks of it.
      if (isAbort(error) || isFatal(error)) return;
      showError(writeMessage, [["message.generateFailed"], ["message.textSafe"]], error);
    }
  }

  /** The text is no longer longer than the model's context. */
  contextFits() {
    const { writeMessage } = this.page;
    if (writeMessage.message?.lines[0][0] === SLID) writeMessage.clear();
  }

  /**
   * Shows the paper, and puts `prompt` on it where the open model's tokenizer cannot take what stands there.
   * @param {string} prompt
   */
  async writeWithTuned(prompt) {
    this.store.set({ tab: "write" });
    const { writer } = this;
    const { text } = writer;
    try {
      await this.engine.tokenize(text);
    } catch (error) {
      if (isAbort(error) || !(error instanceof EngineError) || error.fatal || writer.text !== text) return;
      writer.replace(userText(prompt));
      const undo = { key: "action.undo", run: () => this.writer.undo() };
      this.page.writeMessage.show({ kind: "info", lines: [["message.otherLetters"]], actions: [undo] });
    }
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
    this.store.set({ backend });
    const url = new URL(location.href);
    if (backend === "auto") url.searchParams.delete("backend");
    else url.searchParams.set("backend", backend);
    history.replaceState(null, "", url);
    this.opener.reopen();
  }

  /** @param {Lang} lang */
  setLang(lang) {
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

  /** The address was edited or a link followed within the page. */
  applyFragment() {
    this.address.forget();
    const shared = decodeFragment(location.hash);
    if (shared.text !== undefined) this.writer.replace(userText(shared.text));
    this.inspector?.ties.settle();
    if (shared.lang && shared.lang !== this.state.lang) this.setLang(shared.lang);
    const tab = shared.tab && TABS.includes(shared.tab) ? shared.tab : "write";
    const { open } = this.state.view;
    this.store.set({
      tab,
      settings: { ...DEFAULT_SETTINGS, ...shared.settings },
      view: { ...DEFAULT_VIEW, open, ...shared.view },
      openChosen: this.state.openChosen || shared.view.open !== undefined,
    });
    const { modelId, adapterId, shipped } = this.state;
    const { adapter = "" } = shared;
    // The first model needs no name in the address; one that no address can name is left open.
    const wanted = shared.model ?? (modelId ? shipped[0]?.id : undefined);
    const model = shipped.find(({ id }) => id === wanted);
    if (model && model.id !== modelId) this.opener.openShipped(model, adapter);
    else if (wanted && !model && wanted !== modelId) void this.follow(wanted, adapter);
    // An adapter that a link says nothing of is left on its model.
    else if (adapter !== "" && adapter !== adapterId) this.opener.reopen(adapter);
  }

  /** A link names a model that did not come with the page. @param {string} name @param {string} adapter */
  async follow(name, adapter) {
    const here =
      name.startsWith(RUN_LINK) && (await this.training.saves.openNamed(name.slice(RUN_LINK.length))) !== "missing";
    if (!here) this.opener.offer(name, adapter);
  }

  /**
   * Puts on the paper what this tab kept, or a closed one, or a link brought; whatever gives way comes back with undo.
   */
  openText() {
    const { kept, writer } = this;
    const shared = sharedText();
    const found = kept.found.get("write");
    const text = found === undefined ? null : unpackText(found);
    const late = unpackText(kept.late.get("write"));
    if (text) {
      // A new tab's own text is one step back.
      const past = kept.taken ? [...text.past, { runs: writer.runs, caret: writer.caret }] : text.past;
      writer.open({ ...text, past }, late?.runs);
    } else if (late) writer.open(late);
    this.keptText = [writer.runs, text?.past.length ?? 0, text?.future.length ?? 0];
    if (shared !== undefined && shared !== writer.text) {
      // What nobody wrote needs no way back.
      if (text || late) writer.replace(userText(shared));
      else writer.open({ runs: userText(shared), caret: shared.length, past: [], future: [] });
    }
    if (late) this.keepText(true);
    this.keepText();
    if ((found !== undefined && !text) || text?.damaged || this.training.plan.damaged) this.tellDamaged();
    if (!kept.taken || !text?.runs.length) return;
    const when = new Date(kept.taken.savedAt).toLocaleString(document.documentElement.lang);
    const undo = { key: "action.undo", run: () => writer.undo() };
    this.page.writeMessage.show({ kind: "info", lines: [["message.textBack", { when }]], actions: [undo] });
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
    this.keepText();
    clearTimeout(this.countTimer);
    this.countTimer = window.setTimeout(() => this.count(), COUNT_AFTER_MS);
  }

  /** Keeps the text with its history over a reload, where it has changed. @param {boolean} [anyway] */
  keepText(anyway = false) {
    const {
      kept,
      writer,
      writer: {
        runs,
        history: { past, future },
      },
    } = this;
    const now = [runs, past.length, future.length];
    const { keptText } = this;
    if (!keptText || (!anyway && now.every((one, at) => one === keptText[at]))) return;
    this.keptText = now;
    kept.keep("write", (brief) => packText(writer, brief ? { past: [], future: [] } : writer.history));
  }

  /** Counts the text's tokens for the status line. */
  count() {
    const { writer, engine } = this;
    const { text } = writer;
    if (!this.state.info || writer.phase !== "idle" || text === this.counted) return;
    this.counted = text;
    engine.inspect({ what: "tokens", text }).then(
      ({ ids }) => {
        if (writer.phase !== "idle" || writer.text !== text) return;
        writer.contextUsed = ids.length;
        if (this.state.info && ids.length <= this.state.info.nCtx) this.contextFits();
        this.store.set({});
      },
      // Generating from the same text tells the user what is wrong with it.
      () => {},
    );
  }

  render() {
    const { inspector } = this;
    this.applyGates();
    this.page.render(this.state, this.writer, this.engine.source, inspector ? inspector.marks() : null);
    inspector?.update();
    this.inspect();
    const { tab, settings } = this.state;
    if (tab === "train" && !this.page.trainOpening) void this.openTrain();
    if (!this.address.write(encodeFragment({ ...this.shared(), tab }))) return;
    storage.set("settings", encodeFragment({ tab: "write", settings, model: "" }));
  }

  /** What a link reproduces. */
  shared() {
    const { tab, lang, langChosen, settings, modelId, adapterId, shipped, view, openChosen } = this.state;
    // The model that opens anyway needs no name in the address.
    const model = modelId === shipped[0]?.id ? "" : modelId;
    const token = this.inspector ? this.inspector.linkedToken() : view.token;
    return {
      tab,
      lang: langChosen ? lang : undefined,
      settings,
      model,
      adapter: adapterId,
      view: { ...view, token },
      openChosen,
    };
  }

  /**
   * Switches off in the engine what the page says, before anything is written with it; a new worker has everything on.
   */
  applyGates() {
    const { engine, gated } = this;
    const {
      info,
      view: { off },
    } = this.state;
    if (!info || !engine.client || (gated.client === engine.client ? gated.off === off : !off.length)) return;
    this.gated = { client: engine.client, off };
    engine.gates(off, info).catch((error) => {
      if (!isAbort(error)) showError(this.page.messagesOn(this.state.tab), [["message.unexpected"]], error);
    });
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
  const { text, view } = decodeFragment(location.hash);
  // What a link shows, it shows in a text of its own.
  await kept.open(text === undefined && view.token === undefined);
  void new App(kept).start();
}
