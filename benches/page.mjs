// @ts-check
// Measures the engine as the page runs it: the real WebAssembly module in a Worker of headless Chromium, on both
// backends.
//
//   node benches/page.mjs                       random weights: 6 layers x 384, vocabulary 8,192, context 512
//   node benches/page.mjs --config config.json  random weights for this configuration
//   node benches/page.mjs --model FOLDER        config.json, tokenizer.json and model.safetensors in FOLDER
//
// `--backend cpu` or `--backend webgpu` measures one of them alone. The last line printed is one JSON object with one
// flat object per backend.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch } from "../tests/page/browser.mjs";
import { serve } from "../tests/page/server.mjs";

const { values: options } = parseArgs({
  options: { model: { type: "string" }, config: { type: "string" }, backend: { type: "string", multiple: true } },
});

const DEFAULT_CONFIG = {
  model_type: "gpt2",
  n_layer: 6,
  n_embd: 384,
  n_head: 6,
  vocab_size: 8192,
  n_ctx: 512,
  n_positions: 512,
};
/** No measurement takes this long unless the engine hangs. */
const LIMIT_MS = 300_000;

const MODEL_FILES = ["config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors"];
const { model } = options;
const names = model ? MODEL_FILES.filter((name) => existsSync(join(model, name))) : [];
if (model && !names.includes("model.safetensors")) throw new Error(`${model} has no model.safetensors`);
const given = options.config ? JSON.parse(readFileSync(options.config, "utf8")) : DEFAULT_CONFIG;
const config = model ? null : { ...given, n_ctx: given.n_ctx ?? given.n_positions };

const [browser, site] = await Promise.all([launch(), serve()]);
/** @type {Record<string, unknown>} */
const results = {};
try {
  for (const backend of options.backend ?? ["cpu", "webgpu"]) {
    // A new context each time: wasm memory never shrinks, so one backend's run must not weigh on the next.
    const context = await browser.newContext();
    for (const file of ["page_worker.mjs", "random_model.mjs"]) {
      const path = fileURLToPath(new URL(file, import.meta.url));
      await context.route(`**/www/${file}`, (route) => route.fulfill({ contentType: "text/javascript", path }));
    }
    await context.route("**/www/bench-model/*", (route) => {
      const name = route.request().url().split("/").at(-1) ?? "";
      return route.fulfill({ path: join(model ?? "", name), contentType: "application/octet-stream" });
    });
    const page = await context.newPage();
    // The list of models is left out, so that the page itself opens none beside the one that is measured.
    await context.route("**/www/models/index.json", (route) => route.fulfill({ json: [] }));
    await page.goto(site.url);
    results[backend] = await page.evaluate(
      ({ job, limit }) =>
        new Promise((resolve, reject) => {
          const bench = new Worker(new URL("www/page_worker.mjs", document.baseURI), { type: "module" });
          setTimeout(() => reject(new Error(`no answer within ${limit / 1000} s`)), limit);
          bench.onerror = (event) => reject(new Error(event.message || "the worker could not be started"));
          bench.onmessage = ({ data }) => {
            if (data.ready) bench.postMessage(job);
            else if (data.error) reject(new Error(data.error));
            else resolve(data.value);
          };
        }),
      { job: { backend, config, names }, limit: LIMIT_MS },
    );
    console.error(`${backend}: ${JSON.stringify(results[backend])}`);
    await context.close();
  }
} finally {
  await browser.close();
  await site.stop();
}
console.log(JSON.stringify(results));
