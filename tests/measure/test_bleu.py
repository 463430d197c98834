"""BLEU: igual a sacreBLEU en frases y en corpus, con su errata (la 8) y con el español."""

import random
import re
import unicodedata

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from utils.measure.bleu import TOKENIZERS, corpus_bleu, sentence_bleu, tokenize, tokenize_13a

TEA = "I am very happy to say that I am drinking a warm cup of tea."
SMOOTHINGS = [("exp", None), ("none", None), ("floor", None), ("floor", 0.3), ("add-k", None), ("add-k", 0.5)]


def random_text(rng: random.Random) -> str:
    """Texto ASCII con muchas coincidencias, puntuación, cifras, entidades y, a veces, nada."""
    vocabulary = ["a", "it", "IS", "cold", "Cold", "out-side", "x1", "...", "don't", "3.5", "1,000", "&amp;", "(a)",
                  "7-8", "<skipped>", "a_b", "50%", ""]  # fmt: skip
    words = rng.choices(vocabulary, k=rng.choice([0, 1, 2, 3, 5, 12, 40]))
    return rng.choice([" ", "  ", "\n", "-\n"]).join(words) + rng.choice(["", ".", "?", " \n"])


def same(ours, theirs) -> None:
    assert ours.score == pytest.approx(theirs.score, rel=1e-9, abs=1e-9)
    assert ours.brevity_penalty == pytest.approx(theirs.bp)
    assert (ours.candidate_length, ours.reference_length) == (theirs.sys_len, theirs.ref_len)
    if theirs.score:
        assert list(ours.precisions[: len(theirs.precisions)]) == pytest.approx(theirs.precisions)


def reference_metric(smoothing, value, effective_order, order=4):
    return sacrebleu.BLEU(
        smooth_method=smoothing, smooth_value=value, effective_order=effective_order, max_ngram_order=order
    )


@pytest.mark.parametrize(("smoothing", "value"), SMOOTHINGS)
@pytest.mark.parametrize("effective_order", [True, False])
def test_sentences_equal_sacrebleu_on_ascii(smoothing, value, effective_order):
    rng = random.Random(0)
    metric = reference_metric(smoothing, value, effective_order)
    options = {"smoothing": smoothing, "smoothing_value": value, "effective_order": effective_order}
    positive = 0
    for _ in range(1000 if smoothing == "exp" else 300):
        candidate, references = random_text(rng), [random_text(rng) for _ in range(rng.choice([1, 1, 2, 3]))]
        ours, theirs = sentence_bleu(candidate, references, **options), metric.sentence_score(candidate, references)
        same(ours, theirs)
        assert ours.signature.rsplit("|", 1)[0] == str(metric.get_signature()).rsplit("|", 1)[0]
        positive += 0 < theirs.score < 100
    assert positive > (10 if smoothing == "none" else 100)


@pytest.mark.parametrize(("smoothing", "value"), SMOOTHINGS)
def test_corpora_equal_sacrebleu_on_ascii(smoothing, value):
    rng = random.Random(1)
    metric = reference_metric(smoothing, value, False)
    for size in [1, 2, 3, 10, 50, 1000]:
        candidates = [random_text(rng) for _ in range(size)]
        references = [[random_text(rng), random_text(rng)] for _ in range(size)]
        ours = corpus_bleu(candidates, references, smoothing=smoothing, smoothing_value=value)
        same(ours, metric.corpus_score(candidates, [list(stream) for stream in zip(*references, strict=True)]))


def test_corpora_of_one_reference_each_with_different_counts_and_order_two():
    rng = random.Random(2)
    metric = reference_metric("exp", None, True, order=2)
    for _ in range(200):
        candidates, references = [random_text(rng) for _ in range(4)], [random_text(rng) for _ in range(4)]
        ours = corpus_bleu(candidates, references, effective_order=True, max_order=2)
        same(ours, metric.corpus_score(candidates, [references]))
    assert ours.signature.startswith("nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|order:2")
    assert corpus_bleu(["a", "b"], ["a", ["b", "c"]]).signature.startswith("nrefs:var")


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_13a_and_none_cut_like_sacrebleu(text):
    theirs = sacrebleu.BLEU(tokenize="13a").tokenizer(text.rstrip())
    assert tokenize_13a(text) == theirs.split()
    assert tokenize(text, "none") == sacrebleu.BLEU(tokenize="none").tokenizer(text).split()


@given(st.text(st.characters(max_codepoint=0x2FF), min_size=1), st.sampled_from(sorted(TOKENIZERS)))
def test_a_text_against_itself_is_100_and_every_score_is_between_0_and_100(text, tokenizer):
    if tokenize(text, tokenizer):
        assert sentence_bleu(text, text, tokenizer=tokenizer).score == pytest.approx(100)
    assert 0 <= sentence_bleu(text, "el niño pasó ayer", tokenizer=tokenizer).score <= 100.0000001


# --- Erratas y español ----------------------------------------------------------------------------


def test_erratum_8_the_four_cups_of_tea():
    cups = ["I am very happy that I am drinking a cup of tea.", "I am very happy that I am drinking a warm cup of tea.",
            "I am very happy to say that I am drinking a warm tea.", TEA]  # fmt: skip
    assert [round(sentence_bleu(cup, TEA).score, 2) for cup in cups] == [53.88, 74.97, 77.21, 100.0]
    # Los 0,49 y 0,73 de las notas salen sin separar el punto final y sin suavizar.
    raw = [round(sentence_bleu(cup, TEA, tokenizer="none", smoothing="none").score, 2) for cup in cups]
    assert raw == [49.53, 72.98, 79.79, 100.0]


def test_spanish_opening_marks_quotes_and_loose_accents():
    assert tokenize("¿Pasó «el niño» —dijo— 3,5 %?", "es") == [
        "¿", "Pasó", "«", "el", "niño", "»", "—", "dijo", "—", "3,5", "%", "?"]  # fmt: skip
    loose = "El nin\u0303o paso\u0301 con el pingu\u0308ino y el cafe\u0301."
    joined = "El niño pasó con el pingüino y el café."
    assert sentence_bleu(loose, joined, tokenizer="es").score == pytest.approx(100)
    assert sentence_bleu(loose, joined).score < 40
    assert sentence_bleu("pasó", "pasé", tokenizer="es").score == 0
    question = sentence_bleu("Vienes mañana al cine", "¿Vienes mañana al cine?", tokenizer="es")
    assert question.matches[0] == 4
    assert sentence_bleu("Vienes mañana al cine", "¿Vienes mañana al cine?").matches[0] == 3


def test_a_corpus_is_not_the_mean_of_its_sentences():
    candidates, references = ["a b c d e", "x"], ["a b c d e", "y"]
    assert corpus_bleu(candidates, references).score > 80
    assert sum(sentence_bleu(c, r).score for c, r in zip(candidates, references, strict=True)) / 2 == pytest.approx(50)


def test_it_prints_with_a_decimal_comma_and_its_signature():
    assert str(sentence_bleu("a", "a")) == "100,00 (nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|version:utils-1.0)"
    assert "smooth:floor[0.10]" in sentence_bleu("a", "a", smoothing="floor").signature


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sentence_bleu(["a"], "a"), "corpus_bleu"),
        (lambda: sentence_bleu("a", []), "sin referencias"),
        (lambda: sentence_bleu("a", [None]), "NoneType"),
        (lambda: corpus_bleu("a", ["a"]), "sentence_bleu"),
        (lambda: corpus_bleu(["a"], ["a", "b"]), "por parejas"),
        (lambda: corpus_bleu([], []), "vacía"),
        (lambda: sentence_bleu("a", "a", tokenizer="zh"), "13a, es, none"),
        (lambda: sentence_bleu("a", "a", smoothing="raro"), "exp, floor, add-k"),
        (lambda: sentence_bleu("a", "a", smoothing_value=1.0), "floor y add-k"),
        (lambda: sentence_bleu("a", "a", smoothing="floor", smoothing_value=-1.0), "negativo"),
        (lambda: sentence_bleu("a", "a", max_order=0), "unigramas"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.text(st.one_of(st.characters(), st.sampled_from("_aé\u0301 1²3.,:¿")), max_size=30))
def test_the_spanish_tokens_are_numbers_words_and_loose_signs(text):
    tokens = r"\d+(?:[.,:]\d+)+|(?:[^\W_][\u0300-\u036f]*)+|[^\w\s]|_"
    assert tokenize(text, "es") == re.findall(tokens, unicodedata.normalize("NFC", text))
