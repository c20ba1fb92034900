// @ts-check
// The curve's library is loaded when it is first drawn: without it the run goes on, and its values are in the table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, ready } from "./browser.mjs";
import { browser, site } from "./stage.mjs";
import { says, start } from "./training.mjs";

for (const [what, answer] of /** @type {const} */ ([
  ["does not come", null],
  ["does not work here", "throw new RangeError('invalid language tag'); export default 1; const later = 2;"],
])) {
  test(`a library for curves that ${what}`, async () => {
    const { page, problems, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
    const instead = { body: answer ?? "", contentType: "text/javascript" };
    await page
      .context()
      .route("**/vendor/uPlot.esm.js", (route) => (answer === null ? route.abort() : route.fulfill(instead)));
    await ready(page);
    await start(page, "From scratch", { steps: 3, eval_every: 0 });
    await page.getByText("The part of the page that draws the curve could not be loaded.").waitFor();
    await says(page, 3);
    assert.equal(await page.locator(".chart-table tbody tr").count(), 3);
    assert.equal(await page.locator(".message[data-kind=error]:visible").count(), 0);
    assert.match(problems.splice(0).join(), /partNotLoaded/, "developers hear of it");
    await close();
  });
}

test("the legend shows the lines' colours, and no empty boxes", async () => {
  const { page, close } = await openPage(browser, `${site.url}?backend=cpu#lang=en`);
  await ready(page);
  await start(page, "From scratch", { steps: 3, eval_every: 1 });
  await says(page, 3);
  await page.locator(".u-legend .u-series").nth(2).waitFor();
  const marks = await page.locator(".u-legend .u-marker:visible").evaluateAll((all) =>
    all.map((mark) => {
      const { backgroundColor, borderTopWidth } = getComputedStyle(mark);
      return { backgroundColor, borderTopWidth };
    }),
  );
  assert.deepEqual(
    marks.map(({ borderTopWidth }) => borderTopWidth),
    ["0px", "0px"],
  );
  const colours = new Set(marks.map(({ backgroundColor }) => backgroundColor));
  assert.equal(colours.size, 2);
  assert.ok(!colours.has("rgba(0, 0, 0, 0)"), "hollow");
  await close();
});
