"""El estudio del lab 13, en `data/lora/entrenamientos.csv`: LoRA con varios rangos, capas, tasas y escalas.

Cada ajuste tarda unos 15 segundos en un núcleo. La receta es la del lab: los mismos ejemplos, los mismos pasos y el
mismo optimizador. Las órdenes están en `scripts/study.py`.

Lo que NO hace: elegir. La tasa se elige mirando la columna `validation`, y la de prueba no se toca hasta el final.
"""

import math
import time
from dataclasses import dataclass, field

from scripts.lint_common import ROOT
from scripts.study import Row, Study, main, near
from utils.corpus.notes import reception_notes
from utils.course.hub import load_data, load_model, load_tokenizer
from utils.model.decoding import generate_texts
from utils.model.surgery import trained_parameters
from utils.studies.lora_run import tune
from utils.train.objectives import Seq2Seq, tokenize_pairs
from utils.tune.lora import LoRAConfig

STEPS, BATCH, ALPHA = 120, 8, 16.0
FULL_RATE, LORA_RATE = 1e-3, 2e-3
ATTENTION, MLP = "q k v o", "wi_0 wi_1 wo"
EVERYTHING = f"{ATTENTION} {MLP}"
SCALED = (64,)  # el rango con las dos escalas; en el 8 coinciden
TESTED, VALIDATED = 300, 200


@dataclass(frozen=True)
class Planned:
    """Un ajuste: para qué, a qué capas, con qué rango (0 si se mueve el modelo entero), con qué tasa y semilla."""

    use: str = field(compare=False)  # el mismo ajuste puede servir para dos cosas
    targets: str
    rank: int
    alpha: float
    learning_rate: float
    seed: int


def rooted(rank: int) -> float:
    """La alpha con que alpha / r encoge como 1 / √r (rsLoRA) y coincide con la de siempre en el rango 8.

    >>> rooted(8), rooted(32) / 32
    (16.0, 1.0)
    """
    return round(ALPHA * math.sqrt(rank / 8), 3)


def plan(_rows: list[Row]) -> list[Planned]:
    """La búsqueda de la tasa, los rangos, las capas, las semillas y las dos escalas; de dos iguales, el último uso."""

    def lora(use: str, targets: str = EVERYTHING, rank: int = 8, rate: float = LORA_RATE, seed: int = 0) -> Planned:
        return Planned(use, targets, rank, rooted(rank) if use == "raíz" else ALPHA, rate, seed)

    def whole(use: str, rate: float = FULL_RATE, seed: int = 0) -> Planned:
        return Planned(use, "", 0, 0.0, rate, seed)

    runs = [lora("tasa", rate=rate) for rate in (1e-3, 2e-3, 5e-3)]
    runs += [whole("tasa", rate) for rate in (5e-4, 1e-3, 2e-3)]
    runs += [lora("tasa", "q v", rate=1e-2)]
    runs += [lora("rango", rank=rank) for rank in (1, 64, 4, 16, 2, 32, 8)]
    runs += [lora("capas", targets) for targets in ("q v", ATTENTION, MLP)]
    runs += [whole("completo")]
    for seed in (1, 2):
        runs += [lora("semilla", seed=seed), whole("semilla", seed=seed)]
    runs += [lora("raíz", rank=rank, seed=seed) for seed in (0, 1, 2) for rank in SCALED]
    runs += [lora("semilla", rank=rank, seed=seed) for seed in (1, 2) for rank in SCALED]
    return list({run: run for run in runs}.values())


def execute(run: Planned) -> list[dict]:
    """Hace un ajuste y lo puntúa: la parte de las respuestas que es exactamente la esperada."""
    base, tokenizer = load_model("seq2seq"), load_tokenizer("seq2seq")
    data = {split: reception_notes(rows, 0, split == "test") for split, rows in load_data("dialogues").items()}
    notes, records = ([row[column] for row in data["train"]] for column in ("note", "record"))
    examples = tokenize_pairs(tokenizer, notes, records, 64, 64)
    config = LoRAConfig(run.rank, run.alpha, 0.0, tuple(run.targets.split())) if run.rank else None
    started = time.process_time()
    model, history = tune(
        base, examples, Seq2Seq(tokenizer.pad_token_id), lora=config, learning_rate=run.learning_rate, steps=STEPS,
        batch_size=BATCH, seed=run.seed,
    )  # fmt: skip
    seconds = time.process_time() - started

    def accuracy(rows: list[dict]) -> float:
        outputs = generate_texts(model, tokenizer, [row["note"] for row in rows], max_new_tokens=32)
        return sum(output == row["record"] for output, row in zip(outputs, rows, strict=True)) / len(rows)

    return [{
        "parameters": trained_parameters(model)[0],
        "loss": round(sum(history.losses[-20:]) / 20, 4), "seconds": round(seconds, 1),
        "validation": round(accuracy(data["validation"][:VALIDATED]), 4),
        "accuracy": round(accuracy(data["test"][:TESTED]), 4),
    }]  # fmt: skip


COLUMNS = "use targets rank alpha learning_rate seed parameters loss validation accuracy seconds"
STUDY = Study(ROOT / "data/lora/entrenamientos.csv", COLUMNS, Planned, plan, execute, near(accuracy=0.03))

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
