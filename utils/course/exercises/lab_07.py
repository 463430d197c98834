"""Los ejercicios del lab 7: los bytes de un paso, la pérdida repartida, la memoria con ZeRO y los micro-lotes."""

from utils.course.checks import Exercise, Verdict


def _matches(got: float, wanted: float) -> bool:
    return abs(float(got) - wanted) <= 1e-6 * abs(wanted)


def check_step_bytes(step_bytes) -> Verdict:
    parameters, size, ranks = 1_000_000, 4, 5
    got = step_bytes(parameters, size, ranks)
    right = 2 * (ranks - 1) / ranks * parameters * size
    mistakes = {
        "cuentas solo la mitad: después de repartir la suma hay que juntar los trozos.": right / 2,
        "cada uno envía n − 1 trozos de los n, no los n: falta el factor (n − 1) / n.": 2.0 * parameters * size,
        "eso es mandar el vector entero a cada uno de los demás; en anillo se manda por trozos.": (
            (ranks - 1) * parameters * size
        ),
        "eso lo envían entre todos: divide entre los procesos.": right * ranks,
        "cuentas números y no bytes: multiplica por lo que ocupa cada uno.": right / size,
        "son bytes y no bits: sobra un factor 8.": right * 8,
    }
    for message, value in mistakes.items():
        if _matches(got, value):
            return Verdict(False, message)
    if not _matches(got, right):
        return Verdict(False, f"con un millón de números de 4 bytes y 5 procesos son {right:.0f} bytes y das {got}.")
    if float(step_bytes(1000, 2, 1)) != 0:
        return Verdict(False, "con un solo proceso no se envía nada.")
    if not _matches(step_bytes(600, 2, 2), 1200):
        return Verdict(False, "acierta en un caso y falla en otro: ¿has dejado escrito algún número?")
    return Verdict(True, "2 (n − 1) / n veces los bytes del gradiente: casi el doble, haya los procesos que haya.")


def check_batch_loss(batch_loss) -> Verdict:
    sums, counts = [200.0, 900.0, 50.0], [100, 300, 10]
    got = batch_loss(list(sums), list(counts))
    mistakes = {
        "promedias promedios: un token del proceso que tiene pocos pesaría más.": (2.0 + 3.0 + 5.0) / 3,
        "divides entre el número de procesos; hay que dividir entre los tokens.": sum(sums) / 3,
        "falta dividir entre los tokens de todos.": sum(sums),
        "sumas las medias de cada proceso: no es una media.": 10.0,
        "solo miras el primer proceso.": 2.0,
        "solo miras el proceso que más tokens tiene: pierdes los demás.": 3.0,
        "está al revés: pérdida entre tokens.": sum(counts) / sum(sums),
    }
    for message, value in mistakes.items():
        if _matches(got, value):
            return Verdict(False, message)
    if not _matches(got, sum(sums) / sum(counts)):
        return Verdict(False, f"con sumas {sums} y tokens {counts} es {sum(sums) / sum(counts):.4f} y das {got}.")
    if not _matches(batch_loss([6.0], [3]), 2.0):
        return Verdict(False, "con un solo proceso debe dar su media: ¿has dejado escrito algún número?")
    return Verdict(True, "la suma de las sumas entre la suma de los tokens.")


#: (parámetros, procesos, etapa) de las comprobaciones; con ocho procesos las cuatro etapas dan cosas distintas.
ZERO_CASES = [(1e9, 8, stage) for stage in range(4)]


def _zero(parameters: float, ranks: int, stage: int) -> float:
    shared = 12 * (stage >= 1) + 2 * (stage >= 2) + 2 * (stage >= 3)
    return parameters * (16 - shared + shared / ranks) / 1e9


def check_gigabytes(gigabytes) -> Verdict:
    got = [float(gigabytes(*case)) for case in ZERO_CASES]
    right = [_zero(*case) for case in ZERO_CASES]

    def all_match(values) -> bool:
        return all(_matches(a, b) for a, b in zip(got, values, strict=True))

    if all_match([16 / 8 if stage else 16 for stage in range(4)]):
        return Verdict(False, "repartes todo desde la etapa 1: la 1 reparte los estados, la 2 añade los gradientes.")
    if all_match([16.0] * 4):
        return Verdict(False, "no repartes nada: lo repartido se divide entre los procesos.")
    if all_match([16.0, 4.0, 2.0, 0.0]):
        return Verdict(False, "lo repartido no desaparece: a cada proceso le queda su trozo, dividido entre ranks.")
    if all_match([16, 14 + 2 / 8, 12 + 4 / 8, 16 / 8]):
        return Verdict(False, "el orden es otro: primero los estados, que son lo que más ocupa, y al final los pesos.")
    if all_match([value * 1e9 for value in right]):
        return Verdict(False, "te falta pasar a gigabytes: divide entre mil millones.")
    if all_match([value * 1e9 / 2**30 for value in right]):
        return Verdict(False, "has dividido entre 1024³: el enunciado pide GB de mil millones de bytes.")
    for (_, ranks, stage), mine, wanted in zip(ZERO_CASES, got, right, strict=True):
        if not _matches(mine, wanted):
            text = f"con mil millones de parámetros, {ranks} procesos y etapa {stage} son {wanted:g} GB y das {mine:g}."
            return Verdict(False, text)
    if not _matches(gigabytes(7.5e9, 64, 1), 31.40625):
        return Verdict(False, "acierta en un caso y falla en otro: ¿has dejado escrito algún número?")
    return Verdict(True, "son los de la figura 1 del artículo de ZeRO.")


#: Límites que son fracciones exactas en binario: así despejar m no cae un pelo por encima del entero. El último no da
#: un entero, y obliga a redondear hacia arriba.
BUBBLE_CASES = [(4, 0.5), (4, 0.25), (8, 0.125), (2, 0.9), (1, 0.1), (5, 0.375)]
MICRO_BATCHES = [3, 9, 49, 1, 1, 7]


def check_micro_batches(micro_batches_for) -> Verdict:
    got = [float(micro_batches_for(*case)) for case in BUBBLE_CASES]
    if got == MICRO_BATCHES:
        return Verdict(True, "con cuatro etapas, nueve micro-lotes dejan la burbuja en la cuarta parte.")
    if any(value != int(value) for value in got):
        return Verdict(
            False, "no se puede partir un lote en un número de micro-lotes con decimales: redondea hacia arriba."
        )
    if all(mine >= wanted for mine, wanted in zip(got, MICRO_BATCHES, strict=True)) and got[:2] == [4, 10]:
        return Verdict(False, "te pasas por uno: si la burbuja es justo el límite, vale; se pide el menor que no pasa.")
    if got[:2] == [6, 12]:
        return Verdict(False, "has usado (p − 1) / m: en el denominador van todos los huecos, m + p − 1.")
    if got[:2] == [4, 12]:
        return Verdict(False, "has usado p / (m + p): con p etapas los huecos que sobran son p − 1.")
    if got == [*MICRO_BATCHES[:-1], 6]:
        return Verdict(False, "redondeas hacia abajo y la burbuja se pasa del límite: redondea hacia arriba.")
    if min(got) < 1:
        return Verdict(False, "hace falta al menos un micro-lote: es el lote entero, sin partir.")
    wrong = next(i for i, (mine, wanted) in enumerate(zip(got, MICRO_BATCHES, strict=True)) if mine != wanted)
    (stages, limit), wanted = BUBBLE_CASES[wrong], MICRO_BATCHES[wrong]
    return Verdict(False, f"con {stages} etapas y un límite de {limit} hacen falta {wanted} y das {got[wrong]:g}.")


def _solve(stages: int, limit: float, idle) -> int:
    """El menor m con idle(p, m) <= límite, salvo redondeo: para las respuestas equivocadas."""
    m = 1
    while idle(stages, m) > limit + 1e-12:
        m += 1
    return m


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-07.1",
            "los bytes de un paso",
            check_step_bytes,
            wrong=[
                (lambda p, b, n: (n - 1) / n * p * b, "solo la mitad"),
                (lambda p, b, n: 2 * p * b, "n − 1 trozos"),
                (lambda p, b, n: (n - 1) * p * b, "por trozos"),
                (lambda p, b, n: 2 * (n - 1) * p * b, "entre todos"),
                (lambda p, b, n: 2 * (n - 1) / n * p, "no bytes"),
                (lambda p, b, n: 16 * (n - 1) / n * p * b, "factor 8"),
                (lambda p, b, n: 1.0, "y das"),
                (lambda p, b, n: 2 * max(n - 1, 1) / n * p * b, "un solo proceso"),
                (lambda p, b, n: 2 * (n - 1) / n * p * 4, "algún número"),
            ],
        ),
        Exercise(
            "lab-07.2",
            "la pérdida del lote entero",
            check_batch_loss,
            wrong=[
                (lambda s, c: sum(a / b for a, b in zip(s, c, strict=True)) / len(s), "promedias promedios"),
                (lambda s, c: sum(s) / len(s), "número de procesos"),
                (lambda s, c: sum(s), "falta dividir"),
                (lambda s, c: sum(a / b for a, b in zip(s, c, strict=True)), "no es una media"),
                (lambda s, c: s[0] / c[0], "primer proceso"),
                (lambda s, c: s[c.index(max(c))] / max(c), "pierdes los demás"),
                (lambda s, c: sum(c) / sum(s), "al revés"),
                (lambda s, c: 1.0, "y das"),
                (lambda s, c: sum(s) / 410, "un solo proceso"),
            ],
        ),
        Exercise(
            "lab-07.3",
            "lo que guarda cada tarjeta",
            check_gigabytes,
            wrong=[
                (lambda p, n, s: p * (16 / n if s else 16) / 1e9, "desde la etapa 1"),
                (lambda p, n, s: p * 16 / 1e9, "no repartes nada"),
                (lambda p, n, s: p * [16, 4, 2, 0][s] / 1e9, "no desaparece"),
                (lambda p, n, s: p * [16, 14 + 2 / n, 12 + 4 / n, 16 / n][s] / 1e9, "el orden"),
                (lambda p, n, s: _zero(p, n, s) * 1e9, "pasar a gigabytes"),
                (lambda p, n, s: _zero(p, n, s) * 1e9 / 2**30, "1024³"),
                (lambda p, n, s: _zero(p, n, 3), "y das"),
                (lambda p, n, s: _zero(p, 8, s), "algún número"),
            ],
        ),
        Exercise(
            "lab-07.4",
            "cuántos micro-lotes",
            check_micro_batches,
            wrong=[
                (lambda p, x: (p - 1) * (1 - x) / x + 0.5, "con decimales"),
                (lambda p, x: _solve(p, x - 1e-9, lambda p, m: (p - 1) / (m + p - 1)), "por uno"),
                (lambda p, x: _solve(p, x, lambda p, m: (p - 1) / m), "en el denominador"),
                (lambda p, x: _solve(p, x, lambda p, m: p / (m + p)), "que sobran"),
                (lambda p, x: int((p - 1) * (1 - x) / x), "al menos un"),
                (lambda p, x: max(1, int((p - 1) / x - (p - 1))), "hacia abajo"),
                (lambda p, x: 12, "hacen falta"),
            ],
        ),
    ]
}
