"""Los ejercicios del lab 6: los gigabytes seguros, el peso de cada trozo, redondear a BF16 y el lote que cabe."""

import math

from utils.exercises.grading import Exercise


def _bytes(unit=1e9, **changed):
    """Los gigabytes con otros bytes por parámetro en alguna precisión."""
    table = {"fp32": 16, "bf16": 8, "mixed": 16} | changed
    return lambda parameters, precision: parameters * table[precision] / unit


FIXED = Exercise(
    "lab-06.1",
    "los gigabytes seguros",
    "la precisión mixta no ahorra aquí: ahorra tiempo y activaciones.",
    right=_bytes(),
    cases=[(3e9, "fp32"), (3e9, "bf16"), (3e9, "mixed"), (7e9, "fp32"), (7e9, "bf16"), (7e9, "mixed")],
    mistakes=[
        (_bytes(unit=1), "te falta pasar a gigabytes: divide por 10⁹."),
        (_bytes(unit=1024**3), "has dividido por 1024³: aquí un gigabyte son 10⁹ bytes."),
        (_bytes(fp32=4, bf16=2, mixed=2), "solo cuentas los pesos: entrenar pide también gradientes y optimizador."),
        *(
            (wrong, "te salen 12: o te faltan los gradientes, o AdamW, que guarda dos números por parámetro y no uno.")
            for wrong in (_bytes(fp32=12, bf16=6, mixed=14), _bytes(fp32=12, bf16=6, mixed=12), _bytes(fp32=12))
        ),
        *(
            (wrong, "te falta el optimizador: AdamW recuerda dos números por parámetro.")
            for wrong in (_bytes(fp32=8, bf16=4, mixed=4), _bytes(fp32=8, bf16=4, mixed=8), _bytes(fp32=8))
        ),
        *(
            (wrong, "los 24 bytes llevan 8 de activaciones, que dependen del lote: aquí se cuenta solo lo seguro.")
            for wrong in (_bytes(fp32=24, bf16=12, mixed=20), _bytes(fp32=24, bf16=12, mixed=24), _bytes(fp32=24))
        ),
        (
            _bytes(mixed=12),
            "en «mixed» te salen 12: o falta la copia maestra, o los dos estados van en 4 bytes y no en 2.",
        ),
        (_bytes(mixed=8), "con precisión mixta hacen falta la copia maestra y los dos estados, los tres en 4 bytes."),
        (_bytes(mixed=18), "con precisión mixta los gradientes ocupan 2 bytes."),
        (_bytes(bf16=10), "con «bf16» te salen 10: los dos estados también van en 2 bytes cada uno."),
    ],
)

WEIGHTS = Exercise(
    "lab-06.2",
    "el peso de cada trozo",
    "nᵢ / n, y suman 1.",
    right=lambda counts: [c / sum(counts) for c in counts],
    cases=[([300, 100, 40, 10],), ([5, 15, 30],)],
    mistakes=[
        (
            lambda counts: [1 / len(counts)] * len(counts),
            "pesan todos lo mismo: es el error de 2024, porque un token de un trozo corto vale más.",
        ),
        (lambda counts: counts, "sin dividir por el total, la pérdida sale multiplicada por los tokens."),
        (lambda counts: [sum(counts) / c for c in counts], "está al revés: pesa más el trozo con más tokens."),
        (
            lambda counts: [1 / c for c in counts],
            "cada peso es uno entre sus tokens: eso ya lo hizo la media de cada trozo.",
        ),
        (lambda counts: [1.0] * len(counts), "sumar sin pesos multiplica el gradiente por el número de trozos."),
        (lambda counts: [c / max(counts) for c in counts], "divides por el trozo mayor: hay que dividir por el total."),
        (
            lambda counts: [c / sum(counts) / len(counts) for c in counts],
            "divides dos veces: por el total y por el número de trozos.",
        ),
        (
            lambda counts: [c / sum(counts) for c in counts][:-1],
            "falta un peso: hace falta uno por trozo, también del último.",
        ),
    ],
)


def _digits(x: float, bits: int, rule=round) -> float:
    fraction, exponent = math.frexp(x)
    return rule(fraction * 2**bits) / 2**bits * 2.0**exponent


BF16 = Exercise(
    "lab-06.3",
    "redondear a BF16",
    "ocho cifras binarias significativas, estén donde estén.",
    right=lambda x: _digits(x, 8),
    cases=[(3.141592,), (1 / 3,), (1000.7,), (0.1,), (7e-5,), (1.0,), (258.9,)],
    mistakes=[
        (
            lambda x: _digits(x, 7),
            "la mantisa tiene 7 bits escritos y uno que no se escribe: son 8 cifras significativas, y guardas 7.",
        ),
        (lambda x: _digits(x, 11), "eso es FP16, con 11 cifras significativas: BF16 tiene 8."),
        (lambda x: _digits(x, 8, math.floor), "cortas los bits que sobran en vez de redondear al más cercano."),
        (lambda x: _digits(x, 8, math.ceil), "redondeas siempre hacia arriba: es al más cercano."),
        (lambda x: x, "devuelves el número sin redondear."),
        (
            lambda x: round(x * 2**8) / 2**8,
            "redondeas a 8 bits detrás de la coma: la coma es flotante y las cifras se cuentan desde la primera.",
        ),
        (
            lambda x: round(x * 2**7) / 2**7,
            "redondeas a 7 bits detrás de la coma: la coma es flotante y las cifras se cuentan desde la primera.",
        ),
        (lambda x: round(math.frexp(x)[0] * 2**8) / 2**8, "te falta multiplicar por 2 elevado al exponente."),
    ],
)

BATCH = Exercise(
    "lab-06.4",
    "el lote que cabe",
    "lo que sobra tras lo fijo, entre lo que ocupa cada texto.",
    right=lambda fixed, each, gpu: max(0, int((0.9 * gpu - fixed) // each)),
    cases=[(10e9, 1e9, 16e9), (10e9, 1e9, 24e9), (6e9, 4e8, 16e9)],
    mistakes=[
        (lambda fixed, each, gpu: int((gpu - fixed) // each), "no has dejado libre el 10 %."),
        (lambda fixed, each, gpu: int(0.9 * gpu // each), "te falta restar lo fijo, que está siempre."),
        (
            lambda fixed, each, gpu: math.ceil((0.9 * gpu - fixed) / each),
            "redondeas hacia arriba: el último texto no cabría.",
        ),
        (lambda fixed, each, gpu: (0.9 * gpu - fixed) / each, "no cabe una parte de un texto: redondea hacia abajo."),
        (
            lambda fixed, each, gpu: int(0.9 * gpu // (fixed + each)),
            "repartes lo fijo entre los textos: se paga una vez.",
        ),
        (
            lambda fixed, each, gpu: int(0.9 * (gpu - fixed) // each),
            "aplicas el 90 % después de restar: es de toda la GPU.",
        ),
    ],
    traps=[((30e9, 1e9, 24e9), "cuando lo fijo no cabe sale un lote negativo: es 0.")],
)

EXERCISES = {e.id: e for e in (FIXED, WEIGHTS, BF16, BATCH)}
