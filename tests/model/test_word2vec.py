"""Word2Vec: los gradientes a mano son los de autograd, y con un corpus claro los vecinos son los que deben."""

import numpy as np
import pytest
import torch

from utils.model.word2vec import build_vocabulary, nearest, negative_sampling, skip_gram_pairs, train_word2vec


def test_gradients_equal_autograd():
    generator = torch.Generator().manual_seed(0)
    shapes = ((4, 6), (4, 6), (4, 3, 6))
    center, context, negatives = (
        torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True) for s in shapes
    )
    loss, *grads = negative_sampling(center, context, negatives)
    expected = torch.autograd.grad(loss, (center, context, negatives))
    for got, reference in zip(grads, expected, strict=True):
        torch.testing.assert_close(got, reference)


def test_pairs_stay_inside_the_sentence_and_the_window():
    pairs = skip_gram_pairs([[0, 1, 2, 3], [9, 8]], window=2, rng=np.random.default_rng(0)).tolist()
    assert all((a < 4) == (b < 4) and a != b for a, b in pairs)
    assert all(abs(a - b) <= 2 for a, b in pairs)
    assert {(9, 8), (8, 9), (0, 1), (2, 3)} <= {tuple(pair) for pair in pairs}


def test_words_in_the_same_places_end_up_together():
    animals, days = ["gato", "perro", "pez"], ["lunes", "martes", "jueves"]
    rng = np.random.default_rng(0)
    sentences = [["mi", str(rng.choice(animals)), "come", "pan"] for _ in range(400)]
    sentences += [["vengo", "el", str(rng.choice(days)), "pronto"] for _ in range(400)]
    words, vectors = train_word2vec(sentences, dimension=8, epochs=5, subsample=1.0, seed=0)
    again = train_word2vec(sentences, dimension=8, epochs=5, subsample=1.0, seed=0)[1]
    assert torch.equal(vectors, again)
    for group in (animals, days):
        for word in group:
            assert {w for w, _ in nearest(word, words, vectors, k=2)} == set(group) - {word}


def test_bad_input():
    with pytest.raises(ValueError, match="baja min_count"):
        build_vocabulary([["a", "b"]], min_count=2)
    with pytest.raises(ValueError, match="al menos 1"):
        skip_gram_pairs([[1, 2]], window=0, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="«z» no está"):
        nearest("z", ["a", "b"], torch.eye(2))
