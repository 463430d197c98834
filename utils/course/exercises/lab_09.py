"""Los ejercicios del lab 9: la mezcla, los pasos que cuesta, la perplejidad de un conjunto y los bits por byte."""

import math

from utils.course.checks import Exercise, Verdict

DOMAIN, GENERAL = [f"d{i}" for i in range(40)], [f"g{i}" for i in range(40)]


def check_mix(mix) -> Verdict:
    got = list(mix(list(DOMAIN), list(GENERAL), 0.25))
    kept = sum(block in GENERAL for block in got)
    if len(got) != 40:
        more = "más pasos, y la comparación dejaría de ser a igual cómputo" if len(got) > 40 else "menos pasos"
        return Verdict(False, f"devuelves {len(got)} bloques de 40: con otro total habría {more}.")
    if kept == 30:
        return Verdict(False, "has cambiado los papeles: share es la parte de general, no la de dominio.")
    if kept != 10:
        return Verdict(False, f"con share = 0,25 y 40 bloques tocan 10 de general y hay {kept}.")
    if len(set(got)) != 40:
        return Verdict(False, "hay bloques repetidos: toma los primeros de cada lista, sin sortear con reposición.")
    if set(got) != {*DOMAIN[:30], *GENERAL[:10]}:
        return Verdict(False, "las cantidades están bien, pero se pedían los primeros bloques de cada lista.")
    if len(mix(list(DOMAIN[:7]), list(GENERAL), 0.5)) != 7:
        return Verdict(False, "con un total impar se pierde o sobra un bloque: calcula una parte y resta para la otra.")
    if list(mix(list(DOMAIN), list(GENERAL), 0)) != DOMAIN:
        return Verdict(False, "con share = 0 tiene que salir todo el dominio; cuidado con lista[:-0], que es vacía.")
    return Verdict(True, "mismo total, repartido por tokens.")


STEP_CASES = [(24, 0.0), (25, 0.3), (24, 0.3), (24, 0.25), (24, 0.5), (30, 0.7), (100, 0.9)]


def check_steps(steps_for_same_domain) -> Verdict:
    got = [float(steps_for_same_domain(steps, share)) for steps, share in STEP_CASES]
    if any(steps % 1 for steps in got):
        return Verdict(False, "un número de pasos es entero: redondea hacia arriba.")
    right = [math.ceil(round(steps / (1 - share), 6)) for steps, share in STEP_CASES]
    formulas = {  # sin redondear: la fórmula equivocada se reconoce con cualquier redondeo
        (
            "multiplicas por 1 + s: de los pasos que añades, una parte s también es general, "
            "y te quedas corto de dominio."
        ): lambda steps, share: steps * (1 + share),
        "divides por s, la parte de general: el dominio es 1 - s.": lambda steps, share: steps / (share or 1),
        "multiplicas por 1 - s: salen menos pasos, y hacen falta más.": lambda steps, share: steps * (1 - share),
    }
    for message, formula in formulas.items():
        if all(abs(mine - formula(*case)) < 1 for mine, case in zip(got, STEP_CASES, strict=True)):
            return Verdict(False, message)
    down = "redondeas hacia abajo: se quedaría corto de dominio."
    roundings = [
        (down, math.floor),  # 30 / (1 - 0.7) se queda en 99,99…
        (down, lambda value: math.floor(value + 1e-9)),
        ("redondeas al más cercano: se pide hacia arriba, o a veces faltaría dominio.", round),
        ("en binario 100 / (1 - 0.9) pasa un pelo de 1000 y el techo da uno de más: redondea antes.", math.ceil),
    ]
    for message, rounding in roundings:
        if got == [rounding(steps / (1 - share)) for steps, share in STEP_CASES]:
            return Verdict(False, message)
    for (steps, share), mine, wanted in zip(STEP_CASES, got, right, strict=True):
        if mine != wanted:
            return Verdict(
                False, f"con {steps} pasos y s = {share} hacen falta {wanted} y das {mine:g}.".replace(".", ",", 1)
            )
    return Verdict(True, "pasos / (1 - s), hacia arriba.")


BEFORE, AFTER = [(30.0, 10), (100.0, 90)], [(20.0, 10), (145.0, 90)]


def check_ratio(perplexity_ratio) -> Verdict:
    got = float(perplexity_ratio(list(BEFORE), list(AFTER)))
    right = math.exp(35 / 100)
    per_document = [math.exp(nats / tokens) for nats, tokens in AFTER], [math.exp(n / t) for n, t in BEFORE]
    mistakes = {
        "promedias las perplejidades de los documentos: la del conjunto sale de sumar nats y tokens.": (
            sum(per_document[0]) / sum(per_document[1])
        ),
        "promedias los nats por token de los documentos: cada token debe pesar igual, esté en el documento que esté.": (
            math.exp((20 / 10 + 145 / 90 - 30 / 10 - 100 / 90) / 2)
        ),
        "divides los nats: el cociente de perplejidades es la exponencial de la resta.": 165 / 130,
        "es la resta de nats por token: falta la exponencial.": 35 / 100,
        "está al revés: se pide después entre antes.": 1 / right,
        "te falta dividir por los tokens.": math.exp(35),
        "has restado las perplejidades: se pide por cuánto se multiplica.": math.exp(1.65) - math.exp(1.3),
        "has usado potencias de dos: los nats van con la exponencial.": 2**0.35,
    }
    for message, value in mistakes.items():
        if abs(got - value) < 1e-6 * max(1, abs(value)):
            return Verdict(False, message)
    if abs(got - right) > 1e-6:
        return Verdict(False, f"esperaba {right:.4f} y das {got:.4f}.")
    return Verdict(True, "la exponencial de la diferencia de nats por token.")


def check_bpb(bpb) -> Verdict:
    text = "El niño enfermó: 38 °C"
    nats, size = 40.0, len(text.encode())
    got = float(bpb(nats, text))
    right = nats / math.log(2) / size
    mistakes = {
        "divides por caracteres: «ñ», «ó» y «°» ocupan dos bytes cada uno.": nats / math.log(2) / len(text),
        "son nats por byte: falta pasar a bits, dividiendo por ln 2.": nats / size,
        "multiplicas por ln 2: un nat son 1 / ln 2 bits, así que se divide.": nats * math.log(2) / size,
        "divides por palabras: se pide por byte.": nats / math.log(2) / len(text.split()),
        "son bits en total: falta repartirlos entre los bytes.": nats / math.log(2),
        "es el inverso: bytes por bit.": 1 / right,
    }
    for message, value in mistakes.items():
        if abs(got - value) < 1e-9 * max(1, value):
            return Verdict(False, message)
    if abs(got - right) > 1e-9:
        return Verdict(False, f"esperaba {right:.4f} y das {got:.4f}.")
    return Verdict(True, "nats entre ln 2 y entre los bytes de UTF-8.")


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-09.1",
            "la mezcla",
            check_mix,
            wrong=[
                (lambda d, g, s: d + g[: round(s * len(d))], "igual cómputo"),
                (lambda d, g, s: d[: round((1 - s) * len(d))], "menos pasos"),
                (lambda d, g, s: g[: len(d) - round(s * len(d))] + d[: round(s * len(d))], "los papeles"),
                (lambda d, g, s: d[:20] + g[:20], "tocan 10"),
                (lambda d, g, s: d[:30] + g[:1] * 10, "repetidos"),
                (lambda d, g, s: d[10:] + g[:10], "los primeros"),
                (lambda d, g, s: d[: int((1 - s) * len(d))] + g[: int(s * len(d))], "impar"),
                (lambda d, g, s: d[: -round(s * len(d))] + g[: round(s * len(d))], "lista[:-0]"),
            ],
        ),
        Exercise(
            "lab-09.2",
            "los mismos tokens de dominio",
            check_steps,
            wrong=[
                (lambda n, s: n / (1 - s), "es entero"),
                (lambda n, s: math.ceil(n * (1 + s) - 1e-9), "también es general"),
                (lambda n, s: round(n * (1 + s)), "también es general"),
                (lambda n, s: math.ceil(n / s) if s else n, "divides por s"),
                (lambda n, s: math.ceil(n * (1 - s)), "hacen falta más"),
                (lambda n, s: math.floor(n / (1 - s) + 1e-9), "hacia abajo"),
                (lambda n, s: n // (1 - s), "hacia abajo"),
                (lambda n, s: round(n / (1 - s)), "al más cercano"),
                (lambda n, s: math.ceil(n / (1 - s)), "redondea antes"),
                (lambda n, s: n, "hacen falta"),
            ],
        ),
        Exercise(
            "lab-09.3",
            "cuánto se ha multiplicado la perplejidad",
            check_ratio,
            wrong=[
                (
                    lambda b, a: sum(math.exp(n / t) for n, t in a) / sum(math.exp(n / t) for n, t in b),
                    "promedias las perplejidades",
                ),
                (
                    lambda b, a: math.exp(sum(n / t for n, t in a) / len(a) - sum(n / t for n, t in b) / len(b)),
                    "cada token debe pesar igual",
                ),
                (lambda b, a: sum(n for n, _ in a) / sum(n for n, _ in b), "divides los nats"),
                (lambda b, a: 0.35, "falta la exponencial"),
                (lambda b, a: math.exp(-0.35), "al revés"),
                (lambda b, a: math.exp(35), "dividir por los tokens"),
                (lambda b, a: math.exp(1.65) - math.exp(1.3), "restado las perplejidades"),
                (lambda b, a: 2**0.35, "potencias de dos"),
                (lambda b, a: 1.0, "esperaba"),
            ],
        ),
        Exercise(
            "lab-09.4",
            "bits por byte",
            check_bpb,
            wrong=[
                (lambda nats, text: nats / math.log(2) / len(text), "caracteres"),
                (lambda nats, text: nats / len(text.encode()), "pasar a bits"),
                (lambda nats, text: nats * math.log(2) / len(text.encode()), "así que se divide"),
                (lambda nats, text: nats / math.log(2) / len(text.split()), "palabras"),
                (lambda nats, text: nats / math.log(2), "en total"),
                (lambda nats, text: len(text.encode()) * math.log(2) / nats, "inverso"),
                (lambda nats, text: 1.0, "esperaba"),
            ],
        ),
    ]
}
