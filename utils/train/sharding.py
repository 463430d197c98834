"""El optimizador repartido (ZeRO, etapa 1): cada proceso guarda los estados de Adam de su trozo, y solo de ese.

Adam actualiza cada peso por su cuenta, sin mirar a los demás, así que da lo mismo quién haga cada cuenta: los pesos
salen iguales que sin repartir. Por paso: se reparte la suma de los gradientes, cada proceso mueve su trozo de los
pesos y se juntan los trozos. Fuente: Rajbhandari et al. (2020), sección 5.

Lo que NO hace: repartir también los gradientes (etapa 2) o los pesos (etapa 3, que es FSDP), ni recortar el gradiente,
que necesitaría una suma más para conocer la norma de todos los trozos.
"""

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from utils.train.collectives import Traffic, all_gather, pad_to_ranks, reduce_scatter


def flatten(tensors: Iterable[Tensor]) -> Tensor:
    """Pone varios tensores en fila, en un solo vector (N,): una sola comunicación en vez de una por tensor.

    >>> flatten([torch.ones(2, 2), torch.zeros(1)]).tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0]
    """
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def unflatten(vector: Tensor, like: Iterable[Tensor]) -> list[Tensor]:
    """Deshace `flatten`: corta el vector (N,) en trozos con las formas de `like`; lo que sobre se ignora.

    >>> [piece.tolist() for piece in unflatten(torch.arange(5), [torch.zeros(2, 2), torch.zeros(1)])]
    [[[0, 1], [2, 3]], [4]]
    """
    pieces, start = [], 0
    for tensor in like:
        pieces.append(vector[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()
    return pieces


class ShardedAdamW:
    """AdamW con los estados repartidos: con n procesos, cada uno guarda 1/n de ellos.

    Recibe los gradientes locales de cada proceso, los suma con los de los demás y deja en todos los mismos pesos.
    Los argumentos son los de `torch.optim.AdamW`. Necesita un grupo de procesos (`utils.train.distributed.start`).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], traffic: Traffic, **options):
        self.parameters, self.traffic = list(parameters), traffic
        weights = pad_to_ranks(flatten(p.detach() for p in self.parameters))  # (N,)
        self.ranks, self.rank = dist.get_world_size(), dist.get_rank()
        self.shard = nn.Parameter(weights.chunk(self.ranks)[self.rank].clone())  # (N / n,)
        self.optimizer = torch.optim.AdamW([self.shard], **options)

    @torch.no_grad()
    def step(self) -> None:
        """Suma y reparte los gradientes, mueve el trozo propio y junta los pesos."""
        gradients = flatten(torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters)
        self.shard.grad = reduce_scatter(pad_to_ranks(gradients), self.traffic)  # (N / n,)
        self.optimizer.step()
        weights = all_gather(self.shard.detach(), self.traffic)  # (N,)
        for parameter, value in zip(self.parameters, unflatten(weights, self.parameters), strict=True):
            parameter.copy_(value)
            parameter.grad = None

    def state_dict(self) -> dict:
        """El trozo de este proceso y su lugar: para reanudar hacen falta los de todos."""
        return {
            "rank": self.rank,
            "ranks": self.ranks,
            "shard": self.shard.detach(),
            "adam": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Recupera el trozo. `ValueError` si se guardó en otro proceso o con otro número de procesos."""
        if (state["rank"], state["ranks"]) != (self.rank, self.ranks):
            raise ValueError(
                f"Este trozo es del proceso {state['rank']} de {state['ranks']} y aquí es el {self.rank} de "
                f"{self.ranks}: reanuda con --nproc-per-node {state['ranks']}."
            )
        with torch.no_grad():
            self.shard.copy_(state["shard"])
        self.optimizer.load_state_dict(state["adam"])


def state_bytes(optimizer) -> int:
    """Bytes que ocupan en este proceso los estados de un optimizador: los tensores con forma, no los contadores.

    Vale para los de torch (también con FSDP2, donde se cuenta el trozo local) y para `ShardedAdamW`.

    >>> w = torch.zeros(5, requires_grad=True); adam = torch.optim.AdamW([w]); w.sum().backward(); adam.step()
    >>> state_bytes(adam)  # dos medias por peso, de 4 bytes
    40
    """
    optimizer = optimizer.optimizer if isinstance(optimizer, ShardedAdamW) else optimizer
    tensors = [t for state in optimizer.state.values() for t in state.values() if isinstance(t, Tensor) and t.dim()]
    return sum(local_bytes(tensor) for tensor in tensors)


def local_bytes(tensor: Tensor) -> int:
    """Bytes de la parte de un tensor que está en este proceso; la de un tensor corriente es todo él.

    >>> local_bytes(torch.zeros(3, 2))
    24
    """
    local = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local.numel() * local.element_size()


def zero_bytes(
    parameters: float, ranks: int, stage: int, weights: int = 2, gradients: int = 2, states: int = 12
) -> float:
    """Bytes por proceso de pesos, gradientes y estados según la etapa de ZeRO (0: nada repartido).

    Los bytes por parámetro de fábrica son los de la precisión mixta con Adam: pesos y gradientes en 16 bits y, en 32,
    una copia de los pesos y las dos medias. No cuenta activaciones. `ValueError` si la etapa no va de 0 a 3. Fuente:
    Rajbhandari et al. (2020), figura 1.

    >>> [zero_bytes(7.5e9, ranks=64, stage=s) / 1e9 for s in range(4)]  # en GB, los números de su figura 1
    [120.0, 31.40625, 16.640625, 1.875]
    """
    if stage not in (0, 1, 2, 3):
        raise ValueError(f"ZeRO no tiene etapa {stage}: va de 0 (nada repartido) a 3 (todo repartido).")
    if ranks < 1:
        raise ValueError(f"Hay {ranks} procesos: hace falta al menos 1.")
    shared = weights * (stage >= 3) + gradients * (stage >= 2) + states * (stage >= 1)
    return parameters * (weights + gradients + states - shared + shared / ranks)
