"""TF-IDF igual que scikit-learn, con las mismas palabras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text.normalize import words
from utils.text.tfidf import Tfidf

LETTERS = st.text("aáñbc ,.¿", max_size=30)


@pytest.mark.parametrize(("idf", "unit"), [(True, True), (True, False), (False, True), (False, False)])
@given(train=st.lists(LETTERS, min_size=1, max_size=8), test=st.lists(LETTERS, min_size=1, max_size=4))
def test_equals_scikit_learn(idf, unit, train, test):
    text = pytest.importorskip("sklearn.feature_extraction.text")
    if not any(words(t) for t in train):
        with pytest.raises(ValueError, match="ninguna palabra"):
            Tfidf(idf, unit).fit(train)
        return
    ours = Tfidf(idf, unit).fit(train)
    theirs = text.TfidfVectorizer(
        tokenizer=words, token_pattern=None, use_idf=idf, norm="l2" if unit else None, lowercase=False
    ).fit(train)
    assert ours.vocabulary == theirs.vocabulary_
    np.testing.assert_allclose(ours.transform(test).toarray(), theirs.transform(test).toarray(), atol=1e-12)


def test_min_count_drops_rare_words():
    assert list(Tfidf(min_count=2).fit(["el gato el", "el pez"]).vocabulary) == ["el"]


def test_a_text_of_unknown_words_is_a_row_of_zeros():
    matrix = Tfidf().fit(["el gato"]).transform(["una perra", "", "el gato"])
    assert matrix.toarray().sum(axis=1).tolist() == pytest.approx([0, 0, 2**0.5])


def test_bad_input():
    with pytest.raises(ValueError, match="lista de textos"):
        Tfidf().fit("el gato")
    with pytest.raises(ValueError, match="llama antes a fit"):
        Tfidf().transform(["el gato"])
    with pytest.raises(ValueError, match="baja min_count"):
        Tfidf(min_count=5).fit(["el gato"])
    with pytest.raises(ValueError, match="lista de textos"):
        Tfidf().fit(["el gato"]).transform("el gato")
