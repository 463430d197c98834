"""Las cifras de cada lab, guardadas para que los capítulos las citen sin escribirlas a mano.

Un lab termina con `save_results`; un capítulo las lee con `load_results`. Solo se escriben con `make labs` (que pone
`CURSO_GUARDAR=1`): si un lector ejecuta el lab con otra semilla, los números del libro no cambian.
"""

import json
import os
from dataclasses import asdict, is_dataclass
from types import SimpleNamespace

from utils.course.env import repo_root


def _plain(value):
    """Deja en números y listas lo que un lab guarda: intervalos, números o curvas [(paso, valor), ...]."""
    if is_dataclass(value):
        return asdict(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return round(float(value), 6)


def save_results(lab: str, results: dict) -> None:
    """Guarda números, intervalos y curvas en `labs/resultados/<lab>.json`, solo si `CURSO_GUARDAR=1`."""
    if os.environ.get("CURSO_GUARDAR") != "1":
        return
    path = repo_root() / "labs" / "resultados" / f"{lab}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    plain = {name: _plain(value) for name, value in results.items()}
    temporary.write_text(json.dumps(plain, indent=2, ensure_ascii=False) + "\n", "utf-8")
    temporary.replace(path)


def load_results(lab: str) -> dict:
    """Devuelve las cifras guardadas de un lab; un intervalo se lee como `r["base"].estimate`, `.low` y `.high`.

    Lanza `ValueError` si el lab aún no se ha ejecutado con `make labs`.
    """
    path = repo_root() / "labs" / "resultados" / f"{lab}.json"
    if not path.exists():
        raise ValueError(f"No hay resultados de {lab}: ejecuta «make labs LAB={lab}».")
    results = json.loads(path.read_text("utf-8"))
    return {name: SimpleNamespace(**value) if isinstance(value, dict) else value for name, value in results.items()}
