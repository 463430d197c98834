"""El olvido cuadra con la cuenta a mano y con el remuestreo pareado, y su intervalo cubre lo que dice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.measure.forgetting import (
    average_accuracy,
    average_score,
    backward_transfer,
    exact_match,
    forgetting,
    score_tasks,
)
from utils.measure.stats import paired_bootstrap


def test_one_task_is_the_paired_bootstrap():
    rng = np.random.default_rng(0)
    before, after = (rng.random(120) < 0.9).astype(float), (rng.random(120) < 0.4).astype(float)
    assert forgetting({"a": before}, {"a": after}, seed=0) == paired_bootstrap(after, before, seed=0)


def test_every_task_weighs_the_same():
    before, after = {"a": [1] * 100, "b": [1, 1]}, {"a": [0] * 100, "b": [1, 1]}
    assert forgetting(before, after, seed=0).estimate == 0.5
    assert average_score(after, seed=0).estimate == 0.5


def test_interval_covers_the_truth_95_percent_of_the_time():
    rng, covered = np.random.default_rng(1), 0
    for draw in range(200):
        before = {task: rng.random(100) < p for task, p in (("a", 0.9), ("b", 0.8))}
        after = {task: hits & (rng.random(100) < 0.5) for task, hits in before.items()}
        interval = forgetting(before, after, n=500, seed=draw)
        covered += interval.low <= 0.425 <= interval.high
    assert 0.90 <= covered / 200 <= 0.99


@given(st.lists(st.integers(0, 1), min_size=2, max_size=20))
@settings(max_examples=30, deadline=None)
def test_nothing_is_forgotten_by_the_same_model_and_the_sign_flips(hits):
    zeros = {"a": [0] * len(hits)}
    assert not forgetting({"a": hits}, {"a": hits}, n=100, seed=0).excludes_zero()
    lost, won = forgetting({"a": hits}, zeros, n=100, seed=0), forgetting(zeros, {"a": hits}, n=100, seed=0)
    assert lost.estimate == -won.estimate == np.mean(hits)


def test_with_the_old_tasks_learnt_together_backward_transfer_is_minus_the_forgetting():
    before, after = {"a": [1, 1, 0, 1], "b": [1, 0]}, {"a": [1, 0, 0, 0], "b": [1, 0]}
    start, end = ([np.mean(scores[task]) for task in "ab"] for scores in (before, after))
    table = [[*start, 0.0], [*start, 0.0], [*end, 1.0]]
    assert backward_transfer(table) == pytest.approx(-forgetting(before, after, seed=0).estimate)
    assert average_accuracy(table) == pytest.approx((sum(end) + 1) / 3)


def test_exact_match_ignores_only_the_outer_spaces():
    assert exact_match([" sí ", "Sí", "si"], ["sí", "sí", "sí"]).tolist() == [1, 0, 0]


def test_scores_come_back_with_their_task(monkeypatch):
    calls = []

    def echo(model, tokenizer, prompts, *, max_new_tokens):
        calls.append((len(prompts), max_new_tokens))
        return [prompt.upper() for prompt in prompts]

    monkeypatch.setattr("utils.measure.forgetting.generate_texts", echo)
    tasks = {
        "uno": [{"prompt": "a", "completion": "A"}],
        "dos": [{"prompt": "b", "completion": "b"}, {"prompt": "c", "completion": "C"}],
    }
    scores = score_tasks(None, None, tasks, max_new_tokens=5)
    assert {task: hits.tolist() for task, hits in scores.items()} == {"uno": [1.0], "dos": [0.0, 1.0]}
    assert calls == [(3, 5)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: forgetting({"a": [1, 1]}, {"b": [1, 1]}), "solo en un lado: a, b"),
        (lambda: forgetting({"a": [1, 1]}, {"a": [1, 1, 0]}), "2 ejemplos antes y 3 después"),
        (lambda: forgetting({}, {}), "ninguna tarea"),
        (lambda: average_score({"a": [1]}), "al menos 2 ejemplos"),
        (lambda: average_score({"a": [1, float("nan")]}), "nota finita"),
        (lambda: exact_match(["a"], []), "1 respuestas y 0 soluciones"),
        (lambda: score_tasks(None, None, {"copia": []}, max_new_tokens=5), "No hay ejemplos de copia"),
        (lambda: average_accuracy([[1, 2]]), "cuadrada"),
        (lambda: average_accuracy([]), "cuadrada"),
        (lambda: backward_transfer([[1.0]]), "dos o más"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()
