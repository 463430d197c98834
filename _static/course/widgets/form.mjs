// Lo que comparten los widgets con campos: elementos, números en español y campos que avisan sin perder el último valor.

export const element = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};

export const svg = (tag, attributes, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const UNITS = { mil: 1e3, millon: 1e6, millones: 1e6, milmillones: 1e9, billon: 1e12, billones: 1e12 };
const SPECIAL = { π: Math.PI, pi: Math.PI, "∞": Infinity, inf: Infinity, infinito: Infinity, nan: NaN };
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

// Lee «3,14», «3.14», «1e-8», «2 · 10⁹», «70 000», «70 mil millones», «1,4 billones», «π» o «−∞»; null si no es un número.
export function readNumber(text) {
  const plain = text.toLowerCase().normalize("NFD").replace(/[\s\u0301]/g, "").replace(/[−⁻]/g, "-")
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (digit) => SUPERSCRIPTS.indexOf(digit));
  const bare = plain.replace(/^[+-]/, "");
  if (Object.hasOwn(SPECIAL, bare)) return plain.startsWith("-") ? -SPECIAL[bare] : SPECIAL[bare];
  const [, digits, unit] = plain.match(/^(.*?)(milmillones|millon(?:es)?|billon(?:es)?|mil)?$/);
  const number = digits.replace(/[·×*]10\^?([+-]?\d+)$/, "e$1");
  if (!/^[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?$/.test(number)) return null;
  return Number(number.replace(",", ".")) * (UNITS[unit] ?? 1);
}

// Con coma decimal y `digits` cifras significativas; los muy grandes y los muy pequeños, como potencias de 10.
export function show(value, digits = 3) {
  if (Number.isNaN(value)) return "NaN";
  const sign = value < 0 || Object.is(value, -0) ? "−" : "";
  const size = Math.abs(value);
  if (size === Infinity || size === 0) return sign + (size ? "∞" : "0");
  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text).replace(".", ",");
  const [mantissa, power] = size.toExponential(digits - 1).split("e").map(String);
  if (power < -4 || power > 6) {
    return `${sign}${trim(mantissa)}\u00a0·\u00a010${[...power.replace("+", "")].map((d) => (d === "-" ? "⁻" : SUPERSCRIPTS[d])).join("")}`;
  }
  const [whole, fraction] = trim(Number(size.toPrecision(digits)).toFixed(Math.max(0, digits - 1 - power))).split(",");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u00a0") : whole;
  return sign + grouped + (fraction ? `,${fraction}` : "");
}

// En palabras y con la escala larga: 7e9 son «7000 millones» y 1.4e12, «1,4 billones».
export function inWords(value, digits = 3) {
  const [size, name] = [[1e12, "billones"], [1e6, "millones"], [1, ""]].find(([size]) => value >= size) ?? [1, ""];
  if (!name || value >= 1e18) return show(value, digits);
  const count = show(value / size, digits);
  return `${count} ${count === "1" ? name.replace("ones", "ón") : name}`;
}

// Los bytes en la unidad que mejor se lee.
export function gigabytes(bytes) {
  const [size, unit] = bytes < 999500 ? [1e3, "kB"] : bytes < 999.5e6 ? [1e6, "MB"] : [1e9, "GB"];
  return `${show(bytes / size)}\u00a0${unit}`;
}

// El número entero, sin redondear, para que se pueda corregir a mano.
export const exact = (value) =>
  Number.isFinite(value) ? (Object.is(value, -0) ? "−0" : String(value).replace(".", ",").replace("-", "−")) : show(value);

// Un campo de texto para un número. `check` devuelve un aviso si el número no vale; mientras haya aviso, el widget sigue
// con el último que valía. `change` recibe cada número bueno, o null si el campo es opcional y está vacío.
export function numberField(id, label, { value, check = () => "", change, write = exact, optional = false, example = "3,14 o 1e-8" }) {
  const input = Object.assign(element("input"), { type: "text", id, autocomplete: "off", spellcheck: false });
  const name = element("label", "", label);
  name.htmlFor = id;
  const error = Object.assign(element("p", "wf-error"), { id: `${id}-error`, hidden: true });
  error.setAttribute("role", "alert");
  const warn = (message) => {
    error.textContent = message;
    error.hidden = !message;
    input.setAttribute("aria-invalid", Boolean(message));
    input.setAttribute("aria-describedby", message ? error.id : "");
  };
  const set = (number) => {
    input.value = number === null ? "" : write(number);
    warn("");
  };
  input.addEventListener("input", () => {
    const text = input.value.trim();
    const number = readNumber(text);
    if (!text) warn(optional ? "" : `Escribe un número, como ${example}.`);
    else warn(number === null ? `No entiendo «${text}»: escribe un número como ${example}.` : check(number));
    if (error.hidden) change(text ? number : null);
  });
  set(value);
  return { box: element("div", "wf-field", name, input, error), input, set };
}

export function selectField(id, label, options, { value, change }) {
  const select = Object.assign(element("select"), { id });
  select.append(...options.map(([key, text]) => Object.assign(element("option", "", text), { value: key })));
  select.value = value;
  const name = element("label", "", label);
  name.htmlFor = id;
  select.addEventListener("change", () => change(select.value));
  return { box: element("div", "wf-field", name, select), select };
}

export function button(text, action, className = "") {
  const node = element("button", className, text);
  node.type = "button";
  node.addEventListener("click", action);
  return node;
}

export function table(className, caption, head) {
  const cells = head.map((text) => Object.assign(element("th", "", text), { scope: "col" }));
  const body = element("tbody");
  return { node: element("table", className, element("caption", "", caption), element("thead", "", element("tr", "", ...cells)), body), body };
}

// Un aviso por cambio para quien escucha la página, no uno por cada tecla.
export function statusLine() {
  const node = element("p", "wf-status");
  node.setAttribute("role", "status");
  let timer;
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => (node.textContent = text), 400);
  };
  return { node, say };
}
