"""Los ejercicios del lab 0: el gradiente de una capa, el idf y cuánto dura una memoria."""

import math

import torch

from utils.course.checks import Exercise, Verdict


def check_layer(layer_gradients) -> Verdict:
    generator = torch.Generator().manual_seed(0)
    a, w, delta = (torch.randn(*shape, generator=generator) for shape in ((5, 3), (3, 2), (5, 2)))
    got = layer_gradients(a.clone(), w.clone(), delta.clone())
    if not isinstance(got, (tuple, list)) or len(got) != 3 or not all(torch.is_tensor(g) for g in got):
        return Verdict(False, "se esperan tres tensores: los gradientes de W, de b y de a, en ese orden.")
    expected = (a.T @ delta, delta.sum(dim=0), delta @ w.T)
    if all(g.shape == e.shape and torch.allclose(g, e, atol=1e-5) for g, e in zip(got, expected, strict=True)):
        return Verdict(True, "con esas tres líneas, capa a capa, se retropropaga cualquier red densa.")
    if got[0].shape == expected[2].shape and torch.allclose(got[0], expected[2], atol=1e-5):
        return Verdict(False, "has devuelto primero el gradiente de a; el orden es W, b, a.")
    if got[0].shape == expected[0].shape and torch.allclose(got[0] * 5, expected[0], atol=1e-5):
        return Verdict(False, "has dividido por el tamaño del lote, y delta ya trae esa división de la pérdida.")
    if got[1].shape == expected[1].shape and torch.allclose(got[1] * 5, expected[1], atol=1e-5):
        return Verdict(False, "el gradiente de b es la suma de delta sobre el lote, no la media.")
    if got[1].shape == delta.shape:
        return Verdict(False, "b es el mismo para todo el lote: su gradiente suma los de los ejemplos y mide (m,).")
    for name, g, e in zip(("W", "b", "a"), got, expected, strict=True):
        if g.shape != e.shape:
            return Verdict(False, f"el gradiente de {name} debe medir {tuple(e.shape)} y mide {tuple(g.shape)}.")
    wrong = next(n for n, g, e in zip("Wba", got, expected, strict=True) if not torch.allclose(g, e, atol=1e-5))
    return Verdict(False, f"las formas encajan, pero el gradiente de {wrong} no es ese: repasa la regla de la cadena.")


DOCUMENTS = [["sol", "sol", "mar"], ["mar"], ["mar", "luz"]]


def _idf(documents, top=1.0, bottom=1.0, plus=1.0, count=lambda word, ds: sum(word in d for d in ds), log=math.log):
    vocabulary = {word for document in documents for word in document}
    return {w: log((top + len(documents)) / (bottom + count(w, documents))) + plus for w in vocabulary}


def _appearances(word, documents):
    return sum(document.count(word) for document in documents)


def check_idf(idf) -> Verdict:
    got, right = idf([list(d) for d in DOCUMENTS]), _idf(DOCUMENTS)
    if not isinstance(got, dict) or set(got) != set(right):
        return Verdict(False, "se espera un diccionario con una entrada por palabra distinta.")

    def same(other):
        return all(abs(float(got[w]) - other[w]) < 1e-9 for w in right)

    if same(right):
        return Verdict(True, "la palabra que está en todos los documentos se queda con el mínimo, 1.")
    mistakes = {
        "has contado apariciones: df son documentos, y «sol» está en uno aunque salga dos veces.": {
            "count": _appearances
        },
        "falta el 1 que se suma al final: sin él, una palabra de todos los documentos pesaría 0.": {"plus": 0.0},
        "faltan los unos dentro del logaritmo: es (1 + n) / (1 + df).": {"top": 0.0, "bottom": 0.0},
        "falta sumar 1 a n, el numerador.": {"top": 0.0},
        "has usado el logaritmo en base 10: es el natural, `math.log`.": {"log": math.log10},
        "has usado el logaritmo en base 2: es el natural, `math.log`.": {"log": math.log2},
    }
    for message, change in mistakes.items():
        if same(_idf(DOCUMENTS, **change)):
            return Verdict(False, message)
    return Verdict(
        False, f"el idf de «sol» debería ser {right['sol']:.4f} y da {float(got['sol']):.4f}.".replace(".", ",", 2)
    )


CASES = [(0.5, 0.25), (0.9, 0.5), (0.99, 0.1), (0.5, 0.3)]


def check_lifetime(lifetime) -> Verdict:
    right = [2, 7, 230, 2]
    got = [lifetime(*case) for case in CASES]
    exact = [math.log(fraction) / math.log(f) for f, fraction in CASES]
    if [float(g) for g in got] == [float(r) for r in right]:
        return Verdict(True, "para llegar a cuarenta palabras con la mitad de la memoria, f tiene que pasar de 0,98.")
    if all(abs(float(g) - e) < 1e-9 for g, e in zip(got, exact, strict=True)):
        return Verdict(False, "casi: no se lee media palabra. Redondea hacia arriba, con `math.ceil`.")
    if got == [math.floor(e + 1e-9) for e in exact]:
        return Verdict(False, "has redondeado hacia abajo: a esa palabra todavía queda más de lo pedido.")
    if got[0] == 3 and got[1] == 7:
        return Verdict(False, "con f = 0,5, a las dos palabras queda justo 0,25, y «o menos» incluye la igualdad.")
    if got == [math.ceil((1 - fraction) / (1 - f) - 1e-9) for f, fraction in CASES]:
        return Verdict(False, "has restado en cada palabra; la memoria se multiplica por f, no se le quita 1 − f.")
    return Verdict(False, f"con f = 0,9 y la mitad de la memoria son 7 palabras, y da {got[1]}.")


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-00.1",
            "el gradiente de una capa",
            check_layer,
            wrong=[
                (lambda a, w, d: (d @ w.T, d.sum(0), a.T @ d), "el orden es W, b, a"),
                (lambda a, w, d: (a.T @ d / len(a), d.sum(0), d @ w.T), "ya trae esa división"),
                (lambda a, w, d: (a.T @ d, d.mean(0), d @ w.T), "no la media"),
                (lambda a, w, d: (a.T @ d, d, d @ w.T), "suma los de los ejemplos"),
                (lambda a, w, d: (d.T @ a, d.sum(0), d @ w.T), "el gradiente de W debe medir"),
                (lambda a, w, d: (a.T @ d, d.sum(0), -d @ w.T), "el gradiente de a no es ese"),
                (lambda a, w, d: a.T @ d, "tres tensores"),
            ],
        ),
        Exercise(
            "lab-00.2",
            "el idf",
            check_idf,
            wrong=[
                (lambda ds: _idf(ds, count=_appearances), "contado apariciones"),
                (lambda ds: _idf(ds, plus=0.0), "falta el 1"),
                (lambda ds: _idf(ds, top=0.0, bottom=0.0), "faltan los unos"),
                (lambda ds: _idf(ds, top=0.0), "falta sumar 1 a n"),
                (lambda ds: _idf(ds, log=math.log10), "base 10"),
                (lambda ds: _idf(ds, log=math.log2), "base 2"),
                (lambda ds: [1.0, 2.0], "un diccionario"),
                (lambda ds: dict.fromkeys({w for d in ds for w in d}, 0.0), "debería ser 1,6931"),
            ],
        ),
        Exercise(
            "lab-00.3",
            "cuánto dura una memoria",
            check_lifetime,
            wrong=[
                (lambda f, fraction: math.log(fraction) / math.log(f), "Redondea hacia arriba"),
                (lambda f, fraction: math.floor(math.log(fraction) / math.log(f) + 1e-9), "hacia abajo"),
                (lambda f, fraction: math.floor(math.log(fraction) / math.log(f) + 1e-9) + 1, "incluye la igualdad"),
                (lambda f, fraction: math.ceil((1 - fraction) / (1 - f) - 1e-9), "se multiplica por f"),
                (lambda f, fraction: 1, "son 7 palabras"),
            ],
        ),
    ]
}
