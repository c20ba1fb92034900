// @ts-check
// A session as a person has it: write, train, save, reload, go on, export. One call in it may fail, once or from then
// on; what the page
// must do all the same is checked while the fault lasts and after it has gone.
import { button, paper } from "../browser.mjs";
import { TEXT } from "../training.mjs";
import { MARK } from "./injector.mjs";
import { Stage } from "./stage.mjs";
import { rawWords } from "./words.mjs";

/** @typedef {import("./injector.mjs").Call} Call */
/** @typedef {import("./injector.mjs").Fault} Fault */
/** @typedef {import("playwright-core").Page} Page */

/**
 * Nothing that the session asks for takes longer, also on a slow machine, unless the page waits for what does not come.
 */
const OUTCOME_MS = 40_000;
const OPENING = "The keeper counts the waves";
const EDIT = " and writes";

/**
 * The messages that are seen, and which of them tell of an error.
 * @param {Page} page
 * @returns {Promise<{ text: string, error: boolean }[]>}
 */
const messages = (page) =>
  page.evaluate(() =>
    [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".message, [role=alert], .train-memory.bad"))]
      .filter((one) => one.checkVisibility() && one.innerText.trim())
      .map((one) => {
        // The browser's words stand apart, folded, under a name that says so.
        return {
          text: one.innerText.replace(/\s+/g, " ").trim(),
          error: one.dataset.kind === "error" || one.getAttribute("role") === "alert" || one.classList.contains("bad"),
        };
      }),
  );

/** One session and what is found wrong in it. */
export class Session {
  /** @param {import("playwright-core").Browser} browser @param {string} url of the page @param {Fault | null} fault */
  constructor(browser, url, fault) {
    this.browser = browser;
    this.url = url;
    this.lasting = fault?.lasting ?? false;
    this.fault = fault;
    /** @type {string[]} */
    this.findings = [];
    /** What the page said. @type {Set<string>} */
    this.said = new Set();
    /** What was said before the step that is being made. @type {Set<string>} */
    this.before = new Set();
    /** The text as the user left it. */
    this.text = "";
    /** Steps that the page said were saved, the newest last. @type {number[]} */
    this.saved = [];
    this.doing = "";
    // Both come with `run`.
    this.page = /** @type {Page} */ (/** @type {unknown} */ (null));
    this.stage = /** @type {Stage} */ (/** @type {unknown} */ (null));
  }

  /** @returns {Promise<{ calls: Call[], fired: boolean, findings: string[], said: string[] }>} */
  async run() {
    const { browser } = this;
    const context = await browser.newContext({
      viewport: { width: 900, height: 800 },
      locale: "en-US",
      acceptDownloads: true,
    });
    const stage = (this.stage = new Stage(context, this.fault));
    await stage.prepare();
    const page = (this.page = await context.newPage());
    page.setDefaultTimeout(OUTCOME_MS);
    page.on("console", (message) => {
      const text = message.text();
      // The browser itself tells of requests that failed; what else is told must name the fault.
      if (message.type() === "error" && !text.startsWith("Failed to load resource") && !text.includes(MARK))
        this.found(`console: ${text.slice(0, 200)}`);
    });
    page.on("pageerror", (error) => this.found(`not caught: ${error.message}`));
    // Leaving must not wait for an answer.
    page.on("dialog", (dialog) => void dialog.accept().catch(() => {}));
    try {
      await this.work();
      await this.usable();
      await this.afterwards();
    } catch (error) {
      this.found(`while it ${this.doing}: ${/** @type {Error} */ (error).message.split("\n")[0]}`);
    } finally {
      await context.close();
    }
    if (this.fault && !stage.fired) this.found("the fault never came");
    return { calls: stage.calls, fired: stage.fired, findings: this.findings, said: [...this.said] };
  }

  /** @param {string} what */
  found(what) {
    if (!this.findings.includes(what)) this.findings.push(what);
  }

  /** Notes what the page says. */
  async hear() {
    const all = await messages(this.page);
    for (const { text } of all) {
      this.said.add(text);
      const raw = rawWords(text);
      if (raw) this.found(`raw words "${raw}" in: ${text}`);
    }
    return all;
  }

  /**
   * What comes of something: it is there, or an error is told that was not before, or neither.
   * @param {() => Promise<boolean>} done
   * @returns {Promise<"done" | "told" | "silent">}
   */
  async outcome(done) {
    for (const until = Date.now() + OUTCOME_MS; Date.now() < until; await this.page.waitForTimeout(50)) {
      if (await done().catch(() => false)) return "done";
      const all = await this.hear();
      if (all.some(({ text, error }) => error && !this.before.has(text)) && !(await this.busy()))
        return (await done().catch(() => false)) ? "done" : "told";
    }
    return (await this.hear()).some(({ error }) => error) ? "told" : "silent";
  }

  /** Whether the page is at something: loading, or writing. */
  busy() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(".progress, .primary.busy")].some((one) => one.checkVisibility()),
    );
  }

  /**
   * One step of the session. Where it fails with a word, it is tried again: by what the message offers, by hand, and in
   * a page opened anew.
   * @param {string} name @param {() => Promise<unknown>} act @param {() => Promise<boolean>} done
   * @returns {Promise<boolean>}
   */
  async step(name, act, done) {
    this.doing = name;
    for (const again of ["", "offer", "hand", "reload", "hand"]) {
      this.before = new Set((await this.hear()).filter(() => again === "").map(({ text }) => text));
      if (again === "reload") {
        await this.reload();
        continue;
      }
      const offered = this.page.locator(".message[data-kind=error]:visible .message-actions button", {
        hasText: /^(Try again|Resume|Use the CPU)$/,
      });
      if (again === "offer" && !(await offered.count())) continue;
      if (again === "offer") await offered.first().click();
      else await act();
      const outcome = await this.outcome(done);
      if (outcome === "done") return true;
      if (outcome === "silent") {
        this.found(`${name}: nothing comes of it, and nothing is said`);
        return false;
      }
      if (this.lasting && again === "offer") return false;
    }
    if (!this.lasting) this.found(`${name}: does not work again`);
    return false;
  }

  async reload() {
    const { page } = this;
    await this.stage.load(page, () => page.reload());
  }

  /** Shows a tab. @param {string} name */
  tab(name) {
    return this.page.locator("#header").getByRole("button", { name }).first().click();
  }

  value() {
    return this.page.locator(".paper-area").inputValue({ timeout: 5000 });
  }

  /** Whether the model can write. */
  isReady() {
    return this.page
      .locator(".primary:not(.busy):not([disabled])")
      .count()
      .then((count) => count > 0);
  }

  /** How far the run is; -1 without one. */
  async trainedStep() {
    const figures = await this.page.locator(".train-figures dd").allInnerTexts();
    return Number(/^[\d,]+/.exec(figures[0] ?? "")?.[0].replaceAll(",", "") ?? -1);
  }

  /** The step that the page says is saved; -1 for none. Notes every one that it said, however short it stood there. */
  async savedStep() {
    const said = await this.page.evaluate(() => {
      const figures = () =>
        [...document.querySelectorAll(".train-figures dd")]
          .map((one) => Number(/^step ([\d,]+)$/.exec(one.textContent ?? "")?.[1].replaceAll(",", "") ?? -1))
          .find((step) => step >= 0) ?? -1;
      const page = /** @type {Window & { said?: number[] }} */ (window);
      if (!page.said) {
        /** @type {number[]} */
        const all = [];
        page.said = all;
        const note = () => figures() !== all.at(-1) && all.push(figures());
        new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
      }
      return [...page.said, figures()];
    });
    for (const step of said) if (step > (this.saved.at(-1) ?? -1)) this.saved.push(step);
    return said.at(-1) ?? -1;
  }

  /** Lets the model go on, and keeps in mind what stands there then. @param {string} name */
  async write(name) {
    const before = await this.value();
    const done = async () => (await this.isReady()) && (await this.value()).length > before.length;
    await this.step(
      name,
      async () => {
        if (await this.isReady()) await button(this.page, /^(Generate|Continue)/).click();
      },
      done,
    );
    this.text = await this.value();
  }

  /**
   * Trains until a few steps more, then pauses, which saves.
   * @param {string} name
   * @param {() => Promise<unknown>} start
   */
  async train(name, start) {
    const { page } = this;
    const from = Math.max(0, await this.trainedStep());
    await this.savedStep();
    const goesOn = await this.step(name, start, async () => (await this.trainedStep()) >= from + 2);
    if (!goesOn) return false;
    return this.step(
      `${name}, pause`,
      async () => {
        const pause = page.locator(".train-actions .secondary", { hasText: /^Pause/ });
        if (await pause.count()) await pause.click().catch(() => {});
      },
      async () => (await button(page, "Resume").count()) > 0 && (await this.savedStep()) === (await this.trainedStep()),
    );
  }

  /** The session itself. */
  async work() {
    const { page, stage } = this;
    this.doing = "open";
    await stage.load(page, () => page.goto(`${this.url}?backend=cpu#lang=en&n=6&t=0&end=0`));
    await this.step(
      "open",
      async () => {},
      () => this.isReady(),
    );
    await paper(page).fill(OPENING);
    this.text = OPENING;
    await this.write("write");
    this.doing = "edit";
    await paper(page).press("End");
    await paper(page).pressSequentially(EDIT);
    this.text = await this.value();
    if (!this.text.endsWith(EDIT)) this.found("what is typed does not stand there");

    const onTrain = await this.step(
      "Train tab",
      () => this.tab("Train"),
      () => page.locator("#train-text").isVisible(),
    );
    if (onTrain && (await this.train("train", () => this.startRun()))) await this.savedStep();
    this.doing = "reload";
    await this.reload();
    await this.step(
      "open again",
      async () => {},
      async () => await this.isReadyOnAnyTab(),
    );
    await this.checkText();
    if (this.saved.length) {
      await this.train("go on", () => this.goOn());
      await this.step(
        "export",
        () => this.download(),
        async () => this.downloaded,
      );
    }
    await this.tab("Write");
  }

  async startRun() {
    const { page } = this;
    await page.getByText("From scratch", { exact: true }).first().click();
    await page.locator("#train-text").fill(TEXT);
    await page.locator(".train-left details.train-settings").evaluate((details) => details.setAttribute("open", ""));
    for (const [name, value] of Object.entries({ steps: 90_000, batch_size: 1, context: 16, eval_every: 0 })) {
      await page.locator(`#train-${name}`).fill(String(value));
      await page.locator(`#train-${name}`).press("Tab");
    }
    const planned = async () =>
      (await page.locator(".train-memory", { hasText: "90,000 step" }).count()) > 0 &&
      (await page.locator(".train-go:not([disabled])").count()) > 0;
    if ((await this.outcome(planned)) === "done") await page.locator(".train-go").click();
  }

  /** The run is open, or is offered. */
  async goOn() {
    const { page } = this;
    await this.tab("Train");
    const resume = page.getByRole("button", { name: /^Resume/ });
    if (
      (await this.outcome(async () => (await resume.first().isVisible()) && (await resume.first().isEnabled()))) ===
      "done"
    )
      await resume.first().click();
  }

  downloaded = false;

  async download() {
    const { page } = this;
    page.once("download", () => (this.downloaded = true));
    const all = page.locator(".train-done .secondary", { hasText: "Download model" });
    if (await all.isVisible()) await all.click();
  }

  isReadyOnAnyTab() {
    return this.page.evaluate(() => {
      const main = /** @type {HTMLButtonElement | null} */ (document.querySelector(".primary"));
      return Boolean(main && !main.disabled && !main.classList.contains("busy"));
    });
  }

  /** Whether the page says that texts are not kept, or could not be read. */
  get textTold() {
    return [...this.said].some((text) =>
      /not (being )?(kept|saved)|cannot be kept|could not be (read|kept)/i.test(text),
    );
  }

  async checkText() {
    const there = await this.value().catch(() => "");
    if (there === this.text || this.textTold) return;
    this.found(
      `the text is gone: ${JSON.stringify(there.slice(0, 60))} stands there, not ${JSON.stringify(this.text.slice(0, 60))}`,
    );
  }

  /** The page answers, whatever failed. */
  async usable() {
    const { page } = this;
    this.doing = "goes through its tabs";
    for (const name of ["Models", "Write"]) {
      await this.tab(name);
      await page.locator(`#tab-${name.toLowerCase()}`).waitFor({ state: "visible", timeout: 5000 });
      await this.hear();
    }
    this.doing = "types";
    await paper(page).press("End");
    await paper(page).pressSequentially(".");
    this.text = await this.value();
    if (!this.text.endsWith(".")) this.found("what is typed does not stand there");
    if ((await this.outcome(async () => !(await this.busy()))) === "silent") this.found("busy for ever");
  }

  /** With the fault gone: what was there is there. */
  async afterwards() {
    const { page, stage } = this;
    stage.mend();
    this.lasting = false;
    const told = this.textTold;
    await this.reload();
    this.doing = "opens after all";
    await this.step(
      "open after all",
      async () => {},
      () => this.isReadyOnAnyTab(),
    );
    if (!told) await this.checkText();
    const newest = this.saved.at(-1);
    if (newest !== undefined) {
      this.doing = "looks for the run";
      await this.tab("Train");
      await this.step(
        "the saved run opens",
        async () => {
          const offered = page.locator("#tab-train .message:visible button", { hasText: /^Resume/ }).first();
          // The address names it, or it is offered.
          await this.outcome(async () => (await this.trainedStep()) >= 0 || (await offered.isVisible()));
          if ((await this.trainedStep()) < 0) await offered.click();
        },
        async () => (await this.trainedStep()) >= 0,
      );
      const step = await this.trainedStep();
      const least = this.saved.at(-2) ?? newest;
      if (step < least) this.found(`step ${step} opens, though ${this.saved} were said to be saved`);
      await page
        .locator(".train-actions .secondary", { hasText: /^Pause/ })
        .click({ timeout: 1 })
        .catch(() => {});
    }
    await this.tab("Write");
    await paper(page).fill("The keeper ");
    await this.write("write after all");
  }
}
