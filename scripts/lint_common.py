"""Lo que comparten los revisores: el problema, su línea de informe y las rutas de una máquina concreta.

No revisa nada por sí mismo: cada `lint_*.py` aporta sus reglas.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SKIPPED_FOLDERS = {"_build", "node_modules", "vendor", "__pycache__"}

# Carpetas de una máquina concreta; no las de Colab (/content) ni Kaggle (/kaggle), iguales para todos.
MACHINE_PATH = re.compile(r"(?<![\w.~+/-])/(?:home|root|work|tmp)(?:/[^\s\"'<>)]*|\b)|[A-Za-z]:\\+Users\b")


class Problem(NamedTuple):
    """Algo que corregir: dónde, qué pasa y cómo se arregla."""

    path: Path
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        """Devuelve la línea del informe.

        >>> str(Problem(Path("a.md"), 3, "hay dos espacios seguidos", "Deja uno."))
        'a.md:3: hay dos espacios seguidos. Deja uno.'
        """
        path = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{path}:{self.line}: {self.what}. {self.fix}"


def machine_paths(text: str) -> list[str]:
    """Devuelve las rutas de una máquina concreta que aparecen en un texto.

    >>> machine_paths("guardado en /home/ana/x.pt y en /content/x.pt")
    ['/home/ana/x.pt']
    """
    return MACHINE_PATH.findall(text)


def files(pattern: str, root: Path = ROOT) -> Iterator[Path]:
    """Recorre en orden los archivos del proyecto que casan, sin entornos, cachés ni nada construido."""
    for path in sorted(root.rglob(pattern)):
        parts = path.relative_to(root).parts[:-1]
        if not any(part in SKIPPED_FOLDERS or part.startswith(".") for part in parts):
            yield path


def report(problems: Iterable[Problem], label: str) -> int:
    """Imprime los problemas y devuelve el código de salida: 0 si no hay ninguno, 1 si los hay."""
    found = list(problems)
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print(f"{label}: {len(found)} problema(s).", file=sys.stderr)
    return 1 if found else 0
