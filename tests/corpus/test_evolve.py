"""Evoluciones: la respuesta sigue siendo la correcta, y se puede comprobar sin ningún modelo."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.corpus.evolve import EVOLUTIONS, as_json, combine, evolve, uppercase, with_count, with_evidence

WORD = st.text('abñ"é', min_size=1, max_size=6)
EXAMPLE = st.builds(
    lambda words: {"id": "1", "task": "copia", "prompt": f"Copia: {' '.join(words)}", "completion": " ".join(words)},
    st.lists(WORD, min_size=1, max_size=5),
)


@given(EXAMPLE)
def test_each_answer_can_be_undone(example):
    assert uppercase(example)["completion"] == example["completion"].upper()
    assert json.loads(as_json(example)["completion"]) == {"respuesta": example["completion"]}
    answer, _, count = with_count(example)["completion"].rpartition(" (palabras: ")
    assert answer == example["completion"] and int(count.rstrip(")")) == len(answer.split())


@given(EXAMPLE)
def test_the_prompt_changes_and_the_rest_stays(example):
    for evolution in EVOLUTIONS.values():
        changed = evolution(example)
        assert changed["prompt"].endswith(example["prompt"]) and changed["prompt"] != example["prompt"]
        assert {k: changed[k] for k in ("id", "task")} == {"id": "1", "task": "copia"}


def test_evidence_is_a_line_of_the_text():
    example = {"prompt": "¿Quién viene?\nAna: Voy yo.\nLuis: Y Marta también.", "completion": "Marta"}
    assert with_evidence(example)["completion"] == "El texto dice: «Luis: Y Marta también.» Respuesta: Marta"
    with pytest.raises(ValueError, match="se conteste copiando"):
        with_evidence(example | {"completion": "Eva"})


def test_combine_keeps_both():
    joined = combine({"prompt": "P1", "completion": "R1"}, {"prompt": "P2", "completion": "R2"})
    assert joined == {"prompt": "Haz dos cosas.\n1) P1\n2) P2", "completion": "1) R1 2) R2"}


def test_evolve_is_repeatable_and_uses_them_all():
    examples = [{"prompt": f"Copia: {i}", "completion": str(i)} for i in range(60)]
    assert evolve(examples, 3) == evolve(examples, 3) != evolve(examples, 4)
    assert {e["evolution"] for e in evolve(examples, 3)} == set(EVOLUTIONS)
