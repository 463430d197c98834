"""Repartir un modelo que no cabe en una máquina: sus matrices (*tensor parallel*) o sus capas (*pipeline*).

Las matrices: la primera de una red de dos se corta por columnas y la segunda por filas, de modo que entre las dos no
hay que hablar y al final basta una suma (Shoeybi et al., 2019, sección 3). Las capas: cada proceso tiene las suyas y
pasa el resultado al siguiente; para que no estén casi siempre parados, el lote se parte en micro-lotes (Huang et al.,
2019, GPipe).

Lo que NO hace: cortar la atención por cabezas (es lo mismo: cada proceso, las suyas), solapar comunicación y cálculo,
otros turnos de la tubería (1F1B está en `utils.parallel.turns`), ni sumar los gradientes de una matriz que compartan
dos etapas.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from utils.parallel.collectives import Traffic, all_reduce


class _Copy(torch.autograd.Function):
    """Hacia delante, nada: todos tienen la misma x. Hacia atrás, suma los gradientes de todos (f en Megatron)."""

    @staticmethod
    def forward(context, x, traffic):
        context.traffic = traffic
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient):
        return all_reduce(gradient.flatten(), context.traffic).view_as(gradient), None


class _Sum(torch.autograd.Function):
    """Hacia delante, suma las partes de todos. Hacia atrás, nada: el gradiente es el mismo (g en Megatron)."""

    @staticmethod
    def forward(context, part, traffic):
        return all_reduce(part.flatten(), traffic).view_as(part)

    @staticmethod
    def backward(context, gradient):
        return gradient, None


class TensorParallelMLP(nn.Module):
    """gelu(x W₁) W₂ con las dos matrices repartidas: cada proceso tiene F / n columnas de W₁ y sus filas de W₂.

    Se construye con las matrices enteras, `first` (F, D) y `second` (D, F), como las guarda `nn.Linear`, y se queda con
    su parte. `x` (B, T, D) es la misma en todos los procesos, y la salida (B, T, D), también. `ValueError` si F no se
    reparte. La gelu se puede aplicar por partes porque actúa número a número; con el corte al revés no se podría.
    """

    def __init__(self, first: Tensor, second: Tensor, traffic: Traffic):
        super().__init__()
        rank, ranks = dist.get_rank(), dist.get_world_size()
        if len(first) % ranks:
            raise ValueError(f"Las {len(first)} columnas no se reparten entre {ranks} procesos: usa un múltiplo.")
        self.first = nn.Parameter(first.chunk(ranks, dim=0)[rank].clone())  # (F / n, D)
        self.second = nn.Parameter(second.chunk(ranks, dim=1)[rank].clone())  # (D, F / n)
        self.traffic = traffic

    def forward(self, x: Tensor) -> Tensor:
        x = _Copy.apply(x, self.traffic)  # (B, T, D)
        hidden = nn.functional.gelu(x @ self.first.T)  # (B, T, F / n)
        return _Sum.apply(hidden @ self.second.T, self.traffic)  # (B, T, D)


def pipeline_step(
    stage: nn.Module,
    inputs: list[Tensor],
    loss: Callable[[Tensor, int], Tensor],
    like: Tensor,
    traffic: Traffic,
) -> float:
    """Un paso de entrenamiento por tubería: todos los micro-lotes hacia delante y después todos hacia atrás (GPipe).

    Cada proceso llama con su `stage`. `inputs`, los micro-lotes, solo los lee el primero; `loss(salida, i)`, la parte
    del micro-lote i en la pérdida, solo el último; `like` tiene la forma de lo que se pasa de una etapa a otra. Deja
    los gradientes acumulados en `stage` y devuelve la pérdida (0 si no es la última etapa). Una etapa congelada no
    acumula nada y deja pasar el gradiente.
    """
    rank, last = dist.get_rank(), dist.get_world_size() - 1
    entries, outputs, total = [], [], 0.0
    for i, micro in enumerate(inputs):
        if rank > 0:
            micro = torch.empty_like(like)
            dist.recv(micro, rank - 1)
            micro.requires_grad_()
        output = stage(micro)
        if rank < last:
            dist.send(output.detach().contiguous(), rank + 1)
            traffic.add("activaciones", output)
        else:
            output = loss(output, i)
            total += output.item()
        entries.append(micro)
        outputs.append(output)
    for entry, output in zip(reversed(entries), reversed(outputs), strict=True):
        gradient = None
        if rank < last:
            gradient = torch.empty_like(output)
            dist.recv(gradient, rank + 1)
        if output.requires_grad:  # no, si la primera etapa está congelada o la pérdida no depende de este micro-lote
            output.backward(gradient)
        if rank > 0:
            gradient = torch.zeros_like(entry) if entry.grad is None else entry.grad
            dist.send(gradient, rank - 1)
            traffic.add("gradientes", gradient)
    return total


@dataclass(frozen=True)
class Task:
    """Un hueco ocupado de la tubería: quién, qué micro-lote, hacia dónde y cuándo."""

    stage: int
    micro: int
    forward: bool
    start: float
    end: float


def gpipe_schedule(stages: int, micro_batches: int, forward: float = 1.0, backward: float = 2.0) -> list[Task]:
    """Cuándo trabaja cada etapa: una tarea empieza cuando acaba la anterior de su etapa y le llega lo que necesita.

    `forward` y `backward` son lo que dura cada tarea (hacia atrás, el doble: dos productos por matriz en vez de uno).

    >>> max(task.end for task in gpipe_schedule(stages=2, micro_batches=3, backward=1.0))  # 2 · (3 + 2 − 1)
    8.0
    """
    if stages < 1 or micro_batches < 1:
        raise ValueError(f"Hay {stages} etapas y {micro_batches} micro-lotes: hace falta al menos 1 de cada.")
    free, tasks = [0.0] * stages, []

    def run(order, micro_order, duration, is_forward):
        for micro in micro_order:
            ready = 0.0
            for stage in order:
                start = max(free[stage], ready)
                free[stage] = ready = start + duration
                tasks.append(Task(stage, micro, is_forward, start, ready))

    run(range(stages), range(micro_batches), forward, True)
    run(range(stages)[::-1], reversed(range(micro_batches)), backward, False)
    return tasks


def bubble(stages: int, micro_batches: int) -> float:
    """La burbuja: la fracción del tiempo que pasa parada cada etapa, (p − 1) / (m + p − 1) (Huang et al., 2019).

    >>> bubble(stages=4, micro_batches=1), bubble(stages=4, micro_batches=12)
    (0.75, 0.2)
    """
    if stages < 1 or micro_batches < 1:
        raise ValueError(f"Hay {stages} etapas y {micro_batches} micro-lotes: hace falta al menos 1 de cada.")
    return (stages - 1) / (micro_batches + stages - 1)
