/**
 * The inspector's panels, in the order of their tabs: the only list of them. A new one is a folder below `panels/`, an
 * entry here and its name in types.d.ts.
 */
import { part } from "../core/errors.js";

/** @typedef {import("./types.js").Panel} Panel */
/** @typedef {new (context: import("./context.js").Context) => Panel} PanelClass */
/**
 * `style` is the folder's style sheet.
 * @typedef {{ name: import("./types.js").PanelName, load: () => Promise<PanelClass>, style: string }} PanelEntry
 */

/** @type {PanelEntry[]} */
export const MANIFEST = [
  {
    name: "next",
    load: async () => (await part(import("./panels/next/panel.js"))).NextPanel,
    style: "inspect/panels/next/style.css",
  },
  {
    name: "surprise",
    load: async () => (await part(import("./panels/surprise/panel.js"))).SurprisePanel,
    style: "inspect/panels/surprise/style.css",
  },
  {
    name: "tree",
    load: async () => (await part(import("./panels/tree/panel.js"))).TreePanel,
    style: "inspect/panels/tree/style.css",
  },
  {
    name: "attention",
    load: async () => (await part(import("./panels/attention/panel.js"))).AttentionPanel,
    style: "inspect/panels/attention/style.css",
  },
  {
    name: "lens",
    load: async () => (await part(import("./panels/lens/panel.js"))).LensPanel,
    style: "inspect/panels/lens/style.css",
  },
  {
    name: "heads",
    load: async () => (await part(import("./panels/heads/panel.js"))).HeadsPanel,
    style: "inspect/panels/heads/style.css",
  },
  {
    name: "flow",
    load: async () => (await part(import("./panels/flow/panel.js"))).FlowPanel,
    style: "inspect/panels/flow/style.css",
  },
  {
    name: "compare",
    load: async () => (await part(import("./panels/compare/panel.js"))).ComparePanel,
    style: "inspect/panels/compare/style.css",
  },
];

/** Their names, which an address may hold. */
export const PANELS = MANIFEST.map(({ name }) => name);
