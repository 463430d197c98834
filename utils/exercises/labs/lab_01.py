"""Los ejercicios del lab 1: contar parejas, fundir una, medir la fertilidad y calcular lo que cabe en una ventana."""

import math
from collections import Counter
from itertools import pairwise

from utils.exercises.grading import Exercise


def _count(words, pieces=pairwise, key=tuple) -> Counter:
    """Suma la frecuencia de cada palabra a cada uno de sus trozos."""
    counts = Counter()
    for word, times in words.items():
        for piece in pieces(word):
            counts[key(piece)] += times
    return counts


def _across(words) -> Counter:
    return Counter(pairwise(token for word, times in words.items() for token in word * times))


COUNT = Exercise(
    "lab-01.1",
    "contar parejas con su frecuencia",
    "cada pareja cuenta tantas veces como aparece su palabra.",
    right=lambda words: _count(words),
    cases=[({(1, 1, 2): 3, (2, 1, 1): 2, (1, 2): 4, (5,): 9},), ({(1, 2, 1, 2): 3, (2, 1): 2},)],
    mistakes=[
        (
            lambda words: Counter(pair for word in words for pair in pairwise(word)),
            "cuentas cada palabra una sola vez: suma su frecuencia, no 1.",
        ),
        (
            lambda words: _count(words, pieces=lambda word: set(pairwise(word))),
            "una pareja que se repite dentro de una palabra cuenta cada vez que sale.",
        ),
        (
            lambda words: _count(words, pieces=iter, key=lambda token: token),
            "has contado tokens sueltos: una pareja son dos vecinos.",
        ),
        (
            lambda words: _count(words, key=lambda pair: tuple(sorted(pair))),
            "has ordenado la pareja: (1, 2) y (2, 1) son distintas.",
        ),
        (_across, "has unido el final de una palabra con el principio de otra: ninguna pareja cruza esa frontera."),
    ],
)


def _merge(ids, pair, new, limit=math.inf):
    out, i = [], 0
    while i < len(ids):
        found = tuple(ids[i : i + 2]) == tuple(pair) and limit > 0
        out.append(new if found else ids[i])
        i, limit = i + 1 + found, limit - found
    return out


def _overlapping(ids, pair, new):
    """Mira cada posición sin saltar el token que ya usó."""
    out = []
    for i, token in enumerate(ids):
        here, before = tuple(ids[i : i + 2]) == pair, i > 0 and tuple(ids[i - 1 : i + 1]) == pair
        out += [new] if here else [] if before else [token]
    return out


def _right_to_left(ids, pair, new):
    return _merge(ids[::-1], pair[::-1], new)[::-1]


MERGE = Exercise(
    "lab-01.2",
    "fundir una pareja en una palabra",
    "de izquierda a derecha, sin usar un token dos veces.",
    right=_merge,
    cases=[
        ([1, 2, 3], (1, 2), 9),
        ([1, 1, 1], (1, 1), 9),
        ([1, 1, 1, 1], (1, 1), 9),
        ([3, 1], (1, 2), 9),
        ([2, 1, 2], (1, 2), 7),
        ([], (1, 2), 9),
    ],
    mistakes=[
        (
            lambda ids, pair, new: [new if token in pair else token for token in ids],
            "cambias cada token suelto: se funden solo si van seguidos y en ese orden.",
        ),
        (_overlapping, "has usado dos veces el mismo token: tras fundir, salta los dos."),
        (_right_to_left, "has empezado por la derecha: se recorre de izquierda a derecha."),
        (
            lambda ids, pair, new: _merge(ids, pair, new, limit=1),
            "solo has fundido la primera: hay que seguir hasta el final de la palabra.",
        ),
        (
            lambda ids, pair, new: [new if tuple(p) == pair else p[0] for p in pairwise(ids)],
            "pierdes tokens por el camino: el último no tiene vecino, y también hay que copiarlo.",
        ),
        (lambda ids, pair, new: [new], "pierdes tokens por el camino: los que no se funden se quedan como estaban."),
    ],
)

FERTILITY = Exercise(
    "lab-01.3",
    "la fertilidad de un texto",
    "tokens de todo el texto entre palabras de todo el texto.",
    right=lambda tokens, words: sum(tokens) / sum(words),
    cases=[([12, 3, 9], [4, 3, 2]), ([5, 9], [2, 10])],
    mistakes=[
        (
            lambda tokens, words: sum(t / w for t, w in zip(tokens, words, strict=True)) / len(tokens),
            "has promediado el cociente de cada frase: así una frase de dos palabras pesa como una de cuarenta.",
        ),
        (lambda tokens, words: sum(words) / sum(tokens), "es el cociente al revés, palabras por token."),
        (
            lambda tokens, words: sum(tokens) / len(tokens),
            "has dividido entre el número de frases y no entre el de palabras.",
        ),
        (lambda tokens, words: sum(tokens), "has sumado los tokens y te falta dividir."),
    ],
)

FITS = Exercise(
    "lab-01.4",
    "las palabras que caben en una ventana",
    "lo que queda de la ventana, entre los tokens que cuesta cada palabra.",
    right=lambda window, fertility, reserved: int((window - reserved) // fertility),
    cases=[(8192, 2.0, 192), (100, 3.0, 0), (1000, 1.5, 100), (500, 1.5, 100)],
    mistakes=[
        (lambda n, f, r: (n - r) * f, "has multiplicado: más tokens por palabra es menos palabras."),
        (lambda n, f, r: n // f, "has olvidado la respuesta: también ocupa sitio en la ventana."),
        (
            lambda n, f, r: n // f - r,
            "has restado la respuesta al final: son tokens, y lo que tienes ahí son palabras.",
        ),
        (lambda n, f, r: (n + r) // f, "has sumado la respuesta: le quita sitio al prompt."),
        (lambda n, f, r: (n - r) / f, "media palabra no cabe: redondea hacia abajo."),
        (lambda n, f, r: math.ceil((n - r) / f), "redondeas hacia arriba: la última palabra no cabe entera."),
        (lambda n, f, r: round((n - r) / f), "redondeas al más cercano: a veces, la última palabra no cabe entera."),
    ],
)

EXERCISES = {e.id: e for e in (COUNT, MERGE, FERTILITY, FITS)}
