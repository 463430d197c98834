// De los logits a la distribución: temperatura, top-k, top-p y renormalización, en ese orden.
// Es `probabilities` de utils/model/sampling.py; tests/mechanisms compara las dos a 1e-6 en los casos de golden/sampling.json.
// Como allí, los logits pasan a float32 (Math.fround) antes de decidir empates; lo demás se calcula en float64.

export const TOP_P_TOLERANCE = 1e-6;

export function softmax(logits) {
  const max = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - max));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

export function applyTemperature(logits, temperature) {
  const max = Math.max(...logits.map(Math.fround));
  return logits.map((logit) => Math.fround(Math.fround(Math.fround(logit) - max) / Math.fround(temperature)));
}

// Los k logits mayores; los empatados con el k-ésimo también se quedan.
export function topKFilter(logits, k) {
  const threshold = [...logits].sort((a, b) => b - a)[k - 1];
  return logits.map((logit) => (logit < threshold ? -Infinity : logit));
}

// El menor conjunto de tokens más probables que suma al menos p; entre empatados va antes el de índice menor.
export function topPFilter(logits, p) {
  if (p === 1) return [...logits];
  const probs = softmax(logits);
  const order = probs.map((_, id) => id).sort((a, b) => probs[b] - probs[a] || a - b);
  const filtered = [...logits];
  let before = 0;
  order.forEach((id, rank) => {
    if (rank > 0 && before >= p - TOP_P_TOLERANCE) filtered[id] = -Infinity;
    before += probs[id];
  });
  return filtered;
}

// Todo lo que pasa por el camino: probabilidades tras la temperatura, filtro que corta cada token y distribución final.
export function steps(logits, { temperature = 1, topK = null, topP = null } = {}) {
  const scaled = applyTemperature(logits, temperature);
  const afterK = topK === null ? scaled : topKFilter(scaled, topK);
  const afterP = topP === null ? afterK : topPFilter(afterK, topP);
  const tempered = softmax(scaled);
  const cutBy = scaled.map((_, id) => (afterK[id] === -Infinity ? "top-k" : afterP[id] === -Infinity ? "top-p" : ""));
  const mass = tempered.reduce((sum, prob, id) => (cutBy[id] ? sum : sum + prob), 0);
  return { tempered, cutBy, mass, probs: softmax(afterP) };
}

export function probabilities(logits, options) {
  return steps(logits, options).probs;
}

// Sortea n veces y cuenta; `random` devuelve números en [0, 1).
export function sampleCounts(probs, n, random = Math.random) {
  const counts = probs.map(() => 0);
  const last = probs.findLastIndex((prob) => prob > 0); // recoge el redondeo de la suma
  for (let draw = 0; draw < n; draw += 1) {
    let rest = random();
    let id = 0;
    while (id < last && rest >= probs[id]) rest -= probs[id++];
    counts[id] += 1;
  }
  return counts;
}
