"""Preguntas de opción múltiple sin generar nada: gana la opción a la que el modelo da más probabilidad.

Cada opción se pega detrás de la pregunta y se suma el logaritmo de la probabilidad de sus tokens. Como una opción larga
suma más términos negativos, la suma se puede repartir entre sus caracteres, sus bytes o sus tokens. Las tres primeras
cuentas son las que LM Evaluation Harness llama `acc`, `acc_norm` y `acc_bytes`, y los números son los suyos.

Lo que NO hace: redactar el prompt (`utils.corpus.questions`), generar la respuesta ni aprovechar que las opciones de
una pregunta comparten principio: lo vuelve a leer con cada una.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from tqdm import tqdm
from transformers import PreTrainedModel

from utils.measure.stats import Interval, wilson
from utils.model.batching import IGNORE, attention_mask, length_batches, pad, to_device
from utils.model.logprobs import label_logprobs, token_logprobs

Norm = Literal["sum", "chars", "bytes", "tokens"]
#: Cómo llama LM Evaluation Harness (0.4.13) a cada cuenta; por tokens no la tiene.
HARNESS_NAMES = {"acc": "sum", "acc_norm": "chars", "acc_bytes": "bytes"}
DELIMITER = " "  # lo que separa la pregunta de la opción; no cuenta en la longitud


@dataclass(frozen=True)
class OptionScore:
    """Lo que el modelo da a una opción: la suma de log p de sus tokens, en nats, cuántos son y su texto.

    >>> score = OptionScore(logprob=-6.0, tokens=2, text="niño")
    >>> score.value("sum"), score.value("chars"), score.value("bytes"), score.value("tokens")
    (-6.0, -1.5, -1.2, -3.0)
    """

    logprob: float
    tokens: int
    text: str

    def __post_init__(self):
        if self.tokens < 1 or not self.text:
            raise ValueError(
                f"La opción «{self.text}» se queda en {self.tokens} tokens: sin tokens no hay nada que sumar."
            )

    def value(self, by: Norm = "sum") -> float:
        """La puntuación repartida entre caracteres, bytes de UTF-8 o tokens; con «sum», sin repartir."""
        sizes = {"sum": 1, "chars": len(self.text), "bytes": len(self.text.encode()), "tokens": self.tokens}
        if by not in sizes:
            raise ValueError(f"by es {by!r}: elige entre {', '.join(sizes)}.")
        return self.logprob / sizes[by]


def score_options(
    model: PreTrainedModel,
    tokenizer,
    contexts: Sequence[str],
    options: Sequence[Sequence[str]],
    *,
    batch_size: int = 32,
    delimiter: str = DELIMITER,
) -> list[list[OptionScore]]:
    """Puntúa las opciones de cada pregunta: `contexts[i]` es el prompt y `options[i]` sus posibles continuaciones.

    Sirve un modelo causal o un encoder-decoder, que lee el prompt en el encoder. El orden del resultado es el de la
    entrada y el relleno no lo cambia. `delimiter` va entre el prompt y la opción. ValueError si no hay una lista de
    opciones por prompt, si hay menos de dos o una vacía, o si no caben en el modelo. Fuente: Brown et al. (2020), §2.4.
    """
    _check(contexts, options)
    flat = [(context, delimiter + option) for context, row in zip(contexts, options, strict=True) for option in row]
    both = model.config.is_encoder_decoder
    encoded = [encode_pair(tokenizer, *pair, encoder_decoder=both) for pair in flat]
    _check_lengths(model, encoded)
    batches = length_batches([len(context) + len(ids) for context, ids in encoded], batch_size)
    logprobs = [0.0] * len(flat)
    model.eval()
    for batch in tqdm(batches, desc="puntuando", unit="lote", mininterval=1):
        found = (_seq2seq_logprobs if both else _causal_logprobs)(model, [encoded[i] for i in batch])
        for i, value in zip(batch, found, strict=True):
            logprobs[i] = value
    scored = iter(zip(logprobs, encoded, strict=True))
    result = []
    for row in options:
        group = [next(scored) for _ in row]
        result.append([OptionScore(p, len(ids), text) for (p, (_, ids)), text in zip(group, row, strict=True)])
    return result


def encode_pair(tokenizer, context: str, continuation: str, *, encoder_decoder: bool) -> tuple[list[int], list[int]]:
    """Los ids del prompt y los de su continuación, partidos como en LM Evaluation Harness.

    En un modelo causal se tokeniza todo junto y se corta donde acaba el prompt: tokenizar la opción por su cuenta daría
    otros tokens. Los espacios del final del prompt pasan a la continuación. En un encoder-decoder van por separado.
    """
    spaces = len(context) - len(context.rstrip())
    if spaces:
        context, continuation = context[:-spaces], context[-spaces:] + continuation
    context_ids = tokenizer.encode(context)
    if encoder_decoder:
        return context_ids, tokenizer.encode(continuation, add_special_tokens=False)
    return context_ids, tokenizer.encode(context + continuation)[len(context_ids) :]


def choose(scores: Sequence[Sequence[OptionScore]], by: Norm = "sum") -> list[int]:
    """El número de la opción con mejor puntuación de cada pregunta; en caso de empate, la primera.

    >>> row = [OptionScore(-4.0, 2, "sí"), OptionScore(-6.0, 6, "todavía no")]
    >>> choose([row], "sum"), choose([row], "chars")
    ([0], [1])
    """
    _check_rows(scores)
    return [max(range(len(row)), key=lambda i: row[i].value(by)) for row in scores]


def accuracy(predictions: Sequence[int], answers: Sequence[int], level: float = 0.95) -> Interval:
    """Fracción de aciertos con su intervalo de Wilson. ValueError si no hay una respuesta por predicción.

    >>> print(f"{accuracy([0, 1, 2, 3], [0, 1, 2, 0]):.2f}")
    0,75 [0,30; 0,95]
    """
    return wilson(sum(hits(predictions, answers)), len(answers), level)


def hits(predictions: Sequence[int], answers: Sequence[int]) -> list[int]:
    """Un 1 por acierto y un 0 por fallo, para comparar dos modelos con `stats.paired_bootstrap`.

    >>> hits([0, 1], [0, 2])
    [1, 0]
    """
    if len(predictions) != len(answers) or not len(answers):
        raise ValueError(
            f"Hay {len(predictions)} predicciones y {len(answers)} respuestas: debe haber una por pregunta."
        )
    return [int(p == a) for p, a in zip(predictions, answers, strict=True)]


def longest(options: Sequence[Sequence[str]]) -> list[int]:
    """La opción más larga de cada pregunta: lo que elegiría quien no supiera nada y se fiara del tamaño.

    >>> longest([["sí", "a veces", "no"]])
    [1]
    """
    _check_rows(options)
    return [max(range(len(row)), key=lambda i: len(row[i])) for row in options]


@torch.no_grad()
def _causal_logprobs(model: PreTrainedModel, batch: list[tuple[list[int], list[int]]]) -> list[float]:
    """Suma de log p de cada continuación. El relleno va a la derecha, donde un modelo causal no lo ve."""
    rows = [context + ids for context, ids in batch]
    labels = pad([[IGNORE] * len(context) + ids for context, ids in batch], IGNORE)  # (B, T)
    inputs = to_device({"input_ids": pad(rows, 0), "attention_mask": attention_mask(rows), "labels": labels}, model)
    labels = inputs.pop("labels")
    first = min(len(context) for context, _ in batch) - 1  # antes no hay ninguna opción: esos logits sobran
    kept = torch.arange(first, labels.shape[1] - 1, device=labels.device)  # (K,)
    logits = model(**inputs, logits_to_keep=kept).logits  # (B, K, V)
    return token_logprobs(logits, labels[:, first + 1 :]).double().sum(dim=1).tolist()  # (B,)


@torch.no_grad()
def _seq2seq_logprobs(model: PreTrainedModel, batch: list[tuple[list[int], list[int]]]) -> list[float]:
    """Lo mismo con el prompt en el encoder y la opción en el decoder."""
    contexts, options = zip(*batch, strict=True)
    inputs = {"input_ids": pad(contexts, 0), "attention_mask": attention_mask(contexts), "labels": pad(options, IGNORE)}
    return label_logprobs(model, **to_device(inputs, model)).double().sum(dim=1).tolist()  # (B,)


def _check(contexts: Sequence[str], options: Sequence[Sequence[str]]) -> None:
    if len(contexts) != len(options) or not len(contexts):
        raise ValueError(f"Hay {len(contexts)} prompts y {len(options)} listas de opciones: pasa una por prompt.")
    for i, (context, row) in enumerate(zip(contexts, options, strict=True)):
        if not context.strip():
            raise ValueError(f"El prompt número {i} está vacío: sin él no hay nada que condicione las opciones.")
        if isinstance(row, str) or len(row) < 2 or not all(option.strip() for option in row):
            raise ValueError(f"La pregunta número {i} necesita al menos dos opciones, y ninguna vacía.")


def _check_rows(rows: Sequence[Sequence]) -> None:
    if empty := [i for i, row in enumerate(rows) if not row]:
        raise ValueError(f"La pregunta número {empty[0]} no tiene opciones: no hay ninguna que elegir.")


def _check_lengths(model: PreTrainedModel, encoded: list[tuple[list[int], list[int]]]) -> None:
    if not all(context and ids for context, ids in encoded):
        raise ValueError(
            "Un prompt o una opción se queda sin tokens, y una opción que no suma nada ganaría siempre. ¿Se junta la "
            "opción con el final del prompt al tokenizar? Cambia delimiter."
        )
    limit = getattr(model.config, "max_position_embeddings", None)
    size = max(len(context) + len(ids) for context, ids in encoded)
    if limit and size > limit:
        raise ValueError(f"Un prompt con su opción ocupa {size} tokens y el modelo admite {limit}: acórtalo.")
