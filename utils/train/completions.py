"""Aprender solo lo que escribe el asistente: conversaciones con máscara, sueltas o empaquetadas, y su nota.

Un ejemplo es lo que da `utils.text.chat_templates.apply_chat_template`: ids y una máscara con un 1 en lo que se
aprende. `pack_masked` junta varios en una fila sin perder de vista la máscara; `CompletionLM` hace el lote.

Lo que NO hace: generar. La nota de `score_completions` sale de una sola pasada con la respuesta delante.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from utils.model.batching import IGNORE, Batch, attention_mask, length_batches, pad, to_device
from utils.model.logprobs import sequence_mean, token_logprobs
from utils.train.objectives import Example, packed_positions
from utils.train.packing import document_mask, pack


def pack_masked(examples: Sequence[Example], length: int) -> list[Example]:
    """Reparte los ejemplos en filas de `length` tokens como mucho, con sus `assistant_masks` y `position_ids`.

    El reparto es el de `utils.train.packing.pack`. ValueError si un ejemplo es más largo que una fila: partirlo dejaría
    una respuesta sin su pregunta.

    >>> one = {"input_ids": [7, 8], "assistant_masks": [0, 1]}
    >>> pack_masked([one, one], length=5)[0]["assistant_masks"]
    [0, 1, 0, 1]
    """
    sizes = [len(example["input_ids"]) for example in examples]
    if not sizes:
        return []
    if max(sizes) > length:
        raise ValueError(f"El ejemplo número {int(np.argmax(sizes))} mide {max(sizes)} tokens y la fila, {length}.")
    # se empaquetan los números de los tokens, y así ids y máscara viajan juntos
    flat = {name: np.concatenate([example[name] for example in examples]) for name in ("input_ids", "assistant_masks")}
    ends = np.cumsum(sizes)
    rows = pack([range(end - size, end) for end, size in zip(ends, sizes, strict=True)], length)
    return [
        {name: values[row["input_ids"]].tolist() for name, values in flat.items()}
        | {"position_ids": row["position_ids"]}
        for row in rows
    ]


@dataclass(frozen=True)
class CompletionLM:
    """Predecir el token siguiente, pero solo donde `assistant_masks` vale 1.

    Un lote empaquetado lleva una máscara de atención (B, 1, T, T) que impide mirar al vecino: con la de dos
    dimensiones, un Llama de transformers no separa los documentos.

    >>> CompletionLM(pad_id=0)([{"input_ids": [4, 5, 6], "assistant_masks": [0, 0, 1]}])["labels"].tolist()
    [[-100, -100, 6]]
    """

    pad_id: int

    def __call__(self, examples: list[Example], rng: np.random.Generator | None = None) -> Batch:
        rows = [example["input_ids"] for example in examples]
        ids = pad(rows, self.pad_id)  # (B, T)
        learned = pad([example["assistant_masks"] for example in examples], 0)  # (B, T)
        labels = ids.masked_fill(learned == 0, IGNORE)  # (B, T)
        labels[:, 0] = IGNORE  # al primero no lo predice nadie
        positions = packed_positions(examples)
        if not positions:
            return {"input_ids": ids, "attention_mask": attention_mask(rows), "labels": labels}
        labels = labels.masked_fill(positions["position_ids"] == 0, IGNORE)  # (B, T)
        # el relleno repite la posición 0: cada casilla es su propio documento y no molesta a nadie
        visible = document_mask(ids, position_ids=positions["position_ids"], causal=True)  # (B, 1, T, T)
        return {"input_ids": ids, "attention_mask": visible, "labels": labels, **positions}


@torch.no_grad()
def score_completions(
    model, examples: Sequence[Example], pad_id: int, batch_size: int = 50
) -> tuple[np.ndarray, np.ndarray]:
    """Por ejemplo, los nats medios por token aprendido (N,) y si los acierta todos (N,), en modo evaluación.

    Acertarlos todos con la respuesta delante es lo mismo que generarla igual con decodificación voraz: si el primero
    es el correcto, el segundo se predice con el mismo prefijo, y así hasta el final. ValueError si no hay ejemplos o si
    uno no tiene nada que aprender.
    """
    if not examples:
        raise ValueError("No hay ejemplos que puntuar.")
    model.eval()
    nats, exact = np.empty(len(examples)), np.empty(len(examples), dtype=bool)
    for chosen in length_batches([len(example["input_ids"]) for example in examples], batch_size):
        batch = to_device(CompletionLM(pad_id)([examples[i] for i in chosen]), model)
        labels = batch.pop("labels")[:, 1:]  # (B, T - 1)
        if not (labels != IGNORE).any(1).all():
            raise ValueError("Hay un ejemplo sin tokens del asistente que predecir: no hay nada que puntuar.")
        logits, counted = model(**batch).logits[:, :-1], labels != IGNORE  # (B, T - 1, V), (B, T - 1)
        nats[chosen] = sequence_mean(-token_logprobs(logits, labels), counted).cpu().numpy()
        exact[chosen] = ((logits.argmax(-1) == labels) | ~counted).all(1).cpu().numpy()
    return nats, exact
