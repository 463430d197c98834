"""Los ejercicios del lab 3: el núcleo de top-p, los bytes de la caché y la regla de aceptación en dos partes."""

import torch

from utils.course.checks import Exercise, Verdict

# Casos del núcleo: (probabilidades, p, tokens que quedan).
NUCLEI = [
    ([0.30, 0.20, 0.10, 0.40], 0.32, 1),
    ([0.10, 0.20, 0.40, 0.30], 0.65, 2),
    ([0.25, 0.25, 0.25, 0.25], 0.60, 3),
    ([0.70, 0.20, 0.10], 0.95, 3),
]


def _counts(rule) -> list[int]:
    """Lo que da una regla equivocada en cada caso, para reconocerla."""
    return [int(rule(torch.tensor(probs, dtype=torch.float64), p)) for probs, p, _ in NUCLEI]


def _not_exceeding(probs, p):
    return (probs.sort(descending=True).values.cumsum(0) <= p + 1e-9).sum()


def _unsorted(probs, p):
    cumulative = probs.cumsum(0)
    return (cumulative - probs < p - 1e-9).sum()


def _ascending(probs, p):
    ordered = probs.sort().values
    return (ordered.cumsum(0) - ordered < p - 1e-9).sum()


def check_nucleus(nucleus_size) -> Verdict:
    got = [int(nucleus_size(torch.tensor(probs, dtype=torch.float64), p)) for probs, p, _ in NUCLEI]
    if got == _counts(_not_exceeding):
        return Verdict(
            False,
            "te quedas con lo que no pasa de p: el núcleo llega al menos a p, así que el token que cruza el "
            "umbral también entra.",
        )
    if got == _counts(_unsorted):
        return Verdict(False, "sumas en el orden del vocabulario: ordena antes de mayor a menor.")
    if got == _counts(_ascending):
        return Verdict(False, "has ordenado de menor a mayor: el núcleo empieza por los más probables.")
    if got == [int((torch.tensor(probs) >= p).sum()) for probs, p, _ in NUCLEI]:
        return Verdict(False, "comparas cada probabilidad con p: lo que se compara es la suma acumulada.")
    for (probs, p, size), mine in zip(NUCLEI, got, strict=True):
        if mine != size:
            return Verdict(False, f"con {probs} y p = {p} el núcleo tiene {size} y das {mine}.")
    trap = int(nucleus_size(torch.tensor([0.60, 0.30, 0.09, 0.01], dtype=torch.float64), 0.90))
    if trap != 2:
        return Verdict(
            False,
            "falla donde la suma es p salvo redondeo: en binario 0.60 + 0.30 < 0.90. Deja una holgura de una "
            "millonésima.",
        )
    return Verdict(True, "el menor conjunto que llega a p, con el token que lo cruza.")


def check_cache(cache_mb) -> Verdict:
    # Un modelo con atención agrupada: 32 cabezas de consulta, 8 de clave.
    got = float(cache_mb(32, 8, 128, 8192))
    right = 2 * 32 * 8 * 128 * 8192 * 2 / 1e6
    mistakes = {
        "te falta el 2: se guardan claves y también valores.": right / 2,
        "cuentas 4 bytes por número: en float16 son 2.": right * 2,
        "cuentas bits: un byte son 8.": right * 8,
        "te falta multiplicar por las capas: cada una tiene su caché.": right / 32,
        "has dividido por 1024²: el enunciado pide megabytes de un millón de bytes.": right * 1e6 / 1024**2,
        "te falta pasar a megabytes.": right * 1e6,
        "cuentas un solo número por cabeza: cada clave tiene head_dim.": right / 128,
        "la caché crece en proporción a la longitud, no a su cuadrado: las puntuaciones no se guardan.": right * 8192,
        "te falta la longitud: hay una clave y un valor por token.": right / 8192,
    }
    for message, value in mistakes.items():
        if abs(got - value) <= 1e-6 * value:
            return Verdict(False, message)
    if abs(got - right) > 1e-6 * right:
        return Verdict(False, f"con 32 capas, 8 cabezas de 128 y 8192 tokens son {right:.1f} MB y das {got:.1f}.")
    if abs(float(cache_mb(30, 3, 64, 1000)) - 2 * 30 * 3 * 64 * 1000 * 2 / 1e6) > 1e-6:
        return Verdict(False, "acierta en un modelo y falla en otro: ¿has dejado escrito algún número?")
    return Verdict(True, "2 · capas · cabezas · dimensión · tokens · 2 bytes.")


P, Q = torch.tensor([0.5, 0.3, 0.2, 0.0]), torch.tensor([0.1, 0.6, 0.2, 0.1])


def check_accept(accept) -> Verdict:
    cases = [(token, u / 20 + 0.025) for token in range(4) for u in range(20)]
    got = [bool(accept(P, Q, token, u)) for token, u in cases]

    def rule(condition) -> list[bool]:
        return [bool(condition(P[token], Q[token], u)) for token, u in cases]

    mistakes = {
        "has invertido el cociente: es p(x) / q(x), con p la del modelo grande.": lambda p, q, u: u * p < q,
        "aceptas solo si p(x) >= q(x): cuando es menor, a veces también, con probabilidad p(x) / q(x).": (
            lambda p, q, u: p >= q
        ),
        "comparas con p(x) a secas: falta dividir por q(x), porque el borrador ya lo sorteó.": lambda p, q, u: u < p,
        "está al revés: aceptas cuando habría que rechazar.": lambda p, q, u: u * q >= p,
        "aceptas siempre: saldría la distribución del borrador.": lambda p, q, u: True,
        "rechazas siempre.": lambda p, q, u: False,
    }
    for message, condition in mistakes.items():
        if got == rule(condition):
            return Verdict(False, message)
    right = rule(lambda p, q, u: u * q < p)
    for (token, u), mine, wanted in zip(cases, got, right, strict=True):
        if mine != wanted:
            verb = "aceptar" if wanted else "rechazar"
            text = f"p = {P[token]:.1f}, q = {Q[token]:.1f} y u = {u:.3f}"
            return Verdict(False, f"con {text} hay que {verb} y haces lo contrario.")
    return Verdict(True, "u < p(x) / q(x), que con p(x) >= q(x) se cumple siempre.")


def check_residual(residual) -> Verdict:
    got = torch.as_tensor(residual(P.clone(), Q.clone())).float()
    if got.shape != P.shape:
        return Verdict(False, f"esperaba una probabilidad por token, forma ({len(P)},), y tiene {tuple(got.shape)}.")
    gap = (P - Q).clamp(min=0)
    mistakes = {
        "sorteas de p: los tokens que el borrador propone de más saldrían dos veces.": P,
        "sorteas de q: es la distribución del borrador.": Q,
        "falta renormalizar: lo que queda no suma 1.": gap,
        "has tomado el valor absoluto: donde q es mayor que p no falta nada, va un cero.": (P - Q).abs()
        / (P - Q).abs().sum(),
        "has restado al revés: es p menos q.": (Q - P).clamp(min=0) / (Q - P).clamp(min=0).sum(),
        "has usado softmax: para renormalizar se divide por la suma.": gap.softmax(0),
        "hay probabilidades negativas: pon a cero lo que el borrador propone de más.": P - Q,
    }
    for message, value in mistakes.items():
        if torch.allclose(got, value, atol=1e-5):
            return Verdict(False, message)
    if not torch.allclose(got, gap / gap.sum(), atol=1e-5):
        return Verdict(False, f"esperaba {(gap / gap.sum()).tolist()} y da {[round(x, 3) for x in got.tolist()]}.")
    return Verdict(True, "lo que a p le falta por encima de q, renormalizado.")


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-03.1",
            "el tamaño del núcleo",
            check_nucleus,
            wrong=[
                (_not_exceeding, "también entra"),
                (_unsorted, "orden del vocabulario"),
                (_ascending, "menor a mayor"),
                (lambda probs, p: (probs >= p).sum(), "suma acumulada"),
                (lambda probs, p: (probs.sort(descending=True).values.cumsum(0) < p).sum() + 1, "salvo redondeo"),
                (lambda probs, p: 2, "el núcleo tiene"),
            ],
        ),
        Exercise(
            "lab-03.2",
            "los megabytes de la caché",
            check_cache,
            wrong=[
                (lambda la, h, d, t: la * h * d * t * 2 / 1e6, "también valores"),
                (lambda la, h, d, t: 2 * la * h * d * t * 4 / 1e6, "4 bytes"),
                (lambda la, h, d, t: 2 * la * h * d * t * 16 / 1e6, "bits"),
                (lambda la, h, d, t: 2 * h * d * t * 2 / 1e6, "por las capas"),
                (lambda la, h, d, t: 2 * la * h * d * t * 2 / 1024**2, "un millón"),
                (lambda la, h, d, t: 2 * la * h * d * t * 2, "pasar a megabytes"),
                (lambda la, h, d, t: 2 * la * h * t * 2 / 1e6, "un solo número"),
                (lambda la, h, d, t: 2 * la * h * d * t * t * 2 / 1e6, "no a su cuadrado"),
                (lambda la, h, d, t: 2 * la * h * d * 2 / 1e6, "falta la longitud"),
                (lambda la, h, d, t: 2 * 32 * 8 * 128 * 8192 * 2 / 1e6, "escrito algún número"),
                (lambda la, h, d, t: 1.0, "y das"),
            ],
        ),
        Exercise(
            "lab-03.3",
            "aceptar o rechazar",
            check_accept,
            wrong=[
                (lambda p, q, x, u: u * p[x] < q[x], "invertido"),
                (lambda p, q, x, u: p[x] >= q[x], "a veces también"),
                (lambda p, q, x, u: u < p[x], "a secas"),
                (lambda p, q, x, u: u * q[x] >= p[x], "al revés"),
                (lambda p, q, x, u: True, "aceptas siempre"),
                (lambda p, q, x, u: False, "rechazas siempre"),
                (lambda p, q, x, u: u < 0.5, "hay que"),
            ],
        ),
        Exercise(
            "lab-03.4",
            "lo que falta por sortear",
            check_residual,
            wrong=[
                (lambda p, q: p, "dos veces"),
                (lambda p, q: q, "borrador"),
                (lambda p, q: (p - q).clamp(min=0), "renormalizar"),
                (lambda p, q: (p - q).abs() / (p - q).abs().sum(), "valor absoluto"),
                (lambda p, q: (q - p).clamp(min=0) / (q - p).clamp(min=0).sum(), "al revés"),
                (lambda p, q: (p - q).clamp(min=0).softmax(0), "softmax"),
                (lambda p, q: p - q, "negativas"),
                (lambda p, q: p * 0 + 0.25, "esperaba"),
                (lambda p, q: p.sum(), "por token"),
            ],
        ),
    ]
}
