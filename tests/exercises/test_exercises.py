"""Cada ejercicio del curso: rechaza sus respuestas equivocadas con su diagnóstico y acepta la solución plegada."""

import ast
import json
import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch

from utils.course.env import repo_root
from utils.exercises import checks
from utils.exercises.checks import NotYetError, all_exercises, judge
from utils.exercises.solutions import hidden_solutions

EXERCISES = all_exercises()
NOTEBOOKS = sorted((repo_root() / "labs").glob("lab-*.ipynb"))
SOLUTIONS = [(path, name) for path in NOTEBOOKS for name in hidden_solutions(path)]


@pytest.mark.parametrize("name", EXERCISES)
def test_rejects_each_mistake_with_its_diagnosis(name):
    """Cada error está escrito una vez: lo que se lee es su diagnóstico, y no el de otro que da lo mismo."""
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 2, "un ejercicio necesita al menos dos respuestas equivocadas"
    for answer, diagnosis in exercise.mistakes:
        verdict = judge(exercise, answer)
        assert not verdict.ok, diagnosis
        assert diagnosis in verdict.message if exercise.check else diagnosis == verdict.message


@pytest.mark.parametrize("name", [name for name, exercise in EXERCISES.items() if exercise.right])
def test_accepts_its_own_answers(name):
    exercise = EXERCISES[name]
    for answer in (exercise.right, *exercise.also):
        assert judge(exercise, answer) == (True, exercise.lesson)


@pytest.mark.parametrize("name", EXERCISES)
def test_says_not_yet_to_a_blank(name):
    for blank in (..., None):
        with pytest.raises(NotYetError):
            judge(EXERCISES[name], blank)


@pytest.mark.parametrize("name", EXERCISES)
def test_messages_follow_the_colon(name):
    exercise = EXERCISES[name]
    blind = judge(exercise, lambda *args: "x").message  # la que no tiene diagnóstico
    traps = [diagnosis for _, diagnosis in exercise.traps]
    for message in (*(judge(exercise, answer).message for answer, _ in exercise.mistakes), *traps, blind):
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


#: Respuestas que alguien dio por buenas, o que recibían un diagnóstico absurdo: (ejercicio, respuesta, lo que se lee).
ONCE_ACCEPTED = [
    (
        "lab-01.1",
        lambda w: Counter(p for word, n in w.items() for p in set(pairwise(word)) for _ in range(n)),
        "repite",
    ),
    ("lab-01.4", lambda n, f, r: math.ceil((n - r) / f), "hacia arriba"),
    ("lab-01.4", lambda n, f, r: round((n - r) / f), "al más cercano"),
    ("lab-02.1", lambda q, k: (q @ k.T / 2).softmax(-1), "la raíz de D a mano"),
    ("lab-02.3", lambda labels, start: torch.nn.functional.pad(labels[:, :-1], (1, 0), value=1), "el inicio a mano"),
    ("lab-03.4", lambda p, q: p * (p > q) / (p * (p > q)).sum(), "falta p menos q"),
    ("lab-05.2", lambda token, u, mask_id, random_id: 3 if u < 0.8 else random_id if u < 0.9 else token, "mask_id"),
    ("lab-06.1", lambda parameters, precision: {"fp32": 48.0, "bf16": 24.0, "mixed": 48.0}[precision], "número"),
    ("lab-06.2", lambda counts: [300 / 450, 100 / 450, 40 / 450, 10 / 450], "das siempre"),
    ("lab-10.1", lambda a, b, n: EXERCISES["lab-10.1"].right(a, b, 2), "a mano"),
    ("lab-11.1", lambda rows: [row + [-100] * (len(rows[0]) - len(row)) for row in rows], "la primera fila"),
    ("lab-11.3", lambda summary, dialogue, names: {n for n in names if n in summary} - words(dialogue), "Soledad"),
    ("lab-12.2", lambda table: -0.3, "das siempre"),
    ("lab-12.3", lambda steps, batch, replay, tasks: (1120, 40), "das siempre"),
    ("lab-00.3", lambda f, fraction: round(math.log(fraction) / math.log(f)), "al más cercano"),
    ("lab-05.3", lambda ids, spans, marks, end: EXERCISES["lab-05.3"].right(ids, spans, marks, 1), "de fin a mano"),
    ("lab-12.1", lambda before, after: sum(sum(after[t]) / len(after[t]) for t in after) / len(after), "sin restar"),
    ("lab-12.1", lambda before, after: 0.125, "das siempre"),
]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize(("name", "answer", "fragment"), ONCE_ACCEPTED)
def test_rejects_what_was_once_accepted(name, answer, fragment):
    verdict = judge(EXERCISES[name], answer)
    assert not verdict.ok and fragment in verdict.message, verdict.message


#: Respuestas correctas escritas de otra manera: con otro tipo, otro orden u otra fórmula.
ALSO_RIGHT = [
    ("lab-00.3", lambda f, fraction: math.ceil(math.log(fraction, f))),
    ("lab-02.3", lambda labels, start: [[start, *row[:-1]] for row in labels.tolist()]),
    ("lab-03.3", lambda p, q, token, u: u < p[token] / q[token]),
    ("lab-07.4", lambda stages, limit: max(1, math.ceil((stages - 1) / limit - (stages - 1)))),
    ("lab-08.4", lambda s, g: max(0, (6 * s[0] * s[1] - 6 * g[0] * g[1]) / (2 * g[0] - 2 * s[0]))),
    ("lab-09.1", lambda d, g, share: g[: int(share * len(d))] + d[: len(d) - int(share * len(d))]),
    # 100 / (1 - 0.9) pasa un pelo de 1000 en binario: no es un error de quien responde, y no se pregunta.
    ("lab-09.2", lambda steps, share: math.ceil(steps / (1 - share))),
    ("lab-09.2", lambda steps, share: -(-steps // (1 - share))),
    ("lab-11.2", lambda s, h: np.ceil((1.96 * s / h) ** 2)),
    ("lab-11.3", lambda summary, dialogue, names: sorted((words(summary) - words(dialogue)) & names)),
    ("lab-12.3", lambda s, b, r, t: (s * b - round(s * b * r), round(round(s * b * r) / t))),
    ("lab-13.3", lambda v, share: int(np.searchsorted(np.cumsum(np.square(v)) / sum(np.square(v)), share - 1e-12)) + 1),
]


@pytest.mark.parametrize(("name", "answer"), ALSO_RIGHT)
def test_accepts_other_right_answers(name, answer):
    verdict = judge(EXERCISES[name], answer)
    assert verdict.ok, verdict.message
