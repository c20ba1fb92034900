// @ts-check
// node tests/page/faults/all.mjs [PART/PARTS] [TEXT]: every call of the session fails, once and for good, and a table
// tells what came of it. `TEXT`
// chooses among the kinds. Of the calls of one kind in one realm the first ones and one later stand for the rest.
import { launch } from "../browser.mjs";
import { serve } from "../server.mjs";
import { Session } from "./session.mjs";

/** @typedef {import("./injector.mjs").Call} Call */

/** The calls of one kind in one realm that are failed. */
const NTH = [1, 2, 3, 12];
/** Sessions at once. */
const BESIDE = 2;

const [share = "1/1", chosen = ""] = process.argv.slice(2);
const [part, parts] = share.split("/").map(Number);
const site = await serve();
const browser = await launch();
let failed = 0;
try {
  const { calls, findings } = await new Session(browser, site.url, null).run();
  if (findings.length) throw new Error(`without any fault: ${findings.join("; ")}`);
  const faults = calls
    // What is looked at in the end is not part of the session.
    .filter(
      ({ realm, kind, nth }) =>
        realm !== "page 3" && realm !== "worker 5" && NTH.includes(nth) && kind.includes(chosen),
    )
    .flatMap((call) => [false, true].map((lasting) => ({ ...call, lasting })))
    .filter((_, at) => at % parts === part - 1);
  console.error(`${faults.length} faults`);
  let done = 0;
  await Promise.all(
    Array.from({ length: BESIDE }, async () => {
      for (let fault = faults.shift(); fault; fault = faults.shift()) {
        const { realm, kind, nth, lasting } = fault;
        const { findings: found, fired, said } = await new Session(browser, site.url, fault).run();
        done += 1;
        // A call that depends on how quick the machine is need not come each time.
        const wrong = fired ? found : [];
        failed += Number(wrong.length > 0);
        console.log(
          [wrong.length ? "FAILED" : fired ? "ok" : "never came", realm, kind, nth, lasting ? "lasting" : "once"].join(
            "\t",
          ),
        );
        for (const one of wrong) console.log(`\t${one}`);
        if (process.env.SAID) for (const one of said) console.log(`\t\tsaid: ${one}`);
      }
    }),
  );
  console.log(`${done - failed} of ${done} faults ended well.`);
} finally {
  await browser.close();
  await site.stop();
}
process.exitCode = failed ? 1 : 0;
