"""Los dibujos de arquitecturas: lo que se pide está en la figura y los errores dicen qué hacer."""

import pytest
from matplotlib import pyplot as plt

from utils.course.diagrams import diagram, heat_map

BOXES = {"a": (0, 0, "uno", "blue"), "b": (0, 1, "dos", "orange"), "c": (4, 1, "tres", "green")}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_every_box_has_its_text_and_every_arrow_is_drawn():
    ax = diagram(BOXES, [("a", "b"), ("b", "c")])
    texts = [text.get_text() for text in ax.texts]
    assert [text for text in texts if text] == ["uno", "dos", "tres"]
    assert texts.count("") == 2


def test_heat_map_writes_the_numbers_with_a_comma():
    ax = heat_map([[0.25, 0.75]], ["la"], ["la", "luna"], decimals=2)
    assert [text.get_text() for text in ax.texts] == ["0,25", "0,75"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["la", "luna"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diagram(BOXES, [("a", "z")]), "No hay una caja «z»"),
        (lambda: heat_map([[1.0]], ["a"], ["b", "c"]), "1 filas y 2 columnas"),
    ],
)
def test_bad_input_says_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
