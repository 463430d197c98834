"""Leer los conjuntos de datos del curso: los JSONL del repositorio y los del hub, con los mismos campos.

Cada conjunto del hub tiene su lector, y `utils.course.roles` dice cuál es el de cada papel. No descarga nada: recibe
carpetas. No corrige datos: si una línea está rota, dice cuál.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "validation", "test")
DIALOGUE_FIELDS = ("id", "dialogue", "summary", "topic")


@dataclass(frozen=True)
class HubReader:
    """Cómo se lee un conjunto del hub: qué archivos se bajan (patrones) y qué los convierte en trozos de filas.

    `read` recibe la carpeta descargada y devuelve lo mismo que `read_jsonl_splits`.
    """

    files: tuple[str, ...]
    read: Callable[[Path], dict[str, list[dict]]]


def read_jsonl_splits(
    root: Path, folder: str, fields: tuple[str, ...], splits: tuple[str, ...] = SPLITS
) -> dict[str, list[dict]]:
    """Lee los trozos (`train.jsonl`, `validation.jsonl`, `test.jsonl`) de una carpeta de `root`, con esos campos."""
    absent = [split for split in splits if not (root / folder / f"{split}.jsonl").is_file()]
    if absent:
        raise FileNotFoundError(
            f"Faltan los datos {folder} ({', '.join(f'{split}.jsonl' for split in absent)}): "
            f"recupéralos con `git checkout -- {folder}` o ejecuta `make data`."
        )
    names = {split: f"{folder}/{split}.jsonl" for split in splits}
    return {split: read_jsonl(root / name, fields, shown=name) for split, name in names.items()}


def read_jsonl(path: Path, fields: tuple[str, ...], shown: str | None = None) -> list[dict]:
    """Lee un JSONL y exige que cada línea sea un objeto con esos campos de texto, no vacíos.

    Lanza `ValueError` con archivo y número de línea (`shown` es el nombre que se enseña).
    """
    shown = shown or path.name
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            where = f"{shown}, línea {number}"
            try:
                row = json.loads(line.decode("utf-8"))
            except UnicodeDecodeError as error:
                raise ValueError(f"{where}: no es UTF-8. Corrígela o ejecuta `make data`.") from error
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"{where}: no es JSON válido (columna {error.colno}). Corrígela o ejecuta `make data`."
                ) from error
            if not isinstance(row, dict):
                raise ValueError(f"{where}: se esperaba un objeto {{…}}. Corrígela o ejecuta `make data`.")
            for field in fields:
                if not isinstance(row.get(field), str) or not row[field].strip():
                    raise ValueError(f"{where}: el campo «{field}» falta o está vacío. Ejecuta `make data`.")
            rows.append(row)
    if not rows:
        raise ValueError(f"{shown} está vacío: recupéralo con git o ejecuta `make data`.")
    return rows


def read_dialogsum(folder: Path) -> dict[str, list[dict]]:
    """Lee DialogSum (`knkarthick/dialogsum`, Chen et al. 2021) con los campos de `data/dialogos`.

    En test el original repite cada diálogo tres veces (ids `test_0_1`, `test_0_2` y `test_0_3`): aquí es una
    fila con `references` de tres resúmenes y `summary` igual al primero.
    """
    import pandas

    splits = {}
    for split in SPLITS:
        tables = [path for path in folder.rglob("*") if path.suffix in (".csv", ".parquet")]
        files = sorted(path for path in tables if split in path.name)
        if not files:
            raise FileNotFoundError(f"DialogSum no trae ningún archivo de «{split}»: vuelve a descargarlo.")
        read = pandas.read_csv if files[0].suffix == ".csv" else pandas.read_parquet
        frame = read(files[0])
        absent = [column for column in DIALOGUE_FIELDS if column not in frame.columns]
        if absent:
            raise ValueError(f"A DialogSum ({split}) le faltan columnas: {', '.join(absent)}. ¿Cambió en el hub?")
        rows = [
            {key: str(row[key]).strip() for key in DIALOGUE_FIELDS} | {"domain": "dialogsum"}
            for row in frame.to_dict("records")
        ]
        splits[split] = _group_references(rows) if split == "test" else rows
    return splits


def _group_references(rows: list[dict]) -> list[dict]:
    """Junta las filas `X_1`, `X_2`, `X_3` de un mismo diálogo en una con `references`."""
    grouped: dict[str, dict] = {}
    for row in rows:
        base = re.sub(r"_[123]$", "", row["id"])
        first = grouped.setdefault(base, row | {"id": base, "references": []})
        if first["dialogue"] != row["dialogue"]:
            raise ValueError(f"DialogSum: las filas de «{base}» no comparten diálogo: vuelve a descargarlo.")
        first["references"].append(row["summary"])
    return list(grouped.values())


DIALOGSUM = HubReader(("*.csv", "*.parquet"), read_dialogsum)
