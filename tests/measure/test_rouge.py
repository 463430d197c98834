"""ROUGE: igual a rouge-score en ASCII, y erratas 5-7 y 50."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from utils.measure.rouge import Score, lcs_length, rouge, rouge_corpus

TYPES = ["rouge1", "rouge2", "rouge3", "rougeL"]
SCORER = RougeScorer(TYPES, use_stemmer=False)


def random_text(rng: random.Random) -> str:
    """Texto ASCII con muchas coincidencias: pocas palabras, puntuación, mayúsculas y, a veces, nada."""
    vocabulary = ["a", "it", "IS", "cold", "Cold", "out-side", "x1", "...", "don't", "3.5", "under_score", ""]
    return rng.choice([" ", "  ", "\n"]).join(rng.choices(vocabulary, k=rng.choice([0, 1, 2, 5, 12, 40])))


def test_equals_rouge_score_on_2000_ascii_pairs():
    rng = random.Random(0)
    empty = 0
    for _ in range(2000):
        candidate, reference = random_text(rng), random_text(rng)
        expected = {kind: tuple(score) for kind, score in SCORER.score(reference, candidate).items()}
        assert {kind: tuple(score) for kind, score in rouge(candidate, reference, TYPES).items()} == expected
        empty += not candidate.strip() or not reference.strip()
    assert empty > 50


@given(st.text(st.characters(max_codepoint=127)), st.text(st.characters(max_codepoint=127)))
def test_equals_rouge_score_on_any_ascii(candidate, reference):
    expected = SCORER.score(reference, candidate)
    for kind, score in rouge(candidate, reference, TYPES).items():
        assert tuple(score) == tuple(expected[kind])


def test_several_references_equal_score_multi():
    rng = random.Random(1)
    for _ in range(300):
        candidate, references = random_text(rng), [random_text(rng) for _ in range(rng.randint(1, 4))]
        expected = SCORER.score_multi(references, candidate)
        for kind, score in rouge(candidate, references, TYPES).items():
            assert score.fmeasure == expected[kind].fmeasure
            assert tuple(score) == tuple(expected[kind])


@given(st.lists(st.sampled_from("abcd"), max_size=90), st.lists(st.sampled_from("abcd"), max_size=90))
def test_lcs_equals_the_table(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        previous = row
        row = [0]
        for j, y in enumerate(b):
            row.append(previous[j] + 1 if x == y else max(previous[j + 1], row[j]))
    assert lcs_length(a, b) == row[-1] == lcs_length(b, a)


# --- Erratas --------------------------------------------------------------------------------------


def rounded(score: Score) -> tuple[float, float, float]:
    return tuple(round(x, 3) for x in score)


def test_erratum_5_lcs_need_not_be_contiguous():
    score = rouge("It is very cold outside.", "It is cold outside.")["rougeL"]
    assert rounded(score) == (0.8, 1.0, 0.889)
    assert lcs_length(["it", "is", "very", "cold", "outside"], ["it", "is", "cold", "outside"]) == 4


def test_erratum_6_negation_scores_the_same():
    reference = "It is cold outside."
    very, negated = rouge("It is very cold outside.", reference), rouge("It is not cold outside.", reference)
    assert rounded(very["rouge2"]) == (0.5, 0.667, 0.571)
    assert very == negated


def test_erratum_7_clipping_and_order():
    reference = "It is cold outside."
    assert rouge("cold cold cold cold", reference)["rouge1"].precision == 0.25
    shuffled = rouge("outside cold it is", reference)
    assert {kind: round(score.fmeasure, 3) for kind, score in shuffled.items()} == {
        "rouge1": 1.0,
        "rouge2": 0.333,
        "rougeL": 0.5,
    }


def test_erratum_50_accented_letters_are_letters():
    assert SCORER.score("pasó", "pasé")["rouge1"].fmeasure == 1.0  # lo que hace la medida de fábrica
    assert rouge("pasó", "pasé")["rouge1"].fmeasure == 0.0
    assert rouge("el niño", "el ni o")["rouge1"].recall == pytest.approx(1 / 3)
    assert rouge("EL NIN\u0303O", "el niño")["rouge2"].fmeasure == 1.0


# --- Corpus y errores -----------------------------------------------------------------------------


def test_corpus_gives_one_f_per_pair():
    scores = rouge_corpus(["a b", "a", ""], ["a b", ["x", "a a"], "a"])
    assert scores["rouge1"] == [1.0, pytest.approx(2 / 3), 0.0]
    assert list(scores) == ["rouge1", "rouge2", "rougeL"]
    assert list(rouge_corpus(["a"], ["a"], types=iter(["rougeL"]))) == ["rougeL"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rouge("a", []), "ninguna referencia"),
        (lambda: rouge("a", "a", ["rouge0"]), "rouge1, rouge2"),
        (lambda: rouge("a", "a", ["rougeLsum"]), "No conozco"),
        (lambda: rouge(None, "a"), "NoneType"),
        (lambda: rouge("a", [None]), "NoneType"),
        (lambda: rouge_corpus(["a"], []), "por parejas"),
        (lambda: rouge_corpus([], []), "vacía"),
        (lambda: rouge_corpus("ab", "ab"), "listas de textos"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()
