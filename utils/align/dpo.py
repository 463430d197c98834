"""DPO: aprender de parejas sin modelo de recompensa, porque la política y su referencia ya llevan una dentro.

La recompensa implícita de una respuesta es β·(log π − log π_ref), y DPO la pone en la pérdida del modelo de recompensa:
−log σ de la diferencia entre la preferida y la otra. Al empezar π = π_ref, así que la pérdida es ln 2. Solo cuenta la
diferencia: puede crecer aunque baje log π de la preferida, si baja más la de la otra.

Lo que NO hace: generar. Fuentes: Rafailov et al. (2023), ecuación 7; IPO, Azar et al. (2023), ecuación 17.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.align.answers import Answers, answer_token_logprobs, pack_answers
from utils.model.batching import Batch
from utils.model.logprobs import sequence_sum
from utils.model.precision import at_least_float32
from utils.train.objectives import Example
from utils.tune.lora import adapter_disabled, lora_layers


class Margins(NamedTuple):
    """La recompensa implícita, sin β, de las preferidas y de las otras: log π − log π_ref, (B,) y (B,)."""

    chosen: Tensor
    rejected: Tensor


def dpo_loss(margins: Margins, beta: float) -> Tensor:
    """−log σ(β·(preferida − otra)), media de las parejas: escalar.

    >>> equal, better = torch.tensor([0.0]), torch.tensor([5.0])
    >>> [round(dpo_loss(Margins(chosen, equal), beta=0.1).item(), 4) for chosen in (equal, better)]
    [0.6931, 0.4741]
    """
    difference = at_least_float32(margins.chosen) - at_least_float32(margins.rejected)  # (B,)
    return -F.logsigmoid(beta * difference).mean()


def ipo_loss(margins: Margins, beta: float) -> Tensor:
    """(preferida − otra − 1/(2β))², media de las parejas: escalar. Busca una distancia, en lugar de separarlas sin fin.

    TRL divide antes cada recompensa implícita por los tokens de su respuesta.

    >>> ipo_loss(Margins(torch.tensor([5.0]), torch.tensor([0.0])), beta=0.1).item()
    0.0
    """
    return ((margins.chosen - margins.rejected - 1 / (2 * beta)) ** 2).mean()


@dataclass(frozen=True)
class AnswerPairs:
    """Lotes de {"prompt": ids, "chosen": ids, "rejected": ids}: las B preferidas y luego las otras, como `Answers`."""

    pad_id: int

    def __call__(self, examples: list[Example], rng: np.random.Generator | None = None) -> Batch:
        prompts = [example["prompt"] for example in examples] * 2
        answers = [example[side] for side in ("chosen", "rejected") for example in examples]
        return vars(pack_answers(prompts, answers, self.pad_id))


def answer_logprobs(model: nn.Module, batch: Answers) -> Tensor:
    """log p de cada respuesta entera, en nats: la suma de sus tokens, (B,)."""
    return sequence_sum(answer_token_logprobs(model, batch), batch.counted)


def margins(model: nn.Module, batch: Batch, reference: nn.Module | None = None) -> Margins:
    """log π − log π_ref de las preferidas y de las otras. Sin `reference`, lo es el modelo con su adaptador apagado.

    Error si no hay referencia ni adaptador que apagar.
    """
    if reference is None and not lora_layers(model):
        raise ValueError("Falta la referencia: pasa una copia congelada del modelo o ponle un adaptador con add_lora.")
    answers = Answers(**batch)
    with torch.no_grad(), adapter_disabled(model) if reference is None else nullcontext(reference) as frozen:
        anchor = answer_logprobs(frozen, answers)  # (2B,)
    return Margins(*(answer_logprobs(model, answers) - anchor).chunk(2))
