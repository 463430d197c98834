"""Un ejercicio como dato, y la cuenta que decide con él si una respuesta vale y qué error tiene.

La respuesta se ejecuta en todos los casos y se compara con la buena; si difiere, se busca el error conocido que habría
dado lo mismo en todos. Cada llamada recibe una copia nueva de los argumentos: así, una respuesta que los cambia no
estropea los casos siguientes, y se le dice. Aquí no se busca el ejercicio ni se protege la respuesta: `checks.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from utils.exercises.compare import kind, plain, same, shape, show

#: Lo que cabe, en letras, en una frase que se lee de un vistazo.
READABLE = 90


class Verdict(NamedTuple):
    """El resultado de una comprobación: si vale y la explicación, una frase en español."""

    ok: bool
    message: str


@dataclass(frozen=True)
class Exercise:
    """Un ejercicio.

    `right` es la función correcta y `cases`, los argumentos con los que se prueba: dos casos o más, elegidos para que
    no pueda acertar una constante, un argumento ignorado ni una coincidencia. `mistakes` son pares (función
    equivocada, diagnóstico); gana la primera que da lo mismo que la respuesta en todos los casos. `traps` son casos
    (argumentos, diagnóstico) en los que solo se falla por una causa: se miran cuando todos los de `cases` están bien.
    `also` son otras funciones que también valen, y `view`, cómo se mira un resultado antes de compararlo (`sorted`,
    si el orden da igual). `lesson` es lo que se lee al acertar.

    Lo que no se puede decir con casos lleva su `check`, que recibe la respuesta y devuelve un `Verdict`; entonces
    `mistakes` son pares (respuesta equivocada, fragmento de su diagnóstico).
    """

    id: str
    title: str
    lesson: str = ""
    right: Callable | None = None
    cases: Sequence[tuple] = ()
    mistakes: Sequence[tuple[Any, str]] = ()
    traps: Sequence[tuple[tuple, str]] = ()
    also: Sequence[Callable] = ()
    view: Callable[[Any], Any] | None = None
    check: Callable[[Any], Verdict] | None = None


def grade(exercise: Exercise, answer: Any) -> Verdict:
    """Compara una respuesta con la buena en todos los casos y, si difiere, dice qué error parece tener.

    >>> double = Exercise("x", "x", "bien.", lambda x: 2 * x, [(1,), (3,)], [(lambda x: x * x, "es el cuadrado.")])
    >>> grade(double, lambda n: n**2)
    Verdict(ok=False, message='es el cuadrado.')
    """
    if exercise.check:
        return exercise.check(answer)
    if not callable(answer):
        return Verdict(False, f"se espera tu función, sin llamarla, y lo que has pasado es {kind(answer)}.")
    cases = list(exercise.cases)
    changed: list[tuple] = []
    got = [_call(exercise, answer, args, changed) for args in cases]
    if not all(_accepts(exercise, args, mine) for args, mine in zip(cases, got, strict=True)):
        for wrong, diagnosis in exercise.mistakes:
            if _agree(got, _outputs(exercise, wrong, cases)):
                return Verdict(False, diagnosis)
        right = _outputs(exercise, exercise.right, cases)
        return Verdict(False, explain(getattr(answer, "__name__", ""), cases, got, right))
    for args, diagnosis in exercise.traps:
        if not _accepts(exercise, args, _call(exercise, answer, args, changed)):
            return Verdict(False, diagnosis)
    if changed:
        return Verdict(False, "aciertas, pero tu función cambia lo que recibe: trabaja con una copia.")
    return Verdict(True, exercise.lesson)


def _call(exercise: Exercise, function: Callable, args: tuple, changed: list[tuple] | None = None) -> Any:
    """Lo que da una función con una copia de los argumentos; apunta en `changed` los que haya cambiado."""
    given = copy.deepcopy(args)
    result = _look(exercise, function(*given))
    if changed is not None and any(not callable(a) and not same(b, a) for a, b in zip(args, given, strict=True)):
        changed.append(args)
    return result


def _look(exercise: Exercise, result: Any) -> Any:
    """Un resultado en datos de Python y, si se puede, mirado como pide el ejercicio."""
    result = plain(result)
    try:
        return plain(exercise.view(result)) if exercise.view else result
    except (TypeError, ValueError):  # no es lo que se pedía: se compara tal cual, y no coincidirá
        return result


def _accepts(exercise: Exercise, args: tuple, result: Any) -> bool:
    return any(same(result, _call(exercise, right, args)) for right in (exercise.right, *exercise.also))


def _outputs(exercise: Exercise, function: Callable, cases: Sequence[tuple]) -> list | None:
    """Lo que da una función en cada caso, o `None` si se interrumpe en alguno."""
    try:
        return [_call(exercise, function, args) for args in cases]
    except Exception:  # un error conocido que se interrumpe no explica una respuesta que no lo hace
        return None


def _agree(got: list, expected: list | None) -> bool:
    return expected is not None and all(same(a, b) for a, b in zip(got, expected, strict=True))


def explain(name: str, cases: Sequence[tuple], got: Sequence[Any], right: Sequence[Any]) -> str:
    """Cuenta un fallo sin diagnóstico: el primer caso que falla, lo que debería dar y lo que da.

    >>> explain("half", [(4,), (6,)], [2, 2], [2, 3])
    'das siempre `2`, sean cuales sean los datos: `half(6)` debería dar `3`.'
    """
    first = next(i for i in range(len(cases)) if not same(got[i], right[i]))
    mine, wanted = got[first], right[first]
    call = f"`{name if name.isidentifier() else 'f'}({', '.join(map(show, cases[first]))})`"
    if len(call) > READABLE:
        call = "en uno de los casos, tu función"
    readable = len(show(wanted)) + len(show(mine)) <= READABLE
    if _sort(mine) != _sort(wanted) or (shape(mine) != shape(wanted) and not readable):
        content = f": {_short(mine)}" if len(show(mine)) <= READABLE else ""
        return f"{call} debería dar {kind(wanted)} y da {kind(mine)}{content}."
    where = ""
    while len(show(wanted)) + len(show(mine)) > READABLE and _aligned(mine, wanted):
        index = next(i for i, (a, b) in enumerate(zip(mine, wanted, strict=True)) if not same(a, b))
        mine, wanted, where = mine[index], wanted[index], f"{where}[{index}]"
    if where:
        told = f"en `{where}` debería haber {_short(wanted)} y hay {_short(mine)}"
        return f"{call} da la forma buena, pero no los valores: {told}."
    if len(got) > 1 and all(same(item, got[0]) for item in got):
        return f"das siempre {_short(mine)}, sean cuales sean los datos: {call} debería dar {_short(wanted)}."
    told = f"{call} debería dar {_short(wanted)} y da {_short(mine)}."
    if isinstance(wanted, int) and isinstance(mine, float) and mine % 1:
        return f"{told} Se espera un número entero."
    if first:
        return f"acierta con unos datos y falla con otros: {told} ¿Has dejado escrito algún número?"
    return told


def _aligned(mine: Any, wanted: Any) -> bool:
    return isinstance(mine, list) and isinstance(wanted, list) and len(mine) == len(wanted)


def _sort(value: Any) -> str:
    """La clase de un resultado sin su tamaño, que se cuenta aparte."""
    return "lista" if isinstance(value, list) else kind(value)


def _short(value: Any) -> str:
    text = show(value)
    return f"`{text}`" if len(text) <= READABLE else kind(value)
