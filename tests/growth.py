"""Cuánto crece un coste: el mismo trabajo con n y con 4n, y los textos con que se mide.

Se toma el tiempo de CPU, el menor de varias repeticiones: lo que hagan otros procesos solo puede empeorarlo, así que se
repite hasta que la razón baja del límite o se agotan los intentos. Un coste lineal da 4, uno de n log n da menos de 5 y
uno cuadrático da 16; el límite está a medio camino, porque al pasar de una caché a otra también se pierde tiempo. No se
mide ninguna velocidad.
"""

import gc
import random
import time
from collections.abc import Callable, Iterable

import numpy as np

LIMIT, ATTEMPTS = 8.0, 10
Job = Callable[[], object]
_RNG = random.Random(0)
WORDS = ["".join(_RNG.choices("abcdeilmnoprstuñé", k=_RNG.randint(3, 8))) for _ in range(400)]


def growth(prepare: Callable[[int], Job], n: int) -> float:
    """Cuánto más cuesta el trabajo de tamaño 4n que el de tamaño n: el tiempo de `prepare` no cuenta.

    Si pasa del límite, se mira también de 4n a 16n: un coste cuadrático lo pasa las dos veces, y el salto de una caché
    a la siguiente, solo una.
    """
    ratio = ratio_of_costs(prepare, n)
    return ratio if ratio <= LIMIT else min(ratio, ratio_of_costs(prepare, 4 * n))


def ratio_of_costs(prepare: Callable[[int], Job], n: int) -> float:
    """El cociente entre los menores tiempos vistos con 4n y con n.

    Se comparan cuatro trabajos de n con uno de 4n: duran parecido, y la carga de la máquina les estorba por igual.
    """
    best = {n: float("inf"), 4 * n: float("inf")}
    for attempt in range(ATTEMPTS):
        for size in best:
            jobs = [prepare(size) for _ in range(4 * n // size)]
            gc.disable()  # el recolector salta cuando quiere, y recorre también lo que no es de este trabajo
            start = time.process_time()
            for job in jobs:
                job()
            best[size] = min(best[size], (time.process_time() - start) / len(jobs))
            gc.enable()
        ratio = best[4 * n] / best[n]
        if attempt and (ratio <= LIMIT or (attempt > 1 and ratio > 2 * LIMIT)):  # ya está claro
            break
    return ratio


def over(function: Callable, *arguments, **options) -> Job:
    """El trabajo de llamar a la función con esos argumentos, ya preparados."""
    return lambda: function(*arguments, **options)


def each(function: Callable, items: Iterable) -> Job:
    """El trabajo de llamarla con cada elemento."""
    items = list(items)
    return lambda: [function(item) for item in items]


def prose(n: int) -> str:
    """Un texto de n palabras, con puntos y renglones."""
    rng = random.Random(1)
    return "".join(rng.choice(WORDS) + rng.choice((" ", " ", ". ", "\n")) for _ in range(n))


def sentences(n: int) -> list[str]:
    """n textos de doce palabras, distintos."""
    rng = random.Random(2)
    return [f"{' '.join(rng.choices(WORDS, k=12))} {i}" for i in range(n)]


def word(n: int) -> str:
    """Una «palabra» de n letras: sin un solo espacio."""
    return "".join(random.Random(3).choices("aeioulnrst", k=n))


def ids(n: int, vocab: int = 50) -> list[int]:
    """n ids al azar que no son de los cuatro primeros, los especiales."""
    return np.random.default_rng(0).integers(4, vocab, n).tolist()
