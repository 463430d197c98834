"""Las parejas y los etiquetadores: lo que sortean es lo que dicen las fórmulas."""

import numpy as np
import pytest

from utils.align.preferences import best_accuracy, noisy_ranking, preference_probability, ranking_pairs


@pytest.mark.parametrize("n", [2, 3, 4, 9])
def test_a_ranking_gives_every_pair_once(n):
    pairs = ranking_pairs(range(n))
    assert len(pairs) == n * (n - 1) // 2 and all(better < worse for better, worse in pairs)


def test_noisy_rankings_follow_bradley_terry_pair_by_pair():
    utilities, noise, draws = [0.0, 0.5, 1.5, 1.0], 0.7, 20_000
    rng = np.random.default_rng(0)
    places = np.array([np.argsort(noisy_ranking(utilities, noise, rng)) for _ in range(draws)])
    for a, b in ranking_pairs(range(4)):
        expected = preference_probability(utilities[a], utilities[b], noise)
        found = (places[:, a] < places[:, b]).mean()
        assert abs(found - expected) < 4.5 * np.sqrt(expected * (1 - expected) / draws)  # alfa = 7e-6


def test_nobody_beats_the_ceiling_and_the_truth_reaches_it():
    rng = np.random.default_rng(1)
    pairs = rng.normal(size=(4000, 2))
    labels = np.array([noisy_ranking(pair, 1.0, rng)[0] == 0 for pair in pairs])
    truth = pairs[:, 0] > pairs[:, 1]
    ceiling = best_accuracy(pairs.tolist(), 1.0)
    assert abs((labels == truth).mean() - ceiling) < 4.5 * np.sqrt(ceiling * (1 - ceiling) / len(pairs))
    assert best_accuracy(pairs.tolist(), 0.0) == 1.0


def test_bad_input_says_what_is_wrong():
    with pytest.raises(ValueError, match="ninguna pareja"):
        ranking_pairs(["sola"])
    with pytest.raises(ValueError, match="finitos"):
        preference_probability(float("nan"), 0.0)
    with pytest.raises(ValueError, match="ruido"):
        noisy_ranking([1.0, 2.0], -1.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="techo"):
        best_accuracy([], 1.0)
