"""Un modelo de juez: qué respuesta prefiere entre dos, sin generar nada, y si su veredicto depende del orden.

El juez lee la pregunta y dos respuestas, A y B, y se compara la probabilidad que da a cada letra. Cada pareja se juzga
dos veces, con las respuestas en los dos órdenes: un juez honrado elige la misma respuesta; uno con sesgo de posición,
la misma letra. La media de los dos órdenes cancela ese sesgo. Fuente: Zheng et al. (2023), «Judging LLM-as-a-Judge
with MT-Bench and Chatbot Arena», secciones 3.3 y 3.4.

Lo que NO hace: pedir razones al juez, leer veredictos escritos, admitir un empate como respuesta ni saber quién tiene
razón: para eso hacen falta parejas con la respuesta buena conocida.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm
from transformers import PreTrainedModel

from utils.measure.stats import Interval, bootstrap, wilson
from utils.model.batching import attention_mask, length_batches, pad, to_device, token_positions

TEMPLATE = "Question: {question}\nA: {a}\nB: {b}\nThe best answer is"
LABELS = (" A", " B")


@dataclass(frozen=True)
class Verdicts:
    """Los veredictos de un juez sobre N parejas de respuestas (x, y), cada una en los dos órdenes.

    `first` (N,) es log p(A) - log p(B), en nats, con x en A; `second` (N,), lo mismo con y en A. Positivo es que elige
    la letra A. ValueError si no miden lo mismo o no son números.

    >>> biased = Verdicts([3.0, 2.5], [2.0, 1.5])  # siempre A
    >>> biased.consistency().estimate, biased.first_position().estimate, biased.win_rate().estimate
    (0.0, 1.0, 0.5)
    >>> biased.preference.tolist(), biased.bias.tolist()
    ([0.5, 0.5], [2.5, 2.0])
    """

    first: np.ndarray
    second: np.ndarray

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        if self.first.shape != self.second.shape or self.first.ndim != 1 or not len(self.first):
            raise ValueError("Cada pareja se juzga dos veces: first y second deben ser dos listas igual de largas.")
        if not np.isfinite([self.first, self.second]).all():
            raise ValueError("Hay un veredicto que no es un número: mira qué prompt lo da.")

    @property
    def preference(self) -> np.ndarray:
        """Cuánto prefiere el juez x a y, en nats, una vez descontado el orden: (N,)."""
        return (self.first - self.second) / 2

    @property
    def bias(self) -> np.ndarray:
        """Lo que gana una respuesta por estar en A, en nats: (N,). Cero en un juez sin sesgo."""
        return (self.first + self.second) / 2

    def consistency(self) -> Interval:
        """Fracción de parejas en que gana la misma respuesta en los dos órdenes."""
        return wilson(int(((self.first > 0) == (self.second < 0)).sum()), len(self.first))

    def first_position(self) -> Interval:
        """Fracción de los 2N veredictos que eligen A, con el intervalo por parejas; sin sesgo, 0,5."""
        return bootstrap(((self.first > 0).astype(float) + (self.second > 0)) / 2)

    def win_rate(self) -> Interval:
        """Tasa de victorias de x: 1 si gana en los dos órdenes, 0 si en ninguno y 0,5 si depende del orden.

        Es también la media de lo que sale al juzgar una vez con el orden al azar.
        """
        return bootstrap(((self.first > 0).astype(float) + (self.second < 0)) / 2)

    def debiased_win_rate(self) -> Interval:
        """Tasa de victorias de x cuando se promedian los dos órdenes antes de decidir."""
        return wilson(int((self.preference > 0).sum()), len(self.first))


def judge_pairs(
    model: PreTrainedModel,
    tokenizer,
    questions: Sequence[str],
    x: Sequence[str],
    y: Sequence[str],
    *,
    template: str = TEMPLATE,
    labels: tuple[str, str] = LABELS,
    batch_size: int = 32,
) -> Verdicts:
    """Juzga N parejas en los dos órdenes. `template` lleva los huecos {question}, {a} y {b}.

    ValueError si no hay una pareja de respuestas por pregunta, falta un hueco o una letra ocupa más de un token.
    """
    if not len(questions) == len(x) == len(y) or not len(questions):
        raise ValueError(f"Hay {len(questions)} preguntas, {len(x)} y {len(y)} respuestas: debe haber una de cada.")
    if not all(f"{{{slot}}}" in template for slot in ("question", "a", "b")):
        raise ValueError("A la plantilla le falta un hueco: debe llevar {question}, {a} y {b}.")
    pairs = [*zip(questions, x, y, strict=True), *zip(questions, y, x, strict=True)]
    prompts = [template.format(question=question, a=a, b=b) for question, a, b in pairs]
    margins = label_margins(model, tokenizer, prompts, labels, batch_size=batch_size)  # (2N,)
    return Verdicts(margins[: len(questions)], margins[len(questions) :])


@torch.no_grad()
def label_margins(
    model: PreTrainedModel, tokenizer, prompts: Sequence[str], labels: tuple[str, str] = LABELS, *, batch_size: int = 32
) -> np.ndarray:
    """Cuánto más probable es la primera letra que la segunda tras cada prompt: log p(A) - log p(B), en nats, (N,).

    Basta una pasada: la diferencia de log-probabilidades es la de logits. El relleno va a la izquierda, para que el
    último token de todos sea la última columna, y no cambia el resultado. Deja el modelo en modo evaluación.
    """
    first, second = (_single_token(tokenizer, label) for label in labels)
    if first == second:
        raise ValueError(f"Las letras {labels} son el mismo token: deben ser dos tokens distintos.")
    rows = [tokenizer.encode(prompt) for prompt in prompts]
    margins = np.zeros(len(rows))
    model.eval()
    for batch in tqdm(length_batches([len(row) for row in rows], batch_size), desc="juzgando", mininterval=1):
        chosen = [rows[i] for i in batch]
        ids, mask = pad(chosen, 0, side="left"), attention_mask(chosen, side="left")  # (B, T)
        inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": token_positions(mask)}
        logits = model(**to_device(inputs, model), logits_to_keep=1).logits[:, -1].float()  # (B, V)
        margins[batch] = (logits[:, first] - logits[:, second]).cpu().numpy()
    return margins


def _single_token(tokenizer, label: str) -> int:
    """El id de una letra. Algunos tokenizadores ponen ellos el espacio de delante: entonces se les quita."""
    for form in (label, label.strip()):
        ids = tokenizer.encode(form, add_special_tokens=False)
        if len(ids) == 1:
            return ids[0]
    raise ValueError(f"La letra {label!r} ocupa más de un token en este tokenizador: elige otra de uno solo.")
