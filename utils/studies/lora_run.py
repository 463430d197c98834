"""Ajustar una copia de un modelo, entero o con LoRA, con la misma receta: para comparar una cosa con otra.

La usan el lab 13, que ajusta a la vista del lector, y `scripts/run_lora.py`, que apunta los ajustes que no caben en él.
Todo lo que decide el azar sale de la semilla, así que el mismo ajuste se puede repetir y comparar con lo apuntado.

Lo que NO hace: elegir la tasa de aprendizaje ni puntuar el modelo.
"""

from copy import deepcopy

import torch
from torch import nn

from utils.course.env import seed as default_seed
from utils.train.loop import History, Objective, train
from utils.train.objectives import Example
from utils.train.optim import trainable
from utils.tune.lora import LoRAConfig, add_lora


def tune(
    base: nn.Module,
    examples: list[Example],
    objective: Objective,
    *,
    lora: LoRAConfig | None,
    learning_rate: float,
    steps: int,
    batch_size: int,
    warmup: int = 10,
    seed: int | None = None,
    name: str = "default",
) -> tuple[nn.Module, History]:
    """Copia `base`, ajusta la copia y la devuelve con su historia. Con `lora=None` se mueven todos los pesos.

    `name` es el nombre del adaptador. El optimizador es AdamW sin reducción de pesos. Los errores son los de `add_lora`
    y los de `train`.
    """
    seed = default_seed() if seed is None else seed
    model = deepcopy(base)
    torch.manual_seed(seed)  # A se sortea aquí
    if lora is None:
        model.requires_grad_(True)
    else:
        add_lora(model, lora, name)
    optimizer = torch.optim.AdamW(trainable(model.parameters()), lr=learning_rate, weight_decay=0.0)
    history = train(
        model, examples, objective, steps=steps, batch_size=batch_size, optimizer=optimizer, warmup=warmup, seed=seed,
        description="ajuste completo" if lora is None else f"LoRA, rango {lora.rank}",
    )  # fmt: skip
    return model, history
