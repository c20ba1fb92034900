/** What a link to the page says, and what follows from it. */
import { DEFAULT_SETTINGS } from "./core/settings.js";
import { DEFAULT_VIEW } from "./core/state.js";
import { RUN_LINK } from "./models/saved_runs.js";

/** @typedef {import("./engine/types.js").State} State */

/** What a link reproduces. @param {State} state @param {number | null} token that is looked at */
export function sharedOf(state, token) {
  const { tab, lang, langChosen, settings, modelId, adapterId, shipped, view, openChosen, guide } = state;
  // The model that opens anyway needs no name in the address.
  const model = modelId === shipped[0]?.id ? "" : modelId;
  return {
    tab,
    lang: langChosen ? lang : undefined,
    settings,
    model,
    adapter: adapterId,
    view: { ...view, token },
    openChosen,
    guide,
  };
}

/**
 * A link was followed within the page, or its address edited: the settings, the view and the model are the link's.
 * @param {import("./core/state.js").SharedState} shared
 * @param {import("./core/state.js").Store<State>} store
 * @param {import("./models/opener.js").Opener} opener
 */
export function followLink(shared, store, opener) {
  const { view, openChosen, modelId, adapterId, shipped } = store.state;
  store.set({
    tab: shared.tab ?? "write",
    settings: { ...DEFAULT_SETTINGS, ...shared.settings },
    view: { ...DEFAULT_VIEW, open: view.open, ...shared.view },
    openChosen: openChosen || shared.view.open !== undefined,
    guide: shared.guide ?? "",
  });
  const { adapter = "" } = shared;
  // The first model needs no name in the address; one that no address can name is left open.
  const wanted = shared.model ?? (modelId ? shipped[0]?.id : undefined);
  const model = shipped.find(({ id }) => id === wanted);
  if (model && model.id !== modelId) opener.openShipped(model, adapter);
  else if (wanted && !model && wanted !== modelId) void openElsewhere(wanted, adapter, opener);
  // An adapter that a link says nothing of is left on its model.
  else if (adapter !== "" && adapter !== adapterId) opener.reopen(adapter);
}

/**
 * A link names a model that did not come with the page.
 * @param {string} name @param {string} adapter @param {import("./models/opener.js").Opener} opener
 */
async function openElsewhere(name, adapter, opener) {
  const here = name.startsWith(RUN_LINK) && (await opener.openRun(name.slice(RUN_LINK.length))) !== "missing";
  if (!here) opener.offer(name, adapter);
}
