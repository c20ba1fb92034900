// @ts-check
// The newcomer's path in the three engines. `cargo xtask test --only engines` names the programs; here they are looked
// for.
import { after, before, test } from "node:test";
import { serve } from "../page/server.mjs";
import { newcomer } from "./newcomer.mjs";
import { drive } from "./puppeteer.mjs";
import { drive as driveWebKit } from "./webkit.mjs";

const { CHROME = "/usr/bin/chromium", FIREFOX = "/usr/bin/firefox-esr" } = process.env;
const { WEBKIT_DRIVER = "/usr/bin/WebKitWebDriver", XVFB = "/usr/bin/Xvfb" } = process.env;

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
before(async () => {
  site = await serve();
});
after(() => site?.stop());

for (const [engine, start] of /** @type {const} */ ([
  ["Chromium", () => drive("chrome", CHROME)],
  ["Firefox", () => drive("firefox", FIREFOX)],
  ["WebKitGTK", () => driveWebKit(WEBKIT_DRIVER, XVFB)],
])) {
  test(`a newcomer's way, in ${engine}`, async () => {
    const driver = await start();
    try {
      await newcomer(driver, site.url);
      console.log(driver.name);
    } finally {
      await driver.close();
    }
  });
}
