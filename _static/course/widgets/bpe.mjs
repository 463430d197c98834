// BPE de bytes: el corte en palabras de GPT-2 y las fusiones, una a una.
// Es `merge_steps` de utils/text/bpe_train.py; tests/mechanisms compara los dos en los casos de golden/bpe.json.
// Vuelve a contar el texto en cada fusión: basta para una frase.

const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

export const splitWords = (text) => text.match(WORDS) ?? [];

// De byte a id: primero los que son un carácter visible de Latin-1, como en GPT-2; decide los empates.
function byteIds() {
  const visible = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = [...Array(256).keys()];
  const ordered = [...bytes.filter(visible), ...bytes.filter((byte) => !visible(byte))];
  return { ordered, ids: new Map(ordered.map((byte, id) => [byte, id])) };
}

function countPairs(words) {
  const counts = new Map();
  for (const ids of words) {
    for (let i = 0; i + 1 < ids.length; i += 1) {
      const key = `${ids[i]},${ids[i + 1]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

function mergeWord(ids, [left, right], fresh) {
  const merged = [];
  for (let i = 0; i < ids.length; i += 1) {
    const found = ids[i] === left && ids[i + 1] === right;
    merged.push(found ? fresh : ids[i]);
    if (found) i += 1;
  }
  return merged;
}

// Las fusiones de un texto, hasta que ninguna pareja se repite. Cada paso lleva la pareja, el token nuevo (sus bytes),
// cuántas veces aparecía y cómo quedan las palabras. El paso 0 es el texto en bytes.
export function mergeSteps(text, limit = Infinity) {
  const { ordered, ids } = byteIds();
  const tokens = ordered.map((byte) => [byte]);
  const known = new Map(tokens.map((bytes, id) => [bytes.join(), id]));
  let words = splitWords(text).map((word) => [...new TextEncoder().encode(word)].map((byte) => ids.get(byte)));
  const bytesOf = () => words.map((word) => word.map((id) => tokens[id]));
  const steps = [{ words: bytesOf() }];
  while (steps.length <= limit) {
    let best = null;
    for (const [key, count] of countPairs(words)) {
      const pair = key.split(",").map(Number);
      const order = best && (best.count - count || pair[0] - best.pair[0] || pair[1] - best.pair[1]);
      if (!best || order < 0) best = { pair, count };
    }
    if (!best || best.count < 2) break;
    const [left, right] = best.pair.map((id) => tokens[id]);
    const token = [...left, ...right];
    const fresh = known.get(token.join()) ?? tokens.push(token) - 1;
    known.set(token.join(), fresh);
    words = words.map((word) => mergeWord(word, best.pair, fresh));
    steps.push({ left, right, token, count: best.count, words: bytesOf() });
  }
  return steps;
}

// Un token para leerlo: los espacios se ven, y los bytes de un carácter partido van en hexadecimal.
export function readable(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
    return text.replaceAll(" ", "·").replaceAll("\n", "↵");
  } catch {
    return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  }
}
