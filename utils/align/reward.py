"""El modelo de recompensa: un transformer con una cabeza que da un solo número a cada respuesta.

Se entrena con parejas y una pérdida que solo mira la diferencia, −log σ(r_preferida − r_otra), así que aprende un
orden: sumar la misma constante a las dos notas no la cambia. La red puntúa las respuestas de una en una, también al
entrenar; quien compara es la pérdida. La cabeza empieza en cero: al principio no prefiere nada y la pérdida es ln 2.

Lo que NO hace: decir si una respuesta es buena por sí sola; su nota no tiene cero. Fuentes: Bradley y Terry (1952);
Stiennon et al. (2020), sección 3.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.model.batching import Batch, attention_mask, length_batches, pad, to_device, token_positions
from utils.model.precision import at_least_float32
from utils.train.objectives import Example


class RewardModel(nn.Module):
    """Un transformer sin su capa de salida y una cabeza de D números a uno.

    Un decodificador se lee en su último token, el único que lo ha visto todo (`reads="last"`); un codificador, en el
    primero (`reads="first"`). El relleno va a la derecha.
    """

    def __init__(self, backbone: nn.Module, reads: Literal["first", "last"] = "last"):
        super().__init__()
        self.backbone, self.reads = backbone, reads
        self.head = nn.Linear(backbone.config.hidden_size, 1, bias=False)
        nn.init.zeros_(self.head.weight)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Una nota por fila: (B, T), (B, T) -> (B,)."""
        positions = token_positions(attention_mask)  # (B, T)
        states = self.backbone(input_ids=input_ids, attention_mask=attention_mask, position_ids=positions)
        read = attention_mask.sum(-1) - 1 if self.reads == "last" else torch.zeros_like(attention_mask[:, 0])  # (B,)
        rows = torch.arange(len(input_ids), device=input_ids.device)  # (B,)
        return self.head(states.last_hidden_state[rows, read]).squeeze(-1)  # (B,)


def pair_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """−log σ(r_preferida − r_otra), media de las parejas: dos tensores (B,) -> escalar. Error si no van por parejas.

    >>> [round(pair_loss(torch.tensor([r]), torch.tensor([0.0])).item(), 4) for r in (0.0, 2.0, -2.0)]
    [0.6931, 0.1269, 2.1269]
    """
    if chosen.shape != rejected.shape or not len(chosen):
        raise ValueError(f"Hay {len(chosen)} preferidas y {len(rejected)} descartadas: deben ir por parejas.")
    return -F.logsigmoid(at_least_float32(chosen) - at_least_float32(rejected)).mean()


@dataclass(frozen=True)
class TextPairs:
    """Lotes de {"chosen": ids, "rejected": ids}, con el prompt dentro: primero las B preferidas y luego las otras.

    >>> TextPairs(pad_id=0)([{"chosen": [4, 5], "rejected": [6]}])["input_ids"].tolist()
    [[4, 5], [6, 0]]
    """

    pad_id: int

    def __call__(self, examples: list[Example], rng: np.random.Generator | None = None) -> Batch:
        rows = [example[side] for side in ("chosen", "rejected") for example in examples]
        return {"input_ids": pad(rows, self.pad_id), "attention_mask": attention_mask(rows)}  # (2B, T)


def reward_loss(model: nn.Module, batch: Batch) -> Tensor:
    """La pérdida de un lote de `TextPairs`, para `utils.train.loop.train`."""
    return pair_loss(*model(**batch).chunk(2))


def count_pairs(batch: Batch) -> int:
    """Parejas de un lote de `TextPairs`."""
    return len(batch["input_ids"]) // 2


@torch.no_grad()
def score(model: nn.Module, rows: Sequence[Sequence[int]], pad_id: int, batch_size: int = 50) -> np.ndarray:
    """La nota de cada texto, en listas de ids con su prompt delante y en modo evaluación: (N,). Error si no hay."""
    if not rows:
        raise ValueError("No hay textos que puntuar.")
    model.eval()
    scores = np.empty(len(rows))
    for chosen in length_batches([len(row) for row in rows], batch_size):
        texts = [rows[i] for i in chosen]
        batch = to_device({"input_ids": pad(texts, pad_id), "attention_mask": attention_mask(texts)}, model)
        scores[chosen] = model(**batch).cpu().numpy()
    return scores
