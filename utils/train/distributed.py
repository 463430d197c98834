"""El mismo entrenamiento en varios procesos: cinco maneras de repartirlo que acaban en los mismos pesos.

Cada proceso (*rank*) tiene su parte del lote y llama a `step` con su pérdida. Las dos primeras estrategias están
escritas a mano con `utils.train.collectives`; las otras tres son las de torch y Accelerate. Todas se construyen igual,
`STRATEGIES["zero1"](model, ranks, lr=1e-3)`, y tienen:

- `model`, al que se llama;
- `step(loss)`, que deriva, comunica y mueve los pesos;
- `weights()`, el vector de todos los pesos, igual en todos los procesos;
- `optimizer`, el de este proceso, y `traffic`, los bytes enviados por nuestras colectivas (las demás no los cuentan).

Lo que NO hace: precisión mixta, recortar el gradiente, igualar los buffers (como las medias de BatchNorm) ni lanzar
procesos (eso es `torchrun`; desde un cuaderno, `utils.train.launch`).
"""

import contextlib
import datetime
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from utils.model.blocks import Block
from utils.train.collectives import Traffic, all_reduce, broadcast
from utils.train.optim import trainable
from utils.train.sharding import ShardedAdamW, flatten, gradient_row, require_gradients, unflatten, used_by_any, whole


@dataclass(frozen=True)
class Ranks:
    """Quién es este proceso: su número, cuántos hay y dónde calcula."""

    rank: int
    count: int
    device: torch.device

    def rows(self, batch: Tensor) -> Tensor:
        """La parte (B / n, ...) del lote (B, ...) que le toca: una fila de cada n. `ValueError` si B no se reparte.

        >>> Ranks(1, 2, torch.device("cpu")).rows(torch.arange(6)).tolist()
        [1, 3, 5]
        """
        if len(batch) % self.count:
            raise ValueError(f"Un lote de {len(batch)} no se reparte entre {self.count} procesos: usa un múltiplo.")
        return batch[self.rank :: self.count]

    def shared_loss(self, loss_sum: Tensor, tokens: int) -> Tensor:
        """La parte de este proceso en la pérdida media del lote entero: su suma entre los tokens de TODOS.

        La suma de los gradientes de todos los procesos es así el gradiente de la media, aunque unos tengan más
        tokens que otros, o alguno ninguno. Promediar las medias de cada proceso daría otra cosa. `ValueError`, en
        todos a la vez, si entre todos no hay ningún token o si la pérdida de alguno no es finita.
        """
        counted = torch.tensor([tokens, int(not loss_sum.isfinite())], device=self.device)
        dist.all_reduce(counted)
        count, broken = counted.tolist()
        if not count:
            raise ValueError("Ningún token cuenta en ningún proceso: todas las etiquetas del lote son -100. Sáltalo.")
        if broken:
            raise ValueError("La pérdida de un proceso no es finita: si no tiene tokens, súmala, no la promedies.")
        return loss_sum / count


@contextlib.contextmanager
def start(timeout: float = 120.0) -> Iterator[Ranks]:
    """Entra en el grupo de procesos que ha creado `torchrun` y sale de él al acabar.

    Sin torchrun hay un solo proceso, y el mismo código funciona. La comunicación va por NCCL si hay varios procesos y
    esta máquina tiene una GPU para cada uno de los suyos, y si no por gloo, en CPU. `timeout`, en segundos: cuánto se
    espera a otro proceso antes de darlo por perdido.
    """
    total, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    on_gpu = total > 1 and local <= torch.cuda.device_count()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    wait = datetime.timedelta(seconds=timeout)
    store, rank, count = dist.HashStore(), 0, 1
    if "RANK" in os.environ:
        store, rank, count = next(dist.rendezvous("env://", timeout=wait))
    # En el almacén común cada proceso apunta su dirección. torchrun lo conserva al relanzar (--max-restarts): con un
    # nombre por intento, nadie llama a la puerta de un proceso muerto.
    store = dist.PrefixStore("intento-" + os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"), store)
    dist.init_process_group("nccl" if on_gpu else "gloo", store=store, rank=rank, world_size=count, timeout=wait)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


#: Lo que dicen gloo y NCCL cuando el otro extremo desaparece o no contesta.
LOST = ("Connection closed", "Connection reset", "Broken pipe", "imed out", "imeout", "remote process exited")


@contextlib.contextmanager
def explain_lost_partner(ranks: Ranks) -> Iterator[None]:
    """Si otro proceso muere o calla, lo dice en español y acaba este con código 1, sin esperar a nadie más.

    Hay dos maneras de enterarse: la conexión con él se rompe, o torchrun, que también lo ha visto, manda parar.
    """

    def leave(*_) -> None:
        print(
            f"El proceso {ranks.rank} se detiene: otro proceso ha muerto o no contesta. Sin todos los gradientes no "
            "hay suma, así que el trabajo acaba aquí. Lanza otra vez la misma orden: si guardaba puntos de control, "
            "seguirá desde el último.",
            flush=True,
        )
        os._exit(1)  # salir del grupo ordenadamente sería volver a esperar al que no está

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except RuntimeError as error:
        if not any(words in str(error) for words in LOST):
            raise
        leave()
    finally:
        signal.signal(signal.SIGTERM, before)


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
    """Lo mismo con el optimizador repartido: `utils.train.sharding.ShardedAdamW` suma, mueve y junta."""

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
