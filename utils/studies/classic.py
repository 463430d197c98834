"""El relleno del laboratorio clásico, para poder medir lo que cuesta. No lo uses para otra cosa.

El original rellena entradas y etiquetas hasta una longitud fija, deja el token 0 en las etiquetas (y la pérdida lo
cuenta) y no pasa máscara (y el encoder lo atiende). Aquí cada defecto se enciende por separado.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from utils.model.batching import IGNORE, Batch, pad
from utils.train.objectives import Example


@dataclass(frozen=True)
class ClassicPadding:
    """Como `Seq2Seq`, con longitud fija y los defectos que se pidan.

    ignore_padding: si es False, el relleno de las etiquetas cuenta en la pérdida (el defecto).
    mask_padding: si es False, la máscara es todo unos y el encoder atiende al relleno (el defecto).

    >>> objective = ClassicPadding(0, prompt_length=3, label_length=3, ignore_padding=False, mask_padding=True)
    >>> objective([{"input_ids": [5], "labels": [7, 1]}])["labels"].tolist()
    [[7, 1, 0]]
    """

    pad_id: int
    prompt_length: int
    label_length: int
    ignore_padding: bool
    mask_padding: bool

    def __call__(self, examples: list[Example], rng=None) -> Batch:
        sources = self._fill([e["input_ids"] for e in examples], self.prompt_length, self.pad_id)  # (B, T)
        filler = IGNORE if self.ignore_padding else self.pad_id
        labels = self._fill([e["labels"] for e in examples], self.label_length, filler)  # (B, S)
        mask = (sources != self.pad_id).long() if self.mask_padding else torch.ones_like(sources)
        return {"input_ids": sources, "attention_mask": mask, "labels": labels}

    @staticmethod
    def _fill(rows: list[list[int]], length: int, value: int) -> Tensor:
        filled = pad(rows, value)  # (B, T)
        return F.pad(filled, (0, length - filled.shape[1]), value=value)  # (B, length): si sobra, recorta
