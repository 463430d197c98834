"""Ningún ejercicio da por buena, ni deja escapar como excepción, una respuesta equivocada fabricada a ciegas."""

from collections import Counter

import pytest

from tests.exercises.generated import wrong_answers
from utils.exercises.checks import all_exercises, judge
from utils.exercises.grading import Exercise

EXERCISES = all_exercises()


def accepted(exercise: Exercise) -> list[str]:
    """Las clases de respuestas equivocadas que un ejercicio da por buenas."""
    return [kind for kind, answer in wrong_answers(exercise) if judge(exercise, answer).ok]


@pytest.mark.parametrize("name", EXERCISES)
def test_rejects_every_generated_answer(name):
    assert accepted(EXERCISES[name]) == []


@pytest.mark.parametrize("name", [name for name, e in EXERCISES.items() if e.right])
def test_tells_that_the_input_changes(name):
    edits = [answer for kind, answer in wrong_answers(EXERCISES[name]) if kind == "cambia lo que recibe"]
    assert all("cambia lo que recibe" in judge(EXERCISES[name], answer).message for answer in edits)


@pytest.mark.parametrize("name", [name for name, e in EXERCISES.items() if e.right])
def test_a_trap_tells_its_own_cause(name):
    """Quien acierta en todo salvo en una trampa lee el diagnóstico de esa trampa."""
    exercise = EXERCISES[name]
    for args, diagnosis in exercise.traps:
        shown = repr(args)  # los casos no llevan funciones en las trampas, así que su texto los distingue

        def answer(*given, shown=shown, right=exercise.right):
            return "otra cosa" if repr(given) == shown else right(*given)

        assert judge(exercise, answer).message == diagnosis


def test_the_generator_sees_each_kind_of_weak_exercise():
    """Los ejercicios que estas respuestas deben descubrir: con un solo caso o con un argumento que no cambia."""
    total = Exercise("x", "x", "bien.", lambda values, n: sum(values) * n, cases=[([1, 2], 2)])
    assert {"una constante", "no mira un argumento"} <= set(accepted(total))
    fixed = Exercise("x", "x", "bien.", total.right, cases=[([1, 2], 2), ([5, 1], 2)])
    assert set(accepted(fixed)) == {"no mira un argumento"}
    good = Exercise("x", "x", "bien.", total.right, cases=[([1, 2], 2), ([5, 1], 3)])
    assert accepted(good) == []
    kinds = Counter(kind for kind, _ in wrong_answers(good))
    assert kinds["cambia lo que recibe"] == 1 and kinds["no mira un argumento"] == 4


def test_there_are_many_of_each_kind():
    counts = {name: sum(1 for _ in wrong_answers(exercise)) for name, exercise in EXERCISES.items()}
    print(f"{sum(counts.values())} respuestas equivocadas fabricadas, en {len(counts)} ejercicios")
    assert min(counts.values()) >= 20
