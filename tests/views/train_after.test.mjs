// @ts-check
// What stands beside the downloads of a tuned model.
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerStrings } from "../../www/core/i18n/index.js";
import { TrainAfter } from "../../www/train/after_view.js";
import { initialRunState } from "../../www/train/run_facts.js";
import { trainEn } from "../../www/train/words.en.js";
import { trainZh } from "../../www/train/words.zh.js";
import { fake, fakeDocument } from "./fake_dom.mjs";

test("a download that opens here only is told from one that others load", () => {
  fakeDocument();
  registerStrings(trainEn, trainZh);
  const training = /** @type {any} */ ({
    comparison: { texts: null, busy: false },
    state: { ...initialRunState({ keeps: true }), phase: "stopped", step: 3, sample: { prompt: "Once" } },
    origin: { kind: "scratch" },
    plan: { text: "" },
  });
  const after = new TrainAfter(() => training);
  const hint = fake(after.native);
  for (const [native, key] of [
    ["tokenizer", "train.native"],
    ["", ""],
    ["config", "train.native.config"],
  ]) {
    after.update(training, /** @type {any} */ ({ info: { trained: "full", native } }));
    assert.equal(after.root.hidden, false);
    assert.equal(hint.hidden, key === "");
    assert.equal(hint.textContent, key && /** @type {Record<string, string>} */ (trainEn)[key]);
  }
});
