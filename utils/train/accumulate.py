"""Acumular gradientes: partir un lote que no cabe en trozos, y sumar sus gradientes antes de dar el paso.

La memoria de las activaciones es la de un trozo y el gradiente, el del lote entero, siempre que cada trozo pese según
los tokens que cuentan en su pérdida. Promediar los trozos por igual es otro gradiente, porque un token de un trozo
corto pesa más que uno de un trozo largo: fue un error de varias bibliotecas hasta 2024 (transformers, PR 34191).

Lo que NO hace: recortar el gradiente y dar el paso (`utils.train.loop.apply_gradients`) ni repartir los trozos entre
procesos.
"""

from collections.abc import Sequence

from torch import nn

from utils.model.batching import Batch, counted_labels, to_device

WEIGHTINGS = ("token", "batch")


def split_batch(batch: Batch, pieces: int) -> list[Batch]:
    """Parte un lote por filas en `pieces` trozos iguales. Error si no se puede repartir.

    >>> import torch
    >>> [piece["labels"].tolist() for piece in split_batch({"labels": torch.tensor([[1], [2], [3], [4]])}, 2)]
    [[[1], [2]], [[3], [4]]]
    """
    rows = len(batch["labels"])
    if pieces < 1 or rows % pieces:
        raise ValueError(f"{rows} filas no se reparten en {pieces} trozos iguales: elige un divisor.")
    size = rows // pieces
    return [{name: t[i : i + size] for name, t in batch.items()} for i in range(0, rows, size)]


def accumulated_backward(model: nn.Module, batches: Sequence[Batch], weighting: str = "token") -> float:
    """Suma en `.grad` el gradiente de todos los trozos, con un `backward` por trozo, y devuelve la pérdida.

    La pérdida del modelo es la media por token de etiqueta de cada trozo, como en transformers. Con «token», el trozo
    pesa nᵢ / Σn, sus etiquetas entre las de todos: da el gradiente del lote entero. Con «batch» pesa 1 / k, el error
    clásico. Se cuentan las etiquetas distintas de -100, así que un modelo causal debe llevar -100 en la primera, que no
    predice nadie (`CausalLM` la pone). Un trozo en el que no cuenta ninguna se salta, porque su media no es un número.
    Error si no cuenta ninguna en ningún trozo o si el peso no existe.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"No hay un reparto «{weighting}»: elige entre {', '.join(WEIGHTINGS)}.")
    counted = [(batch, n) for batch in batches if (n := counted_labels(batch))]
    if not counted:
        raise ValueError("No hay ninguna etiqueta que cuente: todas son -100. Salta este lote o revisa qué las tapa.")
    counts = [count for _, count in counted]
    total = 0.0
    for batch, count in counted:
        weight = count / sum(counts) if weighting == "token" else 1 / len(counts)
        loss = model(**to_device(batch, model)).loss * weight
        loss.backward()  # suma en .grad y libera las activaciones de este trozo
        total += loss.item()
    return total
