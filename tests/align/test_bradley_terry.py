"""Las puntuaciones de Bradley-Terry son las de una regresión logística sobre diferencias."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from utils.align.bradley_terry import fit_scores, win_table


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shrink", [0.01, 0.1, 2.0])
def test_equals_a_logistic_regression(seed, shrink):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 9))
    pairs = [tuple(rng.choice(size, 2, replace=False)) for _ in range(60)]
    design = np.zeros((len(pairs), size))
    for row, (winner, loser) in enumerate(pairs):
        design[row, winner], design[row, loser] = 1, -1
    both = np.concatenate([design, -design])  # en los dos sentidos: scikit-learn pide dos clases
    labels, weights = np.repeat([1, 0], len(pairs)), np.full(2 * len(pairs), 0.5)
    reference = LogisticRegression(C=1 / shrink, fit_intercept=False, tol=1e-12, max_iter=10_000)
    expected = reference.fit(both, labels, sample_weight=weights).coef_[0]
    assert fit_scores(win_table(pairs, size), shrink) == pytest.approx(expected - expected.mean(), abs=1e-4)


def test_a_lone_winner_has_a_finite_score():
    scores = fit_scores(win_table([(0, 1)] * 1000, size=3))
    assert np.isfinite(scores).all() and scores[0] > scores[2] > scores[1]


def test_scores_recover_the_truth():
    truth = np.array([1.5, 0.5, 0.0, -2.0])
    wins = 10_000 / (1 + np.exp(truth[None] - truth[:, None])) * (1 - np.eye(4))
    assert fit_scores(wins) == pytest.approx(truth - truth.mean(), abs=1e-3)


@pytest.mark.parametrize(
    ("wins", "shrink", "message"),
    [(np.ones((2, 3)), 0.1, "cuadrada"), (-np.eye(2), 0.1, "de 0 en adelante"), (np.zeros((2, 2)), 0.0, "shrink")],
)
def test_bad_tables_say_why(wins, shrink, message):
    with pytest.raises(ValueError, match=message):
        fit_scores(wins, shrink)


def test_a_pair_of_one_answer_is_an_error():
    with pytest.raises(ValueError, match="dos respuestas distintas"):
        win_table([(1, 1)], size=3)
