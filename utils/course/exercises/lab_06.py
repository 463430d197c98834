"""Los ejercicios del lab 6: los gigabytes seguros, el peso de cada trozo, redondear a BF16 y el lote que cabe."""

import math

from utils.course.checks import Exercise, Verdict

BY_PARAMETER = {"fp32": 16, "bf16": 8, "mixed": 16}


def check_fixed_gb(fixed_gb) -> Verdict:
    got = {name: float(fixed_gb(3e9, name)) / 3 for name in BY_PARAMETER}  # bytes por parámetro
    fp32, mixed = got["fp32"], got["mixed"]
    mistakes = {
        "te falta pasar a gigabytes: divide por 10⁹.": fp32 == 16e9,
        "has dividido por 1024³: aquí un gigabyte son 10⁹ bytes.": math.isclose(fp32, 16e9 / 1024**3),
        "solo cuentas los pesos: entrenar pide también gradientes y optimizador.": fp32 == 4,
        "te salen 12: o te faltan los gradientes, o AdamW, que guarda dos números por parámetro y no uno.": fp32 == 12,
        "te falta el optimizador: AdamW recuerda dos números por parámetro.": fp32 == 8,
        "los 24 bytes llevan 8 de activaciones, que dependen del lote: aquí se cuenta solo lo seguro.": fp32 == 24,
        "en «mixed» te salen 12: o falta la copia maestra, o los dos estados van en 4 bytes y no en 2.": mixed == 12,
        "con precisión mixta hacen falta la copia maestra y los dos estados, los tres en 4 bytes.": mixed == 8,
        "con precisión mixta los gradientes ocupan 2 bytes.": mixed == 18,
    }
    for message, found in mistakes.items():
        if found:
            return Verdict(False, message)
    for name, right in BY_PARAMETER.items():
        if not math.isclose(got[name], right):
            return Verdict(False, f"con «{name}» son {right} bytes por parámetro y te salen {got[name]:g}.")
    return Verdict(True, "la precisión mixta no ahorra aquí: ahorra tiempo y activaciones.")


COUNTS = [300, 100, 40, 10]


def check_weights(piece_weights) -> Verdict:
    got = [float(w) for w in piece_weights(list(COUNTS))]
    if len(got) != len(COUNTS):
        return Verdict(False, f"hacen falta {len(COUNTS)} pesos, uno por trozo, y das {len(got)}.")
    total = sum(COUNTS)
    mistakes = {
        "pesan todos lo mismo: es el error de 2024, porque un token de un trozo corto vale más.": [1 / len(COUNTS)] * 4,
        "sin dividir por el total, la pérdida sale multiplicada por los tokens.": [float(c) for c in COUNTS],
        "está al revés: pesa más el trozo con más tokens.": [total / c for c in COUNTS],
        "cada peso es uno entre sus tokens: eso ya lo hizo la media de cada trozo.": [1 / c for c in COUNTS],
        "sumar sin pesos multiplica el gradiente por el número de trozos.": [1.0] * 4,
        "divides por el trozo mayor: hay que dividir por el total.": [c / max(COUNTS) for c in COUNTS],
        "divides dos veces: por el total y por el número de trozos.": [c / total / 4 for c in COUNTS],
    }
    for message, wrong in mistakes.items():
        if all(math.isclose(a, b) for a, b in zip(got, wrong, strict=True)):
            return Verdict(False, message)
    if not all(math.isclose(a, c / total) for a, c in zip(got, COUNTS, strict=True)):
        return Verdict(False, f"con {COUNTS} los pesos son {[round(c / total, 3) for c in COUNTS]}.")
    return Verdict(True, "nᵢ / n, y suman 1.")


NUMBERS = [3.141592, 1 / 3, 1000.7, 0.1, 7e-5, 1.0, 258.9]


def _digits(x: float, bits: int, rule=round) -> float:
    fraction, exponent = math.frexp(x)
    return rule(fraction * 2**bits) / 2**bits * 2.0**exponent


def check_bf16(to_bf16) -> Verdict:
    got = [float(to_bf16(x)) for x in NUMBERS]

    def same(rule) -> bool:
        return all(math.isclose(a, rule(x), rel_tol=1e-12) for a, x in zip(got, NUMBERS, strict=True))

    mistakes = {
        "la mantisa tiene 7 bits escritos y uno que no se escribe: son 8 cifras significativas, y guardas 7.": (
            lambda x: _digits(x, 7)
        ),
        "eso es FP16, con 11 cifras significativas: BF16 tiene 8.": lambda x: _digits(x, 11),
        "cortas los bits que sobran en vez de redondear al más cercano.": lambda x: _digits(x, 8, math.floor),
        "redondeas siempre hacia arriba: es al más cercano.": lambda x: _digits(x, 8, math.ceil),
        "devuelves el número sin redondear.": lambda x: x,
        "redondeas a 8 bits detrás de la coma: la coma es flotante y las cifras se cuentan desde la primera.": (
            lambda x: round(x * 2**8) / 2**8
        ),
        "redondeas a 7 bits detrás de la coma: la coma es flotante y las cifras se cuentan desde la primera.": (
            lambda x: round(x * 2**7) / 2**7
        ),
        "te falta multiplicar por 2 elevado al exponente.": lambda x: round(math.frexp(x)[0] * 2**8) / 2**8,
    }
    for message, rule in mistakes.items():
        if same(rule):
            return Verdict(False, message)
    for x, mine in zip(NUMBERS, got, strict=True):
        if mine != _digits(x, 8):
            return Verdict(False, f"{x:.6g} en BF16 es {_digits(x, 8):.9g} y das {mine:.9g}.")
    return Verdict(True, "ocho cifras binarias significativas, estén donde estén.")


FITS = [(10e9, 1e9, 16e9, 4), (10e9, 1e9, 24e9, 11), (30e9, 1e9, 24e9, 0), (6e9, 4e8, 16e9, 21)]


def check_batch(largest_batch) -> Verdict:
    got = [largest_batch(fixed, each, gpu) for fixed, each, gpu, _ in FITS]

    if min(got) < 0:
        return Verdict(False, "cuando lo fijo no cabe sale un lote negativo: es 0.")

    def same(rule) -> bool:
        return all(a == rule(*case[:3]) for a, case in zip(got, FITS, strict=True))

    mistakes = {
        "no has dejado libre el 10 %.": lambda fixed, each, gpu: max(0, int((gpu - fixed) // each)),
        "te falta restar lo fijo, que está siempre.": lambda fixed, each, gpu: int(0.9 * gpu // each),
        "redondeas hacia arriba: el último texto no cabría.": lambda fixed, each, gpu: max(
            0, math.ceil((0.9 * gpu - fixed) / each)
        ),
        "repartes lo fijo entre los textos: se paga una vez.": lambda fixed, each, gpu: int(
            0.9 * gpu // (fixed + each)
        ),
        "aplicas el 90 % después de restar: es de toda la GPU.": lambda fixed, each, gpu: max(
            0, int(0.9 * (gpu - fixed) // each)
        ),
    }
    for message, rule in mistakes.items():
        if same(rule):
            return Verdict(False, message)
    for (fixed, each, gpu, right), mine in zip(FITS, got, strict=True):
        if mine != right:
            sizes = f"{fixed / 1e9:g} GB fijos, {each / 1e9:g} GB por texto y {gpu / 1e9:g} GB de GPU"
            return Verdict(False, f"con {sizes} caben {right} y das {mine}.")
    return Verdict(True, "lo que sobra tras lo fijo, entre lo que ocupa cada texto.")


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-06.1",
            "los gigabytes seguros",
            check_fixed_gb,
            wrong=[
                (lambda n, p: n * BY_PARAMETER[p], "pasar a gigabytes"),
                (lambda n, p: n * BY_PARAMETER[p] / 1024**3, "1024³"),
                (lambda n, p: n * {"fp32": 4, "bf16": 2, "mixed": 2}[p] / 1e9, "solo cuentas los pesos"),
                (lambda n, p: n * {"fp32": 12, "bf16": 6, "mixed": 14}[p] / 1e9, "12"),
                (lambda n, p: n * {"fp32": 8, "bf16": 4, "mixed": 4}[p] / 1e9, "optimizador"),
                (lambda n, p: n * {"fp32": 24, "bf16": 12, "mixed": 20}[p] / 1e9, "24 bytes"),
                (lambda n, p: n * {"fp32": 16, "bf16": 8, "mixed": 2 + 2 + 8}[p] / 1e9, "falta la copia maestra"),
                (lambda n, p: n * {"fp32": 16, "bf16": 8, "mixed": 2 + 2 + 4 + 2 + 2}[p] / 1e9, "en 4 bytes y no en 2"),
                (lambda n, p: n * {"fp32": 16, "bf16": 8, "mixed": 2 + 2 + 2 + 2}[p] / 1e9, "los tres en 4 bytes"),
                (lambda n, p: n * {"fp32": 16, "bf16": 8, "mixed": 18}[p] / 1e9, "gradientes ocupan 2"),
                (lambda n, p: n * {"fp32": 16, "bf16": 10, "mixed": 16}[p] / 1e9, "te salen"),
            ],
        ),
        Exercise(
            "lab-06.2",
            "el peso de cada trozo",
            check_weights,
            wrong=[
                (lambda c: [1 / len(c)] * len(c), "2024"),
                (lambda c: c, "sin dividir por el total"),
                (lambda c: [sum(c) / x for x in c], "al revés"),
                (lambda c: [1 / x for x in c], "uno entre sus tokens"),
                (lambda c: [1.0] * len(c), "número de trozos"),
                (lambda c: [x / max(c) for x in c], "trozo mayor"),
                (lambda c: [x / sum(c) / len(c) for x in c], "dos veces"),
                (lambda c: [x / sum(c) for x in c][:-1], "uno por trozo"),
                (lambda c: [0.5, 0.3, 0.1, 0.1], "los pesos son"),
            ],
        ),
        Exercise(
            "lab-06.3",
            "redondear a BF16",
            check_bf16,
            wrong=[
                (lambda x: _digits(x, 7), "guardas 7"),
                (lambda x: _digits(x, 11), "FP16"),
                (lambda x: _digits(x, 8, math.floor), "cortas"),
                (lambda x: _digits(x, 8, math.ceil), "hacia arriba"),
                (lambda x: x, "sin redondear"),
                (lambda x: round(x * 256) / 256, "8 bits detrás"),
                (lambda x: round(x * 128) / 128, "7 bits detrás"),
                (lambda x: round(math.frexp(x)[0] * 256) / 256, "exponente"),
                (lambda x: round(x, 2), "en BF16 es"),
            ],
        ),
        Exercise(
            "lab-06.4",
            "el lote que cabe",
            check_batch,
            wrong=[
                (lambda f, s, g: max(0, int((g - f) // s)), "10 %"),
                (lambda f, s, g: int(0.9 * g // s), "restar lo fijo"),
                (lambda f, s, g: int((0.9 * g - f) // s), "negativo"),
                (lambda f, s, g: int((0.9 * g - f) / s), "negativo"),
                (lambda f, s, g: max(0, math.ceil((0.9 * g - f) / s)), "hacia arriba"),
                (lambda f, s, g: int(0.9 * g // (f + s)), "una vez"),
                (lambda f, s, g: max(0, int(0.9 * (g - f) // s)), "después de restar"),
                (lambda f, s, g: 1, "caben"),
            ],
        ),
    ]
}
