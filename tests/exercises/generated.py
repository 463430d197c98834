"""Respuestas equivocadas que se fabrican solas a partir de los datos de un ejercicio.

No son los errores que alguien pensó, sino los que nadie piensa: dar siempre lo mismo, no mirar un argumento, cambiar lo
que se recibe o devolver otro tipo.
"""

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch

from utils.exercises.compare import plain, same
from utils.exercises.grading import Exercise

#: Lo que daría quien no ha entendido nada, o ha dejado cualquier cosa en el hueco.
CONSTANTS = (0, 1, -1, 0.0, 0.5, float("nan"), "", "x", (), [], {}, set(), True, False, object(), torch.zeros(0))


def wrong_answers(exercise: Exercise) -> Iterator[tuple[str, Any]]:
    """Pares (de qué clase es, respuesta) que un ejercicio tiene que rechazar."""
    yield from (("lo que no es una función", value) for value in (*CONSTANTS, [0], (1, 2), {"a": 1}, dict, int))
    if exercise.right is None:
        return
    right = exercise.right
    cases = [*exercise.cases, *(args for args, _ in exercise.traps)]
    outputs = _distinct([right(*copy.deepcopy(args)) for args in cases])
    yield from (("una constante", _constant(value)) for value in (*CONSTANTS, *outputs))
    for position in range(len(cases[0])):
        yield "devuelve un argumento", lambda *args, i=position: args[i]
        values = _distinct([args[position] for args in cases])
        for value in values:
            yield "no mira un argumento", _ignoring(right, position, value)
        for value in map(another, values):
            if value is not None and not any(same(value, known) for known in values):
                yield "lee un valor del cuaderno", _ignoring(right, position, value)
        if _mutable(cases[0][position]):
            yield "cambia lo que recibe", _editing(right, position)
    for name, convert in WRONG_TYPES.items():
        if not all(same(convert(value), value) for value in outputs):
            yield f"otro tipo: {name}", lambda *args, convert=convert: convert(right(*args))
    yield "no acepta los argumentos", lambda: outputs[0]
    yield "acepta argumentos de más", lambda *args, needed: outputs[0]


#: Cómo se estropea el tipo de un resultado correcto.
WRONG_TYPES: dict[str, Callable[[Any], Any]] = {
    "texto": lambda value: str(plain(value)),
    "dentro de una lista": lambda value: [value],
    "repetido": lambda value: (value, value),
    "dentro de un diccionario": lambda value: {0: value},
    "una función": lambda value: lambda: value,
    "bytes": lambda value: str(plain(value)).encode(),
    "el tipo": type,
}


def _distinct(values: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if callable(value) or not any(same(value, known) for known in kept):
            kept.append(value)
    return kept


def _constant(value: Any) -> Callable:
    return lambda *args: value


def _ignoring(right: Callable, position: int, value: Any) -> Callable:
    """La función correcta, con un argumento siempre igual: como si leyera una variable del cuaderno."""
    assert position < len(inspect.signature(right).parameters), "el ejercicio pide menos argumentos que los de un caso"
    return lambda *args: right(*args[:position], copy.deepcopy(value), *args[position + 1 :])


def another(value: Any) -> Any:
    """Otro valor parecido, como el que podría haber en el cuaderno; `None` si no se sabe fabricar."""
    if isinstance(value, torch.Tensor):
        return value.flip(0) if len(value) > 1 else value + 1
    if isinstance(value, bool) or callable(value):
        return None
    if isinstance(value, (int, float)):
        return value + 1 if isinstance(value, int) else value * 0.75
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, dict):
        return dict(list(value.items())[:-1])
    if isinstance(value, set):
        return set(sorted(value)[1:])
    if isinstance(value, (list, tuple)):
        return type(value)(list(value)[:-1])
    return None


def _mutable(value: Any) -> bool:
    return isinstance(value, (list, dict, set, torch.Tensor))


def _editing(right: Callable, position: int) -> Callable:
    """La función correcta, que además cambia un argumento antes de acabar."""

    def answer(*args: Any) -> Any:
        result = copy.deepcopy(right(*args))
        given = args[position]
        if isinstance(given, torch.Tensor):
            given += 1
        elif isinstance(given, list):
            given.append(0)
        elif isinstance(given, dict):
            given["otra"] = 0
        else:
            given.add("otra")
        return result

    return answer
