"""Construye el libro en `_build/html`: ejecuta los capítulos y llama a Jupyter Book.

Cualquier aviso es un error.
Rehace el sitio desde cero cuando cambian las extensiones, el índice o la configuración, porque Sphinx no lo
nota; si solo cambia el texto de una página, rehace esa página.
No instala nada ni usa la red.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from execute_chapters import ROOT, fingerprint
from execute_chapters import main as execute_chapters

SITE_INPUTS = (
    "_config.yml",
    "_toc.yml",
    "_ext",
    "_locales",
    "_templates",
    "_static",
    "references.bib",
    "utils",
    "requirements.txt",
)


def prepare_folder(root: Path, build: Path) -> None:
    """Borra las páginas y los árboles de Sphinx si ha cambiado algo que él no vigila."""
    stamp = build / ".huella-del-sitio"
    current = fingerprint(root, SITE_INPUTS)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != current:
        for name in ("html", ".doctrees", "jupyter_execute"):
            shutil.rmtree(build / name, ignore_errors=True)
        build.mkdir(parents=True, exist_ok=True)
        stamp.write_text(current, encoding="utf-8")


def run_jupyter_book(root: Path) -> int:
    """Llama a Jupyter Book con los avisos como errores; devuelve su código de salida y calla si va bien."""
    program = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", program, "build", str(root), "-W", "-n", "--keep-going", "-q"]
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path}
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        print(result.stdout, file=sys.stderr)
    return result.returncode


def main(arguments: list[str] | None = None) -> int:
    """Programa: 0 si el libro se construye sin un solo aviso."""
    parser = argparse.ArgumentParser(description="Construye el libro en _build/html.")
    parser.add_argument("--root", type=Path, default=ROOT, help="carpeta del libro")
    root = parser.parse_args(arguments).root.resolve()
    start = time.monotonic()
    print("Ejecuto los capítulos…", flush=True)
    if execute_chapters(["--root", str(root)]):
        return 1
    prepare_folder(root, root / "_build")
    print("Construyo las páginas…", flush=True)
    page = root / "_build" / "html" / "index.html"
    if run_jupyter_book(root) or not page.exists():
        (root / "_build" / ".huella-del-sitio").unlink(missing_ok=True)
        print("El libro no se ha construido: arriba están los avisos y errores.", file=sys.stderr)
        return 1
    print(f"Libro listo en {time.monotonic() - start:.0f} s: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
