"""El grupo de procesos: quién es cada uno, cómo se entra en él y qué se dice cuando falta uno.

Lo que NO hace: lanzar los procesos (eso es `torchrun`; desde un cuaderno, `utils.parallel.launch`) ni repartir el
entrenamiento (`utils.parallel.distributed`).
"""

import contextlib
import datetime
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


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
