// @ts-check
// Where a session takes place: a browser's context with the injector in every realm, and the network in between.
import { inject, MARK, MOST_OF_KIND } from "./injector.mjs";

/** @typedef {import("./injector.mjs").Call} Call */
/** @typedef {import("./injector.mjs").Fault} Fault */
/** @typedef {import("playwright-core").Page} Page */

/** The numbered realms of one session, its network, and the fault in it. */
export class Stage {
  /** @param {import("playwright-core").BrowserContext} context @param {Fault | null} fault */
  constructor(context, fault) {
    this.context = context;
    this.fault = fault;
    this.fired = false;
    /** @type {Call[]} */
    this.calls = [];
    this.pages = 0;
    this.workers = 0;
    /** What was asked of the network, by address. @type {Map<string, number>} */
    this.requests = new Map();
    /** Whether the page's own first modules are there: without them there is no page. */
    this.loaded = false;
  }

  async prepare() {
    const { context } = this;
    await context.exposeBinding("reportFault", (_, told) => {
      if (told.fired) this.fired = true;
      else this.calls.push(told);
    });
    await context.addInitScript(`(${inject})(${JSON.stringify(MARK)}, ${MOST_OF_KIND})`);
    await context.route("**/*", (route) => this.request(route));
  }

  /** @param {string} realm */
  plan(realm) {
    return { realm, fault: this.fault, fired: this.fired };
  }

  /** @param {Page} page @param {() => Promise<unknown>} go loads the page, the first time or anew */
  async load(page, go) {
    this.loaded = false;
    this.pages += 1;
    this.requests.clear();
    await page.addInitScript((plan) => Object.assign(globalThis, { faultPlan: plan }), this.plan(`page ${this.pages}`));
    await go();
  }

  /** @param {import("playwright-core").Route} route */
  async request(route) {
    const url = new URL(route.request().url());
    if (url.pathname.endsWith("/models/index.json")) this.loaded = true;
    if (this.loaded) {
      const kind = `net ${url.pathname}`;
      const nth = (this.requests.get(kind) ?? 0) + 1;
      this.requests.set(kind, nth);
      const call = { realm: `page ${this.pages}`, kind, nth };
      this.calls.push(call);
      const { fault } = this;
      if (fault?.kind === kind && (this.fired ? fault.lasting : fault.realm === call.realm && fault.nth === nth)) {
        this.fired = true;
        return route.abort("failed").catch(() => {});
      }
    }
    if (!url.pathname.endsWith("/www/worker.js")) return route.continue().catch(() => {});
    const response = await route.fetch();
    const plan = JSON.stringify(this.plan(`worker ${++this.workers}`));
    const body = `globalThis.faultPlan = ${plan}; (${inject})(${JSON.stringify(MARK)}, ${MOST_OF_KIND});\n${await response.text()}`;
    await route.fulfill({ response, body }).catch(() => {});
  }

  /** The fault is over. */
  mend() {
    this.fault = null;
  }
}
