"""Las líneas de código van en cajas que saben su sangría, y su texto no cambia."""

import pytest
from bs4 import BeautifulSoup
from code_lines import BoxedFormatter
from pygments import highlight
from pygments.lexers import get_lexer_by_name

PYTHON = '''def f(a: int) -> bool:
    """Dos
    líneas."""
    if a < 2:  # menor

        return "<b>" == a
'''
YAML = "datos:\n  - nombre: uno\n    valor: |\n      texto\n"


@pytest.fixture
def boxes():
    """Una función que da las cajas de un código y el texto de su bloque."""
    formatter = BoxedFormatter()

    def of(code: str, language: str) -> tuple[list, str]:
        block = BeautifulSoup(highlight(code, get_lexer_by_name(language), formatter), "html.parser").pre
        return block.select(".code-line"), block.get_text()

    return of


@pytest.mark.parametrize(("code", "language"), [(PYTHON, "python"), (PYTHON, "ipython3"), (YAML, "yaml")])
def test_the_text_of_the_code_does_not_change(boxes, code, language):
    lines, text = boxes(code, language)
    assert text == code
    assert [line.get_text() for line in lines] == code.splitlines(keepends=True)


def test_each_box_says_where_its_line_starts(boxes):
    lines, _ = boxes(PYTHON, "python")
    indents = [line.get("style", "").removeprefix("--indent: ") for line in lines]
    assert indents == ["", "4ch", "4ch", "4ch", "", "8ch"]
