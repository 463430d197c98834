"""Los intervalos cubren lo que dicen, las parejas los estrechan y los datos malos se rechazan."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from utils.measure.stats import Interval, bootstrap, paired_bootstrap, wilson


def test_interval_covers_the_true_mean_95_percent_of_the_time():
    rng = np.random.default_rng(0)
    covered = 0
    for draw in range(300):
        interval = bootstrap(rng.exponential(size=150), n=1000, seed=draw)  # media verdadera: 1
        covered += interval.low <= 1 <= interval.high
    assert 0.92 <= covered / 300 <= 0.98


def test_width_matches_the_normal_formula_and_the_level():
    values = np.random.default_rng(1).normal(size=400)
    error = values.std() / math.sqrt(400)
    for level, z in ((0.95, 1.960), (0.80, 1.2816)):
        interval = bootstrap(values, level=level, seed=0)
        assert (interval.high - interval.low) / 2 == pytest.approx(z * error, rel=0.05)
        assert (interval.estimate, interval.level, interval.n) == (pytest.approx(values.mean()), level, 400)


def test_paired_is_narrower_than_unpaired_and_finds_the_effect():
    rng = np.random.default_rng(2)
    difficulty = rng.normal(size=200)
    before = difficulty + rng.normal(scale=0.1, size=200)
    after = difficulty + 0.05 + rng.normal(scale=0.1, size=200)
    paired = paired_bootstrap(before, after, seed=0)
    stacked = np.stack([before, rng.permutation(after)], axis=1)  # rompe las parejas
    unpaired = bootstrap(stacked[:, 1] - stacked[:, 0], seed=0)
    assert paired.excludes_zero() and not unpaired.excludes_zero()
    assert (paired.high - paired.low) < 0.3 * (unpaired.high - unpaired.low)
    assert paired.estimate == pytest.approx(after.mean() - before.mean())


def test_no_effect_is_not_found():
    values = np.random.default_rng(3).normal(size=200)
    interval = paired_bootstrap(values, values, seed=0)
    assert (interval.low, interval.high) == (0, 0) and not interval.excludes_zero()


def test_sign_is_b_minus_a():
    assert paired_bootstrap([0, 0, 0], [2, 2, 2], n=100, seed=0) == Interval(2.0, 2.0, 2.0, 0.95, 3)
    better, worse = paired_bootstrap([0] * 9, [1] * 9), paired_bootstrap([1] * 9, [0] * 9)
    assert 0.5 < better.low < better.high == better.estimate == 1
    assert (worse.estimate, worse.low, worse.high) == (-1, -1, -better.low)


def test_other_statistics_and_ratios_of_totals():
    rng = np.random.default_rng(4)
    skewed = rng.exponential(size=300)
    assert bootstrap(skewed, np.median, seed=0).estimate == np.median(skewed)
    words = rng.integers(5, 50, size=300)
    hits = rng.binomial(words, 0.3)

    def ratio(sample, axis):
        return sample[..., 0].sum(axis) / sample[..., 1].sum(axis)

    interval = bootstrap(np.stack([hits, words], axis=1), ratio, seed=0)
    assert interval.estimate == hits.sum() / words.sum()
    assert interval.low < 0.3 < interval.high and interval.high - interval.low < 0.05


def test_seed_decides_and_defaults_to_the_course_one(monkeypatch):
    values = np.random.default_rng(5).normal(size=50)
    assert bootstrap(values, n=500, seed=1) == bootstrap(values, n=500, seed=1)
    assert bootstrap(values, n=500, seed=1) != bootstrap(values, n=500, seed=2)
    monkeypatch.setenv("CURSO_SEMILLA", "2")
    assert bootstrap(values, n=500) == bootstrap(values, n=500, seed=2)


def test_chunks_do_not_lose_resamples(monkeypatch):
    values = np.arange(1000.0)
    whole = bootstrap(values, n=1000, seed=0)
    monkeypatch.setattr("utils.measure.stats._CHUNK", 7_000)
    assert bootstrap(values, n=1000, seed=0) == whole


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
@settings(max_examples=50, deadline=None)
def test_interval_stays_between_the_extremes(values):
    assume(set(values) not in ({0.0}, {1.0}))  # esas son proporciones: su intervalo es el de Wilson
    interval = bootstrap(values, n=200, seed=0)
    slack = 1e-9 * max(1.0, *map(abs, values))
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack


def test_text_uses_the_decimal_comma():
    assert str(Interval(0.4123, 0.38, 0.4429, 0.95, 300)) == "0,412 [0,380; 0,443]"
    assert f"{Interval(12.34, -1.0, 25.0, 0.9, 10):.1f}" == "12,3 [-1,0; 25,0]"
    assert str(Interval(-0.5, -0.75, 0.0, 0.95, 9)) == "-0,500 [-0,750; 0,000]"


def test_zero_at_the_edge_is_not_excluded():
    assert not Interval(0.1, 0.0, 0.2, 0.95, 9).excludes_zero()
    assert not Interval(-0.1, -0.2, 0.0, 0.95, 9).excludes_zero()
    assert Interval(-1, -2, -0.5, 0.95, 9).excludes_zero()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap([1.0]), "menos de 2"),
        (lambda: bootstrap([]), "menos de 2"),
        (lambda: bootstrap(3.0), "menos de 2"),
        (lambda: bootstrap([1.0, math.nan]), "NaN"),
        (lambda: bootstrap([1.0, math.inf]), "NaN o infinitos"),
        (lambda: bootstrap([1.0, 2.0], n=10), "al menos 100"),
        (lambda: bootstrap([1.0, 2.0], level=95), "entre 0 y 1"),
        (lambda: paired_bootstrap([1.0, 2.0], [1.0, 2.0, 3.0]), "2 elementos y b tiene 3"),
        (lambda: paired_bootstrap([1.0, 2.0], [1.0, math.nan]), "b contiene NaN"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_proportion_at_the_edge_never_has_a_zero_width_interval(value):
    interval = bootstrap([value] * 40)
    assert interval == wilson(int(40 * value), 40) and interval.high - interval.low > 0.05
    assert bootstrap([0.5] * 40, n=200).low == bootstrap([0.5] * 40, n=200).high == 0.5  # no es una proporción


def test_two_identical_systems_differ_by_exactly_nothing():
    same = paired_bootstrap([1.0] * 40, [1.0] * 40, n=200)
    assert (same.low, same.high) == (0, 0)
    assert paired_bootstrap([0.0] * 40, [1.0] * 40).low < 0.95  # de 40 de 40 no se sigue que sea siempre
