"""Los ejercicios del lab 8: la regla de 20, un exponente con dos puntos, el fondo del valle y cuándo sobreentrenar."""

import math

from utils.exercises.grading import Exercise

TWENTY = Exercise(
    "lab-08.1",
    "la regla de 20",
    "N = √(C / 120) y D = 20N; con 5,88e23 sale Chinchilla.",
    right=lambda flops: (math.sqrt(flops / 120), 20 * math.sqrt(flops / 120)),
    cases=[(1.2e22,), (5.88e23,)],
    mistakes=[
        (lambda c: (20 * math.sqrt(c / 120), math.sqrt(c / 120)), "los has devuelto al revés: primero los parámetros."),
        (
            lambda c: (math.sqrt(c / 20), 20 * math.sqrt(c / 20)),
            "te falta el 6: cada token cuesta 6 operaciones por parámetro.",
        ),
        (lambda c: (c / 120, c / 6), "te falta la raíz: si D crece con N, el coste crece con N²."),
        (
            lambda c: (math.sqrt(c / 6), math.sqrt(c / 6)),
            "has repartido el presupuesto por igual: D = N no es D = 20N.",
        ),
        (
            lambda c: (math.sqrt(c / 120), math.sqrt(c / 120)),
            "los parámetros están bien; los tokens son 20 veces esos.",
        ),
        (lambda c: (math.sqrt(c / 120), 20), "los parámetros están bien; los tokens son 20 por parámetro, no 20."),
        (lambda c: math.sqrt(c / 120), "devuelve un par: parámetros y tokens."),
    ],
)


def _fall(y, e):
    """El logaritmo de lo que cambia la pérdida que sobra."""
    return math.log((y[1] - e) / (y[0] - e))


EXPONENT = Exercise(
    "lab-08.2",
    "el exponente con dos puntos",
    "ln de lo que baja la pérdida que sobra, entre ln de lo que sube el cómputo.",
    right=lambda cost, losses, irreducible: _fall(losses, irreducible) / math.log(cost[1] / cost[0]),
    cases=[
        ((1e10, 1e14), (1.5, 1.15), 1.1 + 0.05 / 9),
        ((1.0, 100.0), (3.0, 1.2), 1.0),
        ((2.0, 10.0), (3.0, 1.2), 0.5),
    ],
    mistakes=[
        (
            lambda c, y, e: math.log(y[1] / y[0]) / math.log(c[1] / c[0]),
            "te falta restar E: la recta es la de la pérdida que sobra.",
        ),
        (lambda c, y, e: -_fall(y, e) / math.log(c[1] / c[0]), "el signo está al revés: más cómputo, menos pérdida."),
        (
            lambda c, y, e: math.log(c[1] / c[0]) / _fall(y, e),
            "has dividido del revés: es lo que cambia la pérdida entre lo que cambia el cómputo.",
        ),
        (lambda c, y, e: _fall(y, e) / (c[1] - c[0]), "te faltan los logaritmos del cómputo."),
        (lambda c, y, e: (y[1] - y[0]) / math.log(c[1] / c[0]), "te faltan los logaritmos de la pérdida."),
        (
            lambda c, y, e: (y[1] - y[0]) / (c[1] - c[0]),
            "te faltan los logaritmos: una potencia es una recta solo en log-log.",
        ),
    ],
)


def _vertex(k) -> float:
    return -k[1] / (2 * k[0])


VALLEY = Exercise(
    "lab-08.3",
    "el fondo del valle",
    "e elevado a −b/(2a), y solo si a es positivo.",
    right=lambda coefficients: math.exp(_vertex(coefficients)) if coefficients[0] > 0 else 0,
    cases=[((0.02, -0.4, 3.0),), ((0.05, -0.7, 4.0),)],  # mínimos en ln N = 10 y en ln N = 7
    mistakes=[
        (lambda k: 0, "dices que no hay mínimo en una parábola abierta hacia arriba."),
        (_vertex, "te falta deshacer el logaritmo: el vértice está en ln N."),
        (lambda k: 10 ** _vertex(k), "has usado potencias de 10: el logaritmo era natural."),
        (lambda k: math.exp(2 * _vertex(k)), "el vértice es −b/(2a): te falta el 2."),
        (lambda k: math.exp(-_vertex(k)), "te falta el signo menos del vértice."),
        (lambda k: k[2] - k[1] ** 2 / (4 * k[0]), "has devuelto la pérdida del fondo: se pide el tamaño."),
    ],
    traps=[
        (((-0.02, 0.4, 3.0),), "en una parábola abierta hacia abajo ese punto es un máximo: devuelve 0."),
        (((-0.02, -0.4, 3.0),), "lo que decide si hay mínimo es el signo de a, no el de b."),
    ],
)


def _training(model) -> float:
    """Parámetros por tokens de entrenamiento: la sexta parte de lo que costó."""
    return model[0] * model[1]


def _extra(small, large) -> float:
    return _training(small) - _training(large)


BREAK_EVEN = Exercise(
    "lab-08.4",
    "cuándo compensa sobreentrenar",
    "lo que costó de más entrenarlo, entre lo que ahorra cada token servido.",
    right=lambda small, large: max(0.0, 3 * _extra(small, large) / (large[0] - small[0])),
    cases=[((8e9, 6e12), (30e9, 1e12)), ((1e9, 9e11), (4e9, 1e11))],
    mistakes=[
        (
            lambda small, large: -3 * _extra(small, large) / (large[0] - small[0]),
            "el signo está al revés: el pequeño ahorra 2(N₂ − N₁) por token servido.",
        ),
        (
            lambda small, large: max(0.0, -3 * _extra(small, large) / (large[0] - small[0])),
            "el signo está al revés: el pequeño ahorra 2(N₂ − N₁) por token servido.",
        ),
        (
            lambda small, large: _extra(small, large) / (large[0] - small[0]),
            "entrenar cuesta 6ND, el triple por token que servir: te falta ese 3.",
        ),
        (
            lambda small, large: 6 * _extra(small, large) / (large[0] - small[0]),
            "te falta el 2 de servir: cada token servido cuesta 2N.",
        ),
        (
            lambda small, large: 3 * _extra(small, large) / (large[0] + small[0]),
            "divides por la suma de los tamaños: lo que se ahorra por token es su diferencia.",
        ),
        (lambda small, large: small[1] - large[1], "comparas los tokens de entrenamiento: iguala los costes totales."),
    ],
    traps=[
        (
            ((1e9, 1e10), (2e9, 1e11)),
            "si el pequeño ya costó menos de entrenar, compensa desde el principio: devuelve 0.",
        )
    ],
)

EXERCISES = {e.id: e for e in (TWENTY, EXPONENT, VALLEY, BREAK_EVEN)}
