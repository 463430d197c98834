"""La casa: direcciones entre habitaciones, ciclos, tamaño y docstrings, sobre árboles de juguete."""

import pytest

from scripts.lint_imports import check


@pytest.fixture
def tree(tmp_path):
    """Escribe archivos de Python con su docstring y devuelve la lista de problemas que se encuentran."""

    def build(**sources):
        for name, source in sources.items():
            path = tmp_path / "utils" / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'"""Un módulo."""\n{source}\n', "utf-8")
        return [f"{p.path.name}:{p.line}: {p.what}" for p in check(tmp_path)]

    return build


def test_a_room_may_import_from_its_left(tree):
    rouge = "from utils.text.words import words\nimport utils.course.env"
    words = "from utils.course import env"
    assert tree(course__env="import os", text__words=words, measure__rouge=rouge) == []


@pytest.mark.parametrize(
    "source",
    [
        "from utils.train.loop import fit",
        "from utils import train",
        "import utils.train.loop as loop",
        "from ..train import loop",
        "def f():\n    from utils.train import loop",
    ],
)
def test_a_room_may_not_import_from_its_right(tree, source):
    (problem,) = tree(text__words=source, train__loop="")
    assert "«text» importa de «train»" in problem


def test_the_last_rooms_do_not_import_each_other(tree):
    (problem,) = tree(align__dpo="import utils.apps.server", apps__server="import utils.train")
    assert "«align» importa de «apps»" in problem


def test_unknown_room(tree):
    (problem,) = tree(cocina__horno="x = 1")
    assert "«cocina» no es una habitación" in problem


@pytest.mark.parametrize("absolute", [True, False])
def test_cycles_inside_a_room(tree, absolute):
    dot = "utils.text" if absolute else ""
    sources = {"text__a": f"from {dot}.b import x", "text__b": f"from {dot}.c import x", "text__c": "x = 1"}
    assert tree(**sources) == []
    (problem,) = tree(**sources | {"text__c": f"def f():\n    from {dot}.a import x"})
    assert "hay un ciclo: utils.text.a -> utils.text.b -> utils.text.c -> utils.text.a" in problem


def test_long_module(tree):
    assert tree(text__a="x = 1\n" * 248) == []
    (problem,) = tree(text__a="x = 1\n" * 250)
    assert "tiene 252 líneas" in problem


def test_missing_docstring(tmp_path):
    path = tmp_path / "scripts" / "a.py"
    path.parent.mkdir()
    path.write_text("x = 1\n", "utf-8")
    (problem,) = check(tmp_path)
    assert "no tiene docstring" in problem.what
