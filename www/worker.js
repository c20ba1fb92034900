/**
 * The engine's worker: one model, one queue of commands. Nothing here touches the network except the import of the
 * WebAssembly module itself: the page fetches, and hands over bytes.
 */
import { PageError, part, toWire } from "./core/errors.js";
import { beat, pulse } from "./engine/pulse.js";
import { ModelSession, messageTurn } from "./engine/session.js";
import { Run } from "./train/worker_run.js";

/** @typedef {import("./engine/types.js").Request} Request */
/** @typedef {import("./engine/types.js").Reply} Reply */

const scope =
  /** @type {{ postMessage(message: Reply, transfer?: Transferable[]): void, onmessage: ((event: MessageEvent<Request>) => void) | null,
  close(): void,   addEventListener: typeof self.addEventListener }} */ (/** @type {unknown} */ (self));

/** @type {ModelSession | null} */
let session = null;
/** @type {Request[]} */
const queue = [];
let running = false;
/** Stop and generate commands are numbered as they arrive: a generation ends when one with a higher number is there. */
let arrivals = 0;
/** @type {WeakMap<Request, number>} */
const arrivalOf = new WeakMap();

/** The run that was started or restored. @type {Run | null} */
let run = null;
/** What ends training for now: a pause, or a command that needs the model for itself. */
const PAUSING = ["pause", "release", "open", "openScratch", "restore", "trainStart", "train"];
let pauses = 0;
/** How many of them had come when a training command came. @type {WeakMap<Request, number>} */
const pausesBefore = new WeakMap();

/** Looks at the text that are still wanted, by the number of their request. @type {Set<number>} */
const wanted = new Set();

/** The panic hook writes the cause to the console and the trap that follows only says "unreachable". */
let lastPanic = "";
const consoleError = console.error.bind(console);
console.error = (...parts) => {
  const text = parts.map(String).join(" ");
  if (text.includes("panicked at")) lastPanic = text.split("\n\nStack:")[0].trim();
  consoleError(...parts);
};

/** @param {unknown} error @returns {import("./engine/types.js").WireError} */
function describe(error) {
  // A trap leaves the instance in an unknown state, and a RangeError here is memory or stack exhausted.
  const trap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  if (trap) return { ...toWire(new PageError("error.engineStopped", {}, lastPanic || error)), fatal: true };
  return { ...toWire(error), fatal: isLost() };
}

/** Whether the model is gone together with its device. */
function isLost() {
  try {
    return session?.wasm.lost() ?? false;
  } catch {
    return true;
  }
}

/** Holds a lock until this worker ends, whichever way: so the page hears of it. @param {string} lock */
function live(lock) {
  navigator.locks
    ?.request(lock, () => {
      scope.postMessage({ lives: true });
      return new Promise(() => {});
      // Where the browser gives no lock, the page asks now and then whether this worker is there.
    })
    .catch(() => {});
}

/** Tells of a failure. A worker that cannot even do that ends: of its end the page hears. @param {Reply} reply */
function tell(reply) {
  try {
    scope.postMessage(reply);
  } catch {
    scope.close();
  }
}

/** @param {Request} request */
function enqueue(request) {
  if (request.cmd === "inspectCancel") {
    wanted.delete(request.target);
    return;
  }
  if (request.cmd === "ping") return scope.postMessage({ pulse: pulse() });
  if (request.cmd === "live") return live(request.lock);
  if (request.cmd === "inspect") wanted.add(request.id);
  if (request.cmd === "stop" || request.cmd === "generate") arrivalOf.set(request, ++arrivals);
  if (PAUSING.includes(request.cmd)) pausesBefore.set(request, ++pauses);
  queue.push(request);
  if (!running) void drain();
}

async function drain() {
  running = true;
  for (let next = queue.shift(); next; next = queue.shift()) await answer(next);
  running = false;
}

/** Whether a command needs the tokenizer only. @param {Request} request */
function isQuick(request) {
  return request.cmd === "tokenize" || (request.cmd === "inspect" && request.request.what === "tokens");
}

/** Whether something waits that looking at the text must not hold up. */
function isPressed() {
  return queue.some((request) => request.cmd !== "inspect" && !isQuick(request));
}

/** Runs what was asked meanwhile and does not disturb a generation (a hover's tokenize, say). */
async function answerQuickOnes() {
  for (let at = 0; at < queue.length; ) {
    if (isQuick(queue[at])) await answer(queue.splice(at, 1)[0]);
    else at += 1;
  }
}

/** Gives the queue its turn while training, and runs everything that does not end it. */
async function answerWhileTraining() {
  await messageTurn();
  while (queue.length && !PAUSING.includes(queue[0].cmd)) await answer(/** @type {Request} */ (queue.shift()));
}

/** The run, for commands that need one. */
function theRun() {
  if (!run) throw new PageError("error.noRun");
  return run;
}

/** @param {Request} request */
async function answer(request) {
  const { id } = request;
  try {
    const value = await execute(request);
    scope.postMessage({ id, value }, value instanceof Uint8Array ? [value.buffer] : []);
  } catch (error) {
    tell({ id, error: describe(error) });
  } finally {
    wanted.delete(id);
    beat();
  }
}

function loaded() {
  if (!session) throw new PageError("error.noModel");
  return session;
}

/** Closes the model there is. */
function forget() {
  run = null;
  session?.close();
  session = null;
}

/** @param {Request} request @returns {Promise<unknown>} */
async function execute(request) {
  switch (request.cmd) {
    case "open": {
      forget();
      session = await ModelSession.open(request.backend, request.files, request.heads, request.lengths);
      return null;
    }
    case "openScratch": {
      forget();
      session = await ModelSession.openScratch(request.backend, request.options);
      return session.wasm.info();
    }
    case "scratchPlan":
      return ModelSession.scratchPlan(request.backend, request.options, request.given);
    case "trainPlan":
      return loaded().wasm.trainPlan(request.request);
    case "trainStart": {
      const started = await Run.start(loaded(), request.request, request.meta);
      run = started.run;
      return { planned: started.planned, info: loaded().wasm.info() };
    }
    case "train": {
      const before = pausesBefore.get(request);
      return theRun().train({
        emit: (event) => scope.postMessage({ id: request.id, event }),
        shouldPause: () => pauses !== before,
        between: answerWhileTraining,
      });
    }
    case "pause":
      return null;
    case "save":
      return run ? run.save() : -1;
    case "release":
      run?.release();
      return null;
    case "reclaim":
      return run ? run.reclaim() : false;
    case "best":
      return run ? run.best() : null;
    case "useBest":
      return theRun().useBest(request.best);
    case "sample":
      return theRun().sample((event) => scope.postMessage({ id: request.id, event }), isPressed);
    case "restore": {
      const restored = await Run.restore(
        request.run,
        async (files, state) => {
          if (!request.baseLoaded) {
            forget();
            session = await ModelSession.openRun(request.backend, files, state);
          }
          return loaded();
        },
        request.look,
      );
      run = restored.run;
      return {
        meta: run.meta,
        text: run.text,
        planned: restored.planned,
        readOnly: run.readOnly,
        info: loaded().wasm.info(),
        best: run.best(),
      };
    }
    case "exportZip":
      return new Blob(await loaded().wasm.exportZip(request.kind), { type: "application/zip" });
    case "keepBase":
      return (await part(import("./models/bases.js"))).writeBase(request.base, request.files);
    case "addAdapter":
      // The engine ends its run for it, also where the adapter does not fit.
      run?.release();
      run = null;
      await loaded().wasm.addAdapter(request.config, request.weights);
      return loaded().wasm.info();
    case "strength":
      if (run?.meta.mode === "lora") run.setStrength(request.value);
      else loaded().wasm.setLoraStrength(request.value);
      return null;
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
    case "inspect":
      return loaded().inspect(request.request, {
        emit: (event) => scope.postMessage({ id: request.id, event }),
        shouldStop: () => !wanted.has(request.id) || (isPressed() && !isQuick(request)),
        between: answerQuickOnes,
      });
    case "gates":
      loaded().setGates(request.gates);
      return null;
    case "inspectCancel":
    case "ping":
    case "live":
      return null;
    case "generate": {
      const arrival = arrivalOf.get(request);
      return loaded().generate(
        request.options,
        {
          emit: (event) => scope.postMessage({ id: request.id, event }),
          shouldStop: () => arrivals !== arrival,
          between: answerQuickOnes,
        },
        request.whole,
      );
    }
    case "stop":
      return null;
  }
}

scope.onmessage = (event) => enqueue(event.data);
// A command came that could not be made out: the page would wait for its answer.
scope.addEventListener("messageerror", () => tell({ fatal: describe(new PageError("error.messageLost")) }));
scope.addEventListener("error", (event) => {
  event.preventDefault();
  tell({ fatal: describe(event.error ?? event.message) });
});
scope.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  tell({ fatal: describe(event.reason) });
});
