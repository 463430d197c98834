"""Los cortes al azar: el texto no cambia, las copias se parten igual y sin cortes es el tokenizador de siempre."""

import random

import pytest
from transformers import AutoTokenizer

from utils.course.env import repo_root
from utils.text.subword_cuts import RandomCuts

TEXTS = ["Íñigo: ¿cuánto vale la cremallera del abrigo?\nAna: 12,5 € «por Íñigo».", "Ana e Íñigo, la cremallera 🙂"]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(repo_root() / "models" / "mini-flan-t5", local_files_only=True)


def test_without_cuts_it_is_the_tokenizer(tokenizer):
    ids = RandomCuts(tokenizer, words=0.0)(TEXTS, random.Random(0))
    assert ids == tokenizer(TEXTS, add_special_tokens=False)["input_ids"]


def test_cutting_does_not_change_the_text(tokenizer):
    rng, cuts = random.Random(1), RandomCuts(tokenizer, words=1.0, inner=0.5)
    for _ in range(20):
        assert [tokenizer.decode(ids) for ids in cuts(TEXTS, rng)] == TEXTS


def test_cuts_make_more_tokens_and_differ_between_examples(tokenizer):
    rng, cuts = random.Random(2), RandomCuts(tokenizer, words=1.0)
    first, second = cuts(TEXTS, rng), cuts(TEXTS, rng)
    assert len(first[0]) > len(tokenizer(TEXTS[0], add_special_tokens=False)["input_ids"])
    assert first != second


def test_copies_of_a_word_are_cut_alike(tokenizer):
    rng, cuts = random.Random(3), RandomCuts(tokenizer, words=1.0, inner=0.5)
    for _ in range(20):
        source, target = cuts(["la cremallera rota, la cremallera", "la cremallera"], rng)
        assert source[: len(target)] == target == source[-len(target) :]


def test_the_same_seed_gives_the_same_cuts(tokenizer):
    cuts = RandomCuts(tokenizer, words=0.5)
    assert cuts(TEXTS, random.Random(4)) == cuts(TEXTS, random.Random(4))
