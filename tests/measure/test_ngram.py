"""Los listones: las mismas probabilidades que `NgramLM` sin los comienzos, y que suman 1."""

import numpy as np
import pytest
import torch

from utils.measure.ngram import NgramTable
from utils.model.drafts import NgramLM


def test_same_probabilities_as_the_ngram_model():
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 30, n).tolist() for n in (1, 7, 40, 200)]
    table = NgramTable(texts, 35)
    unigram, bigram = NgramLM([ids[1:] for ids in texts], 35, order=1), NgramLM(texts, 35, order=2)
    bigram.counts[0] = unigram.counts[0]  # el primero de cada texto es contexto y no se predice
    torch.testing.assert_close(torch.from_numpy(table.unigram).float(), unigram.probs([3])[0])
    for token in range(35):  # del 30 al 34 no se han visto
        torch.testing.assert_close(torch.from_numpy(table.bigram[token]).float(), bigram.probs([token])[0])
    assert np.allclose(table.bigram.sum(1), 1) and table.unigram.min() > 0


@pytest.mark.parametrize("start", [3, 4])
def test_the_start_mark_is_context_and_not_a_target(start):
    """Poner `<s>` delante de cada texto no cambia los unigramas: nadie tiene que adivinarlo."""
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 3, 12).tolist() for _ in range(40)]
    table = NgramTable([[start, *ids] for ids in texts], 5)
    expected = np.bincount(np.concatenate(texts), minlength=5)
    total, kinds = expected.sum(), 3
    assert np.allclose(table.unigram, (expected + kinds / 5) / (total + kinds))
    assert table.unigram[start] < 0.002 and table.bigram[:, start].max() < 0.002
    assert table.nats([start, 0], 2) != table.nats([1, 0], 2)  # y como contexto sí cuenta


def test_bigrams_beat_unigrams_where_there_is_order():
    text = [0, 1, 2] * 50
    table = NgramTable([text], 3)
    assert table.nats(text, 1).mean() == pytest.approx(np.log(3), rel=0.01)
    assert table.nats(text, 2).mean() < 0.05


def test_bad_input_is_explained():
    for corpus in ([], [[]], [[1], [2], []]):
        with pytest.raises(ValueError, match="El corpus está vacío"):
            NgramTable(corpus, 5)
    with pytest.raises(ValueError, match="fuera del vocabulario"):
        NgramTable([[5]], 5)
    with pytest.raises(ValueError, match="order es 3"):
        NgramTable([[1, 2]], 5).nats([1, 2], order=3)
    for ids in ([], [1]):
        with pytest.raises(ValueError, match=f"tiene {len(ids)} tokens y hacen falta 2"):
            NgramTable([[1, 2]], 5).nats(ids, order=2)
    for ids in ([0, -1], [5, 0]):
        with pytest.raises(ValueError, match="fuera del vocabulario"):
            NgramTable([[1, 2]], 5).nats(ids, order=1)
