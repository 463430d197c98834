"""Partir las palabras de más de una manera, para que un modelo no dependa de que una palabra sea un solo token.

BPE parte una palabra siempre igual: la frecuente es un token y la rara, varios que apenas se han entrenado.
`RandomCuts` corta al azar algunas antes de que BPE las junte: así se aprende a leer y a copiar cualquier corte.
Todas las copias de una palabra en un mismo ejemplo se parten igual, porque así será al usarlo.

Es una variante de BPE-dropout (Provilkov et al., 2020), que se salta juntas al azar: aquí el azar tiene semilla.

Lo que NO hace: tocar el vocabulario; los tokens son los mismos, y decodificar devuelve el mismo texto.
"""

import random
from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast


class RandomCuts:
    """Tokeniza textos con cortes al azar: `words` es la parte de las palabras que se cortan, y `inner`, la probabilidad
    de cortar entre dos letras de una de ellas. Con `words` 0 da los ids del tokenizador, sin los especiales."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, words: float, inner: float = 0.3):
        self.backend, self.words, self.inner = tokenizer.backend_tokenizer, words, inner
        self.cache: dict[str, list[int]] = {}

    def pieces(self, text: str) -> list[str]:
        """El texto partido en palabras, como las ve BPE."""
        text = self.backend.normalizer.normalize_str(text)
        return [piece for piece, _ in self.backend.pre_tokenizer.pre_tokenize_str(text)]

    def __call__(self, texts: Sequence[str], rng: random.Random) -> list[list[int]]:
        """Los ids de los textos de un ejemplo, con los mismos cortes en todos."""
        chosen: dict[str, list[int]] = {}
        return [[i for piece in self.pieces(text) for i in self._ids(piece, chosen, rng)] for text in texts]

    def _ids(self, piece: str, chosen: dict[str, list[int]], rng: random.Random) -> list[int]:
        if piece not in chosen:
            cut = rng.random() < self.words
            parts = self._cut(piece, rng) if cut else [piece]
            chosen[piece] = [i for part in parts for i in self._bpe(part)]
        return chosen[piece]

    def _cut(self, piece: str, rng: random.Random) -> list[str]:
        ends = [i for i in range(1, len(piece)) if rng.random() < self.inner]
        return [piece[a:b] for a, b in zip([0, *ends], [*ends, len(piece)], strict=True)]

    def _bpe(self, part: str) -> list[int]:
        if part not in self.cache:
            self.cache[part] = [token.id for token in self.backend.model.tokenize(part)]
        return self.cache[part]
