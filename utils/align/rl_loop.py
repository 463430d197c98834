"""El bucle de aprender por refuerzo: prompts barajados, una vuelta tras otra, con su historia y sus puntos de control.

PPO y GRPO dan cada uno su vuelta (`ppo_iteration`, `grpo_iteration`); aquí está lo que comparten. El azar de una vuelta
es función de (semilla, número de vuelta), así que un entrenamiento cortado y reanudado da la misma curva.

Lo que NO hace: decidir cuándo parar. Se para por el número de vueltas o mirando, fuera, una medida que no se optimiza.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from utils.course.env import seed as default_seed
from utils.train.checkpoint import load_checkpoint, save_checkpoint

#: Lo que se apunta de una vuelta: nota media, KL por respuesta, tokens...
Row = dict[str, float]
#: De unos prompts, en listas de ids, y una semilla, a lo que ha pasado. Cambia la política.
Iteration = Callable[[list[list[int]], int], Row]


def iteration_prompts(prompts: Sequence[list[int]], batch_size: int, seed: int, number: int) -> list[list[int]]:
    """Los prompts de la vuelta `number`: cada época los recorre todos una vez, barajados, salvo los que no llenan lote.

    >>> sorted(row for i in range(3) for row in iteration_prompts([[4], [5], [6]], 1, seed=0, number=i))
    [[4], [5], [6]]
    """
    if not 1 <= batch_size <= len(prompts):
        raise ValueError(f"Hay {len(prompts)} prompts y el lote pide {batch_size}: baja batch_size o añade prompts.")
    epoch, place = divmod(number, len(prompts) // batch_size)
    order = np.random.default_rng([seed, epoch]).permutation(len(prompts))
    return [prompts[i] for i in order[place * batch_size : (place + 1) * batch_size]]


def learn(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    prompts: Sequence[list[int]],
    iteration: Iteration,
    *,
    steps: int,
    batch_size: int,
    seed: int | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int = 10,
    description: str = "aprendiendo",
) -> list[Row]:
    """Da `steps` vueltas y devuelve lo que apunta cada una. `model` y `optimizer` son los que mueve `iteration`.

    Con `checkpoint` guarda el estado cada `checkpoint_every` vueltas en esa carpeta y, si ya hay uno, sigue desde él.
    """
    seed = default_seed() if seed is None else seed
    rows, first = [], 0
    if checkpoint and (found := load_checkpoint(checkpoint, model, optimizer)):
        first, rows = found[0], found[1]["rows"]
    for number in tqdm(range(first, steps), initial=first, total=steps, desc=description, unit="vuelta", mininterval=1):
        draw = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        rows.append(iteration(iteration_prompts(prompts, batch_size, seed, number), draw))
        if checkpoint and ((number + 1) % checkpoint_every == 0 or number + 1 == steps):
            save_checkpoint(checkpoint, model, optimizer, number + 1, {"rows": rows})
    return rows
