"""Ejercicios del lab 12: el olvido a mano, la transferencia hacia atrás y el presupuesto del repaso."""

import math

from utils.exercises.grading import Exercise


def _mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)


def _losses(before, after) -> list[float]:
    """Lo que pierde cada tarea."""
    return [_mean(before[task]) - _mean(after[task]) for task in before]


FORGETTING = Exercise(
    "lab-12.1",
    "el olvido a mano",
    "una tarea pierde y la otra gana: el olvido es la media de las dos, con su signo.",
    right=lambda before, after: _mean(_losses(before, after)),
    cases=[
        ({"copia": [1, 1, 1, 1], "tema": [1, 0]}, {"copia": [1, 0, 0, 0], "tema": [1, 1]}),
        ({"copia": [1, 0, 0, 0], "tema": [1, 1]}, {"copia": [1, 1, 1, 1], "tema": [1, 0]}),
        (
            {"copia": [1, 1, 1, 1], "tema": [1, 0], "suma": [0, 1, 1]},
            {"copia": [1, 1, 0, 0], "tema": [1, 1], "suma": [0, 1, 0]},
        ),
    ],
    mistakes=[
        (
            lambda b, a: -_mean(_losses(b, a)),
            "tienes el signo al revés: el olvido es antes menos después, positivo si se pierde.",
        ),
        (
            lambda b, a: _mean(x for task in b for x in b[task]) - _mean(x for task in a for x in a[task]),
            "has juntado los ejemplos de todas las tareas; promedia antes cada tarea.",
        ),
        (
            lambda b, a: _mean(abs(loss) for loss in _losses(b, a)),
            "tomas el valor absoluto de cada tarea: la que mejora resta, así que va con su signo.",
        ),
        (
            lambda b, a: _mean(max(0, loss) for loss in _losses(b, a)),
            "has contado como cero la tarea que mejora; su ganancia también entra, con su signo.",
        ),
        (lambda b, a: sum(_losses(b, a)), "eso es la suma sobre las tareas; falta dividir entre cuántas hay."),
        (
            lambda b, a: _mean(sum(b[task]) - sum(a[task]) for task in b),
            "eso son aciertos perdidos, no notas: divide los de cada tarea entre sus ejemplos.",
        ),
        (
            lambda b, a: abs(_mean(_losses(b, a))),
            "al final tomas el valor absoluto: si las tareas mejoran, el olvido es negativo.",
        ),
        (
            lambda b, a: _mean(_mean(a[task]) for task in a),
            "es la nota de después, sin restar: el olvido es antes menos después.",
        ),
        (lambda b, a: _mean(_mean(b[task]) for task in b), "es la nota de antes, sin restar la de después."),
    ],
)

TRANSFER = Exercise(
    "lab-12.2",
    "la transferencia hacia atrás",
    "si es negativa, cada tarea ha perdido de media esas décimas desde que se aprendió.",
    right=lambda table: _mean(table[-1][j] - table[j][j] for j in range(len(table) - 1)),
    cases=[
        ([[0.9, 0.1, 0.0], [0.6, 0.8, 0.3], [0.4, 0.7, 1.0]],),
        ([[0.5, 0.2, 0.3], [0.8, 0.9, 0.1], [0.7, 0.6, 0.8]],),
    ],
    mistakes=[
        (
            lambda t: _mean(t[j][j] - t[-1][j] for j in range(len(t) - 1)),
            "el signo está al revés: es la nota final menos la de recién aprendida.",
        ),
        (
            lambda t: _mean(t[-1][j] - t[j][j] for j in range(len(t))),
            "divides entre T; la última tarea no cuenta, así que son T − 1.",
        ),
        (
            lambda t: sum(t[-1][j] - t[j][j] for j in range(len(t) - 1)),
            "eso es la suma; divide entre las T − 1 tareas.",
        ),
        (
            lambda t: _mean(t[-1][j] - t[0][j] for j in range(len(t) - 1)),
            "comparas con la primera fila; se compara con la diagonal.",
        ),
        (
            lambda t: _mean(t[j][-1] - t[j][j] for j in range(len(t) - 1)),
            "recorres la última columna; lo que se sabe al final está en la última fila.",
        ),
        (
            lambda t: _mean(t[-1][j] - t[-2][j] for j in range(len(t) - 1)),
            "comparas con la fila anterior; se compara con la diagonal, lo recién aprendido.",
        ),
        (lambda t: _mean(t[-1]), "eso es la media de la última fila: la nota final, sin restar nada."),
    ],
    traps=[
        (
            ([[0.7, 0.1, 0.2, 0.0], [0.6, 0.9, 0.1, 0.1], [0.5, 0.7, 0.8, 0.3], [0.6, 0.4, 0.7, 0.9]],),
            "acierta con tres tareas y falla con cuatro: cuántas hay lo dice `len(table)`.",
        )
    ],
)

TOTAL_GROWS = "el total no crece: lo que se repasa se quita de la tarea nueva."
STEPS_ONLY = "cuentas pasos y se piden ejemplos: cada paso ve un lote entero."
EQUAL_PARTS = "repartes los pasos entre todas por igual; eso es multitarea, y aquí manda la fracción."

BUDGET = Exercise(
    "lab-12.3",
    "el presupuesto del repaso",
    "unos pocos ejemplos de cada tarea vieja, y se salvan: sale barato.",
    right=lambda steps, batch, replay, tasks: (
        round(steps * batch * (1 - replay)),
        round(steps * batch * replay / tasks),
    ),
    cases=[(80, 16, 0.125, 4), (50, 8, 0.3, 3), (10, 7, 0.29, 3), (10, 7, 0.31, 3)],
    mistakes=[
        (
            lambda s, b, r, t: (round(s * b * (1 - r)), round(s * b * r)),
            "esos son los de todas las viejas juntas; se reparten entre las que hay.",
        ),
        (lambda s, b, r, t: (s * b, round(s * b * r / t)), TOTAL_GROWS),
        (lambda s, b, r, t: (s * b // (t + 1), s * b // (t + 1)), EQUAL_PARTS),
        (lambda s, b, r, t: (s * b // t, round(s * b * r / t)), EQUAL_PARTS),
        (
            lambda s, b, r, t: (round(s * b * (1 - r)), round(s * b * r / (t + 1))),
            "divides el repaso entre una de más; la nueva no se repasa y solo cuentan las viejas.",
        ),
        (
            lambda s, b, r, t: (round(s * b * r / t), round(s * b * (1 - r))),
            "los dos números están bien, en el otro orden: primero la nueva, luego cada vieja.",
        ),
        (lambda s, b, r, t: (round(s * (1 - r)), round(s * r / t)), STEPS_ONLY),
        (lambda s, b, r, t: (round(s * (1 - r)), round(s * r)), STEPS_ONLY),
        *(
            (lambda s, b, r, t, rule=rule: (rule(s * b * (1 - r)), rule(s * b * r / t)), "redondea al más cercano.")
            for rule in (math.floor, math.ceil, float)
        ),
    ],
)

EXERCISES = {e.id: e for e in (FORGETTING, TRANSFER, BUDGET)}
