"""Las frases concuerdan, la distancia es la pedida y los nombres de en medio no dicen nada del sujeto."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.corpus.agreement import (
    NOUNS,
    PREPOSITIONS,
    VERBS,
    encode,
    make_sentence,
    sample_distance,
    sample_short,
    vocabulary,
)

NUMBER = {form: plural for noun in NOUNS for plural, form in enumerate(noun[:2])}
FORMS = {form: plural for verb in VERBS for plural, form in enumerate(verb)}


@given(st.one_of(st.just(1), st.integers(4, 60)), st.integers(0, 10_000))
def test_the_verb_agrees_with_the_first_noun_at_the_given_distance(distance, seed):
    sentence = make_sentence(distance, random.Random(seed))
    first = next(i for i, word in enumerate(sentence.words) if word in NUMBER)
    right = sentence.words[sentence.verb]
    assert sentence.verb - first == distance
    assert FORMS[right] == NUMBER[sentence.words[first]] == sentence.plural == 1 - FORMS[sentence.wrong]
    assert (right, sentence.wrong)[:: -1 if sentence.plural else 1] in VERBS  # las dos formas del mismo verbo
    assert sum(word in FORMS for word in sentence.words) == 1
    assert sentence == make_sentence(distance, random.Random(seed))


def test_the_nearest_noun_says_nothing_about_the_subject():
    sentences = [make_sentence(12, random.Random(i)) for i in range(4000)]
    nearest = [next(NUMBER[w] for w in reversed(s.words[: s.verb]) if w in NUMBER) for s in sentences]
    assert sum(s.plural for s in sentences) / 4000 == pytest.approx(0.5, abs=0.04)
    assert sum(n == s.plural for n, s in zip(nearest, sentences, strict=True)) / 4000 == pytest.approx(0.5, abs=0.04)


def test_distances_are_adjacent_half_of_the_time_and_the_rest_uniform():
    rng = random.Random(0)
    counts = Counter(sample_distance(rng, longest=13) for _ in range(20_000))
    assert set(counts) == {1, *range(4, 14)}
    assert counts[1] / 20_000 == pytest.approx(0.5, abs=0.02)
    assert max(counts[d] for d in range(4, 14)) < 1.25 * min(counts[d] for d in range(4, 14))


def test_short_distances_are_rarer_the_longer_they_are():
    rng = random.Random(0)
    counts = Counter(sample_short(rng) for _ in range(20_000))
    assert set(counts) <= {1, *range(4, 41)}
    assert counts[1] / 20_000 == pytest.approx(0.3, abs=0.02)
    ranges = [sum(counts[d] for d in range(low, low + 9)) for low in (4, 13, 22)]
    assert ranges[0] > 3 * ranges[1] > 9 * ranges[2] > 0


def test_vocabulary_covers_every_sentence():
    vocab = vocabulary()
    assert sorted(vocab.values()) == list(range(1, len(vocab) + 1))
    sentences = [make_sentence(20, random.Random(i)) for i in range(500)]
    for ids, sentence in zip(encode(sentences, vocab), sentences, strict=True):
        assert len(ids) == len(sentence.words) and 0 not in ids
    assert {word for text in PREPOSITIONS for word in text.split()} <= set(vocab)


@pytest.mark.parametrize("distance", [-1, 0, 2, 3])
def test_impossible_distances(distance):
    with pytest.raises(ValueError, match=f"La distancia es {distance}: pide 1"):
        make_sentence(distance, random.Random(0))


def test_the_number_of_the_subject_can_be_asked_for():
    asked = [make_sentence(12, random.Random(i), plural=i % 2 == 1) for i in range(40)]
    assert [sentence.plural for sentence in asked] == [False, True] * 20
