// <compute-planner>: cuánto cuesta entrenar y cómo repartir ese cómputo. Los cálculos están en planner.mjs.
import { button, element, exact, inWords, numberField, selectField, show, statusLine, svg, table } from "./form.mjs";
import { gpuHours, lawOptimum, loss, petaflopDays, ruleOptimum, trainingFlops } from "./planner.mjs";

const WIDTH = 340;
const HEIGHT = 270;
const BOX = { left: 48, right: 318, top: 10, bottom: 226 };
const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
// Cada punto, con su color y su forma: círculo, cuadrado, triángulo y rombo.
const SHAPES = {
  plan: "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0",
  rule: "M-4.5 -4.5h9v9h-9z",
  hoffmann: "M0 -5.8L5.8 4.6H-5.8z",
  besiroglu: "M0 -6.2L6.2 0L0 6.2L-6.2 0z",
};
let copies = 0;

const readable = (value) => (value >= 1e6 && value < 1e18 ? inWords(value, 12).replace(/\u00a0/g, " ") : exact(value));

function duration(hours) {
  if (hours < 1) return `${show(hours * 60)}\u00a0minutos`;
  if (hours < 48) return `${show(hours)}\u00a0horas`;
  return hours < 730 * 24 ? `${show(hours / 24)}\u00a0días` : `${show(hours / 24 / 365)}\u00a0años`;
}

class ComputePlanner extends HTMLElement {
  connectedCallback() {
    if (this.spec) return;
    this.spec = JSON.parse(this.querySelector("script").textContent);
    this.idPrefix = `planner-${(copies += 1)}`;
    this.values = { ...this.spec.start };
    this.build();
    this.update();
  }

  build() {
    const positive = (low, high) => (value) =>
      value >= low && value <= high ? "" : `Tiene que estar entre ${inWords(low)} y ${inWords(high)}.`;
    const number = (name, label, options) => numberField(`${this.idPrefix}-${name}`, label, {
      value: this.values[name],
      change: (value) => {
        this.values[name] = value;
        this.update();
      },
      ...options,
    });
    this.fields = {
      parameters: number("parameters", "Parámetros, N", { check: positive(1e3, 1e15), write: readable, example: "7e9 o 7000 millones" }),
      tokens: number("tokens", "Tokens, D", { check: positive(1e3, 1e17), write: readable, example: "2e12 o 2 billones" }),
      gpus: number("gpus", "Cuántas GPU", {
        check: (value) => (Number.isInteger(value) && value >= 1 && value <= 1e7 ? "" : "Tiene que ser un entero entre 1 y 10 millones."), example: "8",
      }),
      mfu: number("mfu", "Aprovechamiento, MFU (%)", { check: (value) => (value > 0 && value <= 100 ? "" : "Es un porcentaje: más de 0 y, como mucho, 100."), example: "40" }),
      price: number("price", "Precio por GPU y hora (opcional)", {
        optional: true, check: (value) => (value >= 0 && value < 1e6 ? "" : "El precio no puede ser negativo ni pasar de un millón."), example: "2,5",
      }),
    };
    const peaks = Object.entries(this.spec.peaks).map(([name, peak]) => [name, `${name}: ${peak} TFLOP/s`]);
    const gpu = selectField(`${this.idPrefix}-gpu`, "GPU", peaks, {
      value: this.values.gpu,
      change: (value) => {
        this.values.gpu = value;
        this.update();
      },
    });
    const examples = this.spec.examples.map(([name, parameters, tokens]) => button(name, () => {
      Object.assign(this.values, { parameters, tokens });
      this.fields.parameters.set(parameters);
      this.fields.tokens.set(tokens);
      this.update();
    }));
    const { parameters, tokens, gpus, mfu, price } = this.fields;
    this.facts = element("dl", "cp-facts");
    this.plot = element("div", "cp-plot");
    this.status = statusLine();
    this.table = table("cp-table", "El mismo cómputo, repartido de otra forma", ["Reparto", "N", "D", "D / N", "Pérdida"]);
    this.note = element("p", "wf-note", "La pérdida, en nats por token, es la que prevé la ley corregida por Besiroglu et al. (2024). La recta discontinua une todos los repartos que cuestan lo mismo. El máximo de cada GPU es el de 16 bits con matrices densas.");
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Planificador de cómputo");
    this.replaceChildren(
      element("div", "wf-fields", ...[parameters, tokens, gpu, gpus, mfu, price].map(({ box }) => box)),
      element("div", "wf-actions cp-examples", element("span", "", "Prueba con"), ...examples),
      this.facts, this.status.node, this.plot, this.table.node, this.note,
    );
  }

  update() {
    const { parameters, tokens, gpu, gpus, mfu, price } = this.values;
    const flops = trainingFlops(parameters, tokens);
    const hours = gpuHours(flops, this.spec.peaks[gpu], mfu / 100);
    const facts = [
      ["Operaciones, 6ND", `${show(flops)} FLOP`], ["petaFLOP/s-día", show(petaflopDays(flops), 4)],
      ["Horas de GPU", inWords(hours)], ["Tiempo", duration(hours / gpus)],
    ];
    if (price !== null) facts.push(["Coste", inWords(hours * price)]);
    this.facts.replaceChildren(...facts.map(([name, value]) => element("div", "", element("dt", "", name), element("dd", "", value))));
    const { ratio, laws } = this.spec;
    const points = [
      { key: "plan", name: "Tu plan", parameters, tokens },
      { key: "rule", name: `Regla de ${ratio}`, ...ruleOptimum(ratio, flops), line: (c) => ruleOptimum(ratio, c) },
      { key: "hoffmann", name: "Hoffmann 2022", ...lawOptimum(laws.hoffmann, flops), line: (c) => lawOptimum(laws.hoffmann, c) },
      { key: "besiroglu", name: "Besiroglu 2024", ...lawOptimum(laws.besiroglu, flops), line: (c) => lawOptimum(laws.besiroglu, c) },
    ];
    this.drawPlot(points, flops);
    this.table.body.replaceChildren(...points.map((point) => this.row(point)));
    this.status.say(`${this.verdict(tokens / parameters)} Tardaría ${duration(hours / gpus)}.`);
  }

  verdict(perParameter) {
    const { ratio } = this.spec;
    const said = `Tu plan ve ${show(perParameter)} tokens por parámetro: `;
    if (perParameter < ratio / 2) return `${said}con ese cómputo, un modelo más pequeño y más datos darían menos pérdida.`;
    if (perParameter > ratio * 2) return `${said}más de los que minimizan la pérdida, a cambio de un modelo pequeño, barato de usar.`;
    return `${said}cerca del reparto óptimo.`;
  }

  row(point) {
    const { key, name, parameters, tokens } = point;
    const mark = svg("svg", { viewBox: "-8 -8 16 16", class: `cp-key is-${key}`, "aria-hidden": "true" }, svg("path", { d: SHAPES[key] }));
    const title = Object.assign(element("th", "", mark, name), { scope: "row" });
    const cells = [inWords(parameters), inWords(tokens), show(tokens / parameters), show(loss(this.spec.laws.besiroglu, point), 4)];
    return element("tr", "", title, ...cells.map((text) => element("td", "", text)));
  }

  drawPlot(points, flops) {
    // Ejes en décadas enteras, con aire alrededor de los puntos.
    const range = (name) => {
      const logs = points.map((point) => Math.log10(point[name]));
      return [Math.floor(Math.min(...logs) - 0.6), Math.ceil(Math.max(...logs) + 0.6)];
    };
    const [x0, x1] = range("parameters");
    const [y0, y1] = range("tokens");
    const x = (value) => BOX.left + ((Math.log10(value) - x0) / (x1 - x0)) * (BOX.right - BOX.left);
    const y = (value) => BOX.bottom - ((Math.log10(value) - y0) / (y1 - y0)) * (BOX.bottom - BOX.top);
    const ten = (power) => `10${[...String(power)].map((digit) => POWERS[digit]).join("")}`;
    const decades = (from, to) => { // como mucho siete rótulos
      const step = Math.ceil((to - from) / 6);
      return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
    };
    const grid = [
      ...decades(x0, x1).flatMap((power) => [
        svg("path", { class: "cp-grid", d: `M${x(10 ** power)} ${BOX.top}V${BOX.bottom}` }),
        svg("text", { x: x(10 ** power), y: BOX.bottom + 16, "text-anchor": "middle" }, ten(power)),
      ]),
      ...decades(y0, y1).flatMap((power) => [
        svg("path", { class: "cp-grid", d: `M${BOX.left} ${y(10 ** power)}H${BOX.right}` }),
        svg("text", { x: BOX.left - 6, y: y(10 ** power) + 4, "text-anchor": "end" }, ten(power)),
      ]),
    ];
    const through = (a, b) => `M${x(a.parameters)} ${y(a.tokens)}L${x(b.parameters)} ${y(b.tokens)}`;
    const same = (n) => ({ parameters: n, tokens: flops / 6 / n });
    const lines = [
      svg("path", { class: "cp-same", d: through(same(10 ** x0), same(10 ** x1)) }),
      ...points.filter(({ line }) => line).map(({ key, line }) =>
        svg("path", { class: `cp-line is-${key}`, d: through(line(flops / 1e12), line(flops * 1e12)) })),
    ];
    const clip = `${this.idPrefix}-clip`;
    const marks = [...points].reverse().map(({ key, parameters, tokens }) =>
      svg("path", { class: `cp-mark is-${key}`, d: SHAPES[key], transform: `translate(${x(parameters)} ${y(tokens)})` }));
    const label = `Parámetros y tokens en escala logarítmica. ${points.map(({ name, parameters, tokens }) => `${name}: ${inWords(parameters)} y ${inWords(tokens)}`).join("; ")}.`;
    this.plot.replaceChildren(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
      svg("clipPath", { id: clip }, svg("rect", { x: BOX.left, y: BOX.top, width: BOX.right - BOX.left, height: BOX.bottom - BOX.top })),
      ...grid, svg("g", { "clip-path": `url(#${clip})` }, ...lines), ...marks,
      svg("text", { x: (BOX.left + BOX.right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, "Parámetros, N"),
      svg("text", { x: 12, y: (BOX.top + BOX.bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${(BOX.top + BOX.bottom) / 2})` }, "Tokens, D")));
  }
}

customElements.define("compute-planner", ComputePlanner);
