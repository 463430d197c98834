"""De duelos entre modelos a una clasificación: Elo, que va duelo a duelo, y Bradley-Terry, que los mira todos.

Las dos cuentas parten de lo mismo: la probabilidad de que A gane a B depende solo de la diferencia de sus puntos. Elo
corrige los puntos después de cada duelo, así que el resultado depende del orden en que llegan. Bradley-Terry busca los
puntos que hacen más probable el conjunto de los resultados, y el orden da igual.

Lo que NO hace: decidir quién gana un duelo, ni corregir que un juez prefiera las respuestas largas o la primera.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SCALE = 400.0  # con 400 puntos más se gana diez veces por cada una que se pierde
START = 1000.0


@dataclass(frozen=True)
class Duel:
    """Un duelo entre `a` y `b`. `score` es lo que saca `a`: 1 si gana, 0,5 si empatan y 0 si pierde."""

    a: str
    b: str
    score: float


def win_probability(rating_a: float, rating_b: float) -> float:
    """Probabilidad de que gane A según los puntos de los dos (Elo, 1978).

    >>> round(win_probability(1400, 1000), 3), win_probability(1000, 1000)
    (0.909, 0.5)
    """
    return 1 / (1 + 10 ** ((rating_b - rating_a) / SCALE))


def elo(duels: Sequence[Duel], k: float = 32.0) -> dict[str, float]:
    """Puntos de cada jugador tras los duelos, en el orden dado. `k` es lo más que se puede ganar en uno.

    >>> elo([Duel("A", "B", 1.0)])
    {'A': 1016.0, 'B': 984.0}
    """
    _check(duels)
    ratings: dict[str, float] = {}
    for duel in duels:
        a, b = ratings.setdefault(duel.a, START), ratings.setdefault(duel.b, START)
        change = k * (duel.score - win_probability(a, b))
        ratings[duel.a], ratings[duel.b] = a + change, b - change
    return ratings


def bradley_terry(duels: Sequence[Duel], tolerance: float = 1e-10, max_iterations: int = 10_000) -> dict[str, float]:
    """Puntos de máxima verosimilitud, en la escala de Elo y con media 1000 (Bradley y Terry, 1952).

    Usa el algoritmo MM de Hunter (2004): fuerza = victorias / suma de duelos entre fuerzas, repetido hasta que nada
    cambia. Un empate cuenta como media victoria para cada uno. ValueError si alguien lo gana o lo pierde todo, o si los
    jugadores forman grupos que no se han enfrentado: sus puntos no estarían determinados.

    >>> ratings = bradley_terry([Duel("A", "B", 1.0)] * 10 + [Duel("A", "B", 0.0)])
    >>> round(ratings["A"] - ratings["B"])
    400
    """
    _check(duels)
    names = list(dict.fromkeys(name for duel in duels for name in (duel.a, duel.b)))
    index = {name: i for i, name in enumerate(names)}
    wins = np.zeros((len(names), len(names)))  # wins[i, j]: lo que i le ha sacado a j
    for duel in duels:
        i, j = index[duel.a], index[duel.b]
        wins[i, j] += duel.score
        wins[j, i] += 1 - duel.score
    _check_connected(wins, names)
    games = wins + wins.T
    log_strength = np.zeros(len(names))
    for _ in range(max_iterations):
        strength = np.exp(log_strength)
        new = np.log(wins.sum(1)) - np.log((games / (strength[:, None] + strength)).sum(1))
        new -= new.mean()
        done = np.abs(new - log_strength).max() < tolerance
        log_strength = new
        if done:
            break
    return {name: START + SCALE / math.log(10) * float(x) for name, x in zip(names, log_strength, strict=True)}


def _check(duels: Sequence[Duel]) -> None:
    if not duels:
        raise ValueError("No hay ningún duelo: sin resultados no hay clasificación.")
    for duel in duels:
        if duel.a == duel.b or not 0 <= duel.score <= 1:
            raise ValueError(f"{duel} no vale: son dos jugadores distintos y un resultado entre 0 y 1.")


def _check_connected(wins: np.ndarray, names: list[str]) -> None:
    """Exige que de cada jugador se llegue a cualquier otro por una cadena de victorias (Ford, 1957)."""
    reach = (wins > 0) | np.eye(len(names), dtype=bool)
    for middle in range(len(names)):
        reach |= reach[:, [middle]] & reach[[middle]]
    for i, name in enumerate(names):
        if not reach[i].all():
            other = names[int(np.argmin(reach[i]))]
            raise ValueError(f"Ninguna cadena de victorias lleva de «{name}» a «{other}»: hacen falta más duelos.")
