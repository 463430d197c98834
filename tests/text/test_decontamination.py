"""Descontaminar: copias disfrazadas que hay que ver, coincidencias que no lo son y textos cortos."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text.decontamination import contaminated, ngram_index, overlap, word_ngrams
from utils.text.normalize import words

NUMBERS = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho"]
WORDS = st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=12)
TEST = ["El inquilino del tercero pidió arreglar la caldera antes del jueves sin falta.", "Me encantó el arroz."]


@given(WORDS, st.integers(1, 5))
def test_ngrams_are_the_windows(tokens, n):
    expected = {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}
    assert word_ngrams(" ".join(tokens), n) == expected


@given(WORDS, WORDS, WORDS, st.integers(1, 5))
def test_a_copy_inside_another_text_is_always_caught(before, item, after, n):
    text = " ".join([*before, *item, *after])
    if len(item) >= n:
        assert contaminated([text], [" ".join(item)], n=n, share=1.0) == [0]
        assert overlap(" ".join(item), ngram_index([text], n), n) == 1


@pytest.mark.parametrize(
    ("train", "caught"),
    [
        (f"Resume esto: {TEST[0]} Gracias.", True),
        (TEST[0].upper().replace(".", " !!"), True),
        ("El inquilino del tercero pidió arreglar la caldera antes del lunes sin falta.", True),  # casi entera
        ("El inquilino del tercero pidió una reunión el jueves.", False),
        ("La caldera de la vecina pierde agua desde el martes.", False),
        ("Me encanto\u0301 el arroz.", False),  # de cuatro palabras: no se busca
        ("El inquilino del tercero pidio\u0301 arreglar la caldera antes del jueves sin falta.", True),  # NFD
    ],
)
def test_what_counts_as_contamination(train, caught):
    assert contaminated([train], TEST, n=5, share=0.5) == ([0] if caught else [])


def test_a_lower_share_catches_more():
    train = ["El inquilino del tercero pidió arreglar la puerta antes del domingo."]
    assert contaminated(train, TEST, n=4, share=0.3) == [0]
    assert contaminated(train, TEST, n=4, share=0.9) == []


@given(st.lists(st.sampled_from(["sí", "no", "sí no", "no sí no"]), min_size=1, max_size=4), st.integers(4, 8))
def test_a_test_item_shorter_than_n_accuses_nobody(short, n):
    train = ["Sí", "no", "No, sí, no", "Sí, claro: no, sí, no, sí, no, sí"]
    assert contaminated(train, [*short, TEST[0]], n=n) == []
    assert all(overlap(text, ngram_index(train, n), n) == 0 for text in short)


def test_nothing_to_compare():
    assert contaminated(["...", "hola"], [], n=3) == [] == contaminated([], TEST, n=3)
    assert overlap("...", set(), 3) == 0 and words("¿?") == []
    for items in (["¿?"], ["Sí", "No"]):
        with pytest.raises(ValueError, match=r"Ningún texto de prueba llega a 3 palabras .* baja n"):
            contaminated(["sí", "hola"], items, n=3)


def test_bad_input():
    with pytest.raises(ValueError, match="mayor que 0"):
        contaminated(["a"], ["a"], share=0)
    with pytest.raises(ValueError, match="al menos una palabra"):
        word_ngrams("hola", 0)
