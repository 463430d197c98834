"""Los trozos borrados, frente al algoritmo del código de T5 y a los centinelas de su vocabulario."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from utils.train.objectives import SpanCorruption

T5 = SpanCorruption(pad_id=0, eos_id=1, sentinels=tuple(range(32099, 31999, -1)))  # <extra_id_0> es el 32099


def t5_noise_mask(length: int, rng: np.random.Generator, density: float = 0.15, mean: float = 3.0) -> np.ndarray:
    """`random_spans_noise_mask` del código de T5 (Raffel et al., 2020), según su descripción: True, lo que se borra.

    Fija cuántos tokens y cuántos trozos se borran; reparte al azar los tokens borrados y los visibles entre los
    trozos, que se alternan, y el primero es visible.
    """
    noise = min(max(round(length * density), 1), length - 1)
    spans = max(round(noise / mean), 1)

    def segment(items: int) -> np.ndarray:
        first = np.concatenate([[0], rng.permutation((np.arange(items - 1) < spans - 1).astype(int))])
        return np.bincount(np.cumsum(first), minlength=spans)

    lengths = np.stack([segment(length - noise), segment(noise)], axis=1).ravel()
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def our_mask(objective: SpanCorruption, length: int, rng: np.random.Generator) -> np.ndarray:
    source, _ = objective.corrupt(list(range(100, 100 + length)), rng)
    return ~np.isin(np.arange(100, 100 + length), source)


def runs(mask: np.ndarray) -> list[int]:
    edges = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return (np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)).tolist()


@pytest.mark.parametrize("length", [2, 7, 20, 64, 128, 512])
def test_same_number_of_tokens_and_spans_as_t5(length):
    for seed in range(20):
        ours, theirs = (
            our_mask(T5, length, np.random.default_rng(seed)),
            t5_noise_mask(length, np.random.default_rng(seed)),
        )
        assert ours.sum() == theirs.sum() and len(runs(ours)) == len(runs(theirs))


def test_every_mask_is_as_likely_as_in_t5():
    """Con 14 tokens, 5 borrados y 2 trozos hay 4 × 8 máscaras, y las dos rutinas las sortean por igual."""
    objective, rng = SpanCorruption(0, 1, (900, 901, 902), rate=0.36, mean_span=2.5), np.random.default_rng(0)
    counts = [Counter(), Counter()]
    for _ in range(6000):
        counts[0][tuple(our_mask(objective, 14, rng))] += 1
        counts[1][tuple(t5_noise_mask(14, rng, 0.36, 2.5))] += 1
    assert set(counts[0]) == set(counts[1]) and len(counts[0]) == 32
    table = np.array([[count[mask] for mask in counts[0]] for count in counts])
    assert chi2_contingency(table).pvalue > 0.001
    assert all(chisquare(row).pvalue > 0.001 for row in table)


def test_the_span_lengths_are_those_of_t5():
    rng = np.random.default_rng(0)
    ours = [n for _ in range(400) for n in runs(our_mask(T5, 256, rng))]
    theirs = [n for _ in range(400) for n in runs(t5_noise_mask(256, rng))]
    assert (
        np.mean(ours) == np.mean(theirs) == pytest.approx(38 / 13)
    )  # round(0,15 · 256) tokens en round(38 / 3) trozos
    table = np.array([np.bincount(np.minimum(x, 10), minlength=11)[1:] for x in (ours, theirs)])
    assert chi2_contingency(table).pvalue > 0.001


@settings(max_examples=60)
@given(st.integers(2, 400), st.integers(0, 2**32 - 1))
def test_sentinels_of_t5_go_down_and_the_text_comes_back(length, seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(2, 31999, length).tolist()
    source, target = T5.corrupt(ids, rng)
    for text in (source, target):
        used = [token for token in text if token in T5.sentinels]
        assert used == list(range(32099, 32099 - len(used), -1))
    assert T5.restore(source, target) == ids


def test_a_target_of_another_text_is_explained():
    with pytest.raises(ValueError, match=r"bajo los centinelas \[32098\]"):
        T5.restore([5, 32099, 7, 32098, 1], [32099, 6, 1])
