"""La cuenta que corrige: qué gana cuando varias cosas explican un fallo, y cómo se comparan dos resultados."""

import numpy as np
import pytest
import torch

from utils.exercises.compare import same
from utils.exercises.grading import Exercise, grade

FIRST, LATER = "es el primero.", "con un solo número no hay nada que sumar."
TOTAL = Exercise(
    "lab-99.1",
    "la suma",
    "todos.",
    sum,
    cases=[([1, 2],), ([5, 3, 1],)],
    mistakes=[
        (lambda values: values[0], FIRST),
        (len, "los has contado."),
        (lambda values: 1 / 0, "divides por cero."),
    ],
    traps=[(([],), LATER)],
)


def total(values):
    """Acierta, y deja la lista vacía."""
    result = 0
    while values:
        result += values.pop()
    return result


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (sum, "todos."),
        (lambda values: float(sum(values)), "todos."),
        (lambda values: values[0], FIRST),
        (lambda values: sum(values) if values else 7, LATER),
        (lambda values: values[0] if values else 7, FIRST),  # los errores se buscan en los casos, y no en las trampas
        (total, "aciertas, pero tu función cambia lo que recibe: trabaja con una copia."),
        (lambda values: str(sum(values)), "`f([1, 2])` debería dar un número y da un texto: `'3'`."),
        (lambda values: sum(values) + 0.5, "`f([1, 2])` debería dar `3` y da `3.5`. Se espera un número entero."),
        (lambda values: 3, "das siempre `3`, sean cuales sean los datos: `f([5, 3, 1])` debería dar `9`."),
        (3, "se espera tu función, sin llamarla, y lo que has pasado es un número."),
    ],
)
def test_what_is_read(answer, message):
    assert grade(TOTAL, answer).message == message


def test_no_answer_can_spoil_the_data_of_the_exercise():
    """Con los mismos casos, la segunda corrección da lo mismo que la primera."""
    assert [grade(TOTAL, total).message for _ in range(2)] == [grade(TOTAL, total).message] * 2
    assert grade(TOTAL, sum).ok


@pytest.mark.parametrize(
    "wrong", [[[0.0] * 9] * 9, [[0.0] * 9] * 8 + [[0.0]], [0.0] * 9, "x", {}, [[1.0] * 9] * 9 + [[]]]
)
def test_a_large_result_is_told_by_the_part_that_differs(wrong):
    table = Exercise("x", "x", "bien.", lambda n: torch.full((9, 9), float(n)), cases=[(1,), (2,)])
    verdict = grade(table, lambda n: wrong)
    assert not verdict.ok and len(verdict.message) < 250 and "debería" in verdict.message


@pytest.mark.parametrize(
    ("got", "right", "equal"),
    [
        ([1.0, 2.0], torch.tensor([1.0, 2.0]), True),
        (np.float32(0.1), 0.1, True),
        (torch.tensor([1e-8, 5.0]), [0.0, 5.0], True),  # un cero que no sale exacto, al lado de un 5
        (1e-8, 0.0, False),
        (7.0, 7, True),
        (10**9 + 1, 10**9, False),  # un entero se cuenta exacto
        (1, True, False),
        (torch.tensor(True), True, True),
        (torch.tensor([1, 0]), torch.tensor([True, False]), False),
        ([[1, 2]], [1, 2], False),
        ("12", [1, 2], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([{}], {1}, False),
        (float("nan"), 1.0, False),
    ],
)
def test_same(got, right, equal):
    assert same(got, right) is equal
