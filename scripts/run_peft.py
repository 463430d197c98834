"""Hace los entrenamientos del lab 14 y los apunta en `data/peft/entrenamientos.csv`, uno por línea.

    python -m scripts.run_peft              # los que falten; si se corta, sigue donde iba
    python -m scripts.run_peft --redo 3     # repite el de la línea 3 y lo compara con lo apuntado
    python -m scripts.run_peft --list       # qué hay y qué falta

Por tarea y método busca la tasa de aprendizaje con la pérdida de validación y, con la elegida, repite con otras
semillas, con otras longitudes de prompt y con `mini-t5`, que no se ha ajustado con instrucciones. Cada entrenamiento
dura unos segundos en un núcleo.

Lo que NO hace: mirar la prueba para elegir, ni dibujar, que es cosa del lab.
"""

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from scripts.lint_common import ROOT
from utils.course.hub import load_model, load_tokenizer
from utils.train.loop import evaluate_loss
from utils.train.objectives import Seq2Seq
from utils.train.peft_run import METHODS, SIZES, Run, encode, load_task, train_run

CSV = ROOT / "data" / "peft" / "entrenamientos.csv"
FIELDS = (
    "use", "base", "task", "method", "size", "learning_rate", "seed", "steps",
    "parameters", "validation_loss", "validation", "test", "seconds",
)  # fmt: skip
#: Las tasas que se prueban. Si la mejor cae en un extremo, se prueba una más por ese lado.
RATES = {
    "completo": (3e-4, 1e-3, 3e-3),
    "LoRA": (3e-3, 1e-2, 3e-2),
    "adaptadores": (3e-3, 1e-2, 3e-2),
    "prefijo": (0.1, 0.3, 1.0),
    "prompt blando": (0.3, 1.0, 3.0),
}
TASKS, STEPS, SEEDS, LENGTHS = ("lugar", "tercera"), 80, (0, 1, 2), (1, 3, 10, 30)
Row = dict[str, str]


@dataclass(frozen=True)
class Planned:
    """Un entrenamiento pendiente: para qué, desde qué modelo y cuál."""

    use: str
    base: str
    run: Run

    @property
    def key(self) -> tuple:
        run = self.run
        return self.base, run.task, run.method, run.size, run.learning_rate, run.seed

    def __str__(self) -> str:
        return " · ".join(map(str, (self.use, *self.key)))


def row_key(row: Row) -> tuple:
    """Lo que distingue una línea de otra."""
    numbers = int(row["size"]), float(row["learning_rate"]), int(row["seed"])
    return row["base"], row["task"], row["method"], *numbers


def searched(rows: list[Row], task: str, method: str) -> dict[float, float]:
    """Tasa -> pérdida de validación de lo ya probado con la semilla 0 y el tamaño de costumbre."""
    wanted = ("seq2seq", task, method, str(SIZES[method]), "0")
    return {
        float(row["learning_rate"]): float(row["validation_loss"])
        for row in rows
        if (row["base"], row["task"], row["method"], row["size"], row["seed"]) == wanted
    }


def next_rates(rows: list[Row], task: str, method: str) -> list[float]:
    """Las tasas que faltan por probar: las de la lista y, si gana un extremo, la siguiente por ese lado."""
    done = searched(rows, task, method)
    missing = [rate for rate in RATES[method] if rate not in done]
    if missing:
        return missing
    best = min(done, key=done.get)
    if best == max(done):
        return [float(f"{best * 3.16:.0e}")]
    return [float(f"{best / 3.16:.0e}")] if best == min(done) else []


def plan(rows: list[Row]) -> list[Planned]:
    """Lo que falta. Las otras fases no se pueden planear hasta que una tarea y un método tienen su tasa."""
    pending, done = [], {row_key(row) for row in rows}
    for task in TASKS:
        for method in METHODS:
            if rates := next_rates(rows, task, method):
                pending += [Planned("tasa", "seq2seq", _run(task, method, SIZES[method], rate, 0)) for rate in rates]
                continue
            tried = searched(rows, task, method)
            best = min(tried, key=tried.get)
            more = [("semilla", "seq2seq", SIZES[method], seed) for seed in SEEDS]
            if method == "prompt blando":
                more += [("longitud", "seq2seq", size, seed) for size in LENGTHS for seed in SEEDS]
            if task == "lugar" and method in ("completo", "prompt blando"):
                more += [("base", "seq2seq-base", SIZES[method], seed) for seed in SEEDS]
            planned = [Planned(use, base, _run(task, method, size, best, seed)) for use, base, size, seed in more]
            pending += [p for p in planned if p.key not in done]
    return list({p.key: p for p in pending}.values())


def _run(task: str, method: str, size: int, rate: float, seed: int) -> Run:
    return Run(task, method, size, rate, seed, steps=STEPS)


def execute(planned: Planned) -> Row:
    """Hace un entrenamiento y devuelve su línea."""
    run, task = planned.run, load_task(planned.run.task)
    base, tokenizer = load_model(planned.base), load_tokenizer(planned.base)
    outcome = train_run(base, tokenizer, task, run)
    loss = evaluate_loss(outcome.model, encode(tokenizer, task.validation), Seq2Seq(tokenizer.pad_token_id), 50)
    values = (
        planned.use, planned.base, run.task, run.method, run.size, run.learning_rate, run.seed, run.steps,
        outcome.parameters, f"{loss:.6f}", f"{np.mean(outcome.validation):.4f}", f"{np.mean(outcome.test):.4f}",
        f"{outcome.seconds:.1f}",
    )  # fmt: skip
    return dict(zip(FIELDS, map(str, values), strict=True))


def load(path: Path) -> list[Row]:
    """Las líneas ya apuntadas."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append(row: Row, path: Path) -> None:
    """Apunta un entrenamiento terminado."""
    fresh = not path.exists()
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="enseña qué hay y qué falta")
    parser.add_argument("--redo", type=int, metavar="N", help="repite el entrenamiento de la línea N, desde 1")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = load(CSV)
    if args.redo is not None:
        if not 1 <= args.redo <= len(rows):
            sys.exit(f"La línea {args.redo} no existe: hay {len(rows)} entrenamientos apuntados.")
        row = rows[args.redo - 1]
        base, task, method, size, rate, seed = row_key(row)
        now = execute(Planned(row["use"], base, _run(task, method, size, rate, seed)))
        print(f"apuntado {row['validation_loss']} y {row['test']}; ahora {now['validation_loss']} y {now['test']}")
        return
    if args.list:
        print(*(f"hecho {row_key(row)}" for row in rows), *(f"falta {p}" for p in plan(rows)), sep="\n")
        return
    while pending := plan(load(CSV)):
        print(f"faltan al menos {len(pending)}: {pending[0]}")
        append(execute(pending[0]), CSV)


if __name__ == "__main__":
    main()
