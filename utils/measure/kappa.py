"""Cuánto están de acuerdo dos jueces, descontado lo que coincidirían por azar: la kappa de Cohen.

Si uno y otro dicen casi siempre «sí», coinciden mucho sin mirar nada. La kappa vale 1 si coinciden en todo, 0 si
coinciden lo que coincidirían contestando cada uno al azar con sus mismas proporciones, y menos de 0 si coinciden menos.
Fuente: Cohen (1960), «A coefficient of agreement for nominal scales».

Lo que NO hace: etiquetas ordenadas (kappa ponderada) ni más de dos jueces (kappa de Fleiss).
"""

from collections import Counter
from collections.abc import Hashable, Sequence


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """(p_o - p_e) / (1 - p_e), con p_o la parte en que coinciden y p_e la que se espera por azar.

    Error si no hay tantas etiquetas de uno como de otro, si no hay ninguna o si los dos dan siempre la misma: entonces
    no hay nada que descontar y la kappa no está definida.

    >>> cohen_kappa(["A", "A", "B", "B"], ["A", "B", "B", "B"])
    0.5
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"Hay {len(first)} etiquetas y {len(second)}: pasa las de los dos jueces, una por ejemplo.")
    n, a, b = len(first), Counter(first), Counter(second)
    observed = sum(x == y for x, y in zip(first, second, strict=True)) / n
    expected = sum(a[label] * b[label] for label in a) / n**2
    if expected == 1:
        raise ValueError("Los dos jueces dan siempre la misma etiqueta: la kappa no está definida.")
    return (observed - expected) / (1 - expected)
