"""Cuánto se puede fiar una media: intervalos por remuestreo (*bootstrap*), sueltos y por parejas, y el de Wilson.

El método es el de los percentiles: se sacan con reposición tantos elementos como hay, se calcula el
estadístico, se repite n veces y el intervalo son los percentiles de esos n valores. Fuente: Efron y
Tibshirani (1993), capítulo 13; para comparar sistemas de lenguaje, Koehn (2004). No corrige el sesgo (BCa),
no corrige por comparaciones múltiples, no cuenta el azar del entrenamiento (eso es `utils.measure.nested`) y
supone elementos independientes entre sí: si hay varias filas por diálogo, agrúpalas antes.
Con menos de unos 20 elementos el intervalo sale algo estrecho.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from utils.course import env
from utils.course.numerals import comma

# Índices que se sortean de una vez: unos 32 MB, sea cual sea el número de elementos.
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """Una estimación con su intervalo de confianza: `level` (0.95 es el 95 %) y `n` elementos.

    >>> print(Interval(0.412, 0.380, 0.443, level=0.95, n=300))
    0,412 [0,380; 0,443]
    >>> f"{Interval(0.412, 0.380, 0.443, level=0.95, n=300):.2f}"
    '0,41 [0,38; 0,44]'
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int

    def excludes_zero(self) -> bool:
        """True si el intervalo entero cae a un lado del cero: hay un efecto a este nivel de confianza.

        >>> Interval(0.10, -0.02, 0.21, level=0.95, n=100).excludes_zero()
        False
        """
        return self.low > 0 or self.high < 0

    def __format__(self, spec: str) -> str:
        """Con coma decimal; `spec` es el formato de cada número, «.3f» si no se da."""
        estimate, low, high = (comma(x, spec or ".3f") for x in (self.estimate, self.low, self.high))
        return f"{estimate} [{low}; {high}]"

    def __str__(self) -> str:
        return format(self, "")


def bootstrap(
    values: Sequence[float] | np.ndarray,
    statistic: Callable[..., np.ndarray] = np.mean,
    n: int = 10_000,
    level: float = 0.95,
    seed: int | None = None,
) -> Interval:
    """Intervalo de un estadístico (la media, si no se dice otro) por remuestreo de los elementos.

    `values` (N,): un número por elemento; o (N, K): K cantidades por elemento, que se sortean juntas.
    `statistic` se llama como `statistic(muestras, axis=1)`, con muestras (R, N) o (R, N, K), y devuelve (R,):
    sirven np.mean, np.median o un cociente de totales como el del ejemplo. Si todo son ceros o todo unos, remuestrear
    no mueve nada y el intervalo saldría de anchura cero: su media es una proporción y se da el de `wilson`.
    `n` es el número de remuestras; sin `seed`, la semilla del curso. ValueError con menos de 2 elementos, valores no
    finitos, o `n` o `level` sin sentido.

    >>> bootstrap([1.0, 2.0, 3.0, 4.0], n=1000, seed=0).estimate
    2.5
    >>> hits_of_words = np.array([[3, 4], [1, 2], [5, 6], [0, 3]])  # aciertos y palabras de cada texto
    >>> ratio = lambda s, axis: s[..., 0].sum(axis) / s[..., 1].sum(axis)
    >>> bootstrap(hits_of_words, ratio, n=1000, seed=0).estimate
    0.6
    >>> print(bootstrap([1.0] * 100))  # 100 aciertos de 100 no dicen que nunca vaya a fallar
    1,000 [0,963; 1,000]
    """
    data = _as_items(values, "values")
    _check(n, level)
    if statistic is np.mean and data.ndim == 1 and (not data.any() or (data == 1).all()):
        return wilson(int(data.sum()), len(data), level)
    return _resample(data, statistic, n, level, seed)


def _resample(
    data: np.ndarray, statistic: Callable[..., np.ndarray], n: int, level: float, seed: int | None
) -> Interval:
    """El intervalo de los percentiles, sin mirar qué son los datos: (N,) o (N, K)."""
    rng = np.random.default_rng(env.seed() if seed is None else seed)
    estimates = []
    rows = max(1, _CHUNK // len(data))
    for start in range(0, n, rows):
        index = rng.integers(len(data), size=(min(rows, n - start), len(data)))  # (R, N)
        estimates.append(statistic(data[index], axis=1))  # (R,)
    estimates = np.concatenate(estimates)  # (n,)
    low, high = np.quantile(estimates, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(statistic(data[None], axis=1)[0]), float(low), float(high), level, len(data))


def paired_bootstrap(
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    n: int = 10_000,
    level: float = 0.95,
    seed: int | None = None,
) -> Interval:
    """Intervalo de la mejora media(b - a) cuando `a[i]` y `b[i]` miden el mismo elemento, antes y después.

    Remuestrea las diferencias, así que lo fácil o difícil de cada elemento se cancela y el intervalo es más
    estrecho que el de dos muestras sueltas. `a` y `b` (N,). Si uno falla siempre y el otro acierta
    siempre, el intervalo es el de `wilson`; si no hay ni una diferencia, es cero con anchura cero. ValueError si miden
    distinto, además de los de `bootstrap`.

    >>> paired_bootstrap([0.1, 0.5, 0.3], [0.3, 0.7, 0.5], n=1000, seed=0).excludes_zero()
    True
    """
    before, after = _as_items(a, "a"), _as_items(b, "b")
    if before.shape != after.shape:
        raise ValueError(
            f"a tiene {len(before)} elementos y b tiene {len(after)}: "
            "deben medir los mismos elementos y en el mismo orden."
        )
    _check(n, level)
    for sign, wrong, right in ((1, before, after), (-1, after, before)):
        if not wrong.any() and (right == 1).all():
            share = wilson(len(right), len(right), level)
            return Interval(sign, *sorted((sign * share.low, sign * share.high)), level, len(right))
    return _resample(after - before, np.mean, n, level, seed)


def wilson(hits: int, n: int, level: float = 0.95) -> Interval:
    """Intervalo de una proporción: `hits` aciertos de `n`, por el método de Wilson (1927).

    A diferencia del de «media ± 1,96 errores típicos», no se sale de [0, 1] ni se queda en nada con 0 aciertos. Con una
    lista de ceros y unos da casi lo mismo que `bootstrap`, sin sortear. ValueError si no es una proporción.

    >>> print(f"{wilson(52, 100):.2f}")
    0,52 [0,42; 0,62]
    """
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"{hits} aciertos de {n} no es una proporción: hits va de 0 a n, y n es al menos 1.")
    if not 0 < level < 1:
        raise ValueError(f"level debe estar entre 0 y 1 (0.95 para el 95 %) y es {level}.")
    z = NormalDist().inv_cdf((1 + level) / 2)  # 1,96 para el 95 %
    p = hits / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return Interval(p, max(0.0, centre - half), min(1.0, centre + half), level, n)


def _check(n: int, level: float) -> None:
    if n < 100:
        raise ValueError(f"n = {n} remuestras no bastan para leer percentiles: usa al menos 100.")
    if not 0 < level < 1:
        raise ValueError(f"level debe estar entre 0 y 1 (0.95 para el 95 %) y es {level}.")


def _as_items(values: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    data = np.asarray(values, dtype=float)
    if data.ndim == 0 or len(data) < 2:
        raise ValueError(f"{name} tiene menos de 2 elementos: sin variación que observar no hay intervalo.")
    if not np.isfinite(data).all():
        raise ValueError(f"{name} contiene NaN o infinitos: mira qué elemento falla antes de promediar.")
    return data
