"""Ejercicios del lab 10: Jaccard de palabras, parejas que las bandas pierden y descontaminar."""

import re

from utils.exercises.grading import Exercise


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _windows(text: str, n: int, split=_words) -> list[tuple[str, ...]]:
    tokens = split(text)
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def _both(a: str, b: str, n: int) -> tuple[set, set]:
    return set(_windows(a, n)), set(_windows(b, n))


def _ratio(above: set, below: set) -> float:
    return len(above) / len(below)


def _jaccard(a: str, b: str, n: int) -> float:
    first, second = _both(a, b, n)
    return _ratio(first & second, first | second)


def _repeated(a: str, b: str, n: int, once: bool, union: bool) -> float:
    """Jaccard de listas: en lo común, en el total o en los dos se cuentan las repeticiones."""
    first, second = _windows(a, n), _windows(b, n)
    common = len(set(first) & set(second)) if once else sum(window in second for window in first)
    return common / (len(first) + len(second) - common * union)


REPEATS = "cuentas las repeticiones; Jaccard compara conjuntos: cada secuencia cuenta una vez."
A, B = "el gato come pan y el gato come pan", "el gato come queso"

JACCARD = Exercise(
    "lab-10.1",
    "Jaccard de secuencias de palabras",
    "cuenta conjuntos de secuencias y divide entre la unión.",
    right=_jaccard,
    # Con n = 2, {el gato, gato come, come pan, pan y, y el} y {el gato, gato come, come queso}: 2 comunes de 6.
    cases=[(A, B, 2), (A, B, 3), ("uno dos tres cuatro uno dos", "uno dos tres cinco", 2), (B, A, 1)],
    mistakes=[
        (
            lambda a, b, n: len(set.intersection(*_both(a, b, n))) / min(map(len, _both(a, b, n))),
            "divides entre el conjunto más pequeño, y el denominador es la UNIÓN de los dos.",
        ),
        (lambda a, b, n: 1 - _jaccard(a, b, n), "devuelves la distancia, 1 − J, y se pide el parecido."),
        (
            lambda a, b, n: _ratio(
                set(_windows(a, n)[:-1]) & set(_windows(b, n)[:-1]), set(_windows(a, n)[:-1]) | set(_windows(b, n)[:-1])
            ),
            "te falta la última secuencia de cada texto: hay len(w) − n + 1.",
        ),
        (
            lambda a, b, n: _ratio(set.intersection(*_both(a, b, n)), _both(a, b, n)[0]),
            "divides entre el conjunto de `a` en lugar de la unión.",
        ),
        (
            lambda a, b, n: len(set.intersection(*_both(a, b, n))) / sum(map(len, _both(a, b, n))),
            "sumas los dos tamaños, y lo común se cuenta dos veces; usa la unión.",
        ),
        (lambda a, b, n: _repeated(a, b, n, once=False, union=False), REPEATS),
        (lambda a, b, n: _repeated(a, b, n, once=True, union=False), REPEATS),
        (lambda a, b, n: _repeated(a, b, n, once=False, union=True), REPEATS),
        (lambda a, b, n: _repeated(a, b, n, once=True, union=True), REPEATS),
        (
            lambda a, b, n: _jaccard(a, b, 1),
            "comparas palabras sueltas; aquí se piden secuencias de n palabras seguidas.",
        ),
        (lambda a, b, n: _jaccard(a, b, 2), "has escrito la longitud a mano: es `n`, que no siempre vale 2."),
    ],
    traps=[
        (
            ("El gato come.", "el gato, come", 3),
            "«El gato come.» y «el gato, come» dan 1; usa words(), que quita mayúsculas y signos.",
        )
    ],
)

MISSED = Exercise(
    "lab-10.2",
    "la pareja que se pierde",
    "para perder una pareja tienen que fallar todas las bandas, y cada una falla con 1 − s^r.",
    right=lambda jaccard, bands, rows: (1 - jaccard**rows) ** bands,
    cases=[(0.8, 16, 8), (0.6, 10, 3), (0.9, 4, 20)],
    mistakes=[
        (lambda s, b, r: 1 - (1 - s**r) ** b, "esa es la probabilidad de encontrarla; se pide la de perderla."),
        (lambda s, b, r: (1 - s**b) ** r, "has cambiado b por r: una banda coincide si coinciden sus r filas."),
        (lambda s, b, r: 1 - s**r, "esa es la probabilidad de que falle UNA banda; se pierde si fallan las b."),
        (
            lambda s, b, r: (1 - s**r) * b,
            "para que fallen las b a la vez, la probabilidad se multiplica por sí misma b veces.",
        ),
        (lambda s, b, r: 1 - s ** (r * b), "exiges que coincida la firma entera; basta con que coincida una banda."),
        (
            lambda s, b, r: ((1 - s) ** r) ** b,
            "una banda falla si falla ALGUNA de sus filas, no si fallan todas: es 1 − s^r.",
        ),
    ],
)


def _grams(texts, n: int) -> set[tuple[str, ...]]:
    return {window for text in texts for window in _windows(text, n)}


def _keep(train, dirty) -> list[str]:
    return [text for text in train if not dirty(text)]


def _spelled(text: str) -> str:
    return " ".join(_words(text))


TRAIN = [
    "Por favor: el gato come pan duro.",
    "el gato come pescado",
    "nada que ver",
    "El GATO, come PAN",
    "come pan duro",
]
TEST = ["El gato come pan.", "hola"]
NOT_WHOLE = (
    "con n = 3, «hoy el gato come pescado» y «El gato come pan.» comparten una secuencia, y basta UNA: no hace falta "
    "que la pregunta esté entera."
)

CLEAN = Exercise(
    "lab-10.3",
    "descontaminar el entrenamiento",
    "quita las copias, también las disfrazadas, y respeta lo que solo se parece.",
    right=lambda train, test, n: _keep(train, lambda text: _grams([text], n) & _grams(test, n)),
    cases=[
        (TRAIN, TEST, 4),
        (["uno dos tres", "Dos, tres y uno", "tres dos", "uno dos"], ["Hay dos tres", "cero uno dos"], 2),
    ],
    mistakes=[
        (
            lambda train, test, n: test,
            "devuelve textos que no son de train; se quita del entrenamiento y la prueba no se toca.",
        ),
        (
            lambda train, test, n: [text for text in train if _grams([text], n) & _grams(test, n)],
            "devuelve lo contaminado; se piden los que se quedan.",
        ),
        (
            lambda train, test, n: _keep(train, lambda text: any(item in text for item in test)),
            "buscas el texto tal cual; compara palabras, sin mayúsculas ni signos.",
        ),
        (
            lambda train, test, n: _keep(train, lambda text: text in test),
            "buscas el texto tal cual; compara palabras, sin mayúsculas ni signos.",
        ),
        (
            lambda train, test, n: _keep(train, lambda text: _words(text) in map(_words, test)),
            "la copia puede ir DENTRO de un texto más largo; compara todas sus secuencias de n palabras.",
        ),
        (
            lambda train, test, n: _keep(train, lambda text: any(_spelled(x) in _spelled(text) for x in test)),
            "buscas la pregunta entera, y basta UNA secuencia de n palabras suyas.",
        ),
        (
            lambda train, test, n: _keep(train, lambda text: _grams([text], 3) & _grams(test, 3)),
            "«el gato come pescado» solo comparte tres palabras; hacen falta n seguidas.",
        ),
        (
            lambda train, test, n: _keep(train, lambda text: _grams([text], n) & _grams(test[:1], n)),
            "solo miras el primer texto de test: hay que compararlos todos.",
        ),
    ],
    traps=[((["hoy el gato come pescado", "nada que ver"], ["El gato come pan."], 3), NOT_WHOLE)],
)

EXERCISES = {e.id: e for e in (JACCARD, MISSED, CLEAN)}
