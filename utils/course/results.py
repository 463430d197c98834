"""Las cifras de cada lab, guardadas para que los capítulos las citen sin escribirlas a mano.

Un lab termina con `save_results`; un capítulo las lee con `load_results`. Solo se escriben con `make labs` (que pone
`CURSO_GUARDAR=1`): si un lector ejecuta el lab con otra semilla, los números del libro no cambian.
"""

import json
import os
from dataclasses import asdict, is_dataclass

from utils.course.env import repo_root


def _plain(value):
    if is_dataclass(value):
        return asdict(value)
    return value._asdict() if hasattr(value, "_asdict") else float(value)


def save_results(lab: str, results: dict) -> None:
    """Guarda números e intervalos en `labs/resultados/<lab>.json`, solo si `CURSO_GUARDAR=1`."""
    if os.environ.get("CURSO_GUARDAR") != "1":
        return
    path = repo_root() / "labs" / "resultados" / f"{lab}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    plain = {name: _plain(value) for name, value in results.items()}
    temporary.write_text(json.dumps(plain, indent=2, ensure_ascii=False) + "\n", "utf-8")
    temporary.replace(path)


def load_results(lab: str) -> dict:
    """Devuelve las cifras guardadas de un lab. Lanza `ValueError` si aún no se ha ejecutado con `make labs`."""
    path = repo_root() / "labs" / "resultados" / f"{lab}.json"
    if not path.exists():
        raise ValueError(f"No hay resultados de {lab}: ejecuta «make labs LAB={lab}».")
    return json.loads(path.read_text("utf-8"))
