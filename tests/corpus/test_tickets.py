"""Los avisos llevan dentro lo que se pregunta de ellos, y la prueba no comparte con el entrenamiento lo que no debe."""

import itertools

import pytest

from utils.corpus.dialogues import read_yaml
from utils.corpus.tickets import TICKET_TASKS, TicketGenerator
from utils.course.env import repo_root

DATA = repo_root() / "data"
QUESTIONS = ("area", "prisa", "cliente")


def generator(split: str = "train", seed: int = 0) -> TicketGenerator:
    return TicketGenerator(DATA, split, seed)


def test_same_seed_same_tickets_and_none_repeats():
    rows = generator().examples(300)
    assert rows == generator().examples(300) != generator(seed=1).examples(300)
    assert len({row["prompt"] for row in rows}) == 300
    assert {row["task"] for row in rows} == {"aviso"}


def test_the_answer_follows_from_the_text():
    grammar = read_yaml(DATA / "avisos" / "gramatica.yaml")
    for split, part in (("train", "entrenamiento"), ("test", "prueba")):
        tickets = generator(split)
        for _ in range(200):
            text, answers = tickets.ticket()
            areas = {
                a
                for a, lists in grammar["areas"].items()
                if any(t in text.lower() for t in map(str.lower, lists[part]))
            }
            assert answers["area"] in areas and answers["cliente"] in text
            assert any(phrase in text for phrase in grammar["prisas"][answers["prisa"]])
            assert answers["aviso"] == f"{answers['area']}, {answers['prisa']}"


def test_labels_are_balanced_and_no_phrase_has_two_labels():
    rows = generator().examples(800)
    shares = [sum(row["completion"] == label for row in rows) / 800 for label in {row["completion"] for row in rows}]
    assert len(shares) == 8 and min(shares) > 0.08 and max(shares) < 0.18
    grammar = read_yaml(DATA / "avisos" / "gramatica.yaml")
    things = [t.lower() for lists in grammar["areas"].values() for part in lists.values() for t in part]
    phrases = [p for group in grammar["prisas"].values() for p in group]
    assert len(things) == len(set(things)) and len(phrases) == len(set(phrases))


def test_test_split_shares_neither_names_nor_things_nor_reserved_wordings():
    train, test = generator(), generator("test")
    assert not set(train.names) & set(test.names)
    for lists in train.grammar["areas"].values():
        assert not {t.lower() for t in lists["entrenamiento"]} & {t.lower() for t in lists["prueba"]}
    assert not set(train.grammar["fallas"]["entrenamiento"]) & set(train.grammar["fallas"]["prueba"])
    for task in QUESTIONS:
        assert not set(train.wordings(task, 6)) & set(test.wordings(task, 1, unseen=True))


def test_every_task_is_asked_in_turn_with_the_wordings_requested():
    rows = generator().examples(240, QUESTIONS, wordings=6)
    assert [row["task"] for row in rows[:4]] == ["area", "prisa", "cliente", "area"]
    for wordings, task in itertools.product((1, 6), QUESTIONS):
        starts = generator().wordings(task, wordings)
        asked = [r["prompt"] for r in generator().examples(240, QUESTIONS, wordings=wordings) if r["task"] == task]
        used = {w for w in starts for p in asked if p.startswith(w.split("{")[0]) and p.endswith(w.split("}")[1])}
        assert used == set(starts)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generator("dev"), "Usa «train» o «test»"),
        (lambda: generator().examples(3, ("resumen",)), "usa " + ", ".join(TICKET_TASKS)),
        (lambda: generator().examples(3, QUESTIONS, wordings=7), "de 1 a 6 consignas y pides 7"),
        (lambda: generator().wordings("area", 0), "pides 0"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()
