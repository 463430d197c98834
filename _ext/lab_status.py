"""Directiva `{estado-de-los-labs}`: lo que midió `make labs` la última vez y con cuántas semillas se sostiene cada lab.

Lee `labs/estado.json` y `labs/semillas.csv`, de `make semillas`. Si el primero no existe lo dice en una frase: aquí no
se escribe ninguna cifra a mano.
"""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from utils.course.numerals import number

HEADER = ("Lab", "Tiempo", "Memoria máxima", "Fecha", "Python", "torch", "Núcleos", "Lo que afirma")
FIELDS = ("title", "seconds", "peak_mb", "date", "python", "torch", "cores")
MISSING = ("Todavía no hay medidas: aparecerán cuando ", "make labs", " ejecute los cuadernos y las guarde.")
MONTHS = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)


def spanish_date(text: str) -> str:
    """Fecha ISO en español; si no es una fecha, el texto tal cual.

    >>> spanish_date("2026-11-21")
    '21 de noviembre de 2026'
    """
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return f"{day.day} de {MONTHS[day.month - 1]} de {day.year}"


def read_seeds(path: Path) -> dict[str, str]:
    """De cada lab con semillas apuntadas, con cuántas se sostiene todo lo que afirma; vacío si no hay tabla."""
    failed: dict[str, list[str]] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                failed.setdefault(row["lab"], []).append(row["failed"])
    return {lab: held(rows.count(""), len(rows)) for lab, rows in failed.items()}


def held(good: int, tried: int) -> str:
    """Con cuántas semillas se sostiene un lab, en español.

    >>> held(3, 3), held(9, 10)
    ('sostenido en 3 semillas', 'sostenido en 9 de 10 semillas')
    """
    return f"sostenido en {good if good == tried else f'{good} de {tried}'} semilla{'s' * (tried > 1)}"


def read_status(path: Path) -> list[tuple[str, ...]]:
    """Filas de la tabla, ordenadas por lab. `ValueError` si al archivo le falta un campo."""
    data = json.loads(path.read_text(encoding="utf-8"))
    seeds = read_seeds(path.parent / "semillas.csv")
    rows = []
    for lab, row in sorted(data.items()):
        missing = [name for name in FIELDS if name not in row]
        if missing:
            raise ValueError(f"A {lab} le faltan {', '.join(missing)}. Vuelve a ejecutar `make labs`.")
        rows.append(
            (
                f"{lab} · {row['title']}",
                f"{number(row['seconds'], 0)} s",
                f"{number(row['peak_mb'], 0)} MB",
                spanish_date(str(row["date"])),
                str(row["python"]),
                str(row["torch"]),
                str(row["cores"]),
                seeds.get(lab, "con una semilla"),
            )
        )
    return rows


def build_table(rows: list[tuple[str, ...]]) -> nodes.table:
    """Tabla de docutils con cabecera."""
    group = nodes.tgroup(cols=len(HEADER))
    group += [nodes.colspec(colwidth=1) for _ in HEADER]
    head, body = nodes.thead(), nodes.tbody()
    for target, cells in [(head, HEADER), *((body, row) for row in rows)]:
        line = nodes.row()
        line += [nodes.entry("", nodes.paragraph(text=cell)) for cell in cells]
        target += line
    group += [head, body]
    return nodes.table("", group, classes=["estado-labs"])


class LabStatus(SphinxDirective):
    """Directiva sin argumentos."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Devuelve la tabla, o la frase que dice que aún no hay medidas."""
        path = Path(self.env.srcdir) / "labs" / "estado.json"
        for read in (path, path.parent / "semillas.csv"):
            self.env.note_dependency(str(read))
        if not path.exists():
            before, command, after = MISSING
            return [
                nodes.paragraph("", "", nodes.Text(before), nodes.literal(text=command), nodes.Text(after))
            ]
        try:
            return [build_table(read_status(path))]
        except (ValueError, TypeError, AttributeError) as error:
            raise self.error(f"No se puede leer labs/estado.json: {error}") from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Registra la directiva."""
    app.add_directive("estado-de-los-labs", LabStatus)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
