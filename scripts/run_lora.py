"""Hace los ajustes del lab 13 y los apunta en `data/lora/entrenamientos.csv`, uno por línea.

    python -m scripts.run_lora              # los que falten; si se corta, sigue donde iba
    python -m scripts.run_lora --redo 3     # repite el de la línea 3 y lo compara con lo apuntado
    python -m scripts.run_lora --next       # solo el siguiente que falte

Cada uno tarda unos 15 segundos en un núcleo y no depende de los demás. La receta es la del lab: los mismos ejemplos,
los mismos pasos y el mismo optimizador.

Lo que NO hace: elegir. La tasa se elige mirando la columna `validation`, y la de prueba no se toca hasta el final.
"""

import argparse
import time
from dataclasses import asdict, dataclass

import torch

from scripts.lint_common import ROOT
from scripts.run_table import Row, append_row, pick_row, read_rows
from utils.corpus.notes import reception_notes
from utils.course.hub import load_data, load_model, load_tokenizer
from utils.model.batching import generate_texts
from utils.studies.lora_run import tune
from utils.train.objectives import Seq2Seq, tokenize_pairs
from utils.tune.lora import LoRAConfig, trained_parameters

CSV = ROOT / "data" / "lora" / "entrenamientos.csv"
STEPS, BATCH, ALPHA = 120, 8, 16.0
FULL_RATE, LORA_RATE = 1e-3, 5e-3
ATTENTION, MLP = "q k v o", "wi_0 wi_1 wo"
EVERYTHING = f"{ATTENTION} {MLP}"
TESTED, VALIDATED = 300, 200


@dataclass(frozen=True)
class Planned:
    """Un ajuste: para qué, a qué capas, con qué rango (0 si se mueve el modelo entero), con qué tasa y semilla."""

    use: str
    targets: str
    rank: int
    learning_rate: float
    seed: int

    @property
    def key(self) -> tuple:
        return self.targets, self.rank, self.learning_rate, self.seed


def plan() -> list[Planned]:
    """Todos los ajustes, en orden: la búsqueda de la tasa, los rangos y las capas."""
    runs = [Planned("tasa", EVERYTHING, 8, rate, 0) for rate in (2e-3, 5e-3, 1e-2)]
    runs += [Planned("tasa", "", 0, rate, 0) for rate in (5e-4, 1e-3, 2e-3)]
    runs += [Planned("tasa", "q v", 8, 1e-2, 0)]
    runs += [Planned("rango", EVERYTHING, rank, LORA_RATE, 0) for rank in (1, 64, 4, 16, 2, 32, 8)]
    runs += [Planned("capas", targets, 8, LORA_RATE, 0) for targets in ("q v", ATTENTION, MLP)]
    runs += [Planned("completo", "", 0, FULL_RATE, 0)]
    for seed in (1, 2):
        runs += [Planned("semilla", EVERYTHING, 8, LORA_RATE, seed), Planned("semilla", "", 0, FULL_RATE, seed)]
    return list({run.key: run for run in runs}.values())


def row_key(row: Row) -> tuple:
    return row["targets"], int(row["rank"]), float(row["learning_rate"]), int(row["seed"])


def execute(run: Planned) -> dict:
    """Hace un ajuste y lo puntúa: la parte de las respuestas que es exactamente la esperada."""
    base, tokenizer = load_model("seq2seq"), load_tokenizer("seq2seq")
    data = {split: reception_notes(rows, 0, split == "test") for split, rows in load_data("dialogues").items()}
    examples = tokenize_pairs(
        tokenizer, [row["note"] for row in data["train"]], [row["record"] for row in data["train"]], 64, 64
    )
    config = LoRAConfig(run.rank, ALPHA, 0.0, tuple(run.targets.split())) if run.rank else None
    started = time.process_time()
    model, history = tune(
        base, examples, Seq2Seq(tokenizer.pad_token_id), lora=config, learning_rate=run.learning_rate, steps=STEPS,
        batch_size=BATCH, seed=run.seed,
    )  # fmt: skip
    seconds = time.process_time() - started

    def accuracy(rows: list[dict]) -> float:
        outputs = generate_texts(model, tokenizer, [row["note"] for row in rows], max_new_tokens=32)
        return sum(output == row["record"] for output, row in zip(outputs, rows, strict=True)) / len(rows)

    return {
        **asdict(run), "alpha": ALPHA if run.rank else 0, "parameters": trained_parameters(model)[0],
        "loss": round(sum(history.losses[-20:]) / 20, 4), "seconds": round(seconds, 1),
        "validation": round(accuracy(data["validation"][:VALIDATED]), 4),
        "accuracy": round(accuracy(data["test"][:TESTED]), 4),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redo", type=int, metavar="LÍNEA", help="repite una línea (la primera es 1) y la compara")
    parser.add_argument("--next", action="store_true", help="hace solo el siguiente que falte")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = read_rows(CSV)
    if options.redo is not None:
        stored = pick_row(rows, options.redo)
        run = Planned(stored["use"], *row_key(stored))
        again = execute(run)
        same = abs(again["accuracy"] - float(stored["accuracy"])) <= 0.03
        print(f"{run.key}: apuntado {stored['accuracy']}, ahora {again['accuracy']}: {'coincide' if same else 'NO'}")
        return not same
    done = {row_key(row) for row in rows}
    for run in plan():
        if run.key not in done:
            append_row(CSV, row := execute(run))
            print(row, flush=True)
            if options.next:
                break
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
