/** What the page shows first: what the link says, else what was remembered, else the defaults. */

import { storage } from "../core/dom.js";
import { preferredLanguage } from "../core/i18n/index.js";
import { DEFAULT_SETTINGS } from "../core/settings.js";
import { DEFAULT_VIEW, decodeFragment } from "../core/state.js";
import { PANELS } from "../inspect/manifest.js";

/** @typedef {import("../engine/types.js").Backend} Backend */

export const BACKENDS = /** @type {Backend[]} */ (["auto", "cpu", "webgpu"]);
/** From this width on the inspector stands beside the paper, and is open by itself. */
export const WIDE = "(min-width: 1000px)";

/** The backend that the address asks for, "" for none; it may be one that there is not. */
export const askedBackend = () => new URLSearchParams(location.search).get("backend") ?? "";

/** @returns {import("../engine/types.js").State} */
export function initialState() {
  const shared = decodeFragment(location.hash, PANELS);
  const savedLang = storage.get("lang");
  const lang = shared.lang ?? (savedLang === "en" || savedLang === "zh" ? savedLang : null);
  const savedTheme = storage.get("theme");
  const backend = askedBackend();
  // A link to a view shows what its sender saw: settings that it does not name are the defaults, not this reader's own.
  const linked =
    shared.model !== undefined ||
    shared.adapter !== undefined ||
    Object.keys(shared.settings).length > 0 ||
    Object.keys(shared.view).length > 0;
  // Settings are remembered in the same form as in a link.
  const remembered = linked ? {} : decodeFragment(storage.get("settings") ?? "", PANELS).settings;
  return {
    tab: shared.tab ?? "write",
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
    guide: shared.guide ?? "",
  };
}
