"""Lee los entrenamientos apuntados en `data/olvido/entrenamientos.csv`, con los aciertos de cada ejemplo de prueba.

Los aciertos van en una columna como «copia:1101 tema:0111»: un uno o un cero por ejemplo, en el orden de siempre. Con
ellos se pueden emparejar dos entrenamientos, cosa que con las medias no se puede.

Lo que NO hace: entrenar; de eso se encarga `scripts/run_forgetting.py`.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class TaskRun:
    """Un entrenamiento: qué estudio, con qué método y valor, y sus aciertos por tarea, cada uno (N,)."""

    study: str
    method: str
    value: float
    seed: int
    hits: dict[str, np.ndarray]


def encode_hits(hits: Mapping[str, np.ndarray]) -> str:
    """Los aciertos de cada tarea en una línea.

    >>> encode_hits({"copia": np.array([1.0, 0.0]), "tema": np.array([1.0, 1.0])})
    'copia:10 tema:11'
    """
    return " ".join(f"{task}:{''.join('1' if hit else '0' for hit in values)}" for task, values in hits.items())


def decode_hits(line: str) -> dict[str, np.ndarray]:
    """El camino de vuelta. Error si un trozo no es «tarea:unos y ceros».

    >>> decode_hits("copia:10")["copia"].tolist()
    [1.0, 0.0]
    """
    hits = {}
    for part in line.split():
        task, _, digits = part.partition(":")
        if not digits or set(digits) - {"0", "1"}:
            raise ValueError(f"«{part[:40]}» no es «tarea:» y una fila de unos y ceros.")
        hits[task] = np.array([float(digit) for digit in digits])  # (N,)
    return hits


def load_runs(path: Path, study: str, method: str | None = None) -> list[TaskRun]:
    """Los entrenamientos apuntados de un estudio y, si se da, de un método. Error si no hay ninguno."""
    if not path.exists():
        raise ValueError(f"No existe {path.name}: recupéralo con git o ejecuta scripts/run_forgetting.py.")
    with path.open(encoding="utf-8", newline="") as file:
        runs = [
            TaskRun(r["study"], r["method"], float(r["value"]), int(r["seed"]), decode_hits(r["hits"]))
            for r in csv.DictReader(file)
            if r["study"] == study and method in (None, r["method"])
        ]
    if not runs:
        raise ValueError(f"No hay entrenamientos de «{study}»{f' con «{method}»' if method else ''} en {path.name}.")
    return runs
