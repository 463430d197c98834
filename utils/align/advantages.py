"""Cuánto mejor de lo esperado ha salido cada token: recompensas por token, GAE y blanqueo.

La recompensa del modelo de recompensa llega una vez, con el último token; en cada token se resta además β por lo que la
política se aparta de la referencia. La ventaja de un token es lo que se gana desde él menos lo que la cabeza de valor
esperaba. Fuentes: Schulman et al. (2016), ecuación 16; Huang et al. (2024), secciones sobre ventajas y blanqueo.

Lo que NO hace: calcular la recompensa ni el valor, que traen quienes la usan.
"""

import torch
from torch import Tensor

from utils.model.precision import at_least_float32


def token_rewards(scores: Tensor, kl: Tensor, counted: Tensor, beta: float) -> Tensor:
    """−β·KL en cada token de la respuesta y, en el último, además la nota: (B,), (B, U), (B, U) -> (B, U).

    Error si una nota no es finita: no se puede aprender de ella.

    >>> token_rewards(torch.tensor([2.0]), torch.tensor([[0.5, 1.0, 9.0]]), torch.tensor([[1, 1, 0]]).bool(), 0.1)
    tensor([[-0.0500,  1.9000,  0.0000]])
    """
    if not torch.isfinite(scores).all():
        raise ValueError("Hay una recompensa que no es un número finito: mira qué respuesta la da antes de aprender.")
    last = counted & (counted.flip(-1).long().cumsum(-1).flip(-1) == 1)  # (B, U): la última que cuenta
    rewards = torch.where(counted, -beta * kl, 0.0)  # (B, U)
    return rewards + torch.where(last, scores[:, None], 0.0)  # (B, U)


def gae(
    rewards: Tensor, values: Tensor, counted: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Ventajas y retornos por GAE(γ, λ): tres tensores (B, U) -> dos (B, U), con 0 en el relleno.

    δ_t = r_t + γ·V_{t+1} − V_t es la sorpresa de un token; la ventaja suma esa y las siguientes, cada una multiplicada
    por γλ una vez más. Con λ = 1 y γ = 1 es lo que se gana de ahí al final menos el valor; con λ = 0, solo δ_t. El
    retorno, ventaja + valor, es lo que debe aprender a predecir la cabeza de valor.

    >>> one = torch.ones(1, 2).bool()
    >>> gae(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.4, 0.6]]), one, gamma=1.0, lam=1.0)[0]
    tensor([[0.6000, 0.4000]])
    """
    values, rewards = (torch.where(counted, x, 0.0) for x in (values, rewards))  # después del final no hay nada
    advantages = torch.zeros_like(rewards)  # (B, U)
    following, next_value = torch.zeros_like(rewards[:, 0]), torch.zeros_like(rewards[:, 0])  # (B,)
    for t in reversed(range(rewards.shape[1])):
        surprise = rewards[:, t] + gamma * next_value - values[:, t]  # (B,)
        following = torch.where(counted[:, t], surprise + gamma * lam * following, 0.0)  # (B,)
        advantages[:, t], next_value = following, values[:, t]
    return advantages, advantages + values


def whiten(values: Tensor, counted: Tensor) -> Tensor:
    """Resta la media y divide por la desviación típica de lo que cuenta en todo el lote: (B, U) -> (B, U).

    Por eso la media de las ventajas es siempre 0: no es algo que se pueda maximizar. Error si solo cuenta un token.

    >>> whiten(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[True, True, False]]))
    tensor([[-0.7071,  0.7071,  0.0000]])
    """
    values = at_least_float32(values)  # (B, U)
    chosen = values[counted]  # (N,)
    if len(chosen) < 2:
        raise ValueError("Con un solo token no hay desviación típica por la que dividir: usa lotes de más respuestas.")
    return torch.where(counted, (values - chosen.mean()) / (chosen.std() + 1e-8), 0.0)
