// @ts-check
// A model's files on their way to the engine: how much of them is read, and what is asked before the weights.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "../../www/engine/client.js";
import { withHead } from "../../www/engine/head.js";
import { fileSource } from "../../www/models/files.js";
import { urlSource } from "../../www/models/network.js";
import { parts, readSmall } from "../../www/models/reading.js";
import { said } from "./engine_error.mjs";

/** A stream without an end, of which each part is a MiB. */
function endless() {
  const told = { parts: 0, ended: false };
  const stream = new ReadableStream(
    {
      pull(control) {
        told.parts += 1;
        control.enqueue(new Uint8Array(1 << 20));
      },
      cancel() {
        told.ended = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { told, stream };
}

/** @param {Record<string, (() => Response) | undefined>} served by the last part of the address */
function serve(served) {
  globalThis.fetch = async (url) =>
    served[String(url).split("/").at(-1) ?? ""]?.() ?? new Response(null, { status: 404 });
}
const signal = new AbortController().signal;

test("a file from a server is read up to the limit of its kind, and no further", async () => {
  for (const [name, most] of /** @type {[string, number][]} */ ([
    ["config.json", 16],
    ["tokenizer.json", 64],
    ["vocab.json", 64],
    ["merges.txt", 64],
  ])) {
    const { told, stream } = endless();
    const small = () => new Response("{}");
    const others =
      name === "config.json"
        ? {}
        : name === "merges.txt"
          ? { "config.json": small, "vocab.json": small }
          : { "config.json": small };
    serve({ ...others, [name]: () => new Response(stream) });
    const url = `https://example.org/model/${name}`;
    await assert.rejects(urlSource("https://example.org/model/").open(signal), {
      key: "error.tooLarge",
      params: { name: url, most },
    });
    // Small parts are joined to larger ones before they are counted.
    assert.ok(told.parts <= most + 4 && told.ended, `${name}: ${told.parts} MiB, ended: ${told.ended}`);
  }
  const { told, stream } = endless();
  serve({
    "config.json": () => new Response("{}"),
    "tokenizer.json": () => new Response("{}"),
    "model.safetensors.index.json": () => new Response(stream),
  });
  await assert.rejects(urlSource("https://example.org/model/").open(signal), { key: "error.tooLarge" });
  assert.ok(told.ended);
});

test("a file from disk likewise, and one that cannot be read is named", async () => {
  const { told, stream } = endless();
  const config = Object.assign(new File(["{}"], "config.json"), { stream: () => stream });
  const weights = new File([new Uint8Array(9)], "model.safetensors");
  const tokenizer = new File(["{}"], "tokenizer.json");
  await assert.rejects(fileSource({ config, tokenizer, weights }).open(signal), {
    key: "error.tooLarge",
    params: { name: "config.json", most: 16 },
  });
  assert.ok(told.ended);
  const gone = Object.assign(new File(["{}"], "tokenizer.json"), {
    stream: () => {
      throw new DOMException("gone", "NotFoundError");
    },
  });
  await assert.rejects(readSmall(gone), { key: "error.unreadable", params: { name: "tokenizer.json" } });
  assert.equal(new TextDecoder().decode(await readSmall(new File(["{ }"], "config.json"))), "{ }");
});

/** Weights with a header of `length` bytes and `rest` bytes behind it. @param {number} length @param {number} rest */
function weightsOf(length, rest) {
  const bytes = new Uint8Array(8 + length + rest).map((_, at) => at % 251);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return bytes;
}
/** @param {Uint8Array<ArrayBuffer>} bytes @param {number} size */
function cut(bytes, size) {
  const told = { ended: false };
  async function* parts() {
    try {
      for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
    } finally {
      told.ended = true;
    }
  }
  return { told, parts: parts() };
}

test("the head of weights is read, and all of them can be read after it", async () => {
  for (const size of [1, 7, 8, 100, 208, 1000, 5000]) {
    const bytes = weightsOf(200, 900);
    const { parts, told } = cut(bytes, size);
    const { head, all } = await withHead(parts);
    assert.deepEqual(head, bytes.slice(0, 208), `parts of ${size}`);
    const read = [];
    for await (const part of all()) read.push(part);
    assert.deepEqual(new Uint8Array(await new Blob(read).arrayBuffer()), bytes);
    assert.ok(told.ended);
    const again = cut(bytes, size);
    await (await withHead(again.parts)).end();
    assert.ok(again.told.ended, "who wants no more of them says so");
  }
  // A header that would be endless is not waited for; what is too short is handed on as it is.
  const claims = weightsOf(200, 4000);
  new DataView(claims.buffer).setBigUint64(0, 2n ** 40n, true);
  const { parts } = cut(claims, 100);
  assert.equal((await withHead(parts)).head.length, 100);
  assert.equal((await withHead(cut(Uint8Array.of(1, 2, 3), 9).parts)).head.length, 3);
  assert.equal((await withHead(cut(new Uint8Array(), 9).parts)).head.length, 0);
});

/** What a worker was asked, in order; `open` fails where a message says why. */
function fakeWorker(refusal = "") {
  /** @type {any[]} */
  const asked = [];
  class FakeWorker {
    /** @type {(event: { data: object }) => void} */
    onmessage = () => {};
    /** @param {any} request */
    postMessage(request) {
      // Signs of life are no requests: they have no number.
      if (!request.id) return;
      asked.push(request);
      const error = request.cmd === "open" && refusal ? { said: said(refusal), fatal: false } : null;
      queueMicrotask(() => this.onmessage({ data: error ? { id: request.id, error } : { id: request.id, value: {} } }));
    }
    addEventListener() {}
    terminate() {}
  }
  Object.assign(globalThis, { Worker: FakeWorker });
  return asked;
}

/** @param {Uint8Array<ArrayBuffer>[]} files of weights, 100 bytes at a time */
function sourceOf(files) {
  /** @type {{ ended: boolean }[]} */
  const opened = [];
  const weights = files.map((bytes) => async () => {
    const { parts, told } = cut(bytes, 100);
    opened.push(told);
    return { parts, bytes: bytes.length };
  });
  const source = {
    kind: /** @type {const} */ ("url"),
    id: "x",
    name: "x",
    open: async () => ({ files: {}, weights, weightBytes: 0 }),
  };
  return { source, opened };
}
const load = (/** @type {any} */ source) => new Engine(() => {}).load(source, "cpu", { signal, onProgress: () => {} });

test("the engine sees the heads of all weights, and their lengths, before any weight", async () => {
  for (const count of [1, 3]) {
    const asked = fakeWorker();
    const files = Array.from({ length: count }, (_, at) => weightsOf(200 + at, 500));
    const { source, opened } = sourceOf(files);
    await load(source);
    assert.equal(asked[0].cmd, "open");
    assert.deepEqual(
      asked[0].heads,
      files.map((bytes, at) => bytes.slice(0, 208 + at)),
    );
    assert.deepEqual(
      asked[0].lengths,
      files.map(({ length }) => length),
    );
    const sent = asked.filter(({ cmd }) => cmd === "chunk").map(({ bytes }) => bytes);
    assert.deepEqual(await new Blob(sent).arrayBuffer(), await new Blob(files).arrayBuffer());
    assert.deepEqual(
      asked.filter(({ cmd }) => cmd !== "chunk").map(({ cmd }) => cmd),
      ["open", ...files.map(() => "endFile"), "finish"],
    );
    assert.equal(opened.length, count === 1 ? 1 : 2 * count, "a single file is asked for once");
    assert.ok(opened.every(({ ended }) => ended));
  }
});

test("weights that the engine refuses by their head are not transferred", async () => {
  for (const count of [1, 2]) {
    const asked = fakeWorker("has another shape");
    const { source, opened } = sourceOf(Array.from({ length: count }, () => weightsOf(200, 500)));
    await assert.rejects(load(source), /has another shape/);
    assert.deepEqual(
      asked.map(({ cmd }) => cmd),
      ["open"],
    );
    assert.ok(opened.length === count && opened.every(({ ended }) => ended), "and no download goes on");
  }
});

test("on a slow line parts are handed on as they come, on a fast one they are joined", async () => {
  for (const [perPart, expected] of [
    [300, 5],
    [1, 1],
  ]) {
    let now = 0;
    const stream = new ReadableStream({
      pull(control) {
        now += perPart;
        if (now > 5 * perPart) control.close();
        else control.enqueue(new Uint8Array(60_000));
      },
    });
    let count = 0;
    let bytes = 0;
    for await (const part of parts(stream, undefined, () => now)) {
      count += 1;
      bytes += part.byteLength;
    }
    assert.equal(bytes, 300_000);
    assert.equal(count, expected, `${perPart} ms a part`);
  }
});
