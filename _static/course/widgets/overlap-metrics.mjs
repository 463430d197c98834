// <overlap-metrics>: dos textos, lo que comparten y las notas que les ponen ROUGE y BLEU. Los cálculos están en overlap.mjs.
import { button, element, selectField, show, statusLine, table } from "./form.mjs";
import { TOKENIZERS, bleu, lcs, ngrams, rouge, words } from "./overlap.mjs";

const LONGEST = 300;
const ROUGE = { rouge1: "ROUGE-1", rouge2: "ROUGE-2", rougeL: "ROUGE-L" };
const TOKENIZER_NAMES = { "13a": "13a, la de sacreBLEU", es: "es, con los signos del español" };
const VIEWS = [
  ["rouge1", "ROUGE-1: palabras sueltas"], ["rouge2", "ROUGE-2: parejas de palabras"], ["rougeL", "ROUGE-L: palabras en el mismo orden"],
  ["bleu1", "BLEU: tokens sueltos"], ["bleu2", "BLEU: parejas de tokens"], ["bleu3", "BLEU: tríos de tokens"], ["bleu4", "BLEU: grupos de cuatro tokens"],
];
const number = (value) => show(value, 3);
const fraction = (part, whole) => (whole ? `${part}/${whole} =\u00a0${number(part / whole)}` : "no hay");
const rowTitle = (text, className = "") => Object.assign(element("th", className, text), { scope: "row" });
let copies = 0;

class OverlapMetrics extends HTMLElement {
  connectedCallback() {
    if (this.spec) return;
    this.spec = JSON.parse(this.querySelector("script").textContent);
    this.idPrefix = `overlap-${(copies += 1)}`;
    this.build();
    this.fill(this.spec.start);
  }

  build() {
    const textField = (name, label) => {
      const input = Object.assign(element("textarea"), { id: `${this.idPrefix}-${name}`, maxLength: LONGEST, rows: 2, spellcheck: false });
      input.addEventListener("input", () => this.update());
      const title = Object.assign(element("label", "", label), { htmlFor: input.id });
      return { input, box: element("div", "wf-field", title, input) };
    };
    this.reference = textField("reference", "Referencia (una persona)");
    this.candidate = textField("candidate", "Candidato (el modelo)");
    this.view = selectField(`${this.idPrefix}-view`, "Qué se resalta", VIEWS, {
      value: this.spec.start.view, change: () => this.update(),
    });
    this.tokenizer = selectField(`${this.idPrefix}-tokenizer`, "Tokens de BLEU", Object.entries(TOKENIZER_NAMES), {
      value: this.spec.start.tokenizer, change: () => this.update(),
    });
    const examples = this.spec.examples.map(({ name, ...texts }) => button(name, () => this.fill(texts)));
    this.lines = { reference: element("p", "om-tokens"), candidate: element("p", "om-tokens") };
    this.grams = table("om-grams", "Los n-gramas del candidato, con recorte: cuenta el menor de los dos números", ["n-grama", "Candidato", "Referencia", "Cuentan"]);
    this.rouge = table("om-rouge", "ROUGE: lo que coincide, entre lo escrito y entre lo esperado", ["Medida", "Precisión", "Recall", "F1"]);
    this.bleu = table("om-bleu", "BLEU: la media geométrica de las precisiones, multiplicada por la brevedad", ["BLEU", "De dónde sale", "Vale"]);
    this.signature = element("code");
    this.status = statusLine();
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "ROUGE y BLEU de dos textos");
    this.replaceChildren(
      element("div", "om-texts", this.reference.box, this.candidate.box),
      element("div", "wf-actions om-examples", element("span", "", "Prueba con"), ...examples),
      element("div", "om-texts", this.view.box, this.tokenizer.box),
      element("div", "om-pair", element("span", "om-name", "Referencia"), this.lines.reference, element("span", "om-name", "Candidato"), this.lines.candidate),
      this.status.node, this.grams.node, this.rouge.node, this.bleu.node,
      element("p", "wf-note", "La firma de este BLEU: ", this.signature, ". ROUGE no ve mayúsculas ni puntuación; BLEU, sí. Ninguna de las dos sabe qué significan las palabras."),
    );
  }

  fill({ reference, candidate, view, tokenizer }) {
    this.reference.input.value = reference;
    this.candidate.input.value = candidate;
    this.view.select.value = view;
    this.tokenizer.select.value = tokenizer ?? this.spec.start.tokenizer;
    this.update();
  }

  update() {
    const view = this.view.select.value;
    const n = view === "rougeL" ? 0 : Number(view.at(-1));
    const bleuTokens = TOKENIZERS[this.tokenizer.select.value];
    const texts = [this.candidate, this.reference].map(({ input }) => input.value.slice(0, LONGEST));
    const [candidate, reference] = texts.map(view.startsWith("bleu") ? bleuTokens : words);
    const { said, ...marks } = n ? this.drawGrams(candidate, reference, n) : this.drawOrder(candidate, reference);
    this.drawTokens(this.lines.candidate, candidate, marks.candidate);
    this.drawTokens(this.lines.reference, reference, marks.reference);
    const [ours, theirs] = texts.map(bleuTokens);
    const [scores, bleuScore] = [rouge(...texts.map(words)), bleu(ours, theirs)];
    this.drawRouge(scores);
    this.drawBleu(bleuScore, ours.length, theirs.length);
    const f1 = Object.entries(scores).map(([key, score]) => `${ROUGE[key]} ${number(score.f1)}`);
    this.status.say(`${said} ${f1.join(", ")} y BLEU ${show(bleuScore.score, 4)}.`);
  }

  // Qué se marca con n-gramas: los que cuentan y, en el candidato, las repeticiones que el recorte deja fuera.
  drawGrams(candidate, reference, n) {
    const found = ngrams(candidate, reference, n).filter(({ inCandidate }) => inCandidate.length);
    const marks = { candidate: new Map(), reference: new Map() };
    const paint = (map, starts, kind) => starts.forEach((start) => {
      for (let i = start; i < start + n; i += 1) if (map.get(i) !== "is-match") map.set(i, kind);
    });
    for (const { inCandidate, inReference, matched } of found) {
      paint(marks.candidate, inCandidate.slice(0, matched), "is-match");
      paint(marks.reference, inReference.slice(0, matched), "is-match");
      if (matched) paint(marks.candidate, inCandidate.slice(matched), "is-cut");
    }
    this.grams.node.hidden = !found.length;
    this.grams.body.replaceChildren(...found.map(({ ngram, inCandidate, inReference, matched }) =>
      element("tr", matched ? "is-match" : "", rowTitle(ngram), ...[inCandidate.length, inReference.length, matched].map((count) => element("td", "", String(count))))));
    const total = found.reduce((sum, { matched }) => sum + matched, 0);
    const size = Math.max(0, candidate.length - n + 1);
    return { ...marks, said: `Cuentan ${total} de los ${size} n-gramas del candidato.` };
  }

  drawOrder(candidate, reference) {
    const pairs = lcs(candidate, reference);
    this.grams.node.hidden = true;
    const common = pairs.map(([i]) => candidate[i]).join(" ");
    return {
      candidate: new Map(pairs.map(([i]) => [i, "is-match"])), reference: new Map(pairs.map(([, j]) => [j, "is-match"])),
      said: pairs.length ? `La subsecuencia común más larga mide ${pairs.length}: «${common}».` : "No hay ninguna subsecuencia común.",
    };
  }

  drawTokens(line, tokens, marks) {
    line.replaceChildren(...(tokens.length ? tokens.flatMap((token, i) => {
      const kind = marks.get(i);
      return [element(kind === "is-match" ? "mark" : "span", `om-token ${kind ?? ""}`, token), " "];
    }) : [element("span", "om-empty", "sin palabras")]));
  }

  drawRouge(scores) {
    this.rouge.body.replaceChildren(...Object.entries(scores).map(([key, { overlap, inCandidate, inReference, f1 }]) => {
      const cells = [fraction(overlap, inCandidate), fraction(overlap, inReference), element("strong", "", number(f1))];
      return element("tr", key === this.view.select.value ? "is-shown" : "", rowTitle(ROUGE[key]), ...cells.map((cell) => element("td", "", cell)));
    }));
  }

  drawBleu({ orders, brevity, score }, ours, theirs) {
    const rows = orders.map(({ n, overlap, total, precision }) => {
      const source = overlap || !score ? `${overlap} de ${total}` : `0 de ${total}, suavizada a ${number(precision * total)}`;
      return [`Precisión de ${n}-gramas, p${"₁₂₃₄"[n - 1]}`, source, number(precision)];
    });
    const shorter = ours < theirs;
    rows.push(["Brevedad, BP", shorter ? `${ours} tokens, menos que ${theirs}: exp(1 − ${theirs}/${ours})` : `${ours} tokens, y la referencia tiene ${theirs}`, number(brevity)]);
    const shown = this.view.select.value.slice(4);
    const lines = rows.map((row, i) => element("tr", `${i + 1}` === shown && i < orders.length ? "is-shown" : "", rowTitle(row[0]), ...row.slice(1).map((cell) => element("td", "", cell))));
    const power = orders.length > 1 ? `^(1/${orders.length})` : "";
    const formula = score ? `100 · BP · (${orders.map(({ n }) => `p${"₁₂₃₄"[n - 1]}`).join("·")})${power}` : "ningún token coincide";
    lines.push(element("tr", "om-total", rowTitle("BLEU"), element("td", "", formula), element("td", "", element("strong", "", show(score, 4)))));
    this.bleu.body.replaceChildren(...lines);
    this.signature.textContent = `case:mixed|eff:yes|tok:${this.tokenizer.select.value}|smooth:exp`;
  }
}

customElements.define("overlap-metrics", OverlapMetrics);
