"""Los ejercicios del lab 1: contar parejas, fundir una, medir la fertilidad y calcular lo que cabe en una ventana."""

from collections import Counter
from itertools import pairwise

from utils.course.checks import Exercise, Verdict

WORDS = {(1, 1, 2): 3, (2, 1, 1): 2, (1, 2): 4, (5,): 9}
PAIRS = {(1, 1): 5, (1, 2): 7, (2, 1): 2}


def check_count(count_pairs) -> Verdict:
    got = dict(count_pairs(dict(WORDS)))
    if got == PAIRS:
        return Verdict(True, "cada pareja cuenta tantas veces como aparece su palabra.")
    once = Counter(pair for word in WORDS for pair in pairwise(word))
    mistakes = {
        "cuentas cada palabra una sola vez: suma su frecuencia, no 1.": once,
        "has contado tokens sueltos: una pareja son dos vecinos.": _tokens(),
        "has ordenado la pareja: (1, 2) y (2, 1) son distintas.": _unordered(),
        "has unido el final de una palabra con el principio de otra: ninguna pareja cruza esa frontera.": _across(),
    }
    for message, value in mistakes.items():
        if got == dict(value):
            return Verdict(False, message)
    return Verdict(False, f"esperaba {PAIRS} y da {got}.")


def _tokens() -> Counter:
    return sum((Counter({token: times}) for word, times in WORDS.items() for token in word), Counter())


def _unordered() -> Counter:
    return sum((Counter({tuple(sorted(pair)): times}) for pair, times in PAIRS.items()), Counter())


def _across() -> Counter:
    flat = [token for word, times in WORDS.items() for _ in range(times) for token in word]
    return Counter(pairwise(flat))


def check_merge(merge) -> Verdict:
    cases = [
        ([1, 2, 3], (1, 2), [9, 3]),
        ([1, 1, 1], (1, 1), [9, 1]),
        ([1, 1, 1, 1], (1, 1), [9, 9]),
        ([3, 1], (1, 2), [3, 1]),
        ([2, 1, 2], (1, 2), [2, 9]),
        ([], (1, 2), []),
    ]
    for ids, pair, expected in cases:
        original = list(ids)
        got = list(merge(original, pair, 9))
        if got == expected:
            continue
        if got == [9 if token in pair else token for token in ids]:
            return Verdict(False, "cambias cada token suelto: se funden solo si van seguidos y en ese orden.")
        if ids == [1, 1, 1] and got == [9, 9]:
            return Verdict(False, "has usado dos veces el mismo token: tras fundir, salta los dos.")
        if ids == [1, 1, 1] and got == [1, 9]:
            return Verdict(False, "has empezado por la derecha: se recorre de izquierda a derecha.")
        if ids == [1, 1, 1, 1] and len(got) == 3:
            return Verdict(False, "solo has fundido la primera: hay que seguir hasta el final de la palabra.")
        if len(got) < len(expected):
            return Verdict(False, f"con {ids} pierdes tokens por el camino: esperaba {expected} y da {got}.")
        return Verdict(False, f"con {ids} y la pareja {pair} esperaba {expected} y da {got}.")
    return Verdict(True, "de izquierda a derecha, sin usar un token dos veces.")


def check_fertility(fertility) -> Verdict:
    tokens, words = [12, 3, 9], [4, 3, 2]
    got = float(fertility(list(tokens), list(words)))
    mistakes = {
        "has promediado el cociente de cada frase: así una frase de dos palabras pesa como una de cuarenta.": sum(
            t / w for t, w in zip(tokens, words, strict=True)
        )
        / 3,
        "es el cociente al revés, palabras por token.": sum(words) / sum(tokens),
        "has dividido entre el número de frases y no entre el de palabras.": sum(tokens) / 3,
        "has sumado los tokens y te falta dividir.": float(sum(tokens)),
    }
    for message, value in mistakes.items():
        if abs(got - value) < 1e-6:
            return Verdict(False, message)
    if abs(got - 24 / 9) > 1e-6:
        return Verdict(False, f"con 24 tokens y 9 palabras esperaba {24 / 9:.3f} y da {got:.3f}.")
    return Verdict(True, "tokens de todo el texto entre palabras de todo el texto.")


def check_window(answer) -> Verdict:
    got = answer(8192, 2.0, 192)
    if abs(got - 4000) < 1e-6:
        if isinstance(got, float) and answer(100, 3.0, 0) > 33:
            return Verdict(False, "media palabra no cabe: redondea hacia abajo.")
        return Verdict(True, "lo que queda de la ventana, entre los tokens que cuesta cada palabra.")
    mistakes = {
        "has multiplicado: más tokens por palabra es menos palabras.": (8192 - 192) * 2,
        "has olvidado la respuesta: también ocupa sitio en la ventana.": 8192 // 2,
        "has restado la respuesta al final: son tokens, y lo que tienes ahí son palabras.": 8192 // 2 - 192,
        "has sumado la respuesta: le quita sitio al prompt.": (8192 + 192) // 2,
    }
    for message, value in mistakes.items():
        if abs(got - value) < 1e-6:
            return Verdict(False, message)
    return Verdict(False, f"con 8192 tokens, fertilidad 2 y 192 para la respuesta esperaba 4000 y da {got}.")


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-01.1",
            "contar parejas con su frecuencia",
            check_count,
            wrong=[
                (lambda w: Counter(p for word in w for p in pairwise(word)), "una sola vez"),
                (lambda w: _tokens(), "tokens sueltos"),
                (lambda w: _unordered(), "ordenado"),
                (lambda w: _across(), "cruza esa frontera"),
                (lambda w: {}, "esperaba"),
            ],
        ),
        Exercise(
            "lab-01.2",
            "fundir una pareja en una palabra",
            check_merge,
            wrong=[
                (lambda ids, pair, new: [new if t in pair else t for t in ids], "cada token suelto"),
                (lambda ids, pair, new: _overlapping(ids, pair, new), "dos veces el mismo"),
                (lambda ids, pair, new: _right_to_left(ids, pair, new), "por la derecha"),
                (lambda ids, pair, new: _first_only(ids, pair, new), "solo has fundido la primera"),
                (lambda ids, pair, new: ids, "esperaba"),
                (lambda ids, pair, new: [new], "pierdes tokens"),
            ],
        ),
        Exercise(
            "lab-01.3",
            "la fertilidad de un texto",
            check_fertility,
            wrong=[
                (lambda t, w: sum(a / b for a, b in zip(t, w, strict=True)) / len(t), "promediado"),
                (lambda t, w: sum(w) / sum(t), "al revés"),
                (lambda t, w: sum(t) / len(t), "número de frases"),
                (lambda t, w: sum(t), "falta dividir"),
                (lambda t, w: 1.0, "esperaba"),
            ],
        ),
        Exercise(
            "lab-01.4",
            "las palabras que caben en una ventana",
            check_window,
            wrong=[
                (lambda n, f, r: (n - r) * f, "multiplicado"),
                (lambda n, f, r: n // f, "olvidado la respuesta"),
                (lambda n, f, r: n // f - r, "al final"),
                (lambda n, f, r: (n + r) // f, "sumado la respuesta"),
                (lambda n, f, r: (n - r) / f, "hacia abajo"),
                (lambda n, f, r: 0, "esperaba"),
            ],
        ),
    ]
}


def _overlapping(ids, pair, new):
    """Mira cada posición sin saltar el token que ya usó."""
    out = []
    for i, token in enumerate(ids):
        here, before = tuple(ids[i : i + 2]) == pair, i > 0 and tuple(ids[i - 1 : i + 1]) == pair
        out += [new] if here else [] if before else [token]
    return out


def _right_to_left(ids, pair, new):
    out = []
    for token in reversed(ids):
        out = [new, *out[1:]] if out and (token, out[0]) == pair else [token, *out]
    return out


def _first_only(ids, pair, new):
    for i in range(len(ids) - 1):
        if tuple(ids[i : i + 2]) == pair:
            return [*ids[:i], new, *ids[i + 2 :]]
    return ids
