"""Respuestas de un modelo a un lote de prompts, y lo que el modelo dice de cada uno de sus tokens.

Es el terreno común de PPO, DPO, GRPO y la recompensa: los prompts, con su relleno a la izquierda, y las respuestas, con
el suyo a la derecha, en etiquetas donde lo que no cuenta es `IGNORE`. La casilla u de todo lo que sale de aquí es la
del token u de la respuesta, sea el modelo un decodificador o un codificador-decodificador.

Lo que NO hace: tokenizar ni decidir si una respuesta es buena.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from utils.model.batching import IGNORE, attention_mask, pad, token_positions
from utils.model.decoding import check_room, generate, special_ids
from utils.model.logprobs import token_logprobs


@dataclass(frozen=True)
class Answers:
    """Un lote de B prompts (B, T), su máscara (B, T) y sus respuestas (B, U), con `IGNORE` en el relleno."""

    prompts: Tensor
    prompt_mask: Tensor
    labels: Tensor

    def __post_init__(self):
        if not self.counted.any(dim=-1).all():
            raise ValueError("Hay una respuesta sin ningún token: no hay nada que puntuar ni que aprender.")

    @property
    def counted(self) -> Tensor:
        """Qué casillas son de verdad de la respuesta: (B, U)."""
        return self.labels != IGNORE

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> "Answers":
        """Las filas de `rows`, un tensor de índices: un minilote."""
        return Answers(self.prompts[rows], self.prompt_mask[rows], self.labels[rows])


def pack_answers(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], pad_id: int) -> Answers:
    """Junta prompts y respuestas, en listas de ids. Error si falta alguno o alguno está vacío.

    >>> pack_answers([[5, 6], [7]], [[8], [9, 1]], pad_id=0)
    Answers(prompts=tensor([[5, 6],
            [0, 7]]), prompt_mask=tensor([[1, 1],
            [0, 1]]), labels=tensor([[   8, -100],
            [   9,    1]]))
    """
    if len(prompts) != len(answers):
        raise ValueError(f"Hay {len(prompts)} prompts y {len(answers)} respuestas: debe haber una por prompt.")
    return Answers(pad(prompts, pad_id, "left"), attention_mask(prompts, "left"), pad(answers, IGNORE))


def cut_at_end(tokens: Tensor, ends: Collection[int]) -> Tensor:
    """Etiquetas (B, U) de unos tokens generados (B, U): cada fila hasta su token de fin, incluido, y después `IGNORE`.

    >>> cut_at_end(torch.tensor([[4, 1, 0], [4, 5, 6]]), ends=[1]).tolist()
    [[4, 1, -100], [4, 5, 6]]
    """
    over = torch.isin(tokens, torch.tensor(sorted(ends), dtype=tokens.dtype, device=tokens.device))  # (B, U)
    after = (over.long().cumsum(dim=-1) - over.long()) > 0  # (B, U): ya había acabado antes de esta casilla
    return tokens.masked_fill(after, IGNORE)


def respond(model: nn.Module, prompts: Sequence[Sequence[int]], pad_id: int, **decoding) -> Answers:
    """Contesta a unos prompts, en listas de ids. `decoding` son los mandos de `utils.model.decoding.generate`."""
    device = next(model.parameters()).device
    ids, mask = pad(prompts, pad_id, "left").to(device), attention_mask(prompts, "left").to(device)  # (B, T)
    tokens = generate(model, ids, mask, pad_token_id=pad_id, **decoding)  # (B, U)
    return Answers(ids, mask, cut_at_end(tokens, special_ids(model, decoding.get("eos_token_id"), pad_id)[0]))


def answer_states(model: nn.Module, batch: Answers) -> tuple[Tensor, Tensor]:
    """Los logits con que se predice cada token de la respuesta, (B, U, V), y el estado del que salen, (B, U, D).

    Una sola pasada, que se puede derivar. `ValueError` si el prompt y la respuesta no caben en el modelo.
    """
    if model.config.is_encoder_decoder:
        check_room(model, batch.prompt_mask)
        output = model(
            input_ids=batch.prompts, attention_mask=batch.prompt_mask, labels=batch.labels, output_hidden_states=True
        )
        return output.logits, output.decoder_hidden_states[-1]  # (B, U, V), (B, U, D)
    ids = torch.cat([batch.prompts, batch.labels.masked_fill(~batch.counted, 0)], dim=1)  # (B, T + U)
    mask = torch.cat([batch.prompt_mask, batch.counted.long()], dim=1)  # (B, T + U)
    check_room(model, mask)
    length = batch.labels.shape[1] + 1  # el último token del prompt predice el primero de la respuesta
    output = model(
        input_ids=ids, attention_mask=mask, position_ids=token_positions(mask), output_hidden_states=True,
        logits_to_keep=length,
    )  # fmt: skip
    return output.logits[:, :-1], output.hidden_states[-1][:, -length:-1]  # (B, U, V), (B, U, D)


def answer_token_logprobs(model: nn.Module, batch: Answers) -> Tensor:
    """log p de cada token de las respuestas, y 0 en el relleno: (B, U)."""
    return token_logprobs(answer_states(model, batch)[0], batch.labels)
