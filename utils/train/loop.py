"""El bucle de entrenamiento: lotes de longitud parecida, calentamiento, recorte del gradiente y puntos de control.

`train` lleva el bucle entero, con la pérdida que se le dé; `step` es un solo paso, para quien lleva el suyo: aprender
de recompensas o de un texto que no se acaba. Todo lo que decide el azar en `train` es función de (semilla, paso): qué
ejemplos van en cada lote, qué se tapa, qué neuronas se apagan. Por eso un entrenamiento cortado y reanudado da las
mismas pérdidas, hasta la última cifra.

Lo que NO hace: precisión mixta, varias GPU ni acumular gradientes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from utils.course.env import seed as default_seed
from utils.course.numerals import comma
from utils.model.batching import Batch, counted_labels, to_device
from utils.train.checkpoint import load_checkpoint, save_checkpoint
from utils.train.objectives import Example
from utils.train.schedule import Schedule

Objective = Callable[[list[Example], np.random.Generator], Batch]
#: De un modelo y un lote, ya en su dispositivo, a la pérdida que se deriva: un escalar.
Loss = Callable[[nn.Module, Batch], Tensor]
#: Cuántas cosas hay en un lote: etiquetas, tokens, parejas.
Counter = Callable[[Batch], int]
#: Los ejemplos se barajan, se toman 50 lotes y solo dentro de ellos se ordenan por longitud.
BUCKET_BATCHES = 50


@dataclass
class History:
    """Lo que pasó en el entrenamiento: una pérdida por paso y, si se pidió, la de validación de vez en cuando."""

    losses: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    tokens: int = 0  # tokens útiles, sin relleno
    seconds: float = 0.0

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds if self.seconds else 0.0


def epoch_batches(lengths: list[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Reparte los índices de una época en lotes de longitud parecida (*length bucketing*).

    Baraja, corta en grupos de 50 lotes, ordena cada grupo por longitud y vuelve a barajar los lotes. Los índices
    que no llenan un lote se quedan fuera de esta época.

    >>> sorted(sorted(batch) for batch in epoch_batches([3, 9, 3, 9], batch_size=2, seed=0, epoch=0))
    [[0, 2], [1, 3]]
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), batch_size * BUCKET_BATCHES):
        group = order[start : start + batch_size * BUCKET_BATCHES]
        group = sorted(group.tolist(), key=lambda i: lengths[i])
        batches += [group[i : i + batch_size] for i in range(0, len(group) - batch_size + 1, batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def model_loss(model: nn.Module, batch: Batch) -> Tensor:
    """La pérdida que calcula el propio modelo: los de transformers y `Pretraining` reciben las etiquetas y la dan."""
    return model(**batch).loss


def useful_tokens(batch: Batch) -> int:
    """Tokens de verdad de un lote: los de entrada sin relleno más los que cuentan en la pérdida."""
    return int(batch["attention_mask"].sum()) + counted_labels(batch)


def example_length(example: Example) -> int:
    """Lo que ocupa un ejemplo: sus `input_ids` o, si no hay unos solos, todas sus listas (una pareja de respuestas).

    >>> example_length({"input_ids": [4, 5], "labels": [6]}), example_length({"chosen": [4, 5], "rejected": [4]})
    (2, 3)
    """
    return len(example["input_ids"]) if "input_ids" in example else sum(map(len, example.values()))


def step(
    loss: Tensor,
    optimizer: torch.optim.Optimizer,
    number: int,
    schedule: Schedule | None = None,
    max_grad_norm: float = 1.0,
) -> float:
    """El paso número `number`, desde 0: deriva la pérdida, recorta el gradiente, mueve los pesos y olvida el gradiente.

    Sin `schedule`, la tasa de aprendizaje es la que tenga el optimizador. Devuelve la norma del gradiente antes del
    recorte. `ValueError`, sin haber movido nada, si la pérdida o el gradiente no son finitos.

    >>> w = torch.tensor([3.0], requires_grad=True)
    >>> step((w**2).sum(), torch.optim.SGD([w], lr=0.5), number=0), w.item()  # el gradiente, 6, se recorta a 1
    (6.0, 2.5)
    """
    if not torch.isfinite(loss):
        raise ValueError(f"La pérdida del paso {number} no es un número finito: baja la tasa de aprendizaje.")
    loss.backward()
    return apply_gradients(optimizer, number, schedule, max_grad_norm)


def apply_gradients(
    optimizer: torch.optim.Optimizer, number: int, schedule: Schedule | None = None, max_grad_norm: float = 1.0
) -> float:
    """Lo que `step` hace después de derivar: para quien ya tiene el gradiente en `.grad`, como al acumularlo."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    norm = float(nn.utils.clip_grad_norm_(parameters, max_grad_norm))
    if not math.isfinite(norm):
        optimizer.zero_grad(set_to_none=True)
        raise ValueError(f"El gradiente del paso {number} no es finito: baja la tasa de aprendizaje.")
    if schedule:
        schedule.set(number)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm


def train(
    model: nn.Module,
    examples: list[Example],
    objective: Objective,
    *,
    steps: int,
    batch_size: int,
    optimizer: torch.optim.Optimizer,
    warmup: int = 0,
    max_grad_norm: float = 1.0,
    seed: int | None = None,
    loss: Loss = model_loss,
    counted: Counter = counted_labels,
    tokens: Counter = useful_tokens,
    validation: list[Example] | None = None,
    validate_every: int = 100,
    checkpoint: Path | None = None,
    checkpoint_every: int = 200,
    description: str = "entrenando",
) -> History:
    """Entrena `model` durante `steps` pasos y lo deja en modo evaluación. Devuelve la historia.

    Con `checkpoint` guarda el estado cada `checkpoint_every` pasos en esa carpeta y, si ya hay uno, sigue desde él.
    La tasa de aprendizaje máxima es la del optimizador. `loss` es lo que se deriva; `counted`, de cuántas cosas es la
    media en un lote (etiquetas o, con preferencias, parejas); `tokens`, los que se apuntan en la historia. Lanza
    `ValueError` si no hay ejemplos para un lote, si en uno no hay nada que aprender o si la pérdida o el gradiente
    dejan de ser finitos.
    """
    if len(examples) < batch_size:
        raise ValueError(f"Hay {len(examples)} ejemplos y el lote pide {batch_size}: baja batch_size o añade datos.")
    seed = default_seed() if seed is None else seed
    lengths = [example_length(example) for example in examples]
    schedule = Schedule(optimizer, steps, warmup)
    history, first = History(), 0
    torch.manual_seed(seed)
    if checkpoint and (found := load_checkpoint(checkpoint, model, optimizer)):
        first, history = found[0], History(**found[1])

    model.train()
    per_epoch = len(epoch_batches(lengths, batch_size, seed, 0))
    bar = tqdm(range(first, steps), initial=first, total=steps, desc=description, unit="paso", mininterval=1)
    started = time.perf_counter() - history.seconds
    for number in bar:
        epoch, position = divmod(number, per_epoch)
        if position == 0 or number == first:
            batches = epoch_batches(lengths, batch_size, seed, epoch)
        batch = objective([examples[i] for i in batches[position]], np.random.default_rng([seed, number, 1]))
        if not counted(batch):
            raise ValueError(
                f"En el lote del paso {number} no cuenta ninguna etiqueta, así que no hay nada que aprender: ¿ocupa el "
                "prompt el ejemplo entero, o son textos de un solo token? Quítalos o acorta los prompts."
            )
        value = loss(model, to_device(batch, model))
        step(value, optimizer, number, schedule, max_grad_norm)

        history.losses.append(value.item())
        history.tokens += tokens(batch)
        bar.set_postfix_str(f"pérdida {comma(np.mean(history.losses[-20:]), '.3f')}", refresh=False)
        done = number + 1
        if validation and (done % validate_every == 0 or done == steps):
            measured = evaluate_loss(model, validation, objective, batch_size, loss, counted)
            history.validation.append((done, measured))
            model.train()
        history.seconds = time.perf_counter() - started
        if checkpoint and (done % checkpoint_every == 0 or done == steps):
            save_checkpoint(checkpoint, model, optimizer, done, asdict(history))
    model.eval()
    return history


@torch.no_grad()
def evaluate_loss(
    model: nn.Module,
    examples: list[Example],
    objective: Objective,
    batch_size: int,
    loss: Loss = model_loss,
    counted: Counter = counted_labels,
) -> float:
    """Pérdida media por token de etiqueta, en nats, con el modelo en modo evaluación (sin dropout).

    Con otra `loss`, la media es por cada cosa de las que cuenta `counted`. Un ejemplo sin etiquetas que cuenten no pesa
    nada. Error si no hay ejemplos o no cuenta ninguna etiqueta.
    """
    if not examples:
        raise ValueError("No hay ejemplos con los que medir la pérdida.")
    model.eval()
    order = sorted(range(len(examples)), key=lambda i: example_length(examples[i]))
    total, count = 0.0, 0
    for start in range(0, len(order), batch_size):
        batch = objective([examples[i] for i in order[start : start + batch_size]], np.random.default_rng(start))
        if not (labels := counted(batch)):  # la media de ninguna sería NaN
            continue
        total += loss(model, to_device(batch, model)).item() * labels
        count += labels
    if not count:
        raise ValueError(f"En los {len(examples)} ejemplos no cuenta ninguna etiqueta: no hay pérdida que medir.")
    return total / count
