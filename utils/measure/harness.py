"""Nuestras preguntas en LM Evaluation Harness (`lm_eval`), para comprobar que las dos cuentas dan lo mismo.

Las tareas son los YAML de `data/preguntas/lm_eval`. Todo sale del repositorio: no se pide nada a la red. `lm_eval` solo
hace falta aquí y en la última parte del lab 15, así que se importa al usarlo.

Lo que NO hace: descargar las tareas que `lm_eval` trae de fábrica.
"""

import contextlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from unittest import mock

import yaml
from transformers import PreTrainedModel

from utils.course.env import repo_root

TASKS = repo_root() / "data" / "preguntas" / "lm_eval"
INSTALL = "python -m pip install --no-deps --require-hashes -r requirements-lm-eval.txt"


@dataclass(frozen=True)
class HarnessRun:
    """Lo que dice lm_eval: cada media (`acc`, `acc_norm`…) y, por pregunta, la log p de sus opciones y sus aciertos."""

    metrics: dict[str, float]
    logprobs: list[list[float]]
    hits: dict[str, list[float]]


def installed() -> bool:
    """¿Está instalado `lm_eval`?"""
    return find_spec("lm_eval") is not None


def run_harness(
    model: PreTrainedModel,
    tokenizer,
    task: str = "preguntas",
    *,
    questions: Sequence[int] | None = None,
    batch_size: int = 32,
    delimiter: str | None = None,
) -> HarnessRun:
    """Pasa una tarea de `data/preguntas/lm_eval` a un modelo ya cargado; `questions` elige por su número las preguntas.

    `delimiter` cambia lo que separa el prompt de la opción. Lanza `ModuleNotFoundError` si falta `lm_eval` y
    `ValueError` si no existe la tarea, con lo que hay que hacer.
    """
    if not installed():
        raise ModuleNotFoundError(f"Falta lm_eval, que solo usa esta parte: instálalo con `{INSTALL}`.")
    config = _task_config(task)
    if delimiter is not None:
        config["target_delimiter"] = delimiter
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),  # sus barras de progreso no se pueden apagar
        mock.patch("huggingface_hub.constants.HF_HUB_OFFLINE", True),
        mock.patch("datasets.config.HF_HUB_OFFLINE", True),
    ):
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager

        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        both = model.config.is_encoder_decoder
        wrapped = HFLM(
            pretrained=model, tokenizer=tokenizer, batch_size=batch_size, backend="seq2seq" if both else "causal"
        )
        manager = TaskManager(include_defaults=False)  # sin leer los miles de tareas que trae
        chosen = None if questions is None else {task: list(questions)}
        found = simple_evaluate(
            wrapped, tasks=[config], task_manager=manager, samples=chosen, bootstrap_iters=0, verbosity="ERROR"
        )
    metrics = {key.removesuffix(",none"): x for key, x in found["results"][task].items() if key.startswith("acc")}
    metrics = {name: x for name, x in metrics.items() if "stderr" not in name}
    samples = sorted(found["samples"][task], key=lambda sample: sample["doc_id"])
    logprobs = [[float(answer[0]) for answer in sample["filtered_resps"]] for sample in samples]
    return HarnessRun(metrics, logprobs, {name: [sample[name] for sample in samples] for name in metrics})


def _task_config(task: str) -> dict:
    """El YAML de una tarea, con los datos buscados desde la raíz del curso y no desde la carpeta en que se esté."""
    path = TASKS / f"{task}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in TASKS.glob("*.yaml")))
        raise ValueError(f"No hay ninguna tarea «{task}»: elige entre {known}.")
    config = yaml.safe_load(path.read_text("utf-8"))
    files = config["dataset_kwargs"]["data_files"]
    config["dataset_kwargs"]["data_files"] = {split: str(repo_root() / name) for split, name in files.items()}
    return config
