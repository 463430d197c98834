"""Hace los entrenamientos del lab 14 y los apunta en `data/peft/entrenamientos.csv`, uno por línea.

    python -m scripts.run_peft              # los que falten; si se corta, sigue donde iba
    python -m scripts.run_peft --redo 3     # repite el de la línea 3 y lo compara con lo apuntado
    python -m scripts.run_peft --hard 0     # busca un prompt duro con la semilla 0, para `data/peft/consignas.csv`
    python -m scripts.run_peft --list       # qué hay y qué falta

Por tarea y método busca la tasa de aprendizaje con la pérdida de validación y, con la elegida, entrena prompts blandos
de otras longitudes. Cada entrenamiento dura unos segundos en un núcleo.

Lo que NO hace: mirar la prueba para elegir, ni dibujar, que es cosa del lab.
"""

import argparse
import functools
from dataclasses import dataclass

import numpy as np
import torch

from scripts.lint_common import ROOT
from scripts.run_table import Row, append_row, pick_row, read_rows
from utils.course.hub import load_model, load_tokenizer
from utils.studies.peft_run import METHODS, SIZES, STARTS, Run, Task, encode, exact_matches, load_task, train_run
from utils.train.loop import evaluate_loss
from utils.train.objectives import Seq2Seq
from utils.tune.hard_prompts import search
from utils.tune.soft_prompts import PromptTuning

CSV = ROOT / "data" / "peft" / "entrenamientos.csv"
HARD_CSV = CSV.with_name("consignas.csv")
HARD_FIELDS = ("seed", "steps", "candidates", "loss_before", "loss", "validation", "test", "ids", "text")
FIELDS = (
    "use", "task", "method", "size", "learning_rate", "seed", "steps",
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
TASKS, STEPS, SEEDS, LENGTHS = ("lugar", "tercera"), 60, (0, 1), (1, 3, 10, 30)


@dataclass(frozen=True)
class Planned:
    """Un entrenamiento pendiente: para qué y cuál."""

    use: str
    run: Run

    @property
    def key(self) -> tuple:
        run = self.run
        return run.task, run.method, run.size, run.learning_rate, run.seed

    def __str__(self) -> str:
        return " · ".join(map(str, (self.use, *self.key)))


def row_key(row: Row) -> tuple:
    """Lo que distingue una línea de otra."""
    numbers = int(row["size"]), float(row["learning_rate"]), int(row["seed"])
    return row["task"], row["method"], *numbers


def searched(rows: list[Row], task: str, method: str) -> dict[float, float]:
    """Tasa -> pérdida de validación de lo ya probado con la semilla 0 y el tamaño de costumbre."""
    wanted = (task, method, str(SIZES[method]), "0")
    return {
        float(row["learning_rate"]): float(row["validation_loss"])
        for row in rows
        if (row["task"], row["method"], row["size"], row["seed"]) == wanted
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
    """Lo que falta. Las longitudes no se pueden planear hasta que se sabe la mejor tasa."""
    pending, later, done = [], [], {row_key(row) for row in rows}
    for task in TASKS:
        for method in METHODS:
            if rates := next_rates(rows, task, method):
                pending += [Planned("tasa", _run(task, method, SIZES[method], rate, 0)) for rate in rates]
            elif method == "prompt blando":
                tried = searched(rows, task, method)
                best = min(tried, key=tried.get)
                planned = [
                    Planned("longitud", _run(task, method, size, best, seed)) for size in LENGTHS for seed in SEEDS
                ]
                later += [p for p in planned if p.key not in done]
    return pending + later


def _run(task: str, method: str, size: int, rate: float, seed: int) -> Run:
    return Run(task, method, size, rate, seed, steps=STEPS)


@functools.cache
def task_of(name: str) -> Task:
    return load_task(name)


@functools.cache
def base_model() -> tuple:
    return load_model("seq2seq"), load_tokenizer("seq2seq")


def execute(planned: Planned) -> Row:
    """Hace un entrenamiento y devuelve su línea."""
    run, task = planned.run, task_of(planned.run.task)
    base, tokenizer = base_model()
    outcome = train_run(base, tokenizer, task, run)
    loss = evaluate_loss(outcome.model, encode(tokenizer, task.validation), Seq2Seq(tokenizer.pad_token_id), 50)
    validation = exact_matches(outcome.model, tokenizer, task.validation)
    values = (
        planned.use, run.task, run.method, run.size, run.learning_rate, run.seed, run.steps,
        outcome.parameters, f"{loss:.6f}", f"{np.mean(validation):.4f}", f"{np.mean(outcome.test):.4f}",
        f"{outcome.seconds:.1f}",
    )  # fmt: skip
    return dict(zip(FIELDS, map(str, values), strict=True))


def search_hard_prompt(seed: int, steps: int = 60, candidates: int = 12) -> Row:
    """Una búsqueda larga de prompts duros para «lugar», desde la mejor consigna escrita."""
    base, tokenizer = base_model()
    task, objective = task_of("lugar"), Seq2Seq(tokenizer.pad_token_id)
    examples = encode(tokenizer, task.train)[:48]
    start = tokenizer(STARTS["lugar"], add_special_tokens=False).input_ids
    ids, losses = search(
        base, start, [objective(examples[:24]), objective(examples[24:])], steps=steps, candidates=candidates, seed=seed
    )
    model = PromptTuning(base, base.get_input_embeddings().weight[ids])
    validation, test = (np.mean(exact_matches(model, tokenizer, pairs)) for pairs in (task.validation, task.test))
    ends, scores = (losses[0], losses[-1]), (f"{validation:.4f}", f"{test:.4f}")
    values = (
        seed,
        steps,
        candidates,
        *(f"{x:.4f}" for x in ends),
        *scores,
        " ".join(map(str, ids)),
        tokenizer.decode(ids),
    )
    return dict(zip(HARD_FIELDS, map(str, values), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="enseña qué hay y qué falta")
    parser.add_argument("--redo", type=int, metavar="N", help="repite el entrenamiento de la línea N, desde 1")
    parser.add_argument("--hard", type=int, metavar="SEMILLA", help="busca un prompt duro con esa semilla y lo apunta")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = read_rows(CSV)
    if args.redo is not None:
        row = pick_row(rows, args.redo)
        task, method, size, rate, seed = row_key(row)
        now = execute(Planned(row["use"], _run(task, method, size, rate, seed)))
        print(f"apuntado {row['validation_loss']} y {row['test']}; ahora {now['validation_loss']} y {now['test']}")
        return
    if args.hard is not None:
        append_row(HARD_CSV, search_hard_prompt(args.hard))
        return
    if args.list:
        print(*(f"hecho {row_key(row)}" for row in rows), *(f"falta {p}" for p in plan(rows)), sep="\n")
        return
    while pending := plan(read_rows(CSV)):
        print(f"faltan al menos {len(pending)}: {pending[0]}")
        append_row(CSV, execute(pending[0]))


if __name__ == "__main__":
    main()
