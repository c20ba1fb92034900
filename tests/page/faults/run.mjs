// @ts-check
// node tests/page/faults/run.mjs [REALM KIND NTH once|lasting]: one session with one fault, or without: what it calls.
import { launch } from "../browser.mjs";
import { serve } from "../server.mjs";
import { Session } from "./session.mjs";

const [realm, kind, nth, mode] = process.argv.slice(2);
const fault = realm ? { realm, kind, nth: Number(nth), lasting: mode === "lasting" } : null;
const site = await serve();
const browser = await launch();
try {
  const { calls, ...found } = await new Session(browser, site.url, fault).run();
  if (!fault) {
    /** @type {Map<string, number>} */
    const most = new Map();
    for (const call of calls) most.set(`${call.realm}: ${call.kind}`, call.nth);
    for (const [name, count] of most) console.log(`${name} × ${count}`);
  }
  console.log(found);
} finally {
  await browser.close();
  await site.stop();
}
