"""Mezclar conjuntos de datos: cuánto pesa cada tarea y un solo conjunto con esas proporciones.

Sirve para el ajuste multitarea (varias tareas a la vez) y para el repaso (*replay*: la tarea nueva con unos pocos
ejemplos de las de antes). En los dos casos cambia de qué está hecho el conjunto y no cuánto se entrena.

Lo que NO hace: entrenar, ni cambiar las proporciones por el camino. Fuente: Raffel et al. (2020), sección 3.5.2.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.course import env


def mixing_rates(sizes: Mapping[str, int], limit: float = float("inf"), temperature: float = 1.0) -> dict[str, float]:
    """La fracción de cada tarea según su tamaño: min(tamaño, limit)^(1/temperature), dividido por la suma.

    Con los valores por omisión es proporcional al tamaño; `limit` es el tope K que impide que una tarea enorme se lo
    lleve todo, y una `temperature` grande las iguala. Error si un tamaño, el tope o la temperatura no son positivos.

    >>> mixing_rates({"web": 9000, "mía": 1000}), mixing_rates({"web": 9000, "mía": 1000}, limit=1000)
    ({'web': 0.9, 'mía': 0.1}, {'web': 0.5, 'mía': 0.5})
    """
    if not sizes or min(sizes.values()) <= 0:
        raise ValueError("Cada tarea necesita al menos un ejemplo: quita las vacías.")
    if not limit > 0 or not temperature > 0:
        raise ValueError(f"El tope y la temperatura deben ser positivos y son {limit} y {temperature}.")
    weights = {name: min(size, limit) ** (1 / temperature) for name, size in sizes.items()}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


def mix(datasets: Mapping[str, Sequence], rates: Mapping[str, float], size: int, seed: int | None = None) -> list:
    """Un conjunto barajado de `size` ejemplos con la fracción `rates` de cada conjunto.

    Los ejemplos no se repiten mientras queden; si se piden más de los que hay, se da otra vuelta. Con la misma semilla
    (la del curso, si no se da) sale lo mismo. Error si las fracciones no suman 1, falta un conjunto o no hay ninguno.

    >>> rows = mix({"nueva": ["n"] * 100, "vieja": ["v"] * 100}, {"nueva": 0.75, "vieja": 0.25}, size=8, seed=0)
    >>> rows.count("n"), rows.count("v")
    (6, 2)
    """
    if datasets.keys() != rates.keys():
        raise ValueError(f"Hay datos de {sorted(datasets)} y fracciones de {sorted(rates)}: deben ser los mismos.")
    if not rates or size < 0:
        raise ValueError(f"Se piden {size} ejemplos de {len(rates)} conjuntos: pasa alguno y no pidas menos de 0.")
    if min(rates.values()) < 0 or abs(sum(rates.values()) - 1) > 1e-9:
        raise ValueError(f"Las fracciones son positivas y suman 1; estas suman {sum(rates.values()):g}.")
    rng = np.random.default_rng(env.seed() if seed is None else seed)
    rows = []
    for name, count in zip(rates, _counts(list(rates.values()), size), strict=True):
        rows += _take(name, datasets[name], count, rng)
    return [rows[i] for i in rng.permutation(len(rows))]


def _counts(rates: Sequence[float], size: int) -> list[int]:
    """Reparte `size` según `rates`; lo que sobra al redondear va a los restos mayores.

    >>> _counts([0.5, 0.3, 0.2], 9)
    [4, 3, 2]
    """
    exact = np.array(rates) * size
    counts = np.floor(exact + 1e-9).astype(int)
    largest = np.argsort(counts - exact, kind="stable")[: size - counts.sum()]
    counts[largest] += 1
    return counts.tolist()


def _take(name: str, dataset: Sequence, count: int, rng: np.random.Generator) -> list:
    """`count` ejemplos al azar, sin repetir hasta dar la vuelta entera."""
    if count and not len(dataset):
        raise ValueError(f"De «{name}» se piden {count} ejemplos y no hay ninguno.")
    order = [i for _ in range(-(-count // max(1, len(dataset)))) for i in rng.permutation(len(dataset))]
    return [dataset[i] for i in order[:count]]
