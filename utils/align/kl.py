"""Cuánto se aparta una política π de su referencia π_ref: la KL exacta y tres estimaciones con el token que salió.

La exacta suma sobre todo el vocabulario y pide las dos distribuciones enteras. Las estimaciones solo miran log p del
token muestreado: con d = log π − log π_ref, k1 = d no tiene sesgo, pero puede ser negativa; k2 = d²/2 nunca lo es, y
tiene sesgo; k3 = e^(−d) − 1 + d no lo es, y no tiene sesgo. Fuente: Schulman (2020), «Approximating KL Divergence».

Lo que NO hace: sumar por respuesta (`utils.model.logprobs.sequence_sum`). Las estimaciones son de KL(π ‖ π_ref) solo si
los tokens los ha sacado π.
"""

from torch import Tensor

from utils.model.precision import at_least_float32


def exact_kl(policy_logits: Tensor, reference_logits: Tensor) -> Tensor:
    """KL(π ‖ π_ref) de cada posición, en nats: dos tensores de logits (..., V) -> (...).

    Un token que π no da nunca (logit −∞) no suma; uno que da π y no π_ref hace infinita la KL. Error si las formas no
    son iguales.

    >>> import torch
    >>> round(exact_kl(torch.tensor([0.0, 0.0]), torch.tensor([0.9, 0.1]).log()).item(), 4)  # ½ ln(0,5/0,9) + ½ ln 5
    0.5108
    """
    if policy_logits.shape != reference_logits.shape:
        raise ValueError(
            f"Los logits de la política {tuple(policy_logits.shape)} y los de la referencia "
            f"{tuple(reference_logits.shape)} deben tener la misma forma: los dos leen la misma respuesta."
        )
    policy = at_least_float32(policy_logits).log_softmax(dim=-1)  # (..., V)
    reference = at_least_float32(reference_logits).log_softmax(dim=-1)  # (..., V)
    p = policy.exp()  # (..., V)
    return (p * (policy - reference)).masked_fill(p == 0, 0.0).sum(dim=-1)  # (...)


def k1(policy: Tensor, reference: Tensor) -> Tensor:
    """log π − log π_ref de cada token: sin sesgo, y negativa donde la referencia da más. La usa PPO. (...) -> (...)

    >>> import torch
    >>> k1(torch.tensor([-1.0, -3.0]), torch.tensor([-2.0, -1.0])).tolist()
    [1.0, -2.0]
    """
    return policy - reference


def k2(policy: Tensor, reference: Tensor) -> Tensor:
    """La mitad del cuadrado de k1: nunca negativa y con sesgo, pequeño si las dos se parecen. (...) -> (...)

    >>> import torch
    >>> k2(torch.tensor([-1.0, -3.0]), torch.tensor([-2.0, -1.0])).tolist()
    [0.5, 2.0]
    """
    return (policy - reference) ** 2 / 2


def k3(policy: Tensor, reference: Tensor) -> Tensor:
    """π_ref/π − 1 − log(π_ref/π): nunca negativa y sin sesgo. La usa GRPO. (...) -> (...)

    Fuente: Shao et al. (2024), ecuación 4.

    >>> import torch
    >>> [round(x, 4) for x in k3(torch.tensor([-1.0, -3.0]), torch.tensor([-2.0, -1.0])).tolist()]
    [0.3679, 4.3891]
    """
    difference = at_least_float32(reference) - at_least_float32(policy)
    return difference.exp() - 1 - difference
