import { h, setText } from "../core/dom.js";
import { formatBytes, formatCount } from "../core/format.js";
import { n, t } from "../core/i18n/index.js";

/** @typedef {import("../engine/types.js").ShippedModel} ShippedModel */

/** GPT-2 in its sizes on the hub: parameters, and the size of model.safetensors. */
export const HUB_MODELS = [
  { repo: "distilbert/distilgpt2", params: 82e6, bytes: 352_824_413 },
  { repo: "openai-community/gpt2", params: 124e6, bytes: 548_105_171 },
  { repo: "openai-community/gpt2-medium", params: 355e6, bytes: 1_519_984_962 },
  { repo: "openai-community/gpt2-large", params: 774e6, bytes: 3_247_159_078 },
  { repo: "openai-community/gpt2-xl", params: 1.56e9, bytes: 6_431_829_964 },
];

/** What a 32-bit WebAssembly memory can hold of weights, with room for the rest. */
const WASM_WEIGHT_BYTES = 3.4e9;

/**
 * Whether a model of this size can be expected to run, as the key of a remark; "" where nothing speaks against it.
 * @param {number} bytes of weights in f32
 * @param {string} backend the one in use
 * @param {number | undefined} deviceMemory in GB, as far as the browser tells
 */
export function fitRemark(bytes, backend, deviceMemory) {
  if (backend !== "webgpu" && bytes > WASM_WEIGHT_BYTES) return "models.tooLarge";
  if (deviceMemory && bytes > deviceMemory * 0.5e9) return "models.maybeLarge";
  return "";
}

/** What models there are and how to get another. */
export class Models {
  /**
   * @param {HTMLElement} root
   * @param {{ onShipped: (model: ShippedModel) => void, onFiles: (files: File[]) => void, onForget: () => void,
   *   onUrl: (input: string) => void }} options
   */
  constructor(root, { onShipped, onFiles, onForget, onUrl }) {
    this.onShipped = onShipped;
    this.onUrl = onUrl;
    this.messages = h("div");
    this.hereTitle = h("h2");
    this.here = h("ul", { class: "list" });
    this.diskTitle = h("h2");
    this.diskText = h("p");
    this.pick = h("input", {
      type: "file",
      multiple: true,
      accept: ".zip,.json,.txt,.safetensors",
      class: "visually-hidden",
      id: "pick",
      tabindex: "-1",
      "aria-hidden": "true",
    });
    this.pick.addEventListener("change", () => {
      onFiles([...(this.pick.files ?? [])]);
      this.pick.value = "";
    });
    this.choose = h("button", { type: "button", class: "secondary", onclick: () => this.pick.click() });
    this.forget = h("button", { type: "button", class: "quiet", onclick: onForget });
    this.pending = h("p", { class: "pending", role: "status" });
    this.webTitle = h("h2");
    this.webText = h("p");
    this.webLabel = h("label", { for: "repo" });
    this.repo = h("input", {
      id: "repo",
      type: "text",
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      placeholder: "openai-community/gpt2",
    });
    this.repo.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.repo.value.trim()) onUrl(this.repo.value);
    });
    this.download = h("button", {
      type: "button",
      class: "secondary",
      onclick: () => onUrl(this.repo.value || this.repo.placeholder),
    });
    this.hub = h("ul", { class: "list" });
    root.append(
      h(
        "div",
        { class: "page" },
        this.messages,
        h("section", {}, this.hereTitle, this.here),
        h(
          "section",
          {},
          this.diskTitle,
          this.diskText,
          h("div", { class: "row" }, this.choose, this.forget, this.pick),
          this.pending,
        ),
        h(
          "section",
          {},
          this.webTitle,
          this.webText,
          h("div", { class: "row" }, h("div", { class: "field" }, this.webLabel, this.repo), this.download),
          this.hub,
        ),
      ),
    );
    this.drawn = "";
  }

  /** Brings the way to other models into view, and the keyboard to it. @param {"web" | "disk"} from */
  reveal(from) {
    const target = from === "web" ? this.repo : this.choose;
    // The tab is shown in a moment.
    requestAnimationFrame(() => {
      target.focus({ preventScroll: true });
      target.scrollIntoView({ block: "center" });
    });
  }

  /**
   * @param {{ shipped: ShippedModel[], open: { id: string, name: string, kind: string } | null, backend: string, lang:
   *   string,
   *   info: import("../engine/types.js").Info | null, have: string[], need: string[] }} data
   */
  update({ shipped, open, backend, lang, info, have, need }) {
    setText(this.hereTitle, t("models.here"));
    setText(this.diskTitle, t("models.disk"));
    setText(this.diskText, t("models.disk.text"));
    setText(this.choose, t("models.disk.choose"));
    setText(this.forget, t("models.disk.forget"));
    this.forget.hidden = !have.length;
    setText(
      this.pending,
      have.length
        ? `${t("models.disk.have", { files: have.join(", ") })} ${t("models.disk.need", { files: need.join(", ") })}`
        : "",
    );
    setText(this.webTitle, t("models.web"));
    setText(this.webText, t("models.web.text"));
    setText(this.webLabel, t("models.web.label"));
    setText(this.download, t("models.web.download"));
    // The lists are drawn anew only when they differ: a button that has focus must not vanish under it.
    const drawn = JSON.stringify([shipped.map((model) => model.id), open, backend, lang, info?.nParams]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.here.replaceChildren(...this.hereRows(shipped, open, info, lang));
    this.hub.replaceChildren(...HUB_MODELS.map((model) => this.hubRow(model, open, backend)));
  }

  /**
   * @param {ShippedModel[]} shipped @param {{ id: string, name: string, kind: string } | null} open
   * @param {import("../engine/types.js").Info | null} info @param {string} lang
   */
  hereRows(shipped, open, info, lang) {
    const rows = shipped.map((model) => {
      const bytes = model.files.reduce((sum, file) => sum + file.bytes, 0);
      const facts = [formatBytes(bytes)];
      if (model.n_params) facts.unshift(t("models.facts.params", { count: formatCount(model.n_params) }));
      if (model.n_ctx) facts.push(t("models.facts.context", { tokens: n(model.n_ctx) }));
      facts.push(t("models.shipped"));
      if (model.license) facts.push(model.license);
      const description = (lang === "zh" && model.description_zh) || model.description || "";
      return this.row(model.name, description, facts, open?.id === model.id, "models.open", () =>
        this.onShipped(model),
      );
    });
    // A run stands in the list of what is saved.
    if (open && open.kind !== "run" && info && !shipped.some((model) => model.id === open.id)) {
      const facts = [
        t("models.facts.params", { count: formatCount(info.nParams) }),
        t("models.facts.context", { tokens: n(info.nCtx) }),
      ];
      rows.push(this.row(open.name, "", facts, true, "", () => {}));
    }
    return rows;
  }

  /** @param {(typeof HUB_MODELS)[number]} model @param {{ id: string } | null} open @param {string} backend */
  hubRow({ repo, params, bytes }, open, backend) {
    const { deviceMemory } = /** @type {{ deviceMemory?: number }} */ (/** @type {unknown} */ (navigator));
    const remark = fitRemark(bytes, backend, deviceMemory);
    const facts = [t("models.facts.params", { count: formatCount(params) }), formatBytes(bytes)];
    if (remark) facts.push(t(remark));
    return this.row(repo, "", facts, open?.id === repo, "models.web.download", () => this.onUrl(repo));
  }

  /**
   * @param {string} name @param {string} description @param {string[]} facts @param {boolean} inUse
   * @param {string} action @param {() => void} run
   */
  row(name, description, facts, inUse, action, run) {
    const text = h("div", { class: "row-text" }, h("h3", {}, name));
    if (description) text.append(h("p", {}, description));
    text.append(h("p", { class: "facts" }, facts.join(" · ")));
    const side = inUse
      ? h("span", { class: "in-use" }, t("models.inUse"))
      : h(
          "button",
          { type: "button", class: "secondary", "aria-label": `${t(action)}: ${name}`, onclick: run },
          t(action),
        );
    return h("li", {}, text, side);
  }
}
