"""Ejercicios del lab 15: la precisión con recorte, los bits por byte y un juez que no depende del orden."""

import math
from collections import Counter

from utils.exercises.grading import Exercise

REFERENCE = ["it", "is", "cold", "outside"]


def _grams(text, n) -> Counter:
    return Counter(zip(*(text[i:] for i in range(n)), strict=False))


def _precision(candidate, reference, n, clip=True) -> float:
    ours, theirs = _grams(candidate, n), _grams(reference, n)
    hits = sum(min(times, theirs[gram]) if clip else times for gram, times in ours.items() if gram in theirs)
    return hits / ours.total()


CLIPPED = Exercise(
    "lab-15.1",
    "la precisión con recorte",
    "cada n-grama cuenta como mucho las veces que está en la referencia.",
    right=_precision,
    cases=[
        (["cold", "cold", "cold", "cold"], REFERENCE, 1),
        (["it", "is", "very", "cold", "outside"], REFERENCE, 2),
        (["a", "b", "a", "b", "c"], ["a", "b", "a", "b", "a", "b"], 2),
        (["outside", "cold", "it", "is"], REFERENCE, 1),
        (["it", "is", "very", "cold"], ["it", "was", "cold"], 1),
    ],
    mistakes=[
        (
            lambda c, r, n: len(_grams(c, n).keys() & _grams(r, n).keys()) / len(_grams(c, n)),
            "usas conjuntos, que olvidan las repeticiones: «cold» cuatro veces son cuatro n-gramas.",
        ),
        (
            lambda c, r, n: _precision(c, r, n, clip=False),
            "das 1 a «cold cold cold cold»: falta el recorte, porque la referencia solo dice una.",
        ),
        (
            lambda c, r, n: _precision(c, r, 1),
            "con n = 2 sigues contando palabras sueltas: hay que contar parejas seguidas.",
        ),
        (
            lambda c, r, n: _precision(c, r, n) * _grams(c, n).total() / _grams(r, n).total(),
            "divides entre los n-gramas de la referencia, y eso es el recall; usa los tuyos.",
        ),
        (
            lambda c, r, n: _precision(c, r, n) * _grams(c, n).total() / len(c),
            "divides entre las palabras: cinco palabras forman cuatro parejas, y se cuentan parejas.",
        ),
    ],
)

BITS = Exercise(
    "lab-15.2",
    "los bits por byte",
    "bits y bytes: ninguno de los dos depende de cómo corte el tokenizador.",
    right=lambda nats, text: nats / math.log(2) / len(text.encode()),
    cases=[(8 * math.log(2), "niño"), (10.0, "café con leche"), (3.0, "abc")],
    mistakes=[
        (
            lambda nats, text: nats / math.log(2) / len(text),
            "divides entre caracteres: «niño» tiene cuatro, pero cinco bytes, porque la ñ ocupa dos.",
        ),
        (
            lambda nats, text: nats / len(text.encode()),
            "eso son nats por byte: para pasar a bits se divide entre el logaritmo de 2.",
        ),
        (
            lambda nats, text: nats * math.log(2) / len(text.encode()),
            "has multiplicado por el logaritmo de 2; un bit son 0,69 nats, así que hay que dividir.",
        ),
        (
            lambda nats, text: math.exp(nats / len(text.encode())),
            "la exponencial da una perplejidad por byte; los bits por byte son el propio coste.",
        ),
        *(
            (
                lambda nats, text, log=log: nats / log / len(text.encode()),
                "casi: has redondeado el logaritmo de 2; usa `math.log(2)` entero.",
            )
            for log in (0.69, 0.693, 0.6931, 0.7)
        ),
        (lambda nats, text: nats / math.log(2), "son los bits de todo el texto: falta dividir entre sus bytes."),
    ],
)


def _choose(x: bool, y: bool) -> str:
    return "x" if x else "y" if y else "depende del orden"


WINNER = Exercise(
    "lab-15.3",
    "una victoria que aguanta el cambio de orden",
    "solo cuenta una victoria que aguanta el cambio de orden.",
    right=lambda first, second: _choose(first > 0 > second, first < 0 < second),
    cases=[(2.0, -1.0), (-2.0, 1.0), (2.0, 1.0), (-2.0, -1.0), (0.5, 3.0), (3.0, -0.5)],
    mistakes=[
        (
            lambda first, second: "A" if first > 0 else "B",
            "devuelves la letra del juez; las respuestas son «x», «y» y «depende del orden».",
        ),
        (
            lambda first, second: _choose(first > 0, first < 0),
            "solo miras el primer orden: con 2 y 1 el juez elige la letra A las dos veces, no a x.",
        ),
        (
            lambda first, second: _choose(second < 0, second > 0),
            "solo miras el segundo orden: con 2 y 1 el juez elige la letra A las dos veces, no a y.",
        ),
        (
            lambda first, second: _choose(first > 0 and second > 0, first < 0 and second < 0),
            "en el segundo orden x está en B: un número positivo quiere decir que gana y.",
        ),
        (
            lambda first, second: _choose(first > second, first < second),
            "promedias los dos órdenes; eso dice a quién prefiere, y aquí se pide si es constante.",
        ),
        (
            lambda first, second: "depende del orden",
            "con 2 y −1 gana x en los dos órdenes y devuelves 'depende del orden'.",
        ),
        (
            lambda first, second: "x" if first > 0 > second else "y",
            "que no gane x no quiere decir que gane y: con 2 y 1 debería ser 'depende del orden'.",
        ),
        (
            lambda first, second: _choose(first < 0 < second, first > 0 > second),
            "está al revés: con 2 y −1 gana x en los dos órdenes.",
        ),
    ],
)

EXERCISES = {e.id: e for e in (CLIPPED, BITS, WINNER)}
