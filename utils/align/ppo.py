"""PPO: mejorar una política con lo que ella misma genera, sin alejarse de golpe de la que lo generó.

Cada vuelta tiene dos partes. `collect`: la política contesta a unos prompts, se puntúa cada respuesta y se calcula
cuánto mejor de lo esperado ha ido cada token. `update`: varias pasadas por esas mismas respuestas, en minilotes, que
suben log p de lo que fue mejor y bajan la de lo que fue peor. Como la política ya no es la que las generó, cada token
se corrige con el ratio π_θ/π_old, y el recorte quita el gradiente a quien ya se ha alejado más de ε.

Hay dos anclas distintas: π_old, que cambia en cada vuelta y sirve para el recorte, y π_ref, fija, de la que se mide la
KL. Fuentes: Schulman et al. (2017), ecuación 7; Ouyang et al. (2022), ecuación 2; Huang et al. (2024).

Lo que NO hace: mover los pesos de la base; con LoRA, la referencia es el mismo modelo con el adaptador apagado.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from utils.align.advantages import gae, token_rewards, whiten
from utils.align.answers import Answers, answer_states, respond
from utils.align.kl import k1
from utils.model.logprobs import sequence_sum, token_entropies, token_logprobs
from utils.model.precision import at_least_float32
from utils.train.loop import step
from utils.tune.lora import adapter_disabled

#: La nota de cada respuesta de un lote: (B,).
Reward = Callable[[Answers], Tensor]


@dataclass(frozen=True)
class PPOConfig:
    """Los mandos. `beta` pesa la KL; `clip` es ε; `epochs`, las pasadas por cada lote de respuestas."""

    beta: float = 0.05
    clip: float = 0.2
    gamma: float = 1.0
    lam: float = 0.95
    epochs: int = 2
    minibatch: int = 16
    value_weight: float = 0.5
    entropy_weight: float = 0.0
    max_new_tokens: int = 48
    temperature: float = 1.0


class ActorCritic(nn.Module):
    """La política y, sobre su último estado, una cabeza que predice cuánto se va a ganar desde cada token.

    La cabeza empieza en cero y lee el estado sin derivar: aprende a predecir, pero no mueve la política.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        width = getattr(model.config, "d_model", None) or model.config.hidden_size  # T5 lo llama d_model
        self.value_head = nn.Linear(width, 1)
        nn.init.zeros_(self.value_head.weight)
        nn.init.zeros_(self.value_head.bias)

    def forward(self, answers: Answers) -> tuple[Tensor, Tensor, Tensor]:
        """log p de cada token de la respuesta, valor que se espera antes de darlo y entropía: (B, U) cada una."""
        logits, states = answer_states(self.model, answers)  # (B, U, V), (B, U, D)
        values = self.value_head(states.detach().float()).squeeze(-1)  # (B, U)
        return token_logprobs(logits, answers.labels), values, token_entropies(logits, answers.labels)


@dataclass(frozen=True)
class Rollout:
    """Un lote de respuestas con lo que hace falta para aprender de él; todo (B, U) menos `scores`, (B,)."""

    answers: Answers
    scores: Tensor
    logprobs: Tensor
    kl: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor


@torch.no_grad()
def collect(
    policy: ActorCritic, prompts: Sequence[Sequence[int]], reward: Reward, config: PPOConfig, pad_id: int, seed: int
) -> Rollout:
    """La política contesta y se anota cada token: su log p, su KL con la referencia, su valor y su ventaja.

    El muestreo es puro, sin top-k ni top-p: si no, log p no sería la de la distribución de la que salió el token.
    """
    answers = respond(
        policy.model, prompts, pad_id, max_new_tokens=config.max_new_tokens, temperature=config.temperature, seed=seed
    )
    logprobs, values, _ = policy(answers)  # (B, U), (B, U)
    with adapter_disabled(policy.model):
        reference = policy(answers)[0]  # (B, U)
    kl, counted = k1(logprobs, reference), answers.counted  # (B, U)
    scores = reward(answers).to(logprobs)  # (B,)
    rewards = token_rewards(scores, kl, counted, config.beta)  # (B, U)
    advantages, returns = gae(rewards, values, counted, config.gamma, config.lam)  # (B, U), (B, U)
    return Rollout(answers, scores, logprobs, kl, values, whiten(advantages, counted), returns)


def clipped_loss(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """−min(ρ·A, recortado(ρ, 1 ± ε)·A) de cada token, con ρ = π_θ/π_old: tres tensores (B, U) -> (B, U).

    Con A > 0 deja de empujar cuando ρ pasa de 1 + ε; con A < 0, cuando baja de 1 − ε. Al otro lado sí corrige.

    >>> clipped_loss(torch.tensor([1.5]).log(), torch.tensor([0.0]), torch.tensor([1.0]), clip=0.2).item()
    -1.2000000476837158
    """
    ratio = (at_least_float32(logprobs) - at_least_float32(old_logprobs)).exp()  # (B, U)
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def clipped_value_loss(values: Tensor, old_values: Tensor, returns: Tensor, clip: float) -> Tensor:
    """½ (V − retorno)² de cada token, sin dejar que V se aleje más de ε del que había: tres (B, U) -> (B, U).

    >>> clipped_value_loss(torch.tensor([0.9]), torch.tensor([0.0]), torch.tensor([1.0]), clip=0.2).item()
    0.320000022649765
    """
    near = old_values + (values - old_values).clamp(-clip, clip)  # (B, U)
    return torch.maximum((values - returns) ** 2, (near - returns) ** 2) / 2


def update(
    policy: ActorCritic, optimizer: torch.optim.Optimizer, rollout: Rollout, config: PPOConfig, seed: int
) -> float:
    """Aprende de un lote de respuestas, `epochs` veces, en minilotes barajados con `seed`. Cambia la política.

    Devuelve qué fracción de los tokens acaba con el ratio fuera de 1 ± ε, en el último minilote.
    """
    policy.eval()  # sin dropout: si no, el ratio no sería 1 ni en el primer paso
    shuffle = torch.Generator().manual_seed(seed)
    for epoch in range(config.epochs):
        for rows in torch.randperm(len(rollout.answers), generator=shuffle).split(config.minibatch):
            answers, old = rollout.answers.take(rows), rollout.logprobs[rows]  # (b, U)
            logprobs, values, entropy = policy(answers)  # (b, U) cada una
            loss = clipped_loss(logprobs, old, rollout.advantages[rows], config.clip)  # (b, U)
            value_loss = clipped_value_loss(values, rollout.values[rows], rollout.returns[rows], config.clip)  # (b, U)
            loss = loss + config.value_weight * value_loss - config.entropy_weight * entropy  # (b, U)
            step(loss[answers.counted].mean(), optimizer, number=epoch)
    outside = ((logprobs - old).exp() - 1).abs() > config.clip  # (b, U)
    return outside[answers.counted].float().mean().item()


def ppo_iteration(
    policy: ActorCritic,
    optimizer: torch.optim.Optimizer,
    prompts: Sequence[Sequence[int]],
    reward: Reward,
    config: PPOConfig,
    pad_id: int,
    seed: int,
) -> dict[str, float]:
    """Una vuelta, para `utils.align.rl_loop.learn`: nota media, KL y tokens por respuesta, y fracción recortada."""
    rollout = collect(policy, prompts, reward, config, pad_id, seed)
    return {
        "score": rollout.scores.mean().item(),
        "kl": sequence_sum(rollout.kl, rollout.answers.counted).mean().item(),
        "tokens": rollout.answers.counted.sum(-1).float().mean().item(),
        "clipped": update(policy, optimizer, rollout, config, seed),
    }
