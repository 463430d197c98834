"""Ejercicios del lab 12: el olvido a mano, la transferencia hacia atrás y el presupuesto del repaso."""

import math

from utils.course.checks import Exercise, Verdict


def _close(got, right) -> bool:
    return isinstance(got, int | float) and math.isclose(got, right, abs_tol=1e-6)


def _check_forgetting(mean_forgetting) -> Verdict:
    before = {"copia": [1, 1, 1, 1], "tema": [1, 0]}
    after = {"copia": [1, 0, 0, 0], "tema": [1, 1]}
    got = mean_forgetting(before, after)  # (0,75 − 0,5) / 2
    if _close(got, 0.125) and not _close(mean_forgetting(after, before), -0.125):
        return Verdict(False, "al final tomas el valor absoluto: si las tareas mejoran, el olvido es negativo.")
    if _close(got, 0.125):
        return Verdict(True, "una tarea pierde y la otra gana: el olvido es la media de las dos, con su signo.")
    if _close(got, -0.125):
        return Verdict(False, "tienes el signo al revés: el olvido es antes menos después, positivo si se pierde.")
    if _close(got, 2 / 6):
        return Verdict(False, "has juntado los ejemplos de todas las tareas; promedia antes cada tarea.")
    if _close(got, 0.625):
        return Verdict(False, "¿valor absoluto, o la nota de después sin restar? Es antes menos después, con signo.")
    if _close(got, 0.375):
        return Verdict(False, "has contado como cero la tarea que mejora; su ganancia también entra, con su signo.")
    if _close(got, 0.25):
        return Verdict(False, "eso es la suma sobre las tareas; falta dividir entre cuántas hay.")
    if _close(got, 1.0):
        return Verdict(False, "eso son aciertos perdidos, no notas: divide los de cada tarea entre sus ejemplos.")
    return Verdict(False, f"con copia 4/4 → 1/4 y tema 1/2 → 2/2 devuelve {got}, y es 0,125.")


def _check_transfer(transfer) -> Verdict:
    table = [[0.9, 0.1, 0.0], [0.6, 0.8, 0.3], [0.4, 0.7, 1.0]]
    got = transfer(table)  # ((0,4 − 0,9) + (0,7 − 0,8)) / 2
    if _close(got, -0.3):
        return Verdict(True, "es negativa: de media, cada tarea ha perdido tres décimas desde que se aprendió.")
    if _close(got, 0.3):
        return Verdict(False, "el signo está al revés: es la nota final menos la de recién aprendida.")
    if _close(got, -0.2):
        return Verdict(False, "divides entre T; la última tarea no cuenta, así que son T − 1.")
    if _close(got, -0.6):
        return Verdict(False, "eso es la suma; divide entre las T − 1 tareas.")
    if _close(got, 0.05):
        return Verdict(False, "comparas con la primera fila; se compara con la diagonal.")
    if _close(got, -0.7):
        return Verdict(False, "recorres la última columna; lo que se sabe al final está en la última fila.")
    if _close(got, -0.15):
        return Verdict(False, "comparas con la fila anterior; se compara con la diagonal, lo recién aprendido.")
    if _close(got, 0.7):
        return Verdict(False, "eso es la media de la última fila: la nota final, sin restar nada.")
    return Verdict(False, f"con la tabla {table} devuelve {got}; resta la diagonal a la última fila.")


def _check_budget(budget) -> Verdict:
    got = tuple(budget(80, 16, 0.125, 4))
    if got == (1120, 40):
        return Verdict(True, "cuarenta ejemplos de cada tarea vieja, y se salvan: sale barato.")
    if got == (1120, 160):
        return Verdict(False, "160 son los de todas las viejas juntas; se reparten entre las cuatro.")
    if got == (1280, 40):
        return Verdict(False, "el total no crece: lo que se repasa se quita de la tarea nueva.")
    if got == (320, 40) or got == (256, 256):
        return Verdict(False, "repartes los pasos entre todas por igual; eso es multitarea, y aquí manda la fracción.")
    if got == (1120, 32):
        return Verdict(False, "divides el repaso entre cinco; la nueva no se repasa y las viejas son cuatro.")
    if got == (40, 1120):
        return Verdict(False, "los dos números están bien, en el otro orden: primero la nueva, luego cada vieja.")
    if got in ((70, 2), (70, 10)):
        return Verdict(False, "cuentas pasos y se piden ejemplos: cada paso ve un lote entero.")
    return Verdict(False, f"con 80 pasos de 16, un octavo de repaso y 4 tareas devuelve {got}.")


EXERCISES = {
    "lab-12.1": Exercise(
        "lab-12.1",
        "el olvido a mano",
        _check_forgetting,
        wrong=[
            (lambda b, a: sum(sum(a[t]) / len(a[t]) - sum(b[t]) / len(b[t]) for t in b) / len(b), "signo al revés"),
            (
                lambda b, a: (sum(map(sum, b.values())) - sum(map(sum, a.values()))) / sum(map(len, b.values())),
                "juntado los ejemplos",
            ),
            (lambda b, a: sum(abs(sum(b[t]) - sum(a[t])) / len(a[t]) for t in b) / len(b), "valor absoluto"),
            (lambda b, a: sum(max(0, sum(b[t]) - sum(a[t])) / len(a[t]) for t in b) / len(b), "contado como cero"),
            (lambda b, a: sum((sum(b[t]) - sum(a[t])) / len(a[t]) for t in b), "es la suma"),
            (lambda b, a: sum(sum(b[t]) - sum(a[t]) for t in b) / len(b), "aciertos perdidos"),
            (lambda b, a: abs(sum(sum(b[t]) / len(b[t]) - sum(a[t]) / len(a[t]) for t in b) / len(b)), "al final"),
            (lambda b, a: sum(sum(a[t]) / len(a[t]) for t in b) / len(b), "sin restar"),
            (lambda b, a: 7, "devuelve 7"),
        ],
    ),
    "lab-12.2": Exercise(
        "lab-12.2",
        "la transferencia hacia atrás",
        _check_transfer,
        wrong=[
            (lambda t: sum(t[j][j] - t[-1][j] for j in range(2)) / 2, "el signo"),
            (lambda t: sum(t[-1][j] - t[j][j] for j in range(3)) / 3, "divides entre T"),
            (lambda t: sum(t[-1][j] - t[j][j] for j in range(2)), "eso es la suma"),
            (lambda t: sum(t[-1][j] - t[0][j] for j in range(2)) / 2, "primera fila"),
            (lambda t: sum(t[-1]) / 3, "última fila"),
            (lambda t: sum(t[j][-1] - t[j][j] for j in range(2)) / 2, "última columna"),
            (lambda t: sum(t[-1][j] - t[-2][j] for j in range(2)) / 2, "fila anterior"),
            (lambda t: 5, "resta la diagonal"),
        ],
    ),
    "lab-12.3": Exercise(
        "lab-12.3",
        "el presupuesto del repaso",
        _check_budget,
        wrong=[
            (lambda s, b, r, t: (round(s * b * (1 - r)), round(s * b * r)), "se reparten entre las cuatro"),
            (lambda s, b, r, t: (s * b, round(s * b * r / t)), "el total no crece"),
            (lambda s, b, r, t: (s * b // (t + 1), s * b // (t + 1)), "eso es multitarea"),
            (lambda s, b, r, t: (round(s * (1 - r)), round(s * r / t)), "cuentas pasos"),
            (lambda s, b, r, t: (round(s * b * (1 - r)), round(s * b * r / (t + 1))), "entre cinco"),
            (lambda s, b, r, t: (round(s * b * r / t), round(s * b * (1 - r))), "otro orden"),
            (lambda s, b, r, t: (1, 1), "devuelve (1, 1)"),
        ],
    ),
}  # fmt: skip
