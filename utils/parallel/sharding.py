"""El optimizador repartido (ZeRO, etapa 1): cada proceso guarda los estados de Adam de su trozo, y solo de ese.

Adam actualiza cada peso por su cuenta, sin mirar a los demás, así que da lo mismo quién haga cada cuenta: los pesos
salen iguales que sin repartir. Por paso: se reparte la suma de los gradientes, cada proceso mueve su trozo de los
pesos y se juntan los trozos. Fuente: Rajbhandari et al. (2020), sección 5.

Como en torch, un parámetro congelado ni viaja ni se mueve, y uno sin gradiente en ningún proceso se salta ese paso: ni
reducción de pesos, ni inercia, ni cuenta de pasos.

Lo que NO hace: repartir también los gradientes (etapa 2) o los pesos (etapa 3, que es FSDP), ni recortar el gradiente,
que necesitaría una suma más para conocer la norma de todos los trozos.
"""

from collections.abc import Iterable
from itertools import pairwise

import torch
import torch.distributed as dist
from torch import Tensor, nn

from utils.parallel.collectives import Traffic, all_gather, pad_to_ranks, reduce_scatter
from utils.train.optim import trainable


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


def gradient_row(parameters: Iterable[Tensor]) -> Tensor:
    """Los gradientes de este proceso en un vector (N,), con ceros donde no hay: quien no aporta, suma cero.

    >>> w, unused = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True); w.sum().backward()
    >>> gradient_row([w, unused]).tolist()
    [1.0, 1.0, 0.0]
    """
    return flatten(torch.zeros_like(p) if p.grad is None else p.grad for p in parameters)


def used_by_any(parameters: list[Tensor]) -> list[bool]:
    """De cada parámetro, si algún proceso tiene su gradiente: un cero de la suma no distingue «nadie» de «nada».

    Todos los procesos reciben la misma respuesta, y por eso se mueven a la vez. DDP lo pregunta con
    `find_unused_parameters=True`. Viaja un número por parámetro, que `Traffic` no apunta.
    """
    used = torch.tensor([int(p.grad is not None) for p in parameters], device=parameters[0].device)  # (P,)
    dist.all_reduce(used, dist.ReduceOp.MAX)
    return used.bool().tolist()


def require_gradients(model: nn.Module) -> None:
    """`ValueError`, con sus nombres, si a algún parámetro sin congelar le falta el gradiente.

    >>> layer = nn.Linear(2, 2); layer(torch.ones(2)).sum().backward(); require_gradients(layer)
    """
    missing = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    if missing:
        names = ", ".join(name.removeprefix("module.") for name in missing[:3])  # «module» es el envoltorio de DDP
        raise ValueError(
            f"La pérdida no ha usado {names}, y DDP espera el gradiente de todos para acabar la suma: "
            "congélalos con requires_grad_(False), usa la estrategia «manual» o «zero1», o, en tu programa, "
            "DistributedDataParallel(..., find_unused_parameters=True)."
        )


class ShardedAdamW:
    """AdamW con los estados repartidos: con n procesos, cada uno guarda 1/n de ellos.

    Recibe los gradientes locales de cada proceso, los suma con los de los demás y deja en todos los mismos pesos.
    Los argumentos son los de `torch.optim.AdamW`. Necesita un grupo de procesos (`utils.parallel.group.start`).
    Los parámetros que llegan congelados se quedan fuera: descongelarlos después no los añade. `ValueError` si no sirven
    (`utils.train.optim.check_parameters`).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], traffic: Traffic, **options):
        self.parameters, self.traffic = trainable(parameters), traffic
        weights = pad_to_ranks(flatten(p.detach() for p in self.parameters))  # (N,)
        self.ranks, self.rank = dist.get_world_size(), dist.get_rank()
        self.shard = weights.chunk(self.ranks)[self.rank].clone()  # (N / n,)
        # Adam lleva la cuenta de pasos por parámetro, así que ve el trozo cortado por donde acaba cada uno.
        self.pieces = [nn.Parameter(piece) for piece in self._cut(self.shard)]
        self.optimizer = torch.optim.AdamW(self.pieces, **options)

    def _cut(self, shard: Tensor) -> list[Tensor]:
        """Lo que hay de cada parámetro en el trozo (N / n,) de este proceso, como vistas; de muchos, nada."""
        ends = torch.tensor([p.numel() for p in self.parameters]).cumsum(0)  # (P,), en el vector (N,)
        ends = (ends - self.rank * len(shard)).clamp(0, len(shard)).tolist()  # en el trozo
        return [shard[start:end] for start, end in pairwise([0, *ends])]

    @torch.no_grad()
    def step(self) -> None:
        """Suma y reparte los gradientes, mueve el trozo propio y junta los pesos."""
        used = used_by_any(self.parameters)
        share = reduce_scatter(pad_to_ranks(gradient_row(self.parameters)), self.traffic)  # (N / n,)
        for piece, gradient, moves in zip(self.pieces, self._cut(share), used, strict=True):
            piece.grad = gradient if moves else None
        self.optimizer.step()
        weights = all_gather(self.shard, self.traffic)  # (N,)
        for parameter, value in zip(self.parameters, unflatten(weights, self.parameters), strict=True):
            parameter.copy_(value)
            parameter.grad = None

    def state_dict(self) -> dict:
        """El trozo de este proceso y su lugar: para reanudar hacen falta los de todos."""
        return {
            "rank": self.rank,
            "ranks": self.ranks,
            "shard": self.shard,
            "adam": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Recupera el trozo. `ValueError` si se guardó en otro proceso o con otro número de procesos."""
        if (state["rank"], state["ranks"]) != (self.rank, self.ranks):
            raise ValueError(
                f"Este trozo es del proceso {state['rank']} de {state['ranks']} y aquí es el {self.rank} de "
                f"{self.ranks}: reanuda con --nproc-per-node {state['ranks']}."
            )
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


def whole(tensor: Tensor) -> Tensor:
    """El tensor entero, juntando los trozos de todos los procesos si está repartido."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


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
