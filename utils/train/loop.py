"""El bucle de entrenamiento: lotes de longitud parecida, calentamiento, recorte del gradiente y puntos de control.

Todo lo que decide el azar es función de (semilla, paso): qué ejemplos van en cada lote, qué se tapa, qué neuronas
se apagan. Por eso un entrenamiento cortado y reanudado da las mismas pérdidas, hasta la última cifra.

Lo que NO hace: precisión mixta, varias GPU ni acumular gradientes.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from utils.course.env import seed as default_seed
from utils.course.numerals import number
from utils.train.checkpoint import load_checkpoint, save_checkpoint
from utils.train.objectives import Batch, Example, counted_labels
from utils.train.schedule import learning_rate_factor

Objective = Callable[[list[Example], np.random.Generator], Batch]
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
    validation: list[Example] | None = None,
    validate_every: int = 100,
    checkpoint: Path | None = None,
    checkpoint_every: int = 200,
    description: str = "entrenando",
) -> History:
    """Entrena `model` durante `steps` pasos y lo deja en modo evaluación. Devuelve la historia.

    Con `checkpoint` guarda el estado cada `checkpoint_every` pasos en esa carpeta y, si ya hay uno, sigue desde él.
    La tasa de aprendizaje máxima es la del optimizador. Lanza `ValueError` si no hay ejemplos para un lote, si en un
    lote no hay nada que aprender o si la pérdida deja de ser un número finito.
    """
    if len(examples) < batch_size:
        raise ValueError(f"Hay {len(examples)} ejemplos y el lote pide {batch_size}: baja batch_size o añade datos.")
    seed = default_seed() if seed is None else seed
    lengths = [len(example["input_ids"]) for example in examples]
    peak_rates = [group["lr"] for group in optimizer.param_groups]
    history, first = History(), 0
    torch.manual_seed(seed)
    if checkpoint and (found := load_checkpoint(checkpoint, model, optimizer)):
        first, history = found[0], History(**found[1])

    model.train()
    per_epoch = len(epoch_batches(lengths, batch_size, seed, 0))
    bar = tqdm(range(first, steps), initial=first, total=steps, desc=description, unit="paso", mininterval=1)
    started = time.perf_counter() - history.seconds
    for step in bar:
        epoch, position = divmod(step, per_epoch)
        if position == 0 or step == first:
            batches = epoch_batches(lengths, batch_size, seed, epoch)
        batch = objective([examples[i] for i in batches[position]], np.random.default_rng([seed, step, 1]))
        if not counted_labels(batch):
            raise ValueError(
                f"En el lote del paso {step} no cuenta ninguna etiqueta, así que no hay nada que aprender: ¿ocupa el "
                "prompt el ejemplo entero, o son textos de un solo token? Quítalos o acorta los prompts."
            )
        for group, peak in zip(optimizer.param_groups, peak_rates, strict=True):
            group["lr"] = peak * learning_rate_factor(step, steps, warmup)

        loss = model(**to_device(batch, model)).loss
        if not torch.isfinite(loss):
            raise ValueError(f"La pérdida del paso {step} no es un número finito: baja la tasa de aprendizaje.")
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        history.losses.append(loss.item())
        history.tokens += useful_tokens(batch)
        bar.set_postfix_str(f"pérdida {number(np.mean(history.losses[-20:]), 3)}", refresh=False)
        done = step + 1
        if validation and (done % validate_every == 0 or done == steps):
            history.validation.append((done, evaluate_loss(model, validation, objective, batch_size)))
            model.train()
        history.seconds = time.perf_counter() - started
        if checkpoint and (done % checkpoint_every == 0 or done == steps):
            save_checkpoint(checkpoint, model, optimizer, done, asdict(history))
    model.eval()
    return history


@torch.no_grad()
def evaluate_loss(model: nn.Module, examples: list[Example], objective: Objective, batch_size: int) -> float:
    """Pérdida media por token de etiqueta, en nats, con el modelo en modo evaluación (sin dropout).

    Un ejemplo sin etiquetas que cuenten no pesa nada. Error si no hay ejemplos o no cuenta ninguna etiqueta.
    """
    if not examples:
        raise ValueError("No hay ejemplos con los que medir la pérdida.")
    model.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]["input_ids"]))
    total, count = 0.0, 0
    for start in range(0, len(order), batch_size):
        batch = objective([examples[i] for i in order[start : start + batch_size]], np.random.default_rng(start))
        if not (labels := counted_labels(batch)):  # la media de ninguna sería NaN
            continue
        total += model(**to_device(batch, model)).loss.item() * labels
        count += labels
    if not count:
        raise ValueError(f"En los {len(examples)} ejemplos no cuenta ninguna etiqueta: no hay pérdida que medir.")
    return total / count


def to_device(batch: Batch, model: nn.Module) -> Batch:
    """Lleva el lote al dispositivo del modelo."""
    device = next(model.parameters()).device
    return {name: tensor.to(device) for name, tensor in batch.items()}


def useful_tokens(batch: Batch) -> int:
    """Tokens de verdad de un lote: los de entrada sin relleno más los que cuentan en la pérdida."""
    return int(batch["attention_mask"].sum()) + counted_labels(batch)
