"""Generar texto token a token, con modelos de transformers.

`generate` hace a la vista lo que `model.generate` hace por dentro: una pasada por el prompt (*prefill*) y
después un token por vuelta, reutilizando la caché de claves y valores. Sirve para modelos solo decodificador
y para codificador-decodificador, por lotes. `generate_texts` responde a muchos prompts, en el orden en que llegan.
Los filtros sobre logits están en `utils.model.sampling` y se pueden importar también desde aquí.

Lo que NO hace: la búsqueda en haz (`utils.model.beam`), puntuar un texto ya escrito (`utils.model.logprobs`) ni llamar
a `model.eval()`, que lo decide quien la usa.
"""

from collections.abc import Sequence

import torch
from torch import nn
from tqdm import tqdm

from utils.course import env
from utils.model.batching import check_batch, length_batches, token_positions
from utils.model.positions import check_length
from utils.model.sampling import (
    apply_repetition_penalty,
    apply_temperature,
    probabilities,
    sample,
    top_k_filter,
    top_p_filter,
)

__all__ = [
    "apply_repetition_penalty", "apply_temperature", "check_room", "generate", "generate_texts", "probabilities",
    "sample", "special_ids", "top_k_filter", "top_p_filter",
]  # fmt: skip


def check_room(model: nn.Module, mask: torch.Tensor, new_tokens: int = 0) -> None:
    """Comprueba que el texto de cada fila de `mask` (B, T) y `new_tokens` más caben en las posiciones del modelo.

    El último token nuevo no se lee, así que no gasta posición. `ValueError` si no caben; los T5 no tienen tope.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2, max_position_embeddings=4)
    >>> check_room(LlamaForCausalLM(config), torch.ones(1, 3), new_tokens=2)
    """
    length = int(mask.sum(dim=-1).max()) + max(0, new_tokens - 1)
    check_length(length, getattr(model.config, "max_position_embeddings", None))


def special_ids(model: nn.Module, eos: int | list[int] | None, pad: int | None) -> tuple[list[int], int]:
    """Los ids de fin (quizá ninguno) y el de relleno: los dados o, si faltan, los de `model.generation_config`."""
    config = model.generation_config
    eos = config.eos_token_id if eos is None else eos
    eos = [] if eos is None else [eos] if isinstance(eos, int) else list(eos)
    pad = config.pad_token_id if pad is None else pad
    if pad is None:
        pad = eos[0] if eos else 0
    return eos, pad


@torch.no_grad()
def generate(
    model: nn.Module,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    max_new_tokens: int,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    seed: int | None = None,
    eos_token_id: int | list[int] | None = None,
    pad_token_id: int | None = None,
) -> torch.Tensor:
    """Genera hasta `max_new_tokens` tokens por fila y devuelve solo los nuevos: (B, T_new).

    temperature=None es decodificación voraz: el token más probable en cada paso. Con una temperatura se
    sortea, y la misma `seed` (por omisión, la del curso) da el mismo texto. Una fila termina con su token de
    fin, que se incluye; lo que sigue es relleno. Los modelos solo decodificador se rellenan por la IZQUIERDA:
    el último token de cada fila debe ser real. La penalización cuenta los tokens del prompt si el modelo es
    solo decodificador, y los de la salida si es codificador-decodificador. `input_ids` y `attention_mask`:
    (B, T); los ids especiales que falten se toman de `model.generation_config`. ValueError si la entrada está
    vacía, mal rellenada, no cabe en las posiciones del modelo o lleva opciones contradictorias.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2, eos_token_id=None)
    >>> generate(LlamaForCausalLM(config).eval(), torch.tensor([[3, 5], [4, 1]]), max_new_tokens=3).shape
    torch.Size([2, 3])
    """
    mask = check_batch(input_ids, attention_mask)
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens debe ser al menos 1 y es {max_new_tokens}.")
    if temperature is None and (top_k is not None or top_p is not None):
        raise ValueError("top_k y top_p solo actúan al sortear: pasa también una temperatura, como 1.0.")
    check_room(model, mask, max_new_tokens)
    eos, pad = special_ids(model, eos_token_id, pad_token_id)
    device = input_ids.device
    generator = None
    if temperature is not None:
        generator = torch.Generator(device).manual_seed(env.seed() if seed is None else seed)

    if model.config.is_encoder_decoder:
        encoded = model.get_encoder()(input_ids=input_ids, attention_mask=mask)  # una sola vez: (B, T, D)
        step_inputs = {"encoder_outputs": encoded, "attention_mask": mask}
        start = model.generation_config.decoder_start_token_id
        start = model.config.decoder_start_token_id if start is None else start
        current = torch.full((len(input_ids), 1), start, device=device)  # (B, 1)
        history = current  # (B, 1)
    else:
        if not mask[:, -1].all():
            raise ValueError(
                "Hay relleno a la derecha: un modelo solo decodificador pide tokenizer.padding_side = 'left'."
            )
        step_inputs = {"attention_mask": mask, "position_ids": token_positions(mask)}
        current = input_ids  # (B, T): el prefill
        history = input_ids.where(mask.bool(), -1)  # (B, T); -1 = relleno, que no se penaliza

    new_tokens, cache = [], None
    finished = torch.zeros(len(input_ids), dtype=torch.bool, device=device)  # (B,)
    for _ in range(max_new_tokens):
        ids_name = "decoder_input_ids" if model.config.is_encoder_decoder else "input_ids"
        output = model(**{ids_name: current}, **step_inputs, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        logits = output.logits[:, -1].float()  # (B, V)
        if repetition_penalty != 1.0:
            logits = apply_repetition_penalty(logits, history, repetition_penalty)  # (B, V)
        probs = probabilities(logits, temperature, top_k, top_p)  # (B, V)
        token = probs.argmax(dim=-1) if generator is None else sample(probs, generator)  # (B,)
        token = token.masked_fill(finished, pad)  # (B,)
        new_tokens.append(token)
        for end in eos:
            finished = finished | (token == end)  # (B,)
        if finished.all():
            break

        current = token[:, None]  # (B, 1): lo demás ya está en la caché
        history = torch.cat([history, current], dim=1)  # (B, T + 1)
        if not model.config.is_encoder_decoder:
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)  # (B, T + 1)
            step_inputs = {"attention_mask": mask, "position_ids": token_positions(mask)[:, -1:]}
    return torch.stack(new_tokens, dim=1)  # (B, T_new)


def generate_texts(
    model: nn.Module,
    tokenizer,
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    batch_size: int = 50,
    max_prompt: int = 512,
    **decoding,
) -> list[str]:
    """Un texto por prompt, en el mismo orden. `decoding` son los mandos de `generate`.

    Los lotes son de longitud parecida, para que casi no haya relleno. Lanza `ValueError` si algún prompt está vacío.
    """
    for i, prompt in enumerate(prompts):
        if not prompt.strip():
            raise ValueError(f"El prompt número {i} está vacío: no hay nada que continuar.")
    device = next(model.parameters()).device
    texts = [""] * len(prompts)
    batches = length_batches([len(prompt) for prompt in prompts], batch_size)
    for batch in tqdm(batches, desc="generando", unit="lote", mininterval=1):
        encoded = tokenizer(
            [prompts[i] for i in batch], padding=True, truncation=True, max_length=max_prompt, return_tensors="pt"
        ).to(device)
        ids = generate(model, encoded.input_ids, encoded.attention_mask, max_new_tokens=max_new_tokens, **decoding)
        for i, text in zip(batch, tokenizer.batch_decode(ids, skip_special_tokens=True), strict=True):
            texts[i] = text.strip()
    return texts
