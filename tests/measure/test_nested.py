"""El intervalo anidado cubre lo que el de un solo entrenamiento no cubre, y solo se cita con tres semillas o más."""

import json

import numpy as np
import pytest

from scripts.run_labs import LABS
from utils.course.effects import LIMIT, load_effects, save_effects
from utils.measure.nested import load_nested, nested, show_nested
from utils.measure.stats import bootstrap

STORED = sorted(path.stem for path in (LABS / "efectos").glob("*.json"))


def coverage(seeds, draws=300):
    """Qué parte de las veces cae dentro el valor verdadero, 0,5: del anidado y del de la primera semilla."""
    rng, hits = np.random.default_rng(0), np.zeros(2)
    for _ in range(draws):
        values = 0.5 + 0.2 * rng.standard_normal((seeds, 1)) + rng.standard_normal((seeds, 100))  # (S, N)
        for i, interval in enumerate((nested(values, n=400, seed=0), bootstrap(values[0], n=400, seed=0))):
            hits[i] += interval.low <= 0.5 <= interval.high
    return hits / draws


def test_one_training_undercovers_and_the_nested_interval_much_less():
    few, one = coverage(seeds=3)
    many, _ = coverage(seeds=10)
    assert one < 0.7 < 0.75 < few < 0.9 < many <= 0.98


def test_with_equal_seeds_it_agrees_with_the_formula():
    values = np.random.default_rng(1).normal(size=(8, 400))
    values -= values.mean(1, keepdims=True)
    interval = nested(values, seed=0)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(values.size), rel=0.05)


@pytest.mark.parametrize("bad", [[1.0, 2.0], [[1.0, 2.0]], [[1.0], [2.0]], [[1.0, 2.0], [3.0]], [[1.0, np.nan]] * 2])
def test_bad_values_are_explained(bad):
    with pytest.raises(ValueError, match=r"semilla|elementos"):
        nested(bad)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.course.effects.repo_root", lambda: tmp_path)
    for name in ("CURSO_GUARDAR", "CURSO_EFECTOS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def store(seed, values, monkeypatch):
    monkeypatch.setenv("CURSO_EFECTOS", "1")
    monkeypatch.setenv("CURSO_SEMILLA", str(seed))
    save_effects("lab-90", {"gain": values})


def test_each_seed_is_stored_once_and_a_reader_stores_nothing(folder, monkeypatch):
    save_effects("lab-90", {"gain": [1.0]})
    assert not (folder / "labs").exists()
    for seed, values in ((2, [9, 9]), (0, [0.12345, 1]), (2, [5, 7])):
        store(seed, values, monkeypatch)
    assert json.dumps(load_effects("lab-90")["gain"], default=list) == '{"0": [0.123, 1.0], "2": [5.0, 7.0]}'
    with pytest.raises(ValueError, match="guarda menos"):
        store(3, np.linspace(0, 1, 40_000), monkeypatch)


def test_a_lab_says_what_to_do_until_there_are_three_seeds(folder, monkeypatch, capsys):
    show_nested("lab-90", {"gain": "Lo que mejora"})
    assert "ninguna" in (shown := capsys.readouterr().out) and "make semillas LAB=lab-90" in shown
    with pytest.raises(ValueError, match="con 0 semillas"):
        load_nested("lab-90", "gain")
    for seed in range(3):
        store(seed, [seed, seed + 1], monkeypatch)
    show_nested("lab-90", {"gain": "Lo que mejora"})
    assert "0: 0,50 · 1: 1,50 · 2: 2,50" in (shown := capsys.readouterr().out) and "anidado       1,50 [" in shown


@pytest.mark.parametrize("lab", STORED)
def test_what_is_stored_is_compact_and_every_seed_measures_the_same_items(lab):
    assert (LABS / "efectos" / f"{lab}.json").stat().st_size <= LIMIT
    for name, seeds in load_effects(lab).items():
        assert {0, 1, 2} <= set(seeds), f"{lab}, {name}: faltan semillas"
        assert len({len(values) for values in seeds.values()}) == 1, f"{lab}, {name}"


def test_lab_10_keeps_what_the_prose_says_of_the_three_seeds():
    """Las copias y la fuga se sostienen; las respuestas exactas y lo no filtrado, no."""
    held = {name: load_nested("lab-10", name).low > 0 for name in load_effects("lab-10")}
    assert held == {"gain": True, "exact_gain": False, "leaked": True, "not_leaked": False}
    assert len({values.mean() > 0 for values in load_effects("lab-10")["not_leaked"].values()}) == 2
