"""La entropía cruzada por trozos: la misma pérdida y el mismo gradiente, sin tener a la vez los logits de todo el lote.

De los B · T tokens se toma un trozo, se calculan sus logits y su pérdida, y se tiran; al volver hacia atrás se rehacen
(`checkpoint`), trozo a trozo. Lo que queda vivo de B · T · V pasa a ser de `chunk` · V.

Lo que NO hace: juntar el producto y la pérdida en una sola operación de la GPU, que es como se gana además tiempo
(Wijmans et al., 2025), ni repartir el vocabulario entre varias.
"""

from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from utils.model.precision import at_least_float32

IGNORE = -100


def chunked_cross_entropy(hidden: Tensor, weight: Tensor, labels: Tensor, chunk: int = 128) -> Tensor:
    """La pérdida media de `cross_entropy(hidden @ weight.T, labels)`, de `chunk` en `chunk` tokens.

    `hidden` (N, D) es lo que sale de la última norma, `weight` (V, D) la matriz de salida y `labels` (N,) lo que toca,
    con -100 donde no cuenta. Error si los tamaños no encajan o `chunk` no es positivo.

    >>> import torch
    >>> hidden, weight, labels = torch.ones(5, 2), torch.zeros(7, 2), torch.arange(5)
    >>> round(chunked_cross_entropy(hidden, weight, labels, chunk=2).item(), 4)  # ln 7: todas las palabras, iguales
    1.9459
    """
    if hidden.dim() != 2 or weight.dim() != 2 or hidden.shape[1] != weight.shape[1]:
        raise ValueError("hidden es (N, D) y weight, (V, D): aplana el lote con `hidden.flatten(0, 1)`.")
    if labels.shape != hidden.shape[:1]:
        raise ValueError(f"Hay {len(hidden)} vectores y unas etiquetas de forma {tuple(labels.shape)}: una por vector.")
    if chunk < 1:
        raise ValueError(f"chunk debe ser 1 o más, y es {chunk}.")

    def piece(h: Tensor, y: Tensor) -> Tensor:
        logits = at_least_float32(h @ weight.T)  # (chunk, V)
        return cross_entropy(logits, y, ignore_index=IGNORE, reduction="sum")

    total = at_least_float32(hidden.new_zeros(()))
    for h, y in zip(hidden.split(chunk), labels.split(chunk), strict=True):
        total = total + checkpoint(piece, h, y, use_reentrant=False)
    return total / (labels != IGNORE).sum()
