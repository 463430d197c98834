"""Aprender un BPE de bytes: fundir, una y otra vez, la pareja de tokens vecinos más frecuente.

Volver a contar todas las parejas tras cada fusión costaría una pasada entera por el texto. Aquí se cuenta una vez, por
palabras distintas, y después solo se corrigen las parejas que cada fusión toca. Desempate: entre parejas igual de
frecuentes gana la de ids menores, primero el de la izquierda. Con él da las mismas fusiones que `BpeTrainer` de
`tokenizers`. No codifica textos (eso es `utils.text.bpe`) ni aprende los tokens especiales: se los das tú. Fuente:
Sennrich et al. (2016), algoritmo 1.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from utils.text.bpe import ByteBPE
from utils.text.pretokenize import split_words

Pair = tuple[int, int]


class Merge(NamedTuple):
    """Una fusión recién aprendida: la pareja, el id del token nuevo y cuántas veces aparecía la pareja."""

    pair: Pair
    new: int
    count: int


def train_bpe(texts: Iterable[str] | str, vocab_size: int, special_tokens: Sequence[str] = ()) -> ByteBPE:
    """Aprende un vocabulario de `vocab_size` tokens, contando los especiales y los 256 bytes.

    Cada texto se parte por separado. Si el corpus se agota antes (cada palabra ya es un token), el vocabulario sale
    menor. ValueError si no hay texto o si en `vocab_size` no caben los especiales y los bytes.

    >>> bpe = train_bpe("sol sola solo soles", vocab_size=258)
    >>> bpe.pieces("sol soles")
    ['sol', ' ', 'sol', 'e', 's']
    """
    bpe = ByteBPE(special_tokens=special_tokens)
    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size < len(bpe):
        raise ValueError(
            f"vocab_size es {vocab_size!r} y el mínimo es {len(bpe)}: los 256 bytes y {len(bpe) - 256} especiales."
        )
    steps = merge_steps(bpe, count_words(texts))
    while len(bpe) < vocab_size and next(steps, None):
        pass
    return bpe


def count_words(texts: Iterable[str] | str) -> Counter[str]:
    """Cuántas veces aparece cada «palabra» de GPT-2; ValueError si no hay ninguna.

    >>> count_words(["la luna", "la sal"])
    Counter({'la': 2, ' luna': 1, ' sal': 1})
    """
    words: Counter[str] = Counter()
    for text in [texts] if isinstance(texts, str) else texts:
        words.update(split_words(text))
    if not words:
        raise ValueError("No hay texto del que aprender: pasa al menos uno que no esté vacío.")
    return words


def merge_steps(bpe: ByteBPE, words: Counter[str]) -> Iterator[Merge]:
    """Añade fusiones a `bpe`, de una en una, y las entrega según las aprende; acaba cuando no queda ninguna pareja.

    >>> [step.count for step, _ in zip(merge_steps(ByteBPE(), count_words("sol sola solo")), range(2))]
    [3, 3]
    """
    sequences = [[bpe.byte_ids[byte] for byte in word.encode()] for word in words]
    frequencies = list(words.values())
    counts: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # en qué palabras está cada pareja
    for index, (ids, frequency) in enumerate(zip(sequences, frequencies, strict=True)):
        for pair in pairwise(ids):
            counts[pair] += frequency
            places[pair].add(index)
    # Los montículos de Python sacan lo menor: con menos la cuenta sale la mayor y, si empatan, los ids menores. El
    # número de orden evita que se comparen dos conjuntos.
    serial = 0
    queue: list[tuple[int, Pair, int, set[int]]] = []
    while True:
        for pair, where in places.items():
            if counts[pair] > 0:
                heapq.heappush(queue, (-counts[pair], pair, serial, where))
                serial += 1
        places.clear()
        # Las cuentas de la cola pueden ser viejas: la que sale desfasada vuelve a entrar con la de ahora.
        while queue and -queue[0][0] != counts[queue[0][1]]:
            _, pair, order, where = heapq.heappop(queue)
            heapq.heappush(queue, (-counts[pair], pair, order, where))
        if not queue or queue[0][0] == 0:
            return
        negative, pair, _, where = heapq.heappop(queue)
        new = bpe.add_merge(*pair)
        yield Merge(pair, new, -negative)
        for index in where:
            for changed, amount in merge_word(sequences[index], pair, new):
                counts[changed] += amount * frequencies[index]
                if amount > 0:
                    places[changed].add(index)


def merge_word(ids: list[int], pair: Pair, new: int) -> list[tuple[Pair, int]]:
    """Funde `pair` en una palabra, de izquierda a derecha y sobre la misma lista; devuelve qué parejas cambian.

    Cada cambio es (pareja, +1 o −1): desaparecen las que formaba la pareja con sus vecinos y nacen las del token
    nuevo. La cuenta de la propia pareja no se toca, porque ya no se volverá a usar.

    >>> word = [7, 1, 2, 8]
    >>> merge_word(word, (1, 2), 9), word
    ([((7, 1), -1), ((7, 9), 1), ((2, 8), -1), ((9, 8), 1)], [7, 9, 8])
    """
    left, right = pair
    changes, merged, i = [], [], 0
    while i < len(ids):
        if ids[i] == left and i + 1 < len(ids) and ids[i + 1] == right:
            if merged:
                changes += [((merged[-1], left), -1), ((merged[-1], new), 1)]
            if i + 2 < len(ids):
                changes += [((right, ids[i + 2]), -1), ((new, ids[i + 2]), 1)]
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    ids[:] = merged  # de una vez: borrar en medio de la lista cada pareja movería cada vez todo lo que sigue
    return changes
