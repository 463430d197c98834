"""Los ejercicios del lab 9: la mezcla, los pasos que cuesta, la perplejidad de un conjunto y los bits por byte."""

import math

from utils.exercises.grading import Exercise

DOMAIN, GENERAL = [f"d{i}" for i in range(8)], [f"g{i}" for i in range(8)]


def _mix(domain, general, share, rule=round):
    kept = rule(share * len(domain))
    return domain[: len(domain) - kept] + general[:kept]


MIX = Exercise(
    "lab-09.1",
    "la mezcla",
    "mismo total, repartido por tokens.",
    right=_mix,
    also=[
        lambda domain, general, share: _mix(domain, general, share, rule=math.floor)
    ],  # medio bloque, a un lado u otro
    view=sorted,
    cases=[(DOMAIN, GENERAL, 0.25), ([f"a{i}" for i in range(10)], [f"b{i}" for i in range(7)], 0.4)],
    mistakes=[
        (
            lambda d, g, s: d + g[: round(s * len(d))],
            "añades los de general sin quitar ninguno: habría más pasos, y la comparación dejaría de ser a igual "
            "cómputo.",
        ),
        (
            lambda d, g, s: d[: round((1 - s) * len(d))],
            "quitas de dominio sin poner de general: con otro total habría menos pasos.",
        ),
        (
            lambda d, g, s: _mix(d, g, 1 - s),
            "has cambiado los papeles: share es la parte de general, no la de dominio.",
        ),
        (lambda d, g, s: _mix(d, g, 0.5), "mezclas a medias: tocan los que dice `share`."),
        (
            lambda d, g, s: _mix(d, g[:1] * len(d), s),
            "hay bloques repetidos: toma los primeros de cada lista, sin sortear con reposición.",
        ),
        (
            lambda d, g, s: d[round(s * len(d)) :] + g[: round(s * len(d))],
            "las cantidades están bien, pero se pedían los primeros bloques de cada lista.",
        ),
    ],
    traps=[
        (
            (DOMAIN[:7], GENERAL, 0.5),
            "con un total impar se pierde o sobra un bloque: calcula una parte y resta para la otra.",
        ),
        ((DOMAIN, GENERAL, 0), "con share = 0 tiene que salir todo el dominio; cuidado con lista[:-0], que es vacía."),
    ],
)


def _rounded(formula, diagnosis: str) -> list:
    """Una fórmula equivocada se reconoce con cualquier redondeo."""
    return [(lambda n, s, rule=rule: rule(formula(n, s)), diagnosis) for rule in (math.ceil, round, math.floor, float)]


STEPS = Exercise(
    "lab-09.2",
    "los mismos tokens de dominio",
    "pasos / (1 - s), hacia arriba.",
    right=lambda steps, share: math.ceil(round(steps / (1 - share), 6)),
    # Sin casos en que el redondeo binario pase de un entero: en 100 / (1 - 0.9), `math.ceil` da uno de más.
    cases=[(24, 0.0), (25, 0.3), (24, 0.3), (24, 0.25), (24, 0.5), (30, 0.7)],
    mistakes=[
        (lambda n, s: n / (1 - s), "un número de pasos es entero: redondea hacia arriba."),
        *_rounded(
            lambda n, s: n * (1 + s),
            "multiplicas por 1 + s: de los pasos que añades, una parte s también es general, y te quedas corto de "
            "dominio.",
        ),
        *_rounded(lambda n, s: n / (s or 1), "divides por s, la parte de general: el dominio es 1 - s."),
        *_rounded(lambda n, s: n * (1 - s), "multiplicas por 1 - s: salen menos pasos, y hacen falta más."),
        # 30 / (1 - 0.7) se queda en 99,99…
        (lambda n, s: math.floor(n / (1 - s)), "redondeas hacia abajo: se quedaría corto de dominio."),
        (lambda n, s: math.floor(n / (1 - s) + 1e-9), "redondeas hacia abajo: se quedaría corto de dominio."),
        (
            lambda n, s: round(n / (1 - s)),
            "redondeas al más cercano: se pide hacia arriba, o a veces faltaría dominio.",
        ),
        (lambda n, s: n, "hacen falta más pasos: con los mismos, una parte s ya no es dominio."),
    ],
)


def _perplexity(documents) -> float:
    return math.exp(sum(nats for nats, _ in documents) / sum(tokens for _, tokens in documents))


def _nats(documents) -> float:
    return sum(nats for nats, _ in documents)


def _tokens(documents) -> int:
    return sum(tokens for _, tokens in documents)


RATIO = Exercise(
    "lab-09.3",
    "cuánto se ha multiplicado la perplejidad",
    "la exponencial de la diferencia de nats por token.",
    right=lambda before, after: _perplexity(after) / _perplexity(before),
    cases=[
        ([(30.0, 10), (100.0, 90)], [(20.0, 10), (145.0, 90)]),
        ([(40.0, 20), (90.0, 30), (60.0, 50)], [(35.0, 20), (50.0, 30), (55.0, 50)]),
    ],
    mistakes=[
        (
            lambda b, a: sum(math.exp(n / t) for n, t in a) / sum(math.exp(n / t) for n, t in b),
            "promedias las perplejidades de los documentos: la del conjunto sale de sumar nats y tokens.",
        ),
        (
            lambda b, a: math.exp(sum(n / t for n, t in a) / len(a) - sum(n / t for n, t in b) / len(b)),
            "promedias los nats por token de los documentos: cada token debe pesar igual, esté en el documento que "
            "esté.",
        ),
        (
            lambda b, a: _nats(a) / _nats(b),
            "divides los nats: el cociente de perplejidades es la exponencial de la resta.",
        ),
        (lambda b, a: (_nats(a) - _nats(b)) / _tokens(b), "es la resta de nats por token: falta la exponencial."),
        (lambda b, a: _perplexity(b) / _perplexity(a), "está al revés: se pide después entre antes."),
        (lambda b, a: math.exp(_nats(a) - _nats(b)), "te falta dividir por los tokens."),
        (
            lambda b, a: _perplexity(a) - _perplexity(b),
            "has restado las perplejidades: se pide por cuánto se multiplica.",
        ),
        (
            lambda b, a: 2 ** ((_nats(a) - _nats(b)) / _tokens(b)),
            "has usado potencias de dos: los nats van con la exponencial.",
        ),
    ],
)

BITS = Exercise(
    "lab-09.4",
    "bits por byte",
    "nats entre ln 2 y entre los bytes de UTF-8.",
    right=lambda nats, text: nats / math.log(2) / len(text.encode()),
    cases=[(40.0, "El niño enfermó: 38 °C"), (12.5, "¿Año nuevo?")],
    mistakes=[
        (
            lambda nats, text: nats / math.log(2) / len(text),
            "divides por caracteres: «ñ», «ó» y «°» ocupan dos bytes cada uno.",
        ),
        (lambda nats, text: nats / len(text.encode()), "son nats por byte: falta pasar a bits, dividiendo por ln 2."),
        (
            lambda nats, text: nats * math.log(2) / len(text.encode()),
            "multiplicas por ln 2: un nat son 1 / ln 2 bits, así que se divide.",
        ),
        (lambda nats, text: nats / math.log(2) / len(text.split()), "divides por palabras: se pide por byte."),
        (lambda nats, text: nats / math.log(2), "son bits en total: falta repartirlos entre los bytes."),
        (lambda nats, text: len(text.encode()) * math.log(2) / nats, "es el inverso: bytes por bit."),
    ],
)

EXERCISES = {e.id: e for e in (MIX, STEPS, RATIO, BITS)}
