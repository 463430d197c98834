// <attention-map>: a quién mira cada token, sobre los pesos que exporta scripts/export_widgets.py (en milésimas).
const SVG = "http://www.w3.org/2000/svg";
const CELL = 22;
const decimal = (value) => value.toLocaleString("es", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};

const draw = (tag, attributes, text) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

// Los pesos (T, S) de una capa y una cabeza, entre 0 y 1; sin cabeza, la media de todas.
export function table(example, layer, head) {
  const heads = example.weights[layer];
  const chosen = head === null ? heads : [heads[head]];
  return example.rows.map((_, t) =>
    example.columns.map((__, s) => chosen.reduce((sum, rows) => sum + rows[t][s], 0) / chosen.length / 1000));
}

// Los índices de las columnas más miradas de una fila, de más a menos.
export const ranking = (row) => row.map((_, s) => s).sort((a, b) => row[b] - row[a] || a - b);

class AttentionMap extends HTMLElement {
  connectedCallback() {
    if (this.examples) return;
    this.examples = JSON.parse(this.querySelector("script").textContent).examples;
    this.build();
    this.choose(0);
  }

  build() {
    const names = this.examples.map(({ title, model }) => `${title} (${model})`);
    this.pick = {
      example: this.select("Frase", names, () => this.choose(Number(this.pick.example.input.value))),
      layer: this.select("Capa", [], () => this.update()),
      head: this.select("Cabeza", [], () => this.update()),
    };
    this.about = make("p", "am-about");
    this.words = make("div", "am-words");
    this.words.setAttribute("role", "group");
    this.words.setAttribute("aria-label", "Token que mira");
    this.words.addEventListener("keydown", (event) => this.move(event));
    this.map = draw("svg", { class: "am-map", role: "img" });
    this.map.addEventListener("pointermove", (event) => {
      const row = event.target.dataset?.row;
      if (row !== undefined) this.look(Number(row));
    });
    this.looks = make("ul", "am-looks");
    this.status = make("p", "am-status");
    this.status.setAttribute("role", "status");
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Mapa de atención");
    const pickers = make("div", "am-pickers", ...Object.values(this.pick).map(({ box }) => box));
    const hint = make("p", "am-hint", "Elige un token: la barra dice cuánto mira a cada uno.");
    this.replaceChildren(pickers, this.about, hint, this.words, this.looks, this.map, this.status);
  }

  select(name, options, action) {
    const input = make("select");
    input.id = `attention-${name.toLowerCase()}-${Math.random().toString(36).slice(2, 8)}`;
    input.append(...options.map((text, value) => new Option(text, value)));
    input.addEventListener("change", action);
    const label = make("label", "", name);
    label.htmlFor = input.id;
    return { box: make("div", "am-picker", label, input), input };
  }

  choose(index) {
    const example = this.examples[index];
    this.example = example;
    const { layer, head } = this.pick;
    layer.input.replaceChildren(...example.weights.map((_, number) => new Option(String(number + 1), number)));
    head.input.replaceChildren(...example.weights[0].map((_, number) => new Option(String(number + 1), number)));
    head.input.append(new Option("media de todas", "media"));
    this.about.textContent = `${example.kind[0].toUpperCase()}${example.kind.slice(1)} en «${example.text}»`;
    this.words.replaceChildren(...example.rows.map((token, row) => {
      const button = make("button", "am-word", token);
      button.type = "button";
      for (const name of ["click", "focus", "pointerenter"]) button.addEventListener(name, () => this.look(row));
      return button;
    }));
    this.row = Math.min(1, example.rows.length - 1);
    this.update();
  }

  update() {
    const { layer, head } = this.pick;
    const chosen = head.input.value === "media" ? null : Number(head.input.value);
    this.weights = table(this.example, Number(layer.input.value), chosen);
    this.paint();
    this.look(this.row);
  }

  paint() {
    const { rows, columns } = this.example;
    const margin = 9 * Math.max(...[...rows, ...columns].map((token) => token.length)) + 8;
    const [width, height] = [margin + CELL * columns.length + 4, margin + CELL * rows.length + 4];
    this.map.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.map.style.maxWidth = `${width * 1.3}px`;
    this.map.setAttribute("aria-label", `Mapa de calor de ${rows.length} filas, los que miran, y ${columns.length} columnas, los mirados`);
    const marks = [];
    columns.forEach((token, s) => {
      const x = margin + CELL * s + CELL / 2 + 4;
      marks.push(draw("text", { x, y: margin - 6, transform: `rotate(-90 ${x} ${margin - 6})` }, token));
    });
    rows.forEach((token, t) => {
      const y = margin + CELL * t;
      marks.push(draw("text", { x: margin - 6, y: y + CELL / 2 + 4, "text-anchor": "end", "data-row": t }, token));
      columns.forEach((_, s) => {
        const box = { x: margin + CELL * s, y, width: CELL, height: CELL, "data-row": t };
        marks.push(draw("rect", { ...box, class: "am-cell", "fill-opacity": this.weights[t][s] }));
      });
    });
    this.frame = draw("rect", { class: "am-frame", x: margin, width: CELL * columns.length, height: CELL });
    this.margin = margin;
    this.map.replaceChildren(...marks, this.frame);
  }

  look(row) {
    this.row = row;
    const { rows, columns } = this.example;
    const weights = this.weights[row];
    [...this.words.children].forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === row));
      button.tabIndex = index === row ? 0 : -1;
    });
    this.frame.setAttribute("y", this.margin + CELL * row);
    this.looks.replaceChildren(...columns.map((token, s) => {
      const fill = make("span", "am-fill");
      fill.style.width = `${100 * weights[s]}%`;
      return make("li", "", make("span", "am-token", token), make("span", "am-bar", fill), make("span", "am-value", decimal(weights[s])));
    }));
    const [first, second] = ranking(weights);
    const rest = second === undefined ? "" : ` y después a «${columns[second]}» (${decimal(weights[second])})`;
    this.status.textContent = `«${rows[row]}» mira sobre todo a «${columns[first]}» (${decimal(weights[first])})${rest}.`;
  }

  move(event) {
    const last = this.example.rows.length - 1;
    const target = { ArrowRight: this.row + 1, ArrowLeft: this.row - 1, Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.words.children[Math.max(0, Math.min(last, target))].focus();
  }
}

customElements.define("attention-map", AttentionMap);
