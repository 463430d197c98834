"""La página de problemas tiene todos los mensajes: los que se leen del código son los que el código escribe."""

import importlib
import re

import pytest

from tests.mechanisms.tiny_book import ROOT
from tests.printed_messages import printed
from utils.course.setup_cell import setup_cell

PAGE = ROOT / "chapters" / "apendices" / "resolucion-de-problemas.md"


@pytest.fixture
def listed(monkeypatch) -> list[str]:
    """Los mensajes de la página: los de cada archivo que nombran sus directivas."""
    monkeypatch.syspath_prepend(ROOT / "_ext")
    read = importlib.import_module("setup_messages").messages
    names = " ".join(re.findall(r"^```{mensajes} (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)).split()
    return [message for name in names for message in read(ROOT / name)]


def says(template: str, text: str) -> bool:
    """¿Es `text` el mensaje `template`, con sus huecos rellenos?"""
    return bool(re.fullmatch(".*".join(map(re.escape, template.split("…"))), text))


def test_every_printed_message_is_in_the_page(listed):
    messages = printed()
    assert len(messages) > 15
    missing = [text for text in messages if not any(says(template, text) for template in listed)]
    assert missing == [], "escribe cada mensaje en una sola cadena, acabada en punto, en un archivo que la página lea"


def test_the_errors_of_the_cell_and_of_make_are_in_the_page(listed, monkeypatch):
    (sentence,) = re.findall(r"(No se pudo clonar el curso[^{]*)", setup_cell("lab-04"))
    monkeypatch.syspath_prepend(ROOT / "scripts")
    python = importlib.import_module("check_python")
    checks = [((3, 8, 0), True), ((3, 14, 1), True), ((3, 11, 7), False)]
    refused = [python.check(version, has_venv, ">=3.11,!=3.14.1") for version, has_venv in checks]
    for text in (sentence, *refused):
        assert any(says(template, text) for template in listed), text
    assert any(template.startswith("No se pudo instalar el entorno") for template in listed)
    assert "No encuentro «…»: instala Python" in "\n".join(listed)
