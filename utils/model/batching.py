"""Lotes: filas de distinta longitud en un tensor, con su relleno, su máscara, sus posiciones y su dispositivo.

Es lo que comparten entrenar, generar y medir. Una fila es una lista de ids; un lote, un diccionario de tensores con los
nombres que usa transformers. El relleno lleva un 0 en la máscara, e `IGNORE` en las etiquetas: no lo lee ni lo aprende
nadie. Los textos se agrupan por longitud, porque así casi no hay relleno.

Lo que NO hace: tokenizar, ni decidir qué tokens cuentan en la pérdida (`utils.train.objectives`).
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

#: La etiqueta de un token que no cuenta: la única que se salta la entropía cruzada de PyTorch, y la de transformers.
IGNORE = -100
Batch = dict[str, torch.Tensor]
Side = Literal["left", "right"]


def pad(rows: Sequence[Sequence[int]], value: int, side: Side = "right") -> torch.Tensor:
    """Rellena con `value`, por la derecha o por la izquierda, hasta la fila más larga: (B, T).

    Para seguir generando se rellena por la izquierda: el último token de cada fila es así de verdad. Error si no hay
    filas o están todas vacías.

    >>> pad([[5, 6], [7]], value=0).tolist(), pad([[5, 6], [7]], value=0, side="left").tolist()
    ([[5, 6], [7, 0]], [[5, 6], [0, 7]])
    """
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise ValueError("El lote no tiene ningún token: pasa al menos un ejemplo, y que no esté vacío.")
    if side not in ("left", "right"):
        raise ValueError(f"side es {side!r}: se rellena por «left», la izquierda, o por «right», la derecha.")
    fillers = ([value] * (width - len(row)) for row in rows)
    if side == "left":
        return torch.tensor([[*filler, *row] for filler, row in zip(fillers, rows, strict=True)])  # (B, T)
    return torch.tensor([[*row, *filler] for filler, row in zip(fillers, rows, strict=True)])  # (B, T)


def attention_mask(rows: Sequence[Sequence[int]], side: Side = "right") -> torch.Tensor:
    """1 en los tokens de verdad, 0 en el relleno: (B, T). Error si una fila no tiene ninguno.

    >>> attention_mask([[5, 6], [7]]).tolist()
    [[1, 1], [1, 0]]
    """
    if empty := [i for i, row in enumerate(rows) if not len(row)]:
        raise ValueError(f"El ejemplo número {empty[0]} del lote no tiene ningún token: quítalo.")
    return pad([[1] * len(row) for row in rows], 0, side)  # (B, T)


def check_batch(input_ids: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
    """Devuelve la máscara (B, T); sin máscara se entiende que no hay relleno. `ValueError` si no encaja.

    >>> check_batch(torch.tensor([[3, 5]]), None).tolist()
    [[1, 1]]
    """
    if input_ids.dim() != 2 or input_ids.numel() == 0:
        raise ValueError(
            f"input_ids debe tener forma (B, T) con B, T >= 1 y tiene {tuple(input_ids.shape)}: "
            "tokeniza al menos un texto con return_tensors='pt'."
        )
    if attention_mask is None:
        return torch.ones_like(input_ids)
    if attention_mask.shape != input_ids.shape:
        raise ValueError(
            f"attention_mask {tuple(attention_mask.shape)} debe tener la forma de input_ids "
            f"{tuple(input_ids.shape)}: usa la máscara que devuelve el tokenizador."
        )
    if not attention_mask.any(dim=-1).all():
        raise ValueError("Hay una fila con la máscara toda a 0: quita del lote los textos vacíos.")
    return attention_mask


def token_positions(mask: torch.Tensor) -> torch.Tensor:
    """Posición de cada token sin contar el relleno de la izquierda. (B, T) -> (B, T)

    >>> token_positions(torch.tensor([[0, 0, 1, 1]])).tolist()
    [[0, 0, 0, 1]]
    """
    return (mask.long().cumsum(dim=-1) - 1).clamp(min=0)


def counted_labels(batch: Batch) -> int:
    """Cuántas etiquetas del lote cuentan en la pérdida: las que no son -100.

    >>> counted_labels({"labels": torch.tensor([[-100, 7], [8, -100]])})
    2
    """
    return int((batch["labels"] != IGNORE).sum())


def to_device(batch: Batch, model: nn.Module) -> Batch:
    """Lleva el lote al dispositivo del modelo."""
    device = next(model.parameters()).device
    return {name: tensor.to(device) for name, tensor in batch.items()}


def length_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Índices de menor a mayor longitud, en lotes de `batch_size`.

    >>> length_batches([9, 2, 7, 1], batch_size=2)
    [[3, 1], [2, 0]]
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
