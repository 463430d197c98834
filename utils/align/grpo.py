"""GRPO y RLOO: aprender de la recompensa sin cabeza de valor, comparando cada respuesta con sus hermanas.

Se sacan G respuestas de cada prompt. Lo que se esperaba de una es lo que han sacado las demás: GRPO resta la media del
grupo y divide por su desviación típica; RLOO resta la media de las otras G − 1, sin sesgo y sin dividir. Todos los
tokens de una respuesta llevan la misma ventaja. Si las G sacan lo mismo, no hay nada que aprender de ese prompt.

Lo que NO hace: generar ni puntuar. Fuentes: Shao et al. (2024), ecuaciones 3 y 4; Ahmadian et al. (2024), sección 3.2.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from utils.align.answers import answer_token_logprobs, respond
from utils.align.kl import k3
from utils.align.ppo import Reward, clipped_loss
from utils.model.logprobs import sequence_mean, sequence_sum
from utils.model.precision import at_least_float32
from utils.train.loop import step
from utils.tune.lora import adapter_disabled


@dataclass(frozen=True)
class GRPOConfig:
    """Los mandos. `group` es G, las respuestas por prompt; `leave_one_out` cambia la ventaja de GRPO por la de RLOO."""

    group: int = 8
    beta: float = 0.0
    clip: float = 0.2
    scale: bool = True
    leave_one_out: bool = False
    epochs: int = 1
    minibatch: int = 64
    max_new_tokens: int = 48
    temperature: float = 1.0


def group_advantages(scores: Tensor, scale: bool = True) -> Tensor:
    """Ventaja de cada respuesta dentro de su grupo, (P, G) -> (P, G): nota menos media, entre la desviación típica.

    Sin `scale` no se divide: dividir da más peso a los prompts en que casi todas aciertan o casi todas fallan (Liu et
    al., 2025, «Dr. GRPO»). Error con menos de dos respuestas por prompt o con notas que no son finitas.

    >>> group_advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])).round(decimals=2)
    tensor([[ 0.8700, -0.8700, -0.8700,  0.8700],
            [ 0.0000,  0.0000,  0.0000,  0.0000]])
    """
    _check(scores)
    scores = at_least_float32(scores)  # (P, G)
    advantages = scores - scores.mean(dim=1, keepdim=True)  # (P, G)
    return advantages / (scores.std(dim=1, keepdim=True) + 1e-4) if scale else advantages


def leave_one_out(scores: Tensor) -> Tensor:
    """Ventaja de RLOO, (P, G) -> (P, G): la nota menos la media de las otras respuestas al mismo prompt.

    >>> leave_one_out(torch.tensor([[1.0, 0.0, 0.5]]))
    tensor([[ 0.7500, -0.7500,  0.0000]])
    """
    _check(scores)
    others = (scores.sum(dim=1, keepdim=True) - scores) / (scores.shape[1] - 1)  # (P, G)
    return scores - others


def grpo_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    counted: Tensor,
    reference_logprobs: Tensor | None = None,
    beta: float = 0.0,
    clip: float = 0.2,
) -> Tensor:
    """La pérdida de GRPO: por token, el recorte de PPO y β·k3; media por respuesta y media del lote -> escalar.

    log p de la política, de la que generó y de la referencia: (B, U) cada una; ventajas (B,); `counted` (B, U). Con una
    sola actualización por lote, las dos primeras son iguales y el recorte no actúa. Es `loss_type="grpo"` de TRL con
    `use_bias_correction_kl=False`: si no, TRL multiplica además k3 por el ratio. Error si hay β y falta la referencia.

    >>> zero, one = torch.zeros(1, 2), torch.ones(1, 2).bool()
    >>> grpo_loss(zero, zero, torch.tensor([0.7]), one).item()  # con ratio 1, menos la ventaja
    -0.699999988079071
    """
    if beta and reference_logprobs is None:
        raise ValueError("Con beta mayor que 0 hace falta reference_logprobs, log p según la referencia.")
    loss = clipped_loss(logprobs, old_logprobs, advantages[:, None], clip)  # (B, U)
    if beta:
        loss = loss + beta * k3(logprobs, reference_logprobs)  # (B, U)
    return sequence_mean(loss, counted).mean()


def grpo_iteration(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    prompts: Sequence[Sequence[int]],
    reward: Reward,
    config: GRPOConfig,
    pad_id: int,
    seed: int,
) -> dict[str, float]:
    """Una vuelta entera, para `utils.align.rl_loop.learn`. Con β, la referencia es el modelo con su adaptador apagado.

    Devuelve la nota media, la KL por respuesta si hay β, los tokens por respuesta y la fracción de prompts de los que
    se aprende algo: aquellos cuyas respuestas no sacan todas lo mismo.
    """
    model.eval()
    repeated = [prompt for prompt in prompts for _ in range(config.group)]  # (P · G)
    answers = respond(
        model, repeated, pad_id, max_new_tokens=config.max_new_tokens, temperature=config.temperature, seed=seed
    )
    with torch.no_grad():
        old = answer_token_logprobs(model, answers)  # (P · G, U)
        with adapter_disabled(model) if config.beta else nullcontext():
            reference = answer_token_logprobs(model, answers) if config.beta else None  # (P · G, U)
        scores = reward(answers).to(old).view(-1, config.group)  # (P, G)
    advantages = leave_one_out(scores) if config.leave_one_out else group_advantages(scores, config.scale)  # (P, G)
    shuffle = torch.Generator().manual_seed(seed)
    for epoch in range(config.epochs):
        for rows in torch.randperm(len(answers), generator=shuffle).split(config.minibatch):
            batch = answers.take(rows)
            loss = grpo_loss(
                answer_token_logprobs(model, batch), old[rows], advantages.flatten()[rows], batch.counted,
                reference[rows] if config.beta else None, config.beta, config.clip,
            )  # fmt: skip
            step(loss, optimizer, number=epoch)
    kl = sequence_sum(old - reference, answers.counted).mean().item() if config.beta else 0.0
    return {
        "score": scores.mean().item(),
        "kl": kl,
        "tokens": answers.counted.sum(-1).float().mean().item(),
        "useful": (scores.std(dim=1) > 0).float().mean().item(),
    }


def _check(scores: Tensor) -> None:
    if scores.dim() != 2 or scores.shape[1] < 2:
        raise ValueError(f"Las notas deben tener forma (prompts, respuestas ≥ 2) y tienen {tuple(scores.shape)}.")
    if not torch.isfinite(scores).all():
        raise ValueError("Hay una recompensa que no es un número finito: mira qué respuesta la da antes de aprender.")
