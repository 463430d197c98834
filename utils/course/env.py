"""El entorno de un lab: semilla, dispositivo, hilos, raíz del repositorio y `preparar`, la primera llamada.

No decide la escala (`scale`) ni carga modelos (`hub`).
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

from utils.course import install, report

if TYPE_CHECKING:
    import torch


def preparar(lab: str) -> None:
    """Deja listo el entorno de un lab: escribe una tabla con lo que hay y avisos de lo que falta.

    En Colab y Kaggle instala los paquetes ausentes, sin tocar torch ni numpy; en otro sitio solo informa.
    Fija hilos, semillas y estilo de las figuras. Lanza `RuntimeError` si faltan paquetes imprescindibles.
    """
    root, platform = repo_root(), report.platform_name()
    hosted = platform in ("Colab", "Kaggle")
    missing = install.missing_packages(root)
    if missing and hosted:
        install.install(missing)
        missing = install.missing_packages(root)
    facts = report.gather(lab, root, platform, missing)
    if facts.needs_smollm2 and hosted:
        install.install_smollm2(root)
        facts.needs_smollm2 = False
    print(report.table(facts))
    for line in report.notices(facts):
        print(f"Aviso: {line}")
    if missing:
        raise RuntimeError(
            f"Faltan paquetes ({', '.join(missing)}): en la carpeta del curso ejecuta `make lab`, que los "
            "instala y abre los cuadernos, o `python -m pip install -r requirements.txt`."
        )
    from utils.course import plots  # matplotlib puede acabar de instalarse

    limit_threads()
    set_seed()
    plots.use_style(background="white")
    quiet()


def repo_root() -> Path:
    """Devuelve la carpeta raíz del curso, la que contiene `utils/`, `labs/`, `models/` y `data/`.

    >>> (repo_root() / "utils" / "course" / "env.py").is_file()
    True
    """
    return Path(__file__).resolve().parents[2]


def seed() -> int:
    """Devuelve la semilla del curso: `CURSO_SEMILLA`, o 0. Lanza `ValueError` si no es un entero >= 0.

    >>> seed() >= 0
    True
    """
    text = os.environ.get("CURSO_SEMILLA", "").strip() or "0"  # vacía es como no ponerla
    if not text.isdecimal() or int(text) >= 2**32:
        raise ValueError(f"CURSO_SEMILLA={text!r} no vale: escribe un entero entre 0 y 4294967295; por ejemplo, 0.")
    return int(text)


def set_seed(n: int | None = None) -> None:
    """Fija con la misma semilla (por defecto, `seed()`) los azares de Python, NumPy y torch, GPU incluida."""
    import numpy
    import torch

    n = seed() if n is None else n
    random.seed(n)
    numpy.random.seed(n)
    torch.manual_seed(n)


def device() -> torch.device:
    """Devuelve la GPU si torch ve una; si no, la CPU (también con `CURSO_ESCALA=gpu`, aunque será lento)."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def thread_count() -> int:
    """Devuelve cuántos hilos usar: `CURSO_HILOS`; si no, 1 en un trabajador de pytest-xdist; si no,
    `OMP_NUM_THREADS` o todos los núcleos que el sistema concede a este proceso.

    Nunca más que esos núcleos: de más no aceleran nada y, a miles, tumban el proceso.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # no existe en Windows ni en macOS
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    for variable in ("CURSO_HILOS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "").strip()
        if variable == "CURSO_HILOS" and text and not (text.isdecimal() and int(text) > 0):
            raise ValueError(f"CURSO_HILOS={text!r} no vale: escribe un entero mayor que 0, por ejemplo 2.")
        if text.isdecimal() and int(text) > 0:
            return min(int(text), cores)
        if variable == "CURSO_HILOS" and "PYTEST_XDIST_WORKER" in os.environ:
            return 1
    return cores


def quiet() -> None:
    """Apaga las barras de progreso y los avisos de las bibliotecas de Hugging Face."""
    import huggingface_hub
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    huggingface_hub.utils.disable_progress_bars()


def limit_threads() -> int:
    """Limita los hilos de torch a `thread_count()` y los devuelve."""
    import torch

    threads = thread_count()
    torch.set_num_threads(threads)
    # Los tokenizadores avisan por pantalla si el proceso se bifurca después de usarlos en paralelo.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return threads
