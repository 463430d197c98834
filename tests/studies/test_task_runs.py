"""Los entrenamientos apuntados se leen enteros, y cada estudio tiene los suyos con las tres semillas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.run_forgetting import OLD_TASKS, SEEDS, STUDIES, STUDY, TEST_SIZE
from utils.measure.forgetting import forgetting
from utils.studies.task_runs import decode_hits, encode_hits, load_runs

CSV = STUDY.csv


@given(
    st.dictionaries(st.sampled_from(["copia", "tema", "aviso"]), st.lists(st.integers(0, 1), min_size=1), min_size=1)
)
def test_hits_survive_the_round_trip(hits):
    arrays = {task: np.array(values, float) for task, values in hits.items()}
    again = decode_hits(encode_hits(arrays))
    assert again.keys() == arrays.keys()
    assert all((again[task] == arrays[task]).all() for task in arrays)


def test_every_run_was_scored_with_the_same_number_of_examples():
    for run in (run for study in STUDIES for run in load_runs(CSV, study)):
        assert {len(hits) for hits in run.hits.values()} <= {TEST_SIZE, 3 * TEST_SIZE}


def test_with_every_seed_full_tuning_forgets_more_than_replay_and_multitask():
    runs = {(run.method, run.seed): run.hits for run in load_runs(CSV, "metodos")}
    for seed in SEEDS:
        full = {task: runs["completo", seed][task] for task in ("sentimiento", "tema", "traduccion", "copia")}
        for method in ("repaso", "multitarea"):
            other = {task: runs[method, seed][task] for task in full}
            assert forgetting(other, full, seed=0).low > 0


def test_with_every_seed_half_the_rate_forgets_less_than_the_lab_and_than_lora():
    runs = {
        (run.study, run.method, run.seed): run.hits
        for name in ("metodos", "tasas")
        for run in load_runs(CSV, name)
        if (run.study, run.method) != ("tasas", "lora")
    }
    for seed in SEEDS:
        slow = {task: runs["tasas", "completo", seed][task] for task in OLD_TASKS}
        assert runs["tasas", "completo", seed]["aviso"].mean() > 0.95
        for method in ("completo", "lora"):
            other = {task: runs["metodos", method, seed][task] for task in OLD_TASKS}
            assert forgetting(slow, other, seed=0).low > 0


def test_a_slower_lora_learns_less_and_keeps_little():
    usual = {run.seed: run.hits for run in load_runs(CSV, "metodos", "lora")}
    slower = load_runs(CSV, "tasas", "lora")
    assert {(run.value, run.seed) for run in slower} == {(rate, seed) for rate in (1e-3, 1.5e-3) for seed in SEEDS}
    for run in slower:
        assert run.hits["aviso"].mean() < usual[run.seed]["aviso"].mean()
        assert np.mean([run.hits[task].mean() for task in OLD_TASKS]) < 0.25  # el completo a media tasa guarda 0,38


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda tmp: load_runs(tmp / "nada.csv", "metodos"), "recupéralo con git"),
        (lambda tmp: load_runs(CSV, "otro"), "No hay entrenamientos de «otro»"),
        (lambda tmp: load_runs(CSV, "metodos", "magia"), "con «magia»"),
        (lambda tmp: decode_hits("copia:12"), "unos y ceros"),
        (lambda tmp: decode_hits("copia"), "unos y ceros"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        call(tmp_path)
