// El coste de un entrenamiento y su reparto óptimo. Es utils/cost/flops.py y scaling.py; tests/mechanisms compara los
// dos en golden/planner.json. Las constantes de las leyes y las GPU llegan de utils.

export const trainingFlops = (parameters, tokens) => 6 * parameters * tokens;
export const petaflopDays = (flops) => flops / (1e15 * 86400);
export const gpuHours = (flops, peakTflops, mfu) => flops / (peakTflops * 1e12 * mfu) / 3600;

// L(N, D) = E + A/N^α + B/D^β, en nats por token.
export const loss = ({ E, A, B, alpha, beta }, { parameters, tokens }) => E + A / parameters ** alpha + B / tokens ** beta;

// El N y el D que dejan la pérdida más baja con C = 6ND.
export function lawOptimum({ A, B, alpha, beta }, flops) {
  const g = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
  const parameters = g * (flops / 6) ** (beta / (alpha + beta));
  return { parameters, tokens: flops / 6 / parameters };
}

export function ruleOptimum(ratio, flops) {
  const parameters = Math.sqrt(flops / (6 * ratio));
  return { parameters, tokens: ratio * parameters };
}
