"""El estudio de la calidad de los datos, en `data/calidad/entrenamientos.csv`: dos tamaños, cinco mezclas y semillas.

Cada entrenamiento tarda menos de un minuto en un núcleo. Las órdenes están en `scripts/study.py`.

Lo que NO hace: comparar las mezclas, que es cosa del capítulo 9 de la semana 1.
"""

import functools
from dataclasses import dataclass

from tqdm import tqdm

from scripts.lint_common import ROOT
from scripts.study import Row, Study, main, near
from utils.corpus.grammar import FactGrammar
from utils.studies.quality_run import MIXES, train_on
from utils.studies.scaling_run import Run, parameter_counts

#: Ancho del modelo y presupuesto de cómputo, en operaciones: cerca del fondo de su valle en el lab 8.
SIZES = {16: 6e10, 24: 2e11}
SEEDS = 5
world = functools.cache(FactGrammar)


@dataclass(frozen=True)
class Planned:
    """Un entrenamiento: con qué mezcla, ancho y semilla."""

    mix: str
    width: int
    seed: int


def plan(_rows: list[Row]) -> list[Planned]:
    """Todas las mezclas de una semilla antes de pasar a la siguiente."""
    return [Planned(mix, width, seed) for width in SIZES for seed in range(SEEDS) for mix in MIXES]


def execute(run: Planned) -> list[dict]:
    """Entrena con tantos tokens como da el presupuesto, D = C / 6N, con su barra de progreso."""
    tokens = SIZES[run.width] / (6 * parameter_counts(run.width, world().vocab_size)[0])
    with tqdm(unit="paso", mininterval=1, leave=False) as bar:

        def progress(_step: int, steps: int) -> None:
            bar.total = steps
            bar.update()

        found = train_on(run.mix, Run(run.width, tokens, run.seed), world(), progress)
    return [{"tokens": found.tokens, "loss": f"{found.loss:.6f}", "seconds": round(found.seconds)}]


COLUMNS = "mix width seed tokens loss seconds"
#: En otra máquina cambian las sumas: se admite lo que cambia la pérdida de una semilla a otra.
STUDY = Study(ROOT / "data/calidad/entrenamientos.csv", COLUMNS, Planned, plan, execute, near(loss=0.03))

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
