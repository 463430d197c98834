"""Ejercicios del lab 10: Jaccard de palabras, parejas que las bandas pierden y descontaminar."""

import math
import re

from utils.course.checks import Exercise, Verdict


def _windows(text: str, n: int) -> list[tuple[str, ...]]:
    tokens = re.findall(r"\w+", text.lower())
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def _check_jaccard(word_jaccard) -> Verdict:
    a, b = "el gato come pan y el gato come pan", "el gato come queso"
    # 2-gramas: {el gato, gato come, come pan, pan y, y el} y {el gato, gato come, come queso}: 2 de 6
    got = word_jaccard(a, b, 2)
    if not isinstance(got, int | float):
        return Verdict(False, f"se espera un número y devuelve {type(got).__name__}.")
    if math.isclose(got, 2 / 3):
        return Verdict(
            False,
            "o divides entre el conjunto más pequeño, y el denominador es la UNIÓN de los dos, o devuelves la "
            "distancia, 1 − J, y se pide el parecido.",
        )
    if math.isclose(got, 2 / 5):
        return Verdict(
            False,
            "o te falta la última secuencia de cada texto (hay len(w) − n + 1), o divides entre el conjunto de `a` "
            "en lugar de la unión.",
        )
    if math.isclose(got, 2 / 8):
        return Verdict(False, "sumas los dos tamaños, y lo común se cuenta dos veces; usa la unión.")
    if any(math.isclose(got, wrong) for wrong in (4 / 11, 2 / 11, 4 / 7, 2 / 9)):
        return Verdict(False, "cuentas las repeticiones; Jaccard compara conjuntos: cada secuencia cuenta una vez.")
    if math.isclose(got, 3 / 6):
        return Verdict(False, "comparas palabras sueltas; aquí se piden secuencias de n palabras seguidas.")
    if not math.isclose(got, 2 / 6):
        return Verdict(False, f"con los textos del ejemplo y n = 2 devuelve {got:.3g}, y hay 2 comunes de 6.")
    if not math.isclose(word_jaccard("El gato come.", "el gato, come", 3), 1):
        return Verdict(False, "«El gato come.» y «el gato, come» dan 1; usa words(), que quita mayúsculas y signos.")
    return Verdict(True, "cuenta conjuntos de secuencias y divide entre la unión.")


def _raw(text: str, n: int) -> set[tuple[str, ...]]:
    tokens = text.split()
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


def _check_missed(missed) -> Verdict:
    cases = [(0.8, 16, 8), (0.6, 10, 3), (0.9, 4, 20)]
    right = [(1 - s**r) ** b for s, b, r in cases]
    got = [missed(*case) for case in cases]

    def same(values) -> bool:
        return all(math.isclose(g, v, rel_tol=1e-6) for g, v in zip(got, values, strict=True))

    if same(right):
        return Verdict(True, "para perder una pareja tienen que fallar todas las bandas, y cada una falla con 1 − s^r.")
    if same([1 - p for p in right]):
        return Verdict(False, "esa es la probabilidad de encontrarla; se pide la de perderla.")
    if same([(1 - s**b) ** r for s, b, r in cases]):
        return Verdict(False, "has cambiado b por r: una banda coincide si coinciden sus r filas.")
    if same([1 - s**r for s, b, r in cases]):
        return Verdict(False, "esa es la probabilidad de que falle UNA banda; se pierde si fallan las b.")
    if same([(1 - s**r) * b for s, b, r in cases]):
        return Verdict(False, "para que fallen las b a la vez, la probabilidad se multiplica por sí misma b veces.")
    if same([1 - s ** (r * b) for s, b, r in cases]):
        return Verdict(False, "exiges que coincida la firma entera; basta con que coincida una banda.")
    if same([((1 - s) ** r) ** b for s, b, r in cases]):
        return Verdict(False, "una banda falla si falla ALGUNA de sus filas, no si fallan todas: es 1 − s^r.")
    return Verdict(False, f"para s = 0,8, b = 16 y r = 8 devuelve {got[0]}; piensa primero en una sola banda.")


def _check_clean(clean_train) -> Verdict:
    inside, alike, other = "Por favor: el gato come pan duro.", "el gato come pescado", "nada que ver"
    train = [inside, alike, other, "El GATO, come PAN", "come pan duro"]
    test = ["El gato come pan.", "hola"]
    got = clean_train(list(train), list(test), 4)
    if not isinstance(got, list):
        return Verdict(False, f"se espera la lista de los textos que se quedan y devuelve {type(got).__name__}.")
    if any(text in test for text in got) or not set(got) <= set(train):
        return Verdict(False, "devuelve textos que no son de train; se quita del entrenamiento y la prueba no se toca.")
    right = [train[1], train[2], train[4]]
    if got == right:
        shared = ["hoy el gato come pescado", other]
        if clean_train(list(shared), ["El gato come pan."], 3) != [other]:
            return Verdict(
                False,
                "con n = 3, «hoy el gato come pescado» y «El gato come pan.» comparten una secuencia, y basta UNA: "
                "no hace falta que la pregunta esté entera.",
            )
        return Verdict(True, "quita las copias, también las disfrazadas, y respeta lo que solo se parece.")
    if got == [train[0], train[3]]:
        return Verdict(False, "devuelve lo contaminado; se piden los que se quedan.")
    if train[3] in got and train[0] in got:
        return Verdict(False, "buscas el texto tal cual; compara palabras, sin mayúsculas ni signos.")
    if train[0] in got:
        return Verdict(
            False, "la copia puede ir DENTRO de un texto más largo; compara todas sus secuencias de n palabras."
        )
    if train[1] not in got:
        return Verdict(False, "«el gato come pescado» solo comparte tres palabras; hacen falta n seguidas.")
    return Verdict(False, f"con el ejemplo se quedan {got} y deben quedarse {right}.")


def _substring(train, test, n):
    return [text for text in train if not any(item in text for item in test)]


def _spelled(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _grams(texts, n):
    return {window for text in texts for window in _windows(text, n)}


EXERCISES = {
    "lab-10.1": Exercise(
        "lab-10.1",
        "Jaccard de secuencias de palabras",
        _check_jaccard,
        wrong=[
            (
                lambda a, b, n: len(set(_windows(a, n)) & set(_windows(b, n)))
                / min(len(set(_windows(a, n))), len(set(_windows(b, n)))),
                "el denominador es la UNIÓN",
            ),
            (
                lambda a, b, n: len(set(_windows(a, n)) & set(_windows(b, n)))
                / (len(set(_windows(a, n))) + len(set(_windows(b, n)))),
                "se cuenta dos veces",
            ),
            (lambda a, b, n: sum(w in _windows(b, n) for w in _windows(a, n)) / 11, "cuentas las repeticiones"),
            (
                lambda a, b, n: len(set(_windows(a, 1)) & set(_windows(b, 1)))
                / len(set(_windows(a, 1)) | set(_windows(b, 1))),
                "palabras sueltas",
            ),
            (
                lambda a, b, n: len(_raw(a, n) & _raw(b, n)) / len(_raw(a, n) | _raw(b, n)),
                "quita mayúsculas y signos",
            ),
            (
                lambda a, b, n: 1
                - len(set(_windows(a, n)) & set(_windows(b, n))) / len(set(_windows(a, n)) | set(_windows(b, n))),
                "1 − J",
            ),
            (
                lambda a, b, n: len(set(_windows(a, n)[:-1]) & set(_windows(b, n)[:-1]))
                / len(set(_windows(a, n)[:-1]) | set(_windows(b, n)[:-1])),
                "te falta la última secuencia",
            ),
            (lambda a, b, n: 0.0, "2 comunes de 6"),
        ],
    ),
    "lab-10.2": Exercise(
        "lab-10.2",
        "la pareja que se pierde",
        _check_missed,
        wrong=[
            (lambda s, b, r: 1 - (1 - s**r) ** b, "la de perderla"),
            (lambda s, b, r: (1 - s**b) ** r, "b por r"),
            (lambda s, b, r: 1 - s**r, "UNA banda"),
            (lambda s, b, r: (1 - s**r) * b, "por sí misma b veces"),
            (lambda s, b, r: 1 - s ** (r * b), "la firma entera"),
            (lambda s, b, r: ((1 - s) ** r) ** b, "ALGUNA"),
            (lambda s, b, r: 0.5, "una sola banda"),
        ],
    ),
    "lab-10.3": Exercise(
        "lab-10.3",
        "descontaminar el entrenamiento",
        _check_clean,
        wrong=[
            (_substring, "tal cual"),
            (
                lambda train, test, n: [t for t in train if _windows(t, 1) not in [_windows(x, 1) for x in test]],
                "DENTRO de un texto más largo",
            ),
            (lambda train, test, n: [t for t in train if _grams([t], n) & _grams(test, n)], "lo contaminado"),
            (lambda train, test, n: [t for t in train if not _grams([t], 3) & _grams(test, 3)], "n seguidas"),
            (
                lambda train, test, n: [t for t in train if not any(_spelled(x) in _spelled(t) for x in test)],
                "basta UNA",
            ),
            (lambda train, test, n: test, "la prueba no se toca"),
            (lambda train, test, n: [train[1]], "deben quedarse"),
        ],
    ),
}  # fmt: skip
