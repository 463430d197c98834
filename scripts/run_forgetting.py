"""El estudio del lab 12 y de sus capítulos, en `data/olvido/entrenamientos.csv`: una tarea nueva, de varias maneras.

Cada entrenamiento parte de mini-flan-t5 y tarda unos segundos en un núcleo. Apunta los aciertos de cada ejemplo, y no
solo la media: así se comparan dos entrenamientos por parejas. Las órdenes están en `scripts/study.py`.

Lo que NO hace: sacar conclusiones, que es cosa del lab.
"""

import time
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch

from scripts.lint_common import ROOT
from scripts.study import Row, Study, main
from utils.corpus.tickets import TicketGenerator
from utils.course.hub import load_data, load_model, load_tokenizer
from utils.measure.forgetting import score_tasks
from utils.studies.task_runs import encode_hits
from utils.train.loop import train
from utils.train.mixture import mix
from utils.train.objectives import Seq2Seq, tokenize_pairs
from utils.train.optim import adafactor, trainable
from utils.tune.lora import LoRAConfig, add_lora

OLD_TASKS = ("sentimiento", "tema", "traduccion", "copia")
#: Dos tareas que el modelo sabe a medias y que nunca se repasan.
SPECTATORS = ("entidades", "pregunta")
TICKET_QUESTIONS = ("area", "prisa", "cliente")
STEPS, BATCH, WARMUP, LEARNING_RATE = 80, 16, 10, 2e-2
#: Tres tareas y varias consignas se aprenden más despacio que una.
WORDING_STEPS = 160
LORA, LORA_RATE = LoRAConfig(rank=32, alpha=64, targets=("q", "k", "v", "o", "wi_0", "wi_1", "wo")), 3e-3
TRAIN_SIZE, TEST_SIZE, TEST_SEED, MAX_NEW_TOKENS = 1000, 100, 2026, 36
REPLAY = 1 / 8
#: Por estudio: método y valores. El valor es la fracción de repaso, los ejemplos, las consignas o la tasa.
STUDIES = {
    "metodos": [("completo", 0), ("repaso", REPLAY), ("multitarea", 0), ("lora", 0)],
    "repaso": [("repaso", 1 / 32)],
    "consignas": [("completo", wordings) for wordings in (1, 6)],
    "ejemplos": [("completo", n) for n in (8, 32, 125, 500)],
    "tasas": [("completo", 1e-2), ("adamw", 1e-3), ("lora", 1e-3), ("lora", 1.5e-3)],
}
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Planned:
    """Un entrenamiento por hacer."""

    study: str
    method: str
    value: float
    seed: int

    @property
    def steps(self) -> int:
        return WORDING_STEPS if self.study == "consignas" else STEPS


def plan(_rows: list[Row]) -> list[Planned]:
    """Todos los entrenamientos, estudio a estudio; dentro de cada uno, primero la semilla 0."""
    return [Planned(s, m, v, seed) for s, runs in STUDIES.items() for seed in SEEDS for m, v in runs]


def training_rows(run: Planned, instructions: list[dict]) -> list[dict]:
    """Los ejemplos con que se entrena, tantos como caben en los pasos: lo que cambia es de qué están hechos."""
    tickets = TicketGenerator(ROOT / "data", "train", run.seed)
    size = run.steps * BATCH
    if run.study == "consignas":
        rows = tickets.examples(TRAIN_SIZE, TICKET_QUESTIONS, wordings=int(run.value))
        return mix({"nueva": rows}, {"nueva": 1.0}, size, run.seed)
    new = tickets.examples(int(run.value) if run.study == "ejemplos" else TRAIN_SIZE)
    old = {task: [row for row in instructions if row["task"] == task] for task in OLD_TASKS}
    if run.method == "repaso":
        datasets = {"nueva": new, "viejas": [row for rows in old.values() for row in rows]}
        return mix(datasets, {"nueva": 1 - run.value, "viejas": run.value}, size, run.seed)
    if run.method == "multitarea":
        return mix({"nueva": new, **old}, dict.fromkeys(("nueva", *old), 1 / 5), size, run.seed)
    return mix({"nueva": new}, {"nueva": 1.0}, size, run.seed)


def evaluation_tasks(run: Planned, instructions: list[dict]) -> dict[str, list[dict]]:
    """Los ejemplos con que se puntúa cada tarea: son los mismos en todos los entrenamientos."""
    tickets = TicketGenerator(ROOT / "data", "test", TEST_SEED)
    if run.study == "consignas":
        known = tickets.examples(3 * TEST_SIZE, TICKET_QUESTIONS)
        return {"conocida": known, "reservada": tickets.examples(3 * TEST_SIZE, TICKET_QUESTIONS, unseen=True)}
    tasks = {"metodos": OLD_TASKS + SPECTATORS, "repaso": OLD_TASKS, "tasas": OLD_TASKS}.get(run.study, ())
    old = {task: [row for row in instructions if row["task"] == task][:TEST_SIZE] for task in tasks}
    return {"aviso": tickets.examples(TEST_SIZE)} | old


def prepare(model: torch.nn.Module, run: Planned) -> torch.optim.Optimizer:
    """El optimizador de un método; en LoRA pone antes el adaptador. En el estudio «tasas» el valor es la tasa."""
    rate = run.value if run.study == "tasas" else LORA_RATE if run.method == "lora" else LEARNING_RATE
    if run.method == "lora":
        add_lora(model, LORA)
    if run.method in ("lora", "adamw"):
        return torch.optim.AdamW(trainable(model.parameters()), lr=rate, weight_decay=0)
    return adafactor(model, rate)


def execute(run: Planned) -> list[dict]:
    """Entrena y puntúa."""
    data, tokenizer, model = load_data("instructions"), load_tokenizer("seq2seq"), deepcopy(load_model("seq2seq"))
    rows = training_rows(run, data["train"])
    pairs = [row["prompt"] for row in rows], [row["completion"] for row in rows]
    examples = tokenize_pairs(tokenizer, *pairs, max_prompt=256, max_completion=72)
    torch.manual_seed(run.seed)
    optimizer = prepare(model, run)
    started = time.process_time()
    history = train(
        model, examples, Seq2Seq(tokenizer.pad_token_id), steps=run.steps, batch_size=BATCH, warmup=WARMUP,
        optimizer=optimizer, seed=run.seed, description=f"{run.study}, {run.method}",
    )  # fmt: skip
    seconds = time.process_time() - started
    hits = score_tasks(model, tokenizer, evaluation_tasks(run, data["test"]), max_new_tokens=MAX_NEW_TOKENS)
    loss = f"{np.mean(history.losses[-10:]):.4f}"
    return [{"value": f"{run.value:g}", "loss": loss, "seconds": round(seconds), "hits": encode_hits(hits)}]


def compare(stored: list[Row], again: list[Row]) -> str:
    """Lo mismo que pide el lab 12: que coincidan más del 90 % de los aciertos."""
    (old,), (new,) = stored, again
    same = np.mean([a == b for a, b in zip(old["hits"], new["hits"], strict=True)])
    return "" if same > 0.9 else f"coincide el {100 * same:.0f} % de los aciertos"


COLUMNS = "study method value seed loss seconds hits"
STUDY = Study(ROOT / "data/olvido/entrenamientos.csv", COLUMNS, Planned, plan, execute, compare)

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
