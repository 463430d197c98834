"""`comprobar`: lo que se lee ante un hueco, un acierto, un error conocido y una función que falla."""

import sys
import textwrap

import pytest
import torch

from utils.exercises import checks, labs
from utils.exercises.checks import AnswerError, comprobar, find_exercise, guard, is_blank, judge
from utils.exercises.grading import Exercise, Verdict

MODULE = '''
"""Ejercicios de muestra."""
from utils.exercises.grading import Exercise, Verdict


def check_value(answer):
    if answer == 256:
        return Verdict(False, "has contado los bytes; faltan las fusiones.")
    return Verdict(answer == 300, "256 bytes y 44 fusiones." if answer == 300 else f"{answer} no es el tamaño.")


EXERCISES = {
    exercise.id: exercise
    for exercise in (
        Exercise("lab-99.1", "el tamaño del vocabulario", check=check_value, mistakes=[(256, "bytes"), (0, "no es")]),
        Exercise("lab-99.2", "la temperatura", "divide por 0,5.", lambda x: x / 0.5, [(2.0,), (3.0,)],
                 mistakes=[(lambda x: x, "devuelves el logit sin dividirlo por la temperatura.")]),
    )
}
'''


@pytest.fixture(autouse=True)
def sample(tmp_path, monkeypatch):
    """Añade un módulo de ejercicios de muestra al paquete, solo durante la prueba."""
    (tmp_path / "lab_99.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.setattr(labs, "__path__", [*labs.__path__, str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("utils.exercises.labs.lab_9")]:
        del sys.modules[name]


@pytest.mark.parametrize("blank", [..., None, [1, ...], (None, 2), {"a": ...}])
def test_a_blank_prints_not_yet(blank, capsys):
    comprobar("lab-99.1", blank)
    out = capsys.readouterr().out
    assert out.startswith("lab-99.1 · todavía no: el tamaño del vocabulario.") and "return" not in out


def stub_ellipsis(x): ...


def stub_returns(x):
    return ...


def stub_raises(x):
    raise NotImplementedError


def test_a_stub_function_prints_not_yet(capsys):
    for stub in (stub_ellipsis, stub_returns, stub_raises):
        comprobar("lab-99.2", stub)
        assert "todavía no: la temperatura" in capsys.readouterr().out
    comprobar("lab-99.2", lambda x: print(end=""))
    assert "falta un `return`" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (300, "· correcto: 256 bytes y 44"),
        (256, "· aún no es correcto: has contado"),
        (7, "aún no es correcto: 7 no es"),
    ],
)
def test_right_and_wrong(answer, text, capsys):
    comprobar("lab-99.1", answer)
    assert text in capsys.readouterr().out


def divides_by_zero(x):
    y = x - x
    return x / y


def fails_inside_torch(x):
    return torch.zeros(2, 3) @ torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (divides_by_zero, "`return x / y`: divide por cero. Python dice: `ZeroDivisionError`"),
        (fails_inside_torch, "¿encajan las formas de los tensores?). Python dice: `RuntimeError`"),
        (lambda x: undefined_name, "usa un nombre que no existe"),  # noqa: F821
        (lambda: 1, "no se pudo llamar a tu función"),
        (lambda x: fails_inside_torch(x), "en la línea"),
        (int.__add__, "no se pudo llamar a tu función"),
    ],
)
def test_an_exception_is_told_in_spanish(function, text, capsys):
    comprobar("lab-99.2", function)
    out = capsys.readouterr().out
    assert "aún no es correcto" in out and text in out


def test_the_line_is_the_one_of_the_learner():
    first = divides_by_zero.__code__.co_firstlineno
    with pytest.raises(AnswerError, match=f"en la línea {first + 2}, "):
        guard(divides_by_zero)(1)


def test_the_line_of_a_notebook_cell(capsys):
    """Una celda no es un archivo: la línea se sabe aunque el texto no esté a mano."""
    space = {}
    code = textwrap.dedent("""
        def f(x):
            table = {}
            return table["a"]
        """)
    exec(compile(code, "<ipython-input-3-abc>", "exec"), space)
    comprobar("lab-99.2", space["f"])
    assert "en la línea 4: pide una clave que no existe" in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["texto", torch.zeros(2), {"a": 1}, 3.5, object()])
def test_any_other_type_never_breaks_the_notebook(answer, capsys):
    comprobar("lab-99.2", answer)
    assert "se espera tu función, sin llamarla, y lo que has pasado es un" in capsys.readouterr().out


def test_a_class_that_fails_never_breaks_the_notebook(capsys):
    comprobar("lab-99.2", dict)
    assert "no pude comprobar una respuesta de tipo" in capsys.readouterr().out


def test_functions_inside_containers_are_guarded():
    functions = guard({"a": [divides_by_zero]})
    with pytest.raises(AnswerError):
        functions["a"][0](1)


def test_models_are_not_wrapped():
    model = torch.nn.Linear(2, 2)
    assert guard(model) is model
    assert not is_blank(torch.zeros(3))


def test_unknown_exercise_suggests_near_ids():
    with pytest.raises(ValueError, match=r"No hay ningún ejercicio «lab-99\.3»\. ¿Querías decir «lab-99\."):
        comprobar("lab-99.3", 1)


def test_an_exercise_in_another_module_is_refused(sample):
    """Así no puede haber dos con el mismo id, y basta con cargar un módulo para encontrar uno."""
    (sample / "lab_98.py").write_text(MODULE, encoding="utf-8")
    with pytest.raises(ValueError, match=r"«lab-99\.1» de lab_98\.py .* en `lab_99\.py`"):
        checks.all_exercises()


def test_finding_an_exercise_loads_only_its_module(sample):
    (sample / "lab_97.py").write_text("raise RuntimeError('no hacía falta cargarlo')", encoding="utf-8")
    assert find_exercise("lab-99.2").title == "la temperatura"
    with pytest.raises(RuntimeError, match="no hacía falta"):
        checks.all_exercises()


def test_keyboard_interrupt_passes():
    def slow(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(Exercise("x", "x", check=lambda f: Verdict(f(1), "")), slow)
