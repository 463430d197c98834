// ROUGE y BLEU de un par de textos, con lo que coincide. Es utils/text/normalize.py, utils/measure/rouge.py y bleu.py;
// tests/mechanisms compara los dos en los casos de golden/overlap.json.

// Las palabras de ROUGE: minúsculas, sin puntuación, y con á, ñ y ü enteras.
export const words = (text) => text.toLowerCase().normalize("NFC").match(/(?:[\p{L}\p{N}][\u0300-\u036f]*)+/gu) ?? [];

function positions(tokens, n) {
  const found = new Map();
  for (let i = 0; i + n <= tokens.length; i += 1) {
    const key = tokens.slice(i, i + n).join(" ");
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(i);
  }
  return found;
}

// Los n-gramas de los dos textos, en el orden en que aparecen: cuántas veces sale cada uno y cuántas cuentan, con recorte.
export function ngrams(candidate, reference, n) {
  const [ours, theirs] = [positions(candidate, n), positions(reference, n)];
  return [...new Set([...ours.keys(), ...theirs.keys()])].map((ngram) => {
    const [inCandidate, inReference] = [ours.get(ngram) ?? [], theirs.get(ngram) ?? []];
    return { ngram, inCandidate, inReference, matched: Math.min(inCandidate.length, inReference.length) };
  });
}

// La subsecuencia común más larga, como [posición en el candidato, posición en la referencia].
export function lcs(candidate, reference) {
  const lengths = Array.from({ length: candidate.length + 1 }, () => Array(reference.length + 1).fill(0));
  for (let i = candidate.length - 1; i >= 0; i -= 1) {
    for (let j = reference.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = candidate[i] === reference[j] ? 1 + lengths[i + 1][j + 1] : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < candidate.length && j < reference.length;) {
    if (candidate[i] === reference[j]) pairs.push([i++, j++]);
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}

function score(overlap, inCandidate, inReference) {
  if (!overlap) return { overlap, inCandidate, inReference, precision: 0, recall: 0, f1: 0 };
  const [precision, recall] = [overlap / inCandidate, overlap / inReference];
  return { overlap, inCandidate, inReference, precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

const matches = (candidate, reference, n) => ngrams(candidate, reference, n).reduce((total, { matched }) => total + matched, 0);

// ROUGE-1, ROUGE-2 y ROUGE-L, con las cuentas de las que salen.
export function rouge(candidate, reference) {
  const count = (tokens, n) => Math.max(0, tokens.length - n + 1);
  const byNgrams = (n) => score(matches(candidate, reference, n), count(candidate, n), count(reference, n));
  return { rouge1: byNgrams(1), rouge2: byNgrams(2), rougeL: score(lcs(candidate, reference).length, candidate.length, reference.length) };
}

// Lo que Python entiende por espacio: lo de JavaScript, unos separadores antiguos y sin la marca de orden.
const SPACE = /(?!\ufeff)[\s\x1c-\x1f\x85]+/u;

// Los tokens de BLEU según sacreBLEU, «13a»: separa los signos ASCII y solo esos, así que «¿Qué» es un token.
function tokens13a(text) {
  const plain = text.replace(new RegExp(`(${SPACE.source})$`, "u"), "").replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ")
    .replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">");
  return ` ${plain} `.replace(/([{-~[-` -&(-+:-@/])/gu, " $1 ").replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2").replace(/([0-9])(-)/gu, "$1 $2 ").split(SPACE).filter(Boolean);
}

// Los del curso para el español, «es»: también «¿», «¡» y las comillas van aparte.
const ES = /\p{Nd}+(?:[.,:]\p{Nd}+)+|(?:[\p{L}\p{N}][\u0300-\u036f]*)+|[^\p{L}\p{N}\s\x1c-\x1f\x85]|\ufeff/gu;
const tokensEs = (text) => text.normalize("NFC").match(ES) ?? [];

export const TOKENIZERS = { "13a": tokens13a, es: tokensEs };

// BLEU de una frase: la media geométrica de las precisiones de 1 a 4, por la brevedad. Una precisión sin aciertos se
// suaviza a 1/2, 1/4... de acierto («exp»), y los órdenes que no caben en la frase no entran en la media.
export function bleu(candidate, reference) {
  const orders = [];
  let smooth = 1;
  for (let n = 1; n <= 4 && n <= candidate.length; n += 1) {
    const [overlap, total] = [matches(candidate, reference, n), candidate.length - n + 1];
    if (!overlap) smooth *= 2;
    orders.push({ n, overlap, total, precision: (overlap || 1 / smooth) / total });
  }
  const [c, r] = [candidate.length, reference.length];
  const brevity = c >= r ? 1 : c && Math.exp(1 - r / c);
  if (!orders.some(({ overlap }) => overlap)) return { orders, brevity, score: 0 };
  const logs = orders.reduce((total, { precision }) => total + Math.log(precision), 0);
  return { orders, brevity, score: 100 * brevity * Math.exp(logs / orders.length) };
}
