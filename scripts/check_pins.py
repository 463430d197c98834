"""Pregunta al índice de paquetes si todo requirements.txt se instala en cada Python y plataforma que el README promete.

No instala nada: pip solo resuelve (`--dry-run`), versión a versión y sin mirar las dependencias, como si estuviera en
otra máquina. Necesita red y tarda unos minutos; lo pasa el trabajo semanal, y `make requisitos` al acabar.
Con `--rango` no pregunta: escribe qué Python admiten, todos a la vez, los paquetes instalados en este.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]  # sin scripts.lint_common: se pasa también donde el curso no está instalado
REQUIREMENTS = ROOT / "requirements.txt"

#: La primera de cada serie, que es la que más paquetes dejan fuera, y 3.14.1, que alguno excluye por su nombre.
PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0", "3.14.1")
#: WSL es un Linux x86-64. Los Mac con Intel no están: torch no publica ruedas para ellos.
PLATFORMS = {
    "Linux x86-64": [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)] + ["manylinux2014_x86_64"],
    "Linux ARM": [f"manylinux_2_{minor}_aarch64" for minor in range(28, 16, -1)] + ["manylinux2014_aarch64"],
    "macOS ARM": ["macosx_14_0_arm64"],
}
#: Solo publican su código fuente, en Python puro: se construyen al instalar y sirven en todas partes.
SOURCE_ONLY = ("rouge_score",)


def read_lines(path: Path = REQUIREMENTS) -> list[str]:
    """Las versiones fijadas, como `peft==0.21.2`; sin comentarios y sin lo que solo es código fuente."""
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith(("#", *SOURCE_ONLY))]


def ask_pip(pins: list[str], python: str, tags: list[str]) -> str:
    """Pregunta a pip si puede instalar `pins` en otra máquina; devuelve lo que escribe al fallar, o nada."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--only-binary", ":all:", "--python-version", python, "--target", folder]
        command += [f"--platform={tag}" for tag in tags]
        done = subprocess.run([*command, *pins], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def refused(
    pins: Iterable[str], python: str, tags: list[str], ask: Callable[[list[str], str, list[str]], str] = ask_pip
) -> dict[str, str]:
    """Devuelve las versiones que no se pueden instalar, con la razón que da pip.

    pip se para en la primera: se aparta y se repite. Lanza `RuntimeError` si falla por otra causa (sin red).
    """
    left, found = list(pins), {}
    while left and (said := ask(left, python, tags)):
        lost = re.search(r"No matching distribution found for (\S+)", said)
        if not lost or lost[1] not in left:
            raise RuntimeError(f"pip no ha podido preguntar al índice (¿hay red?). Dice: {said.strip()[-300:]}")
        reasons = [line for line in said.splitlines() if line.startswith("ERROR:")]
        found[lost[1]] = reasons[0] if reasons else said.strip()
        left.remove(lost[1])
    return found


def python_range(specifiers: Iterable[str]) -> str:
    """El rango de Python que cumple todas las condiciones a la vez.

    >>> python_range([">=3.9", ">=3.11", "!=3.14.1,>=3.11", "!=3.0.*,>=2.7", "<4"])
    '>=3.11,!=3.14.1,<4'
    """
    rules = [rule for text in specifiers for rule in SpecifierSet(text)]
    lows = [Version(rule.version) for rule in rules if rule.operator in (">=", ">")]
    highs = [Version(rule.version) for rule in rules if rule.operator in ("<", "<=")]
    holes = {rule.version for rule in rules if rule.operator == "!="}
    low = max(lows)
    kept = [hole for hole in sorted(holes) if not hole.endswith("*") and Version(hole) > low]
    top = [f"<{min(highs)}"] if highs else []
    return ",".join([f">={low}", *(f"!={hole}" for hole in kept), *top])


def installed_range(path: Path = REQUIREMENTS) -> str:
    """El rango que admiten, a la vez, los paquetes fijados, según lo que cada uno declara al instalarse."""
    lines = path.read_text("utf-8").splitlines()
    names = [line.partition("==")[0] for line in lines if "==" in line]
    return python_range(text for name in names if (text := metadata.metadata(name).get("Requires-Python")))


def main(arguments: list[str] | None = None) -> int:
    """Escribe una línea por cada pareja de Python y plataforma; devuelve 1 si algo no se puede instalar."""
    parser = argparse.ArgumentParser(description="Pregunta si lo fijado se instala en todo lo que el README promete.")
    parser.add_argument("--rango", action="store_true", help="escribe el rango de Python de lo instalado y termina")
    if parser.parse_args(arguments).rango:
        print(installed_range())
        return 0
    pins, failed = read_lines(), False
    for python in PYTHONS:
        for platform, tags in PLATFORMS.items():
            lost = refused(pins, python, tags)
            failed = failed or bool(lost)
            print(f"Python {python}, {platform}: {f'faltan {len(lost)}' if lost else f'las {len(pins)}'}", flush=True)
            for pin, reason in lost.items():
                print(f"  {pin}: {reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
