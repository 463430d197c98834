// <sampling-explorer>: temperatura, top-k y top-p sobre unos logits dados. Los cálculos están en sampling.mjs.
import { steps, sampleCounts } from "./sampling.mjs";

const DRAWS = 100;
const decimal = (value, digits) =>
  value.toLocaleString("es", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
let instances = 0;

const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};

class SamplingExplorer extends HTMLElement {
  connectedCallback() {
    if (this.spec) return;
    this.spec = JSON.parse(this.querySelector("script").textContent);
    this.idPrefix = `sampling-${(instances += 1)}`;
    // De mayor a menor logit: así se ve de un vistazo dónde corta cada filtro.
    this.order = this.spec.logits.map((_, id) => id).sort((a, b) => this.spec.logits[b] - this.spec.logits[a] || a - b);
    this.build();
    this.reset();
  }

  build() {
    const size = this.spec.tokens.length;
    this.controls = {
      temperature: this.slider("Temperatura", 0.1, 3, 0.05, (value) => decimal(value, 2)),
      topK: this.slider("Top-k", 1, size, 1, (value) => (value === size ? "sin filtro" : String(value))),
      topP: this.slider("Top-p", 0.05, 1, 0.01, (value) => (value === 1 ? "sin filtro" : decimal(value, 2))),
    };
    const controls = make("div", "se-controls", ...Object.values(this.controls).map(({ box }) => box));

    this.stepTexts = ["Logits", "Temperatura", "Top-k", "Top-p", "Renormalizar"].map((name) => {
      const text = make("span");
      return { text, item: make("li", "", make("strong", "", name), text) };
    });
    const chain = make("ol", "se-steps", ...this.stepTexts.map(({ item }) => item));
    chain.setAttribute("aria-label", "Orden de las operaciones");

    this.rows = this.order.map((id) => this.row(id));
    const head = make("tr", "", ...["Token", "Logit", "Tras T", "Final", `De ${DRAWS}`].map((text) => {
      const cell = make("th", "", text);
      cell.scope = "col";
      return cell;
    }));
    const table = make("table", "se-table", make("thead", "", head), make("tbody", "", ...this.rows.map(({ row }) => row)));
    const caption = make("caption", "", "Probabilidad del token siguiente");
    if (this.spec.prompt) caption.append(` a «${this.spec.prompt}…»`);
    table.prepend(caption);

    const draw = make("button", "se-draw", `Muestrear ${DRAWS} veces`);
    const reset = make("button", "", "Restablecer");
    draw.type = reset.type = "button";
    draw.addEventListener("click", () => this.draw());
    reset.addEventListener("click", () => this.reset());
    this.status = make("p", "se-status");
    this.status.setAttribute("role", "status");
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Explorador de muestreo");
    this.replaceChildren(controls, chain, table, make("div", "se-actions", draw, reset), this.status);
  }

  slider(name, min, max, step, show) {
    const input = make("input");
    const id = `${this.idPrefix}-${name.toLowerCase()}`;
    Object.assign(input, { type: "range", id, min, max, step });
    const label = make("label", "", name);
    label.htmlFor = id;
    const output = make("output");
    output.htmlFor = id;
    output.setAttribute("aria-live", "off"); // aria-valuetext ya lo dice
    input.addEventListener("input", () => this.update());
    return { box: make("div", "se-control", label, output, input), input, output, show };
  }

  row(id) {
    const token = make("th", "", make("code", "", this.spec.tokens[id]));
    token.scope = "row";
    const tempered = make("td", "se-number se-tempered");
    const value = make("span", "se-value");
    const ghost = make("span", "se-ghost");
    const fill = make("span", "se-fill");
    const mark = make("span", "se-mark");
    const bar = make("span", "se-bar", ghost, fill, mark);
    bar.setAttribute("aria-hidden", "true");
    const count = make("td", "se-number se-count");
    const logit = make("td", "se-number se-logit", decimal(this.spec.logits[id], 2));
    const row = make("tr", "", token, logit, tempered, make("td", "se-final", bar, value), count);
    return { id, row, tempered, value, ghost, fill, mark, count };
  }

  get settings() {
    const { temperature, topK, topP } = this.controls;
    const k = Number(topK.input.value);
    return {
      temperature: Number(temperature.input.value),
      topK: k === this.spec.tokens.length ? null : k,
      topP: Number(topP.input.value),
    };
  }

  reset() {
    const { temperature, topK, topP } = this.controls;
    temperature.input.value = this.spec.temperature;
    topK.input.value = this.spec.topK ?? this.spec.tokens.length;
    topP.input.value = this.spec.topP ?? 1;
    this.update();
  }

  update() {
    for (const { input, output, show } of Object.values(this.controls)) {
      const text = show(Number(input.value));
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
    }
    const settings = this.settings;
    const result = steps(this.spec.logits, settings);
    this.probs = result.probs;
    for (const { id, row, tempered, value, ghost, fill, mark, count } of this.rows) {
      const cut = result.cutBy[id];
      row.classList.toggle("is-cut", Boolean(cut));
      tempered.textContent = decimal(result.tempered[id], 4);
      value.textContent = cut ? `fuera (${cut})` : decimal(result.probs[id], 4);
      ghost.style.width = `${100 * result.tempered[id]}%`;
      fill.style.width = `${100 * result.probs[id]}%`;
      mark.hidden = true;
      count.textContent = "";
    }
    this.describe(settings, result);
  }

  describe({ temperature, topK, topP }, { cutBy, mass }) {
    const size = cutBy.length;
    const left = (filter) => size - cutBy.filter((cut) => cut && (filter === "top-p" || cut === filter)).length;
    const tokens = (count) => (count === 1 ? "queda 1" : `quedan ${count}`);
    const texts = [
      `${size} tokens`,
      temperature === 1 ? "entre 1: igual" : `entre ${decimal(temperature, 2)}`,
      topK === null ? "sin filtro" : tokens(left("top-k")),
      topP === 1 ? "sin filtro" : tokens(left("top-p")),
      `entre ${decimal(mass, 4)}`,
    ];
    this.stepTexts.forEach(({ text }, step) => {
      text.textContent = texts[step];
    });
    const best = this.order[0];
    clearTimeout(this.timer);
    // Un mensaje por ajuste, no uno por cada paso del control.
    this.timer = setTimeout(() => {
      const kept = left("top-p");
      this.status.textContent =
        `${kept === 1 ? "Queda 1 token" : `Quedan ${kept} tokens`} de ${size}. ` +
        `El más probable es «${this.spec.tokens[best]}», con ${decimal(this.probs[best], 4)}.`;
    }, 400);
  }

  draw() {
    clearTimeout(this.timer);
    const counts = sampleCounts(this.probs, DRAWS);
    for (const { id, mark, count } of this.rows) {
      count.textContent = counts[id];
      mark.hidden = this.probs[id] === 0;
      mark.style.left = `${(100 * counts[id]) / DRAWS}%`;
    }
    const seen = this.order.filter((id) => counts[id]).map((id) => `${this.spec.tokens[id]} ${counts[id]}`);
    this.status.textContent = `${DRAWS} muestras: ${seen.join(", ")}.`;
  }
}

customElements.define("sampling-explorer", SamplingExplorer);
