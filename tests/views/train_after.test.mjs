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

test("texts beside the base model tell when the adapters' strength is another now", () => {
  fakeDocument();
  registerStrings(trainEn, trainZh);
  const texts = { prompt: "Once", base: " a", tuned: " b", busy: false, strength: 1 };
  const training = /** @type {any} */ ({
    comparison: { texts, busy: false },
    state: { ...initialRunState({ keeps: true }), phase: "stopped", step: 3, strength: 1 },
    origin: { kind: "shipped" },
    plan: { text: "" },
  });
  const after = new TrainAfter(() => training);
  const info = /** @type {any} */ ({ info: { trained: "lora", native: "" } });
  after.update(training, info);
  assert.ok(after.strengthSaid.hidden);
  training.state = { ...training.state, strength: 0.5 };
  after.update(training, info);
  assert.ok(!after.strengthSaid.hidden);
  assert.match(fake(after.strengthSaid).textContent, /strength 1\.00\. It is 0\.50 now/);
});

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
