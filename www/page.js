/** Builds the views and gives them their data. Knows nothing of engines and files. */
import { byId, h, storage } from "./core/dom.js";
import { part } from "./core/errors.js";
import { t } from "./core/i18n/index.js";
import { errorMessage, MessageView } from "./core/message.js";
import { ProgressView } from "./core/progress.js";
import { DEFAULT_SETTINGS, SETTING_SPECS } from "./core/settings.js";
import { loadStyle } from "./core/style.js";
import { Header } from "./frame/header.js";
import { Status } from "./frame/status.js";
import { missingFiles } from "./models/file_names.js";
import { Saved } from "./models/saved_view.js";
import { Models } from "./models/view.js";
import { goesOn, runId } from "./train/run_facts.js";
import { Actions } from "./write/actions.js";
import { Controls } from "./write/controls.js";
import { Paper } from "./write/paper.js";

/** @typedef {import("./engine/types.js").Tab} Tab */
/** @typedef {import("./engine/types.js").State} State */
/** @typedef {import("./models/sources.js").ModelSource} ModelSource */

/** The tabs that exist. */
export const TABS = /** @type {Tab[]} */ (["write", "train", "models"]);

/**
 * What the user can do on the page.
 * @typedef {object} Handlers
 * @property {ConstructorParameters<typeof Header>[1]} header
 * @property {ConstructorParameters<typeof Paper>[1]} paper
 * @property {ConstructorParameters<typeof Actions>[1]} actions
 * @property {Pick<ConstructorParameters<typeof Controls>[1], "onChange" | "onReset">} controls
 * @property {ConstructorParameters<typeof Models>[1]} models
 * @property {() => import("./train/training.js").Training} training
 * @property {() => void} onCancelLoading
 * @property {() => void} onForgetAdapter called when the user goes on without the adapter that is asked for
 */

export class Page {
  /** @param {Handlers} handlers */
  constructor({ header, paper, actions, controls, models, training, onCancelLoading, onForgetAdapter }) {
    const desk = byId("desk");
    const tray = h("div", { class: "tray" });
    this.header = new Header(byId("header"), header);
    /** What concerns every tab stands above them. */
    this.notKept = new MessageView(byId("notices"));
    this.notSaved = new MessageView(byId("notices"));
    /** What that says, and of what. @type {unknown[]} */
    this.notSavedOf = [];
    this.notice = new MessageView(byId("notices"));
    this.paper = new Paper(desk, paper);
    desk.append(tray);
    this.writeProgress = new ProgressView(tray, { onCancel: onCancelLoading });
    this.writeMessage = new MessageView(tray);
    this.adapterMessage = new MessageView(tray);
    /** The adapter that it asks for. */
    this.askedAdapter = "";
    this.onForgetAdapter = onForgetAdapter;
    this.actions = new Actions(tray, actions);
    const open = storage.get("settingsOpen");
    this.controls = new Controls(tray, {
      ...controls,
      open: open === null ? matchMedia("(min-width: 720px) and (min-height: 780px)").matches : open === "1",
      onToggle: (isOpen) => storage.set("settingsOpen", isOpen ? "1" : "0"),
    });
    this.models = new Models(byId("tab-models"), models);
    this.saved = new Saved({
      onOpen: (run) => void training().saves.open(run),
      onRename: (run, name) => void training().saves.rename(run, name),
      onDelete: (run) => void training().saves.remove(run),
      onDownload: (run) => void training().saves.download(run),
    });
    this.models.messages.after(this.saved.root);
    /** The header's list of models, once it was folded out. @type {import("./frame/picker.js").Picker | null} */
    this.picker = null;
    this.training = training;
    this.onCancelLoading = onCancelLoading;
    /** What is on the Train tab, once that was opened. @type {import("./train/view.js").TrainView | null} */
    this.train = null;
    /** @type {Promise<void> | null} */
    this.trainOpening = null;
    this.modelsProgress = new ProgressView(this.models.messages, { onCancel: onCancelLoading });
    this.modelsMessage = new MessageView(this.models.messages);
    this.status = new Status(byId("status"));
    this.dropHint = h("div", { class: "drop-hint", hidden: true });
    document.body.append(this.dropHint);
    /** The language of the messages that are shown. */
    this.messagesLang = "";
  }

  /** Loads what is on the Train tab, which many visitors never open. */
  openTrain() {
    return (this.trainOpening ??= Promise.all([part(import("./train/view.js")), loadStyle("train/style.css")]).then(
      ([{ TrainView }]) => {
        this.train = new TrainView(byId("tab-train"), { training: this.training, onCancel: this.onCancelLoading });
      },
      (error) => {
        this.trainOpening = null;
        throw error;
      },
    ));
  }

  /**
   * Where a message is seen: on the tab that is open.
   * @param {Tab} tab
   */
  messagesOn(tab) {
    return tab === "models"
      ? this.modelsMessage
      : tab === "train" && this.train
        ? this.train.message
        : this.writeMessage;
  }

  /**
   * Asks for files, also by a button: where nothing can be dropped.
   * @param {MessageView} view @param {import("./core/message.js").Message["lines"]} lines @param {() => void} [onClose]
   */
  ask(view, lines, onClose) {
    const choose = () => {
      // Where none is chosen, they are still asked for.
      this.ask(view, lines, onClose);
      this.models.pick.click();
    };
    view.show({ kind: "info", lines, actions: [{ key: "models.disk.choose", run: choose }], onClose });
  }

  /** A model is open: the one that a link asked for, or one that the user would rather have. */
  answered() {
    for (const view of [this.writeMessage, this.modelsMessage, this.train?.message]) {
      if (/^message\.link/.test(view?.message?.lines[0][0] ?? "")) view?.clear();
    }
  }

  /**
   * Asks for the adapter from disk that the view here has on the model.
   * @param {string} name "" where none is missing
   */
  updateAdapter(name) {
    if (name === this.askedAdapter) return;
    this.askedAdapter = name;
    if (name)
      this.ask(
        this.adapterMessage,
        [["message.linkAdapter", { name }], ["message.linkAdapter.files"]],
        this.onForgetAdapter,
      );
    else this.adapterMessage.clear();
  }

  /**
   * Says that the run is not saved, for as long as that is so.
   * @param {unknown} error null where it is
   * @param {boolean} goesOn
   */
  updateNotSaved(error, goesOn) {
    if (this.notSavedOf[0] === error && this.notSavedOf[1] === goesOn) return;
    this.notSavedOf = [error, goesOn];
    if (error === null) return this.notSaved.clear();
    // A run that goes on is saved again by itself.
    const actions = goesOn ? [] : [{ key: "message.retry", run: () => this.training().save() }];
    const line = goesOn ? "train.error.notSaved" : "train.error.notSaved.still";
    this.notSaved.show({ ...errorMessage([[line]], error, actions), stays: true });
  }

  /** Loads the list of models when it is first folded out. @param {import("./frame/picker.js").Picker["handlers"]} handlers */
  async openPicker(handlers) {
    const { Picker } = await part(import("./frame/picker.js"));
    this.picker ??= new Picker(this.header.modelPanel, handlers);
  }

  /** @param {State} state @param {ModelSource | null} open */
  updatePicker({ shipped, info }, open) {
    if (!this.picker || !this.header.modelPopover.open) return;
    const { saves, state } = this.training();
    const { deviceMemory } = /** @type {{ deviceMemory?: number }} */ (/** @type {unknown} */ (navigator));
    const openRun = open?.run ? runId(state) || open.run.id : "";
    this.picker.update({ shipped, runs: saves.list, open, openRun, info, deviceMemory });
  }

  /**
   * @param {State} state
   * @param {import("./write/writer.js").Writer} writer
   * @param {ModelSource | null} source the open model's
   * @param {import("./core/pieces.js").Marks | null} marks the tokens to be told apart on the paper
   */
  render(state, writer, source, marks) {
    const { tab, lang, theme, backend, settings, info, loading, shipped, pending } = state;
    document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
    document.title = t("app.title");
    for (const name of TABS) byId(`tab-${name}`).hidden = name !== tab;
    const { state: train } = this.training();
    const goes = goesOn(train);
    this.updateNotSaved(train.saveFailure, goes);
    const run = goes && train.run ? { step: train.step, steps: train.run.steps } : null;
    const name = source?.name ?? "";
    this.header.update({
      ...{ tab, backend, theme, lang, run, info, name },
      guided: state.guide !== "",
      strength: train.strength,
    });
    this.updatePicker(state, source);

    const { phase, runs, caret, canUndo, canRetry, rate, contextUsed, prefill } = writer;
    this.paper.update({
      runs,
      text: writer.text,
      caret,
      writing: phase !== "idle",
      marks,
      open: info ? state.view.open : null,
    });
    this.actions.update({
      phase,
      ready: info !== null,
      loading: loading !== null,
      hasTail: writer.hasTail,
      canUndo,
      canRetry,
      seed: settings.seed,
    });
    const keys = [...SETTING_SPECS.map(({ key }) => key), /** @type {const} */ ("stopAtEnd")];
    const changed = keys.some((key) => settings[key] !== DEFAULT_SETTINGS[key]);
    this.controls.update({ settings, changed, nCtx: info?.nCtx ?? null });
    this.writeProgress.update(loading);
    // Not while another model stands in for the one that it belongs to.
    this.updateAdapter(info?.trained === "" && source?.id === state.modelId ? state.adapterId : "");
    this.status.update({
      info,
      rate,
      contextUsed,
      prefill: phase === "prefill" ? prefill : null,
      run,
    });
    if (tab === "train") this.train?.update(state);
    if (tab === "models") {
      const { saves } = this.training();
      this.saved.update(saves.list, source?.run ? runId(train) || source.run.id : "", lang);
      this.modelsProgress.update(loading);
      this.models.update({
        shipped,
        lang,
        info,
        open: info && source,
        backend: info?.backend ?? "",
        have: Object.values(pending).map((file) => file.name),
        need: missingFiles(pending),
      });
    }
    this.dropHint.textContent = t(tab === "train" ? "train.drop" : tab === "write" ? "write.drop" : "models.drop");
    if (this.messagesLang === lang) return;
    this.messagesLang = lang;
    for (const view of [this.notKept, this.notSaved, this.notice]) view.update();
    this.writeMessage.update();
    this.adapterMessage.update();
    this.modelsMessage.update();
    this.train?.message.update();
  }
}
