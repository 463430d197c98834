"""Los ejercicios del lab 2: pesos de atención, máscara del decodificador, entrada desplazada y bucle de traducción."""

import math

import torch
from torch.nn.functional import one_hot, pad

from utils.exercises.checks import AnswerError
from utils.exercises.grading import Exercise


def _queries(seed: int, t: int, s: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(t, d, generator=generator), torch.randn(s, d, generator=generator)  # (T, D), (S, D)


def _scores(query, key):
    return query @ key.T / math.sqrt(query.shape[-1])  # (T, S)


WEIGHTS = Exercise(
    "lab-02.1",
    "los pesos de la atención",
    "cada fila reparte una mirada entera entre las claves.",
    right=lambda query, key: _scores(query, key).softmax(-1),
    cases=[_queries(0, 3, 5, 4), _queries(1, 3, 5, 4)],
    mistakes=[
        (lambda q, k: (q @ k.T).softmax(-1), "falta dividir las puntuaciones por la raíz de D antes de la softmax."),
        (lambda q, k: (q @ k.T / q.shape[-1]).softmax(-1), "has dividido por D y es por su raíz cuadrada."),
        (lambda q, k: _scores(q, k), "son las puntuaciones: falta la softmax que las convierte en pesos."),
        (
            lambda q, k: _scores(q, k).softmax(0),
            "tus columnas suman 1 y deben sumar 1 las filas: la softmax va sobre las claves, `dim=-1`.",
        ),
        (
            lambda q, k: (q @ k.T).softmax(-1) / math.sqrt(q.shape[-1]),
            "has dividido después de la softmax, y los pesos ya no suman 1: primero se divide.",
        ),
        (
            lambda q, k: _scores(k, q).softmax(-1),
            "te ha salido una tabla de claves por consultas: es query @ key.T, con T filas.",
        ),
    ],
    traps=[(_queries(2, 2, 3, 9), "has escrito la raíz de D a mano: sale de `query.shape[-1]`.")],
)

CAUSAL_ALONE = "es la causal, y no mira el relleno: la segunda frase solo tiene dos tokens de verdad."


def _causal(mask, diagonal=0):
    return torch.ones(mask.shape[1], mask.shape[1]).tril(diagonal).bool()  # (T, T)


def _real(mask):
    return mask.bool()[:, None, None, :]  # (B, 1, 1, T)


MASK = Exercise(
    "lab-02.2",
    "la máscara del decodificador",
    "cada token ve su pasado, a sí mismo y ningún relleno.",
    right=lambda attention_mask: _causal(attention_mask) & _real(attention_mask),
    cases=[(torch.tensor([[1, 1, 1], [1, 1, 0]]),), (torch.tensor([[1, 1, 1], [1, 0, 0]]),)],
    mistakes=[
        (_causal, CAUSAL_ALONE),
        (lambda m: _causal(m)[None, None], CAUSAL_ALONE),
        (lambda m: _causal(m).expand(len(m), 1, -1, -1), CAUSAL_ALONE),
        (_real, "es la del relleno, y deja ver el futuro: combínala con el triángulo."),
        (
            lambda m: _causal(m) & m.bool()[:, None, :],
            "falta la dimensión de las cabezas: la forma es (B, 1, T, T), y el 1 vale para todas.",
        ),
        (lambda m: _causal(m).T & _real(m), "el triángulo está al revés: así cada token ve su futuro y no su pasado."),
        (lambda m: _causal(m, -1) & _real(m), "cada token debe poder mirarse a sí mismo: la diagonal va incluida."),
        (
            lambda m: _causal(m) | _real(m),
            "basta con una de las dos condiciones y hacen falta las dos: usa `&` en vez de `|`.",
        ),
        (lambda m: ~(_causal(m) & _real(m)), "está al revés: True debe querer decir «puede mirar»."),
        (
            lambda m: _causal(m) & m.bool()[:, None, :, None],
            "has tapado las filas del relleno y hay que tapar sus columnas: se trata de que nadie las mire.",
        ),
        (
            lambda m: (_causal(m) & _real(m)).long(),
            "las casillas son correctas, pero la máscara debe ser booleana: acaba con `.bool()`.",
        ),
    ],
    traps=[
        (
            (torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]]),),
            "acierta con frases de tres tokens y falla con cuatro: T es `attention_mask.shape[1]`.",
        )
    ],
)

SHIFT = Exercise(
    "lab-02.3",
    "la entrada del decodificador",
    "en cada posición, el modelo ve solo lo anterior a lo que debe escribir.",
    right=lambda labels, start: pad(labels[:, :-1], (1, 0), value=start),
    cases=[
        (torch.tensor([[5, 6, 2], [7, 2, 0]]), 1),  # 2 es el fin y 0, el relleno
        (torch.tensor([[4, 8, 3, 2]]), 1),
    ],
    mistakes=[
        (
            lambda labels, start: labels,
            "son las etiquetas tal cual: el modelo tendría delante la respuesta que debe dar.",
        ),
        (
            lambda labels, start: pad(labels, (1, 0), value=start),
            "has añadido el inicio sin quitar el último: sobra una columna.",
        ),
        (
            lambda labels, start: pad(labels[:, 1:], (0, 1), value=start),
            "las has desplazado hacia la izquierda: en la posición t debe estar el token t - 1.",
        ),
        (
            lambda labels, start: labels.index_fill(1, torch.tensor([0]), start),
            "has pisado el primer token en vez de desplazar: se pierde.",
        ),
        (
            lambda labels, start: labels.roll(1, dims=1),
            "has dado la vuelta completa: el primero debe ser siempre el de inicio.",
        ),
    ],
    traps=[((torch.tensor([[4, 8, 3, 2]]), 0), "has escrito el inicio a mano: es `start`, que no siempre vale 1.")],
)

ENDLESS = "tu bucle no para: debe acabar con el token de fin o al escribir `limit` tokens."


class ToyModel:
    """Un modelo de juguete: sigue `target` si se le da todo lo escrito desde `start`; si no, contesta 9."""

    def __init__(self, start: int, target: list[int]) -> None:
        self.written, self.calls = [start, *target], 0

    def __repr__(self) -> str:
        return "decode"

    def __call__(self, ids) -> torch.Tensor:
        self.calls += 1
        if self.calls > 50:
            raise AnswerError(ENDLESS)
        ids = [int(i) for i in ids]
        known = len(ids) < len(self.written) and ids == self.written[: len(ids)]
        return one_hot(torch.tensor(self.written[len(ids)] if known else 9), 10).float()  # (V,)


def _translate(decode, start, end, limit, keep_start=False, keep_end=False, last_only=False):
    written = [start]
    while len(written) <= limit:
        token = int(decode(written[-1:] if last_only else written).argmax())
        if token == end:
            return written[not keep_start :] + [end] * keep_end
        written.append(token)
    return written[not keep_start :]


TRANSLATE = Exercise(
    "lab-02.4",
    "el bucle de traducción",
    "cada salida vuelve a entrar, hasta el token de fin o el límite.",
    right=_translate,
    cases=[
        (ToyModel(1, [5, 3, 7, 2]), 1, 2, 8),
        (ToyModel(0, [4] * 60), 0, 2, 6),  # nunca escribe el fin
        (ToyModel(3, [6, 2, 1, 7, 5, 4, 8, 0]), 3, 0, 12),
    ],
    mistakes=[
        (
            lambda decode, start, end, limit: _translate(decode, start, end, limit, keep_start=True),
            "has dejado el token de inicio: lo pone quien llama, no es parte de la traducción.",
        ),
        (
            lambda decode, start, end, limit: _translate(decode, start, end, limit, keep_end=True),
            "has dejado el token de fin: marca dónde acaba el texto, pero no es texto.",
        ),
        (
            lambda decode, start, end, limit: _translate(decode, start, end, limit, keep_start=True, keep_end=True),
            "has dejado los tokens de inicio y de fin, que no son parte de la traducción.",
        ),
        (
            lambda decode, start, end, limit: _translate(decode, start, end, limit, last_only=True),
            "al decodificador hay que darle todo lo escrito desde el inicio, no solo lo último.",
        ),
        (lambda decode, start, end, limit: _translate(decode, start, end, math.inf), ENDLESS),
        (
            lambda decode, start, end, limit: _translate(decode, start, end, 1),
            "solo has dado una vuelta: la salida tiene que volver a entrar.",
        ),
    ],
)

EXERCISES = {e.id: e for e in (WEIGHTS, MASK, SHIFT, TRANSLATE)}
