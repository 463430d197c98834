"""El estudio de los horarios de la tasa, en `data/horarios/entrenamientos.csv`: coseno, WSD y constante.

Cada entrenamiento tarda menos de un minuto en un núcleo. Las órdenes están en `scripts/study.py`.

Lo que NO hace: compararlos, que es cosa del capítulo 12 de la semana 1.
"""

import functools
from dataclasses import dataclass

from tqdm import tqdm

from scripts.lint_common import ROOT
from scripts.study import Row, Study, main, near
from utils.corpus.grammar import FactGrammar
from utils.studies.scaling_run import Run, parameter_counts, train_run
from utils.train.schedule import learning_rate_factor, wsd_factor

WIDTH, BUDGET, SEEDS = 16, 6e10, 5  # cerca del fondo de su valle en el lab 8
#: Qué parte de los tokens del presupuesto se lee.
PARTS = (0.5, 1.0)
FACTORS = {
    "coseno": learning_rate_factor,
    "WSD": wsd_factor,
    "constante": lambda step, total, warmup: min(1.0, (step + 1) / warmup),
}
world = functools.cache(FactGrammar)


@dataclass(frozen=True)
class Planned:
    """Un entrenamiento: con qué horario, hasta dónde y con qué semilla."""

    schedule: str
    part: float
    seed: int


def plan(_rows: list[Row]) -> list[Planned]:
    """Todos los horarios de una semilla antes de pasar a la siguiente."""
    return [Planned(name, part, seed) for seed in range(SEEDS) for part in PARTS for name in FACTORS]


def execute(run: Planned) -> list[dict]:
    """Entrena con esa parte de los tokens del presupuesto, D = C / 6N, con su barra de progreso."""
    tokens = run.part * BUDGET / (6 * parameter_counts(WIDTH, world().vocab_size)[0])
    with tqdm(unit="paso", mininterval=1, leave=False) as bar:

        def progress(_step: int, steps: int) -> None:
            bar.total = steps
            bar.update()

        found = train_run(Run(WIDTH, tokens, run.seed), world(), progress, factor=FACTORS[run.schedule])[0]
    return [{"tokens": found.tokens, "loss": f"{found.loss:.6f}", "seconds": round(found.seconds)}]


COLUMNS = "schedule part seed tokens loss seconds"
#: En otra máquina cambian las sumas: se admite lo que cambia la pérdida de una semilla a otra.
STUDY = Study(ROOT / "data/horarios/entrenamientos.csv", COLUMNS, Planned, plan, execute, near(loss=0.03))

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
