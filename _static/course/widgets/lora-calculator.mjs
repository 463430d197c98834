// <lora-calculator>: qué entrena LoRA, cuánto ocupa y cómo son W, B y A. Los cálculos están en lora.mjs.
import { button, element, gigabytes, inWords, numberField, selectField, show, statusLine, svg, table } from "./form.mjs";
import { evenRank, loraCost, loraParameters } from "./lora.mjs";

const CUSTOM = "a medida";
const WIDTH = 340;
const MARGIN = { left: 22, top: 22, plus: 52, times: 20, bottom: 22 };
const LARGEST = { rank: 65536, rows: 1e6, columns: 1e6, copies: 1e5 };
const NAMES = { rank: "Rango, r", rows: "Filas de W, d (salida)", columns: "Columnas de W, k (entrada)", copies: "Cuántas matrices así" };
// Un entero, con todas sus cifras.
const whole = (value) => (value < 1e4 ? String(value) : String(value).replace(/\B(?=(\d{3})+$)/g, "\u00a0"));
const amount = (value) => (value < 1e6 ? whole(value) : inWords(value));
const percent = (fraction) => `${show(100 * fraction)}\u00a0%`;
const shape = (d, k) => `${whole(d)}\u00a0×\u00a0${whole(k)}`;
let copies = 0;

class LoraCalculator extends HTMLElement {
  connectedCallback() {
    if (this.spec) return;
    this.spec = JSON.parse(this.querySelector("script").textContent);
    this.idPrefix = `lora-${(copies += 1)}`;
    this.values = { ...this.spec.start };
    this.build();
    this.fill(this.spec.start);
  }

  build() {
    const id = (name) => `${this.idPrefix}-${name}`;
    const number = (name) => numberField(id(name), NAMES[name], {
      value: this.values[name], example: "8 o 4096", change: (value) => this.change(name, value),
      check: (value) => (Number.isInteger(value) && value >= 1 && value <= LARGEST[name] ? "" : `Tiene que ser un entero entre 1 y ${whole(LARGEST[name])}.`),
    });
    const models = [...Object.keys(this.spec.models).map((name) => [name, name]), [CUSTOM, "Una matriz a medida"]];
    this.model = selectField(id("model"), "Modelo", models, { value: this.values.model, change: (value) => this.change("model", value) });
    this.fields = Object.fromEntries(Object.keys(NAMES).map((name) => [name, number(name)]));
    this.fields.alpha = numberField(id("alpha"), "Escala, α", {
      value: this.values.alpha, example: "16", change: (value) => this.change("alpha", value),
      check: (value) => (value > 0 && value <= 1e6 ? "" : "Tiene que ser mayor que 0: con 0 el adaptador no haría nada."),
    });
    this.boxes = Object.fromEntries(Object.entries(this.spec.targets).map(([key, label]) => {
      const input = Object.assign(element("input"), { type: "checkbox", id: id(key) });
      input.addEventListener("change", () => this.change("targets", Object.keys(this.boxes).filter((name) => this.boxes[name].checked)));
      return [key, input];
    }));
    const labels = Object.entries(this.boxes).map(([key, input]) => element("label", "wf-check", input, this.spec.targets[key]));
    this.targets = element("fieldset", "lc-targets", element("legend", "", "Matrices adaptadas"), ...labels);
    this.problem = Object.assign(element("p", "wf-error"), { hidden: true });
    this.problem.setAttribute("role", "alert");
    const { rank, alpha, rows, columns, copies: times } = this.fields;
    this.custom = [rows.box, columns.box, times.box];
    this.total = element("p", "lc-total");
    this.facts = element("dl", "lc-facts");
    this.drawn = selectField(id("drawn"), "Matriz del dibujo", [], { value: "", change: () => this.update() });
    this.plot = element("div", "lc-plot");
    this.legend = element("ul", "lc-legend");
    this.table = table("lc-table", "Lo que entrena LoRA en cada grupo de matrices", ["Matrices", "Cuántas y cómo", "LoRA", "En vez de"]);
    this.status = statusLine();
    const examples = this.spec.examples.map(({ name, ...values }) => button(name, () => this.fill(values)));
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Calculadora de LoRA");
    this.replaceChildren(
      element("div", "wf-actions lc-examples", element("span", "", "Prueba con"), ...examples),
      element("div", "wf-fields", this.model.box, rank.box, alpha.box, ...this.custom), this.targets, this.problem,
      this.total, this.facts, this.status.node, element("div", "lc-drawn", this.drawn.box), this.plot, this.legend, this.table.node,
      element("p", "wf-note", "El optimizador es AdamW, con dos números FP32 por parámetro entrenado. Los pesos congelados y las activaciones también ocupan memoria, y aquí no se cuentan."),
    );
  }

  fill(values) {
    Object.assign(this.values, values);
    this.model.select.value = this.values.model;
    for (const [name, field] of Object.entries(this.fields)) field.set(this.values[name]);
    for (const [key, input] of Object.entries(this.boxes)) input.checked = this.values.targets.includes(key);
    this.update();
  }

  change(name, value) {
    this.values[name] = value;
    this.update();
  }

  // Los grupos de matrices que se adaptan, como [nombre, d, k, cuántas].
  groups() {
    const { model, targets, rows, columns, copies: times } = this.values;
    if (model === CUSTOM) return [["W", rows, columns, times]];
    return targets.flatMap((key) => this.spec.models[model].targets[key]);
  }

  update() {
    const { model, rank, alpha } = this.values;
    const custom = model === CUSTOM;
    for (const box of this.custom) box.hidden = !custom;
    this.targets.hidden = custom;
    const groups = this.groups();
    this.problem.textContent = "Elige al menos una matriz que adaptar.";
    this.problem.hidden = groups.length > 0;
    if (!groups.length) return; // se queda a la vista lo último que valía
    const cost = loraCost(groups.map(([, ...group]) => group), rank, this.spec.adamw, custom ? null : this.spec.models[model].parameters);
    this.total.replaceChildren(element("strong", "", whole(cost.trained)), " parámetros entrenados", custom ? "" : `, el ${percent(cost.share)} del modelo`);
    const facts = [
      custom ? ["W entera", amount(cost.model)] : ["Modelo", amount(cost.model)],
      ["Frente a entrenar esas W", `${percent(Math.abs(cost.fewer))} ${cost.fewer < 0 ? "más" : "menos"}`],
      ["Adaptador en FP32", gigabytes(cost.fp32)], ["Adaptador en 16 bits", gigabytes(cost.half)],
      [cost.saved < 0 ? "Optimizador, de más" : "Optimizador que te ahorras", gigabytes(Math.abs(cost.saved))], ["Escala, α/r", show(alpha / rank)],
    ];
    this.facts.replaceChildren(...facts.map(([name, value]) => element("div", "", element("dt", "", name), element("dd", "", value))));
    this.table.body.replaceChildren(...groups.map(([name, d, k, times]) => {
      const cells = [`${whole(times)} de ${shape(d, k)}`, whole(times * loraParameters(d, k, rank)), amount(times * d * k)];
      return element("tr", "", Object.assign(element("th", "", name), { scope: "row" }), ...cells.map((text) => element("td", "", text)));
    }));
    const chosen = this.choose(groups);
    this.draw(chosen, rank);
    const even = evenRank(...chosen.slice(1, 3));
    const verdict = rank < even ? `Por debajo de r = ${show(even, 4)}, LoRA entrena menos que W.` : `Con r = ${show(even, 4)} o más, LoRA ya no ahorra nada.`;
    this.status.say(`LoRA entrena ${whole(cost.trained)} parámetros y se guarda en ${gigabytes(cost.fp32)}. ${verdict}`);
  }

  // Una matriz de cada forma; si la que se veía ya no está, la primera.
  choose(groups) {
    const { select, box } = this.drawn;
    const shapes = groups.filter(([, d, k], i) => groups.findIndex(([, d2, k2]) => d2 === d && k2 === k) === i);
    const before = select.value;
    select.replaceChildren(...shapes.map(([name, d, k]) => Object.assign(element("option", "", `${name}: ${shape(d, k)}`), { value: name })));
    if (shapes.some(([name]) => name === before)) select.value = before;
    box.hidden = shapes.length < 2;
    return shapes.find(([name]) => name === select.value);
  }

  // W, B y A a la misma escala; lo que mediría menos de un punto se dibuja de un punto.
  draw([name, d, k], rank) {
    const { left, top, plus, times, bottom } = MARGIN;
    const scale = Math.min((WIDTH - left - plus - times - 8) / (2 * k + rank), 190 / Math.max(d, rank));
    const long = (size) => Math.max(1, size * scale);
    const x = { w: (WIDTH + left - plus - times - 8 - scale * (2 * k + rank)) / 2 };
    x.b = x.w + long(k) + plus;
    x.a = x.b + long(rank) + times;
    const height = Math.max(long(d), long(rank));
    const middle = top + height / 2;
    const box = (key, at, width, tall) => [
      svg("rect", { class: `lc-box is-${key}`, x: at, y: middle - long(tall) / 2, width: long(width), height: long(tall) }),
      svg("text", { class: "lc-letter", x: at + long(width) / 2, y: middle + long(tall) / 2 + 16, "text-anchor": "middle" }, key.toUpperCase()),
    ];
    const text = (at, y, words, extra = {}) => svg("text", { x: at, y, "text-anchor": "middle", ...extra }, words);
    const label = `A la misma escala, W mide ${shape(d, k)}; B, ${shape(d, rank)}, y A, ${shape(rank, k)}.`;
    this.plot.replaceChildren(svg("svg", { viewBox: `0 0 ${WIDTH} ${top + height + bottom}`, role: "img", "aria-label": label },
      ...box("w", x.w, k, d), ...box("b", x.b, rank, d), ...box("a", x.a, k, rank),
      text(x.w + long(k) / 2, top - 7, `k = ${whole(k)}`), text(x.b + long(rank) / 2, top - 7, `r = ${whole(rank)}`),
      text(x.w - 8, middle, `d = ${whole(d)}`, { transform: `rotate(-90 ${x.w - 8} ${middle})` }),
      text(x.b - plus / 2 - 2, middle + 4, "+ α/r ·"), text(x.a - times / 2, middle + 4, "·")));
    this.legend.replaceChildren(...[
      ["w", `W, ${name === "W" ? "" : `${name}, `}${shape(d, k)}: ${whole(d * k)} números, congelados`],
      ["b", `B, ${shape(d, rank)}: ${whole(d * rank)} números, que empiezan en cero`],
      ["a", `A, ${shape(rank, k)}: ${whole(rank * k)} números, que empiezan al azar`],
    ].map(([key, words]) => element("li", "", element("span", `lc-key is-${key}`), words)));
    if (rank * scale < 1) this.legend.append(element("li", "lc-thin", `B y A se dibujan con un punto de grueso; a escala medirían ${show(rank * scale, 2)}.`));
  }
}

customElements.define("lora-calculator", LoraCalculator);
