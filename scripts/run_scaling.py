"""El estudio del lab 8, en `data/escala/entrenamientos.csv`: modelos de varios anchos con varios presupuestos.

Cada entrenamiento tarda menos de 5 minutos en un núcleo. Las órdenes están en `scripts/study.py`.

Lo que NO hace: ajustar la ley, que es cosa del lab.
"""

import functools
from dataclasses import dataclass

from tqdm import tqdm

from scripts.lint_common import ROOT
from scripts.study import Row, Study, main, near
from utils.corpus.grammar import FactGrammar
from utils.studies.scaling_run import Run, parameter_counts, train_run

#: Por presupuesto, en operaciones: anchos, y con cuántas semillas.
FITTED = {
    6e10: ((8, 12, 16, 24, 32), 3),
    2e11: ((12, 16, 24, 32, 48), 3),
    6e11: ((16, 24, 32, 48, 64), 2),
    2e12: ((24, 32, 48, 64, 96), 1),
}
#: Los que se predicen, el triple de caros: uno mayor que todos los demás y otro cerca del fondo de su valle.
HELD_OUT = (6e12, (128, 64))
world = functools.cache(FactGrammar)


@dataclass(frozen=True)
class Planned:
    """Un entrenamiento: para ajustar la ley o de reserva, con qué cómputo, ancho y semilla."""

    use: str
    budget: float
    width: int
    seed: int


def plan(_rows: list[Row]) -> list[Planned]:
    """La primera semilla, los reservados y las demás semillas."""
    runs = [Planned("ajuste", budget, width, 0) for budget, (widths, _) in FITTED.items() for width in widths]
    runs += [Planned("reserva", HELD_OUT[0], width, 0) for width in HELD_OUT[1]]
    for budget, (widths, seeds) in FITTED.items():
        runs += [Planned("ajuste", budget, width, seed) for seed in range(1, seeds) for width in widths]
    return runs


def execute(run: Planned) -> list[dict]:
    """Entrena con tantos tokens como da el presupuesto, D = C / 6N, con su barra de progreso."""
    tokens = run.budget / (6 * parameter_counts(run.width, world().vocab_size)[0])
    with tqdm(unit="paso", mininterval=1, leave=False) as bar:

        def progress(_step: int, steps: int) -> None:
            bar.total = steps
            bar.update()

        found = train_run(Run(run.width, tokens, run.seed), world(), progress)[0]
    counts = {"parameters": found.parameters, "non_embedding": found.non_embedding, "tokens": found.tokens}
    measured = {"loss": f"{found.loss:.6f}", "seconds": round(found.seconds)}
    return [{"budget": f"{run.budget:.0e}"} | counts | measured]


COLUMNS = "use budget width seed parameters non_embedding tokens loss seconds"
#: En otra máquina cambian las sumas: se admite lo que cambia la pérdida de una semilla a otra.
STUDY = Study(ROOT / "data/escala/entrenamientos.csv", COLUMNS, Planned, plan, execute, near(loss=0.02))

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
