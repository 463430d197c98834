"""Los listones que un modelo de lenguaje debe batir: la entropía cruzada de los unigramas y de los bigramas.

El unigrama solo sabe qué tokens son frecuentes; el bigrama, además, cuál acaba de salir. Se cuentan en unos textos y
se miden en otros. Para que lo que no se ha visto no tenga probabilidad cero, cada orden se mezcla con el anterior, y
el último, con el uniforme, como en `utils.model.drafts.NgramLM`, que da las mismas probabilidades de una en una.

Lo que NO hace: órdenes mayores que 2 (la tabla tendría V³ casillas) ni generar.
"""

from collections.abc import Sequence

import numpy as np


class NgramTable:
    """Unigramas y bigramas contados en `texts`, con la mezcla de Witten y Bell (1991), método C.

    Con un contexto visto c veces y seguido por d tokens distintos, pesa c / (c + d), y el resto lo pone el orden
    anterior. `unigram` (V,) y `bigram` (V, V), con la fila del token anterior, son probabilidades: suman 1. Error si
    no hay texto o hay un id fuera del vocabulario.

    >>> table = NgramTable([[0, 1, 0, 1, 0]], vocab_size=3)
    >>> table.bigram[0].round(3).tolist()
    [0.175, 0.794, 0.032]
    """

    def __init__(self, texts: Sequence[Sequence[int]], vocab_size: int) -> None:
        texts = [np.asarray(ids, dtype=np.int64) for ids in texts if len(ids)]
        if not texts:
            raise ValueError("El corpus está vacío: pasa al menos un texto con algún token.")
        flat = np.concatenate(texts)  # (N,)
        if flat.min() < 0 or flat.max() >= vocab_size:
            raise ValueError(f"Hay un id fuera del vocabulario, de {vocab_size} tokens: usa el mismo tokenizador.")
        inside = np.ones(len(flat) - 1, dtype=bool)  # una pareja no salta de un texto al siguiente
        inside[np.cumsum([len(ids) for ids in texts])[:-1] - 1] = False
        pairs = (flat[:-1] * vocab_size + flat[1:])[inside]
        counts = np.bincount(pairs, minlength=vocab_size**2).reshape(vocab_size, vocab_size)  # (V, V)
        uniform = np.full(vocab_size, 1 / vocab_size)
        self.unigram = _mix(np.bincount(flat, minlength=vocab_size)[None], uniform)[0]  # (V,)
        self.bigram = _mix(counts, self.unigram)  # (V, V)

    def nats(self, ids: Sequence[int], order: int) -> np.ndarray:
        """Menos el logaritmo de la probabilidad de cada token desde el segundo: (T - 1,).

        El primero no lo predice nadie, como en un modelo causal. Error si `order` no es 1 ni 2.

        >>> NgramTable([[0, 1, 0, 1, 0]], vocab_size=3).nats([0, 1], order=2).round(3).tolist()
        [0.231]
        """
        if order not in (1, 2):
            raise ValueError(f"order es {order}: 1 son los unigramas y 2, los bigramas.")
        ids = np.asarray(ids)
        return -np.log(self.unigram[ids[1:]] if order == 1 else self.bigram[ids[:-1], ids[1:]])


def _mix(counts: np.ndarray, shorter: np.ndarray) -> np.ndarray:
    """Cada fila de recuentos (R, V), mezclada con el orden anterior (V,) según cuántos tokens distintos la siguen."""
    total, kinds = counts.sum(1, keepdims=True), (counts > 0).sum(1, keepdims=True)  # (R, 1)
    mixed = (counts + kinds * shorter) / np.maximum(total + kinds, 1)  # (R, V)
    return np.where(total > 0, mixed, shorter)  # un contexto que no se ha visto: el orden anterior
