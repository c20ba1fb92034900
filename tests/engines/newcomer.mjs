// @ts-check
// What someone does who has come for the first time, written for any browser that can be driven.
import assert from "node:assert/strict";

/**
 * A browser with the page in it.
 * @typedef {object} Driver
 * @property {string} name with its version
 * @property {boolean} keeps whether the browser keeps files for a page, as it comes and where it is driven
 * @property {(url: string) => Promise<void>} open
 * @property {() => Promise<void>} reload
 * @property {(source: string) => Promise<any>} evaluate an expression in the page; its value must be plain
 * @property {(selector: string, text: string) => Promise<void>} type as by keys, where the cursor is
 * @property {() => Promise<string[]>} problems errors that the page wrote to the console, or did not catch
 * @property {() => Promise<void>} close
 */

const WAIT_MS = 90_000;
const LOOK_EVERY_MS = 50;
/** 3 kB to learn from. */
const TEXT = "The lighthouse keeper Mira counts the waves at night and writes their numbers in a red book. ".repeat(32);
const STEPS = 4;

/** @param {Driver} driver @param {string} what @param {string} source an expression that is true then */
async function until(driver, what, source) {
  for (const end = Date.now() + WAIT_MS; ; ) {
    if (await driver.evaluate(`Boolean(${source})`)) break;
    if (Date.now() > end || (await driver.evaluate(ALERTS))) {
      const shown = await driver.evaluate(SHOWN);
      throw new Error(`${driver.name}: ${what} did not come.\n${shown}\n${(await driver.problems()).join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  assert.deepEqual(await driver.problems(), [], what);
}

/** What stands on the page, with what is folded in its messages. */
const SHOWN = `document.body.innerText + [...document.querySelectorAll(".message-raw p")].map((p) => p.textContent)`;
/** How many errors the page tells of. */
const ALERTS = `document.querySelectorAll("[role=alert]:not([hidden])").length`;
const READY = `document.querySelector(".primary:not(.busy):not([disabled])")`;
const WRITTEN = `document.querySelectorAll(".paper-layer .ink-model").length`;
const TEXT_NOW = `document.querySelector(".paper-area").value`;
/** Whether a canvas of the inspector has more than one colour on it. */
const DRAWN = `[...document.querySelectorAll("#inspect-panel canvas")].some((canvas) => {
  if (!canvas.width || !canvas.height) return false;
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size > 8;
})`;

/**
 * Presses what lies at the middle of an element, which must be the element. Both in one turn of the page: between
 * looking and
 * pressing from outside, a text that grows may move what is below it.
 * @param {Driver} driver @param {string} selector
 */
const press = (driver, selector) =>
  driver.evaluate(`(() => {
  const wanted = document.querySelector(${JSON.stringify(selector)});
  wanted.scrollIntoView({ block: "nearest" });
  const { left, top, width, height } = wanted.getBoundingClientRect();
  const there = document.elementFromPoint(left + width / 2, top + height / 2);
  if (!wanted.contains(there)) throw new Error(wanted.outerHTML + " is behind " + there?.outerHTML);
  wanted.focus();
  wanted.click();
})()`);

/** @param {Driver} driver @param {string} url of the page */
export async function newcomer(driver, url) {
  const tab = (/** @type {number} */ at) => press(driver, `nav button:nth-child(${at})`);
  await driver.open(`${url}#lang=en&n=5000&end=0`);
  await until(driver, "the model", READY);
  assert.equal(await driver.evaluate(TEXT_NOW), "Once upon a time");

  // It writes, and is stopped.
  await press(driver, ".primary");
  await until(driver, "a text", `${WRITTEN} > 8`);
  await press(driver, ".primary.busy");
  await until(driver, "the end of writing", READY);
  const written = await driver.evaluate(TEXT_NOW);
  assert.match(written, /^Once upon a time.{8}/s);
  assert.ok((await driver.evaluate(WRITTEN)) < 5000, "it was stopped, and not done");

  // The text goes on by hand.
  await driver.evaluate(`(() => {
    const area = document.querySelector(".paper-area");
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  })()`);
  await driver.type(".paper-area", " The end");
  const text = `${written} The end`;
  assert.equal(await driver.evaluate(TEXT_NOW), text);
  await until(driver, "colours", `document.querySelector(".paper-layer .tint")`);

  // A window this wide has the inspector open.
  await press(driver, "[role=tab][id$=attention]");
  await until(driver, "a picture of attention", DRAWN);

  // The model learns a text, which is saved.
  await tab(2);
  await until(driver, "the Train tab", `document.querySelector("#train-text")`);
  await driver.evaluate(`(() => {
    document.querySelector("#train-text").focus();
    document.execCommand("insertText", false, ${JSON.stringify(TEXT)});
    document.querySelector(".train-left details.train-settings").setAttribute("open", "");
  })()`);
  await driver.evaluate(`(() => {
    const field = document.querySelector("#train-steps");
    field.value = "${STEPS}";
    field.dispatchEvent(new Event("change"));
  })()`);
  await until(driver, "the plan", `document.querySelector(".train-memory").innerText.startsWith("${STEPS} steps")`);
  await until(driver, "the Train button", `document.querySelector(".train-go:not([disabled])")`);
  await press(driver, ".train-go");
  const { keeps } = driver;
  assert.equal(
    await driver.evaluate(`document.querySelector(".train-not-kept").hidden`),
    keeps,
    "what cannot be kept is told of",
  );
  await until(
    driver,
    "the last step",
    `document.querySelector(".train-after:not([hidden])")
    && document.querySelector(".train-go:not([disabled])")`,
  );
  const saved = `[...document.querySelectorAll(".train-figures dd")].at(-1).innerText`;
  if (keeps) await until(driver, "the last step, saved", `${saved} === "step ${STEPS}"`);
  else assert.equal(await driver.evaluate(saved), "–");
  await until(driver, "the curve", `document.querySelector(".train-curve canvas")`);

  // It is all there again after a reload.
  await driver.reload();
  await until(driver, "the model again", `${READY} || document.querySelector(".train-after")`);
  assert.equal(await driver.evaluate(TEXT_NOW), text);
  await tab(3);
  await until(driver, "the model in use", `document.querySelector(".in-use")`);
  if (keeps) {
    await until(driver, "the saved run, in use", `document.querySelector(".saved li .in-use")`);
    assert.match(
      await driver.evaluate(`document.querySelector(".saved").innerText`),
      new RegExp(`step ${STEPS} of ${STEPS}`),
    );
  } else assert.equal(await driver.evaluate(`document.querySelectorAll(".saved li").length`), 0);
}
