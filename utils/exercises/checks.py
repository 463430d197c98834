"""Los ejercicios se corrigen solos: `comprobar` dice si una respuesta vale y, si no, qué error parece haber.

Un ejercicio vive en `utils/exercises/labs/lab_NN.py` (o `cap_*.py`), en un diccionario `EXERCISES`. Aquí se
busca, se protege la respuesta y se escribe el veredicto, que da `grading.py`; el enunciado está en el lab.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import linecache
import pkgutil
import traceback
from collections.abc import Callable
from typing import Any

from utils.exercises import labs
from utils.exercises.grading import Exercise, Verdict, grade

#: Qué suele haber detrás de las excepciones más comunes.
REASONS = {
    NameError: "usa un nombre que no existe (¿está mal escrito o falta ejecutar una celda anterior?)",
    ZeroDivisionError: "divide por cero",
    IndexError: "pide una posición que no existe",
    KeyError: "pide una clave que no existe",
    AttributeError: "pide un atributo o un método que ese objeto no tiene",
    TypeError: "usa un valor de un tipo que esa operación no admite",
    ValueError: "pasa un valor que esa operación no admite",
    RuntimeError: "torch no pudo hacer la operación (¿encajan las formas de los tensores?)",
    RecursionError: "se llama a sí misma sin parar",
    AssertionError: "no cumple una de sus propias comprobaciones",
}


class NotYetError(Exception):
    """La respuesta sigue siendo el hueco del enunciado."""


class AnswerError(Exception):
    """La función del lector lanzó una excepción; el mensaje ya está en español."""


def comprobar(exercise_id: str, answer: Any) -> None:
    """Escribe si `answer` resuelve el ejercicio y, si no, el error que parece tener.

    Nunca interrumpe el cuaderno por una respuesta: un hueco sin rellenar escribe «todavía no». Solo lanza
    `ValueError` si el ejercicio no existe.
    """
    exercise = find_exercise(exercise_id)
    try:
        verdict = judge(exercise, answer)
    except NotYetError as blank:
        hint = f" ({blank})" if str(blank) else ""
        print(f"{exercise.id} · todavía no: {exercise.title}. Completa el hueco y repite la celda{hint}.")
        return
    print(f"{exercise.id} · {'correcto' if verdict.ok else 'aún no es correcto'}: {verdict.message}")


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Comprueba una respuesta y devuelve el veredicto; lanza `NotYetError` si es un hueco sin rellenar."""
    if is_blank(answer):
        raise NotYetError
    try:
        return grade(exercise, guard(answer))
    except AnswerError as error:
        return Verdict(False, str(error))
    except NotYetError:
        raise
    except Exception as error:  # una respuesta de tipo inesperado no debe romper el cuaderno
        return Verdict(
            False,
            f"no pude comprobar una respuesta de tipo `{type(answer).__name__}`: repasa el enunciado. "
            f"Python dice: `{type(error).__name__}`, {error}.",
        )


def is_blank(answer: Any) -> bool:
    """Dice si la respuesta es un hueco: `...`, `None`, o una lista, tupla o diccionario que contiene alguno.

    >>> is_blank(...), is_blank({"a": 1, "b": ...}), is_blank(0)
    (True, True, False)
    """
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, (list, tuple)):
        return any(item is None or item is Ellipsis for item in answer)
    return answer is None or answer is Ellipsis


def guard(answer: Any) -> Any:
    """Envuelve las funciones de la respuesta: un hueco lanza `NotYetError`; otro fallo, `AnswerError`."""
    if isinstance(answer, (list, tuple)) and type(answer) in (list, tuple):
        return type(answer)(guard(item) for item in answer)
    if type(answer) is dict:
        return {key: guard(value) for key, value in answer.items()}
    if not (inspect.isroutine(answer) or isinstance(answer, functools.partial)):
        return answer

    @functools.wraps(answer)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            result = answer(*args, **kwargs)
        except NotImplementedError:
            raise NotYetError from None
        except AnswerError:  # lo lanza algo que el ejercicio le ha dado, y ya dice lo que pasa
            raise
        except Exception as error:
            raise AnswerError(describe(error, answer)) from error
        if result is None or result is Ellipsis:
            raise NotYetError("si ya la escribiste, a tu función le falta un `return`")
        return result

    return guarded


def describe(error: Exception, function: Callable) -> str:
    """Cuenta en español una excepción de la función del lector, con la línea de su código donde ocurrió."""
    name = f"`{type(error).__name__}`"
    code = getattr(function, "__code__", None)
    own = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if code is not None and frame.f_code.co_filename == code.co_filename
    ]
    if not own:
        # No llegó a entrar en ella: lo normal es que no acepte los argumentos que pide el enunciado.
        return f"no se pudo llamar a tu función con los argumentos del enunciado. Python dice: {name}, {error}."
    source = linecache.getline(code.co_filename, own[-1]).strip()
    where = f"en la línea {own[-1]}" + (f", `{source}`" if source else "")
    reason = next((text for kind, text in REASONS.items() if isinstance(error, kind)), "falla")
    return f"tu función se interrumpe {where}: {reason}. Python dice: {name}, {error}."


def find_exercise(exercise_id: str) -> Exercise:
    """Busca un ejercicio en el módulo que nombra su id; si no existe, el error propone los de nombre más parecido.

    >>> find_exercise("lab-00.3").title
    'cuánto dura una memoria'
    """
    module = module_of(str(exercise_id))
    if module in _modules() and exercise_id in (found := _load(module)):
        return found[exercise_id]
    near = difflib.get_close_matches(str(exercise_id), all_exercises(), n=3, cutoff=0.4)
    hint = f"¿Querías decir {' o '.join(f'«{name}»' for name in near)}?" if near else "Revisa el identificador."
    raise ValueError(f"No hay ningún ejercicio «{exercise_id}». {hint}")


def module_of(exercise_id: str) -> str:
    """El módulo en que tiene que estar un ejercicio.

    >>> module_of("lab-04.1")
    'lab_04'
    """
    return exercise_id.rpartition(".")[0].replace("-", "_")


def all_exercises() -> dict[str, Exercise]:
    """Devuelve todos los ejercicios por identificador; lanza `ValueError` si uno está fuera de su módulo."""
    found: dict[str, Exercise] = {}
    for module in _modules():
        for name, exercise in _load(module).items():
            if name != exercise.id or module_of(name) != module:
                home = f"`{module_of(name)}.py`"
                raise ValueError(f"El ejercicio «{name}» de {module}.py tiene otro `id` o debería estar en {home}.")
            found[name] = exercise
    return found


def _modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(labs.__path__)]


def _load(module: str) -> dict[str, Exercise]:
    return importlib.import_module(f"{labs.__name__}.{module}").EXERCISES
