"""Las notas: sus hechos están en la entrada y en las respuestas, y los nombres de la prueba no se han entrenado."""

import pytest

from utils.corpus.notes import DAYS, PROBLEM, REQUEST, reception_notes
from utils.course.hub import load_data


def test_every_fact_of_the_answers_is_in_the_note():
    for note in reception_notes(load_data("dialogues")["train"][:300], seed=0):
        text = note["note"].lower()
        for part in note["record"].split(" | "):
            fact = part.partition(": ")[2].lower()
            assert fact in text and fact in note["notice"].lower()


def test_test_names_are_never_trained_and_most_training_names_are_invented():
    data = load_data("dialogues")
    train = reception_notes(data["train"], seed=0)
    test = reception_notes(data["test"], seed=0, test=True)
    assert len(train) == 5000 and len(test) == 400
    names, unseen = ({note["record"].split(" | ")[0] for note in notes} for notes in (train, test))
    assert len(unseen - names) > 0.95 * len(unseen)
    real = {f"cliente: {row['facts']['a']}" for row in data["train"]}
    assert 0.75 < sum(note["record"].split(" | ")[0] not in real for note in train) / len(train) < 0.85
    assert not {note["note"] for note in train} & {note["note"] for note in test}


def test_the_seed_decides():
    rows = load_data("dialogues")["validation"]
    assert reception_notes(rows, seed=1) == reception_notes(rows, seed=1) != reception_notes(rows, seed=2)
    used = {day for day in DAYS for note in reception_notes(rows, seed=1) if day in note["notice"]}
    assert used == set(DAYS) and len(PROBLEM) == len(REQUEST)


def test_rows_without_facts_say_what_to_do():
    with pytest.raises(ValueError, match="La fila 0 no trae hechos"):
        reception_notes([{"dialogue": "Hola"}], seed=0)
