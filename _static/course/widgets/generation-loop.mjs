// <generation-loop>: el bucle de generación, token a token, sobre los pasos que exporta scripts/export_widgets.py.
const SECONDS = 1.2; // por paso, al reproducir
const decimal = (value) => {
  const text = (100 * value).toLocaleString("es", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return value > 0 && value < 0.0005 ? "< 0,1 %" : `${text} %`;
};

const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};

// El espacio que un token lleva delante se pinta como «·»; el de los especiales no existe.
export const visible = (token) => token.replace(/^ /, "·");

// Lo escrito tras `step` tokens: el inicio y los elegidos.
export const prefix = (example, step) => [
  ...example.start,
  ...example.steps.slice(0, step).map(({ candidates, chosen }) => candidates[chosen][0]),
];

class GenerationLoop extends HTMLElement {
  connectedCallback() {
    if (this.examples) return;
    this.examples = JSON.parse(this.querySelector("script").textContent).examples;
    this.build();
    this.choose(0);
  }

  disconnectedCallback() {
    this.stop();
  }

  build() {
    const picker = make("select");
    picker.id = `${this.id || "generation"}-${Math.random().toString(36).slice(2, 8)}`;
    picker.append(...this.examples.map(({ title, model }, index) => new Option(`${title} (${model})`, index)));
    picker.addEventListener("change", () => this.choose(Number(picker.value)));
    const label = make("label", "", "Ejemplo");
    label.htmlFor = picker.id;
    this.about = make("p", "gl-about");
    this.text = make("p", "gl-text");
    this.text.setAttribute("aria-label", "Texto escrito hasta ahora");
    this.caption = make("caption");
    this.body = make("tbody");
    const head = make("tr", "", ...["Candidato", "Probabilidad"].map((name) => {
      const cell = make("th", "", name);
      cell.scope = "col";
      return cell;
    }));
    const table = make("table", "gl-table", this.caption, make("thead", "", head), this.body);

    const button = (name, action) => {
      const node = make("button", "", name);
      node.type = "button";
      node.addEventListener("click", action);
      return node;
    };
    this.back = button("Atrás", () => this.move(-1));
    this.next = button("Paso", () => this.move(1));
    this.play = button("Reproducir", () => (this.timer ? this.stop() : this.start()));
    this.next.classList.add("gl-next");
    const restart = button("Empezar", () => {
      this.stop();
      this.show(0);
    });
    this.status = make("p", "gl-status");
    this.status.setAttribute("role", "status");
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Bucle de generación");
    this.addEventListener("keydown", (event) => this.key(event));
    const actions = make("div", "gl-actions", this.back, this.next, this.play, restart);
    this.replaceChildren(make("div", "gl-picker", label, picker), this.about, this.text, table, actions, this.status);
  }

  key(event) {
    if (event.target.tagName === "SELECT") return; // las flechas son suyas
    const moves = { ArrowRight: 1, ArrowLeft: -1 };
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "Home") this.show(0);
    else if (event.key === "End") this.show(this.example.steps.length);
    else return;
    this.stop();
    event.preventDefault();
  }

  choose(index) {
    this.stop();
    this.example = this.examples[index];
    const { prompt, kind, method } = this.example;
    this.about.replaceChildren(make("strong", "", "Prompt: "), prompt.replaceAll("\n", " ↵ "), make("span", "", `${kind} · ${method}`));
    this.show(0);
  }

  move(by) {
    this.show(Math.min(Math.max(this.step + by, 0), this.example.steps.length));
  }

  start() {
    if (this.step === this.example.steps.length) this.show(0);
    this.play.textContent = "Pausa";
    this.timer = setInterval(() => {
      this.move(1);
      if (this.step === this.example.steps.length) this.stop();
    }, 1000 * SECONDS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.play) this.play.textContent = "Reproducir";
  }

  show(step) {
    const { steps, start } = this.example;
    const done = step === steps.length;
    this.step = step;
    const tokens = prefix(this.example, step);
    this.text.replaceChildren(...tokens.map((token, index) => {
      const node = make("span", index < start.length ? "gl-token gl-given" : "gl-token", visible(token));
      if (step > 0 && index === tokens.length - 1) node.classList.add("gl-new");
      return node;
    }));
    // Al acabar se deja a la vista el último paso.
    const { candidates, chosen } = steps[done ? step - 1 : step];
    this.caption.textContent = done ? "Último paso" : `Paso ${step + 1} de ${steps.length}: ¿qué token va detrás?`;
    this.body.replaceChildren(...candidates.map(([token, prob], index) => {
      const name = make("th", "", make("code", "", visible(token)));
      name.scope = "row";
      const fill = make("span", "gl-fill");
      fill.style.width = `${100 * prob}%`;
      const bar = make("span", "gl-bar", fill);
      bar.setAttribute("aria-hidden", "true");
      const mark = index === chosen ? make("span", "gl-mark", "elegido") : "";
      const row = make("tr", index === chosen ? "is-chosen" : "", name, make("td", "", bar, make("span", "gl-value", decimal(prob)), mark));
      return row;
    }));
    // Sin `disabled`: un botón que se apaga pierde el foco, y con él se perdería el teclado.
    this.back.setAttribute("aria-disabled", step === 0);
    this.next.setAttribute("aria-disabled", done);
    const [token, prob] = candidates[chosen];
    this.status.textContent = done
      ? `Fin en ${steps.length} pasos: el último token es «${visible(token)}».`
      : `Se elige «${visible(token)}», con ${decimal(prob)}; se añade al texto y se vuelve a empezar.`;
  }
}

customElements.define("generation-loop", GenerationLoop);
