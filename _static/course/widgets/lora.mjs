// Lo que cuesta un adaptador LoRA. Es utils/tune/lora_cost.py; tests/mechanisms compara los dos en golden/lora.json.
// Cada grupo de matrices es [filas d, columnas k, cuántas].

export const loraParameters = (d, k, rank) => rank * (d + k);
export const evenRank = (d, k) => (d * k) / (d + k);

const sum = (matrices, size) => matrices.reduce((total, [d, k, times]) => total + times * size(d, k), 0);

// `adamw`: los bytes que el optimizador recuerda de cada parámetro entrenado.
export function loraCost(matrices, rank, adamw, parameters = null) {
  const trained = sum(matrices, (d, k) => loraParameters(d, k, rank));
  const adapted = sum(matrices, (d, k) => d * k);
  const model = parameters ?? adapted;
  const saved = adamw * (model - trained);
  return { trained, adapted, model, share: trained / (model + trained), fewer: 1 - trained / adapted, fp32: 4 * trained, half: 2 * trained, saved };
}
