"""Los ejercicios del lab 0: el gradiente de una capa, el idf y cuánto dura una memoria."""

import math

import torch

from utils.exercises.grading import Exercise


def _layer(seed: int, batch: int, inputs: int, outputs: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    shapes = (batch, inputs), (inputs, outputs), (batch, outputs)
    return tuple(torch.randn(*shape, generator=generator) for shape in shapes)  # a, W, delta


LAYER = Exercise(
    "lab-00.1",
    "el gradiente de una capa",
    "con esas tres líneas, capa a capa, se retropropaga cualquier red densa.",
    right=lambda a, w, delta: (a.T @ delta, delta.sum(0), delta @ w.T),
    cases=[_layer(0, 5, 3, 2), _layer(1, 5, 3, 2), _layer(2, 4, 2, 3)],
    mistakes=[
        (
            lambda a, w, delta: (delta @ w.T, delta.sum(0), a.T @ delta),
            "has devuelto primero el gradiente de a; el orden es W, b, a.",
        ),
        (
            lambda a, w, delta: (a.T @ delta / len(a), delta.sum(0), delta @ w.T),
            "has dividido por el tamaño del lote, y delta ya trae esa división de la pérdida.",
        ),
        (
            lambda a, w, delta: (a.T @ delta, delta.mean(0), delta @ w.T),
            "el gradiente de b es la suma de delta sobre el lote, no la media.",
        ),
        (
            lambda a, w, delta: (a.T @ delta, delta, delta @ w.T),
            "b es el mismo para todo el lote: su gradiente suma los de los ejemplos y mide (m,).",
        ),
        (
            lambda a, w, delta: (delta.T @ a, delta.sum(0), delta @ w.T),
            "el gradiente de W debe medir lo que W, (n, m), y el tuyo está traspuesto.",
        ),
        (
            lambda a, w, delta: (a.T @ delta, delta.sum(0), -delta @ w.T),
            "las formas encajan, pero el gradiente de a no es ese: repasa la regla de la cadena.",
        ),
        (lambda a, w, delta: a.T @ delta, "se esperan tres tensores: los gradientes de W, de b y de a, en ese orden."),
    ],
)


def _idf(documents, top=1.0, bottom=1.0, plus=1.0, count=lambda word, ds: sum(word in d for d in ds), log=math.log):
    vocabulary = {word for document in documents for word in document}
    return {w: log((top + len(documents)) / (bottom + count(w, documents))) + plus for w in vocabulary}


def _appearances(word, documents):
    return sum(document.count(word) for document in documents)


IDF = Exercise(
    "lab-00.2",
    "el idf",
    "la palabra que está en todos los documentos se queda con el mínimo, 1.",
    right=lambda documents: _idf(documents),
    cases=[([["sol", "sol", "mar"], ["mar"], ["mar", "luz"]],), ([["pan", "pan"], ["pan", "sal"]],)],
    mistakes=[
        (
            lambda documents: _idf(documents, count=_appearances),
            "has contado apariciones: df son documentos, y «sol» está en uno aunque salga dos veces.",
        ),
        (
            lambda documents: _idf(documents, plus=0.0),
            "falta el 1 que se suma al final: sin él, una palabra de todos los documentos pesaría 0.",
        ),
        (
            lambda documents: _idf(documents, top=0.0, bottom=0.0),
            "faltan los unos dentro del logaritmo: es (1 + n) / (1 + df).",
        ),
        (lambda documents: _idf(documents, top=0.0), "falta sumar 1 a n, el numerador."),
        (
            lambda documents: _idf(documents, log=math.log10),
            "has usado el logaritmo en base 10: es el natural, `math.log`.",
        ),
        (
            lambda documents: _idf(documents, log=math.log2),
            "has usado el logaritmo en base 2: es el natural, `math.log`.",
        ),
    ],
)


def _exact(f: float, fraction: float) -> float:
    """Las palabras, con decimales: f^t = fraction."""
    return math.log(fraction) / math.log(f)


LIFETIME = Exercise(
    "lab-00.3",
    "cuánto dura una memoria",
    "para llegar a cuarenta palabras con la mitad de la memoria, f tiene que pasar de 0,98.",
    right=lambda f, fraction: math.ceil(_exact(f, fraction) - 1e-9),
    cases=[(0.5, 0.25), (0.9, 0.5), (0.99, 0.1), (0.5, 0.3)],
    mistakes=[
        (_exact, "casi: no se lee media palabra. Redondea hacia arriba, con `math.ceil`."),
        (
            lambda f, fraction: math.floor(_exact(f, fraction) + 1e-9),
            "has redondeado hacia abajo: a esa palabra todavía queda más de lo pedido.",
        ),
        (
            lambda f, fraction: round(_exact(f, fraction)),
            "has redondeado al más cercano: si es hacia abajo, a esa palabra todavía queda más de lo pedido.",
        ),
        (
            lambda f, fraction: math.floor(_exact(f, fraction) + 1e-9) + 1,
            "con f = 0,5, a las dos palabras queda justo 0,25, y «o menos» incluye la igualdad.",
        ),
        (
            lambda f, fraction: math.ceil((1 - fraction) / (1 - f) - 1e-9),
            "has restado en cada palabra; la memoria se multiplica por f, no se le quita 1 − f.",
        ),
    ],
)

EXERCISES = {e.id: e for e in (LAYER, IDF, LIFETIME)}
