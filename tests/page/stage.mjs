// @ts-check
// What a page test needs around it: importing this starts one browser and one server for the file's tests, and stops
// them after.
import { after, before } from "node:test";
import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

/** @type {import("playwright-core").Browser} */
export let browser;
/** @type {Awaited<ReturnType<typeof serve>>} */
export let site;
before(async () => {
  // One after the other: what was started is stopped when the other cannot be, or the file would never end.
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.stop();
});
