"""Las dos escalas del curso: `mini` (CPU, sin red) y `gpu` (CUDA y modelos reales del hub).

Decide la escala y elige presupuestos. No carga nada: de eso se encarga `hub`.
"""

from __future__ import annotations

import functools
import os
import threading
import urllib.error
import urllib.request
from typing import Literal, TypeVar

SCALES = ("mini", "gpu")
HUB_URL = "https://huggingface.co"
#: Memoria que los presupuestos de la escala gpu dan por hecha; una T4 tiene 14,6 GiB.
MIN_GPU_GB = 14.0
T = TypeVar("T")


def scale() -> Literal["mini", "gpu"]:
    """Devuelve la escala: `gpu` si hay CUDA con memoria bastante y se llega al hub; si no, `mini`.

    `CURSO_ESCALA` manda sobre la detección. Lanza `ValueError` si su valor no es una escala.

    >>> scale() in SCALES
    True
    """
    wanted = os.environ.get("CURSO_ESCALA", "").strip().lower()
    if not wanted:
        return "gpu" if gpu_gb() >= MIN_GPU_GB and hub_reachable() else "mini"
    if wanted not in SCALES:
        raise ValueError(
            f"CURSO_ESCALA={wanted!r} no es una escala: usa «mini» (CPU, sin red) o «gpu» (CUDA y hub), "
            "o borra la variable y se elegirá sola."
        )
    return "gpu" if wanted == "gpu" else "mini"


def by_scale(*, mini: T, gpu: T) -> T:
    """Elige un valor según la escala; así cada lab escribe a la vista su presupuesto.

    >>> by_scale(mini=(150, 16), gpu=(1500, 32)) in [(150, 16), (1500, 32)]
    True
    """
    return gpu if scale() == "gpu" else mini


def has_cuda() -> bool:
    """Dice si torch está instalado y ve una GPU."""
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def gpu_gb() -> float:
    """Devuelve la memoria de la primera GPU en GiB, o 0 si no hay ninguna."""
    if not has_cuda():
        return 0.0
    import torch

    return torch.cuda.get_device_properties(0).total_memory / 2**30


@functools.cache
def hub_reachable() -> bool:
    """Dice si el hub contesta; no lo intenta con `HF_HUB_OFFLINE=1`. Pregunta una sola vez por proceso."""
    if os.environ.get("HF_HUB_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on"):
        return False
    return reachable(os.environ.get("HF_ENDPOINT", HUB_URL))


def reachable(url: str, timeout: float = 4.0) -> bool:
    """Dice si `url` contesta en `timeout` segundos (un error 4xx también es contestar; uno 5xx, no)."""
    answer: list[bool] = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout).close()
            answer.append(True)
        except urllib.error.HTTPError as error:
            answer.append(error.code < 500)
        except (OSError, ValueError):
            answer.append(False)

    # En un hilo: la resolución de nombres no respeta `timeout` y sin red puede tardar medio minuto.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout + 1)
    return answer == [True]
