"""Los textos trampa: cada uno hace lo que dice, sobre los 400 resúmenes de test, y las medidas fallan donde se dice."""

import json
import random

import pytest

from utils.course.env import repo_root
from utils.measure.adversarial import (
    SYNONYMS,
    change_fact,
    negate,
    prefers,
    repeat_half,
    shuffle_words,
    synonyms,
)
from utils.measure.bleu import sentence_bleu
from utils.measure.facts import fact_recall
from utils.measure.rouge import rouge, rouge_corpus
from utils.text.normalize import words

PATH = repo_root() / "data" / "dialogos" / "test.jsonl"
ROWS = [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]
TEXTS = [row["summary"] for row in ROWS]
FACTS = [row["facts"] for row in ROWS]


def test_synonyms_change_almost_every_summary_and_never_the_names_dates_or_prices():
    changed = 0
    for row in ROWS:
        after = synonyms(row["summary"])
        changed += after != row["summary"]
        for kind in ("a", "dia", "hora", "precio", "lugar"):
            if row["facts"].get(kind, "§") in row["summary"]:
                assert row["facts"][kind] in after
    assert changed >= 390


def test_no_turn_is_left_half_replaced():
    for turn, other in SYNONYMS.items():
        assert synonyms(f"x {turn} y") == f"x {other} y"
    assert synonyms("rellamar a quienquiera") == "rellamar a quienquiera"  # solo palabras enteras


def test_negating_adds_exactly_one_word():
    for text, facts in zip(TEXTS, FACTS, strict=True):
        negated = words(negate(text, facts["a"]))
        assert len(negated) == len(words(text)) + 1
        negated.remove("no")
        assert sorted(negated) == sorted(words(text)[:])
    with pytest.raises(ValueError, match="no empieza por «Luis»"):
        negate("Ana llama a Luis.", "Luis")


def test_a_changed_fact_comes_from_another_dialogue():
    rng = random.Random(0)
    for text, facts in zip(TEXTS, FACTS, strict=True):
        changed = change_fact(text, facts, FACTS, rng)
        assert changed != text
        present = {kind: value for kind, value in facts.items() if value in text}
        assert fact_recall(changed, present) < 1
    with pytest.raises(ValueError, match="ningún hecho que cambiar"):
        change_fact("Hola.", {"hora": "las dos"}, FACTS, rng)
    with pytest.raises(ValueError, match="ningún hecho que cambiar"):
        change_fact("A las dos.", {"hora": "las dos"}, [{"hora": "las dos"}], rng)


def test_shuffling_keeps_the_words_and_repeating_keeps_the_length():
    rng = random.Random(0)
    for text in TEXTS:
        shuffled = shuffle_words(text, rng)
        assert sorted(words(shuffled)) == sorted(words(text))
        assert rouge(shuffled, text)["rouge1"].fmeasure == 1
        assert abs(len(repeat_half(text).split()) - len(text.split())) <= 1
    assert sum(shuffle_words(text, rng) == text for text in TEXTS) == 0


def test_what_each_metric_misses():
    good, rng = [synonyms(text) for text in TEXTS], random.Random(0)
    bad = {
        "negation": [negate(text, facts["a"]) for text, facts in zip(TEXTS, FACTS, strict=True)],
        "shuffle": [shuffle_words(text, rng) for text in TEXTS],
        "repetition": [repeat_half(text) for text in TEXTS],
    }
    best = rouge_corpus(good, TEXTS)
    scores = {name: rouge_corpus(texts, TEXTS) for name, texts in bad.items()}
    for kind in best:  # un «no» le cuesta menos a ROUGE que tres sinónimos
        assert prefers(best[kind], scores["negation"][kind]).high < 0.05
        assert prefers(best[kind], scores["repetition"][kind]).low > 0.9
    assert prefers(best["rouge1"], scores["shuffle"]["rouge1"]).high < 0.05
    assert prefers(best["rouge2"], scores["shuffle"]["rouge2"]).low > 0.95
    bleu = {name: [sentence_bleu(c, r, tokenizer="es").score for c, r in zip(texts, TEXTS, strict=True)]
            for name, texts in {"good": good, **bad}.items()}  # fmt: skip
    assert prefers(bleu["good"], bleu["negation"]).high < 0.05
    assert prefers(bleu["good"], bleu["shuffle"]).low > 0.95


def test_prefers_counts_ties_as_half_and_wants_pairs():
    assert prefers([1, 1, 1], [1, 1, 1]).estimate == 0.5
    with pytest.raises(ValueError, match="por parejas"):
        prefers([1.0], [1.0, 2.0])
