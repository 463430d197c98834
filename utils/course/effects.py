"""Los efectos de un lab con cada semilla, elemento a elemento: lo que hace falta para un intervalo que incluya el azar.

Un lab los da con `save_effects` y solo se guardan con `make semillas` (que pone `CURSO_EFECTOS=1`) o `make labs`: si un
lector lo ejecuta con otra semilla, los números del libro no cambian. El intervalo lo calcula `utils.measure.nested`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from utils.course.env import repo_root, seed

#: Lo que puede ocupar el archivo de un lab, en bytes.
LIMIT = 100_000
Effects = dict[str, dict[int, np.ndarray]]


def effects_path(lab: str) -> Path:
    """Dónde están los efectos de un lab: `labs/efectos/<lab>.json`."""
    return repo_root() / "labs" / "efectos" / f"{lab}.json"


def save_effects(lab: str, effects: Mapping[str, Sequence[float] | np.ndarray]) -> None:
    """Guarda los de la semilla de hoy, con tres cifras: de cada efecto, un valor por elemento, (N,).

    Si el efecto es una diferencia, va ya restada. Sustituye lo que hubiera de esa semilla y respeta las demás.
    `ValueError` si el archivo pasa de `LIMIT`: guarda menos efectos o menos elementos.
    """
    if "1" not in (os.environ.get("CURSO_GUARDAR"), os.environ.get("CURSO_EFECTOS")):
        return
    path = effects_path(lab)
    stored = json.loads(path.read_text("utf-8")) if path.exists() else {}
    table = {}
    for name, values in effects.items():
        seeds = stored.get(name, {}) | {str(seed()): [float(f"{value:.3g}") for value in values]}
        table[name] = {key: seeds[key] for key in sorted(seeds, key=int)}
    text = json.dumps(table, separators=(",", ":")).replace('},"', '},\n"').replace('],"', '],\n"') + "\n"
    if len(text) > LIMIT:
        raise ValueError(f"Los efectos de {lab} ocupan {len(text)} bytes y caben {LIMIT}: guarda menos efectos.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)


def load_effects(lab: str) -> Effects:
    """Devuelve {efecto: {semilla: valores (N,)}}; vacío si nadie los ha guardado."""
    path = effects_path(lab)
    stored = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: {int(key): np.array(row) for key, row in seeds.items()} for name, seeds in stored.items()}
