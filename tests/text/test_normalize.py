"""Palabras del español enteras, y las mismas que rouge-score en ASCII."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import tokenize

from utils.text.normalize import normalize, words


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_words_are_those_of_rouge_score(text):
    assert words(text) == tokenize.tokenize(text, None)


@given(st.text())
def test_composed_and_decomposed_text_are_the_same(text):
    assert words(unicodedata.normalize("NFD", text)) == words(unicodedata.normalize("NFC", text))


@given(st.text(st.one_of(st.characters(), st.sampled_from("_aé\u0301\u0300 1²")), max_size=30))
def test_a_word_is_a_run_of_letters_and_digits_with_their_loose_accents(text):
    assert words(text) == re.findall(r"(?:[^\W_][\u0300-\u036f]*)+", normalize(text))
    assert normalize(normalize(text)) == normalize(text)


def test_spanish_letters_are_kept():
    assert words("¡El NIÑO pasó, y el pingüino también!") == [
        "el", "niño", "pasó", "y", "el", "pingüino", "también",
    ]  # fmt: skip
    assert words("pasó") != words("pasé")
    assert words("sub_rayado y 3,5 %") == ["sub", "rayado", "y", "3", "5"]
    assert words("") == words(" ¿? …") == []
    assert words("x\u0303 y") == ["x\u0303", "y"]  # una marca sin letra compuesta no parte la palabra


def test_normalize_joins_spaces_and_keeps_accents():
    assert normalize("  Sí,\n\tCAFE\u0301 ") == "sí, café"


@pytest.mark.parametrize("value", [None, 3, ["a"], b"a"])
def test_only_text_is_accepted(value):
    with pytest.raises(ValueError, match="Se esperaba un texto"):
        words(value)
