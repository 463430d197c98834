"""Borradores que no son redes: un modelo de n-gramas y la copia del propio texto (*prompt lookup*).

Sirven a `utils.model.speculative`, donde un borrador solo necesita proponer deprisa. El de n-gramas cuenta, en un
corpus, qué token sigue a los n - 1 anteriores y mezcla todos los órdenes; el de copia busca en lo ya escrito la
última aparición de los tokens finales y propone lo que vino después. Ninguno entiende nada.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class NgramLM:
    """Modelo de n-gramas sobre ids, con los órdenes 1 a `order` mezclados.

    Cada orden pesa según lo visto que esté su contexto: con c apariciones y d continuaciones distintas, c / (c + d), y
    lo que falta lo pone el orden anterior; el orden 0 es uniforme. Fuente: Witten y Bell (1991), método C.

    >>> model = NgramLM([[0, 1, 0, 1, 0]], vocab_size=3, order=2)
    >>> [round(p, 3) for p in model.probs([0])[0].tolist()]
    [0.175, 0.794, 0.032]
    """

    def __init__(self, texts: Iterable[Sequence[int]], vocab_size: int, order: int = 3) -> None:
        if order < 1:
            raise ValueError(f"El orden del modelo de n-gramas debe ser al menos 1 y es {order}.")
        self.vocab_size, self.order = vocab_size, order
        self.counts: list[dict[tuple[int, ...], Counter]] = [defaultdict(Counter) for _ in range(order)]
        for ids in texts:
            if ids and (min(ids) < 0 or max(ids) >= vocab_size):
                raise ValueError(f"Hay un id fuera del vocabulario, de {vocab_size} tokens: usa el mismo tokenizador.")
            for i, token in enumerate(ids):
                for size in range(min(order - 1, i) + 1):
                    self.counts[size][tuple(ids[i - size : i])][token] += 1
        if not self.counts[0]:
            raise ValueError("El corpus está vacío: pasa al menos un texto con algún token.")
        self._unigrams: Tensor | None = None

    def probs(self, ids: Sequence[int], last: int = 1) -> Tensor:
        """La distribución tras cada uno de los `last` últimos prefijos de `ids`: (last, V)."""
        prefixes = [ids[: len(ids) - last + 1 + i] for i in range(last)]
        return torch.stack([self._after(tuple(p[max(0, len(p) - self.order + 1) :])) for p in prefixes])  # (last, V)

    def _after(self, context: tuple[int, ...]) -> Tensor:
        # Solo se guarda la de los unigramas: una por contexto ocuparía V números por cada uno.
        if not context and self._unigrams is not None:
            return self._unigrams
        uniform = torch.full((self.vocab_size,), 1 / self.vocab_size)  # (V,)
        shorter = self._after(context[1:]) if context else uniform  # (V,)
        seen = self.counts[len(context)].get(context)
        if seen is None:
            return shorter
        tokens, counts = torch.tensor(list(seen)), torch.tensor([float(count) for count in seen.values()])
        total, kinds = counts.sum(), len(tokens)
        mixed = shorter * kinds / (total + kinds)  # (V,)
        mixed[tokens] += counts / (total + kinds)
        if not context:
            self._unigrams = mixed
        return mixed


class PromptLookup:
    """Propone copiar: lo que siguió, la última vez, a los `size` tokens finales (o a menos, si no aparecen).

    La propuesta es segura, toda la probabilidad en un token, y la regla de aceptación la admite igual. Si el último
    token no había salido nunca, propone repetirlo.

    >>> PromptLookup(vocab_size=5).probs([1, 2, 3, 1, 2])[0].argmax().item()
    3
    """

    def __init__(self, vocab_size: int, size: int = 3) -> None:
        if size < 1:
            raise ValueError(f"Hay que buscar al menos 1 token y size es {size}.")
        self.vocab_size, self.size = vocab_size, size

    def probs(self, ids: Sequence[int], last: int = 1) -> Tensor:
        """La distribución, de un solo token, tras cada uno de los `last` últimos prefijos de `ids`: (last, V)."""
        guesses = [self._guess(list(ids[: len(ids) - last + 1 + i])) for i in range(last)]
        return torch.nn.functional.one_hot(torch.tensor(guesses), self.vocab_size).float()  # (last, V)

    def _guess(self, ids: list[int]) -> int:
        for size in range(min(self.size, len(ids) - 1), 0, -1):
            tail = ids[-size:]
            for start in range(len(ids) - size - 1, -1, -1):
                if ids[start : start + size] == tail:
                    return ids[start + size]
        return ids[-1]
