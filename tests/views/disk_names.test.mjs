// @ts-check
// What a model from the user's disk is called.
import assert from "node:assert/strict";
import { test } from "node:test";
import { folderName, nameAmong } from "../../www/models/disk_names.js";

test("a folder's name is the model's; of the hub's cache, the repository", () => {
  assert.equal(folderName("tiny"), "tiny");
  assert.equal(folderName("out/tiny"), "tiny");
  const cache = "hub/models--openai-community--gpt2/snapshots/607a30d783dfa663caf39e06633721c8d4cfcd7e";
  assert.equal(folderName(cache), "openai-community/gpt2");
  assert.equal(folderName(""), "");
});

test("a name that says something, from the folder, the configuration or the file", () => {
  const weights = "model.safetensors";
  assert.equal(nameAmong({ folder: "tiny", config: '{"_name_or_path": "gpt2"}', weights }), "tiny");
  assert.equal(nameAmong({ config: '{"_name_or_path": "./out/me/tiny/"}', weights }), "tiny");
  assert.equal(nameAmong({ config: '{"_name_or_path": "C:\\\\models\\\\tiny"}', weights }), "tiny");
  assert.equal(nameAmong({ config: '{"_name_or_path": 7}', weights: "tales.safetensors" }), "tales");
  for (const general of [weights, "Model.safetensors", "pytorch_model.safetensors", "model-00001-of-00002.safetensors"])
    assert.equal(nameAmong({ config: "{", weights: general }), "");
});
