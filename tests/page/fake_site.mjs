// @ts-check
// Serves the page with the stand-in for the WebAssembly module and a small made-up model, for tests of failures.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TYPES = /** @type {Record<string, string>} */ ({
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
});

/** A safetensors file with an empty header and `size` bytes of zeros behind it. @param {number} size */
export function emptySafetensors(size) {
  const header = Buffer.from("{}      ");
  const bytes = Buffer.alloc(8 + header.length + size);
  bytes.writeBigUInt64LE(BigInt(header.length));
  header.copy(bytes, 8);
  return bytes;
}

/**
 * @param {{ prefix?: string, fake?: object, broken?: RegExp, cut?: RegExp }} [options] `prefix` begins and ends in "/";
 *   `fake` sets how
 *   the stand-in behaves; for paths that `broken` matches the server hangs up, and in the middle of those that `cut`
 *   matches
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function serveFake({ prefix = "/", fake = {}, broken, cut } = {}) {
  const weights = emptySafetensors(4_000_000);
  const index = [
    {
      id: "storyteller",
      name: "Storyteller",
      path: "storyteller",
      n_params: 1_914_720,
      n_ctx: 256,
      license: "CC0",
      description: "Writes short, simple stories. Small enough to start at once.",
      files: [
        { name: "config.json", bytes: 800 },
        { name: "tokenizer.json", bytes: 123_146 },
        { name: "model.safetensors", bytes: weights.length },
      ],
    },
  ];
  const made = /** @type {Record<string, string | Buffer>} */ ({
    "www/models/index.json": JSON.stringify(index),
    "www/models/storyteller/config.json": JSON.stringify({ fake }),
    "www/models/storyteller/tokenizer.json": "{}",
    "www/models/storyteller/model.safetensors": weights,
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (!pathname.startsWith(prefix)) return void response.writeHead(404).end();
    let path = normalize(decodeURIComponent(pathname.slice(prefix.length))) || ".";
    if (path === ".") path = "index.html";
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    if (broken?.test(path)) return void request.socket.destroy();
    if (cut?.test(path)) {
      const half = made[path].slice(0, made[path].length / 2);
      response.writeHead(200, { "content-type": type, "content-length": made[path].length });
      // What was written must leave before the end.
      return void response.write(half, () => setImmediate(() => request.socket.destroy()));
    }
    if (path in made) return void response.writeHead(200, { "content-type": type }).end(made[path]);
    const file = join(root, path.replace(/^www\/pkg(-train)?\//, "tests/views/fake_pkg/"));
    if (path.startsWith("..") || !statSync(file, { throwIfNoEntry: false })?.isFile())
      return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": type });
    createReadStream(file).pipe(response);
  });
  await /** @type {Promise<void>} */ (new Promise((resolve) => server.listen(0, "127.0.0.1", resolve)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
