// @ts-check
// Twenty calls of a session that fail, spread over it and over what a page reaches: network, storage, locks, worker,
// download. `cargo xtask prove --only faults` fails every one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Session } from "./faults/session.mjs";
import { browser, site } from "./stage.mjs";

/**
 * Realm, kind, which of them, and whether all after it fail too.
 * @type {[string, string, number, "once" | "lasting"][]}
 */
const FAULTS = [
  ["page 1", "idb.open", 1, "lasting"],
  ["page 1", "idb.put kept", 2, "once"],
  ["page 1", "body /www/models/storyteller/model.safetensors", 1, "once"],
  ["page 1", "net /www/worker.js", 1, "once"],
  ["page 1", "net /www/train/view.js", 1, "once"],
  ["page 1", "send generate", 1, "once"],
  ["page 1", "arrives event generate", 3, "once"],
  ["worker 1", "locks.request worker", 1, "lasting"],
  ["worker 1", "send value open", 1, "once"],
  ["worker 2", "arrives finish", 1, "once"],
  ["worker 3", "locks.request run", 1, "lasting"],
  ["worker 3", "opfs.write", 2, "lasting"],
  ["worker 3", "opfs.flush", 3, "once"],
  ["page 1", "send pause", 1, "once"],
  ["page 2", "idb.getAll kept", 1, "once"],
  ["page 2", "opfs.root", 1, "once"],
  ["page 2", "net /www/pkg-train/gpt_playground_bg.wasm", 1, "once"],
  ["worker 4", "blob.read", 3, "once"],
  ["worker 4", "send value train", 1, "once"],
  ["page 2", "objectUrl", 1, "once"],
];

// A session waits most of the time.
describe("a call that fails", { concurrency: 2 }, () => {
  for (const [realm, kind, nth, mode] of FAULTS) {
    test(`${kind}, ${nth} in ${realm}, fails ${mode === "once" ? "once" : "for good"}`, async () => {
      const fault = { realm, kind, nth, lasting: mode === "lasting" };
      const { findings, fired } = await new Session(browser, site.url, fault).run();
      assert.ok(fired);
      assert.deepEqual(findings, []);
    });
  }
});
