"""Ejecuta los capítulos en paralelo y guarda sus salidas en la caché de Jupyter, antes de que Sphinx los lea.

Sphinx construye en un solo proceso: con la caché llena solo tiene que leerla.
La caché de Jupyter mira únicamente el texto de las celdas; por eso se tira entera cuando cambia la huella de
`utils/`, `data/`, `models/`, las cifras de los labs o `requirements.txt`.
No ejecuta los labs: enseñan las salidas con las que se guardaron.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

from utils.course.numerals import number

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("utils", "data", "models", "labs/resultados", "labs/efectos", "requirements.txt")
TIMEOUT = 1800  # segundos por celda: evita un cuelgue, no mide la velocidad
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Failure:
    """Capítulo que no ha podido ejecutarse y por qué."""

    path: Path
    message: str


def fingerprint(root: Path, inputs: Iterable[str] = INPUTS) -> str:
    """Huella de los archivos de los que dependen las celdas sin que su texto lo diga."""
    digest = hashlib.blake2b(digest_size=16)
    for name in inputs:
        start = root / name
        files = [start] if start.is_file() else sorted(p for p in start.rglob("*") if p.is_file())
        for path in files:
            if "__pycache__" in path.parts or path.suffix in {".pyc", ".tmp"}:
                continue
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


def chapters_in_toc(toc: Path) -> list[Path]:
    """Los .md del índice que son cuadernos (llevan `kernelspec`), en su orden; `ValueError` si falta uno."""
    names: list[str] = []

    def collect(node: object) -> None:
        if isinstance(node, dict):
            names.extend(value for key, value in node.items() if key == "file")
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(yaml.safe_load(toc.read_text(encoding="utf-8")))
    found = []
    for name in names:
        path = toc.parent / f"{name}.md"
        if not path.exists():
            if not (toc.parent / f"{name}.ipynb").exists():
                raise ValueError(f"El índice nombra «{name}», que no existe. Créala o quítala de {toc.name}.")
            continue
        text = path.read_text(encoding="utf-8")
        if text.startswith("---") and "kernelspec:" in text.split("---", 2)[1]:
            found.append(path)
    return found


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Lee un capítulo igual que lo leerá Sphinx, para que la caché lo reconozca."""
    from myst_nb.core.read import myst_nb_reader_plugin

    return myst_nb_reader_plugin(str(path))


def run_notebook(path: Path, timeout: int = TIMEOUT) -> tuple[nbformat.NotebookNode, float, str | None]:
    """Ejecuta un capítulo en su carpeta; devuelve el cuaderno, los segundos y el error (o None)."""
    from jupyter_cache.executors.utils import single_nb_execution

    warnings.filterwarnings("ignore")
    os.environ["TQDM_DISABLE"] = "1"  # lo hereda el núcleo: en una página, una barra de progreso es ruido
    notebook = read_notebook(path)
    folder = str(path.parent)
    quiet = ["--log-level=ERROR"]  # si no, cada núcleo avisa de que su conexión local no va cifrada
    result = single_nb_execution(
        notebook, cwd=folder, timeout=timeout, allow_errors=False, meta_override=True, extra_arguments=quiet
    )
    error = None if result.err is None else ANSI.sub("", str(result.err)).strip()
    return notebook, result.time or 0.0, error


def fill_cache(paths: list[Path], cache_folder: Path, workers: int = 2) -> list[Failure]:
    """Ejecuta los capítulos que no están en la caché y guarda los que salen bien."""
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(str(cache_folder))
    pending = []
    for path in paths:
        try:
            cache.match_cache_notebook(read_notebook(path))
        except KeyError:
            pending.append(path)
    failures: list[Failure] = []
    if not pending:
        return failures
    with ProcessPoolExecutor(max_workers=min(workers, len(pending))) as pool:
        for path, (notebook, seconds, error) in zip(pending, pool.map(run_notebook, pending), strict=True):
            if error is None:
                bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
                print(f"  {path.stem}: {number(seconds, 1)} s", flush=True)
            else:
                failures.append(Failure(path, error))
    return failures


def refresh_cache(root: Path, build: Path) -> Path:
    """Devuelve la carpeta de la caché; la vacía antes si ha cambiado la huella."""
    cache, stamp = build / ".jupyter_cache", build / ".huella-de-ejecucion"
    current = fingerprint(root)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != current:
        shutil.rmtree(cache, ignore_errors=True)
        build.mkdir(parents=True, exist_ok=True)
        stamp.write_text(current, encoding="utf-8")
    return cache


def main(arguments: list[str] | None = None) -> int:
    """Programa: 0 si todos los capítulos del índice se ejecutan, 1 si alguno falla."""
    parser = argparse.ArgumentParser(description="Ejecuta los capítulos y llena la caché.")
    parser.add_argument("--root", type=Path, default=ROOT, help="carpeta del libro")
    parser.add_argument("--procesos", type=int, default=2, help="capítulos a la vez")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    try:
        paths = chapters_in_toc(root / "_toc.yml")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    failures = fill_cache(paths, refresh_cache(root, root / "_build"), options.procesos)
    for failure in failures:
        name = failure.path.relative_to(root)
        print(f"\nFalla una celda de {name}:\n\n{failure.message}\n", file=sys.stderr)
    if failures:
        print("Corrige la celda y repite `make book`.", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
