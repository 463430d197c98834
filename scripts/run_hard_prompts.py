"""El otro estudio del lab 14, en `data/peft/consignas.csv`: una búsqueda larga de prompts duros por semilla.

Busca para la tarea «lugar», desde la mejor consigna escrita. Las órdenes están en `scripts/study.py`.
"""

from dataclasses import dataclass

import numpy as np

from scripts.lint_common import ROOT
from scripts.study import Study, main, near
from utils.course.hub import load_model, load_tokenizer
from utils.studies.peft_run import STARTS, encode, exact_matches, load_task
from utils.train.objectives import Seq2Seq
from utils.tune.hard_prompts import search
from utils.tune.soft_prompts import PromptTuning


@dataclass(frozen=True)
class Planned:
    """Una búsqueda: su semilla, sus pasos y los sustitutos que prueba en cada uno."""

    seed: int
    steps: int = 60
    candidates: int = 12


def execute(run: Planned) -> list[dict]:
    """Busca la consigna con 48 ejemplos de entrenamiento y la puntúa en validación y en prueba."""
    base, tokenizer, task = load_model("seq2seq"), load_tokenizer("seq2seq"), load_task("lugar")
    objective, examples = Seq2Seq(tokenizer.pad_token_id), encode(tokenizer, task.train)[:48]
    start = tokenizer(STARTS["lugar"], add_special_tokens=False).input_ids
    batches = [objective(examples[:24]), objective(examples[24:])]
    ids, losses = search(base, start, batches, steps=run.steps, candidates=run.candidates, seed=run.seed)
    model = PromptTuning(base, base.get_input_embeddings().weight[ids])
    validation, test = (np.mean(exact_matches(model, tokenizer, pairs)) for pairs in (task.validation, task.test))
    scores = {"loss_before": losses[0], "loss": losses[-1], "validation": validation, "test": test}
    texts = {"ids": " ".join(map(str, ids)), "text": tokenizer.decode(ids)}
    return [{name: f"{score:.4f}" for name, score in scores.items()} | texts]


COLUMNS = "seed steps candidates loss_before loss validation test ids text"
CSV, PLAN = ROOT / "data/peft/consignas.csv", [Planned(seed=0)]
STUDY = Study(CSV, COLUMNS, Planned, lambda rows: PLAN, execute, near(loss=0.05))

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
