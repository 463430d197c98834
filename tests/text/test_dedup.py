"""Duplicados: parejas plantadas con un Jaccard conocido, grupos, líneas y textos idénticos."""

import random
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text.dedup import connect, drop_repeated_lines, exact_groups, find_near_duplicates
from utils.text.normalize import normalize
from utils.text.shingles import jaccard


def planted(
    seed: int, documents: int = 1500, pairs: int = 200, low: float = 0.8, high: float = 0.85
) -> tuple[list[str], set]:
    """Textos al azar y `pairs` copias retocadas cuyo Jaccard con el original está entre `low` y `high`."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices("abcdefghilmnoprstuñáé", k=rng.randint(3, 8))) for _ in range(2000)]
    texts = [" ".join(rng.choices(vocabulary, k=30)) for _ in range(documents)]
    truth = set()
    while len(truth) < pairs:
        i = rng.randrange(documents)
        copy = texts[i].split()
        for _ in range(rng.randint(1, 4)):
            copy[rng.randrange(30)] = rng.choice(vocabulary)
        copy = " ".join(copy)
        if all(i != pair[0] for pair in truth) and low <= jaccard(texts[i], copy) < high:
            truth.add((i, len(texts)))
            texts.append(copy)
    return texts, truth


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_recall_and_precision_on_planted_pairs(seed):
    texts, truth = planted(seed)
    found = {tuple(pair) for pair in find_near_duplicates(texts, threshold=0.8, seed=seed).pairs.tolist()}
    assert len(found & truth) / len(truth) > 0.95
    assert len(found & truth) / len(found) > 0.9


def test_pairs_below_the_threshold_are_left_alone():
    texts, truth = planted(0, documents=400, pairs=60, low=0.6, high=0.75)
    found = find_near_duplicates(texts, threshold=0.8)
    assert found.kept == list(range(len(texts))) and len(found.pairs) == 0
    assert found.candidates > 0  # llegan a candidatas y la comprobación exacta las descarta
    assert len(find_near_duplicates(texts, threshold=0.6).pairs) / len(truth) > 0.95


def test_the_first_of_each_group_is_kept():
    base = "Luis vende una bicicleta roja casi nueva en Lugo por muy poco dinero."
    texts = ["Otra cosa distinta del todo.", base, base.replace("Lugo", "León"), base.upper(), base + " Gracias."]
    found = find_near_duplicates(texts, threshold=0.7)
    assert found.kept == [0, 1] and found.groups == [0, 1, 1, 1, 1]
    assert (found.jaccard >= 0.7).all()


@given(st.lists(st.sampled_from(["Hola.", "hola.", " HOLA. ", "Adiós.", "¿Qué?"]), max_size=12))
def test_exact_groups_are_the_first_with_the_same_text(texts):
    groups = exact_groups(texts)
    for i, group in enumerate(groups):
        assert group == next(j for j, text in enumerate(texts) if normalize(text) == normalize(texts[i]))


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(
    st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20)
)))  # fmt: skip
def test_connect_equals_scipy(case):
    csgraph = pytest.importorskip("scipy.sparse.csgraph")
    sparse = pytest.importorskip("scipy.sparse")
    count, links = case
    rows, columns = ([link[k] for link in links] for k in (0, 1))
    graph = sparse.coo_matrix((np.ones(len(links)), (rows, columns)), shape=(count, count))
    labels = csgraph.connected_components(graph, directed=False)[1]
    expected = [int(np.flatnonzero(labels == label)[0]) for label in labels]
    assert connect(count, links) == expected


def test_repeated_lines_go_and_short_ones_stay():
    menu = "Inicio | Contacto | Aviso legal de la web"
    pages = [f"{menu}\nEl gato duerme.\nSí.", f"{menu.upper()}\nEl perro ladra.\nSí.", menu]
    assert drop_repeated_lines(pages) == [pages[0], "El perro ladra.\nSí.", ""]


def test_the_seed_changes_the_shuffles_and_not_the_answer():
    texts, _ = planted(3, documents=300, pairs=40, low=0.86, high=0.95)
    assert find_near_duplicates(texts, seed=0).kept == find_near_duplicates(texts, seed=9).kept


def test_bad_input():
    with pytest.raises(ValueError, match="está vacío"):
        find_near_duplicates(["hola", ""])
    with pytest.raises(ValueError, match="entre 0 y 1"):
        find_near_duplicates(["hola"], threshold=80)
    assert find_near_duplicates(["hola"]).kept == [0]


@pytest.mark.parametrize("odd", ["👩🏽‍🚀🙂", "medio emoji \ud83d", "a" * 50_000, "e\u0301" * 40, "ñ"])
def test_odd_texts_are_compared_like_any_other(odd):
    assert find_near_duplicates([odd, "otra cosa", unicodedata.normalize("NFC", odd), odd]).kept == [0, 1]


def test_nothing_to_compare():
    empty = find_near_duplicates([])
    assert (empty.kept, empty.groups, len(empty.pairs), empty.candidates) == ([], [], 0, 0)
    assert exact_groups([]) == drop_repeated_lines([]) == connect(0, []) == []
