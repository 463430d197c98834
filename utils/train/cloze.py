"""La misma pregunta para los tres objetivos: qué había en estos huecos, en el formato de cada uno.

Sirve para comparar modelos preentrenados de formas distintas: todos responden por los mismos tokens. Al causal se le
da el texto y solo puntúan los tokens escondidos, que predice con lo que hay a su izquierda; al de palabras tapadas,
una máscara en cada hueco; al de trozos, un centinela por trozo.

Lo que NO hace: elegir los huecos ni pasar el lote por el modelo (`Pretraining.token_losses`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from utils.model.batching import IGNORE, Batch, attention_mask, pad

Span = tuple[int, int]


@dataclass(frozen=True)
class Cloze:
    """Huecos para rellenar. `special` es cuántos ids, los primeros, no son texto: centinelas, fin y relleno.

    >>> cloze = Cloze(pad_id=0, end_id=1, mask_id=2, sentinels=(3, 4), special=5)
    >>> cloze("tapadas", [([7, 8, 9], [(1, 2)])])["input_ids"].tolist()
    [[7, 2, 9, 1]]
    """

    pad_id: int
    end_id: int
    mask_id: int
    sentinels: tuple[int, ...]
    special: int

    def __call__(self, objective: str, items: Sequence[tuple[list[int], list[Span]]]) -> Batch:
        """Un lote con la pregunta de cada texto, dado como (ids, trozos escondidos).

        `objective` es «causal», «tapadas» o «trozos»; los trozos son parejas (inicio, fin) en orden y sin solaparse.
        Solo cuentan en la pérdida los tokens escondidos y, con «trozos», los centinelas y el fin, que
        `is_text` quita. Error si el objetivo no existe, si hay más trozos que centinelas, si un texto no esconde nada,
        si un trozo está vacío o se sale, o si al causal se le pregunta el primer token, que no lo predice nadie.
        """
        if objective not in ("causal", "tapadas", "trozos"):
            raise ValueError(f"No hay un objetivo «{objective}»: elige causal, tapadas o trozos.")
        if any(len(spans) >= len(self.sentinels) for _, spans in items):
            raise ValueError(f"Hay {len(self.sentinels)} centinelas y hace falta uno más que trozos: esconde menos.")
        for i, (ids, spans) in enumerate(items):
            self._check_spans(i, ids, spans, first=int(objective == "causal"))
        build = self._spans if objective == "trozos" else self._in_place
        pairs = [build(ids, spans, masked=objective == "tapadas") for ids, spans in items]
        sources = [source for source, _ in pairs]
        return {
            "input_ids": pad(sources, self.pad_id),  # (B, T)
            "attention_mask": attention_mask(sources),  # (B, T)
            "labels": pad([labels for _, labels in pairs], IGNORE),  # (B, T) o (B, S)
        }

    def _check_spans(self, i: int, ids: list[int], spans: list[Span], first: int) -> None:
        if not spans:
            raise ValueError(f"El texto número {i} no esconde ningún token: no hay nada que preguntar.")
        ends = [first, *(end for _, end in spans)]  # dónde puede empezar cada trozo
        if any(not low <= start < end <= len(ids) for low, (start, end) in zip(ends, spans, strict=False)):
            raise ValueError(
                f"Los trozos del texto número {i} son {spans} y van en orden, sin solaparse ni quedar vacíos, entre "
                f"{first} y {len(ids)}" + (": a un modelo causal no se le pregunta el primer token." if first else ".")
            )

    def is_text(self, batch: Batch):
        """Dónde hay un token escondido que puntúa: la forma de las etiquetas, booleana."""
        return batch["labels"] >= self.special

    def _in_place(self, ids: list[int], spans: list[Span], masked: bool) -> tuple[list[int], list[int]]:
        hidden = {i for start, end in spans for i in range(start, end)}
        source = [self.mask_id if masked and i in hidden else token for i, token in enumerate(ids)]
        labels = [token if i in hidden else IGNORE for i, token in enumerate(ids)]
        return [*source, self.end_id], [*labels, IGNORE]

    def _spans(self, ids: list[int], spans: list[Span], masked: bool) -> tuple[list[int], list[int]]:
        source, target, position = [], [], 0
        for sentinel, (start, end) in zip(self.sentinels, spans, strict=False):
            source += [*ids[position:start], sentinel]
            target += [sentinel, *ids[start:end]]
            position = end
        return [*source, *ids[position:], self.end_id], [*target, self.sentinels[len(spans)], self.end_id]
