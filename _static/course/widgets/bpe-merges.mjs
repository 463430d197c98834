// <bpe-merges>: las fusiones de BPE sobre un texto que se escribe, adelante y atrás. Los cálculos están en bpe.mjs.
import { mergeSteps, readable } from "./bpe.mjs";

const LONGEST = 160;
const times = (count) => (count === 1 ? "1 vez" : `${count} veces`);
let copies = 0;

const element = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};

class BpeMerges extends HTMLElement {
  connectedCallback() {
    if (this.spec) return;
    this.spec = JSON.parse(this.querySelector("script").textContent);
    this.build(`bpe-${(copies += 1)}`);
    this.restart(this.spec.text);
  }

  build(id) {
    this.input = Object.assign(element("input"), { type: "text", id, maxLength: LONGEST, autocomplete: "off", spellcheck: false });
    this.input.addEventListener("input", () => this.restart(this.input.value));
    const label = element("label", "", "Tu texto");
    label.htmlFor = id;
    const button = (text, className, action) => {
      const node = element("button", className, text);
      node.type = "button";
      node.addEventListener("click", action);
      return node;
    };
    this.back = button("Fusión anterior", "", () => this.go(-1));
    this.next = button("Fusión siguiente", "bm-main", () => this.go(1));
    const reset = button("Restablecer", "", () => this.restart(this.spec.text));
    this.tokens = element("p", "bm-tokens");
    this.tokens.setAttribute("role", "img");
    this.status = element("p", "bm-status");
    this.status.setAttribute("role", "status");
    const head = element("tr", "", ...["Fusión", "Pareja", "Token nuevo", "Apariciones", "Quedan"].map((text) => {
      const cell = element("th", "", text);
      cell.scope = "col";
      return cell;
    }));
    this.body = element("tbody");
    this.table = element("table", "bm-table", element("caption", "", "Fusiones aprendidas, en orden"), element("thead", "", head), this.body);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Fusiones de BPE paso a paso");
    const actions = element("div", "bm-actions", this.back, this.next, reset);
    this.replaceChildren(element("div", "bm-field", label, this.input), this.tokens, actions, this.status, this.table);
  }

  restart(text) {
    if (this.input.value !== text) this.input.value = text;
    this.steps = mergeSteps(text.slice(0, LONGEST));
    this.show(0);
  }

  go(change) {
    if (this.steps[this.step + change]) this.show(this.step + change);
  }

  show(step) {
    this.step = step;
    const last = this.steps.length - 1;
    const { words, token } = this.steps[step];
    // Con `disabled` el botón perdería el foco del teclado: se anuncia que no se puede, y `go` no hace nada.
    this.back.setAttribute("aria-disabled", step === 0);
    this.next.setAttribute("aria-disabled", step === last);
    const fresh = token?.join();
    this.tokens.replaceChildren(...words.map((word) => element("span", "bm-word", ...word.map((bytes) =>
      element("span", bytes.join() === fresh ? "bm-token is-new" : "bm-token", readable(bytes))))));
    const flat = words.flat();
    this.tokens.setAttribute("aria-label", `El texto en ${flat.length} tokens: ${flat.map(readable).join(" | ")}`);
    this.body.replaceChildren(...this.steps.slice(1, step + 1).map((merge, i) => this.row(merge, i + 1)).reverse());
    this.table.hidden = step === 0;
    this.status.textContent = this.describe(step, last, flat.length);
  }

  row({ left, right, token, count, words }, number) {
    const name = element("th", "", String(number));
    name.scope = "row";
    const pair = element("td", "", element("code", "", readable(left)), " + ", element("code", "", readable(right)));
    const cells = [element("td", "", element("code", "", readable(token))), element("td", "bm-number", String(count))];
    return element("tr", "", name, pair, ...cells, element("td", "bm-number", String(words.flat().length)));
  }

  describe(step, last, size) {
    if (size === 0) return "Escribe un texto para ver sus fusiones.";
    const tokens = size === 1 ? "1 token" : `${size} tokens`;
    if (last === 0) return `El texto ocupa ${tokens} y ninguna pareja se repite: no hay nada que fundir.`;
    if (step === 0) return `Sin fusiones: un token por byte, ${tokens}. Hay ${last === 1 ? "1 fusión" : `${last} fusiones`} por hacer.`;
    const { left, right, count } = this.steps[step];
    const end = step === last ? " Ninguna pareja más se repite." : "";
    return `Fusión ${step} de ${last}: «${readable(left)}» y «${readable(right)}» aparecían juntos ${times(count)}. Quedan ${tokens}.${end}`;
  }
}

customElements.define("bpe-merges", BpeMerges);
