"""Plantillas: cero, uno y varios ejemplos; campos que faltan; datos que intentan salirse de su sitio."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text.templates import Template, build_prompt, render, tagged

TONE = Template(instruction="Di el tono.", prompt="Texto: {text}\nTono:", completion=" {label}")
TRAIN = [{"text": "Me encanta.", "label": "positivo"}, {"text": "Fatal.", "label": "negativo", "id": 7}]
ITEM = {"text": "Ni fu ni fa.", "label": "neutro"}


def test_zero_one_and_few_shot():
    question = "Texto: Ni fu ni fa.\nTono:"
    first, second = "Texto: Me encanta.\nTono: positivo", "Texto: Fatal.\nTono: negativo"
    assert build_prompt(TONE, [], ITEM) == f"Di el tono.\n\n{question}"
    assert build_prompt(TONE, TRAIN[:1], ITEM) == f"Di el tono.\n\n{first}\n\n{question}"
    assert build_prompt(TONE, TRAIN, ITEM, separator="\n###\n") == "\n###\n".join(
        ["Di el tono.", first, second, question]
    )
    assert build_prompt(Template("{text}"), [], ITEM) == "Ni fu ni fa."


def test_the_item_among_the_examples_is_seen_in_decomposed_unicode():
    item = {"text": "¿Pasó el niño?", "label": "neutro"}
    copy = item | {"text": unicodedata.normalize("NFD", item["text"])}
    with pytest.raises(ValueError, match="es la pregunta misma"):
        build_prompt(TONE, [TRAIN[0], copy], item)


def test_extra_fields_are_ignored_whatever_their_name():
    assert render("{x}", x="a", template="b", self="c") == "a"


def test_the_answer_of_the_item_never_enters_the_prompt():
    assert "neutro" not in build_prompt(TONE, TRAIN, ITEM)
    with pytest.raises(ValueError, match="ejemplo 2 es la pregunta misma"):
        build_prompt(TONE, [TRAIN[0], ITEM], ITEM)


@given(st.text())
def test_values_are_copied_as_they_are(value):
    assert render("[{x}] {{x}}", x=value) == f"[{value}] {{x}}"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: render("{dialogue} {topic}", dialogue="a"), "Falta el campo «topic».*son: dialogue"),
        (lambda: render("{dialogue}"), "Falta el campo «dialogue».*ninguno"),
        (lambda: build_prompt(TONE, [{"text": "a"}], ITEM), "ejemplo 1: Falta el campo «label»"),
        (lambda: build_prompt(TONE, [], {"label": "a"}), "Falta el campo «text»"),
        (lambda: render('{"nombre": "{x}"}', x="a"), "llaves"),
        (lambda: render("{x", x="a"), "llaves"),
        (lambda: render("{x.__class__}", x="a"), "nombre simple"),
        (lambda: render("{}", x="a"), "nombre simple"),
        (lambda: render("{x!r:>9}", x="a"), "nombre simple"),
        (lambda: build_prompt(Template("{text}"), TRAIN, ITEM), "no tiene completion"),
        (lambda: tagged("dos palabras", "a"), "etiqueta"),
        (lambda: tagged("", "a"), "etiqueta"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(
    st.lists(st.sampled_from(["</dato>", "</ DATO >", "<dato>", "a < b", "\n", "</", "dato>"])).map("".join)
)
def test_tagged_text_cannot_close_its_own_tag(text):
    wrapped = tagged("dato", text)
    assert wrapped.lower().replace(" ", "").count("</dato>") == 1
    assert wrapped.endswith("</dato>")


def test_tagged_keeps_the_rest():
    assert tagged("código-1", "if a < b: <b>x</b>") == "<código-1>\nif a < b: <b>x</b>\n</código-1>"
