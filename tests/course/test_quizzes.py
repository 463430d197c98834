"""Cada cuestionario del curso se lee, tiene preguntas bastantes y está en una página."""

import json
import re
from pathlib import Path

import pytest

from utils.course.env import repo_root
from utils.course.quiz import load_quiz, quiz_markdown

CHAPTERS = repo_root() / "chapters"
QUIZZES = {path.stem: path for path in sorted((CHAPTERS / "quizzes").glob("*.yml")) if path.stem != "ejemplo"}
MINIMUM = 5


def pages_with(name: str) -> list[Path]:
    """Los capítulos que lo insertan o, si es de un lab, los labs que lo copian tal cual."""
    if name.startswith("lab-"):
        text = quiz_markdown(QUIZZES[name]).replace("\n", "")
        return [path for path in (repo_root() / "labs").glob("lab-*.ipynb") if text in plain_cells(path)]
    mark = re.compile(rf"^```\{{quiz\}} {re.escape(name)}$", re.MULTILINE)
    return [path for path in CHAPTERS.rglob("*.md") if mark.search(path.read_text("utf-8"))]


def plain_cells(path: Path) -> str:
    """El texto de las celdas de un cuaderno, seguido y sin saltos de línea."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown").replace("\n", "")


@pytest.mark.parametrize("name", QUIZZES)
def test_quiz_is_read_has_enough_questions_and_is_in_one_page(name):
    questions = load_quiz(QUIZZES[name])
    least = MINIMUM if name.startswith("semana-") else 3
    assert len(questions) >= least, f"{name}.yml tiene {len(questions)} preguntas y hacen falta {least}."
    assert len(pages_with(name)) == 1, f"{name}.yml debe estar en una página, y está en {len(pages_with(name))}."


@pytest.mark.parametrize("name", QUIZZES)
def test_no_constant_passes_a_quiz(name):
    """Ni marcar siempre la primera, ni siempre la más larga, acierta todas."""
    questions = load_quiz(QUIZZES[name])
    first = [question.options[0].correct for question in questions]
    longest = [max(question.options, key=lambda option: len(option.text)).correct for question in questions]
    assert not all(first) and not all(longest)
