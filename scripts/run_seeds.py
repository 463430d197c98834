"""Ejecuta los labs con varias semillas y apunta en labs/semillas.csv qué comprobaciones fallan con cada una.

Una fila por lab y semilla. Lo que ya está apuntado no se repite: para volver a medir un lab, borra sus filas. Una celda
que falla no detiene las demás. No toca los cuadernos ni las cifras que citan los capítulos.
"""

import argparse
import csv
import datetime
import io
import re
import sys
from pathlib import Path

from nbformat import NotebookNode

from scripts.run_labs import ANSI, LABS, blank, code_cells, kernel, lab_id, write_atomic

FIELDS = ("lab", "seed", "checks", "failed", "date")
CHECK = re.compile(r"^\s*(?:claim\(|assert )", re.MULTILINE)


def failure(output: NotebookNode) -> str:
    """Devuelve en una línea por qué ha fallado una celda: la afirmación, el error o la línea del `assert`.

    >>> failure(NotebookNode(ename="AssertionError", evalue="La caché ahorra", traceback=[]))
    'La caché ahorra'
    """
    if output.ename != "AssertionError":
        return f"{output.ename}: {output.evalue}".partition("\n")[0]
    arrow = re.search(r"^-+> *\d+ *(.*)", ANSI.sub("", "\n".join(output.traceback)), re.MULTILINE)
    return output.evalue.partition("\n")[0] or (arrow[1] if arrow else "assert")


def row(notebook: NotebookNode, lab: str, seed: int) -> dict[str, str]:
    """Resume un cuaderno ejecutado: cuántas comprobaciones hay en las celdas que acaban bien y cuáles fallan."""
    checks, failed = 0, []
    for cell in code_cells(notebook):
        errors = [failure(output) for output in cell.outputs if output.output_type == "error"]
        checks += 0 if errors else len(CHECK.findall(cell.source))
        failed += errors
    date = datetime.date.today().isoformat()
    return {"lab": lab, "seed": str(seed), "checks": str(checks), "failed": " | ".join(failed), "date": date}


def read_table(path: Path) -> list[dict[str, str]]:
    """Lee la tabla; vacía, si no existe."""
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8")))) if path.exists() else []


def add(path: Path, new: dict[str, str]) -> None:
    """Añade una fila a la tabla, en orden, y la escribe de una vez."""
    table = sorted([*read_table(path), new], key=lambda row: (row["lab"], int(row["seed"])))
    file = io.StringIO()
    writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_atomic(path, file.getvalue())


def run(path: Path, seed: int) -> NotebookNode:
    """Ejecuta un lab entero con una semilla, aunque fallen celdas, y devuelve el cuaderno."""
    notebook = blank(path)
    with kernel(notebook, path.parent, keep_going=True, CURSO_SEMILLA=str(seed)) as client:
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    return notebook


def main(arguments: list[str] | None = None, folder: Path = LABS) -> int:
    """Mide los labs pedidos (todos, si no se pide ninguno) con las semillas de 0 a `--seeds` - 1."""
    parser = argparse.ArgumentParser(description="Comprueba las afirmaciones de los labs con varias semillas.")
    parser.add_argument("lab", nargs="*", help="identificador, como lab-04; sin ninguno, todos")
    parser.add_argument("--seeds", type=int, default=10, help="cuántas semillas, desde la 0 (10)")
    options = parser.parse_args(arguments)
    table = folder / "semillas.csv"
    failed = 0
    for path in sorted(folder.glob("lab-*.ipynb")):
        lab = lab_id(path)
        if options.lab and lab not in options.lab:
            continue
        done = {int(row["seed"]) for row in read_table(table) if row["lab"] == lab}
        for seed in sorted(set(range(options.seeds)) - done):
            found = row(run(path, seed), lab, seed)
            add(table, found)
            failed += bool(found["failed"])
            print(f"{lab}, semilla {seed}: {found['failed'] or 'todo se cumple'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
