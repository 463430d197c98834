"""Los ejercicios del lab 8: la regla de 20, un exponente con dos puntos, el fondo del valle y cuándo sobreentrenar."""

import math

from utils.course.checks import Exercise, Verdict


def _close(got: float, wanted: float, tolerance: float = 1e-3) -> bool:
    return math.isclose(got, wanted, rel_tol=tolerance, abs_tol=1e-12)


def check_twenty(twenty) -> Verdict:
    answer = twenty(1.2e22)  # el óptimo es 1e10 y 2e11
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return Verdict(False, "devuelve un par: parámetros y tokens.")
    n, d = (float(x) for x in answer)
    right = 1e10
    mistakes = {
        "los has devuelto al revés: primero los parámetros.": (20 * right, right),
        "te falta el 6: cada token cuesta 6 operaciones por parámetro.": (math.sqrt(1.2e22 / 20), 20 * math.sqrt(6e20)),
        "te falta la raíz: si D crece con N, el coste crece con N².": (1.2e22 / 120, 20 * 1.2e22 / 120),
        "has repartido el presupuesto por igual: D = N no es D = 20N.": (math.sqrt(2e21), math.sqrt(2e21)),
        "los parámetros están bien; los tokens son 20 veces esos.": (right, right),
    }
    for message, (wrong_n, wrong_d) in mistakes.items():
        if _close(n, wrong_n) and _close(d, wrong_d):
            return Verdict(False, message)
    if _close(n, right) and not _close(d, 20 * right):
        return Verdict(False, f"los parámetros están bien, pero con 6ND los tokens son {20 * right:.3g} y das {d:.3g}.")
    if not (_close(n, right) and _close(d, 20 * right)):
        return Verdict(False, f"con 1,2e22 operaciones son {right:.3g} parámetros y das {n:.3g}.")
    n, d = twenty(5.88e23)
    if not (_close(n, 70e9) and _close(d, 1.4e12)):
        return Verdict(False, "acierta con un presupuesto y falla con el de Chinchilla: ¿has dejado escrito un número?")
    return Verdict(True, "N = √(C / 120) y D = 20N; con 5,88e23 sale Chinchilla.")


# Costes, pérdidas y E.
POINTS = ((1e10, 1e14), (1.5, 1.15), 1.1 + 0.05 / 9)
SLOPE = math.log((POINTS[1][1] - POINTS[2]) / (POINTS[1][0] - POINTS[2])) / math.log(1e4)


def check_exponent(exponent) -> Verdict:
    got = float(exponent(*POINTS))
    (c1, c2), (l1, l2), e = POINTS
    mistakes = {
        "te falta restar E: la recta es la de la pérdida que sobra.": math.log(l2 / l1) / math.log(c2 / c1),
        "el signo está al revés: más cómputo, menos pérdida.": -SLOPE,
        "has dividido del revés: es lo que cambia la pérdida entre lo que cambia el cómputo.": 1 / SLOPE,
        "te faltan los logaritmos del cómputo.": math.log((l2 - e) / (l1 - e)) / (c2 - c1),
        "te faltan los logaritmos de la pérdida.": (l2 - l1) / math.log(c2 / c1),
        "te faltan los logaritmos: una potencia es una recta solo en log-log.": (l2 - l1) / (c2 - c1),
    }
    for message, value in mistakes.items():
        if math.isclose(got, value, rel_tol=1e-3):
            return Verdict(False, message)
    if not math.isclose(got, SLOPE, rel_tol=1e-3):
        wanted, mine = (f"{x:.3f}".replace(".", ",") for x in (SLOPE, got))
        return Verdict(False, f"con esos dos puntos el exponente es {wanted} y das {mine}.")
    if not math.isclose(float(exponent((1.0, 100.0), (3.0, 1.2), 1.0)), -0.5, rel_tol=1e-3):
        return Verdict(False, "acierta con unos puntos y falla con otros: ¿has dejado escrito algún número?")
    return Verdict(True, "ln de lo que baja la pérdida que sobra, entre ln de lo que sube el cómputo.")


def check_valley(valley) -> Verdict:
    cup = (0.02, -0.4, 3.0)  # mínimo en ln N = 10
    got = float(valley(cup))
    if got == 0:
        return Verdict(False, "dices que no hay mínimo en una parábola abierta hacia arriba.")
    mistakes = {
        "te falta deshacer el logaritmo: el vértice está en ln N.": 10.0,
        "has usado potencias de 10: el logaritmo era natural.": 1e10,
        "el vértice es −b/(2a): te falta el 2.": math.exp(20),
        "te falta el signo menos del vértice.": math.exp(-10),
        "has devuelto la pérdida del fondo: se pide el tamaño.": 1.0,
    }
    for message, value in mistakes.items():
        if _close(got, value):
            return Verdict(False, message)
    if not _close(got, math.exp(10)):
        return Verdict(False, f"el mínimo de (0,02; −0,4; 3) está en N = {math.exp(10):.0f} y das {got:.3g}.")
    if valley((-0.02, 0.4, 3.0)) != 0:
        return Verdict(False, "en una parábola abierta hacia abajo ese punto es un máximo: devuelve 0.")
    if valley((-0.02, -0.4, 3.0)) != 0:
        return Verdict(False, "lo que decide si hay mínimo es el signo de a, no el de b.")
    return Verdict(True, "e elevado a −b/(2a), y solo si a es positivo.")


SMALL, LARGE = (8e9, 6e12), (30e9, 1e12)


def check_break_even(break_even) -> Verdict:
    got = float(break_even(SMALL, LARGE))
    (n1, d1), (n2, d2) = SMALL, LARGE
    right = 3 * (n1 * d1 - n2 * d2) / (n2 - n1)
    mistakes = {
        "el signo está al revés: el pequeño ahorra 2(N₂ − N₁) por token servido.": -right,
        "entrenar cuesta 6ND, el triple por token que servir: te falta ese 3.": right / 3,
        "te falta el 2 de servir: cada token servido cuesta 2N.": 2 * right,
        "divides por la suma de los tamaños: lo que se ahorra por token es su diferencia.": right
        * (n2 - n1)
        / (n2 + n1),
        "comparas los tokens de entrenamiento: iguala los costes totales.": d1 - d2,
    }
    for message, value in mistakes.items():
        if _close(got, value):
            return Verdict(False, message)
    if not _close(got, right):
        return Verdict(False, f"con {SMALL} y {LARGE} se empata a los {right:.3g} tokens servidos y das {got:.3g}.")
    if not _close(float(break_even((1e9, 1e10), (2e9, 1e11))), 0.0):
        return Verdict(False, "si el pequeño ya costó menos de entrenar, compensa desde el principio: devuelve 0.")
    return Verdict(True, "lo que costó de más entrenarlo, entre lo que ahorra cada token servido.")


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-08.1",
            "la regla de 20",
            check_twenty,
            wrong=[
                (lambda c: (20 * math.sqrt(c / 120), math.sqrt(c / 120)), "al revés"),
                (lambda c: (math.sqrt(c / 20), 20 * math.sqrt(c / 20)), "falta el 6"),
                (lambda c: (c / 120, c / 6), "falta la raíz"),
                (lambda c: (math.sqrt(c / 6), math.sqrt(c / 6)), "por igual"),
                (lambda c: (math.sqrt(c / 120), math.sqrt(c / 120)), "20 veces"),
                (lambda c: (math.sqrt(c / 120), 20), "los tokens son"),
                (lambda c: (70e9, 1.4e12), "y das"),
                (lambda c: (1e10, 2e11), "escrito un número"),
                (lambda c: math.sqrt(c / 120), "un par"),
            ],
        ),
        Exercise(
            "lab-08.2",
            "el exponente con dos puntos",
            check_exponent,
            wrong=[
                (lambda c, y, e: math.log(y[1] / y[0]) / math.log(c[1] / c[0]), "restar E"),
                (lambda c, y, e: math.log((y[0] - e) / (y[1] - e)) / math.log(c[1] / c[0]), "signo"),
                (lambda c, y, e: math.log(c[1] / c[0]) / math.log((y[1] - e) / (y[0] - e)), "del revés"),
                (lambda c, y, e: math.log((y[1] - e) / (y[0] - e)) / (c[1] - c[0]), "logaritmos del cómputo"),
                (lambda c, y, e: (y[1] - y[0]) / math.log(c[1] / c[0]), "logaritmos de la pérdida"),
                (lambda c, y, e: (y[1] - y[0]) / (c[1] - c[0]), "solo en log-log"),
                (lambda c, y, e: -0.5, "y das"),
                (lambda c, y, e: SLOPE, "escrito algún número"),
            ],
        ),
        Exercise(
            "lab-08.3",
            "el fondo del valle",
            check_valley,
            wrong=[
                (lambda k: -k[1] / (2 * k[0]), "deshacer el logaritmo"),
                (lambda k: 10 ** (-k[1] / (2 * k[0])), "potencias de 10"),
                (lambda k: math.exp(-k[1] / k[0]), "te falta el 2"),
                (lambda k: math.exp(k[1] / (2 * k[0])), "signo menos"),
                (lambda k: k[2] - k[1] ** 2 / (4 * k[0]), "se pide el tamaño"),
                (lambda k: math.exp(-k[1] / (2 * k[0])), "devuelve 0"),
                (lambda k: 1.5, "y das"),
                (lambda k: math.exp(-k[1] / (2 * k[0])) if k[0] < 0 else 0, "no hay mínimo"),
                (lambda k: math.exp(-k[1] / (2 * k[0])) if k[1] < 0 else 0, "el signo de a"),
            ],
        ),
        Exercise(
            "lab-08.4",
            "cuándo compensa sobreentrenar",
            check_break_even,
            wrong=[
                (lambda s, g: 3 * (g[0] * g[1] - s[0] * s[1]) / (g[0] - s[0]), "al revés"),
                (lambda s, g: (s[0] * s[1] - g[0] * g[1]) / (g[0] - s[0]), "falta ese 3"),
                (lambda s, g: 6 * (s[0] * s[1] - g[0] * g[1]) / (g[0] - s[0]), "falta el 2"),
                (lambda s, g: 3 * (s[0] * s[1] - g[0] * g[1]) / (g[0] + s[0]), "la suma"),
                (lambda s, g: s[1] - g[1], "iguala los costes"),
                (lambda s, g: 3 * (s[0] * s[1] - g[0] * g[1]) / (g[0] - s[0]), "devuelve 0"),
                (lambda s, g: 1.0, "se empata"),
            ],
        ),
    ]
}
