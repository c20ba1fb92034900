// @ts-check
// Archives that are damaged, or hold more than they should, are told apart from those that open.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { crc32 } from "../../www/core/crc32.js";
import { isModelFile } from "../../www/models/file_names.js";
import { mostMiB } from "../../www/models/reading.js";
import { filesFromZip } from "../../www/models/zip.js";
import { crcOf, zipOf } from "./zips.mjs";

const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);
const any = () => true;
/** @param {Uint8Array<ArrayBuffer>} bytes */
const file = (bytes) => new File([bytes], "model.zip");
/** @param {Uint8Array<ArrayBuffer>} bytes @param {(name: string) => boolean} [wanted] */
const open = (bytes, wanted = isModelFile) => filesFromZip(file(bytes), wanted);
/** Bytes that do not become smaller by packing. @param {number} length */
function pseudo(length) {
  const bytes = new Uint8Array(length);
  let state = 12345;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

test("a checksum is that of every other program, in pieces of any size", () => {
  assert.equal(crc32(0, encode("123456789")), 0xcbf43926);
  const bytes = pseudo(1000);
  for (let length = 0; length < 40; length += 1)
    assert.equal(crc32(0, bytes.subarray(0, length)), crcOf(bytes.subarray(0, length)));
  for (const piece of [1, 3, 7, 64]) {
    let sum = 0;
    for (let at = 0; at < bytes.length; at += piece) sum = crc32(sum, bytes.subarray(at, at + piece));
    assert.equal(sum, crcOf(bytes));
  }
});

test("stored and deflated files come out as they went in, with their progress", async () => {
  const config = encode("{}".repeat(500));
  const weights = pseudo(5_000_000);
  const zip = zipOf([
    { name: "folder/", bytes: encode("") },
    { name: "folder/config.json", bytes: config, deflate: true },
    { name: "folder/model.safetensors", bytes: weights },
    { name: "folder/tokenizer.json", bytes: encode(""), deflate: true },
  ]);
  /** @type {number[]} */
  const seen = [];
  const files = await filesFromZip(file(zip), isModelFile, { onProgress: (done, total) => seen.push(done / total) });
  assert.deepEqual(
    files.map(({ name, size }) => [name, size]),
    [
      ["config.json", 1000],
      ["model.safetensors", 5_000_000],
      ["tokenizer.json", 0],
    ],
  );
  assert.deepEqual(new Uint8Array(await files[0].arrayBuffer()), config);
  assert.deepEqual(new Uint8Array(await files[1].arrayBuffer()), weights);
  assert.ok(seen.length >= 2 && seen.at(-1) === 1 && seen.every((part, at) => part >= (seen[at - 1] ?? 0)), `${seen}`);
  // As Python's zipfile writes it, with a name of Unicode.
  const python = readFileSync(new URL("../fixtures/training/stored.zip", import.meta.url));
  const stored = await open(new Uint8Array(python), any);
  assert.deepEqual(
    stored.map(({ name, size }) => [name, size]),
    [
      ["config.json", 3],
      ["empty.txt", 0],
      ["modèle.bin", 1280],
    ],
  );
});

test("no flipped bit of an archive passes unnoticed into a model", async () => {
  const files = [
    { name: "config.json", bytes: encode('{ "a": [1, 2, 3, 4, 5, 6, 7, 8] }'), deflate: true },
    { name: "model.safetensors", bytes: pseudo(60) },
  ];
  const zip = zipOf(files);
  const whole = await open(zip);
  const contents = await Promise.all(whole.map((one) => one.text()));
  let noticed = 0;
  for (let bit = 0; bit < 8 * zip.length; bit += 1) {
    const bytes = zip.slice();
    bytes[bit >> 3] ^= 1 << (bit & 7);
    const found = await open(bytes).catch((error) => {
      assert.match(
        error.key,
        /^error\.(badZip|zipDamaged|unknownFiles|tooLarge|zipBomb)$/,
        `bit ${bit}: ${error.stack}`,
      );
      noticed += 1;
      return null;
    });
    // What changes nothing that is read, such as a date, does no harm; neither does a file that lacks.
    for (const one of found ?? []) assert.ok(contents.includes(await one.text()), `bit ${bit}`);
  }
  assert.ok(noticed > 4 * zip.length, `${noticed} of ${8 * zip.length}`);
  const data = zip.slice();
  data[zip.length - 22 - 2 * 46 - "config.jsonmodel.safetensors".length - 1] ^= 1;
  await assert.rejects(open(data), {
    key: "error.zipDamaged",
    params: { name: "model.zip", file: "model.safetensors" },
  });
});

test("what would become much larger than it says, or than a file of its kind, is not unpacked", async () => {
  const zeros = new Uint8Array(40 << 20);
  await assert.rejects(open(zipOf([{ name: "model.safetensors", bytes: zeros, deflate: true }])), {
    key: "error.zipBomb",
  });
  await assert.rejects(open(zipOf([{ name: "a/config.json", bytes: zeros, deflate: true }])), {
    key: "error.tooLarge",
    params: { name: "model.zip/a/config.json", most: mostMiB("config.json") },
  });
  // One that says that it is small, and is not.
  for (const claims of [1000, 0, 2 << 20]) {
    const name = claims > 1000 ? "model.safetensors" : "config.json";
    const packed = { name, bytes: claims > 1000 ? pseudo(claims + 1) : zeros, deflate: true, claims };
    /** @type {number[]} */
    const seen = [];
    await assert.rejects(filesFromZip(file(zipOf([packed])), isModelFile, { onProgress: (done) => seen.push(done) }), {
      key: "error.zipDamaged",
    });
    assert.ok((seen.at(-1) ?? 0) <= claims, "no more is kept than it said");
  }
  // One that says that it is large, and is not.
  const short = zipOf([{ name: "config.json", bytes: encode("{}"), claims: 3 }]);
  await assert.rejects(open(short), { key: "error.zipDamaged" });
});

test("of many entries only those of a model are looked at, and too many of them are refused", async () => {
  const empty = encode("");
  const many = Array.from({ length: 60_000 }, (_, i) => ({ name: `photos/${i}.jpg`, bytes: empty }));
  await assert.rejects(open(zipOf(many)), {
    key: "error.unknownFiles",
    params: { files: "0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg" },
  });
  let reads = 0;
  const zip = file(zipOf([...many, { name: "config.json", bytes: encode("{}") }]));
  const { slice } = zip;
  zip.slice = (...range) => {
    reads += 1;
    return slice.apply(zip, range);
  };
  assert.equal((await filesFromZip(zip, isModelFile)).length, 1);
  assert.ok(reads < 10, `${reads} reads`);
  const models = Array.from({ length: 30_000 }, (_, i) => ({ name: `${i}/config.json`, bytes: empty }));
  await assert.rejects(open(zipOf(models)), { key: "error.zipMany", params: { name: "model.zip", count: 30_000 } });
});

test("unpacking can be cancelled", async () => {
  const control = new AbortController();
  const zip = file(zipOf([{ name: "model.safetensors", bytes: pseudo(2_000_000) }]));
  let seen = 0;
  await assert.rejects(
    filesFromZip(zip, isModelFile, {
      signal: control.signal,
      onProgress: () => {
        seen += 1;
        control.abort();
      },
    }),
    { name: "AbortError" },
  );
  assert.equal(seen, 1);
});

test("what is no archive, or one of another kind, is said to be so", async () => {
  for (const bytes of [encode(""), encode("just some text"), zipOf([]).slice(0, 20)])
    await assert.rejects(open(bytes), { key: "error.badZip" });
  const zip = zipOf([{ name: "config.json", bytes: encode("{}") }]);
  const list = zip.length - 22 - 46 - "config.json".length;
  const locked = zip.slice();
  locked[list + 8] |= 1;
  await assert.rejects(open(locked), { key: "error.badZip" });
});
