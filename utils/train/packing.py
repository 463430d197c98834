"""Empaquetar: varios documentos en una misma secuencia, sin relleno y sin que se vean unos a otros.

Cada documento acaba con su token de fin, y `position_ids` vuelve a 0 donde empieza el siguiente. De ahí sale la
máscara por bloques: un token solo mira a los de su documento. Así, la pérdida de un documento empaquetado es la que
tendría solo.

Lo que NO hace: tokenizar ni elegir en qué orden se visitan las secuencias.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from utils.train.objectives import Example


def pack(documents: Sequence[Sequence[int]], length: int, end_id: int | None = None) -> list[Example]:
    """Reparte los documentos en secuencias de `length` tokens como mucho: {"input_ids", "position_ids"}.

    Añade `end_id` al final de cada documento, si se da. Uno más largo que `length` se parte, y cada parte cuenta como
    un documento; la última se queda con 2 tokens y no con 1 (si `length` pasa de 2), porque a uno suelto no lo predice
    nadie y, con `end_id`, sería el de fin. Cada parte, de la mayor a la menor, va a la secuencia donde menos hueco deja
    (*best-fit decreasing*; Ding et al., 2024, sección 2), así que no se corta ningún documento que quepa. Lanza
    `ValueError` si hay un documento vacío o si `length` no es de al menos 2.

    >>> pack([[5, 6], [7, 8, 9]], length=7, end_id=1)
    [{'input_ids': [7, 8, 9, 1, 5, 6, 1], 'position_ids': [0, 1, 2, 3, 0, 1, 2]}]
    """
    if length < 2:
        raise ValueError(f"length es {length}: hacen falta al menos 2 tokens para que haya algo que predecir.")
    pieces: list[list[int]] = []
    for i, document in enumerate(documents):
        if not len(document):
            raise ValueError(f"El documento número {i} está vacío: quítalo antes de empaquetar.")
        ids = list(document) if end_id is None else [*document, end_id]
        cuts = [*range(0, len(ids), length), len(ids)]
        if length > 2 and len(cuts) > 2 and cuts[-1] - cuts[-2] == 1:
            cuts[-2] -= 1
        pieces += [ids[start:end] for start, end in pairwise(cuts)]

    rows: list[Example] = []
    room: list[tuple[int, int]] = []  # (hueco, secuencia), de menor a mayor hueco
    for piece in sorted(pieces, key=len, reverse=True):
        best = bisect_left(room, (len(piece), -1))
        if best < len(room):
            left, row = room.pop(best)
        else:
            left, row = length, len(rows)
            rows.append({"input_ids": [], "position_ids": []})
        rows[row]["input_ids"] += piece
        rows[row]["position_ids"] += range(len(piece))
        insort(room, (left - len(piece), row))
    return rows


def document_mask(
    ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None, *, causal: bool
) -> Tensor:
    """Quién puede mirar a quién: (B, 1, T, T) booleana, True donde la consulta (fila) ve la clave (columna).

    Junta tres condiciones: no mirar el relleno (0 en `attention_mask`), no salir del documento (empieza uno donde
    `position_ids` vale 0) y, si `causal`, no mirar el futuro. Vale para nuestro transformer y para los de
    transformers, que aceptan una máscara de cuatro dimensiones.

    >>> document_mask(torch.ones(1, 3).long(), position_ids=torch.tensor([[0, 1, 0]]), causal=True)[0, 0].int().tolist()
    [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    """
    batch, width = ids.shape
    mask = torch.ones(batch, 1, width, width, dtype=torch.bool, device=ids.device)  # (B, 1, T, T)
    if causal:
        mask = mask.tril()
    if position_ids is not None:
        document = (position_ids == 0).cumsum(1)  # (B, T): el número de documento de cada token
        mask = mask & (document[:, None, :, None] == document[:, None, None, :])  # (B, 1, T, T)
    if attention_mask is not None:
        mask = mask & attention_mask.bool()[:, None, None, :]  # (B, 1, T, T)
    return mask


def padding_share(lengths: Sequence[int], batch_size: int) -> float:
    """Qué parte de los lotes sería relleno al poner cada ejemplo en una fila, en el orden dado.

    Cada lote se rellena hasta el más largo de los suyos.

    >>> round(padding_share([2, 4, 3, 3], batch_size=2), 3)  # el primer lote rellena 2 de sus 8 casillas
    0.143
    """
    if not len(lengths) or batch_size < 1:
        raise ValueError("Hacen falta al menos un ejemplo y un lote de al menos 1.")
    groups = [lengths[i : i + batch_size] for i in range(0, len(lengths), batch_size)]
    cells = sum(max(group) * len(group) for group in groups)
    return 1 - sum(lengths) / cells
