/** Opens models: the first one, another one, and the same one again after a crash. Says what went wrong and where. */
import { EngineError, isAbort, PageError, part } from "../core/errors.js";
import { t } from "../core/i18n/index.js";
import { errorMessage } from "../core/message.js";
import { diskName, keepDiskName, nameAmong } from "./disk_names.js";
import { isAdapterFile, isModelFile, missingFiles, roleOf } from "./file_names.js";
import { fileSource } from "./files.js";
import { fetchShippedModels, shippedSource, urlSource } from "./network.js";
import { RUN_LINK } from "./saved_runs.js";

/** @typedef {import("../engine/types.js").Backend} Backend */
/** @typedef {import("../engine/types.js").ShippedModel} ShippedModel */
/** @typedef {import("./sources.js").ModelSource} ModelSource */
/** @typedef {import("../core/message.js").MessageView} MessageView */
/** @typedef {import("../core/message.js").Message} Message */

/** A second crash this soon is not answered with another start: it would only crash again. */
const CRASH_AGAIN_MS = 30_000;

/**
 * @param {MessageView} view
 * @param {Message["lines"]} lines
 * @param {unknown} error
 * @param {Message["actions"]} [actions]
 */
export function showError(view, lines, error, actions) {
  view.show(errorMessage(lines, error, actions));
}

export class Opener {
  /**
   * @param {object} parts
   * @param {import("../core/state.js").Store<import("../engine/types.js").State>} parts.store
   * @param {import("../engine/client.js").Engine} parts.engine
   * @param {import("../page.js").Page} parts.page
   * @param {() => void} parts.onOpened called when another model is in use
   * @param {(config: File, weights: File) => Promise<void>} parts.onAdapter called with a LoRA adapter for the model in
   *   use
   * @param {(id: string) => void} parts.onGiveUp called when the user would rather lose what could not be saved of a
   *   run
   * @param {(id: string, free?: () => boolean) => Promise<"opened" | "failed" | "missing">} parts.openRun opens a run
   *   that is saved on this
   *   device, unless something else is being opened
   * @param {() => () => Pick<Message, "lines" | "actions">} parts.onCrash called when the engine was lost; what it
   *   gives tells, once it is
   *   there again, what became of training
   * @param {(backend: Backend) => void} parts.onBackend called with the backend that is asked for from here on
   */
  constructor({ store, engine, page, onOpened, onAdapter, onGiveUp, openRun, onCrash, onBackend }) {
    this.store = store;
    this.engine = engine;
    this.page = page;
    this.onOpened = onOpened;
    this.onAdapter = onAdapter;
    this.onGiveUp = onGiveUp;
    this.openRun = openRun;
    this.onCrash = onCrash;
    this.onBackend = onBackend;
    /** Half of an adapter, until the other comes. @type {{ config?: File, weights?: File }} */
    this.adapter = {};
    /** The load in progress. @type {AbortController | null} */
    this.control = null;
    this.lastCrash = -Infinity;
    /** The fingerprint of the file that a link asked for, and of the adapter that it has on it. */
    this.wanted = "";
    this.wantedAdapter = "";
    /** The archives and folders that files came in, by name. @type {WeakMap<File, string>} */
    this.archives = new WeakMap();
  }

  messages() {
    return this.page.messagesOn(this.store.state.tab);
  }

  /** Opens the model that the link names, or the first one that came with the page. */
  async start() {
    /** @type {ShippedModel[]} */
    let shipped = [];
    try {
      shipped = await fetchShippedModels();
    } catch (error) {
      showError(this.messages(), [["error.noShipped"]], error);
    }
    this.store.set({ shipped });
    const { modelId: wanted, adapterId } = this.store.state;
    const model = shipped.find(({ id }) => id === wanted) ?? shipped[0];
    let elsewhere = wanted !== "" && model?.id !== wanted;
    if (wanted.startsWith(RUN_LINK)) {
      // The user may have pressed Resume already.
      const free = () => !this.control && !this.engine.client;
      const found = await this.openRun(wanted.slice(RUN_LINK.length), free);
      if (found === "missing") this.offer(wanted, adapterId);
      // What went wrong has been said, and the address names what is opened instead.
      elsewhere = found === "missing";
    } else if (elsewhere) this.offer(wanted, adapterId);
    // The user may have opened another one already.
    if (model && !this.control && !this.engine.client)
      await this.open(shippedSource(model), { quiet: true, named: elsewhere ? wanted : model.id, adapter: adapterId });
  }

  /**
   * Says that a link was made with a model that is not here. It must not start a download: that takes the user's press.
   * @param {string} wanted @param {string} adapter that it has on it, "" for none
   */
  offer(wanted, adapter) {
    if (wanted.startsWith(RUN_LINK)) return this.page.ask(this.messages(), [["message.linkRun"]]);
    if (wanted.startsWith("sha256:")) {
      [this.wanted, this.wantedAdapter] = [wanted, adapter];
      const name = diskName(wanted);
      const line = name ? "message.linkFile.known" : "message.linkFile";
      return this.page.ask(this.messages(), [[line, { name: name || wanted }], ["message.linkFile.files"]]);
    }
    this.messages().show({
      kind: "info",
      lines: [["message.linkModel", { name: wanted }]],
      actions: [{ key: "models.web.download", run: () => this.openUrl(wanted, adapter) }],
    });
  }

  /**
   * Opens a model from the user's disk under the name that its content gives it.
   * @param {ModelSource} source @param {File} weights @param {File} config
   */
  async openFiles(source, weights, config) {
    try {
      const folder = this.archives.get(weights);
      const about = { folder, config: await config.text(), weights: weights.name };
      source.name = nameAmong(about) || t("models.disk.unnamed");
      const { fingerprint } = await part(import("../core/fingerprint.js"));
      source.id = await fingerprint(weights, config);
      if (source.id) keepDiskName(source.id, source.name);
    } catch {
      // A file that cannot be read is told of when it is opened.
    }
    const { wanted, wantedAdapter } = this;
    const adapter = wanted && source.id === wanted ? wantedAdapter : "";
    await this.open(source, { adapter });
    if (!wanted || this.engine.source !== source) return;
    this.wanted = this.wantedAdapter = "";
    if (source.id !== wanted)
      this.messages().show({
        kind: "info",
        lines: [["message.otherFile", { name: source.name, wanted, id: source.id }]],
      });
  }

  /** @param {ShippedModel} model @param {string} [adapter] that a link has on it */
  openShipped(model, adapter) {
    void this.open(shippedSource(model), { adapter });
  }

  /** @param {string} input a repository or an address @param {string} [adapter] that a link has on it */
  openUrl(input, adapter) {
    try {
      void this.open(urlSource(input), { adapter });
    } catch (error) {
      showError(this.messages(), [["message.loadFailed", { name: input }]], error);
    }
  }

  /**
   * Takes files as they come, also one by one, and opens the model when it is complete.
   * @param {File[]} files
   */
  async takeFiles(files) {
    if (!files.length) return;
    /** @type {File[]} */
    const unpacked = [];
    for (const file of files) {
      const inside = /\.zip$/i.test(file.name) ? await this.unpack(file) : [file];
      if (!inside) return;
      unpacked.push(...inside);
    }
    files = unpacked.filter(({ name }) => name !== "generation_config.json");
    const isAdapter = (/** @type {File} */ { name }) => isAdapterFile(name);
    for (const file of files.filter(isAdapter)) this.adapter[/\.json$/i.test(file.name) ? "config" : "weights"] = file;
    const halves = files.some(isAdapter);
    files = files.filter((file) => !isAdapter(file));
    // The model first that the adapter came with.
    const model = files.length || !halves ? await this.takeModelFiles(files) : null;
    const { config, weights } = this.adapter;
    if (!config || !weights) return;
    this.adapter = {};
    if (!model || this.engine.source === model) await this.onAdapter(config, weights);
  }

  /**
   * The files of a model or an adapter in an archive; nothing where there are none, or it was cancelled, which has been
   * said.
   * @param {File} zip
   */
  async unpack(zip) {
    const { name } = zip;
    // Where a model is being opened, that is what is shown and can be cancelled.
    const control = this.control ? null : (this.control = new AbortController());
    const { store } = this;
    const view = this.messages();
    try {
      const { filesFromZip } = await part(import("./zip.js"));
      const files = await filesFromZip(zip, isModelFile, {
        signal: control?.signal,
        onProgress: (done, total) => {
          if (control && control === this.control) store.set({ loading: { name, done, total } });
        },
      });
      for (const file of files) this.archives.set(file, name.replace(/\.zip$/i, ""));
      return files;
    } catch (error) {
      if (control?.signal.aborted) view.show({ kind: "info", lines: [["load.cancelled", { name }]] });
      else showError(view, [["message.loadFailed", { name }]], error);
      return null;
    } finally {
      if (control && control === this.control) {
        this.control = null;
        store.set({ loading: null });
      }
    }
  }

  /**
   * @param {File[]} files of a model
   * @returns {Promise<ModelSource | null>} the model that they complete
   */
  async takeModelFiles(files) {
    const pending = { ...this.store.state.pending };
    let known = 0;
    for (const file of files) {
      const role = roleOf(file.name);
      if (!role) continue;
      pending[role] = file;
      known += 1;
    }
    if (!known) {
      const names = files
        .slice(0, 5)
        .map((file) => file.name)
        .join(", ");
      this.messages().show({ kind: "error", lines: [["error.unknownFiles", { files: names }]] });
    } else if (missingFiles(pending).length) {
      this.store.set({ pending, tab: "models" });
    } else {
      this.store.set({ pending: {} });
      const { weights, config } = pending;
      if (weights && config) {
        const source = fileSource(pending, this.archives.get(weights));
        await this.openFiles(source, weights, config);
        return source;
      }
    }
    return null;
  }

  /** The model in use, on the backend that is now asked for. @param {string} [adapter] from disk that it is to have */
  reopen(adapter = this.store.state.adapterId) {
    const { source } = this.engine;
    if (source) void this.open(source, { named: this.store.state.modelId, adapter });
  }

  cancel() {
    this.control?.abort();
  }

  /**
   * Opens a model beside the one in use, and puts it in its place when it works.
   * @param {ModelSource} source
   * @param {{ named?: string, quiet?: boolean, adapter?: string }} [options] `named`: what the address goes on saying;
   *   `quiet`: a
   *   message that is already there stays; `adapter`: one from disk, which it is to have and the page then asks for
   */
  async open(source, { named = source.id, quiet = false, adapter = "" } = {}) {
    const { store, engine } = this;
    const { name } = source;
    const view = this.messages();
    this.control?.abort();
    const control = (this.control = new AbortController());
    if (!quiet) view.clear();
    store.set({ loading: { name, done: 0, total: 0 } });
    const { backend } = store.state;
    try {
      if (backend === "webgpu" && globalThis.isSecureContext === false) throw new PageError("error.insecureGpu");
      const info = await engine.load(source, backend, {
        signal: control.signal,
        onProgress: (done, total) => {
          if (control === this.control) store.set({ loading: { name, done, total } });
        },
      });
      if (control !== this.control) return;
      store.set({ info, modelId: named, adapterId: adapter, loading: null });
      this.onOpened();
      if (named === source.id) this.page.answered();
      this.page.status.say(t("live.ready", { name }));
    } catch (error) {
      if (control !== this.control) return;
      store.set({ loading: null });
      if (isAbort(error) || control.signal.aborted) {
        return view.show({ kind: "info", lines: [["load.cancelled", { name }]] });
      }
      const inUse = engine.client && engine.source;
      const again = () => void this.open(source, { named, adapter });
      const onCpu = () => {
        this.onBackend("cpu");
        again();
      };
      // The model runs on where it did, and that is what the page says.
      const moved = inUse && inUse === source && backend !== engine.backend;
      if (inUse && backend !== engine.backend) this.onBackend(engine.backend);
      const keeps = error instanceof PageError && error.key === "train.error.keep" ? String(error.params.run) : "";
      const giveUp = () => {
        this.onGiveUp(keeps);
        again();
      };
      // A wrong file stays wrong; a network or a GPU may do better next time.
      const actions = keeps
        ? [{ key: "train.giveUp", run: giveUp }]
        : source.kind === "files" || moved
          ? []
          : [{ key: "message.retry", run: again }];
      const device = error instanceof EngineError || (error instanceof PageError && error.key === "error.insecureGpu");
      if (backend === "webgpu" && device && !moved) actions.push({ key: "message.useCpu", run: onCpu });
      if (moved) {
        const where = (/** @type {string} */ one) => ({ name, backend: t(`backend.${one}`) });
        const stays = /** @type {Message["lines"][0]} */ ([
          "message.backendStays",
          where(store.state.info?.backend ?? "cpu"),
        ]);
        return showError(view, [["message.backendFailed", where(backend)], stays], error, actions);
      }
      const meaning = /** @type {Message["lines"][0]} */ (
        inUse ? ["message.stillHere", { name: inUse.name }] : ["message.nothingOpen"]
      );
      showError(view, [["message.loadFailed", { name }], meaning], error, actions);
    } finally {
      if (control === this.control) this.control = null;
    }
  }

  /**
   * The engine was lost with the model in it. It is started again, once: the second time the user decides. All of it is
   * said where
   * every tab shows it.
   * @param {Error} error
   */
  async recover(error) {
    const {
      store,
      page: { notice },
    } = this;
    const standing = this.onCrash();
    const { source } = this.engine;
    const again = performance.now() - this.lastCrash < CRASH_AGAIN_MS;
    this.lastCrash = performance.now();
    store.set({ info: null });
    if (!source) return;
    const { modelId: named, adapterId: adapter } = store.state;
    const reopen = async () => {
      await this.open(source, { named, quiet: true, adapter });
      if (this.engine.source !== source || !store.state.info) return;
      const { lines, actions } = standing();
      showError(notice, [["message.restarted"], ["message.textSafe"], ...lines], error, actions);
    };
    if (again) {
      const onCpu = () => {
        this.onBackend("cpu");
        void reopen();
      };
      showError(notice, [["message.crashedTwice"]], error, [
        { key: "message.retry", run: () => void reopen() },
        { key: "message.useCpu", run: onCpu },
      ]);
      return;
    }
    showError(notice, [["message.crashed"], ["message.textSafe"]], error);
    await reopen();
  }
}
