"""Los listones: las mismas probabilidades que `NgramLM`, y que suman 1."""

import numpy as np
import pytest
import torch

from utils.measure.ngram import NgramTable
from utils.model.drafts import NgramLM


def test_same_probabilities_as_the_ngram_model():
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 30, n).tolist() for n in (1, 7, 40, 200)]
    table = NgramTable(texts, 35)
    unigram, bigram = NgramLM(texts, 35, order=1), NgramLM(texts, 35, order=2)
    torch.testing.assert_close(torch.from_numpy(table.unigram).float(), unigram.probs([3])[0])
    for token in range(35):  # del 30 al 34 no se han visto
        torch.testing.assert_close(torch.from_numpy(table.bigram[token]).float(), bigram.probs([token])[0])
    assert np.allclose(table.bigram.sum(1), 1) and table.unigram.min() > 0


def test_bigrams_beat_unigrams_where_there_is_order():
    text = [0, 1, 2] * 50
    table = NgramTable([text], 3)
    assert table.nats(text, 1).mean() == pytest.approx(np.log(3), rel=0.01)
    assert table.nats(text, 2).mean() < 0.05


def test_bad_input_is_explained():
    with pytest.raises(ValueError, match="El corpus está vacío"):
        NgramTable([[]], 5)
    with pytest.raises(ValueError, match="fuera del vocabulario"):
        NgramTable([[5]], 5)
    with pytest.raises(ValueError, match="order es 3"):
        NgramTable([[1, 2]], 5).nats([1, 2], order=3)
