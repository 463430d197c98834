"""El estudio de los labs, en `labs/semillas.csv`: qué comprobaciones de cada uno fallan con diez semillas.

De paso guarda en `labs/efectos/` lo que el lab da a `save_effects`, con lo que se calculan los intervalos anidados.

Una fila por lab y semilla. Para volver a medir un lab, borra sus filas. Una celda que falla no detiene las demás.
No toca los cuadernos ni las cifras que citan los capítulos. Las órdenes están en `scripts/study.py`.
"""

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from tqdm import tqdm

from scripts.run_labs import ANSI, LABS, blank, code_cells, kernel, lab_id
from scripts.study import Row, Study, main, same

SEEDS = range(10)
EFFECTS = 5  # semillas de las que se guardan los efectos: con más, el archivo de un lab pasaría de 100 KB
CHECK = re.compile(r"^\s*(?:claim\(|invariant\(|assert )", re.MULTILINE)


def failure(output: NotebookNode) -> str:
    """Devuelve en una línea por qué ha fallado una celda: la afirmación, el error o la línea del `assert`.

    >>> failure(NotebookNode(ename="AssertionError", evalue="La caché ahorra", traceback=[]))
    'La caché ahorra'
    """
    if output.ename != "AssertionError":
        return f"{output.ename}: {output.evalue}".partition("\n")[0]
    arrow = re.search(r"^-+> *\d+ *(.*)", ANSI.sub("", "\n".join(output.traceback)), re.MULTILINE)
    return output.evalue.partition("\n")[0] or (arrow[1] if arrow else "assert")


def row(notebook: NotebookNode, lab: str, seed: int) -> Row:
    """Resume un cuaderno ejecutado: cuántas comprobaciones hay en las celdas que acaban bien y cuáles fallan."""
    checks, failed = 0, []
    for cell in code_cells(notebook):
        errors = [failure(output) for output in cell.outputs if output.output_type == "error"]
        checks += 0 if errors else len(CHECK.findall(cell.source))
        failed += errors
    date = datetime.date.today().isoformat()
    return {"lab": lab, "seed": str(seed), "checks": str(checks), "failed": " | ".join(failed), "date": date}


def run(path: Path, seed: int) -> NotebookNode:
    """Ejecuta un lab entero con una semilla, aunque fallen celdas, y devuelve el cuaderno."""
    notebook = blank(path)
    variables = {"CURSO_SEMILLA": str(seed), "CURSO_EFECTOS": str(int(seed < EFFECTS))}
    with kernel(notebook, path.parent, keep_going=True, **variables) as client:
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    return notebook


@dataclass(frozen=True)
class Planned:
    """Un lab, por su identificador, y una semilla."""

    lab: str
    seed: int


def plan(_rows: list[Row], folder: Path = LABS) -> list[Planned]:
    """Todos los labs de una carpeta, cada uno con todas las semillas."""
    return [Planned(lab_id(path), seed) for path in sorted(folder.glob("lab-*.ipynb")) for seed in SEEDS]


def execute(planned: Planned, folder: Path = LABS) -> list[Row]:
    """Ejecuta un lab con su semilla y dice enseguida lo que falla."""
    (path,) = folder.glob(f"{planned.lab}-*.ipynb")
    found = row(run(path, planned.seed), planned.lab, planned.seed)
    if found["failed"]:
        tqdm.write(f"falla     {found['failed']}")
    return [found]


STUDY = Study(
    LABS / "semillas.csv",
    "lab seed checks failed date",
    Planned,
    plan,
    execute,
    same("checks", "failed"),
    partial=True,  # el plan entero son horas y crece con cada lab
)

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
