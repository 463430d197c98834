"""Perplejidad y bits por byte de un modelo causal, con relleno y con ventana deslizante para textos largos.

La perplejidad es la exponencial de la entropía cruzada por token: entre cuántas opciones duda el modelo, de media. Solo
se puede comparar entre modelos con el mismo tokenizador; los bits por byte, que reparten lo mismo entre los bytes del
texto, sirven para todos.

Lo que NO hace: tokenizar (recibe ids), añadir el token de inicio ni servir para codificadores, que no dan una
probabilidad a la frase.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from utils.model.batching import IGNORE, attention_mask, pad, to_device
from utils.model.logprobs import label_logprobs


@dataclass(frozen=True)
class TextScore:
    """Lo que un texto le cuesta al modelo: menos la suma de log p, en nats, y cuántos tokens ha predicho.

    >>> round(TextScore(nats=6.0, tokens=3).perplexity, 3)
    7.389
    """

    nats: float
    tokens: int

    def __post_init__(self):
        if self.tokens < 1:
            raise ValueError(
                "Este texto no predice ningún token: hacen falta 2, porque el primero no lo predice nadie."
            )

    @property
    def perplexity(self) -> float:
        return math.exp(self.nats / self.tokens)


def perplexity(scores: Sequence[TextScore]) -> float:
    """La del conjunto: cada token pesa lo mismo, esté en el texto que esté (no es la media de las de cada texto).

    >>> round(perplexity([TextScore(0.0, 3), TextScore(4.0, 1)]), 3)
    2.718
    """
    if not scores:
        raise ValueError("No hay ningún texto puntuado: pasa lo que devuelve score_texts.")
    return math.exp(sum(s.nats for s in scores) / sum(s.tokens for s in scores))


def bits_per_byte(scores: Sequence[TextScore], texts: Sequence[str]) -> float:
    """Bits que harían falta, por byte de UTF-8, para escribir los textos con este modelo.

    Si los ids no empiezan por un token de inicio, el primero de cada texto no lo predice nadie: no cuesta nada y sus
    bytes cuentan igual, de modo que el número sale algo bajo en textos cortos. Error si no hay una puntuación por
    texto.

    >>> bits_per_byte([TextScore(nats=8 * math.log(2), tokens=2)], ["niño"])  # 5 bytes
    1.6
    """
    if len(scores) != len(texts) or not texts:
        raise ValueError(f"Hay {len(scores)} puntuaciones y {len(texts)} textos: debe haber una por texto.")
    size = sum(len(text.encode()) for text in texts)
    if size == 0:
        raise ValueError("Los textos están vacíos: no hay bytes entre los que repartir.")
    return sum(s.nats for s in scores) / math.log(2) / size


@torch.no_grad()
def score_texts(
    model: PreTrainedModel,
    sequences: Sequence[Sequence[int]],
    *,
    window: int | None = None,
    stride: int | None = None,
    batch_size: int = 8,
) -> list[TextScore]:
    """Puntúa cada texto, dado como lista de ids, y devuelve los resultados en el mismo orden.

    Un texto de más de `window` tokens (los que admite el modelo, si no se dice) se lee en ventanas que avanzan `stride`
    (la mitad, si no se dice). Cada token se predice una sola vez, y desde la segunda ventana con al menos
    `window - stride` tokens delante: con un avance pequeño se mide mejor y se tarda más. El primer token no lo predice
    nadie. El relleno de los lotes no cambia el resultado. Deja el modelo en modo evaluación. Errores: texto de menos
    de 2 tokens, id fuera del vocabulario, ventana mayor de lo que admite el modelo, avance fuera de [1, window - 1].
    Fuente: Press et al. (2021), sección 2; la ventana es la de la documentación de transformers.
    """
    window, stride = _check_window(model, window, stride)
    _check_ids(sequences, model.config.vocab_size)
    pieces = [(i, *span) for i, ids in enumerate(sequences) for span in _windows(len(ids), window, stride)]
    pieces.sort(key=lambda piece: piece[2] - piece[1])  # longitudes parecidas en cada lote: menos relleno
    nats = [0.0] * len(sequences)
    model.eval()
    for start in range(0, len(pieces), batch_size):
        group = pieces[start : start + batch_size]
        for (i, *_), loss in zip(group, _losses(model, sequences, group), strict=True):
            nats[i] += loss
    return [TextScore(n, len(ids) - 1) for n, ids in zip(nats, sequences, strict=True)]


def _windows(length: int, window: int, stride: int) -> list[tuple[int, int, int]]:
    """Ventanas (inicio, fin, primer token que se predice) que cubren los tokens del 1 al último, sin repetir.

    >>> _windows(10, window=6, stride=3)
    [(0, 6, 1), (3, 9, 6), (4, 10, 9)]
    """
    end = min(length, window)
    found = [(0, end, 1)]
    while end < length:
        first, end = end, min(length, end + stride)
        found.append((end - window, end, first))
    return found


def _losses(model: PreTrainedModel, sequences, group: list[tuple[int, int, int, int]]) -> list[float]:
    """Menos la suma de log p de los tokens nuevos de cada ventana de un lote."""
    pieces = [sequences[i][start:end] for i, start, end, _ in group]
    skips = [first - start for _, start, _, first in group]  # lo que ya contó la ventana anterior
    labels = [[IGNORE] * skip + list(piece[skip:]) for piece, skip in zip(pieces, skips, strict=True)]
    batch = {"input_ids": pad(pieces, 0), "attention_mask": attention_mask(pieces), "labels": pad(labels, IGNORE)}
    logprobs = label_logprobs(model, **to_device(batch, model))  # (B, T)
    return (-logprobs).double().sum(dim=1).tolist()  # (B,)


def _check_window(model: PreTrainedModel, window: int | None, stride: int | None) -> tuple[int, int]:
    limit = getattr(model.config, "max_position_embeddings", None)
    window = window or limit
    if window is None:
        raise ValueError("El modelo no dice cuántas posiciones admite: indica window.")
    if window < 2 or (limit and window > limit):
        raise ValueError(f"window es {window} y debe estar entre 2 y {limit}, las posiciones que admite el modelo.")
    stride = max(1, window // 2) if stride is None else stride
    if not 1 <= stride < window:
        raise ValueError(f"stride es {stride} y debe estar entre 1 y {window - 1}: cada ventana necesita contexto.")
    return window, stride


def _check_ids(sequences: Sequence[Sequence[int]], vocab_size: int) -> None:
    if not len(sequences):
        raise ValueError("No hay ningún texto que puntuar.")
    for i, ids in enumerate(sequences):
        if len(ids) < 2:
            raise ValueError(
                f"El texto número {i} tiene {len(ids)} tokens y hacen falta 2: el primero no lo predice nadie."
            )
        if min(ids) < 0 or max(ids) >= vocab_size:
            raise ValueError(f"El texto número {i} tiene ids fuera del vocabulario, que va de 0 a {vocab_size - 1}.")
