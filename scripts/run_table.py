"""La tabla donde los programas `run_*` apuntan sus entrenamientos: una línea cada uno, en un CSV.

Lo que NO hace: decidir qué entrenamientos hacen falta ni comparar los repetidos, que es cosa de cada programa.
"""

import csv
import sys
from pathlib import Path

Row = dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """Las líneas ya apuntadas, como texto; ninguna si todavía no hay archivo."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append_row(path: Path, row: dict) -> None:
    """Apunta un entrenamiento al final, con las columnas que ya tiene el archivo o, si es nuevo, las de `row`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8", newline="") as file:
        file.seek(0)
        header = next(csv.reader(file), None)
        writer = csv.DictWriter(file, header or list(row), lineterminator="\n")
        if header is None:
            writer.writeheader()
        writer.writerow(row)


def pick_row(rows: list[Row], number: int) -> Row:
    """La línea `number`, desde 1, para repetirla; si no existe, termina el programa y dice cuántas hay."""
    if not 1 <= number <= len(rows):
        sys.exit(f"La línea {number} no existe: hay {len(rows)} entrenamientos apuntados.")
    return rows[number - 1]
