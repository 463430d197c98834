"""El mismo entrenamiento en varios procesos: cinco maneras de repartirlo que acaban en los mismos pesos.

Cada proceso (*rank*) tiene su parte del lote y llama a `step` con su pérdida. Las dos primeras estrategias están
escritas a mano con `utils.parallel.collectives`; las otras tres son las de torch y Accelerate. Todas se construyen
igual, `STRATEGIES["zero1"](model, ranks, lr=1e-3)`, y tienen:

- `model`, al que se llama;
- `step(loss)`, que deriva, comunica y mueve los pesos;
- `weights()`, el vector de todos los pesos, igual en todos los procesos;
- `optimizer`, el de este proceso, y `traffic`, los bytes enviados por nuestras colectivas (las demás no los cuentan).

Lo que NO hace: precisión mixta, recortar el gradiente ni igualar los buffers (como las medias de BatchNorm). El grupo
de procesos lo abre `utils.parallel.group`.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn

from utils.model.blocks import Block
from utils.parallel.collectives import Traffic, all_reduce, broadcast
from utils.parallel.group import Ranks
from utils.parallel.sharding import (
    ShardedAdamW,
    flatten,
    gradient_row,
    require_gradients,
    unflatten,
    used_by_any,
    whole,
)
from utils.train.optim import trainable


class ManualDDP:
    """Paralelismo de datos a mano: mismos pesos al empezar, suma de gradientes en cada paso.

    Qué está congelado se decide al construirla: eso ni viaja ni se mueve.
    """

    sharded = False  # ¿cada proceso guarda algo distinto?

    def __init__(self, model: nn.Module, ranks: Ranks, lr: float):
        self.model, self.traffic = model, Traffic()
        self.parameters = list(model.parameters())  # una matriz compartida por dos capas sale una vez
        self.trained = trainable(self.parameters)
        self._set(broadcast(self.weights(), self.traffic))
        self.optimizer = torch.optim.AdamW(self.trained, lr=lr)

    def step(self, loss: Tensor) -> None:
        """Deriva la parte de este proceso en la pérdida, suma los gradientes de todos y mueve los pesos."""
        loss.backward()
        used = used_by_any(self.trained)
        total = all_reduce(gradient_row(self.trained), self.traffic)  # (N,)
        for parameter, gradient, moves in zip(self.trained, unflatten(total, self.trained), used, strict=True):
            parameter.grad = gradient if moves else None
        self.optimizer.step()
        self.optimizer.zero_grad()

    def weights(self) -> Tensor:
        """Todos los pesos, en un vector (N,)."""
        return flatten(p.detach() for p in self.parameters)  # (N,)

    @torch.no_grad()
    def _set(self, vector: Tensor) -> None:
        for parameter, value in zip(self.parameters, unflatten(vector, self.parameters), strict=True):
            parameter.copy_(value)


class ZeRO1(ManualDDP):
    """Lo mismo con el optimizador repartido: `utils.parallel.sharding.ShardedAdamW` suma, mueve y junta."""

    sharded = True

    def __init__(self, model: nn.Module, ranks: Ranks, lr: float):
        super().__init__(model, ranks, lr)
        self.optimizer = ShardedAdamW(self.trained, self.traffic, lr=lr)

    def step(self, loss: Tensor) -> None:
        loss.backward()
        self.optimizer.step()


class TorchDDP:
    """`DistributedDataParallel`: suma los gradientes por cubos mientras aún se deriva.

    De fábrica espera el gradiente de todos los parámetros que no estén congelados; si falta alguno en un proceso, no
    acaba la suma, y `step` lanza `ValueError`.
    """

    sharded = False

    def __init__(self, model: nn.Module, ranks: Ranks, lr: float):
        self.ranks, self.traffic = ranks, Traffic()
        self.optimizer = torch.optim.AdamW(trainable(model.parameters()), lr=lr)
        self.model = nn.parallel.DistributedDataParallel(model)

    def step(self, loss: Tensor) -> None:
        """Deriva, y torch suma los gradientes por el camino; después mueve los pesos."""
        self._backward(loss * self.ranks.count)  # torch divide la suma de gradientes entre n: se compensa
        if not self.sharded:
            require_gradients(self.model)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def weights(self) -> Tensor:
        """Todos los pesos, en un vector (N,); si están repartidos, los junta, y han de llamarla todos."""
        return flatten(whole(p.detach()) for p in self.model.parameters())  # (N,)

    def _backward(self, loss: Tensor) -> None:
        loss.backward()


class FSDP2(TorchDDP):
    """`fully_shard` (ZeRO, etapa 3): cada proceso guarda su trozo de todo y pide los pesos de un bloque al usarlo.

    En cada paso, todos los procesos han de usar los mismos parámetros: si no, unos esperan lo que otros no envían.
    """

    sharded = True

    def __init__(self, model: nn.Module, ranks: Ranks, lr: float):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        self.ranks, self.model, self.traffic = ranks, model, Traffic()
        for parameter in model.parameters():  # fully_shard corta lo que hay en cada proceso y no lo iguala antes
            dist.broadcast(parameter.detach(), src=0)
        mesh = init_device_mesh(ranks.device.type, (ranks.count,))
        blocks = [module for module in model.modules() if isinstance(module, Block)]
        inside = [id(p) for block in blocks for p in block.parameters()]
        if len(set(inside)) < len(inside):
            raise ValueError("Dos bloques comparten pesos y FSDP no sabe de cuál son: usa otra estrategia.")
        for block in blocks:
            fully_shard(block, mesh=mesh)
        fully_shard(model, mesh=mesh)
        self.optimizer = torch.optim.AdamW(trainable(model.parameters()), lr=lr)


class AccelerateDDP(TorchDDP):
    """Lo mismo con Accelerate: `prepare` envuelve el modelo según cómo se haya lanzado el programa."""

    def __init__(self, model: nn.Module, ranks: Ranks, lr: float):
        from accelerate import Accelerator

        self.ranks, self.traffic = ranks, Traffic()
        self.accelerator = Accelerator(cpu=ranks.device.type == "cpu")
        optimizer = torch.optim.AdamW(trainable(model.parameters()), lr=lr)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)

    def _backward(self, loss: Tensor) -> None:
        self.accelerator.backward(loss)


STRATEGIES = {"manual": ManualDDP, "zero1": ZeRO1, "ddp": TorchDDP, "fsdp": FSDP2, "accelerate": AccelerateDDP}
