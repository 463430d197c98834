"""Los listones que un modelo de lenguaje debe batir: la entropía cruzada de los unigramas y de los bigramas.

El unigrama solo sabe qué tokens son frecuentes; el bigrama, además, cuál acaba de salir. Se cuentan en unos textos y
se miden en otros. El primer token de un texto no lo predice nadie, así que tampoco se cuenta: si todos empiezan por
`<s>`, no es un token frecuente, sino uno que nunca hay que adivinar. Para que lo que no se ha visto no tenga
probabilidad cero, cada orden se mezcla con el anterior, y el último, con el uniforme, como en
`utils.model.drafts.NgramLM`, que sí cuenta el primero.

Lo que NO hace: órdenes mayores que 2 (la tabla tendría V³ casillas) ni generar.
"""

from collections.abc import Sequence

import numpy as np


class NgramTable:
    """Unigramas y bigramas contados en `texts`, con la mezcla de Witten y Bell (1991), método C.

    Con un contexto visto c veces y seguido por d tokens distintos, pesa c / (c + d), y el resto lo pone el orden
    anterior. `unigram` (V,) y `bigram` (V, V), con la fila del token anterior, son probabilidades: suman 1. Error si
    ningún texto tiene dos tokens o si hay un id fuera del vocabulario.

    >>> table = NgramTable([[0, 1, 0, 1, 0]], vocab_size=3)
    >>> table.unigram.round(3).tolist(), table.bigram[0].round(3).tolist()
    ([0.444, 0.444, 0.111], [0.148, 0.815, 0.037])
    """

    def __init__(self, texts: Sequence[Sequence[int]], vocab_size: int) -> None:
        self.vocab_size = vocab_size
        texts = [self._check(ids) for ids in texts]
        if not any(len(ids) > 1 for ids in texts):
            raise ValueError("El corpus está vacío: pasa al menos un texto con dos tokens, uno que prediga al otro.")
        before, target = (np.concatenate([ids[cut] for ids in texts]) for cut in (slice(-1), slice(1, None)))  # (N,)
        pairs = np.bincount(before * vocab_size + target, minlength=vocab_size**2)
        counts = pairs.reshape(vocab_size, vocab_size)  # (V, V): cuántas veces sigue cada token a cada uno
        uniform = np.full(vocab_size, 1 / vocab_size)
        self.unigram = _mix(counts.sum(0, keepdims=True), uniform)[0]  # (V,)
        self.bigram = _mix(counts, self.unigram)  # (V, V)

    def nats(self, ids: Sequence[int], order: int) -> np.ndarray:
        """Menos el logaritmo de la probabilidad de cada token desde el segundo: (T - 1,).

        El primero no lo predice nadie, como en un modelo causal. Error si `order` no es 1 ni 2, si no hay dos tokens o
        si alguno está fuera del vocabulario.

        >>> NgramTable([[0, 1, 0, 1, 0]], vocab_size=3).nats([0, 1], order=2).round(3).tolist()
        [0.205]
        """
        if order not in (1, 2):
            raise ValueError(f"order es {order}: 1 son los unigramas y 2, los bigramas.")
        ids = self._check(ids)
        if len(ids) < 2:
            raise ValueError(f"El texto tiene {len(ids)} tokens y hacen falta 2: el primero no se predice. Quítalo.")
        return -np.log(self.unigram[ids[1:]] if order == 1 else self.bigram[ids[:-1], ids[1:]])

    def _check(self, ids: Sequence[int]) -> np.ndarray:
        ids = np.asarray(ids, dtype=np.int64)
        if len(ids) and not 0 <= ids.min() <= ids.max() < self.vocab_size:
            raise ValueError(f"Hay un id fuera del vocabulario, de {self.vocab_size} tokens: usa el mismo tokenizador.")
        return ids


def _mix(counts: np.ndarray, shorter: np.ndarray) -> np.ndarray:
    """Cada fila de recuentos (R, V), mezclada con el orden anterior (V,) según cuántos tokens distintos la siguen."""
    total, kinds = counts.sum(1, keepdims=True), (counts > 0).sum(1, keepdims=True)  # (R, 1)
    mixed = (counts + kinds * shorter) / np.maximum(total + kinds, 1)  # (R, V)
    return np.where(total > 0, mixed, shorter)  # un contexto que no se ha visto: el orden anterior
