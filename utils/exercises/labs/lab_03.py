"""Los ejercicios del lab 3: el núcleo de top-p, los bytes de la caché y la regla de aceptación en dos partes."""

import torch

from utils.exercises.grading import Exercise


def _double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _nucleus(probs, p, slack=1e-6):
    return int((probs.sort(descending=True).values.cumsum(0) < p - slack).sum()) + 1


def _reaching(probs, p):
    """Cuántos hacen falta para llegar a p en el orden en que vienen."""
    return int((probs.cumsum(0) - probs < p - 1e-9).sum())


NUCLEUS = Exercise(
    "lab-03.1",
    "el tamaño del núcleo",
    "el menor conjunto que llega a p, con el token que lo cruza.",
    right=_nucleus,
    cases=[
        (_double(0.30, 0.20, 0.10, 0.40), 0.32),
        (_double(0.10, 0.20, 0.40, 0.30), 0.65),
        (_double(0.25, 0.25, 0.25, 0.25), 0.60),
        (_double(0.70, 0.20, 0.10), 0.95),
    ],
    mistakes=[
        (
            lambda probs, p: (probs.sort(descending=True).values.cumsum(0) <= p + 1e-9).sum(),
            "te quedas con lo que no pasa de p: el núcleo llega al menos a p, así que el token que cruza el "
            "umbral también entra.",
        ),
        (_reaching, "sumas en el orden del vocabulario: ordena antes de mayor a menor."),
        (
            lambda probs, p: _reaching(probs.sort().values, p),
            "has ordenado de menor a mayor: el núcleo empieza por los más probables.",
        ),
        (
            lambda probs, p: (probs >= p).sum(),
            "comparas cada probabilidad con p: lo que se compara es la suma acumulada.",
        ),
    ],
    traps=[
        (
            (_double(0.60, 0.30, 0.09, 0.01), 0.90),
            "falla donde la suma es p salvo redondeo: en binario 0.60 + 0.30 < 0.90. Deja una holgura de una "
            "millonésima.",
        )
    ],
)

CACHE = Exercise(
    "lab-03.2",
    "los megabytes de la caché",
    "2 · capas · cabezas · dimensión · tokens · 2 bytes.",
    right=lambda layers, kv_heads, head_dim, length: 2 * layers * kv_heads * head_dim * length * 2 / 1e6,
    cases=[(32, 8, 128, 8192), (30, 3, 64, 1000)],  # el primero, con atención agrupada
    mistakes=[
        (lambda la, h, d, t: la * h * d * t * 2 / 1e6, "te falta el 2: se guardan claves y también valores."),
        (lambda la, h, d, t: 2 * la * h * d * t * 4 / 1e6, "cuentas 4 bytes por número: en float16 son 2."),
        (lambda la, h, d, t: 2 * la * h * d * t * 16 / 1e6, "cuentas bits: un byte son 8."),
        (lambda la, h, d, t: 2 * h * d * t * 2 / 1e6, "te falta multiplicar por las capas: cada una tiene su caché."),
        (
            lambda la, h, d, t: 2 * la * h * d * t * 2 / 1024**2,
            "has dividido por 1024²: el enunciado pide megabytes de un millón de bytes.",
        ),
        (lambda la, h, d, t: 2 * la * h * d * t * 2, "te falta pasar a megabytes."),
        (lambda la, h, d, t: 2 * la * h * t * 2 / 1e6, "cuentas un solo número por cabeza: cada clave tiene head_dim."),
        (
            lambda la, h, d, t: 2 * la * h * d * t * t * 2 / 1e6,
            "la caché crece en proporción a la longitud, no a su cuadrado: las puntuaciones no se guardan.",
        ),
        (lambda la, h, d, t: 2 * la * h * d * 2 / 1e6, "te falta la longitud: hay una clave y un valor por token."),
    ],
)

# p y q. En las dos últimas p gana en un solo token y en dos: con uno, renormalizar p daría lo mismo que su exceso.
PAIRS = [
    (torch.tensor([0.5, 0.3, 0.2, 0.0]), torch.tensor([0.1, 0.6, 0.2, 0.1])),
    (torch.tensor([0.2, 0.3, 0.5]), torch.tensor([0.4, 0.5, 0.1])),
    (torch.tensor([0.5, 0.3, 0.2, 0.0]), torch.tensor([0.1, 0.2, 0.3, 0.4])),
]

ACCEPT = Exercise(
    "lab-03.3",
    "aceptar o rechazar",
    "u < p(x) / q(x), que con p(x) >= q(x) se cumple siempre.",
    right=lambda p, q, token, u: bool(u * q[token] < p[token]),
    cases=[(p, q, token, u / 10 + 0.05) for p, q in PAIRS[:2] for token in range(len(p)) for u in range(10)],
    mistakes=[
        (
            lambda p, q, token, u: u * p[token] < q[token],
            "has invertido el cociente: es p(x) / q(x), con p la del modelo grande.",
        ),
        (
            lambda p, q, token, u: p[token] >= q[token],
            "aceptas solo si p(x) >= q(x): cuando es menor, a veces también, con probabilidad p(x) / q(x).",
        ),
        (
            lambda p, q, token, u: u < p[token],
            "comparas con p(x) a secas: falta dividir por q(x), porque el borrador ya lo sorteó.",
        ),
        (lambda p, q, token, u: u * q[token] >= p[token], "está al revés: aceptas cuando habría que rechazar."),
        (lambda p, q, token, u: True, "aceptas siempre: saldría la distribución del borrador."),
        (lambda p, q, token, u: False, "rechazas siempre."),
    ],
)


def _normal(missing):
    return missing / missing.sum()


RESIDUAL = Exercise(
    "lab-03.4",
    "lo que falta por sortear",
    "lo que a p le falta por encima de q, renormalizado.",
    right=lambda p, q: _normal((p - q).clamp(min=0)),
    cases=PAIRS,
    mistakes=[
        (lambda p, q: p, "sorteas de p: los tokens que el borrador propone de más saldrían dos veces."),
        (lambda p, q: q, "sorteas de q: es la distribución del borrador."),
        (lambda p, q: (p - q).clamp(min=0), "falta renormalizar: lo que queda no suma 1."),
        (
            lambda p, q: _normal((p - q).abs()),
            "has tomado el valor absoluto: donde q es mayor que p no falta nada, va un cero.",
        ),
        (
            lambda p, q: _normal(torch.where(p > q, p, 0.0)),
            "donde p gana no falta p entera: falta p menos q, porque q ya lo propuso el borrador.",
        ),
        (lambda p, q: _normal((q - p).clamp(min=0)), "has restado al revés: es p menos q."),
        (lambda p, q: (p - q).clamp(min=0).softmax(0), "has usado softmax: para renormalizar se divide por la suma."),
        (lambda p, q: p - q, "hay probabilidades negativas: pon a cero lo que el borrador propone de más."),
    ],
)

EXERCISES = {e.id: e for e in (NUCLEUS, CACHE, ACCEPT, RESIDUAL)}
