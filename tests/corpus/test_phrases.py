"""Las frases del lab 2: la misma partición que las instrucciones y un vocabulario de ida y vuelta."""

import unicodedata
from itertools import islice

import pytest

from utils.corpus.instructions import load_instruction_grammar
from utils.corpus.phrases import WordVocabulary, parallel_phrases
from utils.course.env import repo_root
from utils.course.hub import load_data


@pytest.fixture(scope="module")
def parts():
    return parallel_phrases(load_instruction_grammar(repo_root() / "data" / "instrucciones" / "gramatica.yaml"))


def test_every_combination_is_in_one_part_and_one_in_ten_is_held_out(parts):
    train, test = set(parts["train"]), set(parts["test"])
    assert len(train) == len(parts["train"]) and len(test) == len(parts["test"]) and not train & test
    assert 0.08 < len(test) / (len(train) + len(test)) < 0.12


def test_it_is_the_split_of_the_instructions(parts):
    for split, part in (("train", "train"), ("test", "test")):
        pairs = {pair for pair in parts[part]}
        rows = [row for row in load_data("instructions")[split] if row["task"] == "traduccion"]
        for row in islice(rows, 200):
            text = row["prompt"].partition(": ")[2] or row["prompt"].partition("? ")[2]
            assert (text, row["completion"]) in pairs or (row["completion"], text) in pairs, row["prompt"]


def test_every_word_of_the_test_part_is_seen_when_training(parts):
    seen = WordVocabulary(text for pair in parts["train"] for text in pair)
    for pair in parts["test"]:
        for text in pair:
            assert seen.decode(seen.encode(text)) == text


def test_unknown_word_and_empty_text_say_what_to_do():
    vocabulary = WordVocabulary(["la gata duerme"])
    with pytest.raises(ValueError, match="«perro» no está en el vocabulario"):
        vocabulary.encode("la perro")
    with pytest.raises(ValueError, match="no hay nada que traducir"):
        vocabulary.encode("  ")
    with pytest.raises(ValueError, match="El id 99 no existe: este vocabulario va de 0 a 5"):
        vocabulary.decode([99])
    with pytest.raises(ValueError, match="El id -1 no existe"):
        vocabulary.decode([3, -1])


def test_decomposed_letters_are_the_same_words():
    vocabulary, text = WordVocabulary(["la niña volvió"]), unicodedata.normalize("NFD", "volvió la niña")
    assert vocabulary.decode(vocabulary.encode(text)) == "volvió la niña"
    assert WordVocabulary([text]).words == vocabulary.words
