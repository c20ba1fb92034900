// @ts-check
// The page's own readers of other people's files, on good files that are changed at random.
//
//     node scripts/fuzz_page.mjs TARGET [--seconds N] [--seed N] [--found DIR]
//
// A target is `zip` or `branches`. The changes follow from the seed, so that a failure can be had again; the input of a
// failure is written to DIR. The last line that is printed is the number of inputs.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { zipOf } from "../tests/views/zips.mjs";
import { isTooLarge } from "../www/inspect/branch_file.js";
import { Branches } from "../www/inspect/branches.js";
import { isModelFile } from "../www/models/file_names.js";
import { filesFromZip } from "../www/models/zip.js";

/** What a page says of a file that it does not take. @param {any} error @param {RegExp} keys */
function refused(error, keys) {
  if (typeof error?.key !== "string" || !keys.test(error.key)) throw error;
}

/**
 * A reader, and good files to begin from.
 * @typedef {{ seeds: () => Uint8Array<ArrayBuffer>[], read: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> }} Target
 */

/** @type {Record<string, Target>} */
export const targets = {
  zip: {
    seeds: () => {
      const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
      const config = { name: "config.json", bytes: bytes('{ "a": [1, 2, 3] }') };
      const weights = { name: "a/model.safetensors", bytes: bytes("weights".repeat(9)) };
      const python = new Uint8Array(readFileSync(new URL("../tests/fixtures/training/stored.zip", import.meta.url)));
      return [
        zipOf([config, weights]),
        zipOf([
          { ...config, deflate: true },
          { ...weights, deflate: true },
          { name: "b/", bytes: bytes("") },
        ]),
        python,
      ];
    },
    read: async (bytes) => {
      let unpacked = 0;
      try {
        const files = await filesFromZip(new File([bytes], "a.zip"), isModelFile, {
          onProgress: (done) => (unpacked = done),
        });
        const sizes = files.reduce((sum, { size }) => sum + size, 0);
        // What was unpacked is what was counted, and entries may overlap only so far.
        if (sizes !== unpacked || files.length > 100)
          throw new Error(`${files.length} files of ${sizes} bytes, ${unpacked} counted`);
      } catch (error) {
        refused(error, /^error\.(badZip|unknownFiles|tooLarge|zip\w+)$/);
      }
    },
  },
  branches: {
    seeds: () => {
      const branches = new Branches();
      const token = { id: 3, text: " b", logprob: -1, entropy: 1, rank: 0, top: [] };
      branches.record([
        { text: "A", source: "user" },
        { text: " b", source: "model", token },
        { text: " c", source: "model" },
      ]);
      branches.record([
        { text: "A", source: "user" },
        { text: " d", source: "user" },
      ]);
      return [branches.toFile(), branches].map((file) => new TextEncoder().encode(JSON.stringify(file)));
    },
    read: async (bytes) => {
      /** @type {unknown} */
      let data;
      try {
        data = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return;
      }
      if (isTooLarge(data)) return;
      const branches = new Branches();
      try {
        branches.fromJSON(data);
      } catch (error) {
        return refused(error, /^inspect\.badBranches$/);
      }
      const tree = branches.tree();
      if ((tree?.branches ?? 0) !== branches.size)
        throw new Error(`${tree?.branches} of ${branches.size} branches are in the tree`);
      const again = new Branches();
      again.fromJSON(JSON.parse(JSON.stringify(branches)));
      if (again.size !== branches.size) throw new Error(`${again.size} of ${branches.size} branches are read again`);
    },
  },
};

/** Numbers from a seed, below a limit each. @param {number} seed */
function random(seed) {
  let state = seed >>> 0;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ODD = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x22, 0x30, 0x39, 0x2d, 0x5b, 0x7b];

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Uint8Array<ArrayBuffer>} other
 * @param {(below: number) => number} draw
 * @returns {Uint8Array<ArrayBuffer>}
 */
function changed(bytes, other, draw) {
  const at = draw(bytes.length + 1);
  const [head, tail] = [bytes.slice(0, at), bytes.slice(at)];
  const cut = draw(8);
  switch (draw(7)) {
    case 0:
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << draw(8)) : byte));
    case 1:
      return bytes.map((byte, i) => (i === at ? ODD[draw(ODD.length)] : byte));
    case 2:
      return head;
    case 3:
      return joined(head, tail.slice(cut));
    case 4:
      return joined(head, joined(tail.slice(0, cut), tail));
    case 5:
      return joined(head, other.slice(draw(other.length + 1)));
    // A field of two or four bytes.
    default: {
      const copy = bytes.slice();
      const value = [0, 1, 0xffff, 0x7fff_ffff, 0xffff_ffff, draw(1000)][draw(6)];
      for (let i = 0, width = draw(2) ? 4 : 2; i < width && at + i < copy.length; i += 1)
        copy[at + i] = value >>> (8 * i);
      return copy;
    }
  }
}

/** @param {Uint8Array} one @param {Uint8Array} other */
function joined(one, other) {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}

/**
 * Feeds a target until `goesOn` says no. What fails is thrown, with the input as `input`.
 * @param {Target} target @param {number} seed @param {(count: number) => boolean} goesOn
 */
export async function fuzz(target, seed, goesOn) {
  const seeds = target.seeds();
  const draw = random(seed);
  let count = 0;
  for (; goesOn(count); count += 1) {
    let input = seeds[draw(seeds.length)];
    if (count >= seeds.length)
      for (let changes = 1 + draw(4); changes > 0; changes -= 1)
        input = changed(input, seeds[draw(seeds.length)], draw);
    try {
      await target.read(input);
    } catch (error) {
      throw Object.assign(new Error(`input ${count} of seed ${seed}`, { cause: error }), { input });
    }
  }
  return count;
}

/** What was found before. @param {string} name @returns {[name: string, bytes: Uint8Array<ArrayBuffer>][]} */
export function findings(name) {
  const folder = new URL(`../fuzz/findings/${name}/`, import.meta.url);
  /** @type {string[]} */
  let names = [];
  try {
    names = readdirSync(folder);
  } catch {
    // Nothing was found yet.
  }
  return names.map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: "string", default: "60" }, seed: { type: "string" }, found: { type: "string" } },
  });
  const [name] = positionals;
  const target = targets[name];
  if (!target) throw new Error(`there is no target ${name}: ${Object.keys(targets).join(", ")}`);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const end = performance.now() + 1000 * Number(values.seconds);
  try {
    for (const [, bytes] of findings(name)) await target.read(bytes);
    console.log(await fuzz(target, seed, () => performance.now() < end));
  } catch (error) {
    const { input } = /** @type {any} */ (error);
    if (input && values.found) {
      mkdirSync(values.found, { recursive: true });
      writeFileSync(join(values.found, `seed-${seed}`), input);
    }
    throw error;
  }
}
