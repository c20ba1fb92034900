// @ts-check
// Starts `cargo xtask serve` on a free port for a test, and stops it again.
import { execFileSync, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The server's executable: given by `cargo xtask test`, else built now. It is started directly, because ending a `cargo
 * run`
 * would leave the server behind.
 * @returns {string}
 */
function xtask() {
  if (process.env.XTASK) return process.env.XTASK;
  execFileSync("cargo", ["build", "--quiet", "--package", "xtask"], { cwd: root, stdio: "inherit" });
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  return join(target, "debug", process.platform === "win32" ? "xtask.exe" : "xtask");
}

/**
 * Serves the working tree as it is built. `args` are further options of `serve`, such as `["--prefix", "/demo/"]` or
 * `["--dir", "dist"]`.
 * @param {string[]} [args]
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>} the page's address, ending in `/`
 */
export async function serve(args = []) {
  const options = ["serve", "--no-build", "--no-open", "--port", "0", ...args];
  const child = spawn(xtask(), options, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  // A test that ends without calling `stop` must not leave the server behind.
  const kill = () => child.kill();
  process.once("exit", kill);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const address = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => {
      const url = /http:\/\/\S+/.exec(line)?.[0];
      if (url) resolve(url);
      else reject(new Error(`no address in the server's first line: ${line}`));
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: cargo xtask ${options.join(" ")}`)));
  });
  const url = /** @type {string} */ (await address);
  return {
    url,
    stop: async () => {
      process.off("exit", kill);
      kill();
      await exited;
    },
  };
}
