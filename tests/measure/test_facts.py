"""Los hechos de un diálogo en su resumen: casos a mano y propiedades."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.measure.facts import contains, fact_recall

WORDS = st.lists(st.sampled_from(["ana", "el", "lunes", "horno", "a", "las", "dos"]), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "fact", "expected"),
    [
        ("Quedan EL LUNES, a las dos.", "el lunes", True),
        ("Quedan el martes.", "el lunes", False),
        ("Anabel llama.", "Ana", False),  # palabras enteras
        ("el lunes a las dos", "lunes las", False),  # seguidas
        ("Íñigo paga 12 euros", "íñigo", True),
        ("", "Ana", False),
    ],
)
def test_contains(text, fact, expected):
    assert contains(text, fact) is expected


@given(WORDS, WORDS, WORDS)
def test_a_fact_is_found_wherever_it_is(before, fact, after):
    assert contains(" ".join(before + fact + after), " ".join(fact))


def test_recall_counts_each_fact_once():
    facts = {"a": "Ana", "dia": "el lunes", "hora": "las dos", "precio": "10 euros"}
    assert fact_recall("Ana paga 10 euros.", facts) == 0.5
    assert fact_recall("", facts) == 0 and fact_recall("Ana, el lunes, a las dos, 10 euros", facts) == 1


def test_no_facts_is_explained():
    with pytest.raises(ValueError, match="No hay hechos que buscar"):
        fact_recall("Ana", {})
    for fact in ("", "🙂", "¿?"):
        with pytest.raises(ValueError, match="no tiene ninguna palabra que buscar"):
            fact_recall("Ana 🙂", {"a": "Ana", "dia": fact})
