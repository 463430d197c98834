"""El punto de control de un entrenamiento en varios procesos: cada uno guarda lo suyo y nadie queda a medias.

Si un corte llega mientras se guarda, unos procesos habrán escrito el paso nuevo y otros no. Por eso cada paso va a su
carpeta y, solo cuando todos han acabado, el proceso 0 apunta en un archivo cuál es el último completo; el anterior se
borra después. Si los pesos y los estados son iguales en todos los procesos, solo escribe el 0, y se puede reanudar con
otro número de procesos; si están repartidos, escriben todos y hay que reanudar con los mismos.

Lo que NO hace: volver a repartir los trozos entre más o menos procesos; eso hace `torch.distributed.checkpoint`. Con
varias máquinas, la carpeta tiene que estar en un disco que vean todas.
"""

import json
import shutil
from pathlib import Path

import torch.distributed as dist

from utils.train.checkpoint import load_checkpoint, save_checkpoint

LAST = "ultimo.json"


def save_shared(folder: Path, strategy, step: int, history: dict) -> None:
    """Guarda el estado de todos los procesos tras `step` pasos. Han de llamarla todos."""
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if strategy.sharded else (0, 1)
    if strategy.sharded or dist.get_rank() == 0:
        save_checkpoint(_place(folder, step, rank, ranks), strategy.model, strategy.optimizer, step, history)
    dist.barrier()  # nadie sigue hasta que todos han escrito
    if dist.get_rank() == 0:
        temporary = folder / (LAST + ".tmp")
        temporary.write_text(json.dumps({"step": step, "ranks": ranks}), "utf-8")
        temporary.replace(folder / LAST)
        for old in folder.glob("paso-*"):
            if old != _place(folder, step, rank, ranks).parent:
                shutil.rmtree(old)


def load_shared(folder: Path, strategy) -> tuple[int, dict] | None:
    """Deja `strategy` como estaba en el último punto de control completo y devuelve (paso, historia), o `None`.

    Lanza `ValueError` si los estados estaban repartidos entre otro número de procesos.
    """
    if not (folder / LAST).exists():
        return None
    last = json.loads((folder / LAST).read_text("utf-8"))
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if strategy.sharded else (0, 1)
    if last["ranks"] != ranks:
        raise ValueError(
            f"El punto de control de «{folder.name}» está repartido entre {last['ranks']} procesos y ahora hay "
            f"{ranks}: reanuda con --nproc-per-node {last['ranks']}, o borra la carpeta para empezar de cero."
        )
    return load_checkpoint(_place(folder, last["step"], rank, ranks), strategy.model, strategy.optimizer)


def _place(folder: Path, step: int, rank: int, ranks: int) -> Path:
    return folder / f"paso-{step:06d}" / f"proceso-{rank}-de-{ranks}"
