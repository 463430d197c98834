"""Descontaminar: encontrar en el entrenamiento lo que está en la prueba, por n-gramas de palabras en común.

Un texto está contaminado si comparte con la prueba secuencias largas de palabras. GPT-3 las usa de 13 (Brown et al.,
2020, apéndice C); en textos cortos hacen falta menos.

Lo que NO hace: ver una traducción o una paráfrasis de la prueba (Yang et al., 2023), que contaminan igual, ni juzgar
textos de menos de `n` palabras: que un «sí» esté en los dos lados no dice nada.
"""

from collections.abc import Iterable, Sequence

from utils.text.normalize import words

LENGTH = 8
Gram = tuple[str, ...]


def word_ngrams(text: str, n: int = LENGTH) -> set[Gram]:
    """Las secuencias de `n` palabras del texto; si tiene menos, ninguna.

    >>> sorted(word_ngrams("El gato come pan.", 3))
    [('el', 'gato', 'come'), ('gato', 'come', 'pan')]
    """
    if n < 1:
        raise ValueError(f"n es {n}: una secuencia tiene al menos una palabra.")
    found = tuple(words(text))
    return {found[i : i + n] for i in range(len(found) - n + 1)}


def overlap(text: str, grams: set[Gram], n: int = LENGTH) -> float:
    """Qué parte de las secuencias del texto está en `grams`, de 0 a 1. Uno de menos de `n` palabras da 0.

    >>> overlap("el gato come pan", word_ngrams("hoy el gato come sopa", 3), 3)
    0.5
    """
    own = word_ngrams(text, n)
    return len(own & grams) / len(own) if own else 0.0


def ngram_index(texts: Iterable[str], n: int = LENGTH) -> set[Gram]:
    """Todas las secuencias de unos textos, para compararlas con otros.

    >>> len(ngram_index(["uno dos tres", "dos tres"], n=2))
    2
    """
    return {gram for text in texts for gram in word_ngrams(text, n)}


def contaminated(train: Sequence[str], test: Sequence[str], n: int = LENGTH, share: float = 0.8) -> list[int]:
    """Los índices de los textos de entrenamiento que llevan dentro algún texto de prueba.

    «Llevar dentro» es contener al menos la fracción `share` de sus secuencias. Una consigna en común no basta; una
    copia con otra consigna delante, sí. Los textos de prueba de menos de `n` palabras no se buscan. ValueError si
    `share` no está entre 0 (sin él) y 1 o si ningún texto de prueba llega a `n` palabras.

    >>> contaminated(["Copia esto: el gato come pan duro", "el gato duerme"], ["el gato come pan duro."], n=3)
    [0]
    """
    if not 0 < share <= 1:
        raise ValueError(f"share es {share}: es una fracción mayor que 0 y de 1 como mucho.")
    owners: dict[Gram, list[int]] = {}
    sizes = []
    for item, text in enumerate(test):
        own = word_ngrams(text, n)
        sizes.append(len(own))
        for gram in own:
            owners.setdefault(gram, []).append(item)
    if test and not owners:
        raise ValueError(f"Ningún texto de prueba llega a {n} palabras y no hay nada que buscar: baja n.")
    caught = []
    for i, text in enumerate(train):
        hits: dict[int, int] = {}
        for gram in word_ngrams(text, n):
            for item in owners.get(gram, ()):
                hits[item] = hits.get(item, 0) + 1
        if any(count >= share * sizes[item] for item, count in hits.items()):
            caught.append(i)
    return caught
