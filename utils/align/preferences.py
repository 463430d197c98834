"""De un orden a parejas, y etiquetadores simulados cuya manera de equivocarse se conoce.

Quien etiqueta ordena N respuestas a un mismo prompt, y el orden se pasa a N(N − 1)/2 parejas (preferida, otra). Un
etiquetador simulado conoce la utilidad verdadera de cada respuesta y duda según Bradley-Terry: pone a delante de b con
probabilidad σ((u_a − u_b) / ruido). Como la verdad se sabe, se sabe también lo más que puede acertar nadie.

Lo que NO hace: simular el cansancio, ni empates. Fuentes: Bradley y Terry (1952); Ouyang et al. (2022), sección 3.5.
"""

import itertools
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def ranking_pairs(ranking: Sequence[T]) -> list[tuple[T, T]]:
    """Todas las parejas (preferida, otra) de un orden, de mejor a peor. Error con menos de dos respuestas.

    Las parejas de un mismo orden no son independientes: deben ir juntas, en la misma partición y en el mismo lote.

    >>> ranking_pairs(["útil", "corta", "grosera"])
    [('útil', 'corta'), ('útil', 'grosera'), ('corta', 'grosera')]
    """
    if len(ranking) < 2:
        raise ValueError(f"Con {len(ranking)} respuestas no hay ninguna pareja que comparar: hacen falta dos o más.")
    return list(itertools.combinations(ranking, 2))


def preference_probability(utility_a: float, utility_b: float, noise: float = 1.0) -> float:
    """Probabilidad de que se prefiera a, según la diferencia de utilidades y el ruido de quien etiqueta.

    Con `noise` 0 no hay duda, salvo entre dos iguales. Error si `noise` es negativo o una utilidad no es finita.

    >>> round(preference_probability(2.0, 1.0), 3), preference_probability(2.0, 1.0, noise=0.0)
    (0.731, 1.0)
    """
    difference = utility_a - utility_b
    if not np.isfinite(difference):
        raise ValueError(f"Las utilidades deben ser números finitos y son {utility_a} y {utility_b}.")
    if not noise >= 0:
        raise ValueError(f"El ruido de un etiquetador es 0 o más y es {noise}.")
    if noise == 0:
        return float(np.sign(difference) + 1) / 2
    return float(1 / (1 + np.exp(-difference / noise)))


def noisy_ranking(utilities: Sequence[float], noise: float, rng: np.random.Generator) -> list[int]:
    """El orden que da un etiquetador con ese ruido: los índices de las respuestas, de la mejor a la peor.

    A cada utilidad dividida por el ruido se le suma un sorteo de Gumbel y se ordena. Así, la probabilidad de que una
    vaya delante de otra es exactamente la de Bradley-Terry, y el orden no se contradice (modelo de Plackett-Luce).

    >>> noisy_ranking([0.2, 3.0, 1.0], noise=0.0, rng=np.random.default_rng(0))
    [1, 2, 0]
    """
    preference_probability(max(utilities), min(utilities), noise)  # los errores son los mismos
    scores = np.asarray(utilities, dtype=float)
    if noise:
        scores = scores / noise + rng.gumbel(size=len(scores))
    return np.argsort(-scores, kind="stable").tolist()


def best_accuracy(pairs: Sequence[tuple[float, float]], noise: float) -> float:
    """Lo más que puede acertar quien prediga las etiquetas de un etiquetador con ese ruido: la media de σ(|Δ|/ruido).

    `pairs` son las utilidades verdaderas de cada pareja. Quien conociera la verdad acertaría esto, y nadie puede más:
    lo que falta hasta 1 son las veces en que el etiquetador se contradice con ella.

    >>> round(best_accuracy([(2.0, 1.0), (1.0, 1.0)], noise=1.0), 3)  # la media de 0,731 y 0,5
    0.616
    """
    if not pairs:
        raise ValueError("No hay parejas de las que calcular el techo.")
    return float(np.mean([preference_probability(max(pair), min(pair), noise) for pair in pairs]))
