"""Log-probabilidades: lo que un modelo da a cada token de un texto, a cada respuesta entera y cuánto duda.

De los logits a log p de cada etiqueta (`token_logprobs`) y a la entropía (`token_entropies`); de un valor por token a
uno por fila (`sequence_sum`, `sequence_mean`). `label_logprobs` pasa además el lote por un modelo de transformers. Todo
se puede derivar, así que con esto se miden textos y se entrenan modelos: entropía cruzada, DPO, PPO, GRPO. Qué cuenta
lo dicen las etiquetas: `IGNORE` en el prompt y en el relleno.

La softmax solo se calcula donde hay algo que cuenta, y en 32 bits como poco: lo demás no gasta memoria.

Lo que NO hace: elegir entre media y suma por quien la llama, ni pasar el modelo a modo evaluación.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.model.batching import IGNORE, check_batch, token_positions
from utils.model.decoding import check_room
from utils.model.precision import at_least_float32


def token_logprobs(logits: Tensor, labels: Tensor) -> Tensor:
    """log p de cada etiqueta, en nats, y 0 en lo que no cuenta: logits (B, T, V) y labels (B, T) -> (B, T).

    La etiqueta de cada casilla es el token que predicen los logits de esa misma casilla: en un modelo causal,
    `logits[:, :-1]` y `ids[:, 1:]`. El resultado es float32 o, si los logits lo son, float64. Error si las formas no
    encajan o una etiqueta no es ni un id del vocabulario ni -100.

    >>> token_logprobs(torch.zeros(1, 2, 4), torch.tensor([[3, -100]])).tolist()  # a ciegas entre 4: -ln 4
    [[-1.3862943649291992, 0.0]]
    """
    logprobs, counted = _log_softmax(logits, labels)  # (N, V), (B, T)
    return _place(logprobs.gather(-1, labels[counted][:, None]).squeeze(-1), counted)  # (B, T)


def token_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """Entropía de la distribución de cada casilla que cuenta, en nats, y 0 en las demás: (B, T, V) -> (B, T).

    Va de 0, cuando el modelo está seguro, a ln V. Las etiquetas solo dicen dónde medir. Los errores son los de
    `token_logprobs`.

    >>> token_entropies(torch.zeros(1, 2, 4), torch.tensor([[3, -100]])).tolist()
    [[1.3862943649291992, 0.0]]
    """
    logprobs, counted = _log_softmax(logits, labels)  # (N, V), (B, T)
    finite = logprobs.clamp(min=torch.finfo(logprobs.dtype).min)  # un token prohibido tiene log p = -inf: suma 0
    return _place(-(logprobs.exp() * finite).sum(-1), counted)  # (B, T)


def sequence_sum(values: Tensor, counted: Tensor) -> Tensor:
    """Suma por fila de lo que cuenta: (B, T) y máscara booleana (B, T) -> (B,). Error si en una fila no cuenta nada.

    Con log p de cada token, es log p de la respuesta entera; una larga suma más términos negativos.

    >>> sequence_sum(torch.tensor([[-1.0, -3.0, 9.0]]), torch.tensor([[True, True, False]])).tolist()
    [-4.0]
    """
    if not counted.any(dim=-1).all():
        raise ValueError("Hay una fila en la que no cuenta ningún token: no hay respuesta que medir.")
    return values.masked_fill(~counted, 0.0).sum(dim=-1)  # (B,)


def sequence_mean(values: Tensor, counted: Tensor) -> Tensor:
    """Media por fila de lo que cuenta, para comparar respuestas de distinta longitud. Lo demás, como `sequence_sum`.

    >>> sequence_mean(torch.tensor([[-1.0, -3.0, 9.0]]), torch.tensor([[True, True, False]])).tolist()
    [-2.0]
    """
    return sequence_sum(values, counted) / counted.sum(dim=-1)  # (B,)


def label_logprobs(model: nn.Module, input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor) -> Tensor:
    """log p de cada etiqueta según un modelo de transformers, en su casilla: la forma de `labels`, 0 si no cuenta.

    Solo decodificador: `input_ids` (B, T) es prompt + respuesta y `labels` (B, T) los mismos ids con -100 en el prompt
    y en el relleno, esté en el lado que esté. Codificador-decodificador: `input_ids` (B, T) es el prompt y `labels`
    (B, U) la respuesta, rellenada por la derecha con -100. ValueError si una etiqueta no se puede predecir, si las
    formas no encajan o si el texto no cabe en el modelo.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2)
    >>> label_logprobs(LlamaForCausalLM(config), torch.tensor([[3, 5, 7]]), None, torch.tensor([[-100, 5, 7]])).shape
    torch.Size([1, 3])
    """
    mask = check_batch(input_ids, attention_mask)
    scored = labels != IGNORE  # (B, U)
    if labels.dim() != 2 or len(labels) != len(input_ids):
        raise ValueError(f"labels debe tener forma (B, U) con B = {len(input_ids)} y es {tuple(labels.shape)}.")
    check_room(model, mask)
    if model.config.is_encoder_decoder:
        if (scored[:, 1:] & ~scored[:, :-1]).any():
            raise ValueError("labels debe llevar la respuesta delante y el relleno (-100) solo a la derecha.")
        return token_logprobs(model(input_ids=input_ids, attention_mask=mask, labels=labels).logits, labels)
    if labels.shape != input_ids.shape:
        raise ValueError(f"labels {tuple(labels.shape)} debe tener la forma de input_ids {tuple(input_ids.shape)}.")
    if (scored & ~F.pad(mask[:, :-1], (1, 0)).bool()).any():
        raise ValueError(
            "Una etiqueta no tiene ningún token delante que la prediga: "
            "pon -100 en el primer token o antepón el de inicio."
        )
    logits = model(input_ids=input_ids, attention_mask=mask, position_ids=token_positions(mask)).logits  # (B, T, V)
    return F.pad(token_logprobs(logits[:, :-1], labels[:, 1:]), (1, 0))  # (B, T): la casilla t predice el token t + 1


@torch.no_grad()
def sequence_logprob(model: nn.Module, input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor) -> Tensor:
    """Log-verosimilitud, en nats, de una respuesta dado su prompt: suma de log p(token | anteriores), (B,).

    Solo mide: no guarda nada para derivar. Las entradas y los errores son los de `label_logprobs`, y el de una fila sin
    ninguna etiqueta. Las respuestas largas suman más términos: para comparar las de distinta longitud, divide por
    `(labels != -100).sum(1)`.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2)
    >>> sequence_logprob(LlamaForCausalLM(config).eval(), torch.tensor([[3, 5, 7]]), None,
    ...                  torch.tensor([[-100, -100, 7]])).shape
    torch.Size([1])
    """
    return sequence_sum(label_logprobs(model, input_ids, attention_mask, labels), labels != IGNORE)


def _log_softmax(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Las log-probabilidades de las casillas que cuentan, (N, V), y cuáles son, (B, T)."""
    if logits.shape[:-1] != labels.shape:
        raise ValueError(
            f"A los logits {tuple(logits.shape)} les corresponden etiquetas {tuple(logits.shape[:-1])} "
            f"y hay {tuple(labels.shape)}: una por posición."
        )
    counted = labels != IGNORE  # (B, T)
    if ((labels < 0) & counted | (labels >= logits.shape[-1])).any():
        raise ValueError(f"Hay una etiqueta fuera del vocabulario: los ids van de 0 a {logits.shape[-1] - 1}.")
    return at_least_float32(logits[counted]).log_softmax(dim=-1), counted  # (N, V), (B, T)


def _place(values: Tensor, counted: Tensor) -> Tensor:
    """Los N valores, cada uno en su casilla, y 0 en las demás: (N,) -> (B, T)."""
    placed = values.new_zeros(counted.shape)  # (B, T)
    placed[counted] = values
    return placed
