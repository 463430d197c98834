"""Cuánto se mueve un paso: la tasa de aprendizaje a lo largo del entrenamiento y el recorte del gradiente.

Lo que NO hace: decidir la tasa máxima (eso se prueba) ni mover los parámetros (`utils.train.optim`; el paso entero, con
un optimizador de torch, es `utils.train.loop.step`).
"""

import math
from collections.abc import Callable, Iterable

import torch


def learning_rate_factor(step: int, total: int, warmup: int) -> float:
    """Por cuánto se multiplica la tasa de aprendizaje: sube en línea recta y baja como un coseno.

    `step` empieza en 0. Es `get_cosine_schedule_with_warmup` de transformers con una diferencia: allí el primer paso
    lleva tasa 0 y no mueve nada; aquí el calentamiento va un paso por delante y el primero ya cuenta. Fuente: el
    coseno es de Loshchilov y Hutter (2017), ecuación 5, sin reinicios.

    >>> [round(learning_rate_factor(s, total=10, warmup=2), 2) for s in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * progress))


def wsd_factor(step: int, total: int, warmup: int, decay: float = 0.2) -> float:
    """Otra forma: sube en línea recta, se queda arriba y baja en línea recta a cero en la última parte (`decay`).

    En inglés, *warmup-stable-decay*. Hasta que empieza a bajar no depende de `total`: cuánto se entrena se decide sobre
    la marcha. Fuente: Hu et al. (2024), sección 4; la bajada recta, de Hägele et al. (2024).

    >>> [round(wsd_factor(s, total=10, warmup=2), 2) for s in (0, 1, 2, 7, 8, 9, 10)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (total - step) / max(1.0, decay * total))


class Schedule:
    """La tasa de un optimizador de torch durante `total` pasos: la que tenía cada grupo, por `factor(paso)`.

    `factor` es `learning_rate_factor` o `wsd_factor`.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
    >>> schedule = Schedule(optimizer, total=10, warmup=2)
    >>> schedule.set(0), optimizer.param_groups[0]["lr"]
    (None, 0.4)
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        total: int,
        warmup: int,
        factor: Callable[[int, int, int], float] = learning_rate_factor,
    ):
        self.optimizer, self.total, self.warmup, self.factor = optimizer, total, warmup, factor
        self.peaks = [group["lr"] for group in optimizer.param_groups]

    def set(self, step: int) -> None:
        """Pone la tasa del paso `step`, que empieza en 0."""
        factor = self.factor(step, self.total, self.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor


@torch.no_grad()
def clip_gradients(parameters: Iterable[torch.Tensor], max_norm: float) -> float:
    """Encoge todos los gradientes por igual si su norma conjunta pasa de `max_norm`. Devuelve la norma que tenían.

    La norma es la de todos los gradientes puestos en un solo vector: así se conserva la dirección del paso. Los
    parámetros sin gradiente se saltan, y uno repetido cuenta una vez. Error si `max_norm` no es positivo o si algún
    gradiente no es finito. Fuente: Pascanu et al. (2013), algoritmo 1; la suma de 1e-6 es la de torch.

    >>> w = torch.zeros(2, requires_grad=True); w.grad = torch.tensor([3.0, 4.0])
    >>> clip_gradients([w], max_norm=1.0), [round(g, 3) for g in w.grad.tolist()]
    (5.0, [0.6, 0.8])
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm debe ser positivo y es {max_norm}: para no recortar, no llames a esta función.")
    gradients = [p.grad for p in dict.fromkeys(parameters) if p.grad is not None]
    norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))
    if not math.isfinite(norm):
        raise ValueError(
            "Hay un gradiente que no es finito: mira si la pérdida lo es y si en el lote cuenta alguna etiqueta."
        )
    if (factor := max_norm / (norm + 1e-6)) < 1:
        for g in gradients:
            g.mul_(factor)
    return norm
