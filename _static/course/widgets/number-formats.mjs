// <number-formats>: un número en cada formato, bit a bit. Los cálculos están en formats.mjs.
import { button, element, numberField, show, statusLine, table } from "./form.mjs";
import { FORMATS, FloatFormat } from "./formats.mjs";

const DIGITS = 9; // las que distinguen dos valores seguidos de FP32
const EXAMPLES = ["3,141592", "0,1", "65520", "400000", "1e-7"];
const sup = (...children) => element("sup", "", ...children);
const minus = (n) => String(n).replace("-", "−");
let copies = 0;

class NumberFormats extends HTMLElement {
  connectedCallback() {
    if (this.spec) return;
    this.spec = JSON.parse(this.querySelector("script").textContent);
    this.idPrefix = `formats-${(copies += 1)}`;
    this.index = FORMATS.findIndex(({ name }) => name === this.spec.format);
    this.number = this.spec.value;
    this.scale = this.spec.scale;
    this.build();
    this.type(this.number);
  }

  // Todos los formatos, con la escala puesta en los que la llevan.
  get formats() {
    return FORMATS.map((format) => (format.withScale ? format.withScale(this.scale) : format));
  }

  build() {
    this.field = numberField(`${this.idPrefix}-number`, "Número", {
      value: this.number, example: "3,14, −0,1, 1e-8 o π", change: (number) => this.type(number),
    });
    this.scaleField = numberField(`${this.idPrefix}-scale`, "Escala de INT8 y NF4", {
      value: this.scale, example: "1 o 0,02",
      check: (scale) => (scale > 1e-30 && scale < 1e30 ? "" : "La escala tiene que ser un número mayor que 0 y menor que 10³⁰."),
      change: (scale) => {
        this.scale = scale;
        this.type(this.number);
      },
    });
    const examples = EXAMPLES.map((text) => button(text, () => {
      this.field.input.value = text;
      this.field.input.dispatchEvent(new Event("input"));
    }));
    const choices = FORMATS.map(({ name }, index) => {
      const radio = Object.assign(element("input"), { type: "radio", name: `${this.idPrefix}-format`, checked: index === this.index });
      radio.addEventListener("change", () => {
        this.index = index;
        this.type(this.number);
      });
      return element("label", "nf-choice", radio, name);
    });
    const chooser = element("fieldset", "nf-choices", element("legend", "", "Formato"), ...choices);
    this.bits = element("div", "nf-bits");
    this.bits.setAttribute("role", "toolbar");
    this.bits.addEventListener("keydown", (event) => this.walk(event));
    this.formula = element("p", "nf-formula");
    this.facts = element("dl", "nf-facts");
    this.before = button("", () => this.step(0));
    this.after = button("", () => this.step(1));
    this.status = statusLine();
    this.table = table("nf-table", "El mismo número en todos los formatos", ["Formato", "Bits", "Guarda", "Error"]);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Formatos numéricos bit a bit");
    this.replaceChildren(
      element("div", "wf-fields", this.field.box, this.scaleField.box),
      element("div", "wf-actions nf-examples", element("span", "", "Prueba con"), ...examples),
      chooser, this.bits, this.formula, this.status.node,
      element("div", "nf-steps", this.before, this.after), this.facts, this.table.node,
    );
  }

  // Un número nuevo: se redondea al formato elegido.
  type(number) {
    this.number = number;
    this.format = this.formats[this.index];
    this.draw(this.format.encode(number));
  }

  // Un código nuevo, tocando un bit: el número pasa a ser exactamente el suyo.
  setCode(code) {
    this.number = this.format.decode(code);
    this.field.set(this.number);
    this.draw(code);
  }

  step(side) {
    const value = this.code === null ? null : this.format.neighbours(this.code)[side];
    if (value !== null) this.setCode(this.format.encode(value));
  }

  draw(code) {
    this.code = code;
    this.drawBits();
    this.formula.replaceChildren(...this.explain());
    const neighbours = code === null ? [null, null] : this.format.neighbours(code);
    [this.before, this.after].forEach((node, side) => {
      const value = neighbours[side] === null ? "no hay" : show(neighbours[side], DIGITS);
      node.replaceChildren(element("span", "nf-side", side ? "Siguiente →" : "← Anterior"), " ", value);
      node.setAttribute("aria-disabled", neighbours[side] === null);
    });
    this.facts.replaceChildren(...this.ranges().flatMap(([name, value]) =>
      [element("div", "", element("dt", "", name), element("dd", "", value))]));
    this.table.body.replaceChildren(...this.formats.map((format, index) => this.row(format, index === this.index)));
    const [stored, error] = this.stored(this.format, code, DIGITS);
    const relative = code === null ? NaN : Math.abs(this.format.decode(code) / this.number - 1);
    const percent = relative > 0 && relative < Infinity ? `, un ${show(100 * relative)}\u00a0% del número` : "";
    this.status.say(`${this.format.name} guarda ${stored}. Error: ${error}${percent}.`);
  }

  // Lo que guarda un formato y en cuánto se equivoca, como textos.
  stored(format, code, digits = 3) {
    if (code === null) return ["nada", "no admite NaN"];
    const value = format.decode(code);
    if (Object.is(value, this.number) || value === this.number || Number.isNaN(this.number)) return [show(value, DIGITS), "ninguno"];
    if (!Number.isFinite(value)) return [show(value, DIGITS), "se desborda"];
    const error = value - this.number;
    const sign = error > 0 ? "+" : "";
    const why = value === 0 ? " (se anula)" : Math.abs(this.number) > format.max ? " (tope)" : "";
    return [show(value, DIGITS), sign + show(error, digits) + why];
  }

  row(format, current) {
    const code = current ? this.code : format.encode(this.number);
    const [stored, error] = this.stored(format, code);
    const name = Object.assign(element("th", "", format.name), { scope: "row" });
    const bits = code === null ? [] : format.pattern(code).map((text, i) => element("span", this.colour(format, i), text));
    const row = element("tr", current ? "is-current" : "", name, element("td", "nf-pattern", ...bits), element("td", "", stored), element("td", "", error));
    if (current) row.setAttribute("aria-current", "true");
    return row;
  }

  colour(format, field) {
    return format.fields.length === 1 ? "is-code" : ["is-sign", "is-exponent", "is-mantissa"][field];
  }

  drawBits() {
    const { fields, bits, name } = this.format;
    if (this.drawn !== name) {
      this.drawn = name;
      let position = bits;
      this.buttons = [];
      this.groups = fields.map(([title, count], i) => {
        const group = Array.from({ length: count }, () => {
          const weight = (position -= 1);
          const node = button("", () => this.setCode((this.code ?? 0) + (this.bitAt(weight) ? -1 : 1) * 2 ** weight), "nf-bit");
          node.tabIndex = this.buttons.length ? -1 : 0; // una sola parada del tabulador: dentro se anda con las flechas
          this.buttons.push({ node, weight, title });
          return node;
        });
        const value = element("span", "nf-field-value");
        return { value, box: element("div", `nf-field ${this.colour(this.format, i)}`, element("div", "nf-row", ...group), element("span", "nf-name", title, " ", value)) };
      });
      this.bits.setAttribute("aria-label", `Los ${bits} bits de ${name}`);
      this.bits.replaceChildren(...this.groups.map(({ box }) => box));
    }
    for (const { node, weight, title } of this.buttons) {
      const bit = this.code === null ? 0 : this.bitAt(weight);
      node.textContent = bit;
      node.setAttribute("aria-pressed", bit === 1);
      node.setAttribute("aria-label", `Bit ${weight}, ${title}: ${bit}`);
    }
    const values = this.code === null ? [] : this.format.split(this.code);
    this.groups.forEach(({ value }, i) => (value.textContent = values[i] ?? ""));
  }

  bitAt(weight) {
    return Math.floor((this.code ?? 0) / 2 ** weight) % 2;
  }

  walk(event) {
    const nodes = this.buttons.map(({ node }) => node);
    const here = nodes.indexOf(event.target);
    const last = nodes.length - 1;
    const there = { ArrowLeft: Math.max(0, here - 1), ArrowRight: Math.min(last, here + 1), Home: 0, End: last }[event.key];
    if (here < 0 || there === undefined) return;
    event.preventDefault();
    nodes[here].tabIndex = -1;
    nodes[there].tabIndex = 0;
    nodes[there].focus();
  }

  // La cuenta que lleva de los bits al valor.
  explain() {
    if (this.code === null) return [`${this.format.name} no puede guardar NaN.`];
    const value = ["= ", element("strong", "", show(this.format.decode(this.code), DIGITS))];
    if (!(this.format instanceof FloatFormat)) {
      const level = this.format.levels[this.format.rank(this.code)];
      const unused = level < -this.format.limit ? ", un nivel que la cuantización simétrica no usa" : "";
      return [`escala · nivel = ${show(this.scale)} · ${show(level, DIGITS)} `, ...value, unused];
    }
    const { bias, mantissaBits, maxCode, half } = this.format;
    const [sign, exponent, mantissa] = this.format.split(this.code);
    if (this.code % half > maxCode) return ["El exponente más alto está reservado: esto ", ...value];
    const fraction = [mantissa, " / 2", sup(mantissaBits)];
    const power = [sign ? "−" : "+", "2", sup(exponent ? `${exponent} − ${bias}` : `1 − ${bias}`), " · "];
    if (exponent) return [...power, "(1 + ", ...fraction, ") = ", sign ? "−" : "", "2", sup(minus(exponent - bias)), ` · ${show(1 + mantissa * this.format.epsilon, DIGITS)} `, ...value];
    return [...power, ...fraction, " ", ...value, ", con el exponente a cero: subnormal"];
  }

  ranges() {
    const { format } = this;
    if (!(format instanceof FloatFormat)) {
      return [["Máximo", show(format.max, DIGITS)], ["Niveles en uso", format.levels.filter((level) => level >= -format.limit).length]];
    }
    const rows = [["Máximo", format.max], ["Menor normal", format.minNormal], ["Menor subnormal", format.minSubnormal], ["Épsilon (de 1 al siguiente)", format.epsilon]];
    return rows.map(([name, value]) => [name, show(value, DIGITS)]);
  }
}

customElements.define("number-formats", NumberFormats);
