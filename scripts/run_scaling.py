"""Hace los entrenamientos del lab 8 y los apunta en `data/escala/entrenamientos.csv`, uno por línea.

    python scripts/run_scaling.py              # los que falten; si se corta, sigue donde iba
    python scripts/run_scaling.py --redo 3     # repite el de la línea 3 y lo compara con lo apuntado
    python scripts/run_scaling.py --list       # qué hay y qué falta

Cada uno tarda menos de 5 minutos en un núcleo y no depende de los demás. Con un solo hilo (`OMP_NUM_THREADS=1`) la
pérdida se repite hasta la última cifra en la misma máquina.

Lo que NO hace: ajustar la ley, que es cosa del lab.
"""

import argparse

import torch
from tqdm import tqdm

from scripts.lint_common import ROOT
from scripts.run_table import Row, append_row, pick_row, read_rows
from utils.corpus.grammar import FactGrammar
from utils.studies.scaling_run import Outcome, Run, parameter_counts, train_run

CSV = ROOT / "data" / "escala" / "entrenamientos.csv"
FIELDS = ("use", "budget", "width", "seed", "parameters", "non_embedding", "tokens", "loss", "seconds")
#: Por presupuesto, en operaciones: anchos, y con cuántas semillas.
FITTED = {
    6e10: ((8, 12, 16, 24, 32), 3),
    2e11: ((12, 16, 24, 32, 48), 3),
    6e11: ((16, 24, 32, 48, 64), 2),
    2e12: ((24, 32, 48, 64, 96), 1),
}
#: Los que se predicen, el triple de caros: uno mayor que todos los demás y otro cerca del fondo de su valle.
HELD_OUT = (6e12, (128, 64))

Planned = tuple[str, float, Run]


def plan(world: FactGrammar) -> list[Planned]:
    """Todos los entrenamientos, en orden: la primera semilla, los reservados y las demás semillas."""

    def make(use: str, budget: float, width: int, seed: int) -> Planned:
        tokens = budget / (6 * parameter_counts(width, world.vocab_size)[0])
        return use, budget, Run(width, tokens, seed)

    runs = [make("ajuste", c, width, 0) for c, (widths, _) in FITTED.items() for width in widths]
    runs += [make("reserva", HELD_OUT[0], width, 0) for width in HELD_OUT[1]]
    for budget, (widths, seeds) in FITTED.items():
        runs += [make("ajuste", budget, width, seed) for seed in range(1, seeds) for width in widths]
    return runs


def key(row: Row) -> tuple[float, int, int]:
    return float(row["budget"]), int(row["width"]), int(row["seed"])


def describe(use: str, budget: float, run: Run) -> str:
    return f"{use} C = {budget:.0e}, ancho {run.width}, semilla {run.seed}"


def execute(planned: Planned, world: FactGrammar) -> Outcome:
    """Hace un entrenamiento con su barra de progreso."""
    with tqdm(desc=describe(*planned), unit="paso", mininterval=1) as bar:

        def progress(step: int, steps: int) -> None:
            bar.total = steps
            bar.update()

        return train_run(planned[2], world, progress)[0]


def line(planned: Planned, outcome: Outcome) -> Row:
    """La línea de un entrenamiento terminado."""
    use, budget, run = planned
    counts = (outcome.parameters, outcome.non_embedding, outcome.tokens)
    values = (use, f"{budget:.0e}", run.width, run.seed, *counts, f"{outcome.loss:.6f}", round(outcome.seconds))
    return dict(zip(FIELDS, map(str, values), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="enseña qué hay y qué falta")
    parser.add_argument("--redo", type=int, metavar="N", help="repite el entrenamiento de la línea N, desde 1")
    args = parser.parse_args()
    torch.set_num_threads(1)
    world, rows = FactGrammar(), read_rows(CSV)
    runs = plan(world)
    done = {key(row) for row in rows}
    if args.redo is not None:
        row = pick_row(rows, args.redo)
        (planned,) = [p for p in runs if (p[1], p[2].width, p[2].seed) == key(row)]
        outcome = execute(planned, world)
        print(f"apuntado {float(row['loss']):.6f}, ahora {outcome.loss:.6f}: {outcome.loss - float(row['loss']):+.6f}")
        return
    for planned in runs:
        there = (planned[1], planned[2].width, planned[2].seed) in done
        if args.list:
            print("hecho" if there else "falta", describe(*planned))
        elif not there:
            append_row(CSV, line(planned, execute(planned, world)))


if __name__ == "__main__":
    main()
