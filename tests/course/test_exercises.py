"""Cada ejercicio del curso: rechaza sus respuestas equivocadas con su diagnóstico y acepta la solución plegada."""

import ast
import json

import pytest

from utils.course import checks
from utils.course.checks import NotYetError, all_exercises, judge
from utils.course.env import repo_root
from utils.course.solutions import hidden_solutions

EXERCISES = all_exercises()
NOTEBOOKS = sorted((repo_root() / "labs").glob("lab-*.ipynb"))
SOLUTIONS = [(path, name) for path in NOTEBOOKS for name in hidden_solutions(path)]


@pytest.mark.parametrize("name", EXERCISES)
def test_rejects_each_wrong_answer_with_its_diagnosis(name):
    exercise = EXERCISES[name]
    assert len(exercise.wrong) >= 2, "un ejercicio necesita al menos dos respuestas equivocadas"
    for answer, fragment in exercise.wrong:
        verdict = judge(exercise, answer)
        assert not verdict.ok and fragment in verdict.message, verdict.message


@pytest.mark.parametrize("name", EXERCISES)
def test_says_not_yet_to_a_blank(name):
    for blank in (..., None):
        with pytest.raises(NotYetError):
            judge(EXERCISES[name], blank)


@pytest.mark.parametrize("name", EXERCISES)
def test_messages_follow_the_colon(name):
    for answer, _ in EXERCISES[name].wrong:
        message = judge(EXERCISES[name], answer).message
        assert message == message.strip() and message.endswith((".", "?")) and not message[0].isupper(), message


@pytest.mark.parametrize("name", [name for name in EXERCISES if name.startswith("lab-")])
def test_has_a_solution_in_its_lab(name):
    assert name in [solved for _, solved in SOLUTIONS]


def definitions(path) -> str:
    """Las importaciones y funciones de un cuaderno: todo lo que una solución puede dar por hecho."""
    kept = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            for node in ast.parse("".join(cell["source"])).body:
                if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
                    kept.append(ast.unparse(node))
    return "\n".join(kept)


@pytest.mark.parametrize(("path", "name"), SOLUTIONS, ids=[name for _, name in SOLUTIONS])
def test_accepts_the_hidden_solution(path, name):
    answers = {}
    space = {"__name__": "solución"}
    exec(definitions(path), space)
    space["comprobar"] = answers.__setitem__
    exec(hidden_solutions(path)[name], space)
    verdict = judge(checks.find_exercise(name), answers[name])
    assert verdict.ok, verdict.message
