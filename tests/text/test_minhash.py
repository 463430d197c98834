"""Trozos, MinHash y LSH: contra la definición con conjuntos, contra la teoría y a gran escala."""

import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text.lsh import candidate_pairs, candidate_probability, choose_bands
from utils.text.minhash import estimated_jaccard, minhash, standard_error
from utils.text.normalize import normalize
from utils.text.shingles import jaccard, jaccard_pairs, mix, shingle_hashes

TEXT = st.text("abñ é.,", min_size=1, max_size=25).filter(lambda text: normalize(text))


def by_definition(a: str, b: str, n: int) -> float:
    """Jaccard con los conjuntos de Python, sin hashes."""
    first, second = (
        {text[i : i + n] for i in range(max(1, len(text) - n + 1))} for text in (normalize(a), normalize(b))
    )
    return len(first & second) / len(first | second)


@given(TEXT, TEXT, st.integers(1, 6))
def test_jaccard_is_the_one_of_the_sets(a, b, n):
    assert jaccard(a, b, n) == pytest.approx(by_definition(a, b, n))


@given(st.lists(TEXT, min_size=1, max_size=6), st.integers(1, 6))
def test_each_text_gets_its_own_shingles(texts, n):
    hashes, starts = shingle_hashes(texts, n)
    for i, text in enumerate(texts):
        alone, _ = shingle_hashes([text], n)
        assert hashes[starts[i] : starts[i + 1]].tolist() == alone.tolist()


def test_accents_and_case():
    assert jaccard("El NIÑO pasó", "el  niño pasó") == 1
    assert jaccard("pasó por aquí", "paso por aqui") < 1


def sets_with_jaccard(target: float, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Dos conjuntos de `size` trozos con ese Jaccard, o el más cercano posible."""
    common = round(2 * size * target / (1 + target))
    pool = rng.integers(0, 2**64, 2 * size - common, dtype=np.uint64)
    hashes = np.concatenate([pool[:size], pool[:common], pool[size:]])
    return hashes, np.array([0, size, 2 * size]), common / (2 * size - common)


@pytest.mark.parametrize("target", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_minhash_is_unbiased_and_its_error_is_the_predicted_one(target):
    rng, errors = np.random.default_rng(0), []
    for trial in range(400):
        hashes, starts, exact = sets_with_jaccard(target, 100, rng)
        signatures = minhash(hashes, starts, 64, seed=trial)
        errors.append(estimated_jaccard(signatures, np.array([[0, 1]]))[0] - exact)
    predicted = standard_error(exact, 64)
    assert abs(np.mean(errors)) <= 4 * predicted / np.sqrt(400) + 1e-12
    assert np.std(errors) == pytest.approx(predicted, rel=0.2, abs=1e-12)
    assert np.std(errors) <= 1 / np.sqrt(64)


def test_the_signature_does_not_depend_on_the_neighbours_or_on_repetitions():
    hashes, starts = shingle_hashes(["uno dos tres", "cuatro cinco", "uno dos tres uno dos tres"])
    together = minhash(hashes, starts, 32)
    assert (together[0] == minhash(*shingle_hashes(["uno dos tres"]), 32)[0]).all()
    doubled = np.concatenate([hashes[: starts[1]], hashes[: starts[1]]])
    assert (minhash(doubled, np.array([0, len(doubled)]), 32)[0] == together[0]).all()


@given(st.floats(0, 1), st.integers(1, 40), st.integers(1, 12))
def test_the_s_curve_goes_up_with_bands_and_down_with_rows(s, bands, rows):
    p = candidate_probability(s, bands, rows)
    assert 0 <= p <= 1
    assert p <= candidate_probability(s, bands + 1, rows) + 1e-12
    assert p >= candidate_probability(s, bands, rows + 1) - 1e-12


def test_the_s_curve_is_what_happens():
    rng = np.random.default_rng(1)
    for target in (0.5, 0.7, 0.8):
        hits = 0
        for trial in range(300):
            hashes, starts, exact = sets_with_jaccard(target, 80, rng)
            hits += len(candidate_pairs(minhash(hashes, starts, 60, seed=trial), 12, 5))
        predicted = candidate_probability(exact, 12, 5)
        assert hits / 300 == pytest.approx(predicted, abs=4 * np.sqrt(predicted * (1 - predicted) / 300) + 0.005)


@pytest.mark.parametrize(
    ("k", "threshold", "recall"), [(128, 0.8, 0.95), (128, 0.5, 0.99), (64, 0.9, 0.9), (9, 1.0, 0.9)]
)
def test_choose_bands_keeps_its_promise_with_the_longest_rows(k, threshold, recall):
    bands, rows = choose_bands(k, threshold, recall)
    assert bands * rows <= k and candidate_probability(threshold, bands, rows) >= recall
    assert rows == k or candidate_probability(threshold, k // (rows + 1), rows + 1) < recall


def test_copies_in_a_bucket_are_chained():
    signatures = np.zeros((50, 8), np.uint32)
    assert candidate_pairs(signatures, 2, 4).tolist() == [[i, i + 1] for i in range(49)]


def test_mix_is_a_permutation_that_moves_half_of_the_bits():
    values = np.arange(2000, dtype=np.uint64)
    mixed = mix(values)
    assert len(np.unique(mixed)) == 2000
    flipped = np.bitwise_count(mix(values) ^ mix(values ^ np.uint64(1)))
    assert 30 < flipped.mean() < 34


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shingle_hashes(["hola", "  "]), "texto número 1 está vacío"),
        (lambda: shingle_hashes(["hola"], n=0), "al menos un carácter"),
        (lambda: minhash(*shingle_hashes(["hola"]), permutations=0), "hace falta al menos una"),
        (lambda: minhash(np.array([1], np.uint64), np.array([0, 1, 1])), "sin trozos"),
        (lambda: standard_error(1.2), "entre 0 y 1"),
        (lambda: choose_bands(128, 80), "van entre 0 y 1"),
        (lambda: choose_bands(4, 0.1, 0.99), "usa más"),
        (lambda: candidate_pairs(np.zeros((2, 8), np.uint32), 3, 3), "no caben"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_standard_error_needs_a_shuffle():
    with pytest.raises(ValueError, match="al menos una"):
        standard_error(0.5, permutations=0)


def test_jaccard_of_many_pairs():
    texts = ["el gato come", "el gato bebe", "la casa azul"]
    hashes, starts = shingle_hashes(texts)
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    expected = [by_definition(texts[i], texts[j], 5) for i, j in pairs]
    np.testing.assert_allclose(jaccard_pairs(hashes, starts, pairs), expected)
    assert len(jaccard_pairs(hashes, starts, np.empty((0, 2), int))) == 0


@pytest.mark.slow
def test_time_grows_like_the_number_of_documents():
    """Cuatro veces más documentos, menos de ocho veces más tiempo: comparar todas las parejas serían dieciséis."""
    from utils.text.dedup import find_near_duplicates

    rng = random.Random(0)
    vocabulary = ["".join(rng.choices("abcdefghilmnoprstu", k=rng.randint(3, 8))) for _ in range(3000)]
    texts = [" ".join(rng.choices(vocabulary, k=15)) for _ in range(20_000)]
    seconds = []
    for size in (5000, 20_000):
        start = time.process_time()
        assert len(find_near_duplicates(texts[:size]).kept) == size
        seconds.append(time.process_time() - start)
    assert seconds[1] < 8 * seconds[0]
    assert seconds[1] < 60 / 5  # la quinta parte de lo que se admite para 100 000
