"""Palabras y diálogos inventados: sin fin, con su aspecto y con los hechos a la vista."""

import random

import pytest

from utils.corpus.dialogues import DialogueGenerator, load_grammar
from utils.corpus.instructions import load_lexicon
from utils.corpus.invented import ORDER, InventedDialogues, WordMaker
from utils.course.env import repo_root

DATA = repo_root() / "data"


@pytest.fixture(scope="module")
def lexicon() -> list[str]:
    return load_lexicon(DATA / "textos" / "trafalgar.txt")


@pytest.fixture(scope="module")
def maker(lexicon) -> WordMaker:
    return WordMaker(lexicon)


@pytest.fixture(scope="module")
def grammar():
    return load_grammar(DATA / "dialogos" / "gramatica")


def test_there_are_thousands_of_new_words(maker, lexicon):
    rng = random.Random(0)
    words = [maker.word(rng) for _ in range(5000)]
    new = set(words) - set(lexicon)
    assert len(new) > 2000
    assert all(4 <= len(word) <= 11 for word in words)


def test_words_only_use_letter_groups_of_the_list(maker, lexicon):
    known = {word[i : i + ORDER + 1] for word in lexicon for i in range(len(word) - ORDER)}
    rng = random.Random(1)
    for word in (maker.word(rng) for _ in range(500)):
        assert all(word[i : i + ORDER + 1] in known for i in range(len(word) - ORDER)), word


def test_fill_keeps_slots_and_short_words(maker):
    phrase = maker.fill("la moto de {pos} prima", random.Random(3), share=1.0).split()
    assert len(phrase) == 5 and [phrase[0], phrase[2], phrase[3]] == ["la", "de", "{pos}"]
    assert maker.fill("la moto", random.Random(3), share=0.0) == "la moto"


def in_dialogue(fact: str, dialogue: str) -> bool:
    """El hecho está con sus palabras: «mi» por «su» y «al» o «del» por «a el» o «de el»."""
    spoken = fact.casefold().replace("su ", "mi ").removeprefix("el ").replace(" de el ", " del ")
    return spoken.replace(" a el ", " al ") in dialogue.casefold().replace("su ", "mi ")


def test_the_facts_are_in_the_dialogue(grammar, maker):
    generator = InventedDialogues(*grammar, "train", 0, maker, share=1.0)
    found = [
        in_dialogue(fact, example["dialogue"])
        for example in (generator.example() for _ in range(200))
        for fact in example["facts"].values()
    ]
    assert all(found), f"{len(found) - sum(found)} de {len(found)} hechos no están en su diálogo"


def test_without_invention_they_are_the_usual_dialogues(grammar, maker):
    ours, usual = InventedDialogues(*grammar, "train", 7, maker, share=0.0), DialogueGenerator(*grammar, "train", 7)
    names = set(usual.names)
    assert all(ours.example()["facts"]["a"] in names for _ in range(50))
    always = InventedDialogues(*grammar, "train", 7, maker, share=1.0)
    assert sum(always.example()["facts"]["a"] in names for _ in range(50)) < 10


def test_the_same_seed_gives_the_same_dialogues(grammar, maker):
    first, second = (InventedDialogues(*grammar, "train", 5, maker, share=0.8) for _ in range(2))
    assert [first.example() for _ in range(20)] == [second.example() for _ in range(20)]
