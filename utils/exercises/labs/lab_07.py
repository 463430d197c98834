"""Los ejercicios del lab 7: los bytes de un paso, la pérdida repartida, la memoria con ZeRO y los micro-lotes."""

import math

from utils.exercises.grading import Exercise

STEP_BYTES = Exercise(
    "lab-07.1",
    "los bytes de un paso",
    "2 (n − 1) / n veces los bytes del gradiente: casi el doble, haya los procesos que haya.",
    right=lambda parameters, bytes_each, ranks: 2 * (ranks - 1) / ranks * parameters * bytes_each,
    cases=[(1_000_000, 4, 5), (600, 2, 2), (1_000_000, 1, 8)],
    mistakes=[
        (
            lambda p, b, n: (n - 1) / n * p * b,
            "cuentas solo la mitad: después de repartir la suma hay que juntar los trozos.",
        ),
        (lambda p, b, n: 2 * p * b, "cada uno envía n − 1 trozos de los n, no los n: falta el factor (n − 1) / n."),
        (
            lambda p, b, n: (n - 1) * p * b,
            "eso es mandar el vector entero a cada uno de los demás; en anillo se manda por trozos.",
        ),
        (lambda p, b, n: 2 * (n - 1) * p * b, "eso lo envían entre todos: divide entre los procesos."),
        (lambda p, b, n: 2 * (n - 1) / n * p, "cuentas números y no bytes: multiplica por lo que ocupa cada uno."),
        (lambda p, b, n: 16 * (n - 1) / n * p * b, "son bytes y no bits: sobra un factor 8."),
    ],
    traps=[((1000, 2, 1), "con un solo proceso no se envía nada.")],
)

BATCH_LOSS = Exercise(
    "lab-07.2",
    "la pérdida del lote entero",
    "la suma de las sumas entre la suma de los tokens.",
    right=lambda sums, counts: sum(sums) / sum(counts),
    cases=[([200.0, 900.0, 50.0], [100, 300, 10]), ([60.0, 24.0], [10, 30])],
    mistakes=[
        (
            lambda sums, counts: sum(s / c for s, c in zip(sums, counts, strict=True)) / len(sums),
            "promedias promedios: un token del proceso que tiene pocos pesaría más.",
        ),
        (
            lambda sums, counts: sum(sums) / len(sums),
            "divides entre el número de procesos; hay que dividir entre los tokens.",
        ),
        (lambda sums, counts: sum(sums), "falta dividir entre los tokens de todos."),
        (
            lambda sums, counts: sum(s / c for s, c in zip(sums, counts, strict=True)),
            "sumas las medias de cada proceso: no es una media.",
        ),
        (lambda sums, counts: sums[0] / counts[0], "solo miras el primer proceso."),
        (
            lambda sums, counts: sums[counts.index(max(counts))] / max(counts),
            "solo miras el proceso que más tokens tiene: pierdes los demás.",
        ),
        (lambda sums, counts: sum(counts) / sum(sums), "está al revés: pérdida entre tokens."),
    ],
    traps=[(([6.0], [3]), "con un solo proceso debe dar su media: ¿has dejado escrito algún número?")],
)


def _zero(parameters: float, ranks: int, stage: int) -> float:
    shared = 12 * (stage >= 1) + 2 * (stage >= 2) + 2 * (stage >= 3)
    return parameters * (16 - shared + shared / ranks) / 1e9


GIGABYTES = Exercise(
    "lab-07.3",
    "lo que guarda cada tarjeta",
    "son los de la figura 1 del artículo de ZeRO.",
    right=_zero,
    cases=[*((1e9, 8, stage) for stage in range(4)), (7.5e9, 64, 1), (7.5e9, 64, 3)],
    mistakes=[
        (
            lambda p, n, stage: p * (16 / n if stage else 16) / 1e9,
            "repartes todo desde la etapa 1: la 1 reparte los estados, la 2 añade los gradientes.",
        ),
        (lambda p, n, stage: p * 16 / 1e9, "no repartes nada: lo repartido se divide entre los procesos."),
        (
            lambda p, n, stage: p * [16, 4, 2, 0][stage] / 1e9,
            "lo repartido no desaparece: a cada proceso le queda su trozo, dividido entre ranks.",
        ),
        (
            lambda p, n, stage: p * [16, 14 + 2 / n, 12 + 4 / n, 16 / n][stage] / 1e9,
            "el orden es otro: primero los estados, que son lo que más ocupa, y al final los pesos.",
        ),
        (lambda p, n, stage: _zero(p, n, stage) * 1e9, "te falta pasar a gigabytes: divide entre mil millones."),
        (
            lambda p, n, stage: _zero(p, n, stage) * 1e9 / 2**30,
            "has dividido entre 1024³: el enunciado pide GB de mil millones de bytes.",
        ),
    ],
)


def _enough(stages: int, limit: float) -> float:
    """El m de la fórmula, con decimales: (p − 1) / (m + p − 1) = límite."""
    return (stages - 1) * (1 - limit) / limit


def _solve(stages: int, limit: float, idle) -> int:
    """El menor m con idle(p, m) <= límite, salvo redondeo: para las respuestas equivocadas."""
    return next((m for m in range(1, 1000) if idle(stages, m) <= limit + 1e-12), 1000)


ONE_AT_LEAST = "hace falta al menos un micro-lote: es el lote entero, sin partir."

MICRO_BATCHES = Exercise(
    "lab-07.4",
    "cuántos micro-lotes",
    "con cuatro etapas, nueve micro-lotes dejan la burbuja en la cuarta parte.",
    right=lambda stages, limit: max(1, math.ceil(_enough(stages, limit) - 1e-9)),
    # Límites que son fracciones exactas en binario: así despejar m no cae un pelo por encima del entero. El último no
    # da un entero, y obliga a redondear hacia arriba.
    cases=[(4, 0.5), (4, 0.25), (8, 0.125), (5, 0.375)],
    mistakes=[
        (_enough, "no se puede partir un lote en un número de micro-lotes con decimales: redondea hacia arriba."),
        (
            lambda stages, limit: math.floor(_enough(stages, limit)) + 1,
            "te pasas por uno: si la burbuja es justo el límite, vale; se pide el menor que no pasa.",
        ),
        (
            lambda stages, limit: _solve(stages, limit, lambda p, m: (p - 1) / m),
            "has usado (p − 1) / m: en el denominador van todos los huecos, m + p − 1.",
        ),
        (
            lambda stages, limit: _solve(stages, limit, lambda p, m: p / (m + p)),
            "has usado p / (m + p): con p etapas los huecos que sobran son p − 1.",
        ),
        (
            lambda stages, limit: math.floor(_enough(stages, limit)),
            "redondeas hacia abajo y la burbuja se pasa del límite: redondea hacia arriba.",
        ),
    ],
    traps=[((2, 0.9), ONE_AT_LEAST), ((1, 0.1), ONE_AT_LEAST)],
)

EXERCISES = {e.id: e for e in (STEP_BYTES, BATCH_LOSS, GIGABYTES, MICRO_BATCHES)}
