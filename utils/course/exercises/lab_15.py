"""Ejercicios del lab 15: la precisión con recorte, los bits por byte y un juez que no depende del orden."""

import math
from collections import Counter

from utils.course.checks import Exercise, Verdict
from utils.course.plots import number

_REFERENCE = ["it", "is", "cold", "outside"]


def _check_clipped(clipped_precision) -> Verdict:
    cases = [
        (["cold", "cold", "cold", "cold"], _REFERENCE, 1),
        (["it", "is", "very", "cold", "outside"], _REFERENCE, 2),
        (["a", "b", "a", "b", "c"], ["a", "b", "a", "b", "a", "b"], 2),
        (["outside", "cold", "it", "is"], _REFERENCE, 1),
    ]
    right = [_precision(*case) for case in cases]
    got = [float(clipped_precision(*case)) for case in cases]
    if all(math.isclose(g, r) for g, r in zip(got, right, strict=True)):
        return Verdict(True, "cada n-grama cuenta como mucho las veces que está en la referencia.")
    if math.isclose(got[0], 1) and math.isclose(got[2], 2 / 3):
        return Verdict(False, "usas conjuntos, que olvidan las repeticiones: «cold» cuatro veces son cuatro n-gramas.")
    if math.isclose(got[0], 1):
        return Verdict(False, "das 1 a «cold cold cold cold»: falta el recorte, porque la referencia solo dice una.")
    if math.isclose(got[1], 4 / 5):
        return Verdict(False, "con n = 2 sigues contando palabras sueltas: hay que contar parejas seguidas.")
    if math.isclose(got[1], 2 / 3):
        return Verdict(False, "divides entre los n-gramas de la referencia, y eso es el recall; usa los tuyos.")
    if math.isclose(got[1], 2 / 5):
        return Verdict(False, "divides entre las palabras: cinco palabras forman cuatro parejas, y se cuentan parejas.")
    (candidate, _, n), found, wanted = next(
        case for case in zip(cases, got, right, strict=True) if not math.isclose(case[1], case[2])
    )
    text = " ".join(candidate)
    return Verdict(False, f"con «{text}» y n = {n} devuelve {number(found, 2)}; debería dar {number(wanted, 2)}.")


def _precision(candidate, reference, n, *, clip=True, by=None, order=None):
    grams = [Counter(zip(*(text[i:] for i in range(order or n)), strict=False)) for text in (candidate, reference)]
    hits = sum(min(k, grams[1][g]) if clip else k for g, k in grams[0].items() if g in grams[1])
    return hits / (len(by if by is not None else candidate) - (order or n) + 1)


def _as_sets(candidate, reference, n):
    ours, theirs = (set(zip(*(text[i:] for i in range(n)), strict=False)) for text in (candidate, reference))
    return len(ours & theirs) / len(ours)


def _check_bits(bits_per_byte) -> Verdict:
    cases = [(8 * math.log(2), "niño"), (10.0, "café con leche"), (3.0, "abc")]
    right = [nats / math.log(2) / len(text.encode()) for nats, text in cases]
    got = [float(bits_per_byte(*case)) for case in cases]
    if all(math.isclose(g, r) for g, r in zip(got, right, strict=True)):
        return Verdict(True, "bits y bytes: ninguno de los dos depende de cómo corte el tokenizador.")
    if all(math.isclose(g, nats / math.log(2) / len(text)) for g, (nats, text) in zip(got, cases, strict=True)):
        return Verdict(False, "divides entre caracteres: «niño» tiene cuatro, pero cinco bytes, porque la ñ ocupa dos.")
    if all(math.isclose(g, r * math.log(2)) for g, r in zip(got, right, strict=True)):
        return Verdict(False, "eso son nats por byte: para pasar a bits se divide entre el logaritmo de 2.")
    if all(math.isclose(g, r * math.log(2) ** 2) for g, r in zip(got, right, strict=True)):
        return Verdict(False, "has multiplicado por el logaritmo de 2; un bit son 0,69 nats, así que hay que dividir.")
    if all(math.isclose(g, math.exp(nats / len(text.encode()))) for g, (nats, text) in zip(got, cases, strict=True)):
        return Verdict(False, "la exponencial da una perplejidad por byte; los bits por byte son el propio coste.")
    if all(math.isclose(g, r, rel_tol=0.01) for g, r in zip(got, right, strict=True)):
        return Verdict(False, "casi: has redondeado el logaritmo de 2; usa `math.log(2)` entero.")
    return Verdict(False, f"para 8 bits y «niño», que ocupa 5 bytes, devuelve {number(got[0], 3)} y son 1,6.")


def _check_winner(winner) -> Verdict:
    cases = {
        (2.0, -1.0): "x",
        (-2.0, 1.0): "y",
        (2.0, 1.0): "depende del orden",
        (-2.0, -1.0): "depende del orden",
        (0.5, 3.0): "depende del orden",
        (3.0, -0.5): "x",
    }
    got = {case: winner(*case) for case in cases}
    if got == cases:
        return Verdict(True, "solo cuenta una victoria que aguanta el cambio de orden.")
    if not set(got.values()) <= set(cases.values()):
        odd = next(value for value in got.values() if value not in cases.values())
        return Verdict(False, f"devuelves {odd!r}; las respuestas son «x», «y» y «depende del orden».")
    if got[2.0, 1.0] == "x" and got[-2.0, 1.0] == "y" and got[0.5, 3.0] == "x":
        return Verdict(False, "solo miras el primer orden: con 2 y 1 el juez elige la letra A las dos veces, no a x.")
    if got[2.0, 1.0] == "x" and got[-2.0, 1.0] == "depende del orden":
        return Verdict(False, "en el segundo orden x está en B: un número positivo quiere decir que gana y.")
    if got[2.0, 1.0] == "x":
        return Verdict(False, "promedias los dos órdenes; eso dice a quién prefiere, y aquí se pide si es constante.")
    if got[2.0, -1.0] != "x":
        return Verdict(False, f"con 2 y −1 gana x en los dos órdenes y devuelves {got[2.0, -1.0]!r}.")
    (first, second), wanted = next((case, answer) for case, answer in cases.items() if got[case] != answer)
    numbers = f"{number(first, 1)} y {number(second, 1)}"
    return Verdict(False, f"con {numbers} devuelves {got[first, second]!r} y debería ser {wanted!r}.")


def _only_first(first, second):
    return "x" if first > 0 else "y"


def _same_sign(first, second):
    return "x" if first > 0 and second > 0 else "y" if first < 0 and second < 0 else "depende del orden"


EXERCISES = {
    "lab-15.1": Exercise(
        "lab-15.1",
        "la precisión con recorte",
        _check_clipped,
        wrong=[
            (lambda c, r, n: _precision(c, r, n, clip=False), "falta el recorte"),
            (lambda c, r, n: _precision(c, r, n, order=1), "contando palabras sueltas"),
            (lambda c, r, n: _precision(c, r, n, by=r), "eso es el recall"),
            (_as_sets, "usas conjuntos"),
            (lambda c, r, n: _precision(c, r, n) * (len(c) - n + 1) / len(c), "cinco palabras forman cuatro parejas"),
            (lambda c, r, n: 0.5, "debería dar 0,25"),
        ],
    ),
    "lab-15.2": Exercise(
        "lab-15.2",
        "los bits por byte",
        _check_bits,
        wrong=[
            (lambda nats, text: nats / math.log(2) / len(text), "divides entre caracteres"),
            (lambda nats, text: nats / len(text.encode()), "nats por byte"),
            (lambda nats, text: nats * math.log(2) / len(text.encode()), "hay que dividir"),
            (lambda nats, text: math.exp(nats / len(text.encode())), "perplejidad por byte"),
            (lambda nats, text: nats / 0.693 / len(text.encode()), "has redondeado"),
            (lambda nats, text: nats / math.log(2), "son 1,6"),
        ],
    ),
    "lab-15.3": Exercise(
        "lab-15.3",
        "una victoria que aguanta el cambio de orden",
        _check_winner,
        wrong=[
            (_only_first, "solo miras el primer orden"),
            (_same_sign, "en el segundo orden x está en B"),
            (lambda first, second: "x" if first > second else "y", "promedias los dos órdenes"),
            (lambda first, second: "A" if first > 0 else "B", "las respuestas son"),
            (lambda first, second: "depende del orden", "gana x en los dos órdenes"),
            (lambda first, second: "x" if first > 0 > second else "y", "debería ser 'depende del orden'"),
        ],
    ),
}
