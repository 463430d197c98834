"""Filtros: cada regla de Gopher con un texto que la incumple y solo ella, idiomas y pares."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text.filters import apply_rules, gopher_rules, in_language, language, pair_problems
from utils.text.repetition import duplicate_line_share, repeated_ngram_share, top_ngram_share

GOOD = (
    "El tren de la mañana sale a las siete y llega antes de comer. En el vagón viajaban dos músicos con su perro, que "
    "no dejó de mirar por la ventana. Nadie habló hasta el último puente, cuando empezó a llover con fuerza."
)
BROKEN = {
    "longitud": "El tren sale de la estación.",
    "letras por palabra": "y a la o u e el al es si no ni ya te me se le de lo un yo tú él su mi por con sin más que",
    "símbolos": GOOD.replace(" de ", " # ").replace(" la ", " # ").replace(" en ", " # "),
    "viñetas": "\n".join(f"- {s.strip()}" for s in GOOD.split(".") if s.strip()),
    "puntos suspensivos": "\n".join(f"{s.strip()}…" for s in GOOD.split(".") if s.strip()),
    "palabras con letras": GOOD + " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
    "palabras vacías": "Perro gato árbol mesa silla coche puente tren vagón músico lluvia ventana fuerza mañana comer "
    "viajar hablar empezar llover mirar dejar último nadie llegar salir",
    "líneas repetidas": f"{GOOD}\nSuscríbete\nSuscríbete\nSuscríbete",
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_catches_its_case(name):
    rules = gopher_rules(minimum_words=10)
    assert name in [rule.name for rule in rules if not rule.keeps(BROKEN[name])]
    assert all(rule.keeps(GOOD) for rule in rules)


def test_repetition_rules():
    text = "El banco abre hoy. " + "Llama ya al número gratis de la oferta del mes. " * 4
    broken = {rule.name for rule in gopher_rules(minimum_words=10) if not rule.keeps(text)}
    assert broken == {f"{n}-grama" for n in range(2, 11)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, "es"),
        ("The cat that was on the mat is not with us and we are sad.", "en"),
        ("Le chat est dans la maison avec les enfants et il ne mange pas.", "fr"),
        ("O gato não está na casa e as crianças são mais felizes com ele.", "pt"),
        ("Il gatto è nella casa con i bambini e non mangia più il pesce.", "it"),
        ("404 >>> ###", None),
    ],
)
def test_language(text, expected):
    assert language(text)[0] == expected
    assert in_language("es").keeps(text) == (expected == "es")


@given(st.text("ab \n.", max_size=60), st.integers(1, 5))
def test_repetition_is_a_share(text, n):
    assert 0 <= top_ngram_share(text, n) <= repeated_ngram_share(text, n) <= 1
    assert 0 <= duplicate_line_share(text) <= 1


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8), st.integers(1, 4))
def test_different_words_never_repeat(tokens, n):
    assert repeated_ngram_share(" ".join(tokens), n) == 0


def test_apply_rules_counts_the_first_reason():
    rules = [in_language("es"), *gopher_rules(minimum_words=10)]
    kept, counts = apply_rules([GOOD, "the cat is on the mat", BROKEN["longitud"]], rules)
    assert kept == [0] and counts["idioma es"] == 1 and counts["longitud"] == 1 and sum(counts.values()) == 2
    assert list(counts) == [rule.name for rule in rules]


@pytest.mark.parametrize(
    ("prompt", "completion", "problem"),
    [
        ("", "Azul.", "falta el prompt"),
        ("Di un color.", " ", "falta la respuesta"),
        ("Di un  color.", "di un color.", "copia el prompt"),
        ("Di un color.", "Lo siento, no puedo ayudarte.", "se excusa"),
        ("Di un color.", "azul y rojo " * 4, "se repite"),
        ("Di un color.", " ".join(str(i) for i in range(151)), "respuesta larga"),
    ],
)
def test_pairs(prompt, completion, problem):
    assert pair_problems(prompt, completion) == [problem]
    assert pair_problems("Di un color.", "El azul es un color frío.") == []


@pytest.mark.parametrize("text", [GOOD, *BROKEN.values(), "ápice ímpetu único óvalo éxodo " * 3, "canción"])
def test_a_decomposed_text_gets_the_same_verdict(text):
    rules = gopher_rules(minimum_words=1)
    same = unicodedata.normalize("NFD", text)
    assert [rule.keeps(text) for rule in rules] == [rule.keeps(same) for rule in rules]
    assert language(text) == language(same)


def test_a_loose_accent_is_not_one_more_letter():
    text = "áéíóúáéíóú " * 60  # diez letras por palabra, el máximo
    keeps = {rule.name: rule.keeps(unicodedata.normalize("NFD", text)) for rule in gopher_rules()}
    assert keeps["letras por palabra"]


def test_bad_input():
    with pytest.raises(ValueError, match="elige es, en"):
        in_language("klingon")
    with pytest.raises(ValueError, match="no puede pasar"):
        gopher_rules(minimum_words=10, maximum_words=5)
    with pytest.raises(ValueError, match="al menos una palabra"):
        top_ngram_share("hola", 0)
