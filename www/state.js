import { DEFAULT_SETTINGS, SETTING_SPECS, clampSeed, clampSetting } from "./settings.js";

/** @typedef {import("./types.js").Settings} Settings */
/** @typedef {import("./types.js").Tab} Tab */
/** @typedef {import("./types.js").Lang} Lang */
/** @typedef {{ model?: string, tab?: Tab, lang?: Lang, settings: Partial<Settings> }} SharedState */

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
 * Writes what a link should reproduce into a URL fragment: only what differs from the defaults, never the text.
 * @param {{ model: string, tab: Tab, lang?: Lang, settings: Settings }} state
 */
export function encodeFragment(state) {
  const params = new URLSearchParams();
  if (state.tab !== "write") params.set("tab", state.tab);
  if (state.model) params.set("model", state.model);
  if (state.lang) params.set("lang", state.lang);
  for (const spec of SETTING_SPECS) {
    const value = state.settings[spec.key];
    if (value !== spec.value) params.set(spec.hash, String(value));
  }
  if (state.settings.seed !== DEFAULT_SETTINGS.seed) params.set("seed", String(state.settings.seed));
  if (!state.settings.stopAtEnd) params.set("end", "0");
  // "/" is legal in a fragment, and a model's name reads better with it.
  return params.toString().replaceAll("%2F", "/");
}

/**
 * Reads a fragment. Unknown keys are ignored and numbers brought into range: a link comes from anywhere.
 * @param {string} fragment with or without "#"
 * @returns {SharedState}
 */
export function decodeFragment(fragment) {
  const params = new URLSearchParams(fragment.replace(/^#/, ""));
  /** @type {SharedState} */
  const shared = { settings: {} };
  const tab = params.get("tab");
  if (tab === "write" || tab === "train" || tab === "models") shared.tab = tab;
  const lang = params.get("lang");
  if (lang === "en" || lang === "zh") shared.lang = lang;
  const model = params.get("model");
  if (model) shared.model = model.slice(0, 300);
  for (const spec of SETTING_SPECS) {
    const value = params.get(spec.hash);
    if (value !== null) Object.assign(shared.settings, { [spec.key]: clampSetting(spec, value) });
  }
  if (params.has("seed")) shared.settings.seed = clampSeed(params.get("seed"));
  if (params.has("end")) shared.settings.stopAtEnd = params.get("end") !== "0";
  return shared;
}
