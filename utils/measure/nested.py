"""El intervalo que incluye el entrenamiento: remuestreo anidado, primero las semillas y dentro los elementos.

El de `paired_bootstrap` sortea los elementos de la prueba de **un** entrenamiento: dice qué pasaría con otras
preguntas, no con otra semilla. Aquí se sortean con reposición las semillas y, dentro de cada una, sus elementos.
Fuente: Davison y Hinkley (1997), apartado 3.8; por qué contar todo el azar, Bouthillier et al. (2021).

Con tres semillas el intervalo es basto: solo hay diez combinaciones posibles de ellas, y como las medias de tres
varían menos que las de todas las que podría haber, sale estrecho. Lo mide la prueba, por simulación, con semillas
que cambian el doble que el error de los elementos: el intervalo «del 95 %» de un solo entrenamiento contiene el
valor verdadero menos de 7 veces de cada 10; el anidado, unas 8 con tres semillas y más de 9 con diez.
Lo que NO hace: corregir esa falta, ni inventar las semillas que no se corrieron.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.course import env
from utils.course.effects import load_effects
from utils.course.numerals import comma
from utils.measure.stats import Interval

# Elementos que se sortean de una vez: unos 32 MB.
_CHUNK = 4_000_000


def nested(
    values: Sequence[Sequence[float]] | np.ndarray, n: int = 10_000, level: float = 0.95, seed: int | None = None
) -> Interval:
    """Intervalo de la media de `values` (S, N): S semillas y, de cada una, N valores o diferencias por parejas.

    Es el de los percentiles de `n` remuestras. En el `Interval`, `n` son los elementos de cada semilla. `ValueError`
    con menos de 2 semillas o de 2 elementos, filas desiguales, valores no finitos, o `n` o `level` sin sentido.

    >>> one_seed_is_lucky = [[0.1, 0.2, 0.3], [0.8, 0.9, 1.0], [0.2, 0.3, 0.4]]
    >>> print(f"{nested(one_seed_is_lucky, n=2000, seed=0):.1f}")
    0,5 [0,2; 0,9]
    """
    try:
        data = np.asarray(values, dtype=float)  # (S, N)
    except ValueError:
        raise ValueError("Cada semilla debe medir los mismos elementos: las filas son de distinto tamaño.") from None
    if data.ndim != 2 or min(data.shape) < 2:
        raise ValueError(f"values debe ser (semillas, elementos), con 2 o más de cada, y es {data.shape}.")
    if not np.isfinite(data).all():
        raise ValueError("values contiene NaN o infinitos: mira qué semilla falla antes de promediar.")
    if n < 100 or not 0 < level < 1:
        raise ValueError(f"n = {n} debe ser 100 o más, y level = {level}, estar entre 0 y 1.")
    rng, (seeds, items) = np.random.default_rng(env.seed() if seed is None else seed), data.shape
    means, rows = [], max(1, _CHUNK // data.size)
    for start in range(0, n, rows):
        drawn = min(rows, n - start)
        which = rng.integers(seeds, size=(drawn, seeds, 1))  # (R, S, 1)
        means.append(data[which, rng.integers(items, size=(drawn, seeds, items))].mean((1, 2)))  # (R,)
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(data.mean()), float(low), float(high), level, items)


def load_nested(lab: str, effect: str) -> Interval:
    """El intervalo anidado de un efecto guardado, para que un capítulo lo cite; siempre el mismo.

    `ValueError` si no está guardado o lo está con menos de tres semillas.
    """
    seeds = load_effects(lab).get(effect, {})
    if len(seeds) < 3:
        raise ValueError(f"{lab} guarda «{effect}» con {len(seeds)} semillas: haz tres, con «make semillas LAB={lab}».")
    return nested([*seeds.values()], seed=0)


def show_nested(lab: str, effects: Mapping[str, str]) -> None:
    """Escribe, de cada efecto {nombre: qué es}, su valor en cada semilla guardada y el intervalo anidado.

    Si aún no hay tres semillas, dice cómo guardarlas.
    """
    stored = load_effects(lab)
    for effect, text in effects.items():
        seeds = stored.get(effect, {})
        each = " · ".join(f"{key}: {comma(row.mean(), '.2f')}" for key, row in seeds.items()) or "ninguna"
        print(f"{text}\n   por semilla   {each}")
        advice = f"faltan semillas: guárdalas con «make semillas LAB={lab}»"
        print(f"   anidado       {advice if len(seeds) < 3 else format(load_nested(lab, effect), '.2f')}")
