"""Elo y Bradley-Terry: contra una regresión logística, el orden que importa a uno y no al otro, y los errores."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from utils.measure.elo import Duel, bradley_terry, elo, win_probability

TRUE = {"A": 1200.0, "B": 1080.0, "C": 950.0, "D": 770.0}


def tournament(n: int, seed: int = 0) -> list[Duel]:
    rng = random.Random(seed)
    pairs = [rng.sample(list(TRUE), 2) for _ in range(n)]
    return [Duel(a, b, float(rng.random() < win_probability(TRUE[a], TRUE[b]))) for a, b in pairs]


def test_bradley_terry_is_an_unregularised_logistic_regression():
    duels, names = tournament(600), list(TRUE)
    x = np.zeros((len(duels), len(names)))
    for row, duel in enumerate(duels):
        x[row, names.index(duel.a)], x[row, names.index(duel.b)] = 1, -1
    fitted = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=5000)
    w = fitted.fit(x, [duel.score for duel in duels]).coef_[0] * 400 / np.log(10)
    ours = bradley_terry(duels)
    assert [ours[n] - ours["A"] for n in names] == pytest.approx(list(w - w[0]), abs=0.05)


def test_it_recovers_the_true_strengths():
    ours = bradley_terry(tournament(20_000))
    assert ours == pytest.approx(TRUE, abs=25)


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_duels_changes_elo_and_not_bradley_terry(rng):
    duels = tournament(120)
    shuffled = rng.sample(duels, len(duels))
    assert bradley_terry(shuffled) == pytest.approx(bradley_terry(duels), abs=1e-4)
    assert sum(elo(shuffled).values()) == pytest.approx(4000)
    if shuffled != duels:
        assert elo(shuffled) != elo(duels)


def test_a_tie_between_equals_changes_nothing():
    assert elo([Duel("A", "B", 0.5)]) == {"A": 1000.0, "B": 1000.0}
    assert bradley_terry([Duel("A", "B", 0.5)]) == pytest.approx({"A": 1000, "B": 1000})


@pytest.mark.parametrize(
    ("duels", "message"),
    [
        ([], "ningún duelo"),
        ([Duel("A", "A", 1.0)], "dos jugadores distintos"),
        ([Duel("A", "B", 2.0)], "entre 0 y 1"),
        ([Duel("A", "B", 1.0)], "Ninguna cadena de victorias lleva de «B» a «A»"),
        ([Duel("A", "B", 0.5), Duel("C", "D", 0.5)], "hacen falta más duelos"),
    ],
)
def test_bad_input_says_what_is_missing(duels, message):
    with pytest.raises(ValueError, match=message):
        bradley_terry(duels)
