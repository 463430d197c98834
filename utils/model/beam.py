"""Búsqueda en haz (*beam search*): en vez de una frase a medias, se llevan las b más probables.

En cada paso se alargan todas, con todos los tokens posibles, y se guardan las b mejores; una frase que llega
a su fin se aparta y compite con las demás por su puntuación, log p / longitud^length_penalty. Da las mismas
frases que `model.generate(num_beams=b)`, con el mismo criterio de parada, en modelos solo decodificador y
codificador-decodificador. Trabaja con un prompt cada vez, no sortea, no penaliza repeticiones y no agrupa
los haces por diversidad.
"""

from dataclasses import dataclass

import torch
from torch import nn

from utils.model.batching import check_batch, token_positions
from utils.model.decoding import check_room, special_ids
from utils.model.precision import at_least_float32


@dataclass(frozen=True)
class Hypothesis:
    """Una frase: sus tokens nuevos (con el de fin, si llegó), su log-probabilidad en nats y su puntuación."""

    ids: list[int]
    logprob: float
    score: float


def length_score(logprob: float, length: int, length_penalty: float) -> float:
    """La puntuación con la que compiten las frases terminadas: log p / longitud^length_penalty.

    `logprob` en nats; `length` en tokens, con el de fin. Con 0 gana la más probable, que suele ser corta; con
    1 se compara la media por token, y más de 1 favorece a las largas: log p es negativo, y dividir lo acerca a 0.
    Fuente: la fórmula es la de transformers; Wu et al. (2016), sección 7, usan otra con el mismo fin.

    >>> length_score(-6.0, 3, 1.0), length_score(-6.0, 3, 0.0)
    (-2.0, -6.0)
    """
    return logprob / length**length_penalty


@torch.no_grad()
def beam_search(
    model: nn.Module,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    num_beams: int,
    max_new_tokens: int,
    length_penalty: float = 1.0,
    early_stopping: bool | str = False,
    eos_token_id: int | list[int] | None = None,
) -> list[Hypothesis]:
    """Las `num_beams` mejores frases que continúan un prompt, de mayor a menor puntuación.

    `input_ids` y `attention_mask`: (1, T), un solo prompt. `num_beams` = 1 es la decodificación voraz. Una frase
    termina con su token de fin, que se incluye, o al llegar a `max_new_tokens`. La búsqueda se detiene cuando
    hay `num_beams` frases terminadas y, según `early_stopping`: True, ya está; False, la mejor frase abierta no
    superaría a la peor terminada si acabase ahora; "never", tampoco la superaría acabando en el mejor momento
    posible. ValueError si el prompt está vacío, no cabe o hay más de uno, si `num_beams` no está entre 1 y V, o si
    otra opción no tiene sentido. Fuente: el algoritmo es el de `generate` en transformers 5.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2, eos_token_id=None)
    >>> beams = beam_search(LlamaForCausalLM(config).eval(), torch.tensor([[3, 5]]), num_beams=4, max_new_tokens=3)
    >>> len(beams), len(beams[0].ids), beams[0].score >= beams[-1].score
    (4, 3, True)
    """
    mask = check_batch(input_ids, attention_mask)
    _check_options(input_ids, num_beams, max_new_tokens, early_stopping, model.config.vocab_size)
    check_room(model, mask, max_new_tokens)
    eos, _ = special_ids(model, eos_token_id, None)
    # Cada frase abierta gasta como mucho un candidato por token de fin: con estos quedan siempre b por seguir.
    candidates = max(2, 1 + len(eos)) * num_beams

    logits, cache, inputs = _prefill(model, input_ids, mask)  # (1, V)
    open_ids: list[list[int]] = [[]]
    open_logprobs = torch.zeros(1, device=input_ids.device)  # (b,), de mayor a menor; al principio, una frase vacía
    finished: list[Hypothesis] = []
    for length in range(1, max_new_tokens + 1):
        totals = open_logprobs[:, None] + at_least_float32(logits).log_softmax(dim=-1)  # (b, V)
        vocab = totals.shape[-1]
        best = totals.flatten().topk(min(candidates, totals.numel()))  # (candidates,)
        next_ids, parents, logprobs = [], [], []
        pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        for rank, (logprob, index) in enumerate(pairs):
            parent, token = divmod(index, vocab)
            ids = [*open_ids[parent], token]
            if token in eos or length == max_new_tokens:
                # Una frase que acaba por debajo de los b primeros puestos no habría sobrevivido: se descarta.
                if rank < num_beams:
                    finished.append(Hypothesis(ids, logprob, length_score(logprob, length, length_penalty)))
            elif len(next_ids) < num_beams:
                next_ids.append(ids)
                parents.append(parent)
                logprobs.append(logprob)
        finished = sorted(finished, key=lambda beam: -beam.score)[:num_beams]
        if not next_ids:  # se acabó el espacio: todas terminaron aquí
            break
        if len(finished) == num_beams:
            longest = max_new_tokens if early_stopping == "never" and length_penalty > 0 else length
            reachable = length_score(logprobs[0], longest, length_penalty)
            if early_stopping is True or reachable <= finished[-1].score:
                break

        open_ids, open_logprobs = next_ids, torch.tensor(logprobs, dtype=totals.dtype, device=totals.device)  # (b,)
        cache.reorder_cache(torch.tensor(parents, device=input_ids.device))  # cada frase, con la caché de su madre
        logits, cache, inputs = _step(model, [ids[-1] for ids in open_ids], cache, inputs)  # (b, V)
    return finished


def _check_options(
    input_ids: torch.Tensor, num_beams: int, max_new_tokens: int, early_stopping: bool | str, vocab: int
) -> None:
    if len(input_ids) != 1:
        raise ValueError(
            f"beam_search trabaja con un prompt cada vez y hay {len(input_ids)}: llámala en un bucle, uno por uno."
        )
    if isinstance(num_beams, bool) or not isinstance(num_beams, int) or num_beams < 1:
        raise ValueError(f"num_beams debe ser un entero mayor o igual que 1 y es {num_beams!r}: 1 es la voraz.")
    if num_beams > vocab:
        raise ValueError(f"num_beams = {num_beams} supera el vocabulario, de {vocab} tokens: elige menos haces.")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens debe ser al menos 1 y es {max_new_tokens}.")
    if early_stopping not in (True, False, "never"):
        raise ValueError(f'early_stopping debe ser True, False o "never" y es {early_stopping!r}.')


def _prefill(model: nn.Module, input_ids: torch.Tensor, mask: torch.Tensor):
    """Lee el prompt una vez. Devuelve los logits del primer token (1, V), la caché y las demás entradas."""
    if model.config.is_encoder_decoder:
        encoded = model.get_encoder()(input_ids=input_ids, attention_mask=mask)  # (1, T, D)
        start = model.generation_config.decoder_start_token_id
        start = model.config.decoder_start_token_id if start is None else start
        first = torch.full((1, 1), start, device=input_ids.device)  # (1, 1)
        inputs = {"encoder_outputs": encoded, "attention_mask": mask}
        output = model(decoder_input_ids=first, use_cache=True, **inputs)
    else:
        if not mask[:, -1].all():
            raise ValueError("Hay relleno a la derecha: quítalo, o usa tokenizer.padding_side = 'left'.")
        inputs = {"attention_mask": mask}
        output = model(input_ids=input_ids, position_ids=token_positions(mask), use_cache=True, **inputs)
    return output.logits[:, -1], output.past_key_values, inputs


def _step(model: nn.Module, tokens: list[int], cache, inputs: dict):
    """Un token más por frase abierta: logits (b, V), caché y entradas del paso siguiente."""
    mask = inputs["attention_mask"][:1].expand(len(tokens), -1)  # (b, T): todas comparten el prompt
    current = torch.tensor(tokens, device=mask.device)[:, None]  # (b, 1)
    if model.config.is_encoder_decoder:
        # Las claves y valores del codificador ya están en la caché; solo hace falta su máscara.
        inputs = {"encoder_outputs": inputs["encoder_outputs"], "attention_mask": mask}
        output = model(decoder_input_ids=current, past_key_values=cache, use_cache=True, **inputs)
    else:
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)  # (b, T + 1)
        inputs = {"attention_mask": mask}
        place = token_positions(mask)[:, -1:]  # (b, 1)
        output = model(input_ids=current, position_ids=place, past_key_values=cache, use_cache=True, **inputs)
    return output.logits[:, -1], output.past_key_values, inputs
