"""Generar texto token a token y medir lo verosímil que es un texto, con modelos de transformers.

`generate` hace a la vista lo que `model.generate` hace por dentro: una pasada por el prompt (*prefill*) y
después un token por vuelta, reutilizando la caché de claves y valores. Sirve para modelos solo decodificador
y para codificador-decodificador, por lotes. `sequence_logprob` da la log-verosimilitud de una respuesta. Los
filtros sobre logits están en `utils.model.sampling` y se pueden importar también desde aquí. La búsqueda en
haz (*beam search*) está en `utils.model.beam`. No tokeniza y no llama a `model.eval()`: eso lo decide quien la usa.
"""

import torch
from torch import nn

from utils.course import env
from utils.model.positions import check_length
from utils.model.precision import at_least_float32
from utils.model.sampling import (
    apply_repetition_penalty,
    apply_temperature,
    probabilities,
    sample,
    top_k_filter,
    top_p_filter,
)

__all__ = [
    "apply_repetition_penalty", "apply_temperature", "check_batch", "check_room", "generate", "probabilities", "sample",
    "sequence_logprob", "special_ids", "token_positions", "top_k_filter", "top_p_filter",
]  # fmt: skip


def check_batch(input_ids: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
    """Devuelve la máscara (B, T); sin máscara se entiende que no hay relleno. `ValueError` si no encaja.

    >>> check_batch(torch.tensor([[3, 5]]), None).tolist()
    [[1, 1]]
    """
    if input_ids.dim() != 2 or input_ids.numel() == 0:
        raise ValueError(
            f"input_ids debe tener forma (B, T) con B, T >= 1 y tiene {tuple(input_ids.shape)}: "
            "tokeniza al menos un texto con return_tensors='pt'."
        )
    if attention_mask is None:
        return torch.ones_like(input_ids)
    if attention_mask.shape != input_ids.shape:
        raise ValueError(
            f"attention_mask {tuple(attention_mask.shape)} debe tener la forma de input_ids "
            f"{tuple(input_ids.shape)}: usa la máscara que devuelve el tokenizador."
        )
    if not attention_mask.any(dim=-1).all():
        raise ValueError("Hay una fila con la máscara toda a 0: quita del lote los textos vacíos.")
    return attention_mask


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


def token_positions(mask: torch.Tensor) -> torch.Tensor:
    """Posición de cada token sin contar el relleno de la izquierda. (B, T) -> (B, T)

    >>> token_positions(torch.tensor([[0, 0, 1, 1]])).tolist()
    [[0, 0, 0, 1]]
    """
    return (mask.long().cumsum(dim=-1) - 1).clamp(min=0)


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


@torch.no_grad()
def sequence_logprob(
    model: nn.Module, input_ids: torch.Tensor, attention_mask: torch.Tensor | None, labels: torch.Tensor
) -> torch.Tensor:
    """Log-verosimilitud, en nats, de una respuesta dado su prompt: suma de log p(token | anteriores), (B,).

    Solo decodificador: `input_ids` (B, T) es prompt + respuesta y `labels` (B, T) los mismos ids con -100 en
    el prompt y en el relleno. Codificador-decodificador: `input_ids` (B, T) es el prompt y `labels` (B, U) la
    respuesta, rellenada por la derecha con -100. Las respuestas largas suman más términos: para comparar las
    de distinta longitud, divide por `(labels != -100).sum(1)`. ValueError si alguna etiqueta no se puede
    predecir o una fila no tiene ninguna.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2)
    >>> sequence_logprob(LlamaForCausalLM(config).eval(), torch.tensor([[3, 5, 7]]), None,
    ...                  torch.tensor([[-100, -100, 7]])).shape
    torch.Size([1])
    """
    mask = check_batch(input_ids, attention_mask)
    scored = labels != -100  # (B, U)
    if labels.dim() != 2 or len(labels) != len(input_ids):
        raise ValueError(f"labels debe tener forma (B, U) con B = {len(input_ids)} y es {tuple(labels.shape)}.")
    if not scored.any(dim=-1).all():
        raise ValueError("Hay una fila sin ninguna etiqueta distinta de -100: no hay respuesta que medir.")
    check_room(model, mask)
    if model.config.is_encoder_decoder:
        if (scored[:, 1:] & ~scored[:, :-1]).any():
            raise ValueError("labels debe llevar la respuesta delante y el relleno (-100) solo a la derecha.")
        logits = model(input_ids=input_ids, attention_mask=mask, labels=labels).logits  # (B, U, V)
    else:
        if labels.shape != input_ids.shape:
            raise ValueError(f"labels {tuple(labels.shape)} debe tener la forma de input_ids {tuple(input_ids.shape)}.")
        has_context = torch.cat([torch.zeros_like(mask[:, :1]), mask[:, :-1]], dim=1).bool()  # (B, T)
        if (scored & ~has_context).any():
            raise ValueError(
                "Una etiqueta no tiene ningún token delante que la prediga: "
                "pon -100 en el primer token o antepón el de inicio."
            )
        output = model(input_ids=input_ids, attention_mask=mask, position_ids=token_positions(mask))
        # La posición t predice el token t + 1.
        logits, labels, scored = output.logits[:, :-1], labels[:, 1:], scored[:, 1:]  # (B, T - 1, V)
    logprobs = at_least_float32(logits).log_softmax(dim=-1)  # (B, U, V)
    picked = logprobs.gather(-1, labels.masked_fill(~scored, 0)[..., None]).squeeze(-1)  # (B, U)
    return picked.masked_fill(~scored, 0.0).sum(dim=-1)  # (B,)
