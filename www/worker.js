/**
 * The engine's worker: one model, one queue of commands. Nothing here touches the network except the import of the
 * WebAssembly module itself: the page fetches, and hands over bytes.
 */
import { ModelSession } from "./session.js";

/** @typedef {import("./types.js").Request} Request */
/** @typedef {import("./types.js").Reply} Reply */

const scope = /** @type {{ postMessage(message: Reply): void, onmessage: ((event: MessageEvent<Request>) => void) | null,
  addEventListener: typeof self.addEventListener }} */ (/** @type {unknown} */ (self));

/** @type {ModelSession | null} */
let session = null;
/** @type {Request[]} */
const queue = [];
let running = false;
/** Stop and generate commands are numbered as they arrive: a generation ends when one with a higher number is there. */
let arrivals = 0;
/** @type {WeakMap<Request, number>} */
const arrivalOf = new WeakMap();

/** The panic hook writes the cause to the console and the trap that follows only says "unreachable". */
let lastPanic = "";
const consoleError = console.error.bind(console);
console.error = (...parts) => {
  const text = parts.map(String).join(" ");
  if (text.includes("panicked at")) lastPanic = text.split("\n\nStack:")[0].trim();
  consoleError(...parts);
};

/** @param {unknown} error */
function describe(error) {
  // A trap leaves the instance in an unknown state, and a RangeError here is memory or stack exhausted.
  const trap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  const text = error instanceof Error ? error.message : String(error);
  const lost = /device (was |is )?lost|lost device/i.test(text);
  const message = trap && lastPanic ? lastPanic : text;
  return { message: message || "unknown error", fatal: trap || lost };
}

/** @param {Request} request */
function enqueue(request) {
  if (request.cmd === "stop" || request.cmd === "generate") arrivalOf.set(request, ++arrivals);
  queue.push(request);
  if (!running) void drain();
}

async function drain() {
  running = true;
  for (let next = queue.shift(); next; next = queue.shift()) await answer(next);
  running = false;
}

/** Runs what was asked meanwhile and does not disturb a generation (a hover's tokenize, say). */
async function answerQuickOnes() {
  for (let at = 0; at < queue.length; ) {
    const { cmd } = queue[at];
    if (cmd === "tokenize") await answer(queue.splice(at, 1)[0]);
    else at += 1;
  }
}

/** @param {Request} request */
async function answer(request) {
  const { id } = request;
  try {
    scope.postMessage({ id, value: await execute(request) });
  } catch (error) {
    scope.postMessage({ id, error: describe(error) });
  }
}

function loaded() {
  if (!session) throw new Error("No model is open. Open one on the Models tab.");
  return session;
}

/** @param {Request} request @returns {Promise<unknown>} */
async function execute(request) {
  switch (request.cmd) {
    case "open": {
      session?.close();
      session = null;
      session = await ModelSession.open(request.backend, request.files);
      return null;
    }
    case "chunk":
      loaded().chunk(request.bytes);
      return null;
    case "endFile":
      loaded().endFile();
      return null;
    case "finish":
      return loaded().finish();
    case "tokenize":
      return loaded().tokenize(request.text);
    case "generate": {
      const arrival = arrivalOf.get(request);
      return loaded().generate(request.options, {
        emit: (event) => scope.postMessage({ id: request.id, event }),
        shouldStop: () => arrivals !== arrival,
        between: answerQuickOnes,
      });
    }
    case "stop":
      return null;
  }
}

scope.onmessage = (event) => enqueue(event.data);
scope.addEventListener("error", (event) => {
  event.preventDefault();
  scope.postMessage({ fatal: describe(event.error ?? event.message).message });
});
scope.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  scope.postMessage({ fatal: describe(event.reason).message });
});
