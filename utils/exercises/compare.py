"""Comparar dos resultados y contarlos: lo que hace falta para corregir un ejercicio sin mirar de qué tipo es.

Un tensor, un array y una lista con los mismos números valen lo mismo; un número y su texto, no. No decide si una
respuesta es correcta ni qué error tiene: eso está en `grading.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from numbers import Number
from typing import Any

#: Dos decimales son iguales si difieren menos de esta parte de ellos…
RELATIVE = 1e-5
#: … o menos de esta parte del mayor número del resultado: en un tensor, lo que de verdad debería ser 0 no sale exacto.
OF_LARGEST = 1e-6


def plain(value: Any) -> Any:
    """Reduce un resultado a números, textos, listas, diccionarios y conjuntos de Python.

    >>> plain((range(2), {"a": (1,)}))
    [[0, 1], {'a': [1]}]
    """
    if hasattr(value, "tolist") and not isinstance(value, type):  # un tensor, un array o un escalar de NumPy
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (str, bytes, set, frozenset, Number)) or not isinstance(value, Iterable):
        return value
    return [plain(item) for item in value]


def same(got: Any, right: Any) -> bool:
    """Dice si dos resultados son el mismo: los enteros, exactos; los decimales, salvo redondeo.

    El segundo manda: si es un conjunto, vale una lista con sus elementos; si es un valor lógico, un 1 no vale.

    >>> same((0.1 + 0.2, "a"), [0.3, "a"]), same("3", 3), same(1, True), same(["b", "a"], {"a", "b"})
    (True, False, False, True)
    """
    got, right = plain(got), plain(right)
    largest = max((abs(x) for x in _decimals(right) if math.isfinite(x)), default=0.0)
    return _same(got, right, OF_LARGEST * largest)


def _decimals(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _decimals(item)


def _same(got: Any, right: Any, margin: float) -> bool:
    if isinstance(right, dict):
        return (
            isinstance(got, dict)
            and got.keys() == right.keys()
            and all(_same(got[key], right[key], margin) for key in right)
        )
    if isinstance(right, (set, frozenset)):
        return isinstance(got, (set, frozenset, list)) and all(map(_hashable, got)) and set(got) == right
    if isinstance(right, list):
        return (
            isinstance(got, list)
            and len(got) == len(right)
            and all(_same(a, b, margin) for a, b in zip(got, right, strict=True))
        )
    if isinstance(right, float):
        return (
            isinstance(got, (int, float))
            and not isinstance(got, bool)
            and (math.isclose(got, right, rel_tol=RELATIVE, abs_tol=margin) or (got != got and right != right))
        )
    # `True == 1` en Python, y aquí no: una máscara de enteros no es una máscara lógica.
    return isinstance(got, bool) == isinstance(right, bool) and bool(got == right)


def _hashable(value: Any) -> bool:
    return not isinstance(value, (list, dict, set))


def shape(value: Any) -> tuple[int, ...]:
    """La forma de una tabla, de listas del mismo tamaño unas dentro de otras; la de un número es vacía.

    >>> shape([[1, 2, 3], [4, 5, 6]]), shape([[1], [2, 3]]), shape(7)
    ((2, 3), (2,), ())
    """
    value = plain(value)
    if not isinstance(value, list):
        return ()
    inner = {shape(item) for item in value}
    return (len(value), *(inner.pop() if len(inner) == 1 else ()))


def kind(value: Any) -> str:
    """Cómo se llama en español lo que es un resultado.

    >>> kind(2.5), kind([[1, 2], [3, 4]]), kind({1})
    ('un número', 'una tabla de forma (2, 2)', 'un conjunto')
    """
    value = plain(value)
    if isinstance(value, bool):
        return "un valor lógico (`True` o `False`)"
    if isinstance(value, Number):
        return "un número"
    if isinstance(value, list):
        if len(shape(value)) > 1:
            return f"una tabla de forma {shape(value)}"
        return f"una lista de {len(value)} elemento{'s' if len(value) != 1 else ''}"
    names = {str: "un texto", dict: "un diccionario", set: "un conjunto", frozenset: "un conjunto"}
    return names.get(type(value), f"un objeto de tipo `{type(value).__name__}`")


def show(value: Any) -> str:
    """Escribe un resultado como lo escribiría Python, con seis cifras por número.

    >>> show([1 / 3, (1, "a")])
    "[0.333333, (1, 'a')]"
    """
    if isinstance(value, tuple):
        return f"({', '.join(map(show, value))}{',' * (len(value) == 1)})"
    value = value if isinstance(value, (list, dict)) else plain(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {show(item)}' for key, item in value.items())}}}"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(repr, value)))}}}" if value else "set()"
    return repr(value)
