"""El estudio del lab 14, en `data/peft/entrenamientos.csv`: cinco maneras de ajustar, cada una con su mejor tasa.

Por tarea y método busca la tasa de aprendizaje con la pérdida de validación y, con la elegida, entrena prompts blandos
de otras longitudes. Cada entrenamiento dura unos segundos en un núcleo. Las órdenes están en `scripts/study.py`.

Lo que NO hace: mirar la prueba para elegir, ni dibujar, que es cosa del lab.
"""

from dataclasses import dataclass, field

import numpy as np

from scripts.lint_common import ROOT
from scripts.study import Row, Study, main, near
from utils.course.hub import load_model, load_tokenizer
from utils.studies.peft_run import METHODS, SIZES, Run, encode, exact_matches, load_task, train_run
from utils.train.loop import evaluate_loss
from utils.train.objectives import Seq2Seq

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
    """Un entrenamiento: para qué y cuál."""

    use: str = field(compare=False)  # el prompt blando de diez vectores y semilla 0 sirve para las dos cosas
    task: str
    method: str
    size: int
    learning_rate: float
    seed: int


def searched(rows: list[Row], task: str, method: str) -> dict[float, float]:
    """Tasa -> pérdida de validación de lo ya probado con la semilla 0 y el tamaño de costumbre."""
    wanted = (task, method, str(SIZES[method]), "0")
    return {
        float(row["learning_rate"]): float(row["validation_loss"])
        for row in rows
        if (row["task"], row["method"], row["size"], row["seed"]) == wanted
    }


def next_rate(losses: dict[float, float]) -> list[float]:
    """Si la mejor de las tasas probadas es un extremo, la siguiente por ese lado.

    >>> next_rate({0.003: 0.9, 0.01: 0.5, 0.03: 0.4}), next_rate({0.003: 0.9, 0.01: 0.5, 0.03: 0.6})
    ([0.09], [])
    """
    best = min(losses, key=losses.get)
    if best == max(losses):
        return [float(f"{best * 3.16:.0e}")]
    return [float(f"{best / 3.16:.0e}")] if best == min(losses) else []


def plan(rows: list[Row]) -> list[Planned]:
    """Las tasas de la lista y las que hayan hecho falta; hasta saber la mejor no se pueden planear las longitudes."""
    rates, lengths = [], []
    for task in TASKS:
        for method in METHODS:
            losses, size = searched(rows, task, method), SIZES[method]
            complete = set(RATES[method]) <= set(losses)
            further = next_rate(losses) if complete else []
            rates += [Planned("tasa", task, method, size, rate, 0) for rate in (*RATES[method], *losses, *further)]
            if method == "prompt blando" and complete and not further:
                best = min(losses, key=losses.get)
                lengths += [Planned("longitud", task, method, size, best, seed) for size in LENGTHS for seed in SEEDS]
    return list(dict.fromkeys(rates + lengths))


def execute(planned: Planned) -> list[dict]:
    """Hace un entrenamiento y lo puntúa en validación y en prueba."""
    base, tokenizer, task = load_model("seq2seq"), load_tokenizer("seq2seq"), load_task(planned.task)
    run = Run(planned.task, planned.method, planned.size, planned.learning_rate, planned.seed, steps=STEPS)
    outcome = train_run(base, tokenizer, task, run)
    loss = evaluate_loss(outcome.model, encode(tokenizer, task.validation), Seq2Seq(tokenizer.pad_token_id), 50)
    validation = exact_matches(outcome.model, tokenizer, task.validation)
    return [{
        "steps": STEPS, "parameters": outcome.parameters, "validation_loss": f"{loss:.6f}",
        "validation": f"{np.mean(validation):.4f}", "test": f"{np.mean(outcome.test):.4f}",
        "seconds": f"{outcome.seconds:.1f}",
    }]  # fmt: skip


COLUMNS = "use task method size learning_rate seed steps parameters validation_loss validation test seconds"
COMPARE = near(validation_loss=0.05, test=0.03)
STUDY = Study(ROOT / "data/peft/entrenamientos.csv", COLUMNS, Planned, plan, execute, COMPARE)

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
