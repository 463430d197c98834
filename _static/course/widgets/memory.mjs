// Lo que ocupa entrenar un decodificador. Es utils/cost/{decoder_shape,activations,moments,memory}.py; tests/mechanisms compara
// los dos, byte a byte. Los bytes por número de cada precisión y las GPU llegan de utils.

const sum = (values) => values.reduce((total, value) => total + value, 0);

// Un aviso si los tamaños no encajan entre sí.
export function shapeProblem({ dModel, heads, kvHeads }) {
  if (dModel % heads) return `${heads} cabezas no dividen a D = ${dModel}: elige otro número de cabezas.`;
  if (heads % kvHeads) return `${kvHeads} cabezas de clave no dividen a ${heads}: cada una sirve a un grupo de cabezas.`;
  return "";
}

const kvDim = ({ dModel, heads, kvHeads }) => (dModel / heads) * kvHeads;

// Las formas de los parámetros, como [forma, cuántas veces].
function shapes(shape) {
  const { layers, dModel: d, dFf: f, vocab, tied } = shape;
  const kv = kvDim(shape);
  return [[[vocab, d], tied ? 1 : 2], [[d, d], 2 * layers], [[kv, d], 2 * layers], [[f, d], 2 * layers], [[d, f], layers], [[d], 2 * layers + 1]];
}

const size = (dims) => dims.reduce((product, dim) => product * dim, 1);

export const parameters = (shape) => sum(shapes(shape).map(([dims, times]) => size(dims) * times));

function optimizerBytes(shape, optimizer, bytes) {
  return sum(shapes(shape).map(([dims, times]) => {
    const n = size(dims);
    const numbers = { sgd: 0, momentum: n, adamw: 2 * n, adafactor: dims.length > 1 ? dims[0] + dims[1] : n }[optimizer];
    const counter = optimizer === "adamw" || optimizer === "adafactor" ? 4 : 0;
    return times * (numbers * bytes + counter);
  }));
}

const norm = (dim, bytes) => dim * (4 + 2 * bytes) + 4;

// Lo que guarda una capa para volver hacia atrás.
function layerBytes(shape, tokens, length, bytes, attention) {
  const { dModel: d, heads, dFf } = shape;
  const flash = attention === "sdpa";
  const mixing = flash ? bytes * (2 * d + 2 * kvDim(shape)) : bytes * 4 * d;
  const scores = flash ? 4 * heads : (bytes === 4 ? 4 : 4 + bytes) * heads * length;
  return tokens * (2 * norm(d, bytes) + mixing + scores + bytes * 4 * dFf);
}

// Las copias pasajeras de un parámetro que hace el paso de cada optimizador.
const STEP_COPIES = { sgd: 0, momentum: 0, adamw: 2, adafactor: 1 };

// Lo que hay vivo en cada momento, además de los pesos y el optimizador.
function stepMoments(shape, { tokens, bytes, gradientBytes, stepBytes, saved, kept, redone }) {
  const logits = 4 * tokens * shape.vocab;
  const table = gradientBytes * shape.vocab * shape.dModel;
  const everything = gradientBytes * parameters(shape);
  const inLayers = everything - table * (shape.tied ? 1 : 2);
  const passing = 2 * tokens * bytes * (shape.dFf + shape.dModel);
  const moment = (gradients, layers, logitsKept, again, temporary) => ({ gradients, layers, logits: logitsKept, redone: again, passing: temporary });
  return {
    "loss": moment(0, saved - logits, logits, 0, 2 * logits),
    "first layer": moment(table, shape.layers * kept, 0, redone, passing),
    "last layer": moment(table + inLayers, kept, 0, redone, passing),
    "embeddings": moment(everything, 0, 0, 0, shape.tied ? 2 * table : 0),
    "step": moment(everything, 0, 0, 0, stepBytes),
  };
}

export function trainingMemory(shape, { batch, length, precision, optimizer, attention, checkpointing }) {
  const { weights, gradients, state, master, activations: bytes } = precision;
  const n = parameters(shape);
  const tokens = batch * length;
  const layer = layerBytes(shape, tokens, length, bytes, attention);
  const rope = checkpointing ? 0 : 2 * length * (shape.dModel / shape.heads) * bytes;
  const logits = tokens * 4 * shape.vocab;
  const kept = checkpointing ? tokens * shape.dModel * bytes : layer;
  const saved = shape.layers * kept + tokens * norm(shape.dModel, bytes) + logits + tokens * 16 + rope + 4;
  const redone = checkpointing ? layer : 0;
  const stepBytes = STEP_COPIES[optimizer] * Math.max(...shapes(shape).map(([dims]) => size(dims))) * state;
  const moments = stepMoments(shape, { tokens, bytes, gradientBytes: gradients, stepBytes, saved, kept, redone });
  const alive = (name) => sum(Object.values(moments[name]));
  const fullest = Object.keys(moments).reduce((best, name) => (alive(name) > alive(best) ? name : best));
  const always = { weights: n * weights, optimizer: optimizerBytes(shape, optimizer, state) + n * master };
  return {
    ...always, gradients: n * gradients, activations: saved, logits, recomputed: redone, moments, fullest,
    total: always.weights + always.optimizer + alive(fullest),
  };
}

// El lote más grande que cabe en `room` bytes, 0 si ni uno.
export function largestBatch(shape, options, room) {
  const fits = (batch) => trainingMemory(shape, { ...options, batch }).total <= room;
  if (!fits(1)) return 0;
  let low = 1;
  let high = 2;
  while (fits(high) && high < 2 ** 40) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
