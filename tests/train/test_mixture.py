"""Las mezclas tienen las proporciones pedidas, no repiten de más y se repiten con la semilla."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.train.mixture import mix, mixing_rates


def test_temperature_goes_from_proportional_to_equal():
    sizes = {"a": 10, "b": 1000}
    assert mixing_rates(sizes)["a"] == pytest.approx(10 / 1010)
    half = mixing_rates(sizes, temperature=2)
    assert half["b"] / half["a"] == pytest.approx(math.sqrt(100))
    assert mixing_rates(sizes, temperature=1e9)["a"] == pytest.approx(0.5)


def test_the_limit_caps_only_the_large_tasks():
    rates = mixing_rates({"a": 10, "b": 1000, "c": 10**6}, limit=1000)
    assert rates["b"] == rates["c"] == pytest.approx(100 * rates["a"])


@given(
    st.dictionaries(st.sampled_from("abcde"), st.integers(1, 50), min_size=1), st.integers(0, 200), st.integers(0, 5)
)
@settings(max_examples=60, deadline=None)
def test_counts_follow_the_rates_and_nothing_repeats_before_its_turn(sizes, size, seed):
    datasets = {name: [(name, i) for i in range(n)] for name, n in sizes.items()}
    rates = mixing_rates(sizes)
    rows = mix(datasets, rates, size, seed)
    assert len(rows) == size
    for name, n in sizes.items():
        times = Counter(row for row in rows if row[0] == name)
        assert abs(sum(times.values()) - rates[name] * size) < 1
        if times:
            assert max(times.values()) <= math.ceil(sum(times.values()) / n)


def test_seed_decides_and_defaults_to_the_course_one(monkeypatch):
    data, rates = {"a": list(range(50))}, {"a": 1.0}
    assert mix(data, rates, 20, seed=1) == mix(data, rates, 20, seed=1) != mix(data, rates, 20, seed=2)
    monkeypatch.setenv("CURSO_SEMILLA", "2")
    assert mix(data, rates, 20) == mix(data, rates, 20, seed=2)


def test_zero_replay_is_only_the_new_task():
    assert set(mix({"n": ["n"], "v": ["v"]}, {"n": 1.0, "v": 0.0}, 10, seed=0)) == {"n"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mixing_rates({"a": 0}), "al menos un ejemplo"),
        (lambda: mixing_rates({}), "al menos un ejemplo"),
        (lambda: mixing_rates({"a": 1}, temperature=0), "deben ser positivos"),
        (lambda: mixing_rates({"a": 1}, limit=0), "deben ser positivos"),
        (lambda: mix({"a": [1]}, {"b": 1.0}, 3), "deben ser los mismos"),
        (lambda: mix({"a": [1], "b": [1]}, {"a": 0.9, "b": 0.3}, 3), "suman 1.2"),
        (lambda: mix({"a": [1], "b": [1]}, {"a": 1.5, "b": -0.5}, 3), "son positivas"),
        (lambda: mix({"a": []}, {"a": 1.0}, 3), "no hay ninguno"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()
