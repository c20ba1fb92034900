// @ts-check
// PAGE_JITTER_MS=300 node --test tests/page/…: what the page and its workers say to each other comes late, by up to so
// many milliseconds
// and in order. What only works while answers are quick then fails; tests that measure how quick they are do too.

/** @param {import("playwright-core").BrowserContext} context */
export async function withJitter(context) {
  const most = Number(process.env.PAGE_JITTER_MS ?? 0);
  if (!most) return;
  await context.addInitScript((longest) => {
    const Plain = globalThis.Worker;
    const late = () => {
      let last = Promise.resolve();
      return (/** @type {() => void} */ act) => {
        const rested = new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
        last = Promise.all([last, rested]).then(act);
      };
    };
    globalThis.Worker = class extends Plain {
      /** @param {string | URL} url @param {WorkerOptions} [options] */
      constructor(url, options) {
        super(url, options);
        this.out = late();
        const back = late();
        const given = new WeakSet();
        this.addEventListener("message", (event) => {
          if (given.has(event)) return;
          event.stopImmediatePropagation();
          const again = new MessageEvent("message", { data: event.data, ports: [...event.ports] });
          given.add(again);
          back(() => this.dispatchEvent(again));
        });
      }

      /** @override @param {any} message @param {any} [transfer] */
      postMessage(message, transfer) {
        // What is given away is gone at once, as without a delay.
        const copy = structuredClone(message, {
          transfer: Array.isArray(transfer) ? transfer : (transfer?.transfer ?? []),
        });
        const ports = Array.isArray(transfer) ? transfer.filter((one) => one instanceof MessagePort) : [];
        this.out(() => super.postMessage(copy, ports));
      }
    };
  }, most);
}
