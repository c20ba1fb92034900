import { clampSeed, clampSetting, DEFAULT_SETTINGS, SETTING_SPECS } from "./settings.js";

/** @typedef {import("../engine/types.js").Settings} Settings */
/** @typedef {import("../engine/types.js").Tab} Tab */
/** @typedef {import("../engine/types.js").Lang} Lang */
/** @typedef {import("../inspect/types.js").InspectView} InspectView */
/** @typedef {import("../inspect/types.js").PanelName} PanelName */
/** @typedef {import("../inspect/types.js").Unit} Unit */
/**
 * @typedef {{ model?: string, adapter?: string, tab?: Tab, lang?: Lang, settings: Partial<Settings>, view:
 *   Partial<InspectView>, text?: string, inks?: number[], guide?: string }} SharedState
 */

/** What the inspector shows first. @type {Readonly<InspectView>} */
export const DEFAULT_VIEW = Object.freeze({
  open: false,
  panel: "next",
  token: null,
  layer: 0,
  head: 0,
  mode: "map",
  off: [],
  surprise: true,
});
/** More heads and MLPs than any model has are not taken from a link. */
const MOST_OFF = 10_000;

/**
 * A tiny observable store. Listeners run once per microtask however often the state was set.
 * @template {object} S
 */
export class Store {
  /** @param {S} initial */
  constructor(initial) {
    /** @type {Readonly<S>} */
    this.state = initial;
    /** @type {Set<(state: Readonly<S>) => void>} */
    this.listeners = new Set();
    this.scheduled = false;
  }

  /** @param {Partial<S>} patch */
  set(patch) {
    this.state = { ...this.state, ...patch };
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      for (const listener of this.listeners) listener(this.state);
    });
  }

  /** @param {(state: Readonly<S>) => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/**
 * Writes what a link should reproduce into a URL fragment: only what differs from the defaults, and the text only where
 * it is given, with who wrote what (see `inksOf`).
 * `view.open` is left out where it is what the device does by itself (`openChosen` false).
 * @param {{ model: string, adapter?: string, tab: Tab, lang?: Lang, settings: Settings, view?: InspectView,
 *   openChosen?: boolean, text?: string, inks?: readonly number[], guide?: string }} state
 */
export function encodeFragment(state) {
  const params = new URLSearchParams();
  if (state.tab !== "write") params.set("tab", state.tab);
  if (state.model) params.set("model", state.model);
  if (state.adapter) params.set("adapter", state.adapter);
  if (state.lang) params.set("lang", state.lang);
  for (const spec of SETTING_SPECS) {
    const value = state.settings[spec.key];
    if (value !== spec.value) params.set(spec.hash, String(value));
  }
  if (state.settings.seed !== DEFAULT_SETTINGS.seed) params.set("seed", String(state.settings.seed));
  if (!state.settings.stopAtEnd) params.set("end", "0");
  if (state.view) encodeView(params, state.view, state.openChosen ?? true);
  if (state.text) params.set("text", state.text);
  if (state.text && state.inks?.length) params.set("by", state.inks.join("."));
  if (state.guide) params.set("guide", state.guide);
  // "/" is legal in a fragment, and a model's name reads better with it.
  return params.toString().replaceAll("%2F", "/");
}

/**
 * Reads a fragment. Unknown keys are ignored and numbers brought into range: a link comes from anywhere.
 * @param {string} fragment with or without "#"
 * @param {readonly PanelName[]} panels the inspector's panels that there are
 * @returns {SharedState}
 */
export function decodeFragment(fragment, panels) {
  const params = new URLSearchParams(fragment.replace(/^#/, ""));
  /** @type {SharedState} */
  const shared = { settings: {}, view: decodeView(params, panels) };
  const text = params.get("text");
  if (text) shared.text = text;
  const inks = params.get("by") ?? "";
  if (/^\d{1,7}(\.\d{1,7}){1,9999}$/.test(inks)) shared.inks = inks.split(".").map(Number);
  const guide = params.get("guide") ?? "";
  if (/^[a-z]{1,16}\.\d{1,2}$/.test(guide)) shared.guide = guide;
  const tab = params.get("tab");
  if (tab === "write" || tab === "train" || tab === "models") shared.tab = tab;
  const lang = params.get("lang");
  if (lang === "en" || lang === "zh") shared.lang = lang;
  const model = params.get("model");
  if (model) shared.model = model.slice(0, 300);
  const adapter = params.get("adapter") ?? "";
  if (/^sha256:[\da-f]{16}$/.test(adapter)) shared.adapter = adapter;
  for (const spec of SETTING_SPECS) {
    const value = params.get(spec.hash);
    if (value !== null) Object.assign(shared.settings, { [spec.key]: clampSetting(spec, value) });
  }
  if (params.has("seed")) shared.settings.seed = clampSeed(params.get("seed"));
  if (params.has("end")) shared.settings.stopAtEnd = params.get("end") !== "0";
  return shared;
}

/** @param {URLSearchParams} params @param {InspectView} view @param {boolean} openChosen */
function encodeView(params, view, openChosen) {
  const { panel, token, layer, head, mode, off, surprise } = view;
  if (view.open && (openChosen || panel !== DEFAULT_VIEW.panel)) params.set("see", panel);
  else if (!view.open && openChosen) params.set("see", "0");
  if (token !== null) params.set("token", String(token));
  if (layer !== DEFAULT_VIEW.layer) params.set("layer", String(layer));
  if (head !== DEFAULT_VIEW.head) params.set("head", head < 0 ? "mean" : String(head));
  if (mode !== DEFAULT_VIEW.mode) params.set("mode", mode);
  if (off.length) params.set("off", off.map((unit) => `${unit.layer}.${unit.head < 0 ? "mlp" : unit.head}`).join("_"));
  if (surprise !== DEFAULT_VIEW.surprise) params.set("surprise", surprise ? "1" : "0");
}

/** @param {string | null} text @returns {number | null} a whole number that is not negative */
function count(text) {
  return text !== null && /^\d{1,7}$/.test(text) ? Number(text) : null;
}

/**
 * @param {URLSearchParams} params @param {readonly PanelName[]} panels
 * @returns {Partial<InspectView>}
 */
function decodeView(params, panels) {
  /** @type {Partial<InspectView>} */
  const view = {};
  const see = params.get("see");
  const panel = panels.find((name) => name === see);
  if (panel) Object.assign(view, { open: true, panel });
  else if (see === "0") view.open = false;
  const token = count(params.get("token"));
  if (token !== null) view.token = token;
  const layer = count(params.get("layer"));
  if (layer !== null) view.layer = layer;
  const head = params.get("head") === "mean" ? -1 : count(params.get("head"));
  if (head !== null) view.head = head;
  const mode = params.get("mode");
  if (mode !== null && /^[a-z]{1,16}$/.test(mode)) view.mode = mode;
  const off = decodeUnits(params.get("off") ?? "");
  if (off.length) view.off = off;
  if (params.has("surprise")) view.surprise = params.get("surprise") !== "0";
  return view;
}

/** @param {string} text "0.3_2.mlp" @returns {Unit[]} each once */
function decodeUnits(text) {
  /** @type {Map<string, Unit>} */
  const units = new Map();
  for (const part of text.split("_", MOST_OFF)) {
    const [, layer, head] = /^(\d{1,4})\.(\d{1,4}|mlp)$/.exec(part) ?? [];
    if (layer !== undefined) units.set(part, { layer: Number(layer), head: head === "mlp" ? -1 : Number(head) });
  }
  return [...units.values()];
}
