"""Las comparaciones del lab 14: tareas sin fugas, cinco métodos que se repiten y un plan que no se salta nada."""

import numpy as np
import pytest
import torch

from scripts import run_peft
from utils.course.hub import load_model, load_tokenizer
from utils.studies.peft_run import METHODS, SIZES, Run, Task, build, exact_matches, load_task, train_run
from utils.tune.lora import base_fingerprint


@pytest.mark.parametrize("name", ["lugar", "tercera"])
def test_no_test_sentence_has_been_seen(name):
    task = load_task(name)
    seen = {text for text, _ in task.train}
    assert len(task.test) >= 150 and len(task.validation) == 100
    assert not seen & {text for text, _ in task.test} and not seen & {text for text, _ in task.validation}


def test_the_answers_are_in_the_sentence_or_change_only_the_verb():
    # La última palabra, porque el artículo puede estar contraído: «el café» en «camino del café».
    assert all(answer.split()[-1] in text for text, answer in load_task("lugar").test)
    text, answer = load_task("tercera").train[0]
    assert text.split()[0] == "yo" and answer.split()[0] == "ella" and text.split()[2:] == answer.split()[2:]


def test_every_method_trains_a_copy_and_counts_what_it_trains():
    base, tokenizer = load_model("seq2seq"), load_tokenizer("seq2seq")
    before = base_fingerprint(base)
    counts = {}
    for method in METHODS:
        model = build(base, tokenizer, Run("lugar", method, SIZES[method], 1e-3, 0))
        counts[method] = sum(p.numel() for p in model.parameters() if p.requires_grad)
    # LoRA: 6 atenciones × (q, v) × 4 · (192 + 192); adaptadores: 10 sitios × (2 · 192 · 8 + 8 + 192)
    # prefijo: 10 tokens × 2 capas × (clave, valor) × 192; prompt: 10 × 192
    assert counts == {"completo": 2853376, "LoRA": 18432, "adaptadores": 32720, "prefijo": 7680, "prompt blando": 1920}
    assert base_fingerprint(base) == before
    with pytest.raises(ValueError, match="No conozco el método"):
        build(base, tokenizer, Run("lugar", "magia", 1, 1e-3, 0))
    with pytest.raises(ValueError, match="«lugar» o «tercera»"):
        load_task("resumen")


def test_a_run_repeats_and_weighs_what_it_trains():
    base, tokenizer = load_model("seq2seq"), load_tokenizer("seq2seq")
    whole = load_task("tercera")
    task = Task(whole.name, whole.train[:64], whole.validation[:4], whole.test[:4])
    run = Run("tercera", "LoRA", 4, 1e-2, seed=1, steps=4)
    first, second = (train_run(base, tokenizer, task, run) for _ in range(2))
    assert first.history.losses == second.history.losses and first.history.losses[-1] < first.history.losses[0]
    assert first.memory["gradientes"] == 4 * first.parameters  # bytes
    assert first.memory["optimizador"] >= 8 * first.parameters and first.memory["activaciones"] > 0
    assert len(first.test) == 4 and set(first.test) <= {0.0, 1.0}


def test_exact_match_is_one_only_when_every_character_is_right():
    base, tokenizer = load_model("seq2seq"), load_tokenizer("seq2seq")
    pairs = [("la casa grande", "la casa grande"), ("la casa grande", "la casa")]
    assert exact_matches(base, tokenizer, pairs, "Repite: ") == [1.0, 0.0]


def _row(task, method, rate, loss, **changes):
    row = dict(use="tasa", task=task, method=method, size=SIZES[method], seed=0)
    return {k: str(v) for k, v in (row | dict(learning_rate=rate, validation_loss=loss) | changes).items()}


def _rates(rows):
    planned = [run for run in run_peft.plan(rows) if (run.task, run.method) == ("lugar", "LoRA")]
    return [run.learning_rate for run in planned]


def test_the_search_goes_on_while_an_end_of_the_list_wins():
    rows = [_row("lugar", "LoRA", rate, loss) for rate, loss in ((3e-3, 0.9), (1e-2, 0.5), (3e-2, 0.4))]
    assert _rates(rows[:1]) == [3e-3, 1e-2, 3e-2]
    assert _rates(rows) == [3e-3, 1e-2, 3e-2, 0.09]
    assert _rates([*rows, _row("lugar", "LoRA", 0.09, 0.6)]) == [3e-3, 1e-2, 3e-2, 0.09]
    assert _rates([_row("lugar", "LoRA", rate, rate) for rate in (3e-3, 1e-2, 3e-2)]) == [3e-3, 1e-2, 3e-2, 9e-4]


def test_the_lengths_are_tried_with_the_best_rate():
    rows = [_row("lugar", "prompt blando", rate, loss) for rate, loss in ((0.3, 0.9), (1.0, 0.4), (3.0, 0.5))]
    lengths = [run for run in run_peft.plan(rows) if run.use == "longitud"]
    assert {run.learning_rate for run in lengths} == {1.0} and {run.task for run in lengths} == {"lugar"}
    assert {(run.size, run.seed) for run in lengths} == {(p, s) for p in (1, 3, 10, 30) for s in (0, 1)} - {(10, 0)}


def test_stored_scores_are_fractions_and_losses_finite():
    rows = run_peft.STUDY.rows()
    assert all(0 <= float(row["test"]) <= 1 and np.isfinite(float(row["validation_loss"])) for row in rows)


def test_seeds_change_the_run():
    base, tokenizer = load_model("seq2seq"), load_tokenizer("seq2seq")
    one, two = (build(base, tokenizer, Run("lugar", "prefijo", 2, 0.1, seed)).prefix for seed in (0, 1))
    assert not torch.equal(one, two)
