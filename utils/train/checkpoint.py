"""Puntos de control: guardar un entrenamiento para seguirlo después de un corte, con el mismo resultado.

Guarda los pesos, el optimizador, el paso, la historia y el estado del azar: si faltara uno, el entrenamiento
reanudado se apartaría del original. Se escribe en un archivo temporal que se renombra al final, de modo que un
corte a mitad de la escritura deja intacto el punto de control anterior.

Lo que NO hace: subir nada a ningún sitio ni conservar más de un punto de control.
"""

import zipfile
from pathlib import Path

import torch
from torch import nn

FILE = "punto-de-control.pt"


def save_checkpoint(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, history: dict) -> None:
    """Guarda el estado tras `step` pasos. Un fallo al escribir lanza `OSError` y no toca lo que había."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "history": history,
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    temporary = folder / (FILE + ".tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(state, temporary)
        temporary.replace(folder / FILE)
    except (OSError, RuntimeError) as error:  # torch cuenta un disco lleno como RuntimeError
        if folder.is_dir():
            temporary.unlink(missing_ok=True)
        raise OSError(
            f"No se pudo guardar el punto de control en «{folder.name}»: ¿disco lleno o carpeta de solo lectura? "
            "Libera espacio o elige otra carpeta; el punto de control anterior sigue intacto."
        ) from error


def load_checkpoint(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, dict] | None:
    """Devuelve (paso, historia) y deja `model` y `optimizer` como estaban, o `None` si no hay nada que reanudar.

    Lanza `ValueError` si el archivo está dañado o es de otro modelo.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:  # torch no comprueba las sumas de control: un bit cambiado pasaría
            if archive.testzip():
                raise ValueError("suma de control incorrecta")
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, history, rng, cuda_rng = (state[name] for name in ("step", "history", "rng", "cuda_rng"))
    except Exception as error:  # un archivo dañado puede fallar de cualquier manera
        raise ValueError(
            f"El punto de control de «{folder.name}» está dañado o es de otro modelo. "
            "Borra esa carpeta para empezar de cero."
        ) from error
    torch.set_rng_state(rng)
    if cuda_rng:
        torch.cuda.set_rng_state_all(cuda_rng)
    return step, history
