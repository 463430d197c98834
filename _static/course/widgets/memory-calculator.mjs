// <memory-calculator>: cuánta memoria pide un entrenamiento y en qué GPU cabe. Los cálculos están en memory.mjs.
import { element, gigabytes, inWords, numberField, selectField, show, statusLine, table } from "./form.mjs";
import { largestBatch, parameters, shapeProblem, trainingMemory } from "./memory.mjs";

const CUSTOM = "a medida";
const LIMITS = { layers: 1000, dModel: 100000, heads: 1000, kvHeads: 1000, dFf: 1e6, vocab: 1e7, batch: 1e5, length: 1e7 };
const NAMES = {
  batch: "Lote, B", length: "Longitud, T (tokens)", layers: "Capas", dModel: "Anchura, D", heads: "Cabezas, H",
  kvHeads: "Cabezas de clave", dFf: "Anchura de la red, F", vocab: "Vocabulario, V",
};
let copies = 0;

class MemoryCalculator extends HTMLElement {
  connectedCallback() {
    if (this.spec) return;
    this.spec = JSON.parse(this.querySelector("script").textContent);
    this.idPrefix = `memory-${(copies += 1)}`;
    this.values = { ...this.spec.start, ...this.spec.models[this.spec.start.model] };
    this.build();
    this.update();
  }

  build() {
    const { models, precisions, optimizers, attentions } = this.spec;
    const id = (name) => `${this.idPrefix}-${name}`;
    const number = (name) => numberField(id(name), NAMES[name], {
      value: this.values[name], example: "32 o 4096",
      check: (value) => (Number.isInteger(value) && value >= 1 && value <= LIMITS[name] ? "" : `Tiene que ser un entero entre 1 y ${show(LIMITS[name])}.`),
      change: (value) => this.change(name, value),
    });
    const choice = (name, label, options) => selectField(id(name), label, options, {
      value: this.values[name], change: (value) => this.change(name, value),
    });
    const check = (name, text) => {
      const input = Object.assign(element("input"), { type: "checkbox", id: id(name), checked: this.values[name] });
      input.addEventListener("change", () => this.change(name, input.checked));
      const label = element("label", "wf-check", input, text);
      return { box: label, input };
    };
    this.model = choice("model", "Modelo", [...Object.keys(models).map((name) => [name, name]), [CUSTOM, "A medida"]]);
    this.sizes = Object.fromEntries(["layers", "dModel", "heads", "kvHeads", "dFf", "vocab"].map((name) => [name, number(name)]));
    this.tied = check("tied", "La salida comparte pesos con los embeddings");
    const settings = [
      this.model, number("batch"), number("length"),
      choice("precision", "Precisión", precisions.map(({ key, label }) => [key, label])),
      choice("optimizer", "Optimizador", optimizers), choice("attention", "Atención", attentions),
    ];
    this.count = element("span");
    const sizes = element("details", "mc-sizes", element("summary", "", "Tamaños del modelo: ", this.count),
      element("div", "wf-fields", ...Object.values(this.sizes).map(({ box }) => box)), this.tied.box);
    this.problem = Object.assign(element("p", "wf-error"), { hidden: true });
    this.problem.setAttribute("role", "alert");
    this.total = element("p", "mc-total");
    this.bar = element("div", "mc-bar");
    this.bar.setAttribute("role", "img");
    this.status = statusLine();
    this.parts = table("mc-parts", "A qué se va la memoria en ese momento", ["Parte", "Por parámetro", "Memoria"]);
    this.gpus = table("mc-gpus", `En qué GPU cabe, dejando libre un ${show(100 * (1 - this.spec.usable))}\u00a0% para lo demás`, ["GPU", "Ocupa", "¿Cabe?", "Lote máximo"]);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Calculadora de memoria de entrenamiento");
    this.replaceChildren(
      element("div", "wf-fields", ...settings.map(({ box }) => box)),
      check("checkpointing", "Rehacer activaciones (checkpointing)").box, sizes, this.problem,
      this.total, this.bar, this.parts.node, this.gpus.node, this.status.node,
      element("p", "wf-note", "Para un decodificador como Llama, en una sola GPU, sin adaptadores y sin acumular gradientes. Un GB son 10⁹ bytes."),
    );
  }

  change(name, value) {
    this.values[name] = value;
    if (name === "model" && value !== CUSTOM) {
      Object.assign(this.values, this.spec.models[value]);
      for (const [size, field] of Object.entries(this.sizes)) field.set(this.values[size]);
      this.tied.input.checked = this.values.tied;
    } else if (name in this.sizes || name === "tied") {
      this.values.model = this.model.select.value = CUSTOM;
    }
    this.update();
  }

  update() {
    const shape = this.values;
    const problem = shapeProblem(shape);
    this.problem.textContent = problem;
    this.problem.hidden = !problem;
    if (problem) return; // se queda a la vista lo último que valía
    const precision = this.spec.precisions.find(({ key }) => key === this.values.precision);
    const options = { ...this.values, precision };
    const memory = trainingMemory(shape, options);
    const n = parameters(shape);
    this.count.textContent = `${inWords(n)}${n < 1e6 ? "" : " de"} parámetros`;
    this.total.replaceChildren(element("strong", "", gigabytes(memory.total)), ` en el momento más lleno, ${this.spec.moments[memory.fullest]}: ${show(memory.total / n)} bytes por parámetro`);
    const bytes = { weights: memory.weights, optimizer: memory.optimizer, ...memory.moments[memory.fullest] };
    const parts = this.spec.parts.filter(([key]) => bytes[key]);
    this.bar.replaceChildren(...parts.map(([key]) => {
      const piece = element("span", `is-${key}`);
      piece.style.flexGrow = bytes[key] / memory.total;
      return piece;
    }));
    this.bar.setAttribute("aria-label", parts.map(([key, name]) => `${name}: ${show((100 * bytes[key]) / memory.total, 2)} %`).join(", "));
    this.parts.body.replaceChildren(...parts.map(([key, name]) => {
      const title = Object.assign(element("th", "", element("span", `mc-key is-${key}`), name), { scope: "row" });
      return element("tr", "", title, element("td", "", `${show(bytes[key] / n)}\u00a0B`), element("td", "", gigabytes(bytes[key])));
    }));
    const fitting = this.drawGpus(shape, options, memory.total);
    this.status.say(`Hacen falta ${gigabytes(memory.total)}. ${fitting.length ? `Cabe en: ${fitting.join(", ")}.` : "No cabe en ninguna de estas GPU."}`);
  }

  drawGpus(shape, options, total) {
    const { gpus, usable, withoutBf16 } = this.spec;
    const fitting = [];
    this.gpus.body.replaceChildren(...Object.entries(gpus).map(([name, size]) => {
      const room = usable * size * 1e9;
      const fits = total <= room;
      if (fits) fitting.push(name);
      const fill = element("span", fits ? "is-fit" : "is-over");
      fill.style.width = `${Math.min(100, (100 * total) / (size * 1e9))}%`;
      const meter = element("span", "mc-meter", fill);
      meter.setAttribute("aria-hidden", "true");
      const slow = fits && this.values.precision === "bf16" && withoutBf16.includes(name) ? ", pero no calcula en BF16" : "";
      const verdict = fits ? `Sí: sobran ${gigabytes(room - total)}${slow}` : `No: faltan ${gigabytes(total - room)}`;
      const title = Object.assign(element("th", "", name.includes("GB") ? name : `${name} de ${size}\u00a0GB`), { scope: "row" });
      const batch = largestBatch(shape, options, room);
      return element("tr", "", title, element("td", "mc-meter-cell", meter), element("td", fits ? "is-yes" : "is-no", verdict), element("td", "", batch ? show(batch, 9) : "ninguno"));
    }));
    return fitting;
  }
}

customElements.define("memory-calculator", MemoryCalculator);
